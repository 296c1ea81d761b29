//! Where generated and optimiser-trained weights lie: one generated view and the same network trained by Adam.
//!
//! Hidden units have no order, so the trained network's are matched to the generated one's by assignment before the two
//! are compared. A ReLU unit can be scaled against its outgoing weights without any change; the generated units are
//! brought to equal norms on both sides, as training from random numbers keeps them. Outputs are in standard deviations
//! of a numeric target; of classes, each number of all outputs has mean 0, which the softmax cannot see.

mod plane;

pub use plane::{PathStep, Slice};

use crate::methods::{MethodError, MethodSettings};
use crate::problem::{Problem, Wanted};
use crate::statistics::{Estimate, standard_deviation};
use burn::tensor::{Device, Tensor, TensorData};
use pathfinding::prelude::{Matrix as Costs, kuhn_munkres};
use serde::Serialize;
use weightsmith_base_model::{
    Architecture, BaseModel, HostWeights, Matrix, Predicted, Predictions, Rows, TargetUnit, Weights, predict,
};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model};
use weightsmith_tasks::{Base, Seed, Target};
use weightsmith_training::{Optimiser, Recipe, Start, Training, grid, tune_base_model};

/// Points of a straight path, both ends included.
const N_PATH: usize = 21;
/// Networks whose loss is computed at once.
const N_AT_ONCE: usize = 25;

/// The two networks of one split.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WeightPair {
    figures: Figures,
    path: Vec<PathPoint>,
    slice: Slice,
}

/// Figures of one split.
#[derive(Copy, Clone, Debug, PartialEq)]
struct Figures {
    n_weights: usize,
    n_units: usize,
    distance: [f64; 2],
    cosine: [f64; 2],
    barrier: [f64; 2],
    agreement: f64,
    loss: [f64; 2],
    random_distance: f64,
}

/// The loss on the query rows along the straight line from the generated weights to the trained ones.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct PathPoint {
    /// From 0, the generated weights, to 1, the trained ones.
    pub at: f64,
    /// With hidden units in the order they happen to have.
    pub unmatched: f64,
    /// With hidden units matched.
    pub matched: f64,
}

/// Where the two lie; means over splits, and the pictures of the first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightSpace {
    /// Numbers of the network.
    pub n_weights: usize,
    /// Its hidden units.
    pub n_units: usize,
    /// The generated network's loss on the query rows: log-loss, or root mean squared error.
    pub generated_loss: Option<Estimate>,
    /// The trained network's.
    pub trained_loss: Option<Estimate>,
    /// The distance of the two, units as they are.
    pub distance_unmatched: Option<Estimate>,
    /// The distance, units matched.
    pub distance_matched: Option<Estimate>,
    /// The distance of the trained weights from the random ones that they began at, for scale.
    pub distance_trained: Option<Estimate>,
    /// The cosine of the two, units as they are.
    pub cosine_unmatched: Option<Estimate>,
    /// The cosine, units matched.
    pub cosine_matched: Option<Estimate>,
    /// How far the loss rises above the straight line between its ends, units as they are.
    pub barrier_unmatched: Option<Estimate>,
    /// The same, units matched.
    pub barrier_matched: Option<Estimate>,
    /// The share of query rows on which both predict the same class, or the correlation of their values.
    pub agreement: Option<Estimate>,
    /// The straight path of the first split.
    pub path: Vec<PathPoint>,
    /// The plane through the generated, the trained and the random weights of the first split.
    pub slice: Slice,
}

impl WeightSpace {
    /// Means over splits; none without a split.
    pub(crate) fn of(places: &[WeightPair]) -> Option<Self> {
        let first = places.first()?;
        let over = |figure: &dyn Fn(&Figures) -> f64| {
            Estimate::of(&places.iter().map(|place| figure(&place.figures)).collect::<Vec<_>>())
        };
        Some(Self {
            n_weights: first.figures.n_weights,
            n_units: first.figures.n_units,
            generated_loss: over(&|f| f.loss[0]),
            trained_loss: over(&|f| f.loss[1]),
            distance_unmatched: over(&|f| f.distance[0]),
            distance_matched: over(&|f| f.distance[1]),
            distance_trained: over(&|f| f.random_distance),
            cosine_unmatched: over(&|f| f.cosine[0]),
            cosine_matched: over(&|f| f.cosine[1]),
            barrier_unmatched: over(&|f| f.barrier[0]),
            barrier_matched: over(&|f| f.barrier[1]),
            agreement: over(&|f| f.agreement),
            path: first.path.clone(),
            slice: first.slice.clone(),
        })
    }
}

