//! Recorded runs as examples to learn from: a decision, the features of its support, and its loss after numbers of steps.

use crate::error::PlannerError;
use crate::features::TaskFeatures;
use crate::predictor::surrogate_features::{
    PROBE_STEPS, Probe, SurrogateInput, surrogate_table, surrogate_table_with_probes,
};
use crate::space::Plan;
use crate::space::decision::Decision;
use rand::Rng;
use rand::seq::index::sample;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_ledger::{Filter, RunRecord, RunRole, Snapshot, Uid};
use weightsmith_lifting::{Learner, LiftError, Lifted, Lineage, Moment, Run, RunRow, RunRows, lift};
use weightsmith_tasks::{Base, Seed, Table, TaskType};

/// The version of this program, as run records have it.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The target of predictors, the logarithm of the loss as a share of the base loss, is clipped here from above: how bad a bad
/// recipe is matters little.
pub(crate) const WORST: f64 = 0.5;
/// The target is clipped here from below: how small a small loss is matters little.
const BEST: f64 = -4.0;

/// The runs of a ledger that were made by a decision of the planner's space.
#[derive(Clone, Debug, Default)]
pub struct RecordedRuns {
    /// Generations in one forward pass, and trainings by a plan.
    pub runs: Vec<RecordedRun>,
    /// The runs of methods.
    pub methods: Vec<RecordedRun>,
    /// The ancestry of the runs.
    lineage: Lineage,
}

/// A run and its decision.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    /// The record in the ledger.
    pub record: RunRecord<Base>,
    /// The decision by which it was made.
    pub decision: Decision,
    /// The features of its support.
    pub features: TaskFeatures,
}

/// An evaluation point of a run as an example: a number of steps, and the observed loss as the target.
#[derive(Copy, Clone, Debug)]
pub struct Example {
    /// The position of the run among the [`RecordedRuns`].
    pub run: usize,
    /// The number of steps before the evaluation.
    pub n_steps: usize,
    /// The natural logarithm of the loss on query rows as a share of the base loss, clipped.
    pub target: f64,
}

/// The target for a loss on query rows, which is in the unit of the features' base loss; the worst for a training that
/// diverged, which has none.
pub(crate) fn target(loss: Option<f64>, features: &TaskFeatures) -> f64 {
    loss.map_or(WORST, |loss| {
        (loss / features.get("base_loss")).max(f64::MIN_POSITIVE).ln().clamp(BEST, WORST)
    })
}

impl RecordedRuns {
    /// The runs of a snapshot of a ledger; runs of other kinds are left out.
    ///
    /// # Errors
    /// A run that is not what was appended.
    pub fn read(snapshot: &Snapshot<'_>) -> Result<Self, PlannerError> {
        let (mut runs, mut methods) = (Vec::new(), Vec::new());
        let filter = Filter { role: Some(RunRole::BaseModel), ..Filter::default() };
        for entry in snapshot.runs::<Base>(&filter)? {
            let record = entry?.record;
            let Some(features) = TaskFeatures::of_named(&record.features) else { continue };
            let task_type = match record.outcome.metric.as_str() {
                "log_loss" => TaskType::Classification,
                "relative_rmse" => TaskType::Regression,
                _ => continue,
            };
            if let Some(decision) = Decision::of_values(&record.recipe, task_type) {
                let kind = if matches!(decision, Decision::Method(_)) { &mut methods } else { &mut runs };
                kind.push(RecordedRun { record, decision, features });
            }
        }
        Ok(Self { runs, methods, lineage: Lineage::read(snapshot)? })
    }

    /// The predictor of these runs, as the lifting of runs to rows knows it.
    fn learner<'a>(&'a self, held_out: &'a BTreeSet<String>) -> Learner<'a> {
        Learner { uid: self.learner_uid(), held_out, lineage: &self.lineage }
    }

    /// The name of the predictor of these runs.
    pub fn learner_uid(&self) -> Uid {
        let runs: BTreeSet<String> =
            self.runs.iter().chain(&self.methods).map(|run| run.record.uid.to_string()).collect();
        let parts = ["predictor", VERSION].into_iter().chain(runs.iter().map(String::as_str));
        Uid::derived(&parts.collect::<Vec<_>>())
    }

