//! `weightsmith inspect`

use super::score::read_for;
use crate::arguments::Inspect;
use crate::exit::Outcome;
use crate::print;
use crate::session::Session;
use anyhow::{Context, Result};
use serde::Serialize;
use weightsmith::{Network, TaskType};
use weightsmith_base_model::{Description, inspect};
use weightsmith_evaluation::{
    ColumnImportance, Importance, are_its_own_rows, number_text, permutation_importance,
};
use weightsmith_tasks::Seed;

/// The file, and what its columns are worth on rows.
#[derive(Serialize)]
struct Printed {
    #[serde(flatten)]
    description: Description,
    #[serde(skip_serializing_if = "Option::is_none")]
    importance: Option<OnRows>,
}

/// What the columns are worth on the rows of a table.
#[derive(Serialize)]
struct OnRows {
    /// Whether the network was made from these rows.
    are_its_own_rows: bool,
    #[serde(flatten)]
    importance: Importance,
}

pub(super) fn run(arguments: &Inspect, session: &Session) -> Result<Outcome> {
    let path = arguments
        .file
        .as_ref()
        .or(arguments.weights.as_ref())
        .context("name a file of weights to inspect")?;
    let description =
        inspect(path).with_context(|| format!("cannot use the weights in {}", path.display()))?;
    let importance = match &arguments.rows() {
        None => None,
        Some(rows) => {
            let network = Network::load(path)?;
            let (model, read) = (network.base_model(), read_for(&network, rows)?.labelled);
            session.notes(&read.notes);
            let importance = permutation_importance(model, &read.table, &read.target, Seed(arguments.seed))
                .with_context(|| format!("{} does not read {}", path.display(), rows.data))?;
            Some(OnRows { are_its_own_rows: are_its_own_rows(model, &read), importance })
        }
    };
    let printed = Printed { description, importance };
    session.print(&printed, || in_words(&printed))?;
    Ok(Outcome::Done)
}

fn in_words(printed: &Printed) -> String {
    let mut text = printed.description.to_string();
    let Some(OnRows { are_its_own_rows, importance }) = &printed.importance else { return text };
    let change = match printed.description.task_type {
        TaskType::Classification => "log-loss rises by",
        TaskType::Regression => "R² falls by",
    };
    let row = |found: &ColumnImportance| {
        let between = |low: f64, high: f64| format!("{} to {}", number_text(low), number_text(high));
        let interval = found.interval.map_or_else(String::new, |ends| between(ends.low, ends.high));
        vec![format!("  {:?}", found.column), number_text(found.increase), interval]
    };
    let mut rows = vec![["  once shuffled", change, "95 % interval"].map(String::from).to_vec()];
    rows.extend(importance.columns.iter().map(row));
    text += &format!("columns, on {} rows, shuffled {} times\n", importance.n_rows, importance.n_shuffles);
    text += &print::columns(&rows);
    if *are_its_own_rows {
        text += "these are the rows that the network was made from: give others to learn what its columns are worth\n";
    }
    text
}