/// Generates one view without a forest, trains the same network by Adam (the recipe chosen by cross-validation), and
/// compares where the two lie in the space of weights.
pub(crate) fn weight_pair(
    problem: &Problem,
    settings: &MethodSettings<'_>,
) -> Result<WeightPair, MethodError> {
    let device = &settings.pretrained.metamodel.device();
    let (support, seed) = (problem.support(), settings.seed);
    let options =
        GenerateOptions { n_views: 1, n_threads: 1, n_trees: 0, n_steps: Steps::Fixed(0), seed: Seed(0) };
    let (generated, _) = generate_base_model(settings.pretrained, support, options)?;
    if generated.architecture.hidden.is_empty() {
        return Err(MethodError::NoHiddenLayer);
    }
    let shaped = |recipe: Recipe| Recipe {
        hidden: generated.architecture.hidden.clone(),
        skip: generated.architecture.skip,
        activation: generated.architecture.activation,
        ..recipe
    };
    let recipes: Vec<Recipe> =
        grid(Optimiser::Adam, support.target().task_type()).into_iter().map(shaped).collect();
    let recipe = tune_base_model(support, &recipes, seed, device, &mut |_| {})?.chosen;
    let frame = WeightFrame::new(problem, &generated, device)?;
    let mut steps = Vec::new();
    let training = Training { support, start: Start::Like(&generated), recipe: &recipe, seed, device };
    let trained = training.run(&mut |moment| {
        if let Ok(model) = moment.model() {
            steps.push((moment.n_steps, frame.numbers(&model, false)));
        }
    })?;
    let own = frame.numbers(&generated, true);
    let end = frame.numbers(&trained.model, false);
    let order = frame.matching(&own, &end);
    let matched = frame.permuted(&end, &order);
    let steps: Vec<(usize, Vec<f32>)> =
        steps.into_iter().map(|(n, numbers)| (n, frame.permuted(&numbers, &order))).collect();
    let along = |other: &[f32]| -> Vec<f64> {
        let point = |idx: usize| mixed(&own, other, idx as f64 / (N_PATH - 1) as f64);
        frame.losses(&(0..N_PATH).map(point).collect::<Vec<_>>())
    };
    let (unmatched_losses, matched_losses) = (along(&end), along(&matched));
    let at = |idx: usize| idx as f64 / (N_PATH - 1) as f64;
    let path = (0..N_PATH)
        .map(|idx| PathPoint { at: at(idx), unmatched: unmatched_losses[idx], matched: matched_losses[idx] })
        .collect();
    let random = steps.first().map_or_else(|| matched.clone(), |(_, numbers)| numbers.clone());
    let figures = Figures {
        n_weights: own.len(),
        n_units: frame.n_units(),
        distance: [distance(&own, &end), distance(&own, &matched)],
        cosine: [cosine(&own, &end), cosine(&own, &matched)],
        barrier: [barrier(&unmatched_losses), barrier(&matched_losses)],
        agreement: agreement(
            &generated.predict(problem.query()).map_err(lost)?,
            &trained.model.predict(problem.query()).map_err(lost)?,
        ),
        loss: [matched_losses[0], matched_losses[N_PATH - 1]],
        random_distance: distance(&random, &matched),
    };
    Ok(WeightPair { figures, path, slice: Slice::through(&frame, &own, &matched, &steps) })
}

fn lost(error: weightsmith_base_model::EncodingError) -> MethodError {
    MethodError::Reference(error.into())
}

/// Brings networks of one shape into comparable numbers, and measures their loss on the query rows.
struct WeightFrame {
    architecture: Architecture,
    rows: Rows,
    wanted: Wanted,
    /// Mean and standard deviation of a numeric target on the support rows.
    unit: (f64, f64),
    device: Device,
}

impl WeightFrame {
    fn new(problem: &Problem, model: &BaseModel, device: &Device) -> Result<Self, MethodError> {
        let rows = model.encoding.encode(problem.query()).map_err(lost)?;
        let unit = match problem.support().target() {
            Target::Classes { .. } => (0.0, 1.0),
            Target::Values(values) => {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let deviation = standard_deviation(values);
                (mean, if deviation > 0.0 { deviation } else { 1.0 })
            }
        };
        let wanted = problem.wanted();
        let device = device.clone().inner();
        Ok(Self { architecture: model.architecture.clone(), rows, wanted, unit, device })
    }

