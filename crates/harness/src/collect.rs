//! Filling a ledger: many small trainings over tasks and recipes, each recorded with the loss on its long rows at 1, 2, 3,
//! 4, 6, 8, … steps, so that one run answers every question about the number of steps.

use crate::arms::{ArmError, is_looked_at};
use crate::clock::Stopwatch;
use crate::error::HarnessError;
use crate::evaluate::{Metamodels, in_one_line};
use crate::planning::Workshop;
use crate::problem::{Counts, Problem};
use crate::splits::Split;
use crate::suite::SuiteTable;
use crate::workers::as_done;
use rand::Rng;
use std::collections::{BTreeSet, HashSet};
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use weightsmith_base_model::BaseModel;
use weightsmith_datasets::{Labelled, Source, read_labelled};
use weightsmith_ledger::{
    Appended, Cost, CurvePoint, Ledger, LedgerError, Named, Outcome, RunRecord, RunRole, Uid, Value,
};
use weightsmith_planner::{
    Decision, PerformancePredictor, Plan, Prospect, Space, TaskFeatures, loss_unit, prospect_table,
};
use weightsmith_priors::{Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{Base, Seed, Target, Task, TaskSplit, TaskType};
use weightsmith_training::InnerError;

/// Long rows of a synthetic task.
const N_LONG: usize = 500;
/// Looks up to this many steps are a run's probe.
const PROBE_STEPS: usize = 32;
const VERSION: &str = env!("CARGO_PKG_VERSION");

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

/// Where a collection looks closer: plans are drawn at random, and of so many that the predictor judges the best one is
/// trained.
#[derive(Copy, Clone, Debug)]
pub struct Focus<'a> {
    /// What judges: one of its networks, drawn anew for each training, so that what they are unsure of is tried.
    pub predictor: &'a PerformancePredictor,
    /// Plans drawn for each training.
    pub n_drawn: usize,
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
    /// Runs that there are in all.
    pub n_all: usize,
}

/// Trains and records, by drawn decisions or, with a focus, by those that a predictor holds to be good. Runs that the ledger holds are not repeated, so that a collection that was stopped goes on. `listen`
/// hears after every run, and can end the work.
///
/// # Errors
/// A ledger that cannot be written.
pub fn collect(
    ledger: &mut Ledger,
    tables: &[SuiteTable],
    metamodels: &Metamodels,
    settings: &CollectSettings,
    focus: Option<Focus<'_>>,
    listen: &mut dyn FnMut(&Collected) -> ControlFlow<()>,
) -> Result<Collected, HarnessError> {
    let prior = Prior::new(PriorConfig::default()).expect("the defaults are valid");
    let sources: Vec<TaskSource<'_>> = (0..settings.n_synthetic as u64)
        .map(TaskSource::Synthetic)
        .chain(tables.iter().map(|table| TaskSource::Table(table, OnceLock::new())))
        .collect();
    let mut state = Collected { n_new: 0, n_there: 0, n_failed: 0, first_failure: None, n_all: 0 };
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
            state.n_all += 1;
            if let Some(uid) = uid
                && ledger.level_of(uid)?.is_some()
            {
                state.n_there += 1;
            } else {
                jobs.push(job);
            }
        }
    }
    let mut failed = None;
    let work = |job: Job<'_>| job.run(&prior, metamodels);
    as_done(jobs, settings.n_threads, work, &mut |record: Result<RunRecord<Base>, String>| {
        match record.map(|record| ledger.append(&record)) {
            Ok(Ok(Appended::New(_))) => state.n_new += 1,
            // Another process may have done the same training in other time.
            Ok(Ok(Appended::There(_)) | Err(LedgerError::OtherContent { .. })) => state.n_there += 1,
            Ok(Err(error)) => {
                failed = Some(error);
                return ControlFlow::Break(());
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
    focus: Option<Focus<'a>>,
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

    /// The plan that a network of the predictor holds to be the best of some drawn at random.
    fn focused(&self, focus: Focus<'_>, features: &TaskFeatures) -> Result<Decision, String> {
        let name = format!("plan.collect.focus.{}", self.rows.source.name());
        let random =
            &mut self.settings.seed.indexed_stream(&name, &[self.rows.n_support as u64, self.recipe_idx]);
        let task_type = self.rows.source.task_type();
        let network = random.random_range(0..focus.predictor.networks.len());
        let plans: Vec<Plan> = (0..focus.n_drawn).map(|_| Space.draw(random).canonical(task_type)).collect();
        let prospect =
            |plan: &Plan| Prospect { decision: Decision::Train(*plan), n_steps: plan.n_steps(), features };
        let prospects: Vec<Prospect<'_>> = plans.iter().map(prospect).collect();
        let said = focus.predictor.networks[network].predict(&prospect_table(&prospects));
        let said = said.map_err(|error| in_one_line(&error))?;
        let said = said.values().expect("a predictor foresees a number");
        let best = (0..plans.len()).min_by(|&a, &b| said[a].total_cmp(&said[b]));
        Ok(Decision::Train(plans[best.expect("a focus draws plans")].longest()))
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
                let labelled = read.get_or_init(|| {
                    let source = Source::File(table.path.clone());
                    read_labelled(&source, &self.settings.target, Some(table.task_type))
                        .map_err(|error| in_one_line(&error))
                });
                let labelled = labelled.as_ref().map_err(Clone::clone)?;
                let split = Split::new(labelled.table.n_rows(), self.rows.n_support, 0);
                Problem::new(labelled, &split).ok_or_else(one_class)
            }
        }
    }

    fn run(&self, prior: &Prior, metamodels: &Metamodels) -> Result<RunRecord<Base>, String> {
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
        let decision = match self.focus {
            Some(focus) => self.focused(focus, features).map_err(failed)?,
            None => self.drawn(),
        };
        let mut stopwatch = Stopwatch::of_thread();
        let unit = loss_unit(support.target());
        let mut curve: Vec<CurvePoint> = Vec::new();
        let mut look = |n_steps: usize, cpu_s: f64, model: &BaseModel| {
            let Ok(Counts { short, long }) = problem.count_network(model) else { return };
            let finite = |loss: f64| Some(loss / unit).filter(|loss| loss.is_finite());
            let (long_loss, short_loss) = (finite(long.loss), finite(short.loss));
            curve.retain(|point| point.step < n_steps as u64);
            curve.push(CurvePoint { step: n_steps as u64, long_loss, short_loss, cpu_s });
        };
        let max_steps = self.settings.max_steps;
        let trained = workshop.carry_out(decision, max_steps, support, &mut |moment| {
            if is_looked_at(moment.n_steps) {
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
            Err(ArmError::Inner(InnerError::Diverged { .. })) => curve.last().map_or(0, |point| point.step),
            Err(error) => return Err(failed(in_one_line(error))),
        };
        let value = trained.is_ok().then(|| curve.last().and_then(|point| point.long_loss)).flatten();
        let metric = match support.target() {
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
                n_short: support.n_rows() as u64,
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
