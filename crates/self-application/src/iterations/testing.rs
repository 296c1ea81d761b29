//! Iterations for tests.

use super::{Choice, Iteration, RecipeSearch, SelfTaskMode};

/// An iteration of the planner that cost a second.
pub(crate) fn iteration(at: usize, uid: &str, acceptance: Option<f64>) -> Iteration {
    Iteration {
        search: RecipeSearch::Planner,
        mode: SelfTaskMode::Lifted,
        seed: 0,
        iteration: at,
        uid: uid.into(),
        level: 0,
        choice: Choice::Random,
        recipe: serde_json::Map::new(),
        snapshot: String::new(),
        n_tasks: 10,
        n_auxiliary: 0,
        predicted: None,
        n_scored: 0,
        acceptance,
        report: acceptance,
        lifted: None,
        untrained: 0.5,
        parent: None,
        difference: None,
        verdict: "not compared".into(),
        accepted: false,
        cpu_s: 1.0,
    }
}
