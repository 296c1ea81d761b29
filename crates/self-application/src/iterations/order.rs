//! Carrying out a training that was ordered: its tasks, its run record, its files.

use super::looping::{Listener, SelfApplyEvent, Workshop};
use super::self_tasks::{Labelling, SelfTasks, about_base_runs, about_own_runs, held_out_roots};
use super::training::{TrainedGeneration, train};
use super::{OwnRun, SelfTaskMode, VERSION, stream_of};
use crate::OuterRecipe;
use crate::error::SelfApplicationError;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use weightsmith_base_model::View;
use weightsmith_experiments::TrainError;
use weightsmith_experiments::{ReferenceLosses, mean};
use weightsmith_ledger::{
    Appended, Cost, Ledger, LedgerError, Named, Outcome, Parent, ParentKind, RunRecord, RunRole, Uid, Value,
};
use weightsmith_lifting::{AnyRun, Learner, LiftError, Lineage};
use weightsmith_planner::RecordedRuns;
use weightsmith_tasks::{Above, Base, Level, Seed, TaskSplit};
use weightsmith_training::{Beside, EncodedTask, OuterConfig, encode_task};

/// A training that is to be done.
pub(super) struct Order<'a> {
    pub(super) recipe: OuterRecipe,
    pub(super) mode: SelfTaskMode,
    /// The seed of the training.
    pub(super) seed: u64,
    /// The metamodel's runs that tasks may be about.
    pub(super) own: &'a [OwnRun],
    /// The seed of the loop.
    pub(super) loop_seed: u64,
}

