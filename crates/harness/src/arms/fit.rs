//! How an arm learns from support rows, and what it makes.

use super::{Arm, StartWeights};
use crate::clock::{Cost, Stopwatch};
use crate::controls::{noisy, shuffled};
use crate::evaluate::in_one_line;
use crate::planning::{DecideError, DecideSettings, Workshop, decide, shipped_predictor};
use crate::references::{Reference, ReferenceError};
use serde::Serialize;
use weightsmith_base_model::{BaseModel, EncodingError, Predictions};
use weightsmith_generation::{GenerateError, GenerateOptions, generate_base_model, untrained_base_model};
use weightsmith_metamodel::Pretrained;
use weightsmith_planner::{Candidate, Decision};
use weightsmith_tasks::{Seed, Support, Table};
use weightsmith_training::{
    InnerError, Moment, Optimiser, Recipe, Start, Trained, Training, fit_linear, grid, refine,
    tune_base_model,
};

/// Why an arm gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum ArmError {
    /// The metamodel cannot.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The optimiser cannot.
    #[error(transparent)]
    Inner(#[from] InnerError),
    /// The library cannot.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The shipped predictor of the planner cannot be read.
    #[error("the planner has no predictor: {0}")]
    Predictor(String),
    /// Nothing is decided.
    #[error(transparent)]
    Decide(Box<DecideError>),
    /// There is nothing to fine-tune.
    #[error("there are no weights to fine-tune; name a file of weights with --from")]
    NoWeights,
}

/// What the arms work with.
#[derive(Copy, Clone)]
pub struct ArmSettings<'a> {
    /// The metamodel of the generated arms; its device is that of every arm.
    pub pretrained: &'a Pretrained,
    /// Views of these.
    pub n_views: usize,
    /// Units of the hidden layer of trained networks, and whether the inputs also reach the outputs directly.
    pub shape: Shape,
    /// What [`Arm::FineTuned`] starts from.
    pub from: Option<&'a StartWeights>,
    /// The seed of the optimisers, of cross-validation and of the controls.
    pub seed: Seed,
}

/// The shape of networks that optimisers train.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Units of the hidden layer.
    pub n_units: usize,
    /// Whether the inputs also reach the outputs directly.
    pub skip: bool,
}

impl Default for Shape {
    /// The outside scorer's network: 64 units and no direct path.
    fn default() -> Self {
        Self { n_units: 64, skip: false }
    }
}

/// Something that predicts.
pub enum Predictor {
    /// A network.
    Network(Box<BaseModel>),
    /// Something else, for scale.
    Reference(Reference),
}

impl Predictor {
    /// Predictions for the rows of a table.
    ///
    /// # Errors
    /// A missing column, a column of the other type.
    pub fn predict(&self, table: &Table) -> Result<Predictions, ReferenceError> {
        match self {
            Self::Network(model) => Ok(model.predict(table).map_err(|error: EncodingError| error)?),
            Self::Reference(model) => model.predict(table),
        }
    }

    /// The standard deviation of its errors that it foresees, if it does.
    pub fn residual_std(&self) -> Option<f32> {
        self.network()?.expected.as_ref()?.residual_std
    }

    /// The network, if it is one.
    pub fn network(&self) -> Option<&BaseModel> {
        match self {
            Self::Network(model) => Some(model),
            Self::Reference(_) => None,
        }
    }
}

/// What an arm made and what it cost.
pub struct Fit {
    /// What it made.
    pub predictor: Predictor,
    /// From the support rows to the weights, without the looks at them in between.
    pub cost: Cost,
    /// Steps of the training that gave the weights; none where nothing was trained.
    pub n_steps: Option<usize>,
    /// What was chosen and done, in words; may be empty.
    pub details: String,
}

/// The weights of a training while it runs.
pub struct Look<'a> {
    /// Inner steps taken.
    pub n_steps: usize,
    /// The cost so far, that of choosing a recipe included.
    pub cost: Cost,
    /// The weights as they are now.
    pub model: &'a BaseModel,
}