    fn n_units(&self) -> usize {
        self.architecture.hidden[0]
    }

    /// The numbers of a network in one row: outputs centred or in standard deviations, hidden units balanced if asked for.
    fn numbers(&self, model: &BaseModel, balanced: bool) -> Vec<f32> {
        let from = model.target_unit.unwrap_or(TargetUnit { centre: 0.0, scale: 1.0 });
        let mut weights = model.weights.clone();
        let n_outputs = weights.output_bias.len();
        let rescale = |values: &mut [f32], shift: f64| {
            let width = values.len() / n_outputs;
            for column in 0..width {
                let mut own: Vec<f64> =
                    (0..n_outputs).map(|output| f64::from(values[output * width + column])).collect();
                match self.wanted {
                    Wanted::Classes(_) => {
                        let mean = own.iter().sum::<f64>() / n_outputs as f64;
                        own.iter_mut().for_each(|value| *value -= mean);
                    }
                    Wanted::Values(_) => {
                        own.iter_mut().for_each(|value| *value = (*value * from.scale - shift) / self.unit.1)
                    }
                }
                (0..n_outputs).for_each(|output| values[output * width + column] = own[output] as f32);
            }
        };
        let HostWeights { hidden, skip, output, output_bias, .. } = &mut weights;
        skip.iter_mut().chain(output.iter_mut()).for_each(|matrix| rescale(&mut matrix.values, 0.0));
        rescale(output_bias, self.unit.0 - from.centre);
        if balanced && let ([layer], Some(output)) = (hidden.as_mut_slice(), output) {
            balance(&mut layer.weight, &mut layer.bias, output);
        }
        weights.flatten()
    }

    /// Where in a row of numbers those of a hidden unit are.
    fn unit_places(&self, unit: usize) -> Vec<usize> {
        let Architecture { n_inputs, n_outputs, skip, .. } = self.architecture;
        let n_units = self.n_units();
        let last = n_units * n_inputs + n_units + if skip { n_outputs * n_inputs } else { 0 };
        let incoming = (unit * n_inputs..(unit + 1) * n_inputs).chain([n_units * n_inputs + unit]);
        incoming.chain((0..n_outputs).map(|output| last + output * n_units + unit)).collect()
    }

