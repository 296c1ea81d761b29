//! The ledger from outside: what goes in comes out, nothing changes, and nothing is lost.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod files;
mod levels;
mod records;
mod writers;

use std::collections::BTreeSet;
use std::marker::PhantomData;
use weightsmith_ledger::{Cost, CurvePoint, Named, Outcome, RunRecord, RunRole, Uid, Value};
use weightsmith_tasks::{Level, TaskSplit};

/// A run like any other, named after `name`.
fn run<L: Level>(name: &str) -> RunRecord<L> {
    let named = |values: &[(&str, Value)]| -> Named {
        values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
    };
    RunRecord {
        uid: Uid::derived(&[name]),
        role: RunRole::BaseModel,
        task: "wine".to_string(),
        roots: BTreeSet::from(["wine".to_string()]),
        split: TaskSplit::MetaTrain,
        recipe: named(&[("optimiser", "adam".into()), ("learning_rate", 3e-3.into())]),
        features: named(&[("n_rows", 128.0.into())]),
        probe: Named::new(),
        outcome: Outcome { metric: "log_loss".into(), value: Some(0.42), n_short: 128, n_long: 1000 },
        cost: Cost { cpu_s: 0.5, wall_s: 0.7 },
        seed: 7,
        code_version: "0.1.0".to_string(),
        device: "cpu".to_string(),
        n_steps: 200,
        parents: BTreeSet::new(),
        curve: [1, 2, 4, 8]
            .map(|step| CurvePoint {
                step,
                long_loss: Some(1.0 / step as f64),
                short_loss: Some(0.5 / step as f64),
                cpu_s: 1e-3 * step as f64,
            })
            .to_vec(),
        level: PhantomData,
    }
}
