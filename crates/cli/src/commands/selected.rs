//! What was left out before anything was learned, in words and as JSON.

use serde_json::{Value, json};
use weightsmith::{ChosenColumns, ColumnTrial, Selection, Standing};
use weightsmith_evaluation::number_text;
use weightsmith_generation::LeftOut;

/// Rows, or columns, that are named on a line at most.
const MOST_NAMED: usize = 12;

/// Positions, from 1, of the rows that were left out.
fn dropped(selection: &Selection) -> Vec<usize> {
    let dropped = selection.rows.iter().filter(|row| row.standing == Standing::Dropped);
    dropped.map(|row| row.row).collect()
}

pub(super) fn rows_json(selection: &Selection) -> Value {
    json!({ "n_kept": selection.kept().len(), "dropped": dropped(selection) })
}

/// Which rows were left out, on a line.
pub(super) fn rows_in_words(selection: &Selection) -> String {
    let (dropped, n_rows) = (dropped(selection), selection.rows.len());
    if dropped.is_empty() {
        return format!("selected all {n_rows} rows\n");
    }
    let n = dropped.len();
    let list = listed(dropped.iter().map(usize::to_string));
    format!("selected {} of {n_rows} rows; {n} dropped: {list} (`weightsmith select` says why)\n", n_rows - n)
}

pub(super) fn columns_json(chosen: &ChosenColumns) -> Value {
    let doubtful = chosen.others(&chosen.likely);
    json!({
        "n_kept": chosen.kept().len(),
        "left_out": chosen.left_out(),
        "doubtful": doubtful,
        "share_without": chosen.share,
        "irrelevant_share": chosen.judged.irrelevant_share,
        "trial": chosen.trial,
    })
}

/// Which columns were left out, or how far, and why, on a line.
pub(super) fn columns_in_words(chosen: &ChosenColumns) -> String {
    let (n_columns, n) = (chosen.judged.columns.len(), chosen.n_doubtful());
    if n == 0 {
        return format!("selected all {n_columns} columns: none is likely of no use\n");
    }
    let doubtful = chosen.others(&chosen.likely);
    let list = listed(doubtful.iter().map(|name| format!("\"{name}\"")));
    let Some(ColumnTrial { all, chosen: without, .. }) = chosen.trial else {
        return format!(
            "selected all {n_columns} columns: {n} seem to be of no use ({list}), but rows are too few to tell whether leaving them out pays\n"
        );
    };
    let why = format!(
        "loss on rows held out {} without such columns, {} with; `weightsmith select` says more",
        number_text(without),
        number_text(all)
    );
    if chosen.is_average() {
        let percent = (100.0 * chosen.share).round();
        return format!(
            "{n} of {n_columns} columns are likely of no use: {list}; a network without them has {percent} % of the output, one that reads all \
             columns the rest ({why})\n"
        );
    }
    match chosen.share > 0.0 {
        true => {
            format!(
                "selected {} of {n_columns} columns; {n} left out, likely of no use: {list} ({why})\n",
                n_columns - n
            )
        }
        false => format!(
            "selected all {n_columns} columns: {n} seem to be of no use ({list}), but leaving such out does not pay ({why})\n"
        ),
    }
}

/// What was left out, on a line.
pub(super) fn left_out_in_words(left_out: &LeftOut) -> String {
    let LeftOut { rows, columns } = left_out;
    let part = |n: usize, what: &str, names: String| match n {
        0 => format!("no {what}"),
        _ => format!("{n} {what}s ({names})"),
    };
    format!(
        "left out before anything was learned: {}, {}\n",
        part(rows.len(), "row", listed(rows.iter().map(usize::to_string))),
        part(columns.len(), "column", listed(columns.iter().map(|name| format!("\"{name}\""))))
    )
}

/// The first of some names, on a line.
fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let n = names.len();
    let mut named: Vec<String> = names.take(MOST_NAMED).collect();
    if n > MOST_NAMED {
        named.push("…".to_string());
    }
    named.join(", ")
}
