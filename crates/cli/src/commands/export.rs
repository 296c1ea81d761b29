//! `weightsmith export`

use crate::arguments::Export;
use crate::exit::Outcome;
use crate::outputs::{self, Content};
use crate::session::Session;
use anyhow::{Context, Result};
use serde_json::json;
use weightsmith::Network;
use weightsmith_runtime::write_output;

pub(super) fn run(arguments: &Export, session: &Session) -> Result<Outcome> {
    let Export { weights, onnx, force } = arguments;
    outputs::check([(Content::OnnxModel, Some(onnx.as_path()))], [weights.as_path()], *force)?;
    let network = Network::load(weights)?;
    let model = network.to_onnx().with_context(|| format!("cannot export {}", weights.display()))?;
    write_output(onnx, &model)?;
    let inputs: Vec<&str> = network.inputs().iter().map(|(name, _)| name.as_str()).collect();
    session.print(
        &json!({ "onnx": onnx, "task": network.task_type(), "inputs": inputs, "n_bytes": model.len() }),
        || format!("{}: {} inputs, {} bytes\n", onnx.display(), inputs.len(), model.len()),
    )?;
    Ok(Outcome::Done)
}
