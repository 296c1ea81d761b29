//! The search for the recipe with the lowest predicted loss.

use crate::recipes::{CostRange, OuterRecipe, recipe_table};
use std::collections::BTreeSet;
use weightsmith_tasks::{Seed, Table};

/// Random recipes that are scored first.
pub const N_SCANNED: usize = 20_000;
/// Width of the beam: the best so far, whose neighbours are scored next.
const N_CLIMBED: usize = 16;
/// Rounds of scoring neighbours, at most.
const N_ROUNDS: usize = 8;

/// The result of a search.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The recipe with the lowest predicted loss.
    pub recipe: OuterRecipe,
    /// Its predicted loss.
    pub predicted: f64,
    /// How many recipes were scored.
    pub n_scored: usize,
}

/// The recipe with the lowest predicted loss within a range of costs, those already tried excluded: a random scan of
/// [`N_SCANNED`] recipes, then a beam search over recipes that differ in one factor, until it no longer improves. `None` if
/// every recipe found was tried.
///
/// # Errors
/// Those of the predictor.
pub fn propose<E>(
    predict: &mut dyn FnMut(&Table) -> Result<Vec<f64>, E>,
    tried: &BTreeSet<OuterRecipe>,
    costs: &CostRange,
    seed: Seed,
) -> Result<Option<Proposal>, E> {
    let random = &mut seed.stream("self-application.search");
    let drawn: BTreeSet<OuterRecipe> = OuterRecipe::draws(random, costs).take(N_SCANNED).collect();
    let mut n_scored = 0;
    let mut score = |recipes: BTreeSet<OuterRecipe>| -> Result<Vec<(f64, OuterRecipe)>, E> {
        let recipes: Vec<OuterRecipe> =
            recipes.into_iter().filter(|recipe| costs.holds(recipe) && !tried.contains(recipe)).collect();
        if recipes.is_empty() {
            return Ok(Vec::new());
        }
        n_scored += recipes.len();
        Ok(predict(&recipe_table(&recipes))?.into_iter().zip(recipes).collect())
    };
    let by_score = |a: &(f64, OuterRecipe), b: &(f64, OuterRecipe)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    let mut best = score(drawn)?;
    best.sort_by(by_score);
    best.truncate(N_CLIMBED);
    for _ in 0..N_ROUNDS {
        let around = best.iter().flat_map(|(_, recipe)| recipe.neighbours()).collect();
        let lowest = best.first().map(|(score, _)| *score);
        best.extend(score(around)?);
        best.sort_by(by_score);
        best.dedup_by_key(|(_, recipe)| *recipe);
        best.truncate(N_CLIMBED);
        if best.first().map(|(score, _)| *score) >= lowest {
            break;
        }
    }
    Ok(best.first().map(|&(predicted, recipe)| Proposal { recipe, predicted, n_scored }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use weightsmith_tasks::ColumnValues;

    /// Predicts the distance to a recipe's row.
    fn far_from(best: OuterRecipe) -> impl FnMut(&Table) -> Result<Vec<f64>, Infallible> {
        let goal = recipe_table(&[best]);
        move |table: &Table| {
            let mut distances = vec![0.0; table.n_rows()];
            for (column, goal) in table.columns().iter().zip(goal.columns()) {
                match (&column.values, &goal.values) {
                    (ColumnValues::Numeric(values), ColumnValues::Numeric(goal)) => {
                        distances.iter_mut().zip(values).for_each(|(sum, value)| {
                            // Missing in both counts as equal.
                            *sum += match (value.is_nan(), goal[0].is_nan()) {
                                (true, true) => 0.0,
                                (false, false) => (value - goal[0]).abs(),
                                _ => 1.0,
                            };
                        });
                    }
                    (
                        ColumnValues::Categorical { codes, .. },
                        ColumnValues::Categorical { codes: goal, .. },
                    ) => {
                        distances.iter_mut().zip(codes).for_each(|(sum, code)| {
                            *sum += if *code == goal[0] { 0.0 } else { 1.0 };
                        });
                    }
                    _ => unreachable!("tables of recipes have columns of the same kinds"),
                }
            }
            Ok(distances)
        }
    }

    #[test]
    fn the_search_finds_the_least_and_leaves_out_what_was_tried() {
        let costs = CostRange { least: 10.0, most: 40.0 };
        let best = OuterRecipe::draw(&mut Seed(5).stream("test"), &costs).unwrap();
        let none = BTreeSet::new();
        let Ok(Some(found)) = propose(&mut far_from(best), &none, &costs, Seed(1)) else {
            panic!("there are recipes")
        };
        assert_eq!((found.recipe, found.predicted), (best, 0.0));
        assert!(found.n_scored > N_SCANNED / 2);
        let Ok(Some(next)) = propose(&mut far_from(best), &BTreeSet::from([best]), &costs, Seed(1)) else {
            panic!("there are others")
        };
        assert!(next.recipe != best && next.predicted > 0.0 && costs.holds(&next.recipe));
    }
}