    /// The number of runs.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// The most steps in the space that a training took.
    pub fn most_steps(&self) -> usize {
        let last = |run: &RecordedRun| run.record.curve.last().map_or(0, |point| point.step);
        let most = self.runs.iter().map(last).max().unwrap_or(0);
        Plan::steps().iter().copied().filter(|n_steps| *n_steps as u64 <= most).max().unwrap_or(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The data sets that the runs come from.
    pub fn roots(&self) -> BTreeSet<String> {
        self.runs.iter().chain(&self.methods).flat_map(|run| run.record.roots.iter().cloned()).collect()
    }

    /// These runs and others.
    pub fn joined(mut self, other: Self) -> Self {
        self.runs.extend(other.runs);
        self.methods.extend(other.methods);
        self.lineage = self.lineage.joined(other.lineage);
        self
    }

    /// The runs that come from none of these data sets.
    pub fn without(&self, roots: &BTreeSet<String>) -> Self {
        let rest = |runs: &[RecordedRun]| -> Vec<RecordedRun> {
            let is_rest = |run: &&RecordedRun| run.record.roots.is_disjoint(roots);
            runs.iter().filter(is_rest).cloned().collect()
        };
        Self { runs: rest(&self.runs), methods: rest(&self.methods), lineage: self.lineage.clone() }
    }

    /// Positions of the runs that come from one of these data sets.
    pub fn of_roots(&self, roots: &BTreeSet<String>) -> Vec<usize> {
        let is_of = |run: &RecordedRun| run.record.roots.iter().any(|root| roots.contains(root));
        (0..self.runs.len()).filter(|&at| is_of(&self.runs[at])).collect()
    }

    /// Positions of runs by task and number of support rows.
    pub fn by_task(&self, runs: &[usize]) -> BTreeMap<(String, u64), Vec<usize>> {
        let mut tasks: BTreeMap<(String, u64), Vec<usize>> = BTreeMap::new();
        for &at in runs {
            let record = &self.runs[at].record;
            tasks.entry((record.task.clone(), record.outcome.n_short)).or_default().push(at);
        }
        tasks
    }

    /// The loss on query rows after so many steps of a run, or of its generated weights: `Some(None)` of a training that had
    /// diverged by then, `None` if the run has no evaluation point there.
    pub fn loss_after(&self, run: usize, n_steps: usize) -> Option<Option<f64>> {
        let RecordedRun { record, decision, .. } = &self.runs[run];
        if *decision == Decision::Generate {
            return Some(record.outcome.value);
        }
        let last = record.curve.last()?.step;
        if record.outcome.value.is_none() && n_steps as u64 > last {
            return Some(None);
        }
        record.curve.iter().find(|point| point.step == n_steps as u64).map(|point| point.long_loss)
    }

    /// Evaluation points of these runs as examples: of each training at most `n_points`, drawn evenly from those at the numbers
    /// of steps in the space; of each generation its one point `n_points` times, so that it counts as much.
    pub fn examples(&self, runs: &[usize], n_points: usize, seed: Seed) -> Vec<Example> {
        let mut examples = Vec::with_capacity(runs.len() * n_points);
        for &run in runs {
            let RecordedRun { record, decision, features } = &self.runs[run];
            if *decision == Decision::Generate {
                let example = Example { run, n_steps: 0, target: target(record.outcome.value, features) };
                examples.extend(std::iter::repeat_n(example, n_points));
                continue;
            }
            let random = &mut seed.indexed_stream("planning.looks", &[run as u64]);
            let seen = self.evaluation_points(run);
            let n = n_points.min(seen.len());
            examples.extend(sample(random, seen.len(), n).into_iter().map(|at| seen[at]));
        }
        examples
    }

    /// Every evaluation point of a run at a number of steps in the space.
    pub fn evaluation_points(&self, run: usize) -> Vec<Example> {
        let features = &self.runs[run].features;
        let steps = match self.runs[run].decision {
            Decision::Generate | Decision::Method(_) => &[0][..],
            Decision::Train(_) => Plan::steps(),
        };
        let point = |&n_steps: &usize| {
            let loss = self.loss_after(run, n_steps)?;
            Some(Example { run, n_steps, target: target(loss, features) })
        };
        steps.iter().filter_map(point).collect()
    }

    /// The examples as inputs of a predictor.
    pub fn inputs(&self, examples: &[Example]) -> Vec<SurrogateInput<'_>> {
        let input = |example: &Example| {
            let RecordedRun { decision, features, .. } = &self.runs[example.run];
            SurrogateInput { decision: *decision, n_steps: example.n_steps, features }
        };
        examples.iter().map(input).collect()
    }

    /// The examples as support rows of the level above, for a predictor that will be tested on held-out data sets.
    ///
    /// # Errors
    /// Runs of several splits or of data sets that are held out, too few rows.
    pub fn lifted(
        &self,
        examples: &[Example],
        held_out: &BTreeSet<String>,
    ) -> Result<Lifted<Base>, LiftError> {
        self.lifted_as(examples, &self.learner(held_out), 0, |examples| {
            surrogate_table(&self.inputs(examples))
        })
    }

    /// [`RecordedRuns::lifted`] with the columns of each run's probe.
    ///
    /// # Errors
    /// Those of [`RecordedRuns::lifted`].
    pub fn lifted_with_probes(
        &self,
        examples: &[Example],
        held_out: &BTreeSet<String>,
    ) -> Result<Lifted<Base>, LiftError> {
        self.lifted_as(examples, &self.learner(held_out), PROBE_STEPS as u64, |examples| {
            self.table_with_probes(examples)
        })
    }

    /// The examples as a table with the columns of their runs' probes.
    pub fn table_with_probes(&self, examples: &[Example]) -> Table {
        let record = |example: &Example| &self.runs[example.run].record;
        let probes: Vec<Option<Probe>> =
            examples.iter().map(|example| Probe::of_named(&record(example).probe)).collect();
        let devices: Vec<&str> = examples.iter().map(|example| record(example).device.as_str()).collect();
        surrogate_table_with_probes(&self.inputs(examples), &probes, &devices)
    }

    /// The examples as support rows of the level above, for a learner of the caller's.
    ///
    /// # Errors
    /// Runs of several splits, of data sets that are held out, or that the learner had a part in; too few rows.
    pub fn lifted_by(&self, examples: &[Example], learner: &Learner<'_>) -> Result<Lifted<Base>, LiftError> {
        self.lifted_as(examples, learner, 0, |examples| surrogate_table(&self.inputs(examples)))
    }

    /// [`RecordedRuns::lifted_by`] with other columns; `seen` is the number of steps of each run that the columns may know of.
    pub fn lifted_as(
        &self,
        examples: &[Example],
        learner: &Learner<'_>,
        seen: u64,
        table: impl Fn(&[Example]) -> Table,
    ) -> Result<Lifted<Base>, LiftError> {
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut runs = Vec::new();
        let rows = examples
            .iter()
            .map(|example| {
                let run = *places.entry(example.run).or_insert_with(|| {
                    runs.push(example.run);
                    runs.len() - 1
                });
                match self.runs[example.run].decision {
                    Decision::Generate | Decision::Method(_) => RunRow { run, seen: 0, label: Moment::End },
                    Decision::Train(_) => RunRow { run, seen, label: Moment::After(example.n_steps as u64) },
                }
            })
            .collect();
        if examples.is_empty() {
            return Err(LiftError::TooFewRows { n_rows: 0 });
        }
        let table = table(examples);
        let unit = |run: usize, loss: Option<f64>| target(loss, &self.runs[runs[run]].features);
        let lifted: Vec<Run<'_, Base>> = runs.iter().map(|&run| (&self.runs[run].record).into()).collect();
        lift(&lifted, RunRows { table, rows }, &unit, learner)
    }

    /// The data sets, dealt into folds at random.
    pub fn folds(&self, n_folds: usize, seed: Seed) -> Vec<BTreeSet<String>> {
        let random = &mut seed.stream("planning.folds");
        let mut keyed: Vec<(u64, String)> =
            self.roots().into_iter().map(|root| (random.random(), root)).collect();
        keyed.sort();
        let mut folds = vec![BTreeSet::new(); n_folds];
        keyed.into_iter().enumerate().for_each(|(at, (_, root))| _ = folds[at % n_folds].insert(root));
        folds
    }
}
