//! The ways to come by weights that are compared: an arm reads support rows and gives something that predicts.

use crate::clock::{Cost, Stopwatch};
use crate::controls::{NOISE, noisy, shuffled};
use crate::references::{Reference, ReferenceError};
use burn::tensor::Device;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use weightsmith_base_model::{BaseModel, EncodingError, HostWeights, Matrix, Predictions};
use weightsmith_metamodel::{
    GenerateError, GenerateOptions, Pretrained, generate_base_model, untrained_base_model,
};
use weightsmith_tasks::{Seed, Support, Table};
use weightsmith_training::{
    Gain, InnerError, Moment, Optimiser, Recipe, Start, Trained, Training, fit_linear, grid, refine,
    train_base_model, tune_base_model,
};

/// One way to come by weights.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Arm {
    /// The metamodel in one forward pass, and its forest's second opinion.
    Generated,
    /// The metamodel in one forward pass, and nothing else.
    GeneratedAlone,
    /// [`Arm::Generated`], then proximal steps if these pay on held-out rows.
    Refined,
    /// Fine-tuning of weights from a file.
    FineTuned,
    /// A network that an optimiser trains from random numbers with its default recipe.
    Trained(Optimiser),
    /// The same, its recipe chosen by cross-validation inside the support.
    Tuned(Optimiser),
    /// Logistic or ridge regression, its strength chosen by cross-validation inside the support.
    LinearTuned,
    /// Nearest neighbours, their number chosen by cross-validation inside the support.
    Neighbours,
    /// A random forest.
    Forest,
    /// The metamodel's closed-form head alone: what it makes before it has learned anything.
    Untrained,
    /// [`Arm::Generated`] with noise on every weight.
    Noisy,
    /// Weights generated from the same rows with shuffled labels.
    Shuffled,
}

/// What an arm is for in a comparison.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Weights that the metamodel wrote.
    Generated,
    /// Weights that an optimiser found by gradients.
    Optimised,
    /// Weights found by trial and error.
    Tried,
    /// No network of this kind; for scale.
    Reference,
    /// What would be seen if the generated weights held nothing of the table.
    Control,
}

impl Arm {
    /// Every arm, in the order of reports; the last one needs a file.
    pub const ALL: [Self; 20] = [
        Self::Generated,
        Self::GeneratedAlone,
        Self::Refined,
        Self::Tuned(Optimiser::Adam),
        Self::Tuned(Optimiser::AdamW),
        Self::Tuned(Optimiser::Sgd),
        Self::Tuned(Optimiser::Lbfgs),
        Self::Trained(Optimiser::Adam),
        Self::Trained(Optimiser::AdamW),
        Self::Trained(Optimiser::Sgd),
        Self::Trained(Optimiser::Lbfgs),
        Self::Trained(Optimiser::Evolution),
        Self::Trained(Optimiser::RandomSearch),
        Self::LinearTuned,
        Self::Neighbours,
        Self::Forest,
        Self::Untrained,
        Self::Noisy,
        Self::Shuffled,
        Self::FineTuned,
    ];

    /// Every arm that needs no file, in the order of reports.
    pub fn without_file() -> Vec<Self> {
        Self::ALL.into_iter().filter(|arm| *arm != Self::FineTuned).collect()
    }

    /// The name on the command line and in result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::GeneratedAlone => "generated-alone",
            Self::Refined => "refined",
            Self::FineTuned => "fine-tuned",
            Self::Trained(optimiser) => optimiser.name(),
            Self::Tuned(Optimiser::Adam) => "adam-tuned",
            Self::Tuned(Optimiser::AdamW) => "adamw-tuned",
            Self::Tuned(Optimiser::Sgd) => "sgd-tuned",
            Self::Tuned(Optimiser::Lbfgs) => "lbfgs-tuned",
            Self::Tuned(Optimiser::RandomSearch) => "random-search-tuned",
            Self::Tuned(Optimiser::Evolution) => "evolution-tuned",
            Self::LinearTuned => "linear-tuned",
            Self::Neighbours => "neighbours",
            Self::Forest => "forest",
            Self::Untrained => "untrained",
            Self::Noisy => "noisy",
            Self::Shuffled => "shuffled",
        }
    }

    /// What it is, in one line.
    pub fn about(self) -> String {
        let trained = |optimiser: Optimiser| match optimiser {
            Optimiser::Adam => "trained by Adam",
            Optimiser::AdamW => "trained by AdamW",
            Optimiser::Sgd => "trained by gradient descent with momentum",
            Optimiser::Lbfgs => "trained by L-BFGS",
            Optimiser::Evolution => "found by an evolution strategy, without gradients",
            Optimiser::RandomSearch => "found by trying random numbers and keeping what gets more rows right",
        };
        match self {
            Self::Generated => "weights written by the metamodel, with a forest's second opinion".into(),
            Self::GeneratedAlone => "weights written by the metamodel alone, in one forward pass".into(),
            Self::Refined => {
                "generated, then proximal steps, where held-out rows say that they pay by more than a standard error".into()
            }
            Self::FineTuned => "weights of a file, trained on by Adam".into(),
            Self::Trained(optimiser) => format!("a network {}, default recipe", trained(optimiser)),
            Self::Tuned(optimiser) => {
                format!("a network {}, recipe chosen by 4-fold cross-validation", trained(optimiser))
            }
            Self::LinearTuned => {
                "logistic or ridge regression, its strength chosen by 4-fold cross-validation".into()
            }
            Self::Neighbours => "nearest neighbours, their number chosen by 4-fold cross-validation".into(),
            Self::Forest => "a random forest of 200 trees".into(),
            Self::Untrained => {
                "control: the metamodel's closed-form head alone, without anything learned".into()
            }
            Self::Noisy => {
                format!("control: generated, with noise of {:.0} % on every weight", 100.0 * NOISE)
            }
            Self::Shuffled => "control: generated from the same rows with shuffled labels".into(),
        }
    }

    /// What it is for.
    pub fn role(self) -> Role {
        match self {
            Self::Generated | Self::GeneratedAlone | Self::Refined => Role::Generated,
            Self::Trained(Optimiser::RandomSearch | Optimiser::Evolution)
            | Self::Tuned(Optimiser::RandomSearch | Optimiser::Evolution) => Role::Tried,
            Self::Trained(_) | Self::Tuned(_) | Self::FineTuned => Role::Optimised,
            Self::LinearTuned | Self::Neighbours | Self::Forest => Role::Reference,
            Self::Untrained | Self::Noisy | Self::Shuffled => Role::Control,
        }
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Arm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// No arm has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown arm \"{found}\"; there are {}", Arm::ALL.map(Arm::name).join(", "))]
pub struct UnknownArm {
    found: String,
}

impl FromStr for Arm {
    type Err = UnknownArm;

    fn from_str(text: &str) -> Result<Self, UnknownArm> {
        let named = |arm: &Self| arm.name() == text || (*arm == Self::LinearTuned && text == "linear");
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownArm { found: text.to_string() })
    }
}

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
    /// Bare weights of a network for other rows.
    #[error(
        "the weights to start from have {n_inputs} inputs and {n_outputs} outputs; these rows have {n_columns} encoded columns and need {n_wanted} outputs"
    )]
    OtherShape {
        /// Inputs of the weights.
        n_inputs: usize,
        /// Outputs of the weights.
        n_outputs: usize,
        /// Encoded columns of the rows.
        n_columns: usize,
        /// Outputs that the rows need.
        n_wanted: usize,
    },
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

