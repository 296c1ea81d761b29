//! Recorded runs as examples of what decisions come to.

use crate::collect::{PROBE_STEPS, VERSION};
use crate::error::PlannerError;
use crate::{Decision, Plan, Probe, Prospect, TaskFeatures, probed_table, prospect_table};
use rand::Rng;
use rand::seq::index::sample;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_ledger::{Filter, RunRecord, RunRole, Snapshot, Uid};
use weightsmith_lifting::{Learner, LiftError, Lifted, Lineage, Moment, Run, RunRow, RunRows, lift};
use weightsmith_tasks::{Base, Seed, Table, TaskType};

/// Losses are foreseen by their logarithm as a share of the base loss, cut off here: how bad a bad recipe is matters little.
pub(crate) const WORST: f64 = 0.5;
/// Where losses are nearly nothing, how nearly matters little.
const BEST: f64 = -4.0;

/// The runs of a ledger whose recipe is a decision of the planner.
#[derive(Clone, Debug, Default)]
pub struct PlannedRuns {
    /// The runs.
    pub runs: Vec<PlannedRun>,
    /// What the runs were made from.
    lineage: Lineage,
}

/// A run and what was decided in it.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// As the ledger has it.
    pub record: RunRecord<Base>,
    /// What was decided.
    pub decision: Decision,
    /// What its support looked like.
    pub features: TaskFeatures,
}

/// A look at a run: what is foreseen, and what came.
#[derive(Copy, Clone, Debug)]
pub struct Example {
    /// Its run.
    pub run: usize,
    /// Steps taken by then.
    pub n_steps: usize,
    /// The label: the logarithm of the loss as a share of the base loss.
    pub target: f64,
}

/// What predictors foresee of a loss on long rows, in the unit of the features' base loss; the worst of a training that
/// diverged.
pub(crate) fn target(loss: Option<f64>, features: &TaskFeatures) -> f64 {
    loss.map_or(WORST, |loss| {
        (loss / features.get("base_loss")).max(f64::MIN_POSITIVE).ln().clamp(BEST, WORST)
    })
}

