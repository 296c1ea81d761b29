//! Deciding how to train: predictors fitted to a ledger, how good they are on data sets they have not seen, and the decision
//! for one table.

mod assess;
mod carry_out;
mod decide;
mod examples;
mod fit;
mod portfolio;
mod trials;

pub use assess::{Assessment, LearnerReport, TaskReport, assess};
pub(crate) use carry_out::Workshop;
pub use decide::{DecideError, DecideSettings, Decided, Reason, Tried, carry_out, decide, held_out_loss};
pub use examples::PlannedRuns;
pub use fit::{FitSettings, fit_predictor};
pub use trials::{Method, MethodSummary, Trial, TrialSettings, UnknownMethod, summarise_trials, try_methods};
