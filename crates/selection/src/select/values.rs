//! Rows whose target is a number: which are likely wrong, by what models say that were solved without them.

use super::{SelectedRow, Selection, Standing};
use crate::basis::{Bumps, linear};
use crate::error::SelectionError;
use crate::linear_algebra::Matrix;
use crate::ridge::SolvedHead;
use crate::rows::encoded;
use weightsmith_tasks::Support;

/// From which probability of a wrong number on a row is dropped, and is doubtful.
const DROPPED: f64 = 0.9;
const DOUBTFUL: f64 = 0.5;
/// Of so many rows beside those of the table one is wrong, so that few rows are not taken for many.
const PRIOR: (f64, f64) = (1.0, 20.0);
/// Degrees of freedom of what right numbers are off by: noise has longer tails than a normal.
const FREEDOM: f64 = 4.0;
/// The density of a Student distribution at 0 with as many degrees of freedom.
const PEAK: f64 = 0.375;
/// Wrong numbers are spread like all, a part of them wider.
const FAR: (f64, f64) = (0.1, 3.0);
/// Turns of expectation and maximisation, and of judging by models that believe rows as far as the turn before.
const N_TURNS: usize = 60;
const N_ROUNDS: usize = 2;
/// Least belief in a row, and least spread of what right numbers are off by, in standard deviations of the target.
const LEAST_BELIEF: f64 = 0.02;
const LEAST_SPREAD: f64 = 0.01;

/// Judges every row by how far its number is from what two solved heads (on the inputs, and with Gaussian bumps) say that were solved
/// without it. What right numbers are off by has a Student distribution, wrong ones are spread like all numbers of the table; how many are
/// wrong and how far right ones are off is fitted by expectation and maximisation. A second round solves the heads with rows weighted by how
/// far the first believes them.
///
/// What a number is worth for the others is its exact value in the solved head, see [`SolvedHead::cross_fitted_values`].
///
/// The rows from `n` on are known to be right.
pub(super) fn select_values(
    support: &Support,
    values: &[f64],
    n: usize,
) -> Result<Selection, SelectionError> {
    let Some((centre, scale)) = unit(values) else { return Err(SelectionError::OneClass) };
    let targets: Vec<f64> = values.iter().map(|value| (value - centre) / scale).collect();
    let targets = Matrix::new(values.len(), 1, targets);
    let inputs = encoded(support)?;
    let bases = [linear(&inputs), Bumps::new(&inputs).features(&inputs)];
    let mut belief = vec![1.0; values.len()];
    let mut judged = Judged::default();
    for _ in 0..N_ROUNDS {
        let heads = bases.each_ref().map(|basis| SolvedHead::solve_best(basis, &targets, &belief));
        judged = Judged::by(&heads, &targets, &belief, n);
        belief = judged.wrong.iter().map(|wrong| (1.0 - wrong).max(LEAST_BELIEF)).collect();
        belief[n..].fill(1.0);
    }
    let is_dropped: Vec<bool> = dropped(&judged.wrong[..n]);
    let kept_sum: f64 = (0..n).filter(|&row| !is_dropped[row]).map(|row| belief[row]).sum();
    let n_kept = is_dropped.iter().filter(|dropped| !**dropped).count() as f64;
    let row = |row: usize| {
        let wrong = judged.wrong[row];
        let standing = match is_dropped[row] {
            true => Standing::Dropped,
            false if wrong >= DOUBTFUL => Standing::Doubtful,
            false => Standing::Kept,
        };
        let said = centre + scale * judged.said[row];
        let reasons = match standing {
            Standing::Kept => vec![],
            _ => vec![format!(
                "models fitted without it say {said:.4}, {:.1} times as far off as usual",
                judged.off(row, &targets) / judged.spread
            )],
        };
        SelectedRow {
            row: row + 1,
            label: values[row].to_string(),
            standing,
            weight: if is_dropped[row] { 0.0 } else { belief[row] * n_kept / kept_sum.max(1e-12) },
            wrong,
            foreign: 0.0,
            impure: wrong,
            contradiction: 1.0 - (-0.5 * (judged.off(row, &targets) / 2.0).powi(2)).exp(),
            value: judged.values[row],
            looks_like: (standing != Standing::Kept).then(|| format!("{said:.4}")),
            reasons,
        }
    };
    Ok(Selection { rows: (0..n).map(row).collect(), n_clean: values.len() - n, threshold: DROPPED })
}

/// Mean and standard deviation; none of numbers that do not vary.
fn unit(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let largest = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let mean = values.iter().map(|value| value / n).sum::<f64>();
    let deviation = values.iter().map(|value| ((value - mean) / n.sqrt()).powi(2)).sum::<f64>().sqrt();
    (deviation > 1e-12 * largest).then_some((mean, deviation))
}

/// Rows that are dropped: at most half of them, the likeliest wrong.
fn dropped(wrong: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..wrong.len()).filter(|&row| wrong[row] >= DROPPED).collect();
    order.sort_by(|&a, &b| wrong[b].total_cmp(&wrong[a]).then(a.cmp(&b)));
    order.truncate(wrong.len() / 2);
    let mut is_dropped = vec![false; wrong.len()];
    order.into_iter().for_each(|row| is_dropped[row] = true);
    is_dropped
}

