//! `weightsmith export`

use crate::arguments::Export;
use crate::exit::Outcome;
use crate::{outputs, print};
use anyhow::{Context, Result};
use serde_json::json;
use weightsmith::Network;
use weightsmith_runtime::write_output;

pub(super) fn run(arguments: &Export) -> Result<Outcome> {
    let Export { weights, onnx, force, json: as_json } = arguments;
    outputs::check([onnx.as_path()], [weights.as_path()], *force)?;
    let network = Network::load(weights)?;
    let model = network.to_onnx().with_context(|| format!("cannot export {}", weights.display()))?;
    write_output(onnx, &model)?;
    let inputs: Vec<&str> = network.inputs().iter().map(|(name, _)| name.as_str()).collect();
    if *as_json {
        let task = network.task_type();
        print::json(&json!({ "onnx": onnx, "task": task, "inputs": inputs, "n_bytes": model.len() }))?;
    } else {
        print::text(&format!("{}: {} inputs, {} bytes\n", onnx.display(), inputs.len(), model.len()))?;
    }
    Ok(Outcome::Done)
}
