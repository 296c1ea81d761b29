//! What the columns of a network are worth to it, as a part of several pages.

use crate::charts::{Chart, Dot, DotPlot, NO_LIMITS};
use crate::page::{column, count, dash, figure, side_by_side, table, text};
use maud::{Markup, html};
use weightsmith_evaluation::{ColumnImportance, Importance, number_text};
use weightsmith_tasks::TaskType;

/// Columns that are shown at most; the JSON has them all.
const MOST_SHOWN: usize = 20;

/// What the metric of a task does when a column is shuffled.
fn change(task: TaskType) -> &'static str {
    match task {
        TaskType::Classification => "log-loss rises",
        TaskType::Regression => "R² falls",
    }
}

/// The same as a heading of figures.
fn change_by(task: TaskType) -> String {
    format!("{} by", change(task))
}

/// A dot for each of the columns that are worth most.
fn picture(importance: &Importance, task: TaskType) -> Option<Chart> {
    let dot = |found: &ColumnImportance| {
        let ends =
            found.interval.map_or((found.increase, found.increase), |interval| (interval.low, interval.high));
        Dot { label: found.column.clone(), value: found.increase, ends, is_lead: false }
    };
    let dots: Vec<Dot> = importance.columns.iter().take(MOST_SHOWN).map(dot).collect();
    let plot = DotPlot {
        title: &change_by(task),
        hint: "more: the column matters more",
        dots: &dots,
        limits: NO_LIMITS,
        is_log: false,
        text: &short,
        tick: None,
    };
    (!dots.is_empty()).then(|| plot.chart())
}

/// Changes below a ten thousandth are as good as none.
fn short(value: f64) -> String {
    // Without the sign of what rounds to zero.
    let rounded = (1e4 * value).round() / 1e4 + 0.0;
    if rounded.abs() < 10.0 { format!("{rounded:.4}") } else { number_text(rounded) }
}

/// The section of a page; `pointer` is where the figures are in its JSON, and `rows` says which rows were shuffled.
pub(super) fn section(importance: &Importance, task: TaskType, pointer: &str, rows: &str) -> Markup {
    let Importance { n_rows, n_shuffles, n_networks, columns } = importance;
    let picture: Vec<Chart> = picture(importance, task).into_iter().collect();
    let cells = |(idx, found): (usize, &ColumnImportance)| {
        let of = |name: &str, value: f64| {
            figure(format_args!("{pointer}/columns/{idx}/{name}"), value, short(value))
        };
        vec![
            text(&found.column),
            of("increase", found.increase),
            found.interval.map_or_else(dash, |interval| {
                html! { (of("interval/low", interval.low)) " to " (of("interval/high", interval.high)) }
            }),
        ]
    };
    let shown: Vec<Vec<Markup>> = columns.iter().take(MOST_SHOWN).enumerate().map(cells).collect();
    html! {
        h2 { "Which columns matter" }
        p {
            "By how much the " (change(task)) " when the values of one column are shuffled among " (rows)
            ", so that they no longer belong to their rows. Two columns that say the same stand in for each other, so that each \
             seems to matter little."
        }
        (side_by_side(&picture))
        (table(&[column("column"), column(change_by(task)), column("95% interval")], &shown, None))
        p.note {
            (count(format_args!("{pointer}/n_rows"), *n_rows)) " rows, each column shuffled "
            (count(format_args!("{pointer}/n_shuffles"), *n_shuffles)) " times"
            @if *n_networks > 1 {
                ", for " (count(format_args!("{pointer}/n_networks"), *n_networks))
                " networks, one a split; intervals (Student's t) are over these"
            } @else {
                "; intervals are over rows, drawn again"
            }
            "."
            @if columns.len() > MOST_SHOWN {
                " Of " (columns.len()) " columns the " (MOST_SHOWN) " that matter most; the JSON beside this page has all."
            }
        }
    }
}
