//! Training a metamodel by a recipe and recording it: its auxiliary tasks, its run record, its files.

use super::self_apply::{Listener, RunContext, SelfApplyEvent};
use super::self_tasks::{Labelling, SelfTasks, about_base_runs, about_metamodel_runs, held_out_roots};
use super::training::{TrainedMetamodel, train};
use super::{MetamodelRun, SelfTaskMode, VERSION, stream_of};
use crate::OuterRecipe;
use crate::error::SelfApplicationError;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use weightsmith_base_model::View;
use weightsmith_experiments::{ReferenceLosses, TrainError, mean};
use weightsmith_ledger::{
    Appended, Cost, Ledger, LedgerError, Named, Outcome, Parent, ParentKind, RunRecord, RunRole, Uid, Value,
};
use weightsmith_lifting::{AnyRun, Learner, LiftError, Lineage};
use weightsmith_planner::RecordedRuns;
use weightsmith_tasks::{Above, Base, Level, Seed, TaskSplit};
use weightsmith_training::{AuxiliaryTasks, EncodedTask, OuterConfig, encode_task};

/// The part of a run's recipe that names the snapshot of the ledger that its tasks were made from.
const SNAPSHOT: &str = "snapshot";

/// Everything that decides a training, the ledger aside.
pub(super) struct TrainingSpec<'a> {
    pub(super) recipe: OuterRecipe,
    pub(super) mode: SelfTaskMode,
    /// The seed of the training.
    pub(super) seed: u64,
    /// Runs of metamodels that auxiliary tasks may be about.
    pub(super) own: &'a [MetamodelRun],
    /// The seed of the loop.
    pub(super) loop_seed: u64,
}

