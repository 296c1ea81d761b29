//! Reads a ledger of trainings and lists how well each recipe's optimiser did.
//!
//! `weightsmith plan collect --synthetic 20 --recipes 10` makes one; then
//! `cargo run --release --example read_a_ledger runs.ledger`

#![expect(clippy::print_stdout, reason = "an example tells what it found")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use weightsmith_ledger::{Filter, Ledger, RunRecord, Value};
use weightsmith_tasks::Base;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(path) = std::env::args().nth(1) else {
        println!("give the path of a ledger");
        return Ok(());
    };
    let ledger = Ledger::open_read_only(Path::new(&path))?;
    let snapshot = ledger.snapshot()?;
    let mut losses: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for entry in snapshot.runs::<Base>(&Filter::default())? {
        let record: RunRecord<Base> = entry?.record;
        let (Some(Value::Text(optimiser)), Some(loss)) =
            (record.recipe.get("optimiser"), record.outcome.value)
        else {
            continue;
        };
        losses.entry(optimiser.clone()).or_default().push(loss);
    }
    for (optimiser, losses) in losses {
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        println!("{optimiser}: {} trainings, mean loss on query rows {mean:.4}", losses.len());
    }
    Ok(())
}
