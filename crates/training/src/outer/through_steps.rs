//! Tasks that are scored after inner steps from the generated hidden layer, so that a metamodel learns to write weights from
//! which steps pay.
//!
//! The steps are those of use ([`VariableProjection`]): L-BFGS on the leave-one-out error of a ridge head. What a task's query
//! then loses has a gradient with respect to the generated layer, which goes on through the metamodel as the gradient of the
//! product of both. What the head of the generated weights has (precisions, row weights, noise) learns from the other tasks alone.

use crate::inner::{VariableProjection, Wanted};
use crate::outer::stream::EncodedTask;
use crate::starts::Order;
use burn::tensor::{Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use weightsmith_base_model::{HiddenLayer, HostLayer, Matrix};
use weightsmith_metamodel::Labels;
use weightsmith_tasks::Level;

/// The random stream that numbers of steps are drawn from.
pub(super) const STREAM: &str = "outer.through_steps";
/// Tasks with fewer support rows, or with more columns than rows, are scored as generated: no steps are taken there in use.
const LEAST_ROWS: usize = 48;
/// Longest gradient of a task by its generated layer. The second order grows with every step where the error is not convex.
const LONGEST_GRADIENT: f64 = 10.0;

/// Which tasks of a training are scored after how many inner steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThroughSteps {
    /// Share of the tasks for which a number of steps is drawn, 0 to 1; the others are scored as generated, and so are those
    /// with fewer than 48 support rows or with more columns than rows.
    pub share: f64,
    /// Numbers of steps, one of which is drawn for such a task, all as likely: 1 to 16 numbers from 0 to 30. After 0 steps is as
    /// generated.
    pub n_steps: Vec<usize>,
    /// What of the steps the gradient goes through; with the second order, lengths of steps and the quasi-Newton metric are
    /// constants.
    pub order: Order,
}

impl Default for ThroughSteps {
    fn default() -> Self {
        Self { share: 0.5, n_steps: vec![0, 1, 3, 8], order: Order::First }
    }
}

impl ThroughSteps {
    /// Whether each setting is in its range, its name, and the range.
    pub(super) fn checks(&self) -> [(bool, &'static str, &'static str); 2] {
        let n_steps =
            (1..=16).contains(&self.n_steps.len()) && self.n_steps.iter().all(|n_steps| *n_steps <= 30);
        [
            ((0.0..=1.0).contains(&self.share), "through_steps.share", "between 0 and 1"),
            (n_steps, "through_steps.n_steps", "1 to 16 numbers between 0 and 30"),
        ]
    }

    /// After how many steps each task is scored; none for those that are scored as generated.
    pub(super) fn draw<L: Level>(
        &self,
        tasks: &[EncodedTask<L>],
        random: &mut ChaCha8Rng,
    ) -> Vec<Option<usize>> {
        let mut draw = |task: &EncodedTask<L>| {
            let is_scored_later = random.random_bool(self.share);
            let n_steps = self.n_steps[random.random_range(0..self.n_steps.len())];
            let (n_rows, n_columns) = (task.support.n_rows(), task.support.n_columns());
            let steps_in_use = n_rows >= LEAST_ROWS && n_columns <= n_rows;
            (is_scored_later && steps_in_use && n_steps > 0).then_some(n_steps)
        };
        tasks.iter().map(&mut draw).collect()
    }

