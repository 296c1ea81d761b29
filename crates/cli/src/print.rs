//! Text for people: notes, and tables in columns.

use anyhow::Result;
use std::io::{self, Write};
use weightsmith_datasets::Note;

/// Notes of one table that are usually printed at most; `--verbose` and `--json` have them all.
pub(crate) const MAX_NOTES: usize = 20;

/// Writes bytes, now.
pub(crate) fn to(out: &mut impl Write, text: &[u8]) -> Result<()> {
    out.write_all(text)?;
    Ok(out.flush()?)
}

/// A line on standard error for each of the first notes, warnings last.
pub(crate) fn notes(notes: &[Note], n_most: usize) {
    let (warnings, others): (Vec<&Note>, Vec<&Note>) = notes.iter().partition(|note| note.is_warning());
    let mut err = io::stderr().lock();
    let mut tell = |word: &str, notes: &[&Note]| {
        // With standard error gone, there is nobody left to tell.
        for note in notes.iter().take(n_most) {
            let _ = writeln!(err, "{word}: {note}");
        }
        if notes.len() > n_most {
            let _ = writeln!(err, "{word}: and {} more; --verbose has them all", notes.len() - n_most);
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
