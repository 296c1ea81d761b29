//! One training of a base model by an optimiser.

use super::network::Network;
use super::problem::{Labels, Origin, Problem};
use super::{InnerError, Optimiser, Recipe};
use burn::module::ParamGroup;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use rand::Rng;
use rand::seq::SliceRandom;
use weightsmith_base_model::{Architecture, BaseModel, HostWeights, ModelError, predict};
use weightsmith_tasks::{Base, Level, Seed, Support};

/// The loss must fall by this much …
const TOLERANCE: f32 = 1e-4;
/// … at least once in this many epochs and one, or the training has converged.
const PATIENCE: usize = 10;

/// How a training went.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainInfo {
    /// Inner steps taken.
    pub n_steps: usize,
    /// Whether the training ended because the loss no longer fell, before its last epoch.
    pub converged: bool,
    /// What was minimised, the mean over each epoch's batches, taken before each step: cross-entropy, or half
    /// the squared error in standard deviations of the target, and the penalty.
    pub epoch_losses: Vec<f32>,
}

impl TrainInfo {
    /// The loss of the last epoch, the penalty included.
    pub fn final_support_loss(&self) -> f32 {
        *self.epoch_losses.last().expect("a training has at least one epoch")
    }
}

/// A trained base model.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained<L: Level = Base> {
    /// The base model.
    pub model: BaseModel<L>,
    /// How its training went.
    pub info: TrainInfo,
}

/// Trains a base model on a support as the recipe says.
///
/// The rows are seen through the standard view of an [`weightsmith_base_model::Encoding`] fitted on them, a
/// numeric target standardised. Two classes are one logistic output, and classes without a row get none, so
/// that they cost the others nothing; the base model's outputs are those of all class names, and in the
/// target's unit.
///
/// Source: scikit-learn 1.9, `MLPClassifier` and `MLPRegressor`: initialisation, batches, penalty and the
/// stop.
///
/// # Errors
/// A support without rows or columns, a recipe that no training can use, a loss that is no longer finite.
pub fn train_base_model<L: Level>(
    support: &Support<L>,
    recipe: &Recipe,
    seed: Seed,
    device: &Device,
) -> Result<Trained<L>, InnerError> {
    let problem = Problem::of(support)?;
    let (weights, info) = optimise::<L>(&problem, recipe, seed, device)?;
    let origin = Origin { name: recipe.optimiser.name().to_string(), expected: None };
    Ok(Trained { model: problem.export(&weights, support, origin)?, info })
}

/// The weights of the trained outputs.
fn optimise<L: Level>(
    problem: &Problem,
    recipe: &Recipe,
    seed: Seed,
    device: &Device,
) -> Result<(HostWeights, TrainInfo), InnerError> {
    recipe.validate()?;
    let architecture = Architecture {
        n_inputs: problem.rows.n_columns,
        hidden: recipe.hidden.clone(),
        n_outputs: problem.labels.n_outputs(),
        activation: recipe.activation,
        skip: recipe.skip,
    };
    architecture.validate().map_err(ModelError::from)?;
    let device = device.clone().inner().autodiff();
    let mut network = Network::init(&architecture, &mut seed.stream("inner.init"), &device);
    let mut order = seed.stream("inner.batches");
    let rows = RowTensors::new(problem, &device);
    let n_rows = problem.rows.n_rows;
    let batch_size = recipe.batch_size.min(n_rows);
    let mut optimiser = optimiser(recipe, batch_size, &network);
    let mut stop = Stop::default();
    let mut info = TrainInfo { n_steps: 0, converged: false, epoch_losses: Vec::new() };
    while info.epoch_losses.len() < recipe.n_epochs && !info.converged {
        let mut sum = Tensor::<1>::zeros([1], &device.clone().inner());
        for batch in rows.batches(batch_size, &mut order) {
            let n_batch = batch.inputs.dims()[1];
            let outputs = predict(&network.weights::<L>(recipe.activation), batch.inputs);
            let mut loss = rows.kind.mean_loss(outputs, batch.wanted);
            if recipe.optimiser != Optimiser::AdamW && recipe.weight_decay > 0.0 {
                let strength = recipe.weight_decay / (2.0 * n_batch as f32);
                loss = loss + network.squared_norm().mul_scalar(strength);
            }
            sum = sum + loss.clone().inner().mul_scalar(n_batch as f32 / n_rows as f32);
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimiser.step(f64::from(recipe.learning_rate), network, gradients);
            info.n_steps += 1;
        }
        let loss = sum.into_scalar::<f32>();
        info.epoch_losses.push(loss);
        if !loss.is_finite() {
            return Err(InnerError::Diverged { epoch: info.epoch_losses.len() });
        }
        info.converged = stop.after(loss);
    }
    let weights = network.weights::<L>(recipe.activation).to_host(0);
    let finite = weights.named().iter().all(|(_, _, values)| values.iter().all(|value| value.is_finite()));
    if finite { Ok((weights, info)) } else { Err(InnerError::Diverged { epoch: info.epoch_losses.len() }) }
}

