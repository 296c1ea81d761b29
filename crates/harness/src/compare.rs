//! One table: what generated weights are worth on the long rows, and what an optimiser would have cost.

use crate::arms::{Arm, ArmSettings};
use crate::clock::Cost;
use crate::error::HarnessError;
use crate::evaluate::in_one_line;
use crate::files::NamedTable;
use crate::metrics::{Metric, Scores};
use crate::problem::Problem;
use crate::splits::{Split, max_support};
use crate::statistics::{Estimate, Spread};
use crate::workers::on_one_thread;
use serde::Serialize;
use weightsmith_base_model::{BaseModel, ExpectedPerformance};
use weightsmith_metamodel::{Pretrained, limits};
use weightsmith_tasks::{Seed, Target, TaskType};

/// Support rows of a comparison that asks for no number, at most.
const DEFAULT_SUPPORT: usize = 128;

/// How a comparison is made.
#[derive(Copy, Clone)]
pub struct CompareSettings<'a> {
    /// The metamodel.
    pub pretrained: &'a Pretrained,
    /// Views of generated weights.
    pub n_views: usize,
    /// Support rows; at most 70% of the table are taken. Without a number 128.
    pub n_support: Option<usize>,
    /// Splits, each with other support rows.
    pub n_splits: u32,
    /// What is compared.
    pub arms: &'a [Arm],
}

/// One metric of one arm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricReport {
    /// What is measured.
    pub metric: Metric,
    /// The mean over splits with its 95% interval.
    pub estimate: Estimate,
    /// For the main metric: this arm minus the generated weights on the same rows, over splits.
    pub minus_generated: Option<Estimate>,
}

/// What the base models foresaw of their own scores, and what came; means over splits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Foreseen {
    /// What is measured.
    pub metric: Metric,
    /// The estimate made from the support rows alone.
    pub expected: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
    /// The figure on the long rows.
    pub realised: f64,
}

/// One arm over all splits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArmReport {
    /// The arm.
    pub arm: Arm,
    /// What it is.
    pub about: &'static str,
    /// What it did on the first split, in words; may be empty.
    pub details: String,
    /// Metrics on the long rows, in the order of [`Metric`].
    pub metrics: Vec<MetricReport>,
    /// Seconds by the clock from the support rows to the weights.
    pub wall_s: Option<Spread>,
    /// Seconds on the processor.
    pub cpu_s: Option<Spread>,
    /// What the models foresaw, where they did.
    pub foreseen: Option<Foreseen>,
    /// Splits on which it failed, and why.
    pub errors: Vec<String>,
}

impl ArmReport {
    /// One of its metrics.
    pub fn get(&self, metric: Metric) -> Option<&MetricReport> {
        self.metrics.iter().find(|report| report.metric == metric)
    }
}

/// A comparison on one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What the table is called.
    pub name: String,
    /// The column that is predicted.
    pub target: String,
    /// What is predicted.
    pub task: TaskType,
    /// The classes, none for a regression.
    pub class_names: Vec<String>,
    /// Rows of the table.
    pub n_rows: usize,
    /// Columns besides the target.
    pub n_columns: usize,
    /// Short rows.
    pub n_support: usize,
    /// Long rows.
    pub n_query: usize,
    /// Splits that were scored.
    pub n_splits: u32,
    /// Splits left out because their short rows are all of one class.
    pub n_skipped: u32,
    /// Name and checksum of the metamodel.
    pub metamodel: (String, String),
    /// The metric that decides.
    pub main_metric: Metric,
    /// The arms, as they were asked for.
    pub arms: Vec<ArmReport>,
    /// How many times longer the tuned optimiser takes than generating, by the median seconds of the clock.
    pub speed_up: Option<f64>,
}

/// A comparison and the weights it made.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The figures.
    pub comparison: Comparison,
    /// The generated base model of the first split; none if it failed or was not asked for.
    pub model: Option<BaseModel>,
}

