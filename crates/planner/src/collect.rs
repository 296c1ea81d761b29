//! Filling a ledger: many small trainings over tasks and recipes, each recorded with the loss on its long rows at 1, 2, 3,
//! 4, 6, 8, … steps, so that one run answers every question about the number of steps.

use crate::carry_out::Workshop;
use crate::error::PlannerError;
use crate::{Calibration, Decision, PerformancePredictor, Space, TaskFeatures, loss_unit, of_each_kind};
use std::collections::{BTreeSet, HashSet};
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use weightsmith_base_model::BaseModel;
use weightsmith_datasets::Labelled;
use weightsmith_evaluation::Metamodels;
use weightsmith_evaluation::Split;
use weightsmith_evaluation::SuiteTable;
use weightsmith_evaluation::{Counts, Problem};
use weightsmith_evaluation::{MethodError, is_evaluation_point};
use weightsmith_ledger::{
    Appended, Cost, CurvePoint, Ledger, LedgerError, Named, Outcome, RunRecord, RunRole, Uid, Value,
};
use weightsmith_priors::{Prior, PriorConfig, TaskShape};
use weightsmith_runtime::Stopwatch;
use weightsmith_runtime::as_done;
use weightsmith_runtime::in_one_line;
use weightsmith_tasks::{Base, Seed, Target, Task, TaskSplit, TaskType};
use weightsmith_training::InnerError;

/// Long rows of a synthetic task.
const N_LONG: usize = 500;
/// Looks up to this many steps are a run's probe.
pub(crate) const PROBE_STEPS: usize = 32;
/// Trainings of a focus for a task and size.
const N_FOCUSED: usize = 5;
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is trained, and how often.
#[derive(Clone, Debug)]
pub struct CollectSettings {
    /// Synthetic tasks, half of them with classes and half with numbers.
    pub n_synthetic: usize,
    /// Short rows; of a table at most 70%.
    pub n_supports: Vec<usize>,
    /// Decisions for each task and number of short rows: to generate, then recipes drawn at random.
    pub n_recipes: usize,
    /// Steps of a training, at most.
    pub max_steps: usize,
    /// The column of real tables to predict.
    pub target: String,
    /// What the runs may be used for.
    pub split: TaskSplit,
    /// Of the tasks, the recipes and the trainings.
    pub seed: Seed,
    /// Trainings at once, one core each.
    pub n_threads: usize,
}

/// How far a collection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Runs that are new in the ledger.
    pub n_new: usize,
    /// Runs that it held already.
    pub n_there: usize,
    /// Trainings that failed or had nothing to learn from; the first of them says why.
    pub n_failed: usize,
    /// What went wrong first.
    pub first_failure: Option<String>,
    /// Pieces of work that are done: a run each, or with a focus several.
    pub n_done: usize,
    /// Those there are in all, without what the ledger held before.
    pub n_all: usize,
}

/// Trains and records: decisions that are drawn or, with a focus, the best of each kind that a predictor finds among all
/// plans for each task and size, so that it learns where it is wrong. Runs that the ledger holds are not repeated, so that a
/// collection that was stopped goes on. `listen` hears after every run, and can end the work.
///
/// # Errors
/// A ledger that cannot be written.
pub fn collect(
    ledger: &mut Ledger,
    tables: &[SuiteTable],
    metamodels: &Metamodels,
    settings: &CollectSettings,
    focus: Option<&PerformancePredictor>,
    listen: &mut dyn FnMut(&Collected) -> ControlFlow<()>,
) -> Result<Collected, PlannerError> {
    let prior = Prior::new(PriorConfig::default()).expect("the defaults are valid");
    let sources: Vec<TaskSource<'_>> = (0..settings.n_synthetic as u64)
        .map(TaskSource::Synthetic)
        .chain(tables.iter().map(|table| TaskSource::Table(table, OnceLock::new())))
        .collect();
    let mut state = Collected { n_new: 0, n_there: 0, n_failed: 0, first_failure: None, n_done: 0, n_all: 0 };
    let mut jobs = Vec::new();
    let mut named = HashSet::new();
    // Recipe by recipe over all tasks, so that a collection that ends early has seen them all.
    let supports: Vec<ShortRows<'_>> = sources
        .iter()
        .flat_map(|source| settings.n_supports.iter().map(move |&n_support| (source, n_support)))
        .map(|(source, n_support)| ShortRows { source, n_support, features: OnceLock::new() })
        .collect();
    for recipe_idx in 0..settings.n_recipes as u64 {
        for rows in &supports {
            let job = Job { rows, recipe_idx, settings, focus };
            // What a focus will pick is not known before the short rows are.
            let uid = focus.is_none().then(|| job.uid(job.drawn()));
            // Two turns can draw the same decision.
            if uid.is_some_and(|uid| !named.insert(uid)) {
                continue;
            }
            if let Some(uid) = uid
                && ledger.level_of(uid)?.is_some()
            {
                state.n_there += 1;
            } else {
                state.n_all += 1;
                jobs.push(job);
            }
        }
    }
    let mut failed = None;
    let work = |job: Job<'_>| job.run(&prior, metamodels);
    as_done(jobs, settings.n_threads, work, &mut |records: Result<Vec<RunRecord<Base>>, String>| {
        state.n_done += 1;
        match records {
            Ok(records) => {
                for record in records {
                    match ledger.append(&record) {
                        Ok(Appended::New(_)) => state.n_new += 1,
                        // Another turn or another process has done the same training, in other time.
                        Ok(Appended::There(_)) | Err(LedgerError::OtherContent { .. }) => state.n_there += 1,
                        Err(error) => {
                            failed = Some(error);
                            return ControlFlow::Break(());
                        }
                    }
                }
            }
            Err(why) => {
                state.n_failed += 1;
                state.first_failure.get_or_insert(why);
            }
        }
        listen(&state)
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(state),
    }
}

/// Where a task comes from.
enum TaskSource<'a> {
    /// The n-th synthetic task.
    Synthetic(u64),
    /// A real table, read when it is first needed.
    Table(&'a SuiteTable, OnceLock<Result<Labelled, String>>),
}

impl TaskSource<'_> {
    fn name(&self) -> String {
        match self {
            Self::Synthetic(idx) => format!("synthetic-{idx}"),
            Self::Table(table, _) => table.name.clone(),
        }
    }

    fn task_type(&self) -> TaskType {
        match self {
            Self::Synthetic(idx) if idx.is_multiple_of(2) => TaskType::Classification,
            Self::Synthetic(_) => TaskType::Regression,
            Self::Table(table, _) => table.task_type,
        }
    }
}

