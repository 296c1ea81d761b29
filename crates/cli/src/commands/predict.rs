//! `weightsmith predict`

use crate::arguments::Predict;
use crate::exit::Outcome;
use crate::outputs::{self, Content};
use crate::print;
use crate::session::Session;
use anyhow::Result;
use serde_json::json;
use std::fs;
use std::io;
use std::path::Path;
use weightsmith::{Beside, Network, PredictedRows};
use weightsmith_runtime::write_output;

/// Stands for standard output.
const STANDARD_OUTPUT: &str = "-";

pub(super) fn run(arguments: &Predict, session: &Session) -> Result<Outcome> {
    let Predict { weights, data, interval, id, out, force } = arguments;
    let file = (out != Path::new(STANDARD_OUTPUT)).then_some(out.as_path());
    let inputs = outputs::file_of(data).into_iter().chain([weights.as_path()]);
    outputs::check([(Content::Predictions, file)], inputs, *force)?;
    let network = Network::load(weights)?;
    session.detail(|| {
        let (n_inputs, n_weights) = (network.inputs().len(), network.weights().architecture().n_weights());
        format!("{}: {} of {n_inputs} columns, {n_weights} weights", weights.display(), network.task_type())
    });
    let PredictedRows { predictions, ids, notes } = network.predict_source(data, id.as_deref())?;
    let bounds = interval.map(|level| network.bounds(&predictions, level)).transpose()?;
    let id = id.as_deref().map(|id| (id, ids.as_slice()));
    let beside = Beside { id, bounds: bounds.as_ref() };
    let text = network.to_csv_beside(&predictions, &beside);
    session.notes(&notes);
    match file {
        Some(file) => write_output(file, &text)?,
        None => print::to(&mut io::stdout().lock(), &text)?,
    }
    let n_rows = predictions.n_rows();
    let summary = json!({
        "out": out,
        "task": network.task_type(),
        "classes": network.class_names(),
        "n_rows": n_rows,
        "expected": network.expected_performance(),
        "notes": notes,
    });
    let words = || format!("{}: {n_rows} predictions ({})\n", out.display(), network.task_type());
    match file {
        Some(file) if fs::metadata(file).is_ok_and(|metadata| metadata.is_file()) => {
            session.print(&summary, words)?;
        }
        // Standard output holds the predictions, as it may where the file is a device or a pipe.
        Some(_) => session.print(&summary, String::new)?,
        None => session.print_aside(&summary, String::new)?,
    }
    Ok(Outcome::Done)
}
