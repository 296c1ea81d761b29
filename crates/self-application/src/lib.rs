//! Self-application: a metamodel generates a predictor of how metamodels train, and its choices are trained in turn.
//!
//! An [`OuterRecipe`] holds every hyperparameter of a metamodel's training. [`propose`] searches for the recipe with the
//! lowest predicted loss, and [`gate`] decides by a paired test on fixed tasks whether the metamodel trained by it replaces
//! the incumbent, the metamodel that was accepted last. [`self_apply`] repeats this; one round is an [`Iteration`].
//!
//! A *base model* is a small network for one table; the predictor of training outcomes is one. A *metamodel* generates the
//! weights of base models; the trainings here are trainings of metamodels. The rows that the predictor is generated from
//! describe such trainings, so they are one level above the tasks that those were trained on.

mod error;
mod gate;
mod iterations;
mod propose;
mod recipes;

pub use error::SelfApplicationError;
pub use gate::{AS_GOOD, CHEAPER, Contest, Verdict, gate};
pub use iterations::{
    Choice, ContestReport, ControlReport, Difference, Iteration, LoopReport, NoiseReport, OutcomeLearner,
    OverDraws, PredictionErrors, PredictionQuality, RecipeSearch, RepeatReport, SearchReport, SelfApplyEvent,
    SelfApplyFrame, SelfApplyReport, SelfApplySettings, SelfTaskMode, SetDifferences, SetLosses,
    SuiteDifference, UnknownMode, self_apply, self_apply_report,
};
pub use propose::{N_SCANNED, Proposal, propose};
pub use recipes::{CostRange, FACTORS, Factor, Levels, OuterRecipe, recipe_table};
