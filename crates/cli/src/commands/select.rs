//! `weightsmith select`

use super::selected::columns_in_words;
use crate::arguments::Select;
use crate::exit::Outcome;
use crate::outputs::{self, Content};
use crate::print;
use crate::session::Session;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::path::Path;
use weightsmith::{ChosenColumns, SelectedRow, Selection, Selector, Standing, select};
use weightsmith_base_model::open_device;
use weightsmith_datasets::{Fields, Labelled, NamedTable, Note, Source, read_rows, read_selected_table};
use weightsmith_evaluation::number_text;
use weightsmith_generation::{Maker, choose_columns, load_metamodel};
use weightsmith_reports::{SelectionReport, write as write_report};
use weightsmith_runtime::write_output;
use weightsmith_tasks::{Seed, Support, Target};

/// Rows that are named on the terminal.
const N_SHOWN: usize = 10;

/// What is printed as JSON.
#[derive(Serialize)]
struct Printed<'a> {
    data: String,
    target: &'a str,
    n_kept: usize,
    n_doubtful: usize,
    n_dropped: usize,
    #[serde(flatten)]
    selection: &'a Selection,
    /// What became of every column.
    columns: &'a ChosenColumns,
    out: Option<&'a Path>,
    report: Option<&'a Path>,
    notes: &'a [Note],
}

pub(super) fn run(arguments: &Select, session: &Session) -> Result<Outcome> {
    let Select { rows, columns, clean, group, out, report, force } = arguments;
    let (out, report) = (out.as_deref(), report.as_deref());
    let inputs = outputs::file_of(&rows.data).into_iter().chain(clean.as_ref().and_then(outputs::file_of));
    outputs::check([(Content::Rows, out), (Content::Report, report)], inputs, *force)?;
    if outputs::file_of(&rows.data).is_none() && rows.data.sample()?.is_none() {
        bail!("rows are selected from a file, which is read twice; write standard input to a file first");
    }
    let task = columns.task.task_type();
    let mut selection = columns.selection(rows);
    selection.drop.extend(group.clone());
    let NamedTable { target, labelled, .. } =
        read_selected_table(&rows.data, rows.target.as_deref(), task, &selection)?;
    let fields = Fields::read(&rows.data)?;
    let groups = group.as_deref().map_or_else(Vec::new, |group| groups_of(&fields, group));
    let clean = clean.as_ref().map(|source| clean_rows(source, &labelled, &target)).transpose()?;
    let Labelled { name, table, target: labels, ids, notes } = labelled;
    let support = Support::new(table, labels)?;
    let judged = select(&Selector::shipped(), &support, clean.as_ref(), &groups)
        .with_context(|| rows.data.to_string())?;
    let pretrained = load_metamodel(None, support.target().task_type(), &open_device("cpu")?)?;
    let chosen = choose_columns(Maker::Metamodel(&pretrained), &support, Seed(0))
        .with_context(|| rows.data.to_string())?;
    session.notes(&notes);
    if let Some(path) = out {
        write_output(path, &fields.csv(&judged.kept()))?;
    }
    if let Some(path) = report {
        let page = SelectionReport {
            name: &name,
            target: &target,
            selection: &judged,
            columns: &chosen,
            ids: &ids,
            notes: &notes,
        };
        write_report(&page, path)?;
    }
    let printed = Printed {
        data: rows.data.to_string(),
        target: &target,
        n_kept: judged.count(Standing::Kept),
        n_doubtful: judged.count(Standing::Doubtful),
        n_dropped: judged.count(Standing::Dropped),
        selection: &judged,
        columns: &chosen,
        out,
        report,
        notes: &notes,
    };
    session.print(&printed, || in_words(&printed, &ids))?;
    Ok(Outcome::Done)
}

/// The group of each row, numbered in the order in which groups occur.
fn groups_of(fields: &Fields, column: &str) -> Vec<usize> {
    let mut names: Vec<&str> = Vec::new();
    let Some(values) = fields.column(column) else { return vec![] };
    values
        .map(|value| {
            names.iter().position(|known| *known == value).unwrap_or_else(|| {
                names.push(value);
                names.len() - 1
            })
        })
        .collect()
}