/// The metrics that a table of a few columns shows.
pub fn main_metrics(task: TaskType) -> &'static [Metric] {
    match task {
        TaskType::Classification => &[Metric::LogLoss, Metric::Auc, Metric::Accuracy],
        TaskType::Regression => &[Metric::R2, Metric::Rmse],
    }
}

/// Runs every arm on the same splits of one table, one after the other on one core. `listen` hears how many fits of
/// how many are done.
///
/// # Errors
/// A table with too few rows or too many classes, fewer support rows than the metamodel can read, support rows of one
/// class in every split. An arm that fails is reported in its place.
pub fn compare(
    table: &NamedTable,
    settings: &CompareSettings<'_>,
    listen: &mut (dyn FnMut(usize, usize) + Send),
) -> Result<Compared, HarnessError> {
    let NamedTable { data, target, labelled } = table;
    let n_rows = labelled.table.n_rows();
    let n_support = settings.n_support.unwrap_or(DEFAULT_SUPPORT).min(max_support(n_rows));
    let n_needed = limits::MIN_SUPPORT;
    if max_support(n_rows) < n_needed {
        let n_needed = (n_needed..).find(|&n| max_support(n) >= n_needed).unwrap_or(n_needed);
        return Err(HarnessError::TooFewRows { data: data.clone(), n_rows, n_needed });
    }
    if n_support < n_needed {
        return Err(HarnessError::TooFewSupportRows { n_support, n_needed });
    }
    if let Target::Classes { class_names, .. } = &labelled.target
        && class_names.len() > limits::MAX_CLASSES
    {
        let (n_classes, n_most) = (class_names.len(), limits::MAX_CLASSES);
        return Err(HarnessError::TooManyClasses { data: data.clone(), n_classes, n_most });
    }
    let problems: Vec<(u32, Problem)> = (0..settings.n_splits.max(1))
        .filter_map(|index| Some((index, Problem::new(labelled, &Split::new(n_rows, n_support, index))?)))
        .collect();
    let Some((_, first)) = problems.first() else {
        let n_splits = settings.n_splits;
        return Err(HarnessError::OneClassSplits { data: data.clone(), n_splits, n_support });
    };
    let mut records: Vec<Vec<Record>> = settings.arms.iter().map(|_| Vec::new()).collect();
    let n_all = problems.len() * settings.arms.len();
    let model = on_one_thread(|| {
        let mut generated = None;
        for (done, (split, problem)) in problems.iter().enumerate() {
            let arm_settings = ArmSettings {
                pretrained: settings.pretrained,
                n_views: settings.n_views,
                seed: Seed(u64::from(*split)),
            };
            for (idx, &arm) in settings.arms.iter().enumerate() {
                let (record, model) = run(arm, problem, &arm_settings);
                records[idx].push(record);
                if done == 0 && arm == Arm::Generated {
                    generated = model;
                }
                listen(done * settings.arms.len() + idx + 1, n_all);
            }
        }
        generated
    });
    let task = labelled.target.task_type();
    let main_metric = main_metrics(task)[0];
    let generated =
        settings.arms.iter().position(|arm| *arm == Arm::Generated).map(|idx| records[idx].as_slice());
    let arms: Vec<ArmReport> = settings
        .arms
        .iter()
        .zip(&records)
        .map(|(&arm, records)| report(arm, records, generated, main_metric))
        .collect();
    let wall = |arm: Arm| arms.iter().find(|report| report.arm == arm)?.wall_s.map(|spread| spread.median);
    let speed_up = wall(Arm::Generated).zip(wall(Arm::AdamTuned)).map(|(generated, tuned)| tuned / generated);
    let comparison = Comparison {
        name: labelled.name.clone(),
        target: target.clone(),
        task,
        class_names: match &labelled.target {
            Target::Classes { class_names, .. } => class_names.clone(),
            Target::Values(_) => Vec::new(),
        },
        n_rows,
        n_columns: labelled.table.columns().len(),
        n_support,
        n_query: first.n_query(),
        n_splits: problems.len() as u32,
        n_skipped: settings.n_splits.max(1) - problems.len() as u32,
        metamodel: (settings.pretrained.name.clone(), settings.pretrained.checksum.clone()),
        main_metric,
        speed_up,
        arms,
    };
    Ok(Compared { comparison, model })
}

