//! Every decision about one training of a base model.

use super::InnerError;
use serde::{Deserialize, Serialize};
use weightsmith_base_model::Activation;
use weightsmith_tasks::TaskType;

/// The rule of the inner steps.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimiser {
    /// Adam with β₁ 0.9, β₂ 0.999, ε 1e-8; the decay is part of the loss.
    #[default]
    Adam,
    /// The same with the decay decoupled: each step takes `learning_rate * weight_decay / n_batch` of a
    /// weight.
    AdamW,
    /// Gradient descent with Nesterov momentum 0.9; the decay is part of the loss.
    Sgd,
}

impl Optimiser {
    /// What a base model's provenance calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamW => "adamw",
            Self::Sgd => "sgd",
        }
    }
}

/// Every decision about one training of a base model; the seed is the run's. The default is the outside
/// scorer's untuned network: 64 units, Adam, 200 epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Units of each hidden layer, from the inputs on; none for a linear model.
    pub hidden: Vec<usize>,
    /// Whether the inputs also reach the outputs directly.
    pub skip: bool,
    /// The function of every hidden unit.
    pub activation: Activation,
    /// The rule of the inner steps.
    pub optimiser: Optimiser,
    /// Above 0, constant over the training.
    pub learning_rate: f32,
    /// α of the penalty `α / 2 ‖W‖² / n_batch` that is added to the mean loss of a batch; biases are free.
    pub weight_decay: f32,
    /// At most this many passes over the rows, at least 1. The training ends before when it has converged:
    /// when the loss has not fallen by 1e-4 for more than 10 epochs.
    pub n_epochs: usize,
    /// Rows of a step, at least 1; all rows where there are no more.
    pub batch_size: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            hidden: vec![64],
            skip: false,
            activation: Activation::Relu,
            optimiser: Optimiser::Adam,
            learning_rate: 3e-3,
            weight_decay: 1e-2,
            n_epochs: 200,
            batch_size: 200,
        }
    }
}

impl Recipe {
    /// Checks the numbers; whether the widths make a network is the architecture's affair.
    pub(super) fn validate(&self) -> Result<(), InnerError> {
        let bad = |field, found: String, expected| Err(InnerError::BadRecipe { field, found, expected });
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return bad("learning_rate", self.learning_rate.to_string(), "a finite number above 0");
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return bad("weight_decay", self.weight_decay.to_string(), "a finite number from 0 on");
        }
        if self.n_epochs == 0 {
            return bad("n_epochs", "0".to_string(), "at least 1");
        }
        if self.batch_size == 0 {
            return bad("batch_size", "0".to_string(), "at least 1");
        }
        Ok(())
    }
}

/// The outside scorer's grid: three strengths of decay, a short and a long training each.
pub fn default_grid(task_type: TaskType) -> Vec<Recipe> {
    let lengths = match task_type {
        TaskType::Classification => [60, 300],
        TaskType::Regression => [100, 400],
    };
    let recipe = |weight_decay, n_epochs| Recipe { weight_decay, n_epochs, ..Recipe::default() };
    [1e-2, 1.0, 10.0].iter().flat_map(|&decay| lengths.map(|n_epochs| recipe(decay, n_epochs))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_numbers_are_refused_by_field() {
        let check = |recipe: Recipe, expected: &str| {
            let error = recipe.validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        assert_eq!(Recipe::default().validate(), Ok(()));
        check(Recipe { learning_rate: 0.0, ..Recipe::default() }, "learning_rate is 0");
        check(Recipe { learning_rate: f32::NAN, ..Recipe::default() }, "learning_rate is NaN");
        check(Recipe { weight_decay: -1.0, ..Recipe::default() }, "weight_decay is -1");
        check(Recipe { n_epochs: 0, ..Recipe::default() }, "n_epochs is 0");
        check(Recipe { batch_size: 0, ..Recipe::default() }, "batch_size is 0");
    }

    #[test]
    fn the_grid_is_that_of_the_outside_scorer() {
        let grid = default_grid(TaskType::Regression);
        let figures: Vec<(f32, usize)> =
            grid.iter().map(|recipe| (recipe.weight_decay, recipe.n_epochs)).collect();
        assert_eq!(figures, [(0.01, 100), (0.01, 400), (1.0, 100), (1.0, 400), (10.0, 100), (10.0, 400)]);
        assert!(grid.iter().all(|recipe| recipe.learning_rate == 3e-3 && recipe.hidden == [64]));
    }
}
