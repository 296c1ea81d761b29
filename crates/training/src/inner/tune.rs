//! Recipes chosen by cross-validation inside the support rows.

use super::cross_validation::choose;
use super::problem::expected_performance;
use super::{InnerError, Moment, Recipe, Start, Trained, Training, train_base_model};
use burn::tensor::Device;
use weightsmith_tasks::{Base, Level, Seed, Support};

/// A base model trained by the recipe that cross-validation chose.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned<L: Level = Base> {
    /// The training of the chosen recipe on all rows.
    pub trained: Trained<L>,
    /// The recipe.
    pub chosen: Recipe,
    /// Each recipe's mean held-out log-loss or squared error, in the order of the grid; infinite where a
    /// training diverged.
    pub scores: Vec<(Recipe, f64)>,
    /// Trainings done, the last one included.
    pub n_trainings: usize,
}

/// Chooses a recipe of the grid by 4-fold cross-validation, stratified for classes, and trains it on all
/// rows; `watch` sees that last training.
///
/// The score is the log-loss, probabilities clipped at 1e-6, or the squared error. Each fold's encoding is
/// fitted without the rows it is scored on. Ties go to the first recipe.
///
/// # Errors
/// Those of [`Training::run`]; an empty grid, fewer than two rows, a grid of which every recipe diverges.
pub fn tune_base_model<L: Level>(
    support: &Support<L>,
    grid: &[Recipe],
    seed: Seed,
    device: &Device,
    watch: &mut dyn FnMut(&Moment<'_, L>),
) -> Result<Tuned<L>, InnerError> {
    let choice = choose(support, grid, seed, |rest, recipe| {
        train_base_model(rest, recipe, seed, device).map(|trained| trained.model)
    })?;
    let chosen = grid[choice.position].clone();
    let start = Start::Random;
    let mut trained = Training { support, start, recipe: &chosen, seed, device }.run(watch)?;
    trained.model.provenance.name = format!("{}-tuned", chosen.optimiser.name());
    trained.model.expected = Some(expected_performance(support.target().task_type(), &choice.losses));
    trained.model.validate()?;
    let n_trainings = grid.len() * choice.n_folds + 1;
    Ok(Tuned { trained, chosen, scores: grid.iter().cloned().zip(choice.scores).collect(), n_trainings })
}

#[cfg(test)]
mod tests {
    use super::super::{Optimiser, grid, testing};
    use super::*;
    use weightsmith_tasks::TaskType;

    #[test]
    fn noise_asks_for_the_strongest_decay() {
        for seed in 0..4 {
            let support = testing::noise(128, 8, seed);
            let recipes = grid(Optimiser::Adam, TaskType::Classification);
            let tuned =
                tune_base_model(&support, &recipes, Seed(seed), &testing::device(), &mut |_| {}).unwrap();
            assert_eq!(tuned.chosen.weight_decay, 10.0, "seed {seed}: {:?}", tuned.scores);
            assert_eq!((tuned.n_trainings, tuned.scores.len()), (25, 6));
            assert_eq!(tuned.trained.model.provenance.name, "adam-tuned");
            let expected = tuned.trained.model.expected.unwrap();
            // Nothing can be learned: a log-loss near that of a coin, ln 2 = 0.693.
            assert!((0.65..0.75).contains(&expected.value), "seed {seed}: {expected:?}");
            assert!(expected.low < expected.value && expected.value < expected.high);
        }
    }

    #[test]
    fn a_recipe_that_diverges_is_not_chosen() {
        let support = testing::linear_values(24, 2, 0);
        let wild = Recipe { learning_rate: 1e30, ..Recipe::default() };
        let calm = Recipe { n_epochs: 5, ..Recipe::default() };
        let tune =
            |grid: &[Recipe]| tune_base_model(&support, grid, Seed(0), &testing::device(), &mut |_| {});
        let tuned = tune(&[wild.clone(), calm.clone()]).unwrap();
        assert_eq!((tuned.chosen, tuned.scores[0].1), (calm, f64::INFINITY));
        assert_eq!(tune(&[wild]), Err(InnerError::AllDiverged { n_recipes: 1 }));
        assert_eq!(tune(&[]), Err(InnerError::EmptyGrid));
        let one = support.select(&[0]);
        assert_eq!(
            tune_base_model(&one, &[Recipe::default()], Seed(0), &testing::device(), &mut |_| {}),
            Err(InnerError::TooFewRows { n_rows: 1 })
        );
    }
}