    /// For each hidden unit of the first network the unit of the second that is likest: the assignment with the greatest
    /// sum of inner products, which is that of least distance.
    fn matching(&self, first: &[f32], second: &[f32]) -> Vec<usize> {
        let n_units = self.n_units();
        let places: Vec<Vec<usize>> = (0..n_units).map(|unit| self.unit_places(unit)).collect();
        let product = |a: usize, b: usize| -> f64 {
            places[a].iter().zip(&places[b]).map(|(&i, &j)| f64::from(first[i]) * f64::from(second[j])).sum()
        };
        let products: Vec<f64> =
            (0..n_units * n_units).map(|pair| product(pair / n_units, pair % n_units)).collect();
        // The assignment wants whole numbers: nine digits of the largest.
        let most = products.iter().map(|product| product.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let whole = products.iter().map(|product| (product / most * 1e9).round() as i64).collect();
        let costs = Costs::from_vec(n_units, n_units, whole).expect("a product for each pair of units");
        kuhn_munkres(&costs).1
    }

    /// The numbers with hidden unit `order[unit]` in the place of `unit`.
    fn permuted(&self, numbers: &[f32], order: &[usize]) -> Vec<f32> {
        let mut permuted = numbers.to_vec();
        for (unit, &from) in order.iter().enumerate() {
            for (to, from) in self.unit_places(unit).into_iter().zip(self.unit_places(from)) {
                permuted[to] = numbers[from];
            }
        }
        permuted
    }

    /// The loss of each row of numbers on the query rows: log-loss, or root mean squared error in the target's unit.
    fn losses(&self, networks: &[Vec<f32>]) -> Vec<f64> {
        networks.chunks(N_AT_ONCE).flat_map(|some| self.losses_at_once(some)).collect()
    }

    fn losses_at_once(&self, networks: &[Vec<f32>]) -> Vec<f64> {
        let (n_tasks, width) = (networks.len(), networks[0].len());
        let Rows { n_rows, n_columns, values } = &self.rows;
        let numbers =
            Tensor::<2>::from_data(TensorData::new(networks.concat(), [n_tasks, width]), &self.device);
        let weights = Weights::<Base>::from_numbers(&numbers, &self.architecture);
        let rows = TensorData::new(values.clone(), [1, *n_rows, *n_columns]);
        let rows = Tensor::<3>::from_data(rows, &self.device).expand([n_tasks, *n_rows, *n_columns]);
        let outputs = predict(&weights, rows).into_data_as::<f32>(); // [n_tasks, n_rows, n_outputs]
        let outputs = outputs.try_into_vec::<f32>().expect("the data was converted to f32");
        let n_outputs = self.architecture.n_outputs;
        outputs.chunks_exact(n_rows * n_outputs).map(|outputs| self.loss(outputs)).collect()
    }

    fn loss(&self, outputs: &[f32]) -> f64 {
        let predictions: Predictions = match self.wanted {
            Wanted::Classes(_) => Predictions::from_logits(self.architecture.n_outputs, outputs),
            Wanted::Values(_) => {
                let (mean, deviation) = self.unit;
                let value = |output: &f32| mean + deviation * f64::from(*output);
                Predictions::from_values(outputs.iter().map(value).collect())
            }
        };
        self.wanted.count(&predictions, 0.0).loss
    }
}

/// Scales each hidden unit so that what comes in is as long as what goes out; the function stays.
fn balance(weight: &mut Matrix, bias: &mut [f32], output: &mut Matrix) {
    let (n_inputs, n_units) = (weight.n_columns, weight.n_rows);
    for (unit, bias) in bias.iter_mut().enumerate() {
        let incoming = &mut weight.values[unit * n_inputs..(unit + 1) * n_inputs];
        let outgoing = |output: &Matrix| -> f32 {
            (0..output.n_rows).map(|row| output.values[row * n_units + unit].powi(2)).sum::<f32>().sqrt()
        };
        let before = (incoming.iter().map(|w| w * w).sum::<f32>() + *bias * *bias).sqrt();
        let after = outgoing(output);
        if before == 0.0 || after == 0.0 {
            continue;
        }
        let factor = (after / before).sqrt();
        incoming.iter_mut().for_each(|w| *w *= factor);
        *bias *= factor;
        (0..output.n_rows).for_each(|row| output.values[row * n_units + unit] /= factor);
    }
}

fn mixed(first: &[f32], second: &[f32], share: f64) -> Vec<f32> {
    let mix = |(a, b): (&f32, &f32)| (f64::from(*a) * (1.0 - share) + f64::from(*b) * share) as f32;
    first.iter().zip(second).map(mix).collect()
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    product(a, b) / (product(a, a) * product(b, b)).sqrt().max(f64::MIN_POSITIVE)
}

/// How far losses along a path rise above the straight line between their ends, 0 where they do not.
///
/// Source: Frankle, Dziugaite, Roy and Carbin (2020), Linear Mode Connectivity and the Lottery Ticket Hypothesis,
/// section 2; the line is that of Entezari, Sedghi, Saukh and Neyshabur (2022), section 2.
fn barrier(losses: &[f64]) -> f64 {
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    let line = |idx: usize| first + (last - first) * idx as f64 / (losses.len() - 1) as f64;
    losses.iter().enumerate().map(|(idx, loss)| loss - line(idx)).fold(0.0, f64::max)
}

/// The share of rows on which two predict the same class, or the correlation of their values (0 where one of them is
/// constant).
pub(crate) fn agreement(first: &Predictions, second: &Predictions) -> f64 {
    match (first.predicted(), second.predicted()) {
        (Predicted::Values(a), Predicted::Values(b)) => {
            let centred = |values: &[f64]| {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                values.iter().map(|value| value - mean).collect::<Vec<f64>>()
            };
            let (a, b) = (centred(a), centred(b));
            let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let size = (product(&a, &a) * product(&b, &b)).sqrt();
            if size > 0.0 { product(&a, &b) / size } else { 0.0 }
        }
        _ => {
            let (a, b) = (first.labels().unwrap_or_default(), second.labels().unwrap_or_default());
            a.iter().zip(&b).filter(|(a, b)| a == b).count() as f64 / a.len().max(1) as f64
        }
    }
}

#[cfg(test)]
mod tests;
