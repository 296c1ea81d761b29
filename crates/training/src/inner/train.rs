//! One training of a base model by an optimiser.

use super::network::Network;
use super::penalty::{squared_distance, squared_norm};
use super::problem::Origin;
use super::quasi_newton::quasi_newton;
use super::rows::RowTensors;
use super::start::{Begun, Start};
use super::trial::{evolution, random_search};
use super::{InnerError, Optimiser, Recipe};
use burn::module::ParamGroup;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use weightsmith_base_model::{BaseModel, HostWeights, ModelError, Weights, predict};
use weightsmith_tasks::{Base, Level, Seed, Support};

/// The loss must fall by this much …
const TOLERANCE: f32 = 1e-4;
/// … at least once in this many epochs and one, or the training has converged.
const PATIENCE: usize = 10;

/// How a training went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainInfo {
    /// Inner steps taken: updates of the weights, iterations of L-BFGS, or networks tried.
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

/// A training while it runs: before the first step and after every step.
pub struct Moment<'a, L: Level = Base> {
    /// Inner steps taken.
    pub n_steps: usize,
    make: &'a dyn Fn() -> Result<BaseModel<L>, InnerError>,
}

impl<L: Level> Moment<'_, L> {
    /// The base model as it is now.
    ///
    /// # Errors
    /// Numbers that are no longer finite.
    pub fn model(&self) -> Result<BaseModel<L>, InnerError> {
        (self.make)()
    }
}

/// One training of a base model.
#[derive(Copy, Clone, Debug)]
pub struct Training<'a, L: Level = Base> {
    /// The rows to learn from.
    pub support: &'a Support<L>,
    /// Where it begins.
    pub start: Start<'a, L>,
    /// How it goes on.
    pub recipe: &'a Recipe,
    /// Of the first numbers, the batches and the tries.
    pub seed: Seed,
    /// Where it is computed.
    pub device: &'a Device,
}

impl<L: Level> Training<'_, L> {
    /// Trains; `watch` is called at every step, and cannot change anything.
    ///
    /// The rows are seen through the standard view of an [`weightsmith_base_model::Encoding`] fitted on them (or through
    /// that of the base model to start from), a numeric target standardised. Two classes are one logistic output, and
    /// classes without a row get none, so that they cost the others nothing; the base model's outputs are those of all
    /// class names, and in the target's unit.
    ///
    /// Source: scikit-learn 1.9, `MLPClassifier` and `MLPRegressor`: initialisation, batches, penalty and the
    /// stop.
    ///
    /// # Errors
    /// A support without rows or columns, a recipe that no training can use, weights to start from that do not fit the
    /// support, a loss that is no longer finite.
    pub fn run(&self, watch: &mut dyn FnMut(&Moment<'_, L>)) -> Result<Trained<L>, InnerError> {
        let Self { support, recipe, seed, device, .. } = *self;
        recipe.validate()?;
        let begun = self.start.begin(support, recipe)?;
        begun.architecture.validate().map_err(ModelError::from)?;
        let job = Job { begun, recipe, seed, device };
        let name = recipe.optimiser.name();
        let export = |weights: &HostWeights| {
            job.begun.problem.export(weights, support, Origin { name: name.to_string(), expected: None })
        };
        let mut look = |n_steps: usize, weights: &dyn Fn() -> HostWeights| {
            watch(&Moment { n_steps, make: &|| export(&weights()) });
        };
        let (weights, info) = match recipe.optimiser {
            Optimiser::Adam | Optimiser::AdamW | Optimiser::Sgd => steps::<L>(&job, &mut look)?,
            Optimiser::Lbfgs => quasi_newton::<L>(&job, &mut look),
            Optimiser::RandomSearch => random_search::<L>(&job, &mut look),
            Optimiser::Evolution => evolution::<L>(&job, &mut look),
        };
        let finite =
            weights.named().iter().all(|(_, _, values)| values.iter().all(|value| value.is_finite()));
        if !finite {
            return Err(InnerError::Diverged { epoch: info.epoch_losses.len() });
        }
        Ok(Trained { model: export(&weights)?, info })
    }
}

/// Trains a base model on a support from random numbers; see [`Training::run`].
///
/// # Errors
/// Those of [`Training::run`].
pub fn train_base_model<L: Level>(
    support: &Support<L>,
    recipe: &Recipe,
    seed: Seed,
    device: &Device,
) -> Result<Trained<L>, InnerError> {
    Training { support, start: Start::Random, recipe, seed, device }.run(&mut |_| {})
}

