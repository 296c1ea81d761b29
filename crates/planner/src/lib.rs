//! Decides how a base model comes to its weights, from the record of trainings.
//!
//! | module | what it is about |
//! |---|---|
//! | `space` | [`Space`], every way to train; [`Plan`], one of them; [`Decision`], to generate or to train by a plan |
//! | `features` | [`task_features`]: the support of a task as named numbers, documented in [`FEATURES`] |
//! | `predictor` | [`PerformancePredictor`]: the loss that a decision will come to; [`search()`] over every plan, re-ranked by an ensemble |
//! | `runs` | [`RecordedRuns`]: runs of a ledger as examples to learn from |
//! | `fitting` | [`fit_predictor`]: a predictor from recorded runs |
//! | `executor` | executing a decision, and its held-out losses |
//! | `deciding` | [`decide`] for one table, [`decide_for_table`] with a report, [`PLANNED`] as a method of comparisons |
//! | `collecting` | [`collect`]: trainings recorded in a ledger, for predictors to learn from |
//! | `benchmark` | [`assess`]: the predictor on data sets that it has not seen; [`compare_strategies`]: decisions beside others |
//!
//! This crate writes no pages and prints nothing.

mod benchmark;
mod collecting;
mod deciding;
mod error;
mod executor;
mod features;
mod fitting;
mod predictor;
mod runs;
mod selecting;
mod space;
#[cfg(test)]
mod testing;

pub use benchmark::assess::{Assessment, LearnerReport, MultiplierReport, TaskReport, assess};
pub use benchmark::strategies::{StrategySettings, compare_strategies};
pub use benchmark::strategy::{Strategy, Trial, UnknownStrategy};
pub use benchmark::summary::{StrategiesReport, StrategySummary, summarise_strategies};
pub use collecting::{CollectSettings, Collected, collect};
pub use deciding::decide::{Allowed, DecideError, DecideSettings, Decided, Reason, Tried, decide};
pub use deciding::method::PLANNED;
pub use deciding::report::{
    CandidateReport, DecisionReport, DecisionSettings, FeatureReport, Observed, PredictedPoint,
    TWO_FORECASTS, decide_for_table,
};
pub use error::PlannerError;
pub use features::{FEATURES, Feature, FeatureError, TaskFeatures, base_loss, loss_unit, task_features};
pub use fitting::{FitSettings, fit_and_record, fit_methods_of, fit_predictor};
pub use predictor::calibration::{Calibration, Estimate, LossPrediction};
pub use predictor::costs::CostModel;
pub use predictor::ensemble::{
    Candidate, N_RERANKED, PerformancePredictor, Ranked, member_predictions, member_predictions_of_rows,
    of_each_kind,
};
pub use predictor::files::{load_predictor, save_predictor, shipped_predictor};
pub use predictor::gains::MethodGains;
pub use predictor::linear::LinearPredictor;
pub use predictor::manifest::{PredictorError, PredictorFiles};
pub use predictor::search::{Scored, SearchLimits, Searched, search};
pub use predictor::surrogate_features::{
    DECISION_COLUMNS, PROBE_COLUMNS, Probe, SurrogateInput, surrogate_table, surrogate_table_with_probes,
};
pub use runs::{Example, RecordedRun, RecordedRuns};
pub use space::decision::Decision;
pub use space::methods::KnownMethod;
pub use space::shape::{NetworkShape, ShapeError};
pub use space::{Factor, N_FACTORS, Plan, Space, Start};
