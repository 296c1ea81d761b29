//! Repeats at the end of a loop: the incumbent's recipe under each control, and each search's best recipe with new seeds.

use super::carry_out::TrainingSpec;
use super::self_apply::{Chosen, Listener, RunContext, SEEDS, SelfApplyEvent, incumbent_of};
use super::{Choice, Iteration, RecipeSearch, SelfTaskMode};
use crate::OuterRecipe;
use crate::error::SelfApplicationError;
use std::ops::ControlFlow;
use weightsmith_ledger::Ledger;

/// Offsets that keep the seeds of repeats apart from those of loops.
const CONTROL_SEEDS: u64 = 5_000_000;
const CONFIRM_SEEDS: u64 = 7_000_000;

/// A training that repeats the recipe of an iteration.
struct Repeat<'a> {
    search: RecipeSearch,
    mode: SelfTaskMode,
    at: usize,
    recipe: OuterRecipe,
    training_seed: u64,
    /// The iteration whose recipe it is.
    of: &'a Iteration,
    /// Whose runs auxiliary tasks may be about.
    journal: &'a [Iteration],
}

impl RunContext<'_> {
    /// Trains the repeats that the settings ask for and the folder does not have yet.
    pub(super) fn repeat(
        &self,
        ledger: &mut Ledger,
        journal: &[Iteration],
        is_over: &dyn Fn() -> bool,
        listen: &mut Listener<'_>,
    ) -> Result<(), SelfApplicationError> {
        let seed = self.settings.seed;
        if let Some(incumbent) = incumbent_of(journal) {
            let recipe = self.recipe_of(ledger, incumbent)?;
            for at in 0..self.settings.n_controls {
                for mode in SelfTaskMode::ALL {
                    // A shard at every step, the most there can be, so that an effect shows.
                    let every = (mode != SelfTaskMode::None).then_some(1);
                    let Some(recipe) = recipe.and_then(|recipe| recipe.with_self_every(every)) else {
                        continue;
                    };
                    let training_seed = CONTROL_SEEDS + SEEDS * seed + at as u64;
                    let search = RecipeSearch::Control;
                    let repeat = Repeat { search, mode, at, recipe, training_seed, of: incumbent, journal };
                    if is_over() || self.once_more(ledger, &repeat, listen)?.is_break() {
                        return Ok(());
                    }
                }
            }
        }
        let mut journals = Vec::new();
        if self.settings.n_confirmed > 0 {
            for search in RecipeSearch::SEARCHES {
                journals.push(self.store.journal(search, SelfTaskMode::Lifted, seed)?);
            }
        }
        let limit = equal_cost(&journals);
        for journal in &journals {
            let Some(best) = best_within(journal, limit) else { continue };
            let Some(recipe) = self.recipe_of(ledger, best)? else { continue };
            for at in 0..self.settings.n_confirmed {
                let training_seed = CONFIRM_SEEDS + SEEDS * seed + at as u64;
                let (search, mode) = (RecipeSearch::Confirm, SelfTaskMode::Lifted);
                let repeat = Repeat { search, mode, at, recipe, training_seed, of: best, journal };
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
        iteration: &Iteration,
    ) -> Result<Option<OuterRecipe>, SelfApplicationError> {
        Ok(self.metamodel_runs(ledger, std::slice::from_ref(iteration))?.first().map(|run| run.recipe))
    }

    /// Trains a repeat unless the journal has it; `Break` if the listener stopped it.
    fn once_more(
        &self,
        ledger: &mut Ledger,
        repeat: &Repeat<'_>,
        listen: &mut Listener<'_>,
    ) -> Result<ControlFlow<()>, SelfApplicationError> {
        let Repeat { search, mode, at, recipe, training_seed, of, journal } = *repeat;
        let seed = self.settings.seed;
        // Two searches may have found the same best recipe.
        let before = self.store.journal(search, mode, seed)?;
        let is_same = |done: &&Iteration| done.iteration == at && done.parent.as_ref() == Some(&of.uid);
        if before.iter().any(|done| is_same(&done)) {
            return Ok(ControlFlow::Continue(()));
        }
        let n_steps = recipe.config(weightsmith_tasks::Seed(0)).n_steps;
        let begins =
            SelfApplyEvent::Begins { iteration: at, choice: Choice::Repeated, predicted: None, n_steps };
        if listen(begins).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let checksum = ledger.snapshot()?.checksum().to_string();
        let own = self.metamodel_runs(ledger, journal)?;
        let spec = TrainingSpec { recipe, mode, seed: training_seed, own: &own, loop_seed: seed };
        let Some(done) = self.carry_out(ledger, &spec, listen)? else { return Ok(ControlFlow::Break(())) };
        let chosen = Chosen { recipe, choice: Choice::Repeated, predicted: None, n_scored: 0 };
        let measured = self.measured((search, mode, at), chosen, &done, checksum)?;
        let iteration = Iteration { parent: Some(of.uid.clone()), ..measured };
        self.store.add(&iteration)?;
        Ok(listen(SelfApplyEvent::Done(&iteration)))
    }
}

/// The training cost, in processor seconds, that the planner and random search have both spent; the search by hand may have
/// spent less.
pub(super) fn equal_cost(journals: &[Vec<Iteration>]) -> f64 {
    let searches = journals.iter().filter(|journal| {
        journal
            .first()
            .is_some_and(|first| matches!(first.search, RecipeSearch::Planner | RecipeSearch::Random))
    });
    let spent = |journal: &Vec<Iteration>| journal.iter().map(|iteration| iteration.cpu_s).sum::<f64>();
    searches.map(spent).fold(f64::INFINITY, f64::min)
}

/// How many iterations fit into a budget of processor seconds, and what those cost.
pub(super) fn paid(journal: &[Iteration], seconds: f64) -> (usize, f64) {
    let mut spent = 0.0;
    for (at, iteration) in journal.iter().enumerate() {
        if spent + iteration.cpu_s > seconds * (1.0 + 1e-9) {
            return (at, spent);
        }
        spent += iteration.cpu_s;
    }
    (journal.len(), spent)
}

/// The iteration with the lowest loss on the acceptance set within a budget of processor seconds.
pub(super) fn best_within(journal: &[Iteration], seconds: f64) -> Option<&Iteration> {
    let loss = |iteration: &&Iteration| iteration.acceptance.unwrap_or(f64::INFINITY);
    journal[..paid(journal, seconds).0].iter().min_by(|a, b| loss(a).total_cmp(&loss(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iterations::testing::iteration;

    fn journal(search: RecipeSearch, losses: &[Option<f64>]) -> Vec<Iteration> {
        let line = |(at, loss): (usize, &Option<f64>)| Iteration { search, ..iteration(at, "a", *loss) };
        losses.iter().enumerate().map(line).collect()
    }

    #[test]
    fn searches_are_compared_at_the_cost_that_planner_and_random_have_in_common() {
        let planner = journal(RecipeSearch::Planner, &[Some(0.4), None, Some(0.3), Some(0.1)]);
        let random = journal(RecipeSearch::Random, &[Some(0.5), Some(0.2), Some(0.25)]);
        let hand = journal(RecipeSearch::Hand, &[Some(0.35)]);
        let limit = equal_cost(&[planner.clone(), random.clone(), hand.clone()]);
        assert_eq!(limit, 3.0);
        assert_eq!([&planner, &random, &hand].map(|own| paid(own, limit)), [(3, 3.0), (3, 3.0), (1, 1.0)]);
        let best = |own| best_within(own, limit).map(|best: &Iteration| best.iteration);
        // What the planner found later does not count, and what diverged is never the best.
        assert_eq!([best(&planner), best(&random), best(&hand)], [Some(2), Some(1), Some(0)]);
        assert_eq!(best_within(&planner, 0.5), None);
    }
}
