//! Which rows and columns weights are made from.

use crate::columns::{Maker, choose_columns, with_columns};
use crate::error::GenerateError;
use serde::{Deserialize, Serialize};
use weightsmith_selection::{ChosenColumns, Selection, Selector, Standing, select};
use weightsmith_tasks::{Seed, Support};

/// What is selected before anything is learned.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectMode {
    /// Nothing: every row and every column is learned from.
    #[default]
    Off,
    /// Rows: those that are likely mislabelled are left out.
    Rows,
    /// Columns: those that are likely of no use are left out, as far as that pays on rows held out.
    Columns,
    /// Columns, then rows by the columns that are left.
    Both,
}

impl SelectMode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Off, Self::Rows, Self::Columns, Self::Both];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Rows => "rows",
            Self::Columns => "columns",
            Self::Both => "both",
        }
    }

    fn columns(self) -> bool {
        matches!(self, Self::Columns | Self::Both)
    }

    fn rows(self) -> bool {
        matches!(self, Self::Rows | Self::Both)
    }
}

/// A support of which something was selected.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// The rows and columns that are learned from; of columns the better choice, where a network can average over two.
    pub support: Support,
    /// What became of every row; none where all were asked for.
    pub rows: Option<Selection>,
    /// What became of every column; none where all were asked for.
    pub columns: Option<ChosenColumns>,
}

/// What was left out of a support.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeftOut {
    /// Positions of rows, from 1.
    pub rows: Vec<usize>,
    /// Names of columns.
    pub columns: Vec<String>,
}

impl Selected {
    /// What was left out.
    pub fn left_out(&self) -> LeftOut {
        let dropped = |rows: &Selection| {
            let dropped = rows.rows.iter().filter(|row| row.standing == Standing::Dropped);
            dropped.map(|row| row.row).collect()
        };
        let names =
            |chosen: &ChosenColumns| chosen.others(&chosen.best()).into_iter().map(String::from).collect();
        LeftOut {
            rows: self.rows.as_ref().map_or_else(Vec::new, dropped),
            columns: self.columns.as_ref().map_or_else(Vec::new, names),
        }
    }
}

/// Selects by the support alone. With [`SelectMode::Off`] it is the support as it was.
///
/// # Errors
/// Rows that nothing can be told of: fewer than 12, one class.
pub fn select_support(
    maker: Maker<'_>,
    support: &Support,
    mode: SelectMode,
    seed: Seed,
) -> Result<Selected, GenerateError> {
    let columns = if mode.columns() { Some(choose_columns(maker, support, seed)?) } else { None };
    let narrow = columns.as_ref().map(|chosen| with_columns(support, &chosen.best()));
    let support = narrow.as_ref().unwrap_or(support);
    let rows = if mode.rows() { Some(select(&Selector::shipped(), support, None, &[])?) } else { None };
    let support = match &rows {
        Some(rows) => support.select(&rows.kept()),
        None => support.clone(),
    };
    Ok(Selected { support, rows, columns })
}
