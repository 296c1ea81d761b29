//! The figures of a bench, as its page and its JSON show them.

use super::plan::{BenchEvaluation, BenchPlan, BenchRun, UNTRAINED};
use super::scores::results;
use super::{BenchError, curve, is_finished};
use crate::history::{TrainingPoint, is_diverged};
use crate::train::{Files, fingerprint};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use weightsmith_evaluation::statistics::Bootstrap;
use weightsmith_evaluation::{Metric, Registry, ResultRow, SuiteTable, SummaryBlock, summarise};
use weightsmith_metamodel::MetaParams;
use weightsmith_runtime::read_output;
use weightsmith_tasks::TaskType;

/// The state of a run.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It has not begun.
    Waiting,
    /// It has begun and goes on with `--resume`.
    Stopped,
    /// All its steps are taken.
    Finished,
    /// A validation loss was not finite, and it ended there.
    Diverged,
}

/// All figures of a bench.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bench {
    /// The name of its file.
    pub name: String,
    /// What the metamodels are for.
    pub task: TaskType,
    /// How they were scored on real tables.
    pub evaluation: BenchEvaluation,
    /// Real tables.
    pub n_tables: usize,
    /// Splits of real tables on which scoring failed.
    pub n_errors: usize,
    /// In the order of the file; the first is what the others are compared with.
    pub runs: Vec<BenchRunFigures>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchRunFigures {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: RunState,
    /// Steps done.
    pub step: u64,
    /// Steps in all.
    pub n_steps: u64,
    /// Tasks seen.
    pub n_tasks: u64,
    /// Seconds by the clock, validations included.
    pub wall_s: f64,
    /// Seconds on the processor.
    pub cpu_s: f64,
    /// Tasks a second by the clock.
    pub tasks_per_s: Option<f64>,
    /// Tasks a second on the processor.
    pub tasks_per_cpu_s: Option<f64>,
    /// Trained numbers of the metamodel.
    pub n_params: usize,
    /// Bytes of the metamodel's file.
    pub n_bytes: Option<usize>,
    /// The SHA-256 of the metamodel's file.
    pub checksum: Option<String>,
    /// Of everything random.
    pub seed: u64,
    /// The configuration that it changes, relative to the bench's file.
    pub config: PathBuf,
    /// A checksum of the configuration that came of it.
    pub config_checksum: String,
    /// What it changes.
    pub changes: BTreeMap<String, String>,
    /// The last finite loss on held-out synthetic tasks.
    pub valid_loss: Option<f64>,
    /// That of the closed-form head.
    pub untrained_loss: Option<f64>,
    /// Whether its held-out tasks are those of the first run; else the losses do not compare.
    pub shares_held_out: bool,
    /// The cost at which its validation loss first was at most the first run's final one.
    pub reaches_first: Option<Reached>,
    /// On real tables.
    pub scores: Vec<RunScore>,
    /// Its validations, but for one whose loss is not finite.
    pub curve: Vec<TrainingPoint>,
}

/// The cost of reaching a loss.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// Tasks seen.
    pub n_tasks: u64,
    /// Seconds on the processor.
    pub cpu_s: f64,
    /// The same as a share of what the first run took in all.
    pub cpu_share: f64,
}

/// One metric at one size, over the tables on which every scored run has a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunScore {
    /// Support rows.
    pub n_support: usize,
    /// What is measured.
    pub metric: Metric,
    /// Tables.
    pub n_tables: usize,
    /// The mean over tables of the mean over splits.
    pub mean: f64,
    /// That of the closed-form head alone.
    pub untrained: Option<f64>,
    /// The mean over tables of this run minus the first.
    pub minus_first: Option<f64>,
    /// The 95% interval of the same over tables.
    pub interval: Option<(f64, f64)>,
}

impl Bench {
    /// Reads from the folders what there is.
    pub(super) fn of(plan: &BenchPlan, tables: &[SuiteTable]) -> Result<Self, BenchError> {
        let mut runs = Vec::new();
        let mut rows: Vec<ResultRow> = Vec::new();
        for run in &plan.runs {
            let mut figures = BenchRunFigures::of(run)?;
            figures.shares_held_out = run.shares_held_out(&plan.runs[0]);
            if figures.state == RunState::Finished
                && let Some(mut of_run) = results(run, &plan.evaluation)?
            {
                // The heads of all runs are one and the same, as far as their settings are.
                if !rows.is_empty() {
                    of_run.retain(|row| row.model != UNTRAINED);
                }
                rows.extend(of_run);
            }
            runs.push(figures);
        }
        let first = runs[0].name.clone();
        let summary = summarise(&rows, &[], &first, &Registry::default());
        let (whole, others) = runs.split_at_mut(1);
        for run in others {
            run.reaches_first = reached(run, &whole[0]);
        }
        for run in &mut runs {
            let score = |block: &SummaryBlock| run_score(block, &run.name, &first);
            run.scores = summary.blocks.iter().filter_map(score).collect();
        }
        Ok(Self {
            name: plan.name.clone(),
            task: plan.task(),
            evaluation: plan.evaluation.clone(),
            n_tables: tables.len(),
            n_errors: summary.n_errors,
            runs,
        })
    }

