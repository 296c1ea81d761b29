//! `weightsmith predict`

use crate::arguments::Predict;
use crate::exit::Outcome;
use crate::print;
use anyhow::Result;
use serde_json::json;
use std::fs;
use weightsmith::Network;
use weightsmith_runtime::{check_output, write_output};

pub(super) fn run(arguments: &Predict) -> Result<Outcome> {
    let Predict { weights, data, out, json: as_json } = arguments;
    check_output(out)?;
    let network = Network::load(weights)?;
    let predictions = network.predict_source(data)?;
    write_output(out, &network.to_csv(&predictions))?;
    let n_rows = predictions.n_rows();
    if *as_json {
        print::json(&json!({
            "out": out,
            "task": network.task_type(),
            "classes": network.class_names(),
            "n_rows": n_rows,
            "expected": network.expected_performance(),
        }))?;
    } else if fs::metadata(out).is_ok_and(|metadata| metadata.is_file()) {
        print::text(&format!("{}: {n_rows} predictions ({})\n", out.display(), network.task_type()))?;
    }
    Ok(Outcome::Done)
}
