//! `weightsmith samples`

use crate::arguments::Samples;
use crate::exit::Outcome;
use crate::print;
use anyhow::Result;
use serde_json::json;
use weightsmith_datasets::samples;

pub(super) fn run(arguments: &Samples) -> Result<Outcome> {
    if arguments.json {
        let all: Vec<_> = samples()
            .iter()
            .map(|sample| {
                json!({
                    "name": sample.name,
                    "data": format!("sample:{}", sample.name),
                    "target": sample.target,
                    "about": sample.about,
                    "source": sample.source,
                    "license": sample.license,
                })
            })
            .collect();
        print::json(&json!({ "samples": all }))?;
    } else {
        let line = |s: &weightsmith_datasets::Sample| {
            format!("sample:{}\n  {}; target {}\n  {}; {}\n", s.name, s.about, s.target, s.source, s.license)
        };
        print::text(&samples().iter().map(line).collect::<String>())?;
    }
    Ok(Outcome::Done)
}
