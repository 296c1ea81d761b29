//! What a person gets: every row with its standing, its weight and the reasons.

mod values;

use crate::error::SelectionError;
use crate::feature::Feature;
use crate::features::Reading;
use crate::linear_algebra::Matrix;
use crate::rows::{LabelledRows, joined};
use crate::selector::{Selector, Verdict};
use serde::Serialize;
use weightsmith_tasks::{Support, Target};

/// Below this many rows nothing is told apart.
const LEAST_ROWS: usize = 12;
/// From which probability of another origin on rows are doubtful; none is dropped for it, since that made predictions worse.
const DOUBTFULLY_FOREIGN: f64 = 0.7;
/// From which contradiction on rows are doubtful.
const DOUBTFUL_CONTRADICTION: f64 = 0.4;
/// Rows are doubtful from this share of the probability at which they would be dropped.
const DOUBTFUL_SHARE: f64 = 0.6;
/// Reasons that are given for a row at most.
const MOST_REASONS: usize = 3;
/// From which probability of another origin on it is a reason.
const LIKELY: f64 = 0.5;
/// Rows of a class that stay, whatever is thought of them.
const LEAST_OF_A_CLASS: usize = 2;

/// What becomes of a row.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is learned from.
    Kept,
    /// It is learned from, and worth a look.
    Doubtful,
    /// It is not learned from.
    Dropped,
}

/// A row of the table, judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SelectedRow {
    /// Its position in the table, from 1.
    pub row: usize,
    /// Its label.
    pub label: String,
    /// What becomes of it.
    pub standing: Standing,
    /// How much it counts: 0 where it is dropped; the mean over the rows that are not is 1.
    pub weight: f64,
    /// Probability that its label is not the right one.
    pub wrong: f64,
    /// Probability that it is of another population than is asked about, or synthesised.
    pub foreign: f64,
    /// Probability of either.
    pub impure: f64,
    /// By how much models that were fitted without it prefer another class, from 0 to 1.
    pub contradiction: f64,
    /// What it is worth for rows like the clean ones, in standard deviations over the table: predicted, above 0 where it helps.
    pub value: f64,
    /// The class that it looks like, if not its own.
    pub looks_like: Option<String>,
    /// Why it is doubtful or dropped, in words; empty where it is kept.
    pub reasons: Vec<String>,
}

/// A table, judged row by row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Selection {
    /// The rows of the table in their order, those known to be clean not among them.
    pub rows: Vec<SelectedRow>,
    /// Rows known to be clean that were given beside the table.
    pub n_clean: usize,
    /// From which probability of a wrong label on rows are dropped; above 1 none is.
    pub threshold: f64,
}

impl Selection {
    /// How many rows have a standing.
    pub fn count(&self, standing: Standing) -> usize {
        self.rows.iter().filter(|row| row.standing == standing).count()
    }

    /// Positions, from 0, of the rows that are learned from.
    pub fn kept(&self) -> Vec<usize> {
        let kept = self.rows.iter().filter(|row| row.standing != Standing::Dropped);
        kept.map(|row| row.row - 1).collect()
    }

    /// The rows most worth a look: those most likely impure, or most contradicted, first; rows that are kept are not among them.
    pub fn most_suspicious(&self, n_most: usize) -> Vec<&SelectedRow> {
        let mut rows: Vec<&SelectedRow> =
            self.rows.iter().filter(|row| row.standing != Standing::Kept).collect();
        let badness = |row: &SelectedRow| row.impure.max(row.contradiction);
        rows.sort_by(|a, b| badness(b).total_cmp(&badness(a)).then(a.row.cmp(&b.row)));
        rows.truncate(n_most);
        rows
    }
}

