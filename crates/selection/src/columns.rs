//! Which columns of a table to learn from: what speaks for each, and how likely it is of no use.

mod evidence;
mod rates;

use crate::error::SelectionError;
use crate::normal::normal_tail;
use evidence::Evidence;
use rates::{fisher, irrelevant, smallest};
use serde::Serialize;
use weightsmith_tasks::{Seed, Support};

/// Below this many rows columns are not told apart.
const LEAST_ROWS: usize = 12;
/// What a column of noise has on held-out rows, in standard errors: mean and standard deviation, measured on columns of noise
/// beside open tables. The mean is below 0, since a network that reads noise is a little worse for it.
const NOISE: (f64, f64) = (-0.4, 1.1);
/// Evidence that is called by name, as a probability that chance does as much.
const TELLING: f64 = 0.05;

/// What a column is worth to networks on rows that they were not made from: what the loss of such a row rises by once the column's
/// values are shuffled.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct HeldOutWorth {
    /// Mean over the rows.
    pub increase: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl HeldOutWorth {
    /// The probability that a column of noise has as much.
    fn chance(self) -> f64 {
        let (mean, deviation) = NOISE;
        let standardised = match self.standard_error > 0.0 && self.increase.abs() > 1e-9 {
            true => self.increase / self.standard_error,
            // A column that the networks do not read.
            false => mean,
        };
        normal_tail((standardised - mean) / deviation)
    }
}

/// A column of the table, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedColumn {
    /// Its name.
    pub column: String,
    /// Probability that it is of no use: its local false discovery rate.
    pub irrelevant: f64,
    /// Probability that chance says as much for it on its own, as a slope or as differences between levels.
    pub alone: f64,
    /// The same of its curvature: that the middle of its values differs from both ends. None for names.
    pub curved: Option<f64>,
    /// The same of the strongest product with another column; none in a table of one.
    pub paired: Option<f64>,
    /// The other column of that product.
    pub partner: Option<String>,
    /// By how much the squared error of rows left out rises, as a share of it, once a linear model is solved without the column.
    pub without: f64,
    /// What it is worth to networks on rows held out; none where none were made.
    pub held_out: Option<HeldOutWorth>,
    /// What speaks for it, or that nothing does, in words.
    pub reason: String,
}

/// A table, judged column by column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedColumns {
    /// The columns in the table's order.
    pub columns: Vec<JudgedColumn>,
    /// The share of columns that are of no use, as far as all figures together tell.
    pub irrelevant_share: f64,
}

impl JudgedColumns {
    /// Positions of the columns that are less likely of no use than `level`; the likeliest useful one where there is none.
    pub fn kept(&self, level: f64) -> Vec<usize> {
        let below = |at: &usize| self.columns[*at].irrelevant < level;
        let kept: Vec<usize> = (0..self.columns.len()).filter(below).collect();
        if !kept.is_empty() {
            return kept;
        }
        let rate = |at: &usize| self.columns[*at].irrelevant;
        (0..self.columns.len()).min_by(|a, b| rate(a).total_cmp(&rate(b))).into_iter().collect()
    }
}

/// How networks from the chosen columns compare with networks from all, on rows held out.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct ColumnTrial {
    /// Mean loss of networks from all columns: log-loss, or squared error as a share of the variance.
    pub all: f64,
    /// The same of networks from the columns that were chosen without the rows.
    pub chosen: f64,
    /// Standard error of the difference, over rows.
    pub standard_error: f64,
}

/// The columns of a table, and how far those that are likely of no use are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChosenColumns {
    /// What speaks for each.
    pub judged: JudgedColumns,
    /// Positions of those that are not likely of no use, in their order.
    pub likely: Vec<usize>,
    /// From which probability of no use on a column is likely of no use.
    pub level: f64,
    /// The share in the output of a network that reads the likely ones alone; the rest is that of a network that reads all. At 1 the others
    /// are left out, at 0 none is.
    pub share: f64,
    /// What rows held out say; none where no column is likely of no use, or rows are too few to hold some out.
    pub trial: Option<ColumnTrial>,
}

impl ChosenColumns {
    /// Positions of the columns that are read.
    pub fn kept(&self) -> Vec<usize> {
        if self.share < 1.0 { (0..self.judged.columns.len()).collect() } else { self.likely.clone() }
    }

    /// Positions of the columns to read where a model reads one set of columns: those that tell held-out rows better.
    pub fn best(&self) -> Vec<usize> {
        if self.share > 0.5 { self.likely.clone() } else { (0..self.judged.columns.len()).collect() }
    }

    /// Whether a network is the mean of one that reads the likely columns and one that reads all.
    pub fn is_average(&self) -> bool {
        self.share > 0.0 && self.share < 1.0
    }