impl PlannedRuns {
    /// Those of a snapshot.
    ///
    /// # Errors
    /// A run that is not what was appended.
    pub fn read(snapshot: &Snapshot<'_>) -> Result<Self, PlannerError> {
        let mut runs = Vec::new();
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
                runs.push(PlannedRun { record, decision, features });
            }
        }
        Ok(Self { runs, lineage: Lineage::read(snapshot)? })
    }

    /// What learns from these runs.
    fn learner<'a>(&'a self, held_out: &'a BTreeSet<String>) -> Learner<'a> {
        Learner { uid: self.learner_uid(), held_out, lineage: &self.lineage }
    }

    /// Its name.
    pub fn learner_uid(&self) -> Uid {
        let runs: BTreeSet<String> = self.runs.iter().map(|run| run.record.uid.to_string()).collect();
        let parts = ["predictor", VERSION].into_iter().chain(runs.iter().map(String::as_str));
        Uid::derived(&parts.collect::<Vec<_>>())
    }

    /// The number of runs.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The data sets that they come from.
    pub fn roots(&self) -> BTreeSet<String> {
        self.runs.iter().flat_map(|run| run.record.roots.iter().cloned()).collect()
    }

    /// These runs and others.
    pub fn joined(mut self, other: Self) -> Self {
        self.runs.extend(other.runs);
        self.lineage = self.lineage.joined(other.lineage);
        self
    }

    /// The runs that come from none of these data sets.
    pub fn without(&self, roots: &BTreeSet<String>) -> Self {
        let held: BTreeSet<usize> = self.of_roots(roots).into_iter().collect();
        let rest = (0..self.len()).filter(|at| !held.contains(at));
        Self { runs: rest.map(|at| self.runs[at].clone()).collect(), ..self.clone() }
    }

    /// Positions of the runs that come from one of these data sets.
    pub fn of_roots(&self, roots: &BTreeSet<String>) -> Vec<usize> {
        let is_of = |run: &PlannedRun| run.record.roots.iter().any(|root| roots.contains(root));
        (0..self.runs.len()).filter(|&at| is_of(&self.runs[at])).collect()
    }

    /// Positions of runs by task and number of short rows.
    pub fn by_task(&self, runs: &[usize]) -> BTreeMap<(String, u64), Vec<usize>> {
        let mut tasks: BTreeMap<(String, u64), Vec<usize>> = BTreeMap::new();
        for &at in runs {
            let record = &self.runs[at].record;
            tasks.entry((record.task.clone(), record.outcome.n_short)).or_default().push(at);
        }
        tasks
    }

    /// The loss on long rows after so many steps of a run, or without steps of one that generated: none of a training that had
    /// diverged by then. None at all if the run has no look there.
    pub fn loss_after(&self, run: usize, n_steps: usize) -> Option<Option<f64>> {
        let PlannedRun { record, decision, .. } = &self.runs[run];
        if *decision == Decision::Generate {
            return Some(record.outcome.value);
        }
        let last = record.curve.last()?.step;
        if record.outcome.value.is_none() && n_steps as u64 > last {
            return Some(None);
        }
        record.curve.iter().find(|point| point.step == n_steps as u64).map(|point| point.long_loss)
    }

    /// Looks at these runs, at most `n_looks` of each drawn evenly from the steps that can be planned; generations count as
    /// much.
    pub fn examples(&self, runs: &[usize], n_looks: usize, seed: Seed) -> Vec<Example> {
        let mut examples = Vec::with_capacity(runs.len() * n_looks);
        for &run in runs {
            let PlannedRun { record, decision, features } = &self.runs[run];
            if *decision == Decision::Generate {
                let example = Example { run, n_steps: 0, target: target(record.outcome.value, features) };
                examples.extend(std::iter::repeat_n(example, n_looks));
                continue;
            }
            let random = &mut seed.indexed_stream("planning.looks", &[run as u64]);
            let seen = self.looks(run);
            let n = n_looks.min(seen.len());
            examples.extend(sample(random, seen.len(), n).into_iter().map(|at| seen[at]));
        }
        examples
    }

    /// Every look at a run at steps that can be planned.
    pub fn looks(&self, run: usize) -> Vec<Example> {
        let features = &self.runs[run].features;
        let steps = match self.runs[run].decision {
            Decision::Generate => &[0][..],
            Decision::Train(_) => Plan::steps(),
        };
        let look = |&n_steps: &usize| {
            let loss = self.loss_after(run, n_steps)?;
            Some(Example { run, n_steps, target: target(loss, features) })
        };
        steps.iter().filter_map(look).collect()
    }

    /// What predictors see of examples.
    pub fn prospects(&self, examples: &[Example]) -> Vec<Prospect<'_>> {
        let prospect = |example: &Example| {
            let PlannedRun { decision, features, .. } = &self.runs[example.run];
            Prospect { decision: *decision, n_steps: example.n_steps, features }
        };
        examples.iter().map(prospect).collect()
    }

    /// Examples as short rows of the level above, to be tested on data sets that are held out.
    ///
    /// # Errors
    /// Runs of several splits or of data sets that are held out, too few rows.
    pub fn lifted(
        &self,
        examples: &[Example],
        held_out: &BTreeSet<String>,
    ) -> Result<Lifted<Base>, LiftError> {
        self.lifted_as(examples, &self.learner(held_out), 0, |examples| {
            prospect_table(&self.prospects(examples))
        })
    }

    /// The same with what the first steps of each run showed.
    ///
    /// # Errors
    /// Those of [`PlannedRuns::lifted`].
    pub fn lifted_with_probes(
        &self,
        examples: &[Example],
        held_out: &BTreeSet<String>,
    ) -> Result<Lifted<Base>, LiftError> {
        self.lifted_as(examples, &self.learner(held_out), PROBE_STEPS as u64, |examples| {
            self.probed(examples)
        })
    }

    /// What predictors see of examples whose first steps were taken.
    pub fn probed(&self, examples: &[Example]) -> Table {
        let record = |example: &Example| &self.runs[example.run].record;
        let probes: Vec<Option<Probe>> =
            examples.iter().map(|example| Probe::of_named(&record(example).probe)).collect();
        let devices: Vec<&str> = examples.iter().map(|example| record(example).device.as_str()).collect();
        probed_table(&self.prospects(examples), &probes, &devices)
    }

    /// Examples as short rows of the level above, for a learner.
    ///
    /// # Errors
    /// Runs of several splits, of data sets that are held out, or that the learner had a part in; too few rows.
    pub fn lifted_by(&self, examples: &[Example], learner: &Learner<'_>) -> Result<Lifted<Base>, LiftError> {
        self.lifted_as(examples, learner, 0, |examples| prospect_table(&self.prospects(examples)))
    }

    /// [`PlannedRuns::lifted_by`] with other columns; `seen` tells how many steps of each run the columns know of.
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
                    Decision::Generate => RunRow { run, seen: 0, label: Moment::End },
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

    /// The data sets dealt into folds.
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
