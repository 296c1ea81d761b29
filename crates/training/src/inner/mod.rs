//! The inner loop: base models whose weights an optimiser finds, regularised linear models, and Gaussian processes.
//!
//! They are what generated weights are compared with, so they get what generated weights get: the same
//! encoding, the same rows, the same file. Recipes, grids and stopping rules are those of scikit-learn as the
//! outside scorer uses it.

mod cross_validation;
mod gaussian_process;
mod lbfgs;
mod learned_start;
mod linear;
mod network;
mod penalty;
mod problem;
mod projection;
mod quasi_newton;
mod recipe;
mod refine;
mod rows;
mod start;
mod train;
mod trial;
mod tune;
mod variable_projection;

pub use cross_validation::{folds, split_off};
pub use gaussian_process::{GaussianProcess, GaussianProcessRegression};
pub use learned_start::{decided_steps_from_start, steps_from_start};
pub use linear::fit_linear;
pub use problem::prediction_losses;
pub use projection::{FromRandom, project, random_start, steps_from_random};
pub use recipe::{N_TRIES, Optimiser, Recipe, Weighting, grid};
pub use refine::{Gain, Refined, refine};
pub use rows::RIGHT_WITHIN;
pub use start::Start;
pub use train::{Moment, TrainInfo, Trained, Training, train_base_model};
pub use tune::{Tuned, tune_base_model};
pub use variable_projection::{LogStrengths, Stepped, SteppedLoss, VariableProjection, Wanted};

use weightsmith_base_model::{EncodingError, ModelError};
use weightsmith_tasks::TaskType;

/// Why no base model could be trained.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InnerError {
    /// The support cannot be encoded.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The parts do not make a base model: an impossible architecture, fewer than two class names, a target
    /// too large for f32.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A field of the recipe holds a value that no training can use.
    #[error("the recipe's {field} is {found}; it must be {expected}")]
    BadRecipe {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The weights to start from are of the other kind of target.
    #[error("the weights to start from are of a {found}, the rows of a {wanted}")]
    OtherTarget {
        /// What the rows are for.
        wanted: TaskType,
        /// What the weights are for.
        found: TaskType,
    },
    /// The weights to start from know none of the rows' classes.
    #[error("the weights to start from know none of the rows' classes; they know {known}")]
    OtherClasses {
        /// The classes of the weights.
        known: String,
    },
    /// Weights to start from that come without a base model are for other rows.
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
    /// The covariance of a Gaussian process cannot be factorised.
    #[error("the covariance of the rows is singular; a column or the target has too large a range")]
    Singular,
    /// There is no recipe to choose from.
    #[error("the grid holds no recipe")]
    EmptyGrid,
    /// Cross-validation needs a row to learn from and a row to hold out.
    #[error("{n_rows} rows are too few for cross-validation; at least 2 are needed")]
    TooFewRows {
        /// Rows of the support.
        n_rows: usize,
    },
    /// The loss or a weight became NaN or infinite.
    #[error("the training diverged in epoch {epoch}; lower the learning rate")]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
    },
    /// Every recipe of the grid diverged.
    #[error("each of the {n_recipes} recipes diverged; lower their learning rates")]
    AllDiverged {
        /// Recipes in the grid.
        n_recipes: usize,
    },
}

#[cfg(test)]
mod testing;
