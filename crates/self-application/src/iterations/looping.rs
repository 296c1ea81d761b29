//! The loop of generations.

use super::foresee::Predictor;
use super::order::Order;
use super::self_tasks::own_label;
use super::store::Store;
use super::{Choice, Difference, Generation, Method, OwnRun, SelfTaskMode, VERSION, as_json};
use crate::error::SelfApplicationError;
use crate::{Contest, CostRange, OuterRecipe, gate, recipe_table};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use weightsmith_evaluation::Metamodels;
use weightsmith_evaluation::statistics::Bootstrap;
use weightsmith_experiments::TrainError;
use weightsmith_experiments::{N_REFERENCE_TASKS, ReferenceTasks, mean};
use weightsmith_ledger::{Ledger, Uid, Value};
use weightsmith_lifting::{AnyRun, Learner, Lineage};
use weightsmith_metamodel::Pretrained;
use weightsmith_planner::{CollectSettings, Collected, collect};
use weightsmith_tasks::{Seed, TaskSplit};

/// Generations that are chosen without foresight, until there are runs to learn from.
const N_FIRST: usize = 8;
/// One generation in so many is drawn at random after that, or the predictor would never see its own errors.
const RANDOM_ONE_IN: usize = 4;
/// The seeds of the trainings of a loop are this far from those of the next.
pub(super) const SEEDS: u64 = 1000;

/// What all trainings in a folder share, so that they compare.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfApplyFrame {
    /// Fewest seconds of a training on a free core, as estimated from its recipe.
    pub least_s: f64,
    /// Most seconds.
    pub most_s: f64,
    /// Synthetic data sets of the base runs that the first lifted tasks are about.
    pub n_data_sets: usize,
    /// Tasks of the acceptance set, and of the report set.
    #[serde(default = "n_measured")]
    pub n_measured: usize,
}

fn n_measured() -> usize {
    N_REFERENCE_TASKS
}

impl Default for SelfApplyFrame {
    fn default() -> Self {
        Self { least_s: 15.0, most_s: 25.0, n_data_sets: 64, n_measured: N_REFERENCE_TASKS }
    }
}

impl SelfApplyFrame {
    fn costs(&self) -> CostRange {
        CostRange { least: self.least_s, most: self.most_s }
    }
}

/// How a loop runs.
#[derive(Clone, Debug)]
pub struct SelfApplySettings {
    /// Where everything is kept, and where a loop goes on.
    pub folder: PathBuf,
    /// What all trainings in the folder share.
    pub frame: SelfApplyFrame,
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
    /// Repeats of the recipe that stands at the end, under each of the controls.
    pub n_controls: usize,
    /// Repeats of each method's best recipe with new seeds.
    pub n_confirmed: usize,
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

pub(super) type Listener<'a> = dyn FnMut(SelfApplyEvent<'_>) -> ControlFlow<()> + 'a;

/// Goes on with a loop, or begins it, until it has all its generations, the time is over or `listen` ends it; the generations
/// so far.
///
/// # Errors
/// A folder or a ledger that cannot be used, runs that must not be learned from.
pub fn self_apply(
    settings: &SelfApplySettings,
    device: &Device,
    listen: &mut Listener<'_>,
) -> Result<Vec<Generation>, SelfApplicationError> {
    let store = Store::open(&settings.folder, &settings.frame)?;
    let mut ledger = store.ledger()?;
    #[expect(clippy::disallowed_methods, reason = "a loop may have a budget of time")]
    let begun = Instant::now();
    if !collect_base_runs(&mut ledger, settings.frame.n_data_sets, device, listen)? {
        return store.journal(settings.method, settings.mode, settings.seed);
    }
    let reference_tasks = ReferenceTasks::new(settings.frame.n_measured);
    let untrained = reference_tasks.untrained(device);
    let workshop = Workshop { store, reference_tasks, untrained, device, settings };
    let mut journal = workshop.store.journal(settings.method, settings.mode, settings.seed)?;
    let is_over = || settings.budget.is_some_and(|budget| begun.elapsed() >= budget);
    while journal.len() < settings.n_generations {
        if is_over() {
            return Ok(journal);
        }
        let Some(generation) = workshop.next(&mut ledger, &journal, listen)? else { return Ok(journal) };
        workshop.store.add(&generation)?;
        let goes_on = listen(SelfApplyEvent::Done(&generation));
        journal.push(generation);
        if goes_on.is_break() {
            return Ok(journal);
        }
    }
    workshop.repeat(&mut ledger, &journal, &is_over, listen)?;
    Ok(journal)
}