/// Hears of the weights of a training, at steps that lie closer in the beginning.
pub type Watch<'a> = &'a mut dyn FnMut(Look<'_>);

/// Whether weights are looked at after so many steps: 0, 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on.
pub(crate) fn is_looked_at(n_steps: usize) -> bool {
    n_steps.is_power_of_two() || n_steps.is_multiple_of(3) && (n_steps / 3).is_power_of_two() || n_steps == 0
}

/// What an arm has made before its cost is known.
struct Made {
    predictor: Predictor,
    n_steps: Option<usize>,
    details: String,
}

impl Made {
    fn network(model: BaseModel, details: String) -> Self {
        Self { predictor: Predictor::Network(Box::new(model)), n_steps: None, details }
    }

    fn trained(trained: Trained, details: String) -> Self {
        Self {
            predictor: Predictor::Network(Box::new(trained.model)),
            n_steps: Some(trained.info.n_steps),
            details,
        }
    }
}

impl Arm {
    /// Learns from support rows, on one thread. `watch` gets looks at the weights of a training; they cost nothing.
    ///
    /// # Errors
    /// Rows that nothing can be learned from, a training that diverges.
    pub fn fit(
        self,
        support: &Support,
        settings: &ArmSettings<'_>,
        mut watch: Option<Watch<'_>>,
    ) -> Result<Fit, ArmError> {
        let mut stopwatch = Stopwatch::of_thread();
        let made = self.make(support, settings, &mut |moment| {
            if let Some(watch) = &mut watch
                && is_looked_at(moment.n_steps)
            {
                let cost = stopwatch.cost();
                stopwatch.pausing(|| {
                    // Numbers that are no longer finite are told by the end of the training.
                    if let Ok(model) = moment.model() {
                        watch(Look { n_steps: moment.n_steps, cost, model: &model });
                    }
                });
            }
        })?;
        let cost = stopwatch.cost();
        Ok(Fit { predictor: made.predictor, cost, n_steps: made.n_steps, details: made.details })
    }

    fn make(
        self,
        support: &Support,
        settings: &ArmSettings<'_>,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, ArmError> {
        let device = &settings.pretrained.metamodel.device();
        let seed = settings.seed;
        let usual = GenerateOptions::default();
        let n_trees = if self == Self::GeneratedAlone { 0 } else { usual.n_trees };
        let options = GenerateOptions { n_views: settings.n_views, n_threads: 1, n_trees };
        let generate = |support: &Support| -> Result<_, ArmError> {
            Ok(generate_base_model(settings.pretrained, support, options)?)
        };
        let shaped = |recipe: Recipe| Recipe {
            hidden: vec![settings.shape.n_units],
            skip: settings.shape.skip,
            ..recipe
        };
        Ok(match self {
            Self::Generated | Self::GeneratedAlone => {
                let (model, info) = generate(support)?;
                Made::network(model, format!("{} views, {} units", info.n_views, info.n_units))
            }
            Self::Refined => {
                let refined = refine(support, |rows| generate(rows).map(|made| made.0), seed, device, watch)?;
                let verdict = match &refined.recipe {
                    Some(recipe) => format!("{} steps accepted", recipe.n_epochs),
                    None => "not accepted".to_string(),
                };
                let details = match &refined.held_out {
                    None => "too few rows of a class to hold some out: not accepted".to_string(),
                    Some(gain) => format!("{gain}: {verdict}"),
                };
                let n_steps = Some(refined.recipe.map_or(0, |recipe| recipe.n_epochs));
                Made { predictor: Predictor::Network(Box::new(refined.model)), n_steps, details }
            }
            Self::Planned => {
                let predictor =
                    shipped_predictor().map_err(|error| ArmError::Predictor(in_one_line(&error)))?;
                let decide_settings = DecideSettings { n_tried: 0, seed };
                let decided = decide(support, &predictor, settings.pretrained, decide_settings)
                    .map_err(|error| ArmError::Decide(Box::new(error)))?;
                let Candidate { decision, n_steps, .. } = decided.chosen;
                let workshop = Workshop { pretrained: settings.pretrained, seed };
                let (model, n_steps) = workshop.carry_out(decision, n_steps, support, watch)?;
                let details = format!("{}, of {} trainings", decided.in_words(), decided.n_scored);
                let n_steps = (decision != Decision::Generate).then_some(n_steps);
                Made { predictor: Predictor::Network(Box::new(model)), n_steps, details }
            }
            Self::FineTuned => {
                let start = settings.from.ok_or(ArmError::NoWeights)?.start();
                let recipe = &Recipe { learning_rate: 1e-3, ..Recipe::of(Optimiser::Adam) };
                let trained = Training { support, start, recipe, seed, device }.run(watch)?;
                Made::trained(trained, String::new())
            }
            Self::Trained(optimiser) => {
                let recipe = &shaped(Recipe::of(optimiser));
                let trained = Training { support, start: Start::Random, recipe, seed, device }.run(watch)?;
                Made::trained(trained, String::new())
            }
            Self::Tuned(optimiser) => {
                let recipes: Vec<Recipe> =
                    grid(optimiser, support.target().task_type()).into_iter().map(shaped).collect();
                let tuned = tune_base_model(support, &recipes, seed, device, watch)?;
                let chosen = &tuned.chosen;
                let details = format!(
                    "{} trainings; chosen: weight decay {}, learning rate {}, at most {} epochs",
                    tuned.n_trainings, chosen.weight_decay, chosen.learning_rate, chosen.n_epochs
                );
                Made::trained(tuned.trained, details)
            }
            Self::LinearTuned => Made::network(fit_linear(support, seed)?, String::new()),
            Self::Neighbours => {
                let (model, k) = Reference::neighbours(support, seed)?;
                Made {
                    predictor: Predictor::Reference(model),
                    n_steps: None,
                    details: format!("{k} neighbours"),
                }
            }
            Self::Forest => {
                let model = Reference::forest(support, seed)?;
                Made { predictor: Predictor::Reference(model), n_steps: None, details: String::new() }
            }
            Self::Untrained => Made::network(untrained_base_model(support, device)?, String::new()),
            Self::Noisy => Made::network(noisy(generate(support)?.0, seed), String::new()),
            Self::Shuffled => Made::network(generate(&shuffled(support, seed))?.0, String::new()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_lie_closer_in_the_beginning() {
        let looked_at: Vec<usize> = (0..=100).filter(|&n| is_looked_at(n)).collect();
        assert_eq!(looked_at, [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96]);
    }
}
