//! Deciding how to train: predictors fitted to a ledger, how good they are on data sets they have not seen, and the decision
//! for one table.

mod assess;
mod examples;
mod fit;

pub use assess::{Assessment, LearnerReport, TaskReport, assess};
pub use examples::PlannedRuns;
pub use fit::{FitSettings, fit_predictor};
