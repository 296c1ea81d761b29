//! What can be decided about a table: to generate, or to train by a plan.

use crate::space::{Beginning, Plan};
use std::fmt;
use weightsmith_ledger::{Named, Value};
use weightsmith_tasks::TaskType;

/// Views and trees of a generation that nothing is trained after, as `generate` has them by default.
pub const GENERATED_VIEWS: usize = 8;
const GENERATED_TREES: usize = 100;

/// How a base model comes to its weights.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The metamodel writes them, and that is all.
    Generate,
    /// An optimiser finds them.
    Train(Plan),
}

impl Decision {
    /// Every decision about it by its name, as run records have it; what changes nothing is not there. The number of
    /// epochs is none of them: a run's curve has all.
    pub fn values(self, task_type: TaskType) -> Named {
        let mut values = Named::new();
        let mut text = |name: &str, text: &str| _ = values.insert(name.to_string(), Value::from(text));
        let Self::Train(plan) = self else {
            text("beginning", "generated");
            text("optimiser", "none");
            for (name, number) in [("views", GENERATED_VIEWS), ("trees", GENERATED_TREES)] {
                values.insert(name.to_string(), Value::Number(number as f64));
            }
            return values;
        };
        let plan = plan.canonical(task_type);
        let recipe = plan.recipe();
        let is_random = plan.beginning() == Beginning::Random;
        let has_hidden = is_random && !recipe.hidden.is_empty();
        text("beginning", if is_random { "random" } else { "generated" });
        text("optimiser", recipe.optimiser.name());
        if has_hidden {
            text("activation", &format!("{:?}", recipe.activation).to_lowercase());
        }
        if task_type == TaskType::Classification {
            text("weighting", &format!("{:?}", recipe.weighting).to_lowercase());
        }
        // The shortest text of the 32-bit number, so that 0.1 is 0.1.
        let exact = |number: f32| number.to_string().parse().unwrap_or(f64::from(number));
        let mut number = |name: &str, number: f64| _ = values.insert(name.to_string(), Value::Number(number));
        if is_random {
            number("layers", recipe.hidden.len() as f64);
        }
        if has_hidden {
            number("units", recipe.hidden[0] as f64);
            number("skip", f64::from(u8::from(recipe.skip)));
        }
        number("weight_decay", exact(recipe.weight_decay));
        if plan.is_stepwise() {
            number("learning_rate", exact(recipe.learning_rate));
            // 0 for all rows.
            number("batch", if recipe.batch_size == usize::MAX { 0.0 } else { recipe.batch_size as f64 });
            number("pull", exact(recipe.proximal));
            if has_hidden || !is_random {
                number("dropout", exact(recipe.dropout));
            }
        }
        if task_type == TaskType::Classification {
            number("label_smoothing", exact(recipe.label_smoothing));
        }
        values
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generate => f.write_str("generate"),
            Self::Train(plan) => write!(f, "{plan}"),
        }
    }
}