impl RunContext<'_> {
    /// The run of a training: from the ledger if it was done before, else trained now and appended; `None` if it was stopped.
    pub(super) fn carry_out(
        &self,
        ledger: &mut Ledger,
        spec: &TrainingSpec<'_>,
        listen: &mut Listener<'_>,
    ) -> Result<Option<MetamodelRun>, SelfApplicationError> {
        let config = spec.recipe.config(Seed(spec.seed));
        let every = spec.recipe.self_every().filter(|_| spec.mode != SelfTaskMode::None);
        let (planned, checksum, lineage) = {
            let snapshot = ledger.snapshot()?;
            (RecordedRuns::read(&snapshot)?, snapshot.checksum().to_string(), Lineage::read(&snapshot)?)
        };
        let held_out = held_out_roots(&planned);
        let training = ResolvedTraining {
            spec,
            config: &config,
            held_out: &held_out,
            planned: &planned,
            lineage: &lineage,
            checksum,
        };
        let none = SelfTasks::default();
        let on_world = |record| MetamodelRun { record: AnyRun::OnWorld(record), recipe: spec.recipe };
        match (every, spec.mode) {
            (Some(every), SelfTaskMode::Lifted | SelfTaskMode::Shuffled) => {
                let uid = training.uid(&training.learned_from());
                let tasks = self.self_tasks(&training, uid)?;
                if tasks.tasks.is_empty() {
                    return Err(LiftError::TooFewRows { n_rows: 0 }.into());
                }
                let auxiliary = AuxiliaryTasks::of_tasks(tasks.tasks.clone(), every);
                let made =
                    self.made::<Above<Base>>(ledger, &training, uid, Some(auxiliary), &tasks, listen)?;
                Ok(made.map(|record| MetamodelRun { record: AnyRun::OnRuns(record), recipe: spec.recipe }))
            }
            (Some(every), _) => {
                let auxiliary = AuxiliaryTasks::of_prior(&config, every);
                let auxiliary = auxiliary.map_err(|error| TrainError::Settings(error.into()))?;
                let uid = training.uid(&[]);
                Ok(self.made::<Base>(ledger, &training, uid, Some(auxiliary), &none, listen)?.map(on_world))
            }
            (None, _) => Ok(self
                .made::<Base>(ledger, &training, training.uid(&[]), None, &none, listen)?
                .map(on_world)),
        }
    }

    fn self_tasks(
        &self,
        training: &ResolvedTraining<'_>,
        uid: Uid,
    ) -> Result<SelfTasks, SelfApplicationError> {
        let labelling = match training.spec.mode {
            SelfTaskMode::Shuffled => Labelling::Shuffled,
            _ => Labelling::Measured,
        };
        let seed = Seed(training.spec.loop_seed);
        let learner = Learner { uid, held_out: training.held_out, lineage: training.lineage };
        let mut tasks = about_base_runs(training.planned, &training.roots(), labelling, &learner, seed)?;
        let own = about_metamodel_runs(training.spec.own, self.untrained, labelling, &learner, seed)?;
        tasks.tasks.extend(own.tasks);
        tasks.runs.extend(own.runs);
        tasks.roots.extend(own.roots);
        Ok(tasks)
    }

    /// Tasks about runs on held-out data sets, in shards of one size.
    fn unseen(
        &self,
        training: &ResolvedTraining<'_>,
        uid: Uid,
    ) -> Result<Vec<Vec<EncodedTask<Above<Base>>>>, SelfApplicationError> {
        let none = BTreeSet::new();
        let learner = Learner { uid, held_out: &none, lineage: training.lineage };
        let tasks =
            about_base_runs(training.planned, training.held_out, Labelling::Measured, &learner, Seed(0))?;
        let view = View::Standard;
        let mut shards: Vec<Vec<EncodedTask<Above<Base>>>> = Vec::new();
        let mut sizes = Vec::new();
        for task in &tasks.tasks {
            let size = task.support().n_rows();
            let encoded = encode_task(task, view);
            match sizes.iter().position(|other| *other == size) {
                Some(at) => shards[at].push(encoded),
                None => {
                    sizes.push(size);
                    shards.push(vec![encoded]);
                }
            }
        }
        Ok(shards)
    }

    /// The record of a training of level `L`: from the ledger, else of a training that is done now.
    fn made<L: Level>(
        &self,
        ledger: &mut Ledger,
        training: &ResolvedTraining<'_>,
        uid: Uid,
        auxiliary: Option<AuxiliaryTasks<L>>,
        tasks: &SelfTasks,
        listen: &mut Listener<'_>,
    ) -> Result<Option<RunRecord<L>>, SelfApplicationError> {
        if self.store.holds(uid) && ledger.level_of(uid)?.is_some() {
            return Ok(Some(ledger.get::<L>(uid)?.record));
        }
        let mut pass_on = |step: u64| listen(SelfApplyEvent::Step(step));
        let trained = train(training.config, auxiliary, &self.reference_tasks, self.device, &mut pass_on);
        let trained = trained.map_err(TrainError::from)?;
        let Some(trained) = trained else { return Ok(None) };
        let unseen = self.unseen(training, uid)?;
        let measured = match self.pretrained(&trained.bytes) {
            Ok(pretrained) => self.reference_tasks.measure(&pretrained.metamodel, &unseen),
            // Parameters that are not finite: the training diverged and nothing can be measured.
            Err(_) => ReferenceLosses::none(),
        };
        let acceptance = Some(mean(&measured.acceptance))
            .filter(|loss| loss.is_finite() && !measured.acceptance.is_empty());
        self.store.save(uid, &trained.bytes, &measured)?;
        let record = training.record(uid, &trained, acceptance, measured.acceptance.len(), tasks);
        Ok(Some(append(ledger, record)?))
    }
}

/// Appends a run, unless another process was faster with the same training; the run that is in the ledger then. That one may
/// have read another snapshot of the ledger, as long as it learned from the same runs, and may have taken other time.
fn append<L: Level>(ledger: &mut Ledger, mut record: RunRecord<L>) -> Result<RunRecord<L>, LedgerError> {
    let uid = record.uid;
    if ledger.level_of(uid)? == Some(L::DEPTH) {
        let there = ledger.get::<L>(uid)?.record;
        if let (Some(own), Some(snapshot)) = (record.recipe.get_mut(SNAPSHOT), there.recipe.get(SNAPSHOT)) {
            own.clone_from(snapshot);
        }
    }
    match ledger.append_once(&record)? {
        Appended::New(_) => Ok(record),
        Appended::There(_) => Ok(ledger.get::<L>(uid)?.record),
    }
}

/// A training with the parts of the ledger that it reads.
struct ResolvedTraining<'a> {
    spec: &'a TrainingSpec<'a>,
    config: &'a OuterConfig,
    held_out: &'a BTreeSet<String>,
    planned: &'a RecordedRuns,
    lineage: &'a Lineage,
    /// Of the snapshot that it reads.
    checksum: String,
}

