//! `weightsmith score`

use crate::arguments::Score;
use crate::exit::Outcome;
use crate::print;
use anyhow::{Context, Result};
use weightsmith::Network;
use weightsmith_datasets::read_table;
use weightsmith_evaluation::{MetricScore, NetworkScore, metric_text, score_network};

pub(super) fn run(arguments: &Score) -> Result<Outcome> {
    let Score { weights, table, json } = arguments;
    let network = Network::load(weights)?;
    let read = read_table(&table.data, table.target.as_deref(), Some(network.task_type()))?;
    print::notes(&read.labelled.notes);
    let score = score_network(network.base_model(), &read.labelled)
        .with_context(|| format!("{} cannot be scored on {}", weights.display(), table.data))?;
    if *json {
        print::json(&score)?;
    } else {
        print::text(&in_words(&score))?;
    }
    Ok(Outcome::Done)
}

fn in_words(score: &NetworkScore) -> String {
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
    text
}

fn row(found: &MetricScore) -> Vec<String> {
    let text = |value: f64| metric_text(found.metric, value);
    let between = |interval: &weightsmith_evaluation::Interval| {
        format!("{} to {}", text(interval.low), text(interval.high))
    };
    vec![
        found.metric.label().to_string(),
        text(found.value),
        found.interval.as_ref().map_or_else(String::new, between),
        found.base_rate.map_or_else(String::new, text),
    ]
}
