//! A metamodel's own trainings become part of what it learns from.
//!
//! [`OuterRecipe`] is what there is to decide about the training of a metamodel, [`propose`] searches for the recipe of
//! which a generated predictor predicts the least loss, and [`gate`] decides whether what came of it takes the
//! incumbent's place. [`self_apply`] is the loop over these.
//!
//! Three things are kept apart. A *base model* is the small network whose weights are wanted; the predictor of trainings is
//! one. A *metamodel* writes base models; what is trained here are metamodels. *Self-application* is that the rows which a
//! base model learns from are about trainings of the metamodel that writes it, one level above what that was trained on.

mod error;
mod gate;
mod iterations;
mod propose;
mod recipes;

pub use error::SelfApplicationError;
pub use gate::{AS_GOOD, CHEAPER, Contest, Verdict, gate};
pub use iterations::{
    Choice, ContestReport, ControlReport, Difference, ForeseenReport, ForesightLearner, ForesightReport,
    Generation, LoopReport, Method, MethodReport, NoiseReport, OverDraws, RepeatReport, SelfApplyEvent,
    SelfApplyFrame, SelfApplyReport, SelfApplySettings, SelfTaskMode, SetDifferences, SetLosses,
    SuiteDifference, UnknownMode, self_apply, self_apply_report,
};
pub use propose::{N_SCANNED, Proposal, propose};
pub use recipes::{CostRange, FACTORS, Factor, Levels, OuterRecipe, recipe_table};
