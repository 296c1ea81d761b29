//! How good weights are on rows that they were not made from, beside what other methods make of the same rows.
//!
//! A [`Method`] learns from support rows and gives something that predicts; the [`Registry`] lists them. A [`Problem`] is
//! one split of a table as a method and a scorer see it. [`compare`] runs methods on one table, [`evaluate`] on folders of
//! tables; both score on the splits and by the formulas of an outside scorer in Python. [`summarise`] tells over tables
//! which method is better and how sure that is; [`WeightSpace`] tells where generated and trained weights lie.
//!
//! This crate does not know priors, run records, what a planner decides, or how a report looks.

mod compare;
mod comparison;
mod curve;
mod error;
mod evaluate;
mod export;
mod figures;
mod importance;
pub mod methods;
mod metrics;
mod parquet;
mod problem;
mod results;
mod scoring;
mod selecting;
mod splits;
pub mod statistics;
mod steps_curve;
mod suite;
mod summary;
mod suspicions;
mod weight_space;

pub use compare::{CompareSettings, Compared, ComparedSplit, compare};
pub use comparison::{Comparison, MethodReport, MetricReport, PredictedScore, main_metrics};
pub use curve::{CurvePoint, TimeToTarget};
pub use error::EvaluationError;
pub use evaluate::{EvaluateSettings, Evaluation, Metamodels, Progress, Skipped, evaluate};
pub use export::export_comparison;
pub use figures::{metric_text, number_text, seconds_text};
pub use importance::{ColumnImportance, Importance, permutation_importance};
pub use methods::{
    EvaluationPoint, Fit, Made, Method, MethodError, MethodRef, MethodSettings, Predictor, Reference,
    ReferenceError, Registry, Role, Shape, StartWeights, UnknownMethod, Watch, is_evaluation_point,
    read_start,
};
pub use metrics::{Metric, Scores, classification_scores, regression_scores};
pub use parquet::{ParquetColumn, ParquetValues, parquet_bytes, read_parquet};
pub use problem::{Count, Counts, Problem};
pub use results::{ResultRow, ResultsError, ResultsFormat, read_results, write_results};
pub use scoring::{
    MetricScore, NetworkScore, ScoreError, WorstRow, are_its_own_rows, score_network, worst_rows,
};
pub use selecting::{ComparedSelection, SplitSelection};
pub use splits::{MAX_QUERY_ROWS, Split, max_support};
pub use statistics::{Bootstrap, Estimate, Interval, Spread};
pub use steps_curve::{StepsCurves, StepsPoint};
pub use suite::{Part, SuiteTable, suite_tables};
pub use summary::{BASELINE_PREFIX, ModelSummary, Paired, Summary, SummaryBlock, TableValues, summarise};
pub use weight_space::{PathPoint, PathStep, Slice, WeightSpace};
pub use weightsmith_datasets::Note;