impl ResolvedTraining<'_> {
    /// The data sets whose base runs its auxiliary tasks may be about.
    fn roots(&self) -> BTreeSet<String> {
        self.planned.roots().difference(self.held_out).cloned().collect()
    }

    /// The runs that its auxiliary tasks may be about.
    fn learned_from(&self) -> Vec<Uid> {
        let roots = self.roots();
        let base = self.planned.of_roots(&roots).into_iter().map(|at| self.planned.runs[at].record.uid);
        let own = self.spec.own.iter().filter_map(|run| Some(run.on_world()?.uid));
        let all: BTreeSet<Uid> = base.chain(own).collect();
        all.into_iter().collect()
    }

    /// Its UID, derived from everything that decides it.
    fn uid(&self, learned_from: &[Uid]) -> Uid {
        let uids: Vec<String> = learned_from.iter().map(Uid::to_string).collect();
        let learned_from = Uid::derived(&uids.iter().map(String::as_str).collect::<Vec<_>>());
        let recipe = serde_json::to_string(&self.spec.recipe.values()).expect("a recipe is plain data");
        let (seed, mode) = (self.spec.seed.to_string(), self.spec.mode.name());
        Uid::derived(&["self-apply", VERSION, &recipe, &seed, mode, &learned_from.to_string()])
    }

    fn record<L: Level>(
        &self,
        uid: Uid,
        trained: &TrainedMetamodel,
        acceptance: Option<f64>,
        n_measured: usize,
        tasks: &SelfTasks,
    ) -> RunRecord<L> {
        let mut recipe = self.spec.recipe.values();
        let mode = if trained.n_auxiliary > 0 { self.spec.mode.name() } else { SelfTaskMode::None.name() };
        recipe.insert("self_tasks".into(), mode.into());
        if !tasks.runs.is_empty() {
            recipe.insert(SNAPSHOT.into(), self.checksum.as_str().into());
        }
        let number = |value: u64| Value::Number(value as f64);
        let prior = stream_of(self.spec.seed);
        RunRecord {
            uid,
            role: RunRole::Metamodel,
            task: "regression tables".into(),
            roots: tasks.roots.iter().cloned().chain([prior]).collect(),
            split: TaskSplit::MetaTrain,
            recipe,
            features: Named::from([
                ("n_tasks".to_string(), number(trained.n_tasks)),
                ("n_auxiliary".to_string(), number(trained.n_auxiliary)),
            ]),
            probe: Named::new(),
            outcome: Outcome {
                metric: "acceptance_loss".into(),
                value: acceptance,
                n_short: trained.n_tasks,
                n_long: n_measured as u64,
            },
            cost: Cost { cpu_s: trained.cost.cpu_s, wall_s: trained.cost.wall_s },
            seed: self.spec.seed,
            code_version: VERSION.into(),
            device: "cpu".into(),
            n_steps: self.config.n_steps,
            parents: tasks.runs.iter().map(|&uid| Parent { uid, kind: ParentKind::Data }).collect(),
            curve: trained.curve.clone(),
            level: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(snapshot: &str, acceptance: f64, cpu_s: f64) -> RunRecord<Base> {
        RunRecord {
            uid: Uid::derived(&["test"]),
            role: RunRole::Metamodel,
            task: "regression tables".into(),
            roots: BTreeSet::from([stream_of(1)]),
            split: TaskSplit::MetaTrain,
            recipe: Named::from([(SNAPSHOT.to_string(), snapshot.into())]),
            features: Named::new(),
            probe: Named::new(),
            outcome: Outcome {
                metric: "acceptance_loss".into(),
                value: Some(acceptance),
                n_short: 9,
                n_long: 9,
            },
            cost: Cost { cpu_s, wall_s: cpu_s },
            seed: 1,
            code_version: VERSION.into(),
            device: "cpu".into(),
            n_steps: 5,
            parents: BTreeSet::new(),
            curve: Vec::new(),
            level: PhantomData,
        }
    }

    #[test]
    fn a_training_that_another_process_did_first_is_taken_from_it_and_a_different_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("runs.ledger")).unwrap();
        let first = record("a", 0.4, 1.0);
        assert_eq!(append(&mut ledger, first.clone()).unwrap(), first);
        assert_eq!(append(&mut ledger, record("b", 0.4, 2.0)).unwrap(), first);
        let error = append(&mut ledger, record("a", 0.3, 1.0)).unwrap_err();
        assert!(matches!(error, LedgerError::OtherContent { part: "outcome", .. }), "{error}");
    }
}
