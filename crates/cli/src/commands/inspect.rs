//! `weightsmith inspect`

use crate::arguments::Inspect;
use crate::exit::Outcome;
use crate::print;
use anyhow::{Context, Result};
use weightsmith_base_model::inspect;

pub(super) fn run(arguments: &Inspect) -> Result<Outcome> {
    let path = arguments
        .file
        .as_ref()
        .or(arguments.weights.as_ref())
        .context("name a file of weights to inspect")?;
    let description =
        inspect(path).with_context(|| format!("cannot use the weights in {}", path.display()))?;
    if arguments.json {
        print::json(&description)?;
    } else {
        print::text(&description.to_string())?;
    }
    Ok(Outcome::Done)
}