/// Short rows of a task.
struct ShortRows<'a> {
    source: &'a TaskSource<'a>,
    n_support: usize,
    /// Computed by the first training.
    features: OnceLock<TaskFeatures>,
}

/// One training.
struct Job<'a> {
    rows: &'a ShortRows<'a>,
    recipe_idx: u64,
    settings: &'a CollectSettings,
    focus: Option<&'a PerformancePredictor>,
}

impl Job<'_> {
    /// The decision of this task, size and turn, whatever else is collected: first to generate, then in turn a plan that all
    /// tasks share, so that it can be compared between them, and one of this task's own, so that many are seen.
    fn drawn(&self) -> Decision {
        let seed = self.settings.seed;
        let plan = match self.recipe_idx {
            0 => return Decision::Generate,
            turn if turn.is_multiple_of(2) => {
                let name = format!("plan.collect.{}", self.rows.source.name());
                Space.draw(&mut seed.indexed_stream(&name, &[self.rows.n_support as u64, turn]))
            }
            turn => Space.draw(&mut seed.indexed_stream("plan.collect.shared", &[turn])),
        };
        Decision::Train(plan.canonical(self.rows.source.task_type()).longest())
    }

    /// The best trainings of each kind that a predictor finds: in the first turn with the caution of the decision for a table,
    /// then without.
    fn focused(
        &self,
        predictor: &PerformancePredictor,
        features: &TaskFeatures,
    ) -> Result<Vec<Decision>, String> {
        let calibration = match self.recipe_idx {
            0 => predictor.calibration,
            _ => Calibration { caution: 0.0, ..predictor.calibration },
        };
        let judged = predictor.judge(features, &calibration).map_err(|error| in_one_line(&error))?;
        let decisions = of_each_kind(&judged.candidates).into_iter().map(|candidate| candidate.decision);
        let trainings = decisions.filter_map(|decision| match decision {
            Decision::Generate => None,
            Decision::Train(plan) => Some(Decision::Train(plan.longest())),
        });
        Ok(trainings.take(N_FOCUSED).collect())
    }

    fn uid(&self, decision: Decision) -> Uid {
        let Self { settings, rows, .. } = self;
        let numbers = [settings.seed.0, rows.n_support as u64, settings.max_steps as u64];
        let [seed, n_support, max_steps] = numbers.map(|number| number.to_string());
        let decision = decision.to_string();
        Uid::derived(&[
            "plan collect",
            VERSION,
            &self.rows.source.name(),
            &seed,
            &n_support,
            &max_steps,
            &decision,
        ])
    }

    fn problem(&self, prior: &Prior) -> Result<Problem, String> {
        let one_class = || "the short rows are all of one class".to_string();
        match self.rows.source {
            TaskSource::Synthetic(idx) => {
                let task = synthetic(prior, *idx, self.rows.source.task_type(), self.settings);
                Problem::of_task(&task, self.rows.n_support).ok_or_else(one_class)
            }
            TaskSource::Table(table, read) => {
                let labelled = read.get_or_init(|| table.read(&self.settings.target));
                let labelled = labelled.as_ref().map_err(Clone::clone)?;
                let split = Split::new(labelled.table.n_rows(), self.rows.n_support, 0);
                Problem::new(labelled, &split).ok_or_else(one_class)
            }
        }
    }

    /// One run, or those of a focus.
    fn run(&self, prior: &Prior, metamodels: &Metamodels) -> Result<Vec<RunRecord<Base>>, String> {
        let failed =
            |why: String| format!("{}, {} rows: {why}", self.rows.source.name(), self.rows.n_support);
        let problem = self.problem(prior).map_err(failed)?;
        let support = problem.support();
        let pretrained = metamodels.of(self.rows.source.task_type()).expect("loading made sure of it");
        let workshop = Workshop { pretrained, seed: self.settings.seed };
        let features = match self.rows.features.get() {
            Some(features) => features,
            None => {
                let features = workshop.features(support).map_err(|error| failed(in_one_line(&error)))?;
                self.rows.features.get_or_init(|| features)
            }
        };
        let decisions = match self.focus {
            Some(predictor) => self.focused(predictor, features).map_err(failed)?,
            None => vec![self.drawn()],
        };
        decisions
            .into_iter()
            .map(|decision| self.train(decision, &problem, workshop, features).map_err(failed))
            .collect()
    }

    /// The record of one run.
    fn train(
        &self,
        decision: Decision,
        problem: &Problem,
        workshop: Workshop<'_>,
        features: &TaskFeatures,
    ) -> Result<RunRecord<Base>, String> {
        let rows = problem.support();
        let mut stopwatch = Stopwatch::of_thread();
        let unit = loss_unit(rows.target());
        let mut curve: Vec<CurvePoint> = Vec::new();
        let mut look = |n_steps: usize, cpu_s: f64, model: &BaseModel| {
            let Ok(Counts { support, query }) = problem.count_network(model) else { return };
            let finite = |loss: f64| Some(loss / unit).filter(|loss| loss.is_finite());
            let (long_loss, short_loss) = (finite(query.loss), finite(support.loss));
            curve.retain(|point| point.step < n_steps as u64);
            curve.push(CurvePoint { step: n_steps as u64, long_loss, short_loss, cpu_s });
        };
        let max_steps = self.settings.max_steps;
        let trained = workshop.carry_out(decision, max_steps, rows, &mut |moment| {
            if is_evaluation_point(moment.n_steps) {
                let cpu_s = stopwatch.cost().cpu_s;
                stopwatch.pausing(|| {
                    // Numbers that are no longer finite end the training a little later.
                    if let Ok(model) = moment.model() {
                        look(moment.n_steps, cpu_s, &model);
                    }
                });
            }
        });
        let cost = stopwatch.cost();
        // A training that diverged has its curve up to there, and no outcome.
        let n_steps = match &trained {
            Ok((model, n_steps)) => {
                look(*n_steps, cost.cpu_s, model);
                *n_steps as u64
            }
            Err(MethodError::Inner(InnerError::Diverged { .. })) => {
                curve.last().map_or(0, |point| point.step)
            }
            Err(error) => return Err(in_one_line(error)),
        };
        let value = trained.is_ok().then(|| curve.last().and_then(|point| point.long_loss)).flatten();
        let metric = match rows.target() {
            Target::Classes { .. } => "log_loss",
            Target::Values(_) => "relative_rmse",
        };
        let described =
            features.named().map(|(name, value)| (name.to_string(), Value::Number(value))).collect();
        Ok(RunRecord {
            uid: self.uid(decision),
            role: RunRole::BaseModel,
            task: self.rows.source.name(),
            roots: BTreeSet::from([self.rows.source.name()]),
            split: self.settings.split,
            recipe: decision.values(self.rows.source.task_type()),
            features: described,
            probe: probe(&curve),
            outcome: Outcome {
                metric: metric.into(),
                value,
                n_short: rows.n_rows() as u64,
                n_long: problem.n_query() as u64,
            },
            cost: Cost { cpu_s: cost.cpu_s, wall_s: cost.wall_s },
            seed: self.settings.seed.0,
            code_version: VERSION.into(),
            device: "cpu".into(),
            n_steps,
            parents: BTreeSet::new(),
            curve,
            level: PhantomData,
        })
    }
}