/// Fills an empty ledger with trainings of base models on synthetic tasks; whether it is full.
fn collect_base_runs(
    ledger: &mut Ledger,
    n_data_sets: usize,
    device: &Device,
    listen: &mut Listener<'_>,
) -> Result<bool, SelfApplicationError> {
    let settings = CollectSettings {
        n_synthetic: n_data_sets,
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
    pub(super) reference_tasks: ReferenceTasks,
    /// The acceptance set's loss under the closed-form head alone.
    pub(super) untrained: f64,
    pub(super) device: &'a Device,
    pub(super) settings: &'a SelfApplySettings,
}

/// A recipe that was chosen.
pub(super) struct Chosen {
    pub(super) recipe: OuterRecipe,
    pub(super) choice: Choice,
    pub(super) foreseen: Option<f64>,
    pub(super) n_scored: usize,
}

impl Workshop<'_> {
    /// The next generation; none if it was stopped.
    fn next(
        &self,
        ledger: &mut Ledger,
        journal: &[Generation],
        listen: &mut Listener<'_>,
    ) -> Result<Option<Generation>, SelfApplicationError> {
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
                let pretrained = self.store.load(champion, self.device)?;
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
            Order { recipe: chosen.recipe, mode, seed: SEEDS * seed + at as u64, own: &own, loop_seed: seed };
        let Some(done) = self.carry_out(ledger, &order, listen)? else { return Ok(None) };
        let mut generation = self.measured((method, mode, at), chosen, &done, checksum)?;
        let champion_s = journal.iter().rev().find(|generation| generation.accepted).map(|old| old.cpu_s);
        self.judge(&mut generation, champion, champion_s)?;
        if let (Some(predictor), Some(champion), Some(foreseen)) = (predictor, champion, generation.foreseen)
        {
            let error = (own_label(generation.acceptance, self.untrained) - foreseen).abs();
            let task = format!("own runs, {} {seed}", method.name());
            predictor.record(ledger, predictor_uid, champion, &task, seed, error)?;
        }
        Ok(Some(generation))
    }

    pub(super) fn own_runs(
        &self,
        ledger: &Ledger,
        journal: &[Generation],
    ) -> Result<Vec<OwnRun>, SelfApplicationError> {
        let runs = journal.iter().filter_map(Generation::run).map(|uid| OwnRun::read(ledger, uid));
        Ok(runs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    pub(super) fn pretrained(&self, bytes: &[u8]) -> Result<Pretrained, SelfApplicationError> {
        Pretrained::from_bytes("generation", bytes, self.device).map_err(|source| {
            SelfApplicationError::Training(TrainError::Checkpoint {
                path: self.settings.folder.clone(),
                source,
            })
        })
    }

    fn choose(
        &self,
        at: usize,
        own: &[OwnRun],
        predictor: Option<&Predictor>,
    ) -> Result<Chosen, SelfApplicationError> {
        let seed = Seed(self.settings.seed);
        let costs = self.settings.frame.costs();
        let drawn = || {
            let random = &mut seed.indexed_stream("self-application.recipe", &[at as u64]);
            let drawn = OuterRecipe::draw(random, &costs);
            drawn.ok_or(SelfApplicationError::NoRecipe { least_s: costs.least, most_s: costs.most })
        };
        let tried: BTreeSet<OuterRecipe> = own.iter().map(|run| run.recipe).collect();
        let is_random = at < N_FIRST || at % RANDOM_ONE_IN == RANDOM_ONE_IN - 1;
        let proposal = match (self.settings.method, predictor) {
            (Method::Planner, Some(predictor)) if !is_random => {
                predictor.propose(&tried, &costs, Seed(SEEDS * seed.0 + at as u64))?
            }
            _ => None,
        };
        let (recipe, choice) = match (self.settings.method, &proposal) {
            _ if at == 0 => match OuterRecipe::by_hand_within(&costs) {
                Some(recipe) => (recipe, Choice::ByHand),
                None => (drawn()?, Choice::Random),
            },
            (Method::Hand, _) => match one_changed(own, self.untrained, &tried, &costs) {
                Some(recipe) => (recipe, Choice::OneChanged),
                None => (drawn()?, Choice::Random),
            },
            (_, Some(proposal)) => (proposal.recipe, Choice::Foreseen),
            (_, None) => (drawn()?, Choice::Random),
        };
        let n_scored = proposal.map_or(0, |proposal| proposal.n_scored);
        let foreseen = match predictor {
            Some(predictor) => Some(predictor.foresee(&recipe_table(&[recipe]))?[0]),
            None => None,
        };
        Ok(Chosen { recipe, choice, foreseen, n_scored })
    }

    /// A generation with what it measured, before the gate.
    pub(super) fn measured(
        &self,
        (method, mode, at): (Method, SelfTaskMode, usize),
        chosen: Chosen,
        done: &OwnRun,
        snapshot: String,
    ) -> Result<Generation, SelfApplicationError> {
        let (uid, level, figures, cpu_s) = match &done.record {
            AnyRun::OnWorld(record) => (record.uid, 0, &record.features, record.cost.cpu_s),
            AnyRun::OnRuns(record) => (record.uid, 1, &record.features, record.cost.cpu_s),
        };
        let measured = self.store.measured(uid)?;
        let finite =
            |losses: &[f32]| Some(mean(losses)).filter(|loss| loss.is_finite() && !losses.is_empty());
        let number = |name: &str| match figures.get(name) {
            Some(Value::Number(number)) => *number as u64,
            _ => 0,
        };
        Ok(Generation {
            method,
            mode,
            seed: self.settings.seed,
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
            acceptance: finite(&measured.acceptance),
            report: finite(&measured.report),
            lifted: finite(&measured.lifted),
            untrained: self.untrained,
            parent: None,
            difference: None,
            verdict: "not asked".into(),
            accepted: false,
            cpu_s,
        })
    }

    /// Asks the gate about a generation beside the one that stands.
    fn judge(
        &self,
        generation: &mut Generation,
        champion: Option<Uid>,
        champion_s: Option<f64>,
    ) -> Result<(), SelfApplicationError> {
        let (Some(uid), true) = (generation.run(), generation.acceptance.is_some()) else {
            generation.verdict = "diverged".into();
            return Ok(());
        };
        let mut contest = None;
        if let (Some(champion), Some(champion_s)) = (champion, champion_s) {
            let (new, old) =
                (self.store.measured(uid)?.acceptance, self.store.measured(champion)?.acceptance);
            let difference = paired(&new, &old);
            generation.parent = Some(champion.to_string());
            generation.difference = Some(difference);
            contest = Some(Contest {
                difference: difference.mean,
                low: difference.low,
                high: difference.high,
                cost_ratio: generation.cpu_s / champion_s,
            });
        }
        let verdict = gate(contest.as_ref());
        generation.verdict = verdict.name().into();
        generation.accepted = verdict.is_accepted();
        Ok(())
    }
}

/// The mean difference of the losses of the same tasks, with its interval over tasks.
///
/// # Panics
/// If there are fewer than two tasks.
pub(super) fn paired(new: &[f32], old: &[f32]) -> Difference {
    let differences: Vec<f64> = new.iter().zip(old).map(|(new, old)| f64::from(*new - *old)).collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    let interval = Bootstrap::default().intervals(&[differences])[0].expect("there are tasks");
    Difference { mean, low: interval.low, high: interval.high }
}

/// A level up or down from the best so far: by hand, factor after factor.
fn one_changed(
    own: &[OwnRun],
    untrained: f64,
    tried: &BTreeSet<OuterRecipe>,
    costs: &CostRange,
) -> Option<OuterRecipe> {
    let loss = |run: &&OwnRun| own_label(run.outcome(), untrained);
    let best = own.iter().min_by(|a, b| loss(a).total_cmp(&loss(b)))?;
    let mut around = best.recipe.adjacent();
    let n = around.len();
    around.rotate_left(2 * own.len() % n.max(1));
    around.into_iter().find(|recipe| costs.holds(recipe) && !tried.contains(recipe))
}
