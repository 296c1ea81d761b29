//! Repeats: the controls, which take away what self tasks are believed to do, and each method's best recipe once more.

use super::looping::{Chosen, Listener, SEEDS, SelfApplyEvent, Workshop};
use super::order::Order;
use super::{Choice, Generation, Method, SelfTaskMode};
use crate::OuterRecipe;
use crate::error::SelfApplicationError;
use std::ops::ControlFlow;
use weightsmith_ledger::Ledger;

/// The seeds of repeats, away from those of loops.
const CONTROL_SEEDS: u64 = 5_000_000;
const CONFIRM_SEEDS: u64 = 7_000_000;

/// What is repeated, and under what name.
struct Repeat<'a> {
    method: Method,
    mode: SelfTaskMode,
    at: usize,
    recipe: OuterRecipe,
    training_seed: u64,
    /// The generation whose recipe it is.
    of: &'a Generation,
    /// The runs that self tasks may be about.
    journal: &'a [Generation],
}

impl Workshop<'_> {
    /// The repeats that the settings ask for and the folder does not have yet.
    pub(super) fn repeat(
        &self,
        ledger: &mut Ledger,
        journal: &[Generation],
        is_over: &dyn Fn() -> bool,
        listen: &mut Listener<'_>,
    ) -> Result<(), SelfApplicationError> {
        let seed = self.settings.seed;
        if let Some(standing) = journal.iter().rev().find(|generation| generation.accepted) {
            let recipe = self.recipe_of(ledger, standing)?;
            for at in 0..self.settings.n_controls {
                for mode in SelfTaskMode::ALL {
                    // As many self tasks as there can be, so that what they do shows.
                    let every = (mode != SelfTaskMode::None).then_some(1);
                    let Some(recipe) = recipe.and_then(|recipe| recipe.with_self_every(every)) else {
                        continue;
                    };
                    let training_seed = CONTROL_SEEDS + SEEDS * seed + at as u64;
                    let method = Method::Control;
                    let repeat = Repeat { method, mode, at, recipe, training_seed, of: standing, journal };
                    if is_over() || self.once_more(ledger, &repeat, listen)?.is_break() {
                        return Ok(());
                    }
                }
            }
        }
        let mut journals = Vec::new();
        if self.settings.n_confirmed > 0 {
            for method in Method::SEARCHES {
                journals.push(self.store.journal(method, SelfTaskMode::Lifted, seed)?);
            }
        }
        let limit = equal_cost(&journals);
        for journal in &journals {
            let Some(best) = best_within(journal, limit) else { continue };
            let Some(recipe) = self.recipe_of(ledger, best)? else { continue };
            for at in 0..self.settings.n_confirmed {
                let training_seed = CONFIRM_SEEDS + SEEDS * seed + at as u64;
                let (method, mode) = (Method::Confirm, SelfTaskMode::Lifted);
                let repeat = Repeat { method, mode, at, recipe, training_seed, of: best, journal };
                if is_over() || self.once_more(ledger, &repeat, listen)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn recipe_of(
        &self,
        ledger: &Ledger,
        generation: &Generation,
    ) -> Result<Option<OuterRecipe>, SelfApplicationError> {
        Ok(self.own_runs(ledger, std::slice::from_ref(generation))?.first().map(|run| run.recipe))
    }

    /// A repeat, unless it is there; whether to go on.
    fn once_more(
        &self,
        ledger: &mut Ledger,
        repeat: &Repeat<'_>,
        listen: &mut Listener<'_>,
    ) -> Result<ControlFlow<()>, SelfApplicationError> {
        let Repeat { method, mode, at, recipe, training_seed, of, journal } = *repeat;
        let seed = self.settings.seed;
        // Two methods may have found the same best.
        let before = self.store.journal(method, mode, seed)?;
        let is_same = |done: &&Generation| done.generation == at && done.parent.as_ref() == Some(&of.uid);
        if before.iter().any(|done| is_same(&done)) {
            return Ok(ControlFlow::Continue(()));
        }
        let n_steps = recipe.config(weightsmith_tasks::Seed(0)).n_steps;
        let begins =
            SelfApplyEvent::Begins { generation: at, choice: Choice::Repeated, foreseen: None, n_steps };
        if listen(begins).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let checksum = ledger.snapshot()?.checksum().to_string();
        let own = self.own_runs(ledger, journal)?;
        let order = Order { recipe, mode, seed: training_seed, own: &own, loop_seed: seed };
        let Some(done) = self.carry_out(ledger, &order, listen)? else { return Ok(ControlFlow::Break(())) };
        let chosen = Chosen { recipe, choice: Choice::Repeated, foreseen: None, n_scored: 0 };
        let measured = self.measured((method, mode, at), chosen, &done, checksum)?;
        let generation = Generation { parent: Some(of.uid.clone()), ..measured };
        self.store.add(&generation)?;
        Ok(listen(SelfApplyEvent::Done(&generation)))
    }
}

/// The processor seconds that the planner and random search both have spent; a person may stop earlier.
pub(super) fn equal_cost(journals: &[Vec<Generation>]) -> f64 {
    let searches = journals.iter().filter(|journal| {
        journal.first().is_some_and(|first| matches!(first.method, Method::Planner | Method::Random))
    });
    let spent = |journal: &Vec<Generation>| journal.iter().map(|generation| generation.cpu_s).sum::<f64>();
    searches.map(spent).fold(f64::INFINITY, f64::min)
}

/// The generations that so many seconds pay for, and what they cost.
pub(super) fn paid(journal: &[Generation], seconds: f64) -> (usize, f64) {
    let mut spent = 0.0;
    for (at, generation) in journal.iter().enumerate() {
        if spent + generation.cpu_s > seconds * (1.0 + 1e-9) {
            return (at, spent);
        }
        spent += generation.cpu_s;
    }
    (journal.len(), spent)
}

/// The best on the acceptance set among the generations that these seconds pay for.
pub(super) fn best_within(journal: &[Generation], seconds: f64) -> Option<&Generation> {
    let loss = |generation: &&Generation| generation.acceptance.unwrap_or(f64::INFINITY);
    journal[..paid(journal, seconds).0].iter().min_by(|a, b| loss(a).total_cmp(&loss(b)))
}
