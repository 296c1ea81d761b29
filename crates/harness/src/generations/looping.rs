//! The loop of generations.

use super::foresee::Predictor;
use super::self_tasks::{Labelling, SelfTasks, about_base_runs, about_own_runs, held_out_roots, own_label};
use super::store::Store;
use super::training::{TrainedGeneration, train};
use super::yardsticks::{Yardsticks, mean};
use super::{Choice, Difference, Generation, Method, OwnRun, SelfTaskMode, VERSION, as_json};
use crate::collect::{CollectSettings, Collected, collect};
use crate::error::HarnessError;
use crate::evaluate::Metamodels;
use crate::planning::PlannedRuns;
use crate::statistics::Bootstrap;
use crate::train::TrainError;
use burn::tensor::Device;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use weightsmith_ledger::{
    Appended, Cost, Ledger, LedgerError, Named, Outcome, Parent, ParentKind, RunRecord, RunRole, Uid, Value,
};
use weightsmith_metamodel::Pretrained;
use weightsmith_self_application::{
    AnyRun, Contest, CostRange, Learner, Lineage, OuterRecipe, gate, recipe_table,
};
use weightsmith_tasks::{Above, Base, Level, Seed, TaskSplit};
use weightsmith_training::{Beside, EncodedTask, OuterConfig, encode_task};

/// Generations that are chosen without foresight, until there are runs to learn from.
const N_FIRST: usize = 8;
/// One generation in so many is drawn at random after that, or the predictor would never see its own errors.
const RANDOM_ONE_IN: usize = 4;
/// What a training may cost.
const COSTS: CostRange = CostRange { least: 15.0, most: 25.0 };
/// Synthetic data sets of the base runs that the first lifted tasks are about.
const N_DATA_SETS: usize = 64;

/// How a loop runs.
#[derive(Clone, Debug)]
pub struct SelfApplySettings {
    /// Where everything is kept, and where a loop goes on.
    pub folder: PathBuf,
    /// Generations in all, those that were there before included.
    pub n_generations: usize,
    /// No generation begins after so long.
    pub budget: Option<Duration>,
    /// Of recipes, trainings and searches.
    pub seed: u64,
    /// How recipes are come by.
    pub method: Method,
    /// What fills the shards of lifted tasks.
    pub mode: SelfTaskMode,
}

/// What a loop tells while it runs.
#[derive(Clone, Debug)]
pub enum SelfApplyEvent<'a> {
    /// Base runs are being collected, which the first lifted tasks are about.
    Collecting(&'a Collected),
    /// A generation begins.
    Begins {
        /// Counted from 0.
        generation: usize,
        /// How its recipe was chosen.
        choice: Choice,
        /// What is foreseen of it.
        foreseen: Option<f64>,
        /// Steps of its training.
        n_steps: u64,
    },
    /// After a step.
    Step(u64),
    /// A generation is done.
    Done(&'a Generation),
}

type Listener<'a> = dyn FnMut(SelfApplyEvent<'_>) -> ControlFlow<()> + 'a;

/// Goes on with a loop, or begins it, until it has all its generations, the time is over or `listen` ends it; the generations
/// so far.
///
/// # Errors
/// A folder or a ledger that cannot be used, runs that must not be learned from.
pub fn self_apply(
    settings: &SelfApplySettings,
    device: &Device,
    listen: &mut Listener<'_>,
) -> Result<Vec<Generation>, HarnessError> {
    let store = Store::open(&settings.folder)?;
    let mut ledger = store.ledger()?;
    let begun = Instant::now();
    if !collect_base_runs(&mut ledger, device, listen)? {
        return store.journal(settings.method, settings.mode, settings.seed);
    }
    let yardsticks = Yardsticks::new();
    let untrained = yardsticks.untrained(device);
    let workshop = Workshop { store, yardsticks, untrained, device, settings };
    let mut journal = workshop.store.journal(settings.method, settings.mode, settings.seed)?;
    while journal.len() < settings.n_generations
        && settings.budget.is_none_or(|budget| begun.elapsed() < budget)
    {
        match workshop.next(&mut ledger, &journal, listen)? {
            None => break,
            Some(generation) => {
                workshop.store.add(&generation)?;
                let goes_on = listen(SelfApplyEvent::Done(&generation));
                journal.push(generation);
                if goes_on.is_break() {
                    break;
                }
            }
        }
    }
    Ok(journal)
}