/// Rows known to be clean, their columns read as those of the table are.
fn clean_rows(source: &Source, table: &Labelled, target: &str) -> Result<Support> {
    if outputs::file_of(source).is_none() && source.sample()?.is_none() {
        bail!("clean rows are read from a file, not from standard input");
    }
    let rows = read_rows(source, &table.table.schema())?;
    let fields = Fields::read(source)?;
    let Some(labels) = fields.column(target) else {
        bail!("{source} has no column \"{target}\"; clean rows need their labels");
    };
    let labels: Vec<&str> = labels.map(str::trim).collect();
    if let Some(row) = labels.iter().position(|label| label.is_empty()) {
        bail!("{source}: clean row {} has no label", row + 1);
    }
    let Target::Classes { class_names, .. } = &table.target else {
        let number = |(row, label): (usize, &&str)| {
            let number = label.parse().ok().filter(|number: &f64| number.is_finite());
            number.with_context(|| {
                format!("{source}: the label \"{label}\" of clean row {} is not a number", row + 1)
            })
        };
        let values = labels.iter().enumerate().map(number).collect::<Result<Vec<f64>>>()?;
        return Ok(Support::new(rows.table, Target::Values(values))?);
    };
    let place = |label: &&str| {
        class_names.iter().position(|known| known == label).with_context(|| {
            format!(
                "{source} has the class \"{label}\", which the table has not; it has {}",
                class_names.join(", ")
            )
        })
    };
    let labels = labels.iter().map(place).collect::<Result<Vec<usize>>>()?;
    Ok(Support::new(rows.table, Target::Classes { class_names: class_names.clone(), labels })?)
}

fn in_words(printed: &Printed<'_>, ids: &[String]) -> String {
    let Printed { selection, n_kept, n_doubtful, n_dropped, .. } = printed;
    let mut text = format!(
        "{} rows: {n_kept} kept, {n_doubtful} doubtful (kept too), {n_dropped} dropped{}\n",
        selection.rows.len(),
        match selection.n_clean {
            0 => "; judged by the table alone, without rows known to be clean".to_string(),
            n => format!("; judged with {n} rows known to be clean"),
        }
    );
    let suspicious = selection.most_suspicious(N_SHOWN);
    if !suspicious.is_empty() {
        text += "most worth a look:\n";
        let cells = |row: &&SelectedRow| {
            let name = ids.get(row.row - 1).cloned().unwrap_or_else(|| format!("row {}", row.row));
            let standing = if row.standing == Standing::Dropped { "dropped" } else { "doubtful" };
            vec![name, format!("\"{}\"", row.label), standing.to_string()]
        };
        let table = print::columns(&suspicious.iter().map(cells).collect::<Vec<_>>());
        for (line, row) in table.lines().zip(&suspicious) {
            text += &format!("{line}  {}\n", row.reasons.join("; "));
        }
    }
    text += &columns_shown(printed.columns);
    for (what, path) in [("without the dropped rows", printed.out), ("report", printed.report)] {
        if let Some(path) = path {
            text += &format!("{what}: {}\n", path.display());
        }
    }
    text
}

/// How many columns stay, and what speaks for those that are worth most.
fn columns_shown(chosen: &ChosenColumns) -> String {
    let mut text = columns_in_words(chosen);
    let mut order: Vec<usize> = (0..chosen.judged.columns.len()).collect();
    let rate = |at: &usize| chosen.judged.columns[*at].irrelevant;
    order.sort_by(|a, b| rate(a).total_cmp(&rate(b)));
    let cells = |&at: &usize| {
        let judged = &chosen.judged.columns[at];
        let standing = if chosen.likely.contains(&at) { "useful" } else { "of no use?" };
        let percent = format!("{:.0} %", 100.0 * judged.irrelevant);
        let worth = judged.held_out.map_or("-".to_string(), |worth| number_text(worth.increase));
        vec![format!("\"{}\"", judged.column), standing.to_string(), percent, worth]
    };
    let shown: Vec<usize> = order.into_iter().take(N_SHOWN).collect();
    text +=
        "columns that are worth most, and what the loss on rows held out rises by once they are shuffled:\n";
    let table = print::columns(&shown.iter().map(cells).collect::<Vec<_>>());
    for (line, &at) in table.lines().zip(&shown) {
        text += &format!("{line}  {}\n", chosen.judged.columns[at].reason);
    }
    text
}
