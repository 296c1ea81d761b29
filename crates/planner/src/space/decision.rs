//! A decision about a table: to generate, to train by a plan, or a method that is known by its name.

use crate::space::methods::{How, KnownMethod, N_TREES, N_VIEWS};
use crate::space::{Plan, STEPS_AT, Space, level_value};
use std::fmt;
use weightsmith_ledger::{Named, Value};
use weightsmith_tasks::TaskType;

/// Where the name of a method stands among the values of a decision.
const METHOD: &str = "method";

/// How a base model comes to its weights.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The metamodel generates them in one forward pass; nothing is trained.
    Generate,
    /// A method, such as generating with inner steps or a Gaussian process.
    Method(KnownMethod),
    /// An optimiser trains them by a plan.
    Train(Plan),
}

impl Decision {
    /// The same decision with factors that have no effect at their first level, see [`Plan::canonical`].
    pub fn canonical(self, task_type: TaskType) -> Self {
        match self {
            Self::Generate | Self::Method(_) => self,
            Self::Train(plan) => Self::Train(plan.canonical(task_type)),
        }
    }

    /// The factors by name, as run records hold them, without those that have no effect. The number of steps is left out:
    /// a run's curve has the loss at every number.
    pub fn values(self, task_type: TaskType) -> Named {
        let generated = |n_views: usize, n_trees: usize| {
            Named::from([
                ("start".into(), "generated".into()),
                ("optimiser".into(), "none".into()),
                ("trees".into(), (n_trees as f64).into()),
                ("views".into(), (n_views as f64).into()),
            ])
        };
        let plan = match self {
            Self::Generate => return generated(N_VIEWS, N_TREES),
            Self::Method(method) => {
                let mut values = match method.how() {
                    How::Generate { n_views, n_trees, .. } => generated(n_views, n_trees),
                    How::Compared(_) => Named::new(),
                };
                values.insert(METHOD.into(), method.name().into());
                return values;
            }
            Self::Train(plan) => plan,
        };
        let parts = Space.factors().into_iter().zip(plan.levels()).zip(plan.matters(task_type)).enumerate();
        parts
            .filter(|(at, (_, matters))| *matters && *at != STEPS_AT)
            .map(|(at, ((factor, level), _))| (factor.name.to_string(), level_value(at, level)))
            .collect()
    }

    /// The canonical decision with these values, with the most steps; none if no decision has them. Ledgers of older versions
    /// call the start `beginning`.
    pub fn of_values(values: &Named, task_type: TaskType) -> Option<Self> {
        let values = &current_names(values);
        if let Some(Value::Text(name)) = values.get(METHOD) {
            let found = Self::Method(KnownMethod::find(name)?);
            return (found.values(task_type) == *values).then_some(found);
        }
        let level_of = |at: usize| -> Option<u8> {
            let factor = Space.factors()[at];
            match values.get(factor.name) {
                _ if at == STEPS_AT => Some(factor.n_levels as u8 - 1),
                None => Some(0),
                Some(value) => (0..factor.n_levels as u8).find(|level| level_value(at, *level) == *value),
            }
        };
        let levels: Option<Vec<u8>> = (0..Space.factors().len()).map(level_of).collect();
        let found = match levels {
            Some(levels) => Self::Train(Plan::new(levels.try_into().ok()?)?.canonical(task_type)),
            None => Self::Generate,
        };
        (found.values(task_type) == *values).then_some(found)
    }
}

/// The values under the names of this version.
fn current_names(values: &Named) -> Named {
    let current = |name: &String| if name == "beginning" { "start".to_string() } else { name.clone() };
    values.iter().map(|(name, value)| (current(name), value.clone())).collect()
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generate => f.write_str("generate"),
            Self::Method(method) => write!(f, "{method}"),
            Self::Train(plan) => write!(f, "{plan}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::Seed;

    #[test]
    fn a_decision_is_found_by_its_values_alone() {
        let random = &mut Seed(1).stream("planner.test.decision");
        for task_type in [TaskType::Classification, TaskType::Regression] {
            let generate = Decision::Generate;
            assert_eq!(Decision::of_values(&generate.values(task_type), task_type), Some(generate));
            for method in KnownMethod::all().map(Decision::Method) {
                assert_eq!(Decision::of_values(&method.values(task_type), task_type), Some(method));
            }
            for _ in 0..500 {
                let plan = Space.draw(random).longest();
                let values = Decision::Train(plan).values(task_type);
                assert_eq!(
                    Decision::of_values(&values, task_type),
                    Some(Decision::Train(plan.canonical(task_type))),
                    "{values:?}"
                );
                assert_eq!(Decision::Train(plan.canonical(task_type)).values(task_type), values);
            }
        }
        let mut older = Decision::Generate.values(TaskType::Regression);
        let start = older.remove("start").unwrap();
        older.insert("beginning".into(), start);
        assert_eq!(Decision::of_values(&older, TaskType::Regression), Some(Decision::Generate));
        let mut other = Decision::Generate.values(TaskType::Regression);
        other.insert("optimiser".into(), Value::from("muon"));
        assert_eq!(Decision::of_values(&other, TaskType::Regression), None);
    }
}