/// One arm on one split.
struct Record {
    done: Result<(Scores, Cost), String>,
    expected: Option<ExpectedPerformance>,
    details: String,
}

fn run(arm: Arm, problem: &Problem, settings: &ArmSettings<'_>) -> (Record, Option<BaseModel>) {
    let failed = |error: String| (Record { done: Err(error), expected: None, details: String::new() }, None);
    let fit = match arm.fit(problem.support(), settings) {
        Ok(fit) => fit,
        Err(error) => return failed(in_one_line(&error)),
    };
    match problem.score(&fit.model) {
        Err(error) => failed(in_one_line(&error)),
        Ok(scores) => {
            let expected = fit.model.expected.clone();
            (Record { done: Ok((scores, fit.cost)), expected, details: fit.details }, Some(fit.model))
        }
    }
}

fn report(arm: Arm, records: &[Record], generated: Option<&[Record]>, main_metric: Metric) -> ArmReport {
    let done = || records.iter().filter_map(|record| record.done.as_ref().ok());
    let metrics: Vec<Metric> = done().next().map_or_else(Vec::new, |(scores, _)| scores.metrics().collect());
    let value =
        |record: &Record, metric| record.done.as_ref().ok().and_then(|(scores, _)| scores.get(metric));
    let of_metric = |&metric: &Metric| {
        let values: Vec<f64> = records.iter().filter_map(|record| value(record, metric)).collect();
        let differences = || -> Vec<f64> {
            let pairs = records.iter().zip(generated.unwrap_or_default());
            pairs.filter_map(|(own, other)| Some(value(own, metric)? - value(other, metric)?)).collect()
        };
        let minus_generated =
            (metric == main_metric && arm != Arm::Generated).then(differences).and_then(|d| Estimate::of(&d));
        Some(MetricReport { metric, estimate: Estimate::of(&values)?, minus_generated })
    };
    let spread = |part: fn(&Cost) -> f64| Spread::of(&done().map(|(_, cost)| part(cost)).collect::<Vec<_>>());
    ArmReport {
        arm,
        about: arm.about(),
        details: records.first().map(|record| record.details.clone()).unwrap_or_default(),
        metrics: metrics.iter().filter_map(of_metric).collect(),
        wall_s: spread(|cost| cost.wall_s),
        cpu_s: spread(|cost| cost.cpu_s),
        foreseen: foreseen(records),
        errors: records.iter().filter_map(|record| record.done.as_ref().err().cloned()).collect(),
    }
}

fn foreseen(records: &[Record]) -> Option<Foreseen> {
    let of_record = |record: &Record| {
        let expected = record.expected.as_ref()?;
        let metric = match expected.metric.as_str() {
            "log_loss" => Metric::LogLoss,
            "rmse" => Metric::Rmse,
            _ => return None,
        };
        let (scores, _) = record.done.as_ref().ok()?;
        let figures = [expected.value, expected.low, expected.high].map(f64::from);
        Some((metric, figures, scores.get(metric)?))
    };
    let all: Vec<(Metric, [f64; 3], f64)> = records.iter().filter_map(of_record).collect();
    let (metric, _, _) = *all.first()?;
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / all.len() as f64;
    let figure = |idx: usize| mean(&mut all.iter().map(|(_, figures, _)| figures[idx]));
    let (expected, low, high) = (figure(0), figure(1), figure(2));
    Some(Foreseen { metric, expected, low, high, realised: mean(&mut all.iter().map(|found| found.2)) })
}