impl Workshop<'_> {
    /// A training that is in the ledger, or is done and appended; none if it was stopped.
    pub(super) fn carry_out(
        &self,
        ledger: &mut Ledger,
        order: &Order<'_>,
        listen: &mut Listener<'_>,
    ) -> Result<Option<OwnRun>, SelfApplicationError> {
        let config = order.recipe.config(Seed(order.seed));
        let every = order.recipe.self_every().filter(|_| order.mode != SelfTaskMode::None);
        let (planned, checksum, lineage) = {
            let snapshot = ledger.snapshot()?;
            (RecordedRuns::read(&snapshot)?, snapshot.checksum().to_string(), Lineage::read(&snapshot)?)
        };
        let held_out = held_out_roots(&planned);
        let job = Job {
            order,
            config: &config,
            held_out: &held_out,
            planned: &planned,
            lineage: &lineage,
            checksum,
        };
        let none = SelfTasks::default();
        let on_world = |record| OwnRun { record: AnyRun::OnWorld(record), recipe: order.recipe };
        match (every, order.mode) {
            (Some(every), SelfTaskMode::Lifted | SelfTaskMode::Shuffled) => {
                let uid = job.uid(&job.learned_from());
                let tasks = self.self_tasks(&job, uid)?;
                if tasks.tasks.is_empty() {
                    return Err(LiftError::TooFewRows { n_rows: 0 }.into());
                }
                let beside = Beside::tasks(tasks.tasks.clone(), every);
                let made = self.made::<Above<Base>>(ledger, &job, uid, Some(beside), &tasks, listen)?;
                Ok(made.map(|record| OwnRun { record: AnyRun::OnRuns(record), recipe: order.recipe }))
            }
            (Some(every), _) => {
                let beside = Beside::prior(&config, every);
                let beside = beside.map_err(|error| TrainError::Settings(error.into()))?;
                let uid = job.uid(&[]);
                Ok(self.made::<Base>(ledger, &job, uid, Some(beside), &none, listen)?.map(on_world))
            }
            (None, _) => {
                Ok(self.made::<Base>(ledger, &job, job.uid(&[]), None, &none, listen)?.map(on_world))
            }
        }
    }

    fn self_tasks(&self, job: &Job<'_>, uid: Uid) -> Result<SelfTasks, SelfApplicationError> {
        let labelling = match job.order.mode {
            SelfTaskMode::Shuffled => Labelling::Shuffled,
            _ => Labelling::Measured,
        };
        let seed = Seed(job.order.loop_seed);
        let learner = Learner { uid, held_out: job.held_out, lineage: job.lineage };
        let mut tasks = about_base_runs(job.planned, &job.roots(), labelling, &learner, seed)?;
        let own = about_own_runs(job.order.own, self.untrained, labelling, &learner, seed)?;
        tasks.tasks.extend(own.tasks);
        tasks.runs.extend(own.runs);
        tasks.roots.extend(own.roots);
        Ok(tasks)
    }

    /// Tasks about runs on data sets that no generation learns from, in shards of one size.
    fn unseen(
        &self,
        job: &Job<'_>,
        uid: Uid,
    ) -> Result<Vec<Vec<EncodedTask<Above<Base>>>>, SelfApplicationError> {
        let none = BTreeSet::new();
        let learner = Learner { uid, held_out: &none, lineage: job.lineage };
        let tasks = about_base_runs(job.planned, job.held_out, Labelling::Measured, &learner, Seed(0))?;
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

    /// The record of a training of level `L`, which is done unless the ledger has it.
    fn made<L: Level>(
        &self,
        ledger: &mut Ledger,
        job: &Job<'_>,
        uid: Uid,
        beside: Option<Beside<L>>,
        tasks: &SelfTasks,
        listen: &mut Listener<'_>,
    ) -> Result<Option<RunRecord<L>>, SelfApplicationError> {
        if self.store.holds(uid) && ledger.level_of(uid)?.is_some() {
            return Ok(Some(ledger.get::<L>(uid)?.record));
        }
        let mut pass_on = |step: u64| listen(SelfApplyEvent::Step(step));
        let trained = train(job.config, beside, &self.reference_tasks, self.device, &mut pass_on);
        let trained = trained.map_err(TrainError::from)?;
        let Some(trained) = trained else { return Ok(None) };
        let unseen = self.unseen(job, uid)?;
        let measured = match self.pretrained(&trained.bytes) {
            Ok(pretrained) => self.reference_tasks.measure(&pretrained.metamodel, &unseen),
            // Numbers that are no longer finite: there is nothing to measure.
            Err(_) => ReferenceLosses::none(),
        };
        let acceptance = Some(mean(&measured.acceptance))
            .filter(|loss| loss.is_finite() && !measured.acceptance.is_empty());
        self.store.save(uid, &trained.bytes, &measured)?;
        let record = job.record(uid, &trained, acceptance, measured.acceptance.len(), tasks);
        match ledger.append(&record) {
            Ok(Appended::New(_) | Appended::There(_)) => Ok(Some(record)),
            // Another process was faster with the same training.
            Err(LedgerError::OtherContent { .. }) => Ok(Some(ledger.get::<L>(uid)?.record)),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a training is made of.
struct Job<'a> {
    order: &'a Order<'a>,
    config: &'a OuterConfig,
    held_out: &'a BTreeSet<String>,
    planned: &'a RecordedRuns,
    lineage: &'a Lineage,
    /// Of the snapshot that it reads.
    checksum: String,
}

impl Job<'_> {
    /// The data sets of base runs that it may learn from.
    fn roots(&self) -> BTreeSet<String> {
        self.planned.roots().difference(self.held_out).cloned().collect()
    }

    /// The runs that its tasks may be about.
    fn learned_from(&self) -> Vec<Uid> {
        let roots = self.roots();
        let base = self.planned.of_roots(&roots).into_iter().map(|at| self.planned.runs[at].record.uid);
        let own = self.order.own.iter().filter_map(|run| Some(run.on_world()?.uid));
        let all: BTreeSet<Uid> = base.chain(own).collect();
        all.into_iter().collect()
    }

    /// Its name, which follows from everything that decides it.
    fn uid(&self, learned_from: &[Uid]) -> Uid {
        let uids: Vec<String> = learned_from.iter().map(Uid::to_string).collect();
        let learned_from = Uid::derived(&uids.iter().map(String::as_str).collect::<Vec<_>>());
        let recipe = serde_json::to_string(&self.order.recipe.values()).expect("a recipe is plain data");
        let (seed, mode) = (self.order.seed.to_string(), self.order.mode.name());
        Uid::derived(&["self-apply", VERSION, &recipe, &seed, mode, &learned_from.to_string()])
    }

    fn record<L: Level>(
        &self,
        uid: Uid,
        trained: &TrainedGeneration,
        acceptance: Option<f64>,
        n_measured: usize,
        tasks: &SelfTasks,
    ) -> RunRecord<L> {
        let mut recipe = self.order.recipe.values();
        let mode = if trained.n_beside > 0 { self.order.mode.name() } else { SelfTaskMode::None.name() };
        recipe.insert("self_tasks".into(), mode.into());
        if !tasks.runs.is_empty() {
            recipe.insert("snapshot".into(), self.checksum.as_str().into());
        }
        let number = |value: u64| Value::Number(value as f64);
        let prior = stream_of(self.order.seed);
        RunRecord {
            uid,
            role: RunRole::Metamodel,
            task: "regression tables".into(),
            roots: tasks.roots.iter().cloned().chain([prior]).collect(),
            split: TaskSplit::MetaTrain,
            recipe,
            features: Named::from([
                ("n_tasks".to_string(), number(trained.n_tasks)),
                ("n_beside".to_string(), number(trained.n_beside)),
            ]),
            probe: Named::new(),
            outcome: Outcome {
                metric: "anchor_loss".into(),
                value: acceptance,
                n_short: trained.n_tasks,
                n_long: n_measured as u64,
            },
            cost: Cost { cpu_s: trained.cost.cpu_s, wall_s: trained.cost.wall_s },
            seed: self.order.seed,
            code_version: VERSION.into(),
            device: "cpu".into(),
            n_steps: self.config.n_steps,
            parents: tasks.runs.iter().map(|&uid| Parent { uid, kind: ParentKind::Data }).collect(),
            curve: trained.curve.clone(),
            level: PhantomData,
        }
    }
}
