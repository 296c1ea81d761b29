//! Collecting runs in a ledger: many small trainings over tasks and plans, each recorded with the loss on its query rows after 1,
//! 2, 3, 4, 6, 8, … steps, so that one run has the loss of every number of steps.

use crate::error::PlannerError;
use crate::executor::Executor;
use crate::features::{TaskFeatures, loss_unit};
use crate::predictor::calibration::Calibration;
use crate::predictor::ensemble::{PerformancePredictor, of_each_kind};
use crate::predictor::search::SearchLimits;
use crate::predictor::surrogate_features::PROBE_STEPS;
use crate::runs::VERSION;
use crate::space::decision::Decision;
use crate::space::methods::KnownMethod;
use crate::space::{Plan, Space};
use std::collections::{BTreeSet, HashSet};
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use weightsmith_datasets::Labelled;
use weightsmith_evaluation::{
    Counts, Metamodels, MethodError, Predictor, Problem, Split, SuiteTable, is_evaluation_point,
};
use weightsmith_ledger::{
    Appended, Cost, CurvePoint, Ledger, Named, Outcome, RunRecord, RunRole, Uid, Value,
};
use weightsmith_priors::{Prior, PriorConfig, TaskShape};
use weightsmith_runtime::{Stopwatch, as_done, in_one_line};
use weightsmith_tasks::{Base, Seed, Support, Target, Task, TaskSplit, TaskType};
use weightsmith_training::InnerError;

/// Query rows of a synthetic task.
const N_QUERY: usize = 500;
/// Trainings for a task and a number of support rows in each turn of a targeted collection.
const N_TARGETED: usize = 5;
/// Support rows that a synthetic task has at least, of which smaller numbers are the first: so its rows do not depend on what else is
/// collected.
const N_SUPPORT: usize = 4096;
/// Up to so many support rows every synthetic task is taken; with twice as many every second, and so on, since their trainings
/// take long.
const ALL_TASKS_UP_TO: usize = 256;
/// Multiplications and additions that a training may cost, and what a step costs beside those of its rows.
const MOST_WORK: f64 = 2e10;
const WORK_OF_STEP: f64 = 1e6;

/// What is collected, and how much of it.
#[derive(Clone, Debug)]
pub struct CollectSettings {
    /// Synthetic tasks, half of them with classes and half with numbers.
    pub n_synthetic: usize,
    /// Numbers of support rows; of a table at most 70% are taken.
    pub n_supports: Vec<usize>,
    /// Decisions for each task and number of support rows: to generate, then plans drawn at random. Of a targeted collection,
    /// the number of turns.
    pub n_recipes: usize,
    /// Whether every method is carried out once instead, and no training.
    pub methods: bool,
    /// Steps of a training, at most; fewer where rows and units make them costly.
    pub max_steps: usize,
    /// The column of real tables to predict.
    pub target: String,
    /// What the runs may be used for.
    pub split: TaskSplit,
    /// The seed of tasks, plans and trainings.
    pub seed: Seed,
    /// Trainings at once, one core each.
    pub n_threads: usize,
}

/// The progress of a collection.
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
    /// Pieces of work that are done: a run each, or several of a targeted collection.
    pub n_done: usize,
    /// Pieces of work in all, without those whose runs the ledger held before.
    pub n_all: usize,
}

