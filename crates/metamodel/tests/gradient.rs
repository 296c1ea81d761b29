//! The gradient of a loss on query rows with respect to the metamodel's parameters, through encoder, decoder and
//! solved head, against finite differences.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod tables;

use burn::tensor::{Device, Tensor, TensorData, activation};
use rand::Rng;
use tables::Sizes;
use weightsmith_base_model::{Rows, predict};
use weightsmith_metamodel::{
    EncodedSupport, Generated, Labels, MetaParams, Metamodel, MetamodelConfig, SupportBatch,
};
use weightsmith_tasks::{Base, Seed, Support, Target, TaskType};

/// Lengths of a step in the space of parameters; the closest of their quotients counts. A quotient is off where a relu
/// has its kink between the two ends of a step, and a kink lies between the ends of few of these steps; a gradient
/// that is wrong is wrong against all of them.
const STEPS: [f64; 4] = [2e-3, 1e-3, 5e-4, 2e-4];
/// Of the gradient's length in the parameter: what the curvature over the longest step amounts to.
const RELATIVE: f64 = 0.02;
/// The loss is summed in f64 from outputs that are each wrong by some 1e-6, not all to one side: 2e-7 over 2e-4.
const ABSOLUTE: f64 = 1e-3;

struct Problem {
    config: MetamodelConfig,
    support: EncodedSupport<Base>,
    query: Rows,
    answers: Labels,
}

impl Problem {
    fn new(task_type: TaskType) -> Self {
        let n_classes = if task_type == TaskType::Classification { 3 } else { 0 };
        let sizes = Sizes { n_rows: 44, n_numeric: 3, n_categorical: 1, n_classes, seed: 31 };
        let all = tables::support(sizes);
        let few = all.select(&(0..24).collect::<Vec<_>>());
        let rest = all.select(&(24..44).collect::<Vec<_>>());
        let (encoding, rows, labels, is_numeric) = tables::encoded(&few);
        let query = encoding.encode(rest.table()).unwrap();
        let answers = answers(&few, &rest);
        Self {
            config: MetamodelConfig::tiny(task_type),
            support: EncodedSupport::new(rows, labels, &is_numeric),
            query,
            answers,
        }
    }

    fn generate(&self, metamodel: &Metamodel, device: &Device) -> (Tensor<3>, Generated<Base>) {
        let batch = SupportBatch::new(&[&self.support], device);
        let generated = metamodel.generate(&metamodel.summarise(&batch), &batch.head);
        let shape = [1, self.query.n_rows, self.query.n_columns];
        let rows = Tensor::from_data(TensorData::new(self.query.values.clone(), shape), device);
        (predict(&generated.weights, rows), generated)
    }

    /// Negative log-likelihood of the query rows and its gradient for all parameters.
    fn gradient(&self, params: &MetaParams) -> Vec<f32> {
        let device = Device::flex().autodiff();
        let metamodel = Metamodel::new(&self.config, params, &device).unwrap();
        let (outputs, generated) = self.generate(&metamodel, &device);
        let targets = self.answers.targets();
        let shape = [1, self.query.n_rows, self.answers.n_outputs()];
        let targets = Tensor::<3>::from_data(TensorData::new(targets, shape), &device);
        let n = self.query.n_rows as f32;
        let loss = match self.config.task_type {
            TaskType::Classification => (activation::log_softmax(outputs, 2) * targets).sum() / -n,
            TaskType::Regression => {
                let noise = generated.info.noise.reshape([1, 1, 1]);
                let error = (outputs - targets) / noise.clone();
                ((error.clone() * error).mean_dim(1) * 0.5 + noise.log()).sum()
            }
        };
        let grads = loss.backward();
        let read = |leaf: &Tensor<1>| match leaf.grad(&grads) {
            Some(grad) => grad.into_data_as::<f32>().try_into_vec::<f32>().unwrap(),
            None => vec![0.0; leaf.dims()[0]],
        };
        metamodel.leaves().iter().flat_map(read).collect()
    }

