//! `weightsmith score`

use crate::arguments::{LabelledArguments, Score};
use crate::exit::Outcome;
use crate::outputs::{self, Content};
use crate::print;
use crate::session::Session;
use anyhow::{Context, Result};
use serde::Serialize;
use std::path::Path;
use weightsmith::Network;
use weightsmith_datasets::{ColumnSelection, NamedTable, Note, read_selected_table};
use weightsmith_evaluation::{
    Interval, MetricScore, NetworkScore, metric_text, permutation_importance, score_network, worst_rows,
};
use weightsmith_reports::{ScoreReport, write as write_report};
use weightsmith_tasks::Seed;

/// Rows that a report shows of those that are predicted worst.
const N_WORST: usize = 10;

/// The scores and where the report went.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    score: &'a NetworkScore,
    report: Option<&'a Path>,
    notes: &'a [Note],
}

/// Rows with labels of what a network predicts.
pub(super) fn read_for(network: &Network, rows: &LabelledArguments) -> Result<NamedTable> {
    let selection = ColumnSelection { id: rows.id.clone(), ..ColumnSelection::default() };
    let task = Some(network.task_type());
    let mut table = read_selected_table(&rows.data, rows.target.as_deref(), task, &selection)?;
    // What the network reads by its words is not ignored.
    let texts = network.base_model().encoding.texts();
    let is_read = |column: &String| texts.iter().any(|text| text.column == *column);
    let notes = &mut table.labelled.notes;
    notes.retain(|note| !matches!(note, Note::FreeText { columns, .. } if columns.iter().all(is_read)));
    Ok(table)
}

pub(super) fn run(arguments: &Score, session: &Session) -> Result<Outcome> {
    let Score { weights, rows, report, seed } = arguments;
    let report = report.as_deref();
    let inputs = outputs::file_of(&rows.data).into_iter().chain([weights.as_path()]);
    outputs::check([(Content::Report, report)], inputs, true)?;
    let network = Network::load(weights)?;
    let NamedTable { target, labelled: read, .. } = read_for(&network, rows)?;
    let model = network.base_model();
    session.detail(|| {
        let (made_by, n_rows) = (&model.provenance.name, read.target.len());
        format!("{}: made by {made_by}; read {n_rows} rows", weights.display())
    });
    let unfit = || format!("{} cannot be scored on {}", weights.display(), rows.data);
    let score = score_network(model, &read, Seed(*seed)).with_context(unfit)?;
    session.notes(&read.notes);
    if let Some(path) = report {
        let importance = permutation_importance(model, &read.table, &read.target, Seed(*seed))?;
        let page = ScoreReport {
            score: &score,
            target: &target,
            made_by: (&model.provenance.name, &model.provenance.checksum),
            n_support: model.support.n_rows,
            importance: &importance,
            worst: &worst_rows(model, &read, N_WORST)?,
            notes: &read.notes,
        };
        write_report(&page, path)?;
    }
    session.print(&Printed { score: &score, report, notes: &read.notes }, || in_words(&score, report))?;
    Ok(Outcome::Done)
}

fn in_words(score: &NetworkScore, report: Option<&Path>) -> String {
    let mut text = format!("{} of {} rows of {}\n", score.task, score.n_rows, score.name);
    let mut rows = vec![["", "", "95 % interval", "base rate"].map(String::from).to_vec()];
    rows.extend(score.metrics.iter().map(row));
    text += &print::columns(&rows);
    if score.are_its_own_rows {
        text += "these are the rows that the network was made from: on others it will be worse\n";
    }
    if !score.unknown_classes.is_empty() {
        text += &format!("classes that the network does not know: {}\n", score.unknown_classes.join(", "));
    }
    if let Some(report) = report {
        text += &format!("report: {}\n", report.display());
    }
    text
}

fn row(found: &MetricScore) -> Vec<String> {
    let text = |value: f64| metric_text(found.metric, value);
    let between = |interval: &Interval| format!("{} to {}", text(interval.low), text(interval.high));
    vec![
        found.metric.label().to_string(),
        text(found.value),
        found.interval.as_ref().map_or_else(String::new, between),
        found.base_rate.map_or_else(String::new, text),
    ]
}
