//! The loop: choose a recipe, train a metamodel by it, measure it, decide whether it replaces the incumbent.

use super::carry_out::TrainingSpec;
use super::predictor::OutcomePredictor;
use super::self_tasks::outcome_label;
use super::store::Store;
use super::{Choice, Difference, Iteration, MetamodelRun, RecipeSearch, SelfTaskMode, VERSION, as_json};
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
use weightsmith_experiments::{N_REFERENCE_TASKS, ReferenceTasks, TrainError, mean};
use weightsmith_ledger::{Ledger, Uid, Value};
use weightsmith_lifting::{AnyRun, Learner, Lineage};
use weightsmith_metamodel::Pretrained;
use weightsmith_planner::{CollectSettings, Collected, collect};
use weightsmith_tasks::{Seed, TaskSplit};

/// Iterations before the first prediction, which build up the table of runs.
const N_FIRST: usize = 8;
/// Afterwards one recipe in so many is drawn at random: a predictor that only saw its own choices could not find its errors.
const RANDOM_ONE_IN: usize = 4;
/// The highest estimated cost that can be asked for, in seconds.
const MOST_S: f64 = 10_000.0;
/// The distance between the training seeds of two loops.
pub(super) const SEEDS: u64 = 1000;

/// Settings that all loops of a folder share, so that their results compare.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfApplyFrame {
    /// Lower end of a training's estimated cost, in processor seconds; above 0.
    pub least_s: f64,
    /// Upper end; at least one and a half times the lower, at most 10,000.
    pub most_s: f64,
    /// Synthetic data sets of the base runs, trainings of base models that auxiliary tasks are about from the
    /// start; 4 to 1000.
    pub n_data_sets: usize,
    /// Tasks of the acceptance set and of the report set, each; 8 to 4096.
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
    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting that is out of its range.
    pub fn validate(&self) -> Result<(), SelfApplicationError> {
        let (least, most) = (self.least_s, self.most_s);
        let checks = [
            (least > 0.0 && most <= MOST_S, "a range of costs", "above 0 and up to 10,000 seconds"),
            (
                most >= 1.5 * least,
                "a range of costs",
                "wide: its upper end at least one and a half times its lower end",
            ),
            ((4..=1000).contains(&self.n_data_sets), "the number of data sets", "between 4 and 1000"),
            ((8..=4096).contains(&self.n_measured), "the number of tasks of a set", "between 8 and 4096"),
        ];
        match checks.into_iter().find(|(holds, ..)| !holds) {
            Some((_, name, range)) => Err(SelfApplicationError::OutOfRange { name, range }),
            None => Ok(()),
        }
    }

    fn costs(&self) -> CostRange {
        CostRange { least: self.least_s, most: self.most_s }
    }
}

/// The settings of one loop.
#[derive(Clone, Debug)]
pub struct SelfApplySettings {
    /// Holds the ledger, the metamodels and the journals; a loop that is there already is continued.
    pub folder: PathBuf,
    /// What all loops of the folder share.
    pub frame: SelfApplyFrame,
    /// Iterations in all, including those that the folder holds already.
    pub n_iterations: usize,
    /// No iteration begins after so long; without limit if `None`.
    pub budget: Option<Duration>,
    /// The seed of recipes, trainings and searches.
    pub seed: u64,
    /// How recipes are searched.
    pub search: RecipeSearch,
    /// What the auxiliary tasks are.
    pub mode: SelfTaskMode,
    /// Repeats of the final incumbent's recipe under each [`SelfTaskMode`].
    pub n_controls: usize,
    /// Repeats of each search's best recipe with new seeds.
    pub n_confirmed: usize,
}