    /// The sum of the tasks' losses, of which `plain`, `[n_tasks]`, counts for those that are scored as generated. So
    /// are tasks whose steps come to numbers that are not finite.
    pub(super) fn loss<L: Level>(
        &self,
        plain: Tensor<1>,
        layer: &HiddenLayer,
        tasks: &[EncodedTask<L>],
        n_steps: &[Option<usize>],
    ) -> Tensor<1> {
        let [n_tasks, n_units, n_columns] = layer.weight.dims();
        let (weight, bias) = (read(layer.weight.clone().inner()), read(layer.bias.clone().inner()));
        let mut is_plain = vec![1.0; n_tasks];
        let mut slopes = vec![0.0; n_tasks * n_units * n_columns];
        let mut bias_slopes = vec![0.0; n_tasks * n_units];
        let mut losses = 0.0;
        for (task_idx, (task, n_steps)) in tasks.iter().zip(n_steps).enumerate() {
            let Some(n_steps) = *n_steps else { continue };
            let d = task.support.n_columns();
            let unit = |unit: usize| (task_idx * n_units + unit) * n_columns..;
            let own = (0..n_units).flat_map(|at| &weight[unit(at)][..d]).copied().collect();
            let of_task = task_idx * n_units..(task_idx + 1) * n_units;
            let layer =
                HostLayer { weight: Matrix::new(n_units, d, own), bias: bias[of_task.clone()].to_vec() };
            let Some((loss, gradient)) = self.task(task, &layer, n_steps) else { continue };
            is_plain[task_idx] = 0.0;
            losses += loss;
            for (at, own) in gradient.weight.values.chunks_exact(d).enumerate() {
                slopes[unit(at)][..d].copy_from_slice(own);
            }
            bias_slopes[of_task].copy_from_slice(&gradient.bias);
        }
        let device = plain.device();
        let weight_slopes =
            Tensor::<3>::from_data(TensorData::new(slopes, [n_tasks, n_units, n_columns]), &device);
        let bias_slopes = Tensor::<2>::from_data(TensorData::new(bias_slopes, [n_tasks, n_units]), &device);
        let is_plain = Tensor::<1>::from_data(TensorData::new(is_plain, [n_tasks]), &device);
        let product = (layer.weight.clone() * weight_slopes).sum() + (layer.bias.clone() * bias_slopes).sum();
        // What is added has the gradient of the product and the value of the losses.
        (plain * is_plain).sum() + product.clone() - product.detach() + losses as f32
    }

    /// The loss of one task after its steps, and the gradient by its layer; none if one is not finite.
    fn task<L: Level>(
        &self,
        task: &EncodedTask<L>,
        layer: &HostLayer,
        n_steps: usize,
    ) -> Option<(f64, HostLayer)> {
        let begun = VariableProjection::new(task.support.rows(), wanted(task.support.labels()), layer);
        let strengths = begun.first_strengths();
        let found =
            begun.stepped_loss(strengths, n_steps, self.order, &task.query, wanted(&task.query_labels));
        let mut gradient = found.gradient;
        let length = (dot(&gradient.weight.values, &gradient.weight.values)
            + dot(&gradient.bias, &gradient.bias))
        .sqrt();
        if length > LONGEST_GRADIENT {
            let factor = (LONGEST_GRADIENT / length) as f32;
            gradient.weight.values.iter_mut().chain(&mut gradient.bias).for_each(|slope| *slope *= factor);
        }
        (found.loss.is_finite() && length.is_finite()).then_some((found.loss, gradient))
    }
}

