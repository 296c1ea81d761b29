//! `weightsmith samples`

use crate::arguments::Samples;
use crate::exit::Outcome;
use crate::session::Session;
use anyhow::Result;
use serde_json::json;
use weightsmith_datasets::samples;

pub(super) fn run(_: &Samples, session: &Session) -> Result<Outcome> {
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
    session.print(&json!({ "samples": all }), || {
        let line = |s: &weightsmith_datasets::Sample| {
            format!("sample:{}\n  {}; target {}\n  {}; {}\n", s.name, s.about, s.target, s.source, s.license)
        };
        samples().iter().map(line).collect::<String>()
    })?;
    Ok(Outcome::Done)
}
