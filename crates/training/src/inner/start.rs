//! Where a training begins.

use super::problem::Problem;
use super::{InnerError, Recipe};
use weightsmith_base_model::{Architecture, BaseModel, HostWeights};
use weightsmith_tasks::{Base, Level, Support};

/// Where a training begins.
#[derive(Copy, Clone, Debug, Default)]
pub enum Start<'a, L: Level = Base> {
    /// At numbers drawn at random, in the recipe's architecture; the encoding is fitted on the support.
    #[default]
    Random,
    /// At numbers drawn at random, with the architecture and the encoding of this base model.
    Like(&'a BaseModel<L>),
    /// At the numbers of this base model: generated ones, or those of a file. A class that it does not know begins with
    /// weights of 0.
    From(&'a BaseModel<L>),
    /// At numbers without anything about rows. Their inputs are taken to be the columns of the encoding that is fitted on the
    /// support, their outputs the class names (or the second of two), or the value.
    Bare(&'a HostWeights),
}

/// What a training works on.
pub(super) struct Begun {
    pub(super) problem: Problem,
    pub(super) architecture: Architecture,
    /// The numbers to begin with; none to draw them.
    pub(super) weights: Option<HostWeights>,
}

impl<L: Level> Start<'_, L> {
    /// The problem of a support as this start sees it.
    pub(super) fn begin(&self, support: &Support<L>, recipe: &Recipe) -> Result<Begun, InnerError> {
        let problem = match self {
            Self::Random | Self::Bare(_) => Problem::of(support)?,
            Self::Like(model) | Self::From(model) => Problem::encoded(support, model.encoding.clone())?,
        };
        let n_outputs = problem.labels.n_outputs();
        let architecture = match self {
            Self::Random => Architecture {
                n_inputs: problem.rows.n_columns,
                hidden: recipe.hidden.clone(),
                n_outputs,
                activation: recipe.activation,
                skip: recipe.skip,
            },
            Self::Like(model) | Self::From(model) => Architecture { n_outputs, ..model.architecture.clone() },
            Self::Bare(weights) => Architecture { n_outputs, ..weights.architecture() },
        };
        let weights = match self {
            Self::Bare(weights) => Some(problem.import_bare(weights, support)?),
            Self::From(model) => Some(problem.import(model, support)?),
            Self::Random | Self::Like(_) => None,
        };
        Ok(Begun { problem, architecture, weights })
    }
}
