//! Deciding how to train: predictors fitted to a ledger, how good they are on data sets they have not seen, and the decision
//! for one table.

mod assess;
mod carry_out;
mod decide;
mod examples;
mod files;
mod fit;
mod planned;
mod portfolio;
mod trials;
mod words;

pub use assess::{Assessment, CautionReport, LearnerReport, TaskReport, assess};
pub(crate) use carry_out::Workshop;
pub use decide::{DecideError, DecideSettings, Decided, Reason, Tried, decide};
pub(crate) use examples::Example;
pub use examples::PlannedRuns;
pub use files::{load_predictor, save_predictor, shipped_predictor};
pub use fit::{FitSettings, fit_and_record, fit_predictor};
pub use planned::{
    DecisionReport, FeatureReport, ForeseenPoint, PlanReport, PlanSettings, Realised, plan_table,
};
pub use trials::{
    DecisionsReport, Method, MethodSummary, Trial, TrialSettings, UnknownMethod, summarise_trials,
    try_methods,
};