/// The n-th synthetic task, with as many short rows as any size takes.
fn synthetic(prior: &Prior, idx: u64, task_type: TaskType, settings: &CollectSettings) -> Task {
    let random = &mut settings.seed.indexed_stream("plan.collect.task", &[idx]);
    let n_classes = [2, 2, 3, 2, 5, 2, 4, 2][(idx / 2 % 8) as usize];
    let n_encoded = [4, 6, 8, 10, 14, 20, 30][(idx / 2 % 7) as usize];
    let n_support = settings.n_supports.iter().copied().max().unwrap_or(0);
    prior.sample(&TaskShape { task_type, n_support, n_query: N_LONG, n_classes, n_encoded }, random)
}

/// What the first steps show: the loss at the start and after [`PROBE_STEPS`], its slope, and the gap of short and long.
fn probe(curve: &[CurvePoint]) -> Named {
    let mut values = Named::new();
    let early: Vec<(u64, f64)> = curve
        .iter()
        .filter(|point| point.step <= PROBE_STEPS as u64)
        .filter_map(|point| Some((point.step, point.short_loss?)))
        .collect();
    if let [(_, first), .., (last_step, last)] = early.as_slice() {
        values.insert("short_loss_at_start".into(), Value::Number(*first));
        values.insert("short_loss_after_probe".into(), Value::Number(*last));
        values.insert("short_loss_slope".into(), Value::Number((last - first) / (*last_step).max(1) as f64));
    }
    values
}
