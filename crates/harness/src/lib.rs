//! Suites, the comparison protocol, statistics and reports: everything around a metamodel that decides how good it is.
//!
//! [`Arm`] is a way to come by weights, [`Problem`] one split of a table as an arm and a scorer see it. [`compare`]
//! runs all arms on one table, [`evaluate`] on folders of tables; both score on the splits and by the formulas of an outside scorer in Python.
//! [`train_metamodel`] runs a training from its configuration file, [`bench()`] several beside each other. What a command line needs of the crates below is
//! passed on from here.
//!
//! This crate prints nothing: progress goes to callbacks, results come back as values.

mod arms;
mod bench;
mod clock;
mod collect;
mod compare;
mod comparison;
mod controls;
mod curve;
mod error;
mod evaluate;
mod export;
mod figures;
mod files;
mod generation;
mod generations;
mod history;
mod metrics;
mod output;
mod parquet;
mod planning;
mod problem;
mod references;
mod report;
mod results;
mod runs;
mod splits;
mod statistics;
mod suite;
mod summary;
mod train;
mod weight_space;
mod workers;

pub use arms::{
    Arm, ArmError, ArmSettings, Fit, Look, Predictor, Role, Shape, StartWeights, UnknownArm, Watch,
};
pub use bench::{
    Bench, BenchError, BenchEvaluation, BenchEvent, BenchPlan, BenchRun, BenchRunFigures, BenchSettings,
    Reached, RunScore, RunState, bench,
};
pub use clock::Cost;
pub use collect::{CollectSettings, Collected, collect};
pub use compare::{CompareSettings, Compared, ComparedSplit, compare};
pub use comparison::{ArmReport, Comparison, Foreseen, MetricReport, main_metrics};
pub use curve::{CurvePoint, ToEqual};
pub use error::HarnessError;
pub use evaluate::{EvaluateSettings, Evaluation, Metamodels, Progress, Skipped, evaluate};
pub use export::export_comparison;
pub use figures::{metric_text, number_text, seconds_text};
pub use files::{
    NamedTable, predict_rows, predictions_csv, read_base_model, read_start, read_table, write_base_model,
};
pub use generation::{Generation, Refining, Writer, Writing, generate};
pub use generations::{
    Choice, ContestReport, ControlReport, ForeseenReport, ForesightLearner, ForesightReport,
    Generation as SelfGeneration, LoopReport, Method as RecipeMethod, MethodReport, NoiseReport, OverDraws,
    RepeatReport, SelfApplyEvent, SelfApplyFrame, SelfApplyReport, SelfApplySettings, SelfTaskMode,
    SetDifferences, SetLosses, SuiteDifference, UnknownMode, self_apply, self_apply_report,
};
pub use history::TrainingPoint;
pub use metrics::{Metric, Scores, classification_scores, regression_scores};
pub use output::{check_output, write_output};
pub use planning::{
    Assessment, CautionReport, DecideError, DecideSettings, Decided, DecisionReport, DecisionsReport,
    FeatureReport, FitSettings, ForeseenPoint, LearnerReport, Method, MethodSummary, PlanReport,
    PlanSettings, PlannedRuns, Realised, Reason, TaskReport, Trial, TrialSettings, Tried, UnknownMethod,
    assess, decide, fit_and_record, fit_predictor, load_predictor, plan_table, save_predictor,
    shipped_predictor, summarise_trials, try_methods,
};
pub use problem::{Count, Counts, Problem};
pub use references::{Reference, ReferenceError};
pub use report::{
    EvaluationReport, ReportFormat, write_assessment, write_bench, write_comparison, write_decisions,
    write_evaluation, write_generations, write_plan,
};
pub use results::{ResultRow, ResultsError, ResultsFormat, read_results, write_results};
pub use runs::{
    CurveRow, ExportedRuns, ParentRow, RunLevel, RunList, RunQuery, RunRow, RunsFormat, list_runs, show_run,
    write_runs,
};
pub use splits::{MAX_QUERY_ROWS, Split, max_support};
pub use statistics::{Bootstrap, Estimate, Interval, Spread};
pub use suite::{Part, SuiteTable, suite_tables};
pub use summary::{BASELINE_PREFIX, ModelSummary, Paired, Summary, SummaryBlock, TableValues, summarise};
pub use train::{Experiment, TrainError, TrainEvent, Trained, record_training, train_metamodel};
pub use weight_space::{PathPoint, PathStep, Slice, WeightSpace};
pub use weightsmith_generation::{CatalogError, Shipped, load_metamodel, shipped};

pub use burn::tensor::Device;
pub use weightsmith_base_model::{
    BaseModel, Description, ExpectedPerformance, Precision, inspect, open_device,
};
pub use weightsmith_datasets::{Labelled, Sample, Source, samples};
pub use weightsmith_generation::GenerateInfo;
pub use weightsmith_ledger::{Ledger, LedgerError, Named, Value};
pub use weightsmith_metamodel::{Pretrained, limits};
pub use weightsmith_planner::{Candidate, Decision, PerformancePredictor, Plan};
pub use weightsmith_tasks::{Base, Seed, Support, Target, TaskSplit, TaskType};
pub use weightsmith_training::{Gain, StepReport, Validation};