fn optimiser(recipe: &Recipe, batch_size: usize, network: &Network) -> ModuleOptimizer {
    match recipe.optimiser {
        Optimiser::Adam => AdamConfig::new().with_epsilon(1e-8).init(),
        Optimiser::AdamW => {
            let decay = |decay| AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(decay);
            let optimiser = decay(recipe.weight_decay / batch_size as f32).init();
            optimiser.with_group(ParamGroup::from_ids(network.biases()), decay(0.0).build(), None)
        }
        Optimiser::Sgd => {
            let momentum = MomentumConfig::new().with_dampening(0.0).with_nesterov(true);
            SgdConfig::new().with_momentum(Some(momentum)).init()
        }
    }
}

/// scikit-learn's rule: no more than [`PATIENCE`] epochs in a row without a loss below the best by
/// [`TOLERANCE`].
#[derive(Debug)]
struct Stop {
    best: f32,
    n_epochs_without: usize,
}

impl Default for Stop {
    fn default() -> Self {
        Self { best: f32::INFINITY, n_epochs_without: 0 }
    }
}

impl Stop {
    /// Whether the training has converged after an epoch of this loss.
    fn after(&mut self, loss: f32) -> bool {
        self.n_epochs_without = if loss > self.best - TOLERANCE { self.n_epochs_without + 1 } else { 0 };
        self.best = self.best.min(loss);
        self.n_epochs_without > PATIENCE
    }
}

/// How outputs are compared with what is wanted.
#[derive(Copy, Clone, Debug)]
enum LossKind {
    Logistic,
    Softmax,
    Squared,
}

impl LossKind {
    /// # Shapes
    /// Both `[1, n_rows, n_outputs]`; the result is `[1]`.
    fn mean_loss(self, outputs: Tensor<3>, wanted: Tensor<3>) -> Tensor<1> {
        let [_, n_rows, _] = outputs.dims();
        let (sum, factor) = match self {
            Self::Logistic => (activation::log_sigmoid(outputs * wanted).sum(), -1.0),
            Self::Softmax => ((activation::log_softmax(outputs, 2) * wanted).sum(), -1.0),
            Self::Squared => ((outputs - wanted).square().sum(), 0.5),
        };
        sum.mul_scalar(factor / n_rows as f32)
    }
}

/// Inputs `[1, n_rows, n_inputs]` and what is wanted of them, `[1, n_rows, n_outputs]`.
struct Batch {
    inputs: Tensor<3>,
    wanted: Tensor<3>,
}

/// All rows on the device.
struct RowTensors {
    all: Batch,
    kind: LossKind,
}

impl RowTensors {
    fn new(problem: &Problem, device: &Device) -> Self {
        let (n_rows, n_outputs) = (problem.rows.n_rows, problem.labels.n_outputs());
        let tensor = |values: Vec<f32>, width: usize| {
            Tensor::<3>::from_data(TensorData::new(values, [1, n_rows, width]), device)
        };
        let (kind, wanted) = match &problem.labels {
            Labels::Binary { signs, .. } => (LossKind::Logistic, signs.clone()),
            Labels::Values { standardised, .. } => (LossKind::Squared, standardised.clone()),
            Labels::Classes { labels, .. } => {
                let mut one_hot = vec![0.0; n_rows * n_outputs];
                labels.iter().enumerate().for_each(|(row, label)| one_hot[row * n_outputs + label] = 1.0);
                (LossKind::Softmax, one_hot)
            }
        };
        let inputs = tensor(problem.rows.values.clone(), problem.rows.n_columns);
        Self { all: Batch { inputs, wanted: tensor(wanted, n_outputs) }, kind }
    }

    /// The rows of one epoch in a new random order, the last batch as large as what is left; or all at once.
    fn batches(&self, batch_size: usize, random: &mut impl Rng) -> Vec<Batch> {
        let (inputs, wanted) = (&self.all.inputs, &self.all.wanted);
        let [_, n_rows, _] = inputs.dims();
        if batch_size == n_rows {
            return vec![Batch { inputs: inputs.clone(), wanted: wanted.clone() }];
        }
        let mut order: Vec<i64> = (0..n_rows as i64).collect();
        order.shuffle(random);
        let pick = |rows: &[i64]| {
            let places = TensorData::new(rows.to_vec(), [rows.len()]);
            let places = Tensor::<1, Int>::from_data(places, &inputs.device());
            Batch {
                inputs: inputs.clone().select(1, places.clone()),
                wanted: wanted.clone().select(1, places),
            }
        };
        order.chunks(batch_size).map(pick).collect()
    }
}

#[cfg(test)]
mod tests;
