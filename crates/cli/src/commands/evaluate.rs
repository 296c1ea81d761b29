//! `weightsmith evaluate`

use crate::arguments::Evaluate;
use crate::exit::Outcome;
use crate::methods::registry;
use crate::outputs::{self, Content};
use crate::session::Session;
use anyhow::Result;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};
use weightsmith_base_model::open_device;
use weightsmith_evaluation::methods::GENERATED;
use weightsmith_evaluation::{
    EvaluateSettings, EvaluationError, Metamodels, ResultRow, Skipped, Summary, evaluate, read_results,
    suite_tables, summarise, write_results,
};
use weightsmith_reports::{EvaluationReport, write as write_report};

/// Results are written after the first split, and then at least this often, so that a killed run loses little.
const WRITE_EVERY: Duration = Duration::from_secs(5);

/// What `--json` prints.
#[derive(Serialize)]
struct Printed<'a> {
    n_tables: usize,
    n_results: usize,
    metamodels: Vec<(String, String)>,
    skipped: &'a [Skipped],
    out: Option<&'a Path>,
    report: Option<&'a Path>,
    wall_s: f64,
    #[serde(flatten)]
    summary: &'a Summary,
}

#[expect(clippy::disallowed_methods, reason = "results are written now and then")]
pub(super) fn run(arguments: &Evaluate, session: &Session) -> Result<Outcome> {
    let (out, report) = (arguments.out.as_deref(), arguments.report.as_deref());
    let files = [(Content::Results, out), (Content::Report, report)];
    // Results are refused or gone on with below.
    outputs::check(files, arguments.baselines.as_deref(), true)?;
    let begun = Instant::now();
    let before = before(arguments)?;
    let baselines = arguments.baselines.as_deref().map_or(Ok(Vec::new()), read_results)?;
    let device = open_device(&arguments.device)?;
    let tables = suite_tables(&arguments.suite, arguments.part)?;
    let metamodels = Metamodels::load(&arguments.metamodel, &tables, &device)?;
    let settings = EvaluateSettings {
        target: arguments.target.clone(),
        n_supports: arguments.support.clone(),
        n_splits: arguments.splits,
        first_split: arguments.seed.first_split(),
        methods: arguments.methods.clone(),
        n_views: arguments.views.into(),
        n_threads: threads(arguments.threads),
    };
    session.detail(|| {
        let names: Vec<String> = metamodels.names().into_iter().map(|(name, _)| name).collect();
        format!(
            "{} tables, metamodels {}, splits from number {}, {} threads; {} results are there already",
            tables.len(),
            names.join(" and "),
            settings.first_split,
            settings.n_threads,
            before.len()
        )
    });
    let bar = session.bar(0, "splits");
    let stop = session.interrupt.after_this_step();
    let mut written: Option<Instant> = None;
    let evaluated = evaluate(&tables, &metamodels, &settings, before, &mut |progress| {
        bar.set_length(progress.n_all as u64);
        bar.set_position(progress.n_done as u64);
        if let Some(path) = out
            && (stop() || written.is_none_or(|at| at.elapsed() > WRITE_EVERY))
        {
            write_results(path, progress.rows)?;
            written = Some(Instant::now());
        }
        if stop() { Err(EvaluationError::Interrupted) } else { Ok(()) }
    });
    bar.finish_and_clear();
    let evaluated = match evaluated {
        Err(EvaluationError::Interrupted) => return Ok(interrupted(out, session)),
        evaluated => evaluated?,
    };
    if let Some(path) = out {
        write_results(path, &evaluated.rows)?;
    }
    let lead = arguments.methods.iter().find(|method| **method == GENERATED).or(arguments.methods.first());
    let summary =
        summarise(&evaluated.rows, &baselines, lead.map_or("", |method| method.name()), &registry());
    if let Some(path) = report {
        let page = EvaluationReport {
            n_tables: tables.len(),
            settings: &settings,
            metamodels: metamodels.names(),
            skipped: &evaluated.skipped,
            summary: &summary,
        };
        write_report(&page, path)?;
    }
    session.print(
        &Printed {
            n_tables: tables.len(),
            n_results: evaluated.rows.len(),
            metamodels: metamodels.names(),
            skipped: &evaluated.skipped,
            out,
            report,
            wall_s: begun.elapsed().as_secs_f64(),
            summary: &summary,
        },
        || in_words(&summary, &evaluated.skipped, out, report),
    )?;
    // Errors of an outside scorer are not ours.
    let failed = evaluated.rows.iter().any(|row| row.error.is_some());
    Ok(if failed { Outcome::CheckFailed } else { Outcome::Done })
}

/// Tells what was done until Ctrl-C.
fn interrupted(out: Option<&Path>, session: &Session) -> Outcome {
    let what = out.map_or("nothing was written".to_string(), |out| {
        format!("what is done is in {}; go on with --resume", out.display())
    });
    session.end_interrupted(&what)
}

fn before(arguments: &Evaluate) -> Result<Vec<ResultRow>, EvaluationError> {
    match &arguments.out {
        Some(path) if path.is_file() && arguments.resume => read_results(path),
        Some(path) if path.is_file() => Err(EvaluationError::ResultsExist { path: path.clone() }),
        _ => Ok(Vec::new()),
    }
}

/// As many as asked for, or as there are cores.
pub(super) fn threads(asked: Option<u16>) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.map_or_else(all, usize::from)
}

fn in_words(summary: &Summary, skipped: &[Skipped], out: Option<&Path>, report: Option<&Path>) -> String {
    let mut text = summary.to_string();
    if let Some(first) = skipped.first() {
        let Skipped { name, n_support, split } = first;
        text += &format!(
            "{} splits left out, their support rows are all of one class; the first: {name}, {n_support} rows, split {split}\n",
            skipped.len()
        );
    }
    for (what, path) in [("results", out), ("report", report)] {
        if let Some(path) = path {
            text += &format!("{what}: {}\n", path.display());
        }
    }
    text
}