fn wanted(labels: &Labels) -> Wanted<'_> {
    match labels {
        Labels::Values(values) => Wanted::Values(values),
        Labels::Classes { labels, n_classes } => {
            Wanted::Classes { labels, n_classes: *n_classes, strength: 1.0 }
        }
    }
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data_as::<f32>().try_into_vec().expect("the data was converted to f32")
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outer::config::{OuterConfig, OuterOptimiser, Shapes};
    use crate::outer::stream::{Shard, TaskStream};
    use crate::outer::trainer::task_losses;
    use burn::tensor::Device;
    use rand::SeedableRng;
    use weightsmith_metamodel::{MetaParams, Metamodel, MetamodelConfig};
    use weightsmith_priors::PriorConfig;
    use weightsmith_tasks::{Base, Seed, TaskType};

    fn config(task_type: TaskType) -> OuterConfig {
        OuterConfig {
            seed: Seed(4),
            n_steps: 1,
            n_shards: 1,
            shard_tokens: 300,
            validate_every: 1,
            n_valid: 1,
            metamodel: MetamodelConfig::tiny(task_type),
            shapes: Shapes { support: (60, 90), query: 30, columns: (3, 6), ..Shapes::default() },
            optimiser: OuterOptimiser::default(),
            prior: PriorConfig::default(),
            through_steps: None,
        }
    }

    /// The sum of losses after `n_steps` steps each, and its gradient with respect to the parameters.
    fn total(
        config: &OuterConfig,
        params: &MetaParams,
        tasks: &[EncodedTask<Base>],
        n_steps: &[Option<usize>],
    ) -> (f64, Vec<f32>) {
        let device = Device::flex().autodiff();
        let metamodel = Metamodel::new_unchecked(&config.metamodel, params, &device);
        let shard = Shard::new(tasks, &device);
        let generated = metamodel.generate(&metamodel.summarise(&shard.support), &shard.support.head);
        let plain = task_losses(config.metamodel.task_type, &generated, &shard);
        let settings = ThroughSteps { order: Order::Second, ..ThroughSteps::default() };
        let loss = settings.loss(plain, &generated.weights.hidden[0], tasks, n_steps);
        let grads = loss.backward();
        let leaves = metamodel.leaves().iter();
        let gradient = leaves.flat_map(|leaf| match leaf.grad(&grads) {
            Some(grad) => read(grad),
            None => vec![0.0; leaf.dims()[0]],
        });
        (f64::from(read(loss.inner())[0]), gradient.collect())
    }

    #[test]
    fn the_gradient_reaches_the_parameters() {
        // Without a step, so that nothing is a constant but the strengths, and those of these tasks stay the same in between: the
        // head is solved on the generated layer. The tasks that are not scored so are scored as generated.
        for task_type in [TaskType::Regression, TaskType::Classification] {
            let config = config(task_type);
            let params = MetaParams::draw(&config.metamodel, Seed(9)).unwrap();
            let tasks = TaskStream::training(&config).unwrap().shard(0, 3);
            assert!(tasks.len() > 2);
            for n_scored in [1, tasks.len()] {
                let n_steps: Vec<Option<usize>> =
                    (0..tasks.len()).map(|task_idx| (task_idx < n_scored).then_some(0)).collect();
                let (_, gradient) = total(&config, &params, &tasks, &n_steps);
                let length = dot(&gradient, &gradient).sqrt();
                assert!(length > 1e-3);
                let reach = 2e-3 / length;
                let loss = |by: f64| {
                    let moved = params.values.iter().zip(&gradient);
                    let moved = moved.map(|(value, slope)| value + (by * f64::from(*slope)) as f32).collect();
                    total(&config, &params.with_values(moved), &tasks, &n_steps).0
                };
                let slope = (loss(reach) - loss(-reach)) / (2.0 * reach);
                assert!(
                    (slope / (length * length) - 1.0).abs() < 0.03,
                    "{task_type:?}, {n_scored} tasks: {slope} and {}",
                    length * length
                );
            }
        }
    }

    #[test]
    fn numbers_of_steps_are_drawn_for_a_share_of_the_tasks_that_take_steps_in_use() {
        let mut config = config(TaskType::Regression);
        config.shapes.support = (40, 60);
        let stream = TaskStream::training(&config).unwrap();
        let settings = ThroughSteps { share: 0.7, n_steps: vec![0, 2, 4], order: Order::First };
        let random = &mut ChaCha8Rng::seed_from_u64(1);
        let (mut n_tasks, mut counts) = (0, [0; 5]);
        for step in 0..500 {
            let tasks = stream.shard(step, 0);
            let drawn = settings.draw(&tasks, random);
            assert_eq!(drawn.len(), tasks.len());
            if tasks[0].support.n_rows() < 48 {
                assert!(drawn.iter().all(Option::is_none));
            } else {
                n_tasks += tasks.len();
                drawn.into_iter().flatten().for_each(|n_steps| counts[n_steps] += 1);
            }
        }
        // 0.7 / 3 of the tasks each; five standard deviations of so many draws.
        let expected = 0.7 / 3.0 * n_tasks as f64;
        assert_eq!((counts[0], counts[1], counts[3]), (0, 0, 0));
        for n in [counts[2], counts[4]] {
            assert!((f64::from(n) - expected).abs() < 5.0 * expected.sqrt(), "{n} and {expected}");
        }
    }
}