/// Progress of a loop.
#[derive(Clone, Debug)]
pub enum SelfApplyEvent<'a> {
    /// Base runs are being collected.
    Collecting(&'a Collected),
    /// An iteration begins.
    Begins {
        /// Counted from 0.
        iteration: usize,
        /// How its recipe was chosen.
        choice: Choice,
        /// Its predicted loss on the acceptance set.
        predicted: Option<f64>,
        /// Optimiser steps of its training.
        n_steps: u64,
    },
    /// A step of the training is done; its number, counted from 1.
    Step(u64),
    /// An iteration is done.
    Done(&'a Iteration),
}

pub(super) type Listener<'a> = dyn FnMut(SelfApplyEvent<'_>) -> ControlFlow<()> + 'a;

/// Runs a loop, or continues one, until it has all its iterations, its budget is spent, or `listen` returns `Break`. Returns the
/// loop's iterations so far, earlier ones included.
///
/// # Errors
/// A folder of loops with another frame, a file or ledger that cannot be used, a range of costs without a recipe, runs that
/// must not be learned from.
pub fn self_apply(
    settings: &SelfApplySettings,
    device: &Device,
    listen: &mut Listener<'_>,
) -> Result<Vec<Iteration>, SelfApplicationError> {
    settings.frame.validate()?;
    let store = Store::open(&settings.folder, &settings.frame)?;
    let mut ledger = store.ledger()?;
    #[expect(clippy::disallowed_methods, reason = "a loop may have a budget of time")]
    let begun = Instant::now();
    if !collect_base_runs(&mut ledger, settings.frame.n_data_sets, device, listen)? {
        return store.journal(settings.search, settings.mode, settings.seed);
    }
    let reference_tasks = ReferenceTasks::new(settings.frame.n_measured);
    let untrained = reference_tasks.untrained(device);
    let context = RunContext { store, reference_tasks, untrained, device, settings };
    let mut journal = context.store.journal(settings.search, settings.mode, settings.seed)?;
    let is_over = || settings.budget.is_some_and(|budget| begun.elapsed() >= budget);
    while journal.len() < settings.n_iterations {
        if is_over() {
            return Ok(journal);
        }
        let Some(iteration) = context.next(&mut ledger, &journal, listen)? else { return Ok(journal) };
        context.store.add(&iteration)?;
        let goes_on = listen(SelfApplyEvent::Done(&iteration));
        journal.push(iteration);
        if goes_on.is_break() {
            return Ok(journal);
        }
    }
    context.repeat(&mut ledger, &journal, &is_over, listen)?;
    Ok(journal)
}

/// Collects the base runs that the ledger does not have yet; whether all are there.
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
        methods: false,
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

/// What every iteration of a loop uses.
pub(super) struct RunContext<'a> {
    pub(super) store: Store,
    pub(super) reference_tasks: ReferenceTasks,
    /// The loss of the closed-form head alone on the acceptance set.
    pub(super) untrained: f64,
    pub(super) device: &'a Device,
    pub(super) settings: &'a SelfApplySettings,
}

/// A chosen recipe, and how it was chosen.
pub(super) struct Chosen {
    pub(super) recipe: OuterRecipe,
    pub(super) choice: Choice,
    pub(super) predicted: Option<f64>,
    pub(super) n_scored: usize,
}