/// Judges every row of a table: with rows known to be clean, by what they say too. `groups` is the group of each row of the table
/// (its source), below the number of groups, and empty where there are none; of clean rows no group is known.
///
/// Where the target is a number, neither the selector nor groups have a say: rows are judged by how far their numbers are from what solved
/// heads say that were solved without them.
///
/// The order of the rows changes nothing but rounding, and which of equally distant rows counts as the nearer.
///
/// # Errors
/// Fewer than 12 rows, one class or number, clean rows with other columns.
pub fn select(
    selector: &Selector,
    table: &Support,
    clean: Option<&Support>,
    groups: &[usize],
) -> Result<Selection, SelectionError> {
    let n = table.n_rows();
    if n < LEAST_ROWS {
        return Err(SelectionError::TooFewRows { n_rows: n, least: LEAST_ROWS });
    }
    let n_clean = clean.map_or(0, Support::n_rows);
    let support = match clean {
        Some(clean) if n_clean > 0 => joined(table, clean)?,
        _ => table.clone(),
    };
    if let Target::Values(values) = support.target() {
        return values::select_values(&support, values, n);
    }
    let mut is_trusted = vec![false; n];
    is_trusted.resize(n + n_clean, true);
    let mut groups = groups.to_vec();
    if !groups.is_empty() {
        // Clean rows have a group of their own: that of no source.
        let own = groups.iter().max().map_or(0, |last| last + 1);
        groups.resize(n + n_clean, own);
    }
    let rows = LabelledRows::new(&support, is_trusted, groups)?;
    let Target::Classes { class_names, .. } = support.target() else { return Err(SelectionError::Numbers) };
    let reading = Reading::new(&rows);
    let features = reading.features();
    let verdicts = selector.judge_features(&features);
    let threshold = selector.threshold(n_clean > 0);
    let is_dropped = dropped(&rows, &verdicts[..n], threshold);
    let kept_sum: f64 = (0..n).filter(|&row| !is_dropped[row]).map(|row| 1.0 - verdicts[row].wrong).sum();
    let n_kept = is_dropped.iter().filter(|dropped| !**dropped).count() as f64;
    let judged = (0..n).map(|row| {
        let verdict = verdicts[row];
        let margins = [Feature::SecondLinearMargin, Feature::SecondCurvedMargin];
        let contradiction =
            -margins.iter().map(|margin| features.row(row)[*margin as usize]).sum::<f64>() / 2.0;
        let contradiction = contradiction.clamp(0.0, 1.0);
        let standing = match is_dropped[row] {
            true => Standing::Dropped,
            false if is_doubtful(&verdict, threshold, contradiction) => Standing::Doubtful,
            false => Standing::Kept,
        };
        let told = reading.told(row);
        let reasons = match standing {
            Standing::Kept => vec![],
            _ => reasons(&reading, &rows, &features, &verdict, row, class_names),
        };
        SelectedRow {
            row: row + 1,
            label: class_names[rows.labels[row]].clone(),
            standing,
            weight: if is_dropped[row] { 0.0 } else { (1.0 - verdict.wrong) * n_kept / kept_sum.max(1e-12) },
            wrong: verdict.wrong,
            foreign: verdict.foreign,
            impure: verdict.impure,
            contradiction,
            value: verdict.value,
            looks_like: (told != rows.labels[row]).then(|| class_names[told].clone()),
            reasons,
        }
    });
    Ok(Selection { rows: judged.collect(), n_clean, threshold })
}

/// Which rows are dropped; of every class two stay, those most likely clean.
fn dropped(rows: &LabelledRows, verdicts: &[Verdict], threshold: f64) -> Vec<bool> {
    let mut is_dropped: Vec<bool> = verdicts.iter().map(|verdict| verdict.wrong >= threshold).collect();
    for class in 0..rows.n_classes {
        let mut of_class: Vec<usize> = (0..verdicts.len()).filter(|&row| rows.labels[row] == class).collect();
        of_class.sort_by(|&a, &b| verdicts[a].wrong.total_cmp(&verdicts[b].wrong));
        of_class.iter().take(LEAST_OF_A_CLASS).for_each(|&row| is_dropped[row] = false);
    }
    is_dropped
}

fn is_doubtful(verdict: &Verdict, threshold: f64, contradiction: f64) -> bool {
    contradiction >= DOUBTFUL_CONTRADICTION
        || verdict.wrong >= DOUBTFUL_SHARE * threshold.min(1.0)
        || verdict.foreign >= DOUBTFULLY_FOREIGN
}

/// Why a row is doubted, the weightiest first.
fn reasons(
    reading: &Reading<'_>,
    rows: &LabelledRows,
    features: &Matrix,
    verdict: &Verdict,
    row: usize,
    class_names: &[String],
) -> Vec<String> {
    let figure = |feature: Feature| features.row(row)[feature as usize];
    let own = rows.labels[row];
    let mut reasons = Vec::new();
    if verdict.foreign >= LIKELY && verdict.foreign > verdict.wrong {
        reasons.push(match rows.n_trusted() {
            0 => format!(
                "it seems to be made from other rows, or of another origin ({:.0} %)",
                100.0 * verdict.foreign
            ),
            _ => format!(
                "it is unlike the rows known to be clean ({:.0} % of another origin)",
                100.0 * verdict.foreign
            ),
        });
    }
    let told = reading.told(row);
    if told != own {
        reasons.push(format!("models fitted without it say \"{}\"", class_names[told]));
    }
    let votes = reading.votes(row);
    let most = (0..votes.len()).max_by_key(|&class| (votes[class], class == own)).unwrap_or(own);
    if most != own && votes[own] < 3 {
        reasons.push(format!("{} of the 5 rows most like it are \"{}\"", votes[most], class_names[most]));
    }
    if rows.n_trusted() > 0
        && figure(Feature::TrustedLinearMargin) < 0.0
        && figure(Feature::TrustedCurvedMargin) < 0.0
    {
        reasons.push("models fitted to the clean rows alone say another class".to_string());
    }
    if figure(Feature::GroupMargin) < -0.1 {
        reasons.push("the labels of its group fit worse than others".to_string());
    }
    if verdict.value < -0.5 {
        reasons.push("learning from it is expected to make predictions worse".to_string());
    }
    if reasons.is_empty() {
        reasons.push(format!(
            "all its figures together: {:.0} % that something is wrong with it",
            100.0 * verdict.impure
        ));
    }
    reasons.truncate(MOST_REASONS);
    reasons
}

#[cfg(test)]
#[path = "select/tests.rs"]
mod tests;
