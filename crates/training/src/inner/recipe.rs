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
    /// L-BFGS with ten pairs on all rows at once; an epoch is an iteration.
    Lbfgs,
    /// Trial and error: all weights drawn anew, kept if more examples come out right. An epoch is [`N_TRIES`]
    /// tries, a step is one.
    RandomSearch,
    /// An evolution strategy: the mean of a Gaussian moves towards those of its samples that lose least. An epoch is a
    /// generation of [`N_TRIES`] samples, a step is one.
    Evolution,
}

/// Networks that trial and error draws and scores at once.
pub const N_TRIES: usize = 32;

impl Optimiser {
    /// What a base model's provenance calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamW => "adamw",
            Self::Sgd => "sgd",
            Self::Lbfgs => "lbfgs",
            Self::RandomSearch => "random-search",
            Self::Evolution => "evolution",
        }
    }

    /// Whether the penalty is a term of the loss, and not a shrinking of its own.
    pub(super) fn penalises_loss(self) -> bool {
        self != Self::AdamW
    }
}

/// How much each row counts.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weighting {
    /// All rows the same.
    #[default]
    Rows,
    /// All classes the same: a row counts by the inverse of its class's share. Numbers have no classes, so that their rows
    /// count the same.
    Classes,
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
    /// At most this many steps, at least 1, even if they end within an epoch; without it the epochs alone decide. Trial and
    /// error knows epochs alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<usize>,
    /// Rows of a step, at least 1; all rows where there are no more. L-BFGS and trial and error take all rows.
    pub batch_size: usize,
    /// The chance of a hidden unit to be left out of a step, from 0 to below 1; the others then count more. A unit is left
    /// out for all rows of a step. Only the rules of single steps know it.
    pub dropout: f32,
    /// The share of a label that is spread evenly over the trained outputs, from 0 to below 1; of classes only.
    pub label_smoothing: f32,
    /// How much each row counts.
    pub weighting: Weighting,
    /// ρ of the pull towards the start, `ρ / 2 ‖w - w₀‖² / n_batch` over all numbers: proximal steps. 0 for none; only the
    /// rules of single steps know it.
    pub proximal: f32,
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
            max_steps: None,
            batch_size: 200,
            dropout: 0.0,
            label_smoothing: 0.0,
            weighting: Weighting::Rows,
            proximal: 0.0,
        }
    }
}

impl Recipe {
    /// The untuned recipe of a rule.
    pub fn of(optimiser: Optimiser) -> Self {
        let usual = Self { optimiser, ..Self::default() };
        match optimiser {
            Optimiser::Adam => usual,
            Optimiser::AdamW => Self { weight_decay: 1.0, ..usual },
            Optimiser::Sgd => Self { learning_rate: 5e-2, ..usual },
            Optimiser::Lbfgs => Self { weight_decay: 1.0, ..usual },
            Optimiser::RandomSearch => Self { n_epochs: 300, ..usual },
            Optimiser::Evolution => Self { learning_rate: 1e-2, weight_decay: 3.0, n_epochs: 500, ..usual },
        }
    }

    /// Checks the numbers; whether the widths make a network is the architecture's affair.
    pub(super) fn validate(&self) -> Result<(), InnerError> {
        let bad = |field, found: String, expected| Err(InnerError::BadRecipe { field, found, expected });
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return bad("learning_rate", self.learning_rate.to_string(), "a finite number above 0");
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return bad("weight_decay", self.weight_decay.to_string(), "a finite number from 0 on");
        }
        if !(self.proximal.is_finite() && self.proximal >= 0.0) {
            return bad("proximal", self.proximal.to_string(), "a finite number from 0 on");
        }
        for (field, share) in [("dropout", self.dropout), ("label_smoothing", self.label_smoothing)] {
            if !(0.0..1.0).contains(&share) {
                return bad(field, share.to_string(), "from 0 to below 1");
            }
        }
        if self.n_epochs == 0 {
            return bad("n_epochs", "0".to_string(), "at least 1");
        }
        if self.max_steps == Some(0) {
            return bad("max_steps", "0".to_string(), "at least 1");
        }
        if self.batch_size == 0 {
            return bad("batch_size", "0".to_string(), "at least 1");
        }
        Ok(())
    }
}

/// Recipes for cross-validation to choose from: for Adam the outside scorer's grid, three strengths of decay with a
/// short and a long training each; for the other rules as many, over what matters most to them.
pub fn grid(optimiser: Optimiser, task_type: TaskType) -> Vec<Recipe> {
    let [short, long] = match task_type {
        TaskType::Classification => [60, 300],
        TaskType::Regression => [100, 400],
    };
    let usual = Recipe::of(optimiser);
    let cross = |decays: &[f32], others: &[(f32, usize)]| -> Vec<Recipe> {
        let recipe = |weight_decay: f32, (learning_rate, n_epochs): (f32, usize)| Recipe {
            weight_decay,
            learning_rate,
            n_epochs,
            ..usual.clone()
        };
        decays.iter().flat_map(|&decay| others.iter().map(move |&other| recipe(decay, other))).collect()
    };
    let rate = usual.learning_rate;
    match optimiser {
        Optimiser::Adam => cross(&[1e-2, 1.0, 10.0], &[(rate, short), (rate, long)]),
        // Decoupled decay is not scaled by the size of the gradient: it takes more to matter.
        Optimiser::AdamW => cross(&[1.0, 30.0, 300.0], &[(rate, short), (rate, long)]),
        Optimiser::Sgd => cross(&[1e-2, 1.0, 10.0], &[(2e-2, long), (1e-1, long)]),
        Optimiser::Lbfgs => cross(&[1e-2, 0.1, 0.5, 1.0, 3.0, 10.0], &[(rate, 200)]),
        Optimiser::RandomSearch | Optimiser::Evolution => vec![usual],
    }
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
        check(Recipe { dropout: 1.0, ..Recipe::default() }, "dropout is 1");
        check(Recipe { label_smoothing: -0.1, ..Recipe::default() }, "label_smoothing is -0.1");
        check(Recipe { n_epochs: 0, ..Recipe::default() }, "n_epochs is 0");
        check(Recipe { max_steps: Some(0), ..Recipe::default() }, "max_steps is 0");
        check(Recipe { batch_size: 0, ..Recipe::default() }, "batch_size is 0");
    }

    #[test]
    fn the_grid_is_that_of_the_outside_scorer() {
        let grid = grid(Optimiser::Adam, TaskType::Regression);
        let figures: Vec<(f32, usize)> =
            grid.iter().map(|recipe| (recipe.weight_decay, recipe.n_epochs)).collect();
        assert_eq!(figures, [(0.01, 100), (0.01, 400), (1.0, 100), (1.0, 400), (10.0, 100), (10.0, 400)]);
        assert!(grid.iter().all(|recipe| recipe.learning_rate == 3e-3 && recipe.hidden == [64]));
    }
}
