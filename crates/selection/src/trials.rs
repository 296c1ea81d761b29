//! Heads that are solved on parts of a table, to try thresholds with.

use crate::basis::{Bumps, linear};
use crate::features::mean;
use crate::linear_algebra::Matrix;
use crate::ridge::SolvedHead;
use crate::rows::LabelledRows;
use crate::selector::Verdict;

/// Rows that are kept at least.
const LEAST_KEPT: usize = 8;

/// What is shared by heads that are solved on parts of a table's rows.
pub(crate) struct Trials<'a> {
    rows: &'a LabelledRows,
    targets: Matrix,
    bumps: Bumps,
    /// The inputs as they are, and with bumps; the strength that all rows pick for each.
    bases: [(Matrix, f64); 2],
}

impl<'a> Trials<'a> {
    pub(crate) fn new(rows: &'a LabelledRows) -> Self {
        let bumps = Bumps::new(&rows.inputs);
        let targets = rows.one_hot();
        let with_strength = |basis: Matrix| {
            let strength = SolvedHead::solve_best(&basis, &targets, &vec![1.0; rows.n_rows()]).strength;
            (basis, strength)
        };
        let bases = [linear(&rows.inputs), bumps.features(&rows.inputs)].map(with_strength);
        Self { rows, bumps, bases, targets }
    }

    /// Heads that are solved with these weights of the rows.
    pub(crate) fn heads(&self, weights: &[f64]) -> [SolvedHead; 2] {
        [0, 1].map(|at| {
            let (basis, strength) = &self.bases[at];
            SolvedHead::solve(basis, &self.targets, weights, *strength)
        })
    }

    /// Accuracy of the mean of both heads on other rows.
    pub(crate) fn accuracy(&self, heads: &[SolvedHead; 2], query: &Matrix, labels: &[usize]) -> f64 {
        let told = [heads[0].predict(&linear(query)), heads[1].predict(&self.bumps.features(query))];
        mean((0..labels.len()).map(|row| {
            let both: Vec<f64> = told[0].row(row).iter().zip(told[1].row(row)).map(|(a, b)| a + b).collect();
            f64::from(u8::from(crate::rows::margin(&both, labels[row]) > 0.0))
        }))
    }

    /// 1 for rows that are kept, 0 for the others. Trusted rows are kept.
    pub(crate) fn weights(&self, verdicts: &[Verdict], is_dropped: impl Fn(&Verdict) -> bool) -> Vec<f64> {
        let is_kept = |row: usize| self.rows.is_trusted[row] || !is_dropped(&verdicts[row]);
        let weights: Vec<f64> = (0..verdicts.len()).map(|row| f64::from(u8::from(is_kept(row)))).collect();
        if weights.iter().sum::<f64>() < LEAST_KEPT as f64 { vec![1.0; verdicts.len()] } else { weights }
    }
}