    /// Whether nothing is left to do: every run has diverged, or is finished and scored where it was to be.
    pub fn is_finished(&self) -> bool {
        let is_scored = |run: &BenchRunFigures| self.n_tables == 0 || !run.scores.is_empty();
        self.runs.iter().all(|run| match run.state {
            RunState::Diverged => true,
            RunState::Finished => is_scored(run),
            RunState::Waiting | RunState::Stopped => false,
        })
    }

    /// Runs that diverged.
    pub fn n_diverged(&self) -> usize {
        self.runs.iter().filter(|run| run.state == RunState::Diverged).count()
    }

    /// The metric and the support rows that a page answers by, where real tables were scored.
    pub fn main_score(&self) -> Option<(Metric, usize)> {
        let metric = match self.task {
            TaskType::Classification => Metric::LogLoss,
            TaskType::Regression => Metric::R2Clipped,
        };
        let scores = self.runs.iter().flat_map(|run| &run.scores).filter(|score| score.metric == metric);
        scores.map(|score| score.n_support).max().map(|n_support| (metric, n_support))
    }
}

impl BenchRunFigures {
    /// The position of a score.
    pub fn score_idx(&self, metric: Metric, n_support: usize) -> Option<usize> {
        self.scores.iter().position(|score| (score.metric, score.n_support) == (metric, n_support))
    }

    fn of(run: &BenchRun) -> Result<Self, BenchError> {
        let points = curve(run)?;
        let is_finished = is_finished(run, &points);
        let last = points.last().cloned().unwrap_or_default();
        let cost = last.cost();
        let files = Files::new(&run.experiment.folder);
        // A file that was lost is written again once the bench comes to this run.
        let is_there = is_finished && files.metamodel.exists();
        let metamodel = if is_there { Some(read_output(&files.metamodel)?) } else { None };
        let is_diverged = is_diverged(&points);
        let training = &run.experiment.training;
        let params = MetaParams::draw(&training.metamodel, training.seed);
        let a_second = |seconds: f64| (seconds > 0.0).then(|| last.n_tasks as f64 / seconds);
        let curve: Vec<TrainingPoint> =
            points.into_iter().filter(|point| point.valid_loss.is_some_and(f64::is_finite)).collect();
        let validated = curve.last();
        Ok(Self {
            name: run.name.clone(),
            state: match (is_finished, last.step) {
                _ if is_diverged => RunState::Diverged,
                (true, _) => RunState::Finished,
                (false, 0) => RunState::Waiting,
                (false, _) => RunState::Stopped,
            },
            step: last.step,
            n_steps: training.last_step(),
            n_tasks: last.n_tasks,
            wall_s: cost.wall_s,
            cpu_s: cost.cpu_s,
            tasks_per_s: a_second(cost.wall_s),
            tasks_per_cpu_s: a_second(cost.cpu_s),
            n_params: params.expect("the plan checked the shape").values.len(),
            n_bytes: metamodel.as_ref().map(Vec::len),
            checksum: metamodel.as_deref().map(checksum),
            seed: training.seed.0,
            config: run.config.clone(),
            config_checksum: fingerprint(&run.experiment),
            changes: run.changes.clone(),
            valid_loss: validated.and_then(|point| point.valid_loss),
            untrained_loss: validated.and_then(|point| point.untrained_loss),
            shares_held_out: true,
            reaches_first: None,
            scores: Vec::new(),
            curve,
        })
    }
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a run first was as good as `first` in the end; none if it never was, or if they do not compare.
fn reached(run: &BenchRunFigures, first: &BenchRunFigures) -> Option<Reached> {
    let goal = first.valid_loss.filter(|_| first.state == RunState::Finished && run.shares_held_out)?;
    let point = run.curve.iter().find(|point| point.valid_loss.is_some_and(|loss| loss <= goal))?;
    let cpu_s = point.cost().cpu_s;
    (first.cpu_s > 0.0).then(|| Reached { n_tasks: point.n_tasks, cpu_s, cpu_share: cpu_s / first.cpu_s })
}

/// The interval of the mean difference of two runs over other tables of this kind.
fn interval(block: &SummaryBlock, run: &str, first: &str) -> Option<(f64, f64)> {
    let column = |name: &str| block.models.iter().position(|found| found.model == name);
    let (own, other) = (column(run)?, column(first)?);
    let differences = block.tables.iter().map(|table| table.values[own] - table.values[other]).collect();
    let interval = Bootstrap::default().intervals(&[differences]).pop().flatten()?;
    Some((interval.low, interval.high))
}

/// What a page has room for.
const SHOWN: [Metric; 4] = [Metric::Auc, Metric::LogLoss, Metric::Accuracy, Metric::R2Clipped];

fn run_score(block: &SummaryBlock, run: &str, first: &str) -> Option<RunScore> {
    let mean = |name: &str| block.models.iter().find(|found| found.model == name).map(|found| found.mean);
    let other = (run != first).then(|| mean(first)).flatten();
    let own = mean(run).filter(|_| SHOWN.contains(&block.metric))?;
    Some(RunScore {
        n_support: block.n_support,
        metric: block.metric,
        n_tables: block.n_tables,
        mean: own,
        untrained: mean(UNTRAINED),
        minus_first: other.map(|other| own - other),
        interval: other.and_then(|_| interval(block, run, first)),
    })
}
