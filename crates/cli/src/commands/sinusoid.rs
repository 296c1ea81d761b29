//! `weightsmith sinusoid`

use crate::arguments::SinusoidArguments;
use crate::exit::Outcome;
use crate::outputs::{self, Content};
use crate::print;
use crate::session::Session;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::fs;
use std::path::Path;
use weightsmith_evaluation::Estimate;
use weightsmith_experiments::{SHOTS, SinusoidBenchmark, SinusoidSettings, sinusoid_benchmark};
use weightsmith_generation::sinusoid_starts;
use weightsmith_reports::write as write_report;
use weightsmith_tasks::Seed;
use weightsmith_training::StartFile;

/// Gradient steps in the table.
const SHOWN: [usize; 4] = [0, 1, 5, 10];

/// The figures and where the page went.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    benchmark: &'a SinusoidBenchmark,
    report: Option<&'a Path>,
}

pub(super) fn run(arguments: &SinusoidArguments, session: &Session) -> Result<Outcome> {
    let SinusoidArguments { start, tasks, seed, report } = arguments;
    let report = report.as_deref();
    outputs::check([(Content::Report, report)], start.iter().map(|path| path.as_path()), true)?;
    let mut starts: Vec<(String, StartFile)> =
        sinusoid_starts().iter().map(|shipped| (shipped.name.to_string(), shipped.read())).collect();
    for path in start {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = StartFile::from_bytes(&bytes).with_context(|| path.display().to_string())?;
        starts.push((path.display().to_string(), file));
    }
    let settings = SinusoidSettings { n_tasks: usize::from(*tasks), seed: Seed(u64::from(*seed)) };
    let bar = session.bar(starts.len() as u64, "starts");
    let measured = sinusoid_benchmark(&starts, &settings, &mut |n| bar.set_position(n as u64));
    bar.finish_and_clear();
    let Some(benchmark) = measured else {
        bail!("a start given by --start was not trained on sine waves");
    };
    if let Some(path) = report {
        write_report(&benchmark, path)?;
    }
    session.print(&Printed { benchmark: &benchmark, report }, || in_words(&benchmark, report))?;
    Ok(Outcome::Done)
}

fn in_words(benchmark: &SinusoidBenchmark, report: Option<&Path>) -> String {
    let steps = SHOWN.map(|n| if n == 1 { "1 step".to_string() } else { format!("{n} steps") });
    let mut rows = vec![["".to_string(), "rows".to_string()].into_iter().chain(steps).collect::<Vec<_>>()];
    for start in &benchmark.starts {
        for n_shots in SHOTS {
            let cells =
                SHOWN.map(|n_steps| start.error(n_shots, n_steps).map_or("diverges".to_string(), cell));
            rows.push([start.name.clone(), n_shots.to_string()].into_iter().chain(cells).collect());
        }
    }
    let mut text = format!("mean squared error on {} waves, with 95 % intervals\n", benchmark.n_tasks);
    text += &print::columns(&rows);
    if let Some(report) = report {
        text += &format!("report: {}\n", report.display());
    }
    text
}

fn cell(error: Estimate) -> String {
    let half = error.high.map_or(String::new(), |high| format!(" ±{:.3}", high - error.mean));
    format!("{:.3}{half}", error.mean)
}
