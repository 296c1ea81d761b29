//! Results on standard output, notes on standard error.

use anyhow::Result;
use serde::Serialize;
use std::io::{self, Write};
use weightsmith_datasets::Note;

/// Notes of one table that are printed at most; `--json` has them all.
const MAX_NOTES: usize = 20;

/// Prints text that ends with a new line.
pub(crate) fn text(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints one JSON object on one line.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    text(&format!("{}\n", serde_json::to_string(value)?))
}

/// What to know of how a table was read: a line each on standard error, warnings last, where they are seen.
pub(crate) fn notes(notes: &[Note]) {
    let (warnings, others): (Vec<&Note>, Vec<&Note>) = notes.iter().partition(|note| note.is_warning());
    let mut err = io::stderr().lock();
    let mut tell = |word: &str, notes: &[&Note]| {
        // With standard error gone, there is nobody left to tell.
        for note in notes.iter().take(MAX_NOTES) {
            let _ = writeln!(err, "{word}: {note}");
        }
        if notes.len() > MAX_NOTES {
            let _ = writeln!(err, "{word}: and {} more; --json has them all", notes.len() - MAX_NOTES);
        }
    };
    tell("note", &others);
    tell("warning", &warnings);
}

/// A table in columns: the first to the left, the others to the right.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cell = |(column, cell): (usize, &String)| {
            let width = widths[column];
            if column == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") }
        };
        let line: String = row.iter().enumerate().map(cell).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows =
            [vec!["method".to_string(), "AUC".to_string()], vec!["é".to_string(), "0.81234".to_string()]];
        assert_eq!(columns(&rows), "method      AUC\né       0.81234\n");
    }
}