/// Executes decisions and records the runs: decisions that are drawn at random or, in a targeted collection, the best of each kind
/// that a predictor finds among all plans for each task and number of support rows, so that later predictors learn where it is
/// wrong. Runs that the ledger holds are not repeated, so that a collection that was stopped goes on. `listen` is called after every piece
/// of work and can end the collection.
///
/// # Errors
/// A ledger that cannot be written, or that another process has meanwhile written another outcome of the same training to.
pub fn collect(
    ledger: &mut Ledger,
    tables: &[SuiteTable],
    metamodels: &Metamodels,
    settings: &CollectSettings,
    targeted: Option<&PerformancePredictor>,
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
    let supports: Vec<SupportRows<'_>> = sources
        .iter()
        .flat_map(|source| settings.n_supports.iter().map(move |&n_support| (source, n_support)))
        .filter(|(source, n_support)| source.has_turn(*n_support))
        .map(|(source, n_support)| SupportRows { source, n_support, features: OnceLock::new() })
        .collect();
    let n_turns = if settings.methods { KnownMethod::COUNT + 1 } else { settings.n_recipes };
    for recipe_idx in 0..n_turns as u64 {
        for rows in &supports {
            let job = Job { rows, recipe_idx, settings, targeted };
            // The decisions of a targeted collection are not known before the features of the support are.
            let uid = targeted.is_none().then(|| job.uid(job.drawn()));
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
                    // Another turn or another process may have done the same training, in other time.
                    match ledger.append_once(&record) {
                        Ok(Appended::New(_)) => state.n_new += 1,
                        Ok(Appended::There(_)) => state.n_there += 1,
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
    /// Whether it is taken with so many support rows.
    fn has_turn(&self, n_support: usize) -> bool {
        match self {
            // Tasks with classes and with numbers take turns.
            Self::Synthetic(idx) => (idx / 2).is_multiple_of((n_support / ALL_TASKS_UP_TO).max(1) as u64),
            Self::Table(..) => true,
        }
    }

    fn name(&self, seed: Seed) -> String {
        match self {
            Self::Synthetic(idx) => format!("synthetic-{}.{idx}", seed.0),
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

/// A task with a number of support rows.
struct SupportRows<'a> {
    source: &'a TaskSource<'a>,
    n_support: usize,
    /// The features of the support, computed by the first training on it.
    features: OnceLock<TaskFeatures>,
}

/// One piece of work.
struct Job<'a> {
    rows: &'a SupportRows<'a>,
    recipe_idx: u64,
    settings: &'a CollectSettings,
    targeted: Option<&'a PerformancePredictor>,
}

impl Job<'_> {
    /// The decision of this task, number of support rows and turn, whatever else is collected: first to generate, then in turn a
    /// plan that all tasks share, so that tasks can be compared, and one of this task's own, so that many plans are seen.
    fn drawn(&self) -> Decision {
        let seed = self.settings.seed;
        let plan = match self.recipe_idx {
            0 => return Decision::Generate,
            turn if self.settings.methods => {
                return KnownMethod::all()
                    .nth(turn as usize - 1)
                    .map_or(Decision::Generate, Decision::Method);
            }
            turn if turn.is_multiple_of(2) => {
                let name = format!("plan.collect.{}", self.name());
                Space.draw(&mut seed.indexed_stream(&name, &[self.rows.n_support as u64, turn]))
            }
            turn => Space.draw(&mut seed.indexed_stream("plan.collect.shared", &[turn])),
        };
        Decision::Train(plan.canonical(self.rows.source.task_type()).longest())
    }

    /// The best trainings of each kind that a predictor finds: in the first turn by the lower confidence bound of a decision for
    /// a table, then by the mean.
    fn targeted_decisions(
        &self,
        predictor: &PerformancePredictor,
        features: &TaskFeatures,
    ) -> Result<Vec<Decision>, String> {
        let calibration = match self.recipe_idx {
            0 => predictor.calibration,
            _ => Calibration { confidence_multiplier: 0.0, ..predictor.calibration },
        };
        let ranked = predictor
            .rerank(features, &calibration, SearchLimits::default())
            .map_err(|error| in_one_line(&error))?;
        let decisions = of_each_kind(&ranked.candidates).into_iter().map(|candidate| candidate.decision);
        let trainings = decisions.filter_map(|decision| match decision {
            Decision::Generate | Decision::Method(_) => None,
            Decision::Train(plan) => Some(Decision::Train(plan.longest())),
        });
        Ok(trainings.take(N_TARGETED).collect())
    }

    fn name(&self) -> String {
        self.rows.source.name(self.settings.seed)
    }

    fn uid(&self, decision: Decision) -> Uid {
        let Self { settings, rows, .. } = self;
        let numbers = [settings.seed.0, rows.n_support as u64, settings.max_steps as u64];
        let [seed, n_support, max_steps] = numbers.map(|number| number.to_string());
        let decision = decision.to_string();
        Uid::derived(&["plan collect", VERSION, &self.name(), &seed, &n_support, &max_steps, &decision])
    }

    fn problem(&self, prior: &Prior) -> Result<Problem, String> {
        let one_class = || "the support rows are all of one class".to_string();
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

    /// Executes and records one decision, or those of a targeted collection.
    fn run(&self, prior: &Prior, metamodels: &Metamodels) -> Result<Vec<RunRecord<Base>>, String> {
        let failed = |why: String| format!("{}, {} rows: {why}", self.name(), self.rows.n_support);
        let problem = self.problem(prior).map_err(failed)?;
        let support = problem.support();
        let pretrained = metamodels.of(self.rows.source.task_type()).expect("loading made sure of it");
        let executor = Executor { pretrained, seed: self.settings.seed, shape: None, selections: None };
        let features = match self.rows.features.get() {
            Some(features) => features,
            None => {
                let features = executor.features(support).map_err(|error| failed(in_one_line(&error)))?;
                self.rows.features.get_or_init(|| features)
            }
        };
        let decisions = match self.targeted {
            Some(predictor) => self.targeted_decisions(predictor, features).map_err(failed)?,
            None => vec![self.drawn()],
        };
        decisions
            .into_iter()
            .map(|decision| self.record(decision, &problem, executor, features).map_err(failed))
            .collect()
    }

    /// Executes a decision and returns the record of the run.
    fn record(
        &self,
        decision: Decision,
        problem: &Problem,
        executor: Executor<'_>,
        features: &TaskFeatures,
    ) -> Result<RunRecord<Base>, String> {
        let rows = problem.support();
        let mut stopwatch = Stopwatch::of_thread();
        let unit = loss_unit(rows.target());
        let mut curve: Vec<CurvePoint> = Vec::new();
        let mut evaluate = |n_steps: usize, cpu_s: f64, predictor: &Predictor| {
            let Ok(Counts { support, query }) = problem.count_of(predictor) else { return };
            let finite = |loss: f64| Some(loss / unit).filter(|loss| loss.is_finite());
            let (long_loss, short_loss) = (finite(query.loss), finite(support.loss));
            curve.retain(|point| point.step < n_steps as u64);
            curve.push(CurvePoint { step: n_steps as u64, long_loss, short_loss, cpu_s });
        };
        let max_steps = affordable_steps(decision, self.settings.max_steps, rows, features);
        let trained = executor.execute(decision, max_steps, rows, &mut |moment| {
            if is_evaluation_point(moment.n_steps) {
                let cpu_s = stopwatch.cost().cpu_s;
                stopwatch.pausing(|| {
                    // Numbers that are no longer finite end the training a little later.
                    if let Ok(model) = moment.model() {
                        evaluate(moment.n_steps, cpu_s, &Predictor::Network(Box::new(model)));
                    }
                });
            }
        });
        let cost = stopwatch.cost();
        // A training that diverged has its curve up to there, and no outcome.
        let n_steps = match &trained {
            Ok((predictor, n_steps)) => {
                evaluate(*n_steps, cost.cpu_s, predictor);
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
            task: self.name(),
            roots: BTreeSet::from([self.name()]),
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

/// The most steps in the space, and at most `most`, that a training may take on these rows.
fn affordable_steps(decision: Decision, most: usize, rows: &Support, features: &TaskFeatures) -> usize {
    let Decision::Train(plan) = decision else { return most };
    let recipe = plan.recipe();
    let batch = if plan.is_stepwise() { recipe.batch_size.min(rows.n_rows()) } else { rows.n_rows() };
    let (n_inputs, n_outputs) = (features.get("log2_inputs").exp2(), features.get("log2_classes").exp2());
    let mut n_weights = 0.0;
    let mut width = n_inputs;
    for units in &recipe.hidden {
        n_weights += width * *units as f64;
        width = *units as f64;
    }
    n_weights += width * n_outputs;
    // Forward, and twice as much backward.
    let work = 3.0 * batch as f64 * n_weights + WORK_OF_STEP;
    let fits = |n_steps: &&usize| **n_steps as f64 * work <= MOST_WORK;
    Plan::steps().iter().rev().find(fits).map_or(1, |n_steps| *n_steps).min(most)
}

/// The n-th synthetic task.
fn synthetic(prior: &Prior, idx: u64, task_type: TaskType, settings: &CollectSettings) -> Task {
    let random = &mut settings.seed.indexed_stream("plan.collect.task", &[idx]);
    let n_classes = [2, 2, 3, 2, 5, 2, 4, 2][(idx / 2 % 8) as usize];
    let n_encoded = [4, 6, 8, 10, 14, 20, 30][(idx / 2 % 7) as usize];
    let n_support = settings.n_supports.iter().copied().max().unwrap_or(0).max(N_SUPPORT);
    prior.sample(&TaskShape { task_type, n_support, n_query: N_QUERY, n_classes, n_encoded }, random)
}

/// The probe of a run: the support loss before the first step and after at most [`PROBE_STEPS`], and its slope between.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use weightsmith_base_model::open_device;
    use weightsmith_ledger::{Filter, LedgerError};

    #[test]
    fn long_trainings_are_of_few_rows_and_units_and_large_sizes_of_few_tasks() {
        let device = open_device("cpu").unwrap();
        let metamodels = Metamodels::for_all(&device).unwrap();
        let pretrained = metamodels.of(TaskType::Classification).unwrap();
        let executor = Executor { pretrained, seed: Seed(0), shape: None, selections: None };
        let prior = Prior::new(PriorConfig::default()).unwrap();
        let task = synthetic(&prior, 0, TaskType::Classification, &testing::collect_settings(1, 1));
        let steps = |n_rows: usize, plan: Plan| {
            let problem = Problem::of_task(&task, n_rows).unwrap();
            let features = executor.features(problem.support()).unwrap();
            affordable_steps(Decision::Train(plan), 20_000, problem.support(), &features)
        };
        let adam = Plan::usual_adam();
        assert_eq!(steps(24, adam), 16_384);
        let (few, many) = (steps(512, adam), steps(4096, adam));
        assert!(many < few && few < 16_384 && many >= 1024, "{few} {many}");
        let sizes = [16, 256, 512, 2048]
            .map(|n| (0..64).filter(|idx| TaskSource::Synthetic(*idx).has_turn(n)).count());
        assert_eq!(sizes, [64, 64, 32, 8]);
        // As many with classes as with numbers.
        let with_classes = |idx: &u64| TaskSource::Synthetic(*idx).task_type() == TaskType::Classification;
        let large = (0..64).filter(|idx| TaskSource::Synthetic(*idx).has_turn(2048)).filter(with_classes);
        assert_eq!(large.count(), 4);
    }

    #[test]
    fn another_outcome_of_the_same_training_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let metamodels = Metamodels::for_all(&open_device("cpu").unwrap()).unwrap();
        let settings = testing::collect_settings(1, 3);
        let open = |name: &str| Ledger::open(&folder.path().join(name)).unwrap();
        let mut first = open("first.ledger");
        let go_on = &mut |_: &Collected| ControlFlow::Continue(());
        let collected = collect(&mut first, &[], &metamodels, &settings, None, go_on).unwrap();
        assert_eq!((collected.n_new, collected.n_failed), (3, 0), "{collected:?}");
        let snapshot = first.snapshot().unwrap();
        let records: Vec<RunRecord<Base>> =
            snapshot.runs(&Filter::default()).unwrap().map(|entry| entry.unwrap().record).collect();
        for (change, n_there) in [(0.0, Some(2)), (0.5, None)] {
            let name = format!("{change}.ledger");
            let mut ledger = open(&name);
            // After the first run another process writes the others: in other time, or with another outcome too.
            let mut other = |state: &Collected| {
                if state.n_new == 1 {
                    let mut beside = open(&name);
                    for mut record in records.clone() {
                        record.cost.cpu_s += 1.0;
                        record.outcome.value = record.outcome.value.map(|value| value + change);
                        if beside.level_of(record.uid).unwrap().is_none() {
                            beside.append(&record).unwrap();
                        }
                    }
                }
                ControlFlow::Continue(())
            };
            let collected = collect(&mut ledger, &[], &metamodels, &settings, None, &mut other);
            match n_there {
                Some(n_there) => assert_eq!(collected.unwrap().n_there, n_there),
                None => {
                    let error = collected.unwrap_err();
                    let is_other = matches!(
                        error,
                        PlannerError::Ledger(LedgerError::OtherContent { part: "outcome", .. })
                    );
                    assert!(is_other, "{error}");
                }
            }
        }
    }
}
