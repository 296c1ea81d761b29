//! `weightsmith predict`

use crate::arguments::Predict;
use crate::exit::Outcome;
use crate::print;
use anyhow::Result;
use serde_json::json;
use std::fs;
use weightsmith::{predict_rows, read_base_model};
use weightsmith_base_model::predictions_csv;
use weightsmith_runtime::{check_output, write_output};

pub(super) fn run(arguments: &Predict) -> Result<Outcome> {
    let Predict { weights, data, out, json: as_json } = arguments;
    check_output(out)?;
    let model = read_base_model(weights)?;
    let (predictions, notes) = predict_rows(&model, data)?;
    write_output(out, &predictions_csv(&model, &predictions))?;
    print::notes(&notes);
    let n_rows = predictions.n_rows();
    if *as_json {
        print::json(&json!({
            "out": out,
            "task": model.task_type,
            "classes": model.class_names,
            "n_rows": n_rows,
            "expected": model.expected,
            "notes": notes,
        }))?;
    } else if fs::metadata(out).is_ok_and(|metadata| metadata.is_file()) {
        print::text(&format!("{}: {n_rows} predictions ({})\n", out.display(), model.task_type))?;
    }
    Ok(Outcome::Done)
}
