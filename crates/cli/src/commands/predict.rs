//! `weightsmith predict`

use crate::arguments::Predict;
use crate::exit::Outcome;
use crate::{outputs, print};
use anyhow::Result;
use serde_json::json;
use std::fs;
use weightsmith::Network;
use weightsmith_runtime::write_output;

pub(super) fn run(arguments: &Predict) -> Result<Outcome> {
    let Predict { weights, data, out, force, json: as_json } = arguments;
    let inputs = outputs::file_of(data).into_iter().chain([weights.as_path()]);
    outputs::check([out.as_path()], inputs, *force)?;
    let network = Network::load(weights)?;
    let (predictions, notes) = network.predict_source(data)?;
    write_output(out, &network.to_csv(&predictions))?;
    print::notes(&notes);
    let n_rows = predictions.n_rows();
    if *as_json {
        print::json(&json!({
            "out": out,
            "task": network.task_type(),
            "classes": network.class_names(),
            "n_rows": n_rows,
            "expected": network.expected_performance(),
            "notes": notes,
        }))?;
    } else if fs::metadata(out).is_ok_and(|metadata| metadata.is_file()) {
        print::text(&format!("{}: {n_rows} predictions ({})\n", out.display(), network.task_type()))?;
    }
    Ok(Outcome::Done)
}
