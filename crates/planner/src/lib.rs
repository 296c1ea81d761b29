//! Deciding how a base model comes to its weights, from the record of trainings.
//!
//! [`Space`] is the factorial space of recipes, [`Plan`] one of its points, [`Decision`] to generate or to train by one;
//! [`task_features`] describes the support of a task by named numbers, each documented in [`FEATURES`]. A [`PerformancePredictor`]
//! predicts from both what the loss on query rows will be after so many steps: its [`LinearPredictor`] scores every plan there is
//! ([`search()`]), its networks re-rank the best. [`collect`] fills a ledger with the trainings that it learns from,
//! [`decide`] decides for one table, [`plan_table`] reports it, [`assess`] and [`try_methods`] measure both.

mod assess;
mod carry_out;
mod collect;
mod decide;
mod decision;
mod error;
mod examples;
mod features;
mod files;
mod fit;
mod linear;
mod method;
mod planned;
mod portfolio;
mod predictor;
mod search;
mod sight;
mod space;
#[cfg(test)]
mod testing;
mod trials;
mod words;

pub use assess::{Assessment, CautionReport, LearnerReport, TaskReport, assess};
pub use collect::{CollectSettings, Collected, collect};
pub use decide::{DecideError, DecideSettings, Decided, Reason, Tried, decide};
pub use decision::Decision;
pub use error::PlannerError;
pub use examples::{Example, PlannedRun, PlannedRuns};
pub use features::{FEATURES, Feature, FeatureError, TaskFeatures, base_loss, loss_unit, task_features};
pub use files::{load_predictor, save_predictor, shipped_predictor};
pub use fit::{FitSettings, fit_and_record, fit_predictor};
pub use linear::LinearPredictor;
pub use method::PLANNED;
pub use planned::{
    DecisionReport, FeatureReport, ForeseenPoint, PlanReport, PlanSettings, Realised, plan_table,
};
pub use predictor::{
    Calibration, Candidate, Foresight, Judged, N_JUDGED, PerformancePredictor, PredictorError,
    mean_and_deviation, of_each_kind, opinions, opinions_of_rows,
};
pub use search::{Scored, Searched, search};
pub use sight::{DECISION_COLUMNS, PROBE_COLUMNS, Probe, Prospect, probed_table, prospect_table};
pub use space::{Beginning, Factor, N_FACTORS, Plan, Space};
pub use trials::{
    DecisionsReport, Method, MethodSummary, Trial, TrialSettings, UnknownMethod, summarise_trials,
    try_methods,
};
