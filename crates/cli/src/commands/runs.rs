//! `weightsmith runs`

use crate::arguments::{RunFilter, Runs, RunsExport, RunsList, RunsShow};
use crate::exit::Outcome;
use crate::print;
use crate::session::Session;
use anyhow::Result;
use serde_json::json;
use std::fs;
use weightsmith_evaluation::{number_text, seconds_text};
use weightsmith_ledger::{Named, Value};
use weightsmith_reports::{
    ExportedRuns, RunLevel, RunList, RunQuery, RunRow, list_runs, show_run, write_runs,
};

pub(super) fn run(arguments: &Runs, session: &Session) -> Result<Outcome> {
    match arguments {
        Runs::List(arguments) => list(arguments, session),
        Runs::Show(arguments) => show(arguments, session),
        Runs::Export(arguments) => export(arguments, session),
    }
}

fn query(filter: &RunFilter, last: Option<usize>) -> RunQuery {
    RunQuery { level: filter.level.and_then(RunLevel::of_depth), task: filter.task.clone(), last }
}

fn list(arguments: &RunsList, session: &Session) -> Result<Outcome> {
    let RunsList { filter, limit } = arguments;
    let list = list_runs(&filter.ledger, &query(filter, Some(*limit)))?;
    let runs: Vec<_> = list.runs.iter().map(in_short).collect();
    let found = json!({
        "ledger": filter.ledger,
        "checksum": list.checksum,
        "n_matching": list.n_matching,
        "runs": runs,
    });
    session.print(&found, || list_in_words(&list))?;
    Ok(Outcome::Done)
}

fn list_in_words(list: &RunList) -> String {
    let head = ["run", "level", "role", "task", "split", "metric", "value", "cost", "appended"];
    let mut rows = vec![head.map(str::to_string).to_vec()];
    rows.extend(list.runs.iter().map(|run| {
        vec![
            run.uid.chars().take(12).collect(),
            run.level.to_string(),
            run.role.to_string(),
            one_line(&run.task),
            run.split.to_string(),
            one_line(&run.metric),
            run.value.map_or_else(|| "-".to_string(), number_text),
            seconds_text(run.cpu_s),
            run.appended_at.clone(),
        ]
    }));
    let (n_shown, n_matching) = (list.runs.len(), list.n_matching);
    let rest = match n_matching {
        0 => "no runs\n".to_string(),
        _ if n_shown < n_matching => format!("the last {n_shown} of {n_matching} runs\n"),
        _ => String::new(),
    };
    let table = if n_shown == 0 { String::new() } else { print::columns(&rows) };
    format!("{table}{rest}")
}

/// What a list has of a run.
fn in_short(run: &RunRow) -> serde_json::Value {
    json!({
        "position": run.position,
        "uid": run.uid,
        "level": run.level,
        "role": run.role,
        "task": run.task,
        "split": run.split,
        "metric": run.metric,
        "value": run.value,
        "cpu_s": run.cpu_s,
        "wall_s": run.wall_s,
        "appended_at": run.appended_at,
    })
}

fn show(arguments: &RunsShow, session: &Session) -> Result<Outcome> {
    let run = show_run(&arguments.ledger, &arguments.uid)?;
    session.print(&run, || run_in_words(&run))?;
    Ok(Outcome::Done)
}

fn run_in_words(run: &RunRow) -> String {
    let roots: Vec<String> = run.roots.iter().map(|root| one_line(root)).collect();
    let mut lines = vec![
        ("run", run.uid.clone()),
        ("position", run.position.to_string()),
        ("appended", run.appended_at.clone()),
        ("level", run.level.to_string()),
        ("role", run.role.to_string()),
        ("task", one_line(&run.task)),
        ("split", run.split.to_string()),
        ("roots", roots.join(", ")),
        (
            "outcome",
            format!(
                "{} {} on {} rows, learned from {}",
                one_line(&run.metric),
                run.value.map_or_else(|| "none".to_string(), number_text),
                run.n_long,
                run.n_short
            ),
        ),
        ("cost", format!("{} of processor, {} of clock", seconds_text(run.cpu_s), seconds_text(run.wall_s))),
        ("steps", run.n_steps.to_string()),
        ("seed", run.seed.clone()),
        ("device", one_line(&run.device)),
        ("code", one_line(&run.code_version)),
    ];
    for parent in &run.parents {
        lines.push(("parent", format!("{} ({})", parent.uid, parent.kind)));
    }
    let mut text: String = lines.iter().map(|(name, value)| format!("{name:<9} {value}\n")).collect();
    text += &named_text("recipe", &run.recipe);
    text += &named_text("features", &run.features);
    text += &named_text("probe", &run.probe);
    if !run.curve.is_empty() {
        let mut rows = vec![["step", "query loss", "support loss", "cost"].map(str::to_string).to_vec()];
        let loss = |loss: Option<f64>| loss.map_or_else(|| "-".to_string(), number_text);
        rows.extend(run.curve.iter().map(|point| {
            vec![
                point.step.to_string(),
                loss(point.long_loss),
                loss(point.short_loss),
                seconds_text(point.cpu_s),
            ]
        }));
        text += &format!("\n{}", print::columns(&rows));
    }
    text
}

fn named_text(part: &str, named: &Named) -> String {
    if named.is_empty() {
        return String::new();
    }
    let width = named.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Text(text) => one_line(text),
            // Every digit: a recipe is to be repeated.
            Value::Number(number) => number.to_string(),
        };
        format!("  {:<width$}  {value}\n", one_line(name))
    };
    format!("\n{part}\n{}", named.iter().map(line).collect::<String>())
}

/// Text of a file must not move the cursor of whoever reads it.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn export(arguments: &RunsExport, session: &Session) -> Result<Outcome> {
    let RunsExport { filter, limit, out } = arguments;
    ExportedRuns::at(out)?;
    let list = list_runs(&filter.ledger, &query(filter, *limit))?;
    let files = write_runs(out, &list.runs)?;
    let n_runs = list.runs.len();
    session.print(
        &json!({
            "out": files.runs,
            "curves": files.curves,
            "checksum": list.checksum,
            "n_runs": n_runs,
        }),
        || {
            if fs::metadata(out).is_ok_and(|metadata| metadata.is_file()) {
                let curves = files
                    .curves
                    .map_or_else(String::new, |curves| format!("; curves in {}", curves.display()));
                format!("{}: {n_runs} runs{curves}\n", out.display())
            } else {
                String::new()
            }
        },
    )?;
    Ok(Outcome::Done)
}