/// Weights that a training starts from.
#[derive(Clone, Debug)]
pub enum StartWeights {
    /// Those of a base model, which knows how to read rows.
    Model(Box<BaseModel>),
    /// Numbers alone. The inputs are taken to be the columns of the encoding that is fitted on the support, the outputs
    /// the classes in ascending order (or the second of two), or the value.
    Bare(HostWeights),
}

impl StartWeights {
    /// The base model that these are for a support.
    fn model(&self, support: &Support) -> Result<BaseModel, ArmError> {
        let weights = match self {
            Self::Model(model) => return Ok(BaseModel::clone(model)),
            Self::Bare(weights) => weights,
        };
        let mut model = fit_linear_like(support)?;
        let (found, wanted) = (weights.architecture(), model.architecture.clone());
        let one_of_two = found.n_outputs == 1 && wanted.n_outputs == 2;
        if found.n_inputs != wanted.n_inputs || found.n_outputs != wanted.n_outputs && !one_of_two {
            return Err(ArmError::OtherShape {
                n_inputs: found.n_inputs,
                n_outputs: found.n_outputs,
                n_columns: wanted.n_inputs,
                n_wanted: wanted.n_outputs,
            });
        }
        model.weights = if one_of_two { both_outputs(weights) } else { weights.clone() };
        model.architecture = model.weights.architecture();
        Ok(model)
    }
}

/// A base model of this support's encoding and classes; its numbers are to be replaced.
fn fit_linear_like(support: &Support) -> Result<BaseModel, ArmError> {
    let weightless = Recipe { hidden: Vec::new(), skip: true, n_epochs: 1, ..Recipe::default() };
    Ok(train_base_model(support, &weightless, Seed(0), &Device::flex())?.model)
}

/// The logit of the second of two classes as two outputs.
fn both_outputs(weights: &HostWeights) -> HostWeights {
    let both = |matrix: &Matrix| {
        let halves = [-0.5, 0.5].iter().flat_map(|half| matrix.values.iter().map(move |value| half * value));
        Matrix::new(2, matrix.n_columns, halves.collect())
    };
    let bias = weights.output_bias[0];
    HostWeights {
        skip: weights.skip.as_ref().map(both),
        output: weights.output.as_ref().map(both),
        output_bias: vec![-0.5 * bias, 0.5 * bias],
        ..weights.clone()
    }
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
    Network(BaseModel),
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
fn is_looked_at(n_steps: usize) -> bool {
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
        Self { predictor: Predictor::Network(model), n_steps: None, details }
    }

    fn trained(trained: Trained, details: String) -> Self {
        Self { predictor: Predictor::Network(trained.model), n_steps: Some(trained.info.n_steps), details }
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
                    Some(Gain { loss, gain, standard_error, n_candidates }) => format!(
                        "held-out loss {:+.1} % ± {:.1} % by the best of {n_candidates} candidates: {verdict}",
                        -100.0 * gain / loss.max(f64::MIN_POSITIVE),
                        100.0 * standard_error / loss.max(f64::MIN_POSITIVE),
                    ),
                };
                let n_steps = Some(refined.recipe.map_or(0, |recipe| recipe.n_epochs));
                Made { predictor: Predictor::Network(refined.model), n_steps, details }
            }
            Self::FineTuned => {
                let model = settings.from.ok_or(ArmError::NoWeights)?.model(support)?;
                let start = Start::From(&model);
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
    fn arms_are_read_by_their_names() {
        for arm in Arm::ALL {
            assert_eq!(arm.name().parse(), Ok(arm));
        }
        assert_eq!("linear".parse(), Ok(Arm::LinearTuned));
        assert!("boosting".parse::<Arm>().unwrap_err().to_string().contains("unknown arm \"boosting\""));
    }

    #[test]
    fn looks_lie_closer_in_the_beginning() {
        let looked_at: Vec<usize> = (0..=100).filter(|&n| is_looked_at(n)).collect();
        assert_eq!(looked_at, [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96]);
    }
}