/// What one round says of every row.
#[derive(Default)]
struct Judged {
    /// Probability that the number is not the right one.
    wrong: Vec<f64>,
    /// What heads that were solved without the row say, in standard deviations.
    said: Vec<f64>,
    /// What the row is worth to the others, in standard deviations over the table.
    values: Vec<f64>,
    /// How far right numbers are off.
    spread: f64,
}

impl Judged {
    /// Rows from `n_judged` on are known to be right.
    fn by(heads: &[SolvedHead; 2], targets: &Matrix, belief: &[f64], n_judged: usize) -> Self {
        let n = targets.n_rows();
        let said: Vec<f64> =
            (0..n).map(|row| heads.iter().map(|head| 0.5 * head.left_out.row(row)[0]).sum()).collect();
        let off: Vec<f64> = (0..n).map(|row| targets.row(row)[0] - said[row]).collect();
        let numbers: Vec<f64> = targets.rows().map(|target| target[0]).collect();
        let (wrong, spread) = mixture(&off, &numbers, n_judged);
        let mut values = vec![0.0; n];
        for head in heads {
            let own = head.cross_fitted_values(targets, belief);
            values.iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
        }
        let square = values.iter().map(|value| value * value).sum::<f64>() / n as f64;
        values.iter_mut().for_each(|value| *value /= square.sqrt().max(f64::MIN_POSITIVE));
        Self { wrong, said, values, spread }
    }

    fn off(&self, row: usize, targets: &Matrix) -> f64 {
        (targets.row(row)[0] - self.said[row]).abs()
    }
}

/// The probability of each number to be wrong, and how far right ones are off: a mixture of numbers that are off by a Student distribution
/// and of numbers that are spread like all.
///
/// Source: Dempster, Laird and Rubin 1977 for the algorithm; Lange, Little and Taylor 1989, "Robust statistical modeling using the t
/// distribution", for its scale.
fn mixture(off: &[f64], numbers: &[f64], n_judged: usize) -> (Vec<f64>, f64) {
    let normal =
        |x: f64, width: f64| (-0.5 * (x / width).powi(2)).exp() / (width * std::f64::consts::TAU.sqrt());
    let (share_far, width_far) = FAR;
    let anywhere = |x: f64| (1.0 - share_far) * normal(x, 1.0) + share_far * normal(x, width_far);
    let mut squares: Vec<f64> = off.iter().map(|off| off * off).collect();
    squares.sort_by(f64::total_cmp);
    // Half of a normal's squares are below 0.455 of its variance.
    let mut spread = (squares[squares.len() / 2] / 0.455).sqrt().max(LEAST_SPREAD);
    let mut share = PRIOR.0 / PRIOR.1;
    let mut wrong = vec![0.0; off.len()];
    for _ in 0..N_TURNS {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (row, wrong) in wrong.iter_mut().enumerate() {
            let square = (off[row] / spread).powi(2);
            let right = (1.0 - share) * PEAK / spread * (1.0 + square / FREEDOM).powf(-0.5 * (FREEDOM + 1.0));
            let other = share * anywhere(numbers[row]);
            *wrong = if row < n_judged { other / (other + right) } else { 0.0 };
            sum += (1.0 - *wrong) * (FREEDOM + 1.0) / (FREEDOM + square) * off[row].powi(2);
            weight += 1.0 - *wrong;
        }
        spread = (sum / weight.max(1e-12)).sqrt().max(LEAST_SPREAD);
        let n_wrong: f64 = wrong[..n_judged].iter().sum();
        share = (n_wrong + PRIOR.0) / (n_judged as f64 + PRIOR.1);
    }
    (wrong, spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use weightsmith_tasks::Seed;

    #[test]
    fn the_share_of_wrong_numbers_and_the_spread_of_right_ones_are_found() {
        let mut rng = Seed(3).stream("testing.mixture");
        let mut normal = || (0..12).map(|_| rng.random_range(-0.5..0.5)).sum::<f64>();
        // 400 numbers of which every fourth is another's, and what is said of the right ones is off by 0.2.
        let numbers: Vec<f64> = (0..400).map(|_| normal()).collect();
        let off: Vec<f64> = (0..400)
            .map(|row| if row % 4 == 0 { numbers[row] - numbers[(row + 7) % 400] } else { 0.2 * normal() })
            .collect();
        let (wrong, spread) = mixture(&off, &numbers, 400);
        let share = wrong.iter().sum::<f64>() / 400.0;
        // Of 200,000 such numbers the likelihood is highest at a share of 0.221 and a spread of 0.180 (maximised directly, without the
        // prior); over draws of 400 they deviate by 0.015 and 0.010.
        assert!((share - 0.221).abs() < 0.045 && (spread - 0.18).abs() < 0.03, "{share} {spread}");
        let of = |every: bool| -> f64 {
            let rows = (0..400).filter(|row| (row % 4 == 0) == every);
            rows.clone().map(|row| wrong[row]).sum::<f64>() / rows.count() as f64
        };
        assert!(of(true) > 0.7 && of(false) < 0.1, "{} {}", of(true), of(false));
        // Rows known to be right are, however far they are off.
        assert!(mixture(&off, &numbers, 100).0[100..].iter().all(|wrong| *wrong == 0.0));
    }
}