/// Fills an empty ledger with trainings of base models on synthetic tasks; whether it is full.
fn collect_base_runs(
    ledger: &mut Ledger,
    device: &Device,
    listen: &mut Listener<'_>,
) -> Result<bool, HarnessError> {
    let settings = CollectSettings {
        n_synthetic: N_DATA_SETS,
        n_supports: vec![32, 128],
        n_recipes: 20,
        max_steps: 512,
        target: String::new(),
        split: TaskSplit::MetaTrain,
        seed: Seed(0),
        n_threads: 1,
    };
    let metamodels = Metamodels::for_all(device)?;
    let collected = collect(ledger, &[], &metamodels, &settings, None, &mut |collected| {
        listen(SelfApplyEvent::Collecting(collected))
    })?;
    Ok(collected.n_done == collected.n_all)
}

/// What generations are made with.
pub(super) struct Workshop<'a> {
    pub(super) store: Store,
    pub(super) yardsticks: Yardsticks,
    /// The anchor's loss under the closed-form head alone.
    pub(super) untrained: f64,
    pub(super) device: &'a Device,
    pub(super) settings: &'a SelfApplySettings,
}

/// A recipe that was chosen.
struct Chosen {
    recipe: OuterRecipe,
    choice: Choice,
    foreseen: Option<f64>,
    n_scored: usize,
}

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
    /// The next generation; none if it was stopped.
    fn next(
        &self,
        ledger: &mut Ledger,
        journal: &[Generation],
        listen: &mut Listener<'_>,
    ) -> Result<Option<Generation>, HarnessError> {
        let at = journal.len();
        let SelfApplySettings { method, mode, seed, .. } = *self.settings;
        let (checksum, lineage) = {
            let snapshot = ledger.snapshot()?;
            (snapshot.checksum().to_string(), Lineage::read(&snapshot)?)
        };
        let own = self.own_runs(ledger, journal)?;
        let champion = journal.iter().rev().find(|generation| generation.accepted);
        let champion = champion.and_then(Generation::run);
        // The predictor is made before the run that it foresees has a name.
        let predictor_uid = Uid::derived(&["self-apply predictor", VERSION, &checksum, &at.to_string()]);
        let none = BTreeSet::new();
        let learner = Learner { uid: predictor_uid, held_out: &none, lineage: &lineage };
        let predictor = match champion {
            Some(champion) if own.len() >= N_FIRST => {
                let bytes = self.store.metamodel(champion)?;
                let pretrained = self.pretrained(&bytes)?;
                Some(Predictor::new(&pretrained, &own, self.untrained, &learner)?)
            }
            _ => None,
        };
        let chosen = self.choose(at, &own, predictor.as_ref())?;
        let begins = SelfApplyEvent::Begins {
            generation: at,
            choice: chosen.choice,
            foreseen: chosen.foreseen,
            n_steps: chosen.recipe.config(Seed(0)).n_steps,
        };
        if listen(begins).is_break() {
            return Ok(None);
        }
        let order =
            Order { recipe: chosen.recipe, mode, seed: 1000 * seed + at as u64, own: &own, loop_seed: seed };
        let Some(done) = self.carry_out(ledger, &order, listen)? else { return Ok(None) };
        let generation = self.judged(at, chosen, &done, checksum, champion, journal)?;
        if let (Some(predictor), Some(champion), Some(foreseen)) = (predictor, champion, generation.foreseen)
        {
            let error = (own_label(generation.anchor, self.untrained) - foreseen).abs();
            let task = format!("own runs, {} {seed}", method.name());
            predictor.record(ledger, predictor_uid, champion, &task, seed, error)?;
        }
        Ok(Some(generation))
    }

    pub(super) fn own_runs(
        &self,
        ledger: &Ledger,
        journal: &[Generation],
    ) -> Result<Vec<OwnRun>, HarnessError> {
        let runs = journal.iter().filter_map(Generation::run).map(|uid| OwnRun::read(ledger, uid));
        Ok(runs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    pub(super) fn pretrained(&self, bytes: &[u8]) -> Result<Pretrained, HarnessError> {
        Pretrained::from_bytes("generation", bytes, self.device).map_err(|source| {
            HarnessError::Training(TrainError::Checkpoint { path: self.settings.folder.clone(), source })
        })
    }

    fn choose(
        &self,
        at: usize,
        own: &[OwnRun],
        predictor: Option<&Predictor>,
    ) -> Result<Chosen, HarnessError> {
        let seed = Seed(self.settings.seed);
        let drawn =
            || OuterRecipe::draw(&mut seed.indexed_stream("self-application.recipe", &[at as u64]), &COSTS);
        let tried: BTreeSet<OuterRecipe> = own.iter().map(|run| run.recipe).collect();
        let is_random = at < N_FIRST || at % RANDOM_ONE_IN == RANDOM_ONE_IN - 1;
        let mut n_scored = 0;
        let (recipe, choice) = match (self.settings.method, predictor) {
            _ if at == 0 => (OuterRecipe::by_hand(), Choice::ByHand),
            (Method::Hand, _) => match one_changed(own, self.untrained, &tried) {
                Some(recipe) => (recipe, Choice::OneChanged),
                None => (drawn(), Choice::Random),
            },
            (Method::Planner, Some(predictor)) if !is_random => {
                let search = Seed(1000 * seed.0 + at as u64);
                let proposal = predictor.propose(&tried, &COSTS, search)?;
                n_scored = proposal.n_scored;
                (proposal.recipe, Choice::Foreseen)
            }
            _ => (drawn(), Choice::Random),
        };
        let foreseen = match predictor {
            Some(predictor) => Some(predictor.foresee(&recipe_table(&[recipe]))?[0]),
            None => None,
        };
        Ok(Chosen { recipe, choice, foreseen, n_scored })
    }

    /// A training that is in the ledger, or is done and appended; none if it was stopped.
    pub(super) fn carry_out(
        &self,
        ledger: &mut Ledger,
        order: &Order<'_>,
        listen: &mut Listener<'_>,
    ) -> Result<Option<OwnRun>, HarnessError> {
        let config = order.recipe.config(Seed(order.seed));
        let every = order.recipe.self_every().filter(|_| order.mode != SelfTaskMode::None);
        let (planned, checksum, lineage) = {
            let snapshot = ledger.snapshot()?;
            (PlannedRuns::read(&snapshot)?, snapshot.checksum().to_string(), Lineage::read(&snapshot)?)
        };
        let held_out = held_out_roots(&planned);
        let parts = |tasks: &SelfTasks| {
            let uids: Vec<String> = tasks.runs.iter().map(Uid::to_string).collect();
            let recipe = serde_json::to_string(&order.recipe.values()).expect("a recipe is plain data");
            Uid::derived(&[
                "self-apply",
                VERSION,
                &recipe,
                &order.seed.to_string(),
                order.mode.name(),
                &Uid::derived(&uids.iter().map(String::as_str).collect::<Vec<_>>()).to_string(),
            ])
        };
        let job = Job {
            order,
            config: &config,
            held_out: &held_out,
            planned: &planned,
            lineage: &lineage,
            checksum,
        };
        match (every, order.mode) {
            (Some(every), SelfTaskMode::Lifted | SelfTaskMode::Shuffled) => {
                let tasks = self.self_tasks(&job)?;
                let uid = parts(&tasks);
                // The rows were lifted for a run that has its name from them: it must not be among what they are about.
                if tasks.runs.iter().any(|run| lineage.descends(*run, uid)) {
                    return Err(
                        weightsmith_self_application::LiftError::OwnAncestry { uid, learner: uid }.into()
                    );
                }
                let beside = Beside::tasks(tasks.tasks.clone(), every);
                let made = self.made::<Above<Base>>(ledger, &job, uid, Some(beside), &tasks, listen)?;
                Ok(made.map(|record| OwnRun { record: AnyRun::OnRuns(record), recipe: order.recipe }))
            }
            (Some(every), _) => {
                let none = SelfTasks::default();
                let beside =
                    Beside::prior(&config, every).map_err(|error| TrainError::Settings(error.into()))?;
                let made = self.made::<Base>(ledger, &job, parts(&none), Some(beside), &none, listen)?;
                Ok(made.map(|record| OwnRun { record: AnyRun::OnWorld(record), recipe: order.recipe }))
            }
            (None, _) => {
                let none = SelfTasks::default();
                let made = self.made::<Base>(ledger, &job, parts(&none), None, &none, listen)?;
                Ok(made.map(|record| OwnRun { record: AnyRun::OnWorld(record), recipe: order.recipe }))
            }
        }
    }

    fn self_tasks(&self, job: &Job<'_>) -> Result<SelfTasks, HarnessError> {
        let labelling = match job.order.mode {
            SelfTaskMode::Shuffled => Labelling::Shuffled,
            _ => Labelling::Measured,
        };
        let seed = Seed(job.order.loop_seed);
        // What learns has no name yet: that follows from what it learns from, and is checked against it then.
        let learner = Learner { uid: Uid(0), held_out: job.held_out, lineage: job.lineage };
        let roots: BTreeSet<String> = job.planned.roots().difference(job.held_out).cloned().collect();
        let mut tasks = about_base_runs(job.planned, &roots, labelling, &learner, seed)?;
        let own = about_own_runs(job.order.own, self.untrained, labelling, &learner, seed)?;
        tasks.tasks.extend(own.tasks);
        tasks.runs.extend(own.runs);
        tasks.roots.extend(own.roots);
        Ok(tasks)
    }

    /// Tasks about runs on data sets that no generation learns from, in shards of one size.
    fn unseen(&self, job: &Job<'_>) -> Result<Vec<Vec<EncodedTask<Above<Base>>>>, HarnessError> {
        let none = BTreeSet::new();
        let learner = Learner { uid: Uid(0), held_out: &none, lineage: job.lineage };
        let tasks = about_base_runs(job.planned, job.held_out, Labelling::Measured, &learner, Seed(0))?;
        let view = weightsmith_base_model::View::Standard;
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
    ) -> Result<Option<RunRecord<L>>, HarnessError> {
        if self.store.holds(uid) && ledger.level_of(uid)?.is_some() {
            return Ok(Some(ledger.get::<L>(uid)?.record));
        }
        let mut pass_on = |step: u64| listen(SelfApplyEvent::Step(step));
        let trained = train(job.config, beside, &self.yardsticks, self.device, &mut pass_on);
        let trained = trained.map_err(TrainError::from)?;
        let Some(trained) = trained else { return Ok(None) };
        let unseen = self.unseen(job)?;
        let measured = match self.pretrained(&trained.bytes) {
            Ok(pretrained) => self.yardsticks.measure(&pretrained.metamodel, &unseen),
            // Numbers that are no longer finite: there is nothing to measure.
            Err(_) => self.yardsticks.nothing(),
        };
        let anchor =
            Some(mean(&measured.anchor)).filter(|loss| loss.is_finite() && !measured.anchor.is_empty());
        self.store.save(uid, &trained.bytes, &measured)?;
        let record = job.record(uid, &trained, anchor, measured.anchor.len(), tasks);
        match ledger.append(&record) {
            Ok(Appended::New(_) | Appended::There(_)) => Ok(Some(record)),
            // Another process was faster with the same training.
            Err(LedgerError::OtherContent { .. }) => Ok(Some(ledger.get::<L>(uid)?.record)),
            Err(error) => Err(error.into()),
        }
    }

    /// A generation beside the one that stands.
    fn judged(
        &self,
        at: usize,
        chosen: Chosen,
        done: &OwnRun,
        snapshot: String,
        champion: Option<Uid>,
        journal: &[Generation],
    ) -> Result<Generation, HarnessError> {
        let SelfApplySettings { method, mode, seed, .. } = *self.settings;
        let (uid, level, figures, cpu_s) = match &done.record {
            AnyRun::OnWorld(record) => (record.uid, 0, &record.features, record.cost.cpu_s),
            AnyRun::OnRuns(record) => (record.uid, 1, &record.features, record.cost.cpu_s),
        };
        let measured = self.store.measured(uid)?;
        let finite =
            |losses: &[f32]| Some(mean(losses)).filter(|loss| loss.is_finite() && !losses.is_empty());
        let anchor = finite(&measured.anchor);
        let (mut difference, mut contest) = (None, None);
        if let (Some(champion), Some(_)) = (champion, anchor) {
            let old = self.store.measured(champion)?.anchor;
            let differences: Vec<f64> =
                measured.anchor.iter().zip(&old).map(|(new, old)| f64::from(*new - *old)).collect();
            let cost = journal.iter().rev().find(|generation| generation.run() == Some(champion));
            if let Some(interval) = Bootstrap::default().intervals(std::slice::from_ref(&differences))[0] {
                let mean = differences.iter().sum::<f64>() / differences.len() as f64;
                difference = Some(Difference { mean, low: interval.low, high: interval.high });
                contest = Some(Contest {
                    difference: mean,
                    low: interval.low,
                    high: interval.high,
                    cost_ratio: cost.map_or(1.0, |old| cpu_s / old.cpu_s),
                });
            }
        }
        let is_kept = champion.is_some() && contest.is_none();
        let verdict = gate(contest.as_ref());
        let number = |name: &str| match figures.get(name) {
            Some(Value::Number(number)) => *number as u64,
            _ => 0,
        };
        Ok(Generation {
            method,
            mode,
            seed,
            generation: at,
            uid: uid.to_string(),
            level,
            choice: chosen.choice,
            recipe: as_json(&chosen.recipe.values()),
            snapshot,
            n_tasks: number("n_tasks"),
            n_beside: number("n_beside"),
            foreseen: chosen.foreseen,
            n_scored: chosen.n_scored,
            anchor,
            second: finite(&measured.second),
            lifted: finite(&measured.lifted),
            untrained: self.untrained,
            parent: champion.map(|uid| uid.to_string()),
            difference,
            verdict: if is_kept { "diverged" } else { verdict.name() }.to_string(),
            accepted: verdict.is_accepted() && !is_kept && anchor.is_some(),
            cpu_s,
        })
    }
}

/// A level up or down from the best so far: by hand, factor after factor.
fn one_changed(own: &[OwnRun], untrained: f64, tried: &BTreeSet<OuterRecipe>) -> Option<OuterRecipe> {
    let loss = |run: &&OwnRun| own_label(run.outcome(), untrained);
    let best = own.iter().min_by(|a, b| loss(a).total_cmp(&loss(b)))?;
    let mut around = best.recipe.adjacent();
    let n = around.len();
    around.rotate_left(2 * own.len() % n.max(1));
    around.into_iter().find(|recipe| COSTS.holds(recipe) && !tried.contains(recipe))
}

/// What a training is made of.
struct Job<'a> {
    order: &'a Order<'a>,
    config: &'a OuterConfig,
    held_out: &'a BTreeSet<String>,
    planned: &'a PlannedRuns,
    lineage: &'a Lineage,
    /// Of the snapshot that it reads.
    checksum: String,
}

impl Job<'_> {
    fn record<L: Level>(
        &self,
        uid: Uid,
        trained: &TrainedGeneration,
        anchor: Option<f64>,
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
        let prior = format!("prior, seed {}", self.order.seed);
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
                value: anchor,
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