    /// The same loss, summed in f64.
    fn loss(&self, params: &MetaParams) -> f64 {
        let device = Device::flex();
        let metamodel = Metamodel::new(&self.config, params, &device).unwrap();
        let (outputs, generated) = self.generate(&metamodel, &device);
        let outputs: Vec<f32> = outputs.into_data_as::<f32>().try_into_vec().unwrap();
        let n = self.query.n_rows as f64;
        match &self.answers {
            Labels::Classes { labels, n_classes } => {
                let of_row = |(row, label): (&[f32], &usize)| {
                    let total: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
                    total.ln() - f64::from(row[*label])
                };
                outputs.chunks_exact(*n_classes).zip(labels).map(of_row).sum::<f64>() / n
            }
            Labels::Values(values) => {
                let noise = f64::from(generated.info.noise.into_scalar::<f32>());
                let square =
                    |(output, value): (&f32, &f32)| (f64::from(output - value) / noise).powi(2) / 2.0;
                outputs.iter().zip(values).map(square).sum::<f64>() / n + noise.ln()
            }
        }
    }

    /// The changes of the loss along `direction`, of length 1, per unit, for every step.
    fn slopes(&self, params: &MetaParams, start: usize, direction: &[f64]) -> [f64; STEPS.len()] {
        let moved = |distance: f64| {
            let mut values = params.values.clone();
            for (value, part) in values[start..].iter_mut().zip(direction) {
                *value = (f64::from(*value) + distance * part) as f32;
            }
            self.loss(&params.with_values(values))
        };
        STEPS.map(|step| (moved(step) - moved(-step)) / (2.0 * step))
    }
}

fn answers(support: &Support, query: &Support) -> Labels {
    match (support.target(), query.target()) {
        (Target::Values(known), Target::Values(values)) => {
            let (mean, std) = tables::moments(known);
            Labels::Values(values.iter().map(|value| ((value - mean) / std) as f32).collect())
        }
        (_, Target::Classes { class_names, labels }) => {
            Labels::Classes { labels: labels.clone(), n_classes: class_names.len() }
        }
        _ => panic!("both parts of a table have one target"),
    }
}

fn unit(direction: Vec<f64>) -> Option<Vec<f64>> {
    let length = direction.iter().map(|part| part * part).sum::<f64>().sqrt();
    (length > 0.0).then(|| direction.iter().map(|part| part / length).collect())
}

/// Slopes of every parameter along its own gradient and along a random direction. Along the gradient the slope is
/// the gradient's length; a part of the gradient that is missing shows in the random one.
fn check(task_type: TaskType) {
    let problem = Problem::new(task_type);
    let params = MetaParams::draw(&problem.config, Seed(3)).unwrap();
    let gradient: Vec<f64> = problem.gradient(&params).into_iter().map(f64::from).collect();
    assert_eq!(gradient.len(), params.values.len());
    let mut rng = Seed(4).stream("tests.directions");
    let mut n_felt = 0;
    for entry in &params.entries {
        let own = &gradient[entry.start..entry.start + entry.len()];
        let length = own.iter().map(|part| part * part).sum::<f64>().sqrt();
        n_felt += usize::from(length > 10.0 * ABSOLUTE);
        let random = (0..entry.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
        for direction in [unit(own.to_vec()), unit(random)].into_iter().flatten() {
            let expected: f64 = own.iter().zip(&direction).map(|(g, d)| g * d).sum();
            let found = problem.slopes(&params, entry.start, &direction);
            let off = found.iter().map(|slope| (slope - expected).abs()).fold(f64::INFINITY, f64::min);
            let allowed = RELATIVE * length + ABSOLUTE;
            assert!(off <= allowed, "{}: {found:?} where the gradient says {expected}", entry.name);
        }
    }
    // A comparison of zeros would prove nothing.
    assert!(
        n_felt > params.entries.len() / 2,
        "only {n_felt} of {} parameters are felt",
        params.entries.len()
    );
}

#[test]
fn through_the_logistic_head() {
    check(TaskType::Classification);
}

#[test]
fn through_the_ridge_head() {
    check(TaskType::Regression);
}