/// A training as the rules see it.
pub(super) struct Job<'a> {
    pub(super) begun: Begun,
    pub(super) recipe: &'a Recipe,
    pub(super) seed: Seed,
    pub(super) device: &'a Device,
}

/// Hears of every step, and can ask for the weights of the trained outputs.
pub(super) type Watch<'a> = &'a mut dyn FnMut(usize, &dyn Fn() -> HostWeights);

/// The rules of single steps.
fn steps<L: Level>(job: &Job<'_>, watch: Watch<'_>) -> Result<(HostWeights, TrainInfo), InnerError> {
    let Job { begun, recipe, seed, device } = job;
    let device = (*device).clone().inner().autodiff();
    let activation = begun.architecture.activation;
    let mut network = match &begun.weights {
        Some(weights) => Network::of(weights, &device),
        None => Network::init(&begun.architecture, &mut seed.stream("inner.init"), &device),
    };
    let host = |network: &Network| network.weights::<L>(activation).to_host(0);
    let pulled_to = (recipe.proximal > 0.0).then(|| Weights::<L>::from_host(&host(&network), &device));
    let mut order = seed.stream("inner.batches");
    let mut dropped = seed.stream("inner.dropout");
    let rows = RowTensors::new(&begun.problem, recipe.weighting, &device);
    let n_rows = begun.problem.rows.n_rows;
    let batch_size = recipe.batch_size.min(n_rows);
    let mut optimiser = optimiser(recipe, batch_size, &network);
    let mut stop = Stop::default();
    let mut info = TrainInfo::default();
    watch(0, &|| host(&network));
    let most = recipe.max_steps.unwrap_or(usize::MAX);
    while info.epoch_losses.len() < recipe.n_epochs && info.n_steps < most && !info.converged {
        let mut sum = Tensor::<1>::zeros([1], &device.clone().inner());
        let mut n_seen = 0;
        for batch in rows.batches(batch_size, &mut order) {
            let n_batch = batch.inputs.dims()[1];
            let weights = network.weights::<L>(activation);
            let outputs = match recipe.dropout > 0.0 {
                true => predict(&without_some(&weights, recipe.dropout, &mut dropped), batch.inputs.clone()),
                false => predict(&weights, batch.inputs.clone()),
            };
            let mut loss = rows.kind.mean_loss(outputs, &batch, recipe.label_smoothing);
            if recipe.optimiser.penalises_loss() && recipe.weight_decay > 0.0 {
                let strength = recipe.weight_decay / (2.0 * n_batch as f32);
                loss = loss + squared_norm(&weights).mul_scalar(strength);
            }
            if let Some(start) = &pulled_to {
                let strength = recipe.proximal / (2.0 * n_batch as f32);
                loss = loss + squared_distance(&weights, start).mul_scalar(strength);
            }
            sum = sum + loss.clone().inner().mul_scalar(n_batch as f32 / n_rows as f32);
            n_seen += n_batch;
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimiser.step(f64::from(recipe.learning_rate), network, gradients);
            info.n_steps += 1;
            watch(info.n_steps, &|| host(&network));
            if info.n_steps == most {
                break;
            }
        }
        let loss = sum.into_scalar::<f32>() * (n_rows as f32 / n_seen as f32);
        info.epoch_losses.push(loss);
        if !loss.is_finite() {
            return Err(InnerError::Diverged { epoch: info.epoch_losses.len() });
        }
        info.converged = stop.after(loss);
    }
    Ok((host(&network), info))
}

/// The weights without what some hidden units, drawn at random, hand on; the others hand on more.
///
/// Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), Dropout; a unit is left out for all rows of a
/// step at once.
fn without_some<L: Level>(weights: &Weights<L>, dropout: f32, random: &mut impl Rng) -> Weights<L> {
    let mut mask = |next: &Tensor<3>| {
        let [_, _, n_units] = next.dims();
        let kept = 1.0 / (1.0 - dropout);
        let factors =
            (0..n_units).map(|_| if random.random::<f32>() < dropout { 0.0 } else { kept }).collect();
        let factors = TensorData::new::<f32, _>(factors, [1, 1, n_units]);
        next.clone() * Tensor::<3>::from_data(factors, &next.device())
    };
    let mut thinned = weights.clone();
    thinned.hidden.iter_mut().skip(1).for_each(|layer| layer.weight = mask(&layer.weight));
    thinned.output = weights.output.as_ref().map(mask);
    thinned
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
        Optimiser::Lbfgs | Optimiser::RandomSearch | Optimiser::Evolution => {
            unreachable!("these do not go by single steps")
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

#[cfg(test)]
mod tests;