    /// Names of the columns that are not at these positions.
    pub fn others(&self, kept: &[usize]) -> Vec<&str> {
        let columns = self.judged.columns.iter().enumerate();
        columns.filter(|(at, _)| !kept.contains(at)).map(|(_, judged)| judged.column.as_str()).collect()
    }

    /// Names of the columns that are left out.
    pub fn left_out(&self) -> Vec<&str> {
        self.others(&self.kept())
    }

    /// How many columns are likely of no use, whether they were left out or not.
    pub fn n_doubtful(&self) -> usize {
        self.judged.columns.len() - self.likely.len()
    }
}

/// Judges every column of a table by its rows alone: on its own (slope, differences between levels, curvature), in products with every
/// other column, and, where networks were made from a part of the rows, by what it is worth to them on the others (`held_out`, one for
/// each column of the table). `seed` is that of the shuffled labels that products are compared with.
///
/// All figures of a column are joined into a probability that chance says as much (Fisher's method), and these, over all columns, into the
/// probability of each that it is of no use. So a column of which little can be said is kept in a table whose columns are mostly
/// useful, and left out among many that say nothing.
///
/// Source: Efron 2010, "Large-scale inference", chapter 5, for local false discovery rates; ours takes a power of the probability for
/// the density of useful columns.
///
/// # Errors
/// Fewer than 12 rows, one class, a table without columns.
///
/// # Panics
/// If `held_out` is not of as many columns as the table.
pub fn judge_columns(
    support: &Support,
    held_out: Option<&[HeldOutWorth]>,
    seed: Seed,
) -> Result<JudgedColumns, SelectionError> {
    let (n_rows, n_columns) = (support.n_rows(), support.table().columns().len());
    if n_rows < LEAST_ROWS {
        return Err(SelectionError::TooFewRows { n_rows, least: LEAST_ROWS });
    }
    let evidence = Evidence::of(support, seed)?;
    if let Some(worth) = held_out {
        assert_eq!(worth.len(), n_columns, "one figure for each column");
    }
    let chances: Vec<f64> = (0..n_columns)
        .map(|at| {
            let told = &evidence.columns[at];
            let support_alone = smallest(&[Some(told.alone), told.curved, told.paired]);
            held_out.map_or(support_alone, |worth| fisher(support_alone, worth[at].chance()))
        })
        .collect();
    let (rates, irrelevant_share) = irrelevant(&chances);
    let names: Vec<&String> = support.table().columns().iter().map(|column| &column.name).collect();
    let columns = evidence.columns.into_iter().zip(rates).enumerate().map(|(at, (told, rate))| {
        let mut column = JudgedColumn {
            column: names[at].clone(),
            irrelevant: rate,
            alone: told.alone,
            curved: told.curved,
            paired: told.paired,
            partner: told.partner.map(|partner| names[partner].clone()),
            without: told.without,
            held_out: held_out.map(|worth| worth[at]),
            reason: String::new(),
        };
        column.reason = if told.varies { reason(&column) } else { "it does not vary".to_string() };
        column
    });
    Ok(JudgedColumns { columns: columns.collect(), irrelevant_share })
}

/// What speaks for a column, the strongest first.
fn reason(column: &JudgedColumn) -> String {
    let mut told: Vec<(f64, String)> = vec![(column.alone, "it tells the target on its own".to_string())];
    if let Some(chance) = column.curved {
        told.push((chance, "the middle of its values differs from both ends".to_string()));
    }
    if let (Some(chance), Some(partner)) = (column.paired, &column.partner) {
        told.push((chance, format!("together with \"{partner}\" it tells what neither does alone")));
    }
    if let Some(worth) = column.held_out {
        told.push((worth.chance(), "networks that read it are better on rows held out".to_string()));
    }
    told.retain(|(chance, _)| *chance < TELLING);
    told.sort_by(|a, b| a.0.total_cmp(&b.0));
    if told.is_empty() {
        return "nothing speaks for it more than chance would".to_string();
    }
    told.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_noise_has_in_the_mean_says_nothing_for_or_against_a_column() {
        let worth = |increase| HeldOutWorth { increase, standard_error: 0.1 };
        assert!((worth(-0.04).chance() - 0.5).abs() < 1e-6);
        assert!((HeldOutWorth { increase: 0.0, standard_error: 0.0 }.chance() - 0.5).abs() < 1e-6);
        // 2.5 standard errors are 2.9 of 1.1 above -0.4: 0.4 %.
        assert!((worth(0.25).chance() - 0.0042).abs() < 1e-4, "{}", worth(0.25).chance());
    }
}