impl RunContext<'_> {
    /// Runs the next iteration; `None` if it was stopped.
    fn next(
        &self,
        ledger: &mut Ledger,
        journal: &[Iteration],
        listen: &mut Listener<'_>,
    ) -> Result<Option<Iteration>, SelfApplicationError> {
        let at = journal.len();
        let SelfApplySettings { search, mode, seed, .. } = *self.settings;
        let (checksum, lineage) = {
            let snapshot = ledger.snapshot()?;
            (snapshot.checksum().to_string(), Lineage::read(&snapshot)?)
        };
        let own = self.metamodel_runs(ledger, journal)?;
        let incumbent = incumbent_of(journal).and_then(Iteration::run);
        // The run that is predicted has no UID yet.
        let predictor_uid = predictor_uid((search, mode, seed), at, &checksum);
        let none = BTreeSet::new();
        let learner = Learner { uid: predictor_uid, held_out: &none, lineage: &lineage };
        let predictor = match incumbent {
            Some(incumbent) if own.len() >= N_FIRST => {
                let pretrained = self.store.load(incumbent, self.device)?;
                Some(OutcomePredictor::new(&pretrained, &own, self.untrained, &learner)?)
            }
            _ => None,
        };
        let chosen = self.choose(at, &own, predictor.as_ref())?;
        let begins = SelfApplyEvent::Begins {
            iteration: at,
            choice: chosen.choice,
            predicted: chosen.predicted,
            n_steps: chosen.recipe.config(Seed(0)).n_steps,
        };
        if listen(begins).is_break() {
            return Ok(None);
        }
        let spec = TrainingSpec {
            recipe: chosen.recipe,
            mode,
            seed: SEEDS * seed + at as u64,
            own: &own,
            loop_seed: seed,
        };
        let Some(done) = self.carry_out(ledger, &spec, listen)? else { return Ok(None) };
        let mut iteration = self.measured((search, mode, at), chosen, &done, checksum)?;
        if let Some(uid) = iteration.run() {
            let incumbent = incumbent_of(journal).and_then(|incumbent| Some((incumbent, incumbent.run()?)));
            let incumbent = match incumbent {
                Some((incumbent, uid)) => Some((incumbent, self.store.measured(uid)?.acceptance)),
                None => None,
            };
            let incumbent = incumbent.as_ref().map(|(incumbent, losses)| (*incumbent, losses.as_slice()));
            decide(&mut iteration, &self.store.measured(uid)?.acceptance, incumbent);
        }
        if let (Some(predictor), Some(incumbent), Some(predicted)) =
            (predictor, incumbent, iteration.predicted)
        {
            let error = (outcome_label(iteration.acceptance, self.untrained) - predicted).abs();
            let task = format!("metamodel runs, {} {seed}", search.name());
            predictor.record(ledger, predictor_uid, incumbent, &task, seed, error)?;
        }
        Ok(Some(iteration))
    }

    pub(super) fn metamodel_runs(
        &self,
        ledger: &Ledger,
        journal: &[Iteration],
    ) -> Result<Vec<MetamodelRun>, SelfApplicationError> {
        let runs = journal.iter().filter_map(Iteration::run).map(|uid| MetamodelRun::read(ledger, uid));
        Ok(runs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    pub(super) fn pretrained(&self, bytes: &[u8]) -> Result<Pretrained, SelfApplicationError> {
        Pretrained::from_bytes("self-apply", bytes, self.device).map_err(|source| {
            SelfApplicationError::Training(TrainError::Checkpoint {
                path: self.settings.folder.clone(),
                source,
            })
        })
    }

    fn choose(
        &self,
        at: usize,
        own: &[MetamodelRun],
        predictor: Option<&OutcomePredictor>,
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
        let proposal = match (self.settings.search, predictor) {
            (RecipeSearch::Planner, Some(predictor)) if !is_random => {
                predictor.propose(&tried, &costs, Seed(SEEDS * seed.0 + at as u64))?
            }
            _ => None,
        };
        let (recipe, choice) = match (self.settings.search, &proposal) {
            _ if at == 0 => match OuterRecipe::by_hand_within(&costs) {
                Some(recipe) => (recipe, Choice::ByHand),
                None => (drawn()?, Choice::Random),
            },
            (RecipeSearch::Hand, _) => match one_changed(own, self.untrained, &tried, &costs) {
                Some(recipe) => (recipe, Choice::OneChanged),
                None => (drawn()?, Choice::Random),
            },
            (_, Some(proposal)) => (proposal.recipe, Choice::Predicted),
            (_, None) => (drawn()?, Choice::Random),
        };
        let n_scored = proposal.map_or(0, |proposal| proposal.n_scored);
        let predicted = match predictor {
            Some(predictor) => Some(predictor.predict(&recipe_table(&[recipe]))?[0]),
            None => None,
        };
        Ok(Chosen { recipe, choice, predicted, n_scored })
    }

    /// The journal line of a finished training, before the gate's decision.
    pub(super) fn measured(
        &self,
        (search, mode, at): (RecipeSearch, SelfTaskMode, usize),
        chosen: Chosen,
        done: &MetamodelRun,
        snapshot: String,
    ) -> Result<Iteration, SelfApplicationError> {
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
        Ok(Iteration {
            search,
            mode,
            seed: self.settings.seed,
            iteration: at,
            uid: uid.to_string(),
            level,
            choice: chosen.choice,
            recipe: as_json(&chosen.recipe.values()),
            snapshot,
            n_tasks: number("n_tasks"),
            n_auxiliary: number("n_auxiliary"),
            predicted: chosen.predicted,
            n_scored: chosen.n_scored,
            acceptance: finite(&measured.acceptance),
            report: finite(&measured.report),
            lifted: finite(&measured.lifted),
            untrained: self.untrained,
            parent: None,
            difference: None,
            verdict: "not compared".into(),
            accepted: false,
            cpu_s,
        })
    }
}

/// The incumbent of a loop: the metamodel that was accepted last.
pub(super) fn incumbent_of(journal: &[Iteration]) -> Option<&Iteration> {
    journal.iter().rev().find(|iteration| iteration.accepted)
}

/// Enters the gate's decision about an iteration with these losses on the acceptance set, compared with the incumbent and its
/// losses on the same tasks. A training that diverged is never accepted.
fn decide(iteration: &mut Iteration, losses: &[f32], incumbent: Option<(&Iteration, &[f32])>) {
    if iteration.acceptance.is_none() {
        iteration.verdict = "diverged".into();
        return;
    }
    let contest = incumbent.map(|(incumbent, of_incumbent)| {
        let difference = paired(losses, of_incumbent);
        iteration.parent = Some(incumbent.uid.clone());
        iteration.difference = Some(difference);
        Contest {
            difference: difference.mean,
            low: difference.low,
            high: difference.high,
            cost_ratio: iteration.cpu_s / incumbent.cpu_s,
        }
    });
    let verdict = gate(contest.as_ref());
    iteration.verdict = verdict.name().into();
    iteration.accepted = verdict.is_accepted();
}

/// The UID of the predictor of an iteration. Loops that read the same snapshot have predictors of their own, since each is
/// checked against another training.
fn predictor_uid((search, mode, seed): (RecipeSearch, SelfTaskMode, u64), at: usize, snapshot: &str) -> Uid {
    let (seed, at) = (seed.to_string(), at.to_string());
    Uid::derived(&["self-apply predictor", VERSION, search.name(), mode.name(), &seed, &at, snapshot])
}

/// The mean paired difference of two metamodels' losses on the same tasks, with its bootstrap interval over tasks.
///
/// # Panics
/// If there are fewer than two tasks.
pub(super) fn paired(new: &[f32], old: &[f32]) -> Difference {
    let differences: Vec<f64> = new.iter().zip(old).map(|(new, old)| f64::from(*new - *old)).collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    let interval = Bootstrap::default().intervals(&[differences])[0].expect("there are tasks");
    Difference { mean, low: interval.low, high: interval.high }
}

/// An untried recipe that is one level of one factor away from the best so far; the factors take turns.
fn one_changed(
    own: &[MetamodelRun],
    untrained: f64,
    tried: &BTreeSet<OuterRecipe>,
    costs: &CostRange,
) -> Option<OuterRecipe> {
    let loss = |run: &&MetamodelRun| outcome_label(run.outcome(), untrained);
    let best = own.iter().min_by(|a, b| loss(a).total_cmp(&loss(b)))?;
    let mut around = best.recipe.adjacent();
    let n = around.len();
    around.rotate_left(2 * own.len() % n.max(1));
    around.into_iter().find(|recipe| costs.holds(recipe) && !tried.contains(recipe))
}

#[cfg(test)]
mod tests;
