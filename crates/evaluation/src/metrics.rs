//! How good predictions are: the formulas of the outside scorer, and some more.
//!
//! Probabilities are clipped to 1e-6..1 and made to add up to 1 before anything is measured, so that a class
//! that was given no probability costs much and not everything. The AUC is of these numbers too. A class that no model gave a probability has
//! 1e-6 in every row, and the division tells the rows apart by rounding errors: its order means nothing, but the outside
//! scorer ranks it, and it moves a row's AUC by up to 0.03. To agree with it row by row, the numbers here are the same to
//! the bit: they start from the decimal text that `predict` writes, and are added up in NumPy's order ([`numpy_sum`]).

use serde::{Serialize, Serializer};
use std::fmt;

/// The smallest probability that is scored.
pub(crate) const MIN_PROBABILITY: f64 = 1e-6;
/// The share of rows that a 95% interval should hold.
const NOMINAL_COVERAGE: f64 = 0.95;
/// Equal-width bins of the expected calibration error.
const N_CALIBRATION_BINS: usize = 10;
/// Standard deviations to either side that a 95% interval of a normal error spans.
const Z_95: f64 = 1.959_963_984_540_054;

/// What is measured on the query rows.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// Share of rows whose most probable class is right.
    Accuracy,
    /// Area under the ROC curve; for more than two classes the mean over pairs of classes.
    Auc,
    /// Mean of minus the logarithm of the true class's probability, in nats.
    LogLoss,
    /// Mean over rows of the squared error of the probabilities, summed over the classes: 0 to 2.
    Brier,
    /// Expected calibration error of the most probable class, over 10 bins of equal width.
    CalibrationError,
    /// Share of the variance that is explained; below 0 where the mean would have been better.
    R2,
    /// The same, but never below -1, so that one bad table does not rule a mean.
    R2Clipped,
    /// Root of the mean squared error, in the target's unit.
    Rmse,
    /// Share of rows within the 95% interval that the model's standard deviation implies.
    Coverage,
}

impl Metric {
    /// The name in JSON and in result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Auc => "auc",
            Self::LogLoss => "log_loss",
            Self::Brier => "brier",
            Self::CalibrationError => "calibration_error",
            Self::R2 => "r2",
            Self::R2Clipped => "r2_clipped",
            Self::Rmse => "rmse",
            Self::Coverage => "coverage_95",
        }
    }

    /// The name in tables and pictures.
    pub fn label(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Auc => "AUC",
            Self::LogLoss => "log-loss",
            Self::Brier => "Brier score",
            Self::CalibrationError => "calibration error",
            Self::R2 => "R²",
            Self::R2Clipped => "R², at least -1",
            Self::Rmse => "RMSE",
            Self::Coverage => "95% coverage",
        }
    }

    /// The least and the greatest value there can be.
    pub fn range(self) -> (f64, f64) {
        match self {
            Self::Accuracy | Self::Auc | Self::CalibrationError | Self::Coverage => (0.0, 1.0),
            Self::LogLoss | Self::Rmse => (0.0, f64::INFINITY),
            Self::Brier => (0.0, 2.0),
            Self::R2 => (f64::NEG_INFINITY, 1.0),
            Self::R2Clipped => (-1.0, 1.0),
        }
    }

    /// Whether a greater number is better; none for the coverage, whose best value is 0.95.
    pub fn higher_is_better(self) -> Option<bool> {
        match self {
            Self::Accuracy | Self::Auc | Self::R2 | Self::R2Clipped => Some(true),
            Self::LogLoss | Self::Brier | Self::CalibrationError | Self::Rmse => Some(false),
            Self::Coverage => None,
        }
    }

    /// A value turned so that less is better: for the coverage, how far it is from 0.95.
    pub fn loss(self, value: f64) -> f64 {
        match self.higher_is_better() {
            Some(true) => -value,
            Some(false) => value,
            None => (value - NOMINAL_COVERAGE).abs(),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Metrics and their values, in the order of [`Metric`]. A value that does not exist (an AUC where only one
/// class occurs) is NaN.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Scores(Vec<(Metric, f64)>);

impl Scores {
    /// The value of a metric; none if it does not apply to the task or does not exist.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.0.iter().find(|(own, _)| *own == metric).map(|(_, value)| *value).filter(|value| !value.is_nan())
    }

    /// All metrics that apply to the task.
    pub fn metrics(&self) -> impl Iterator<Item = Metric> {
        self.0.iter().map(|(metric, _)| *metric)
    }
}

/// Scores probabilities, `n_classes` a row, against the true classes. Exact agreement with the outside scorer needs the
/// classes in the order of their text.
///
/// # Panics
/// If there is no row, the lengths differ, or a label is not below `n_classes`.
pub fn classification_scores(probabilities: &[f64], n_classes: usize, labels: &[usize]) -> Scores {
    assert!(!labels.is_empty() && probabilities.len() == labels.len() * n_classes, "a row a label");
    let mut rows: Vec<f64> = probabilities.iter().map(|p| p.clamp(MIN_PROBABILITY, 1.0)).collect();
    for row in rows.chunks_exact_mut(n_classes) {
        let total = numpy_sum(row);
        row.iter_mut().for_each(|p| *p /= total);
    }
    let n = labels.len() as f64;
    let each = || rows.chunks_exact(n_classes).zip(labels);
    let hits = each().filter(|(row, label)| first_greatest(row) == **label).count();
    let log_loss = each().map(|(row, label)| -row[*label].ln()).sum::<f64>() / n;
    let squared_error = |(row, label): (&[f64], &usize)| {
        row.iter()
            .enumerate()
            .map(|(class, p)| (p - f64::from(u8::from(class == *label))).powi(2))
            .sum::<f64>()
    };
    Scores(vec![
        (Metric::Accuracy, hits as f64 / n),
        (Metric::Auc, auc(&rows, n_classes, labels)),
        (Metric::LogLoss, log_loss),
        (Metric::Brier, each().map(squared_error).sum::<f64>() / n),
        (Metric::CalibrationError, calibration_error(&rows, n_classes, labels)),
    ])
}

/// Scores predicted values against the true ones; `std` is the model's standard deviation of its errors.
///
/// # Panics
/// If there is no row or the lengths differ.
pub fn regression_scores(predicted: &[f64], std: Option<f64>, values: &[f64]) -> Scores {
    assert!(!values.is_empty() && predicted.len() == values.len(), "a prediction a value");
    let n = values.len() as f64;
    let pairs = || predicted.iter().zip(values);
    let squares: f64 = pairs().map(|(p, y)| (y - p).powi(2)).sum();
    let r2 = weightsmith_tasks::r2(predicted, values);
    let mut scores =
        vec![(Metric::R2, r2), (Metric::R2Clipped, r2.max(-1.0)), (Metric::Rmse, (squares / n).sqrt())];
    if let Some(std) = std {
        let covered = pairs().filter(|(p, y)| (*y - *p).abs() <= Z_95 * std).count();
        scores.push((Metric::Coverage, covered as f64 / n));
    }
    Scores(scores)
}

/// The sum of up to 128 numbers in the order of `numpy.sum` along contiguous rows: one by one below eight, else eight
/// partial sums, joined in pairs, then what is left over. More are added the same way; NumPy would halve them first.
///
/// Source: NumPy 2.4, `loops_utils.h.src`, `pairwise_sum`.
fn numpy_sum(values: &[f64]) -> f64 {
    let (lanes, rest) = values.as_chunks::<8>();
    let Some((first, lanes)) = lanes.split_first() else { return values.iter().sum() };
    let mut r = *first;
    for lane in lanes {
        r.iter_mut().zip(lane).for_each(|(r, value)| *r += value);
    }
    let joined = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    rest.iter().fold(joined, |sum, value| sum + value)
}

fn first_greatest(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
}

/// The area for two classes, else the mean over pairs of classes that both occur, each pair in both directions;
/// NaN where no two classes occur.
fn auc(rows: &[f64], n_classes: usize, labels: &[usize]) -> f64 {
    let binary = |class: usize, among: &[usize]| {
        let scored: Vec<(f64, bool)> =
            among.iter().map(|&row| (rows[row * n_classes + class], labels[row] == class)).collect();
        binary_auc(scored)
    };
    if n_classes == 2 {
        return binary(1, &(0..labels.len()).collect::<Vec<_>>());
    }
    let (mut sum, mut n_pairs) = (0.0, 0usize);
    for i in 0..n_classes {
        for j in i + 1..n_classes {
            if !(labels.contains(&i) && labels.contains(&j)) {
                continue;
            }
            let among: Vec<usize> = (0..labels.len()).filter(|&row| [i, j].contains(&labels[row])).collect();
            sum += (binary(i, &among) + binary(j, &among)) / 2.0;
            n_pairs += 1;
        }
    }
    if n_pairs == 0 { f64::NAN } else { sum / n_pairs as f64 }
}

/// From the mid-ranks of the positives' scores; NaN where one side is empty.
fn binary_auc(mut scored: Vec<(f64, bool)>) -> f64 {
    let n_positive = scored.iter().filter(|(_, positive)| *positive).count() as f64;
    let n_negative = scored.len() as f64 - n_positive;
    if n_positive == 0.0 || n_negative == 0.0 {
        return f64::NAN;
    }
    scored.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut rank_sum = 0.0;
    let mut below = 0.0;
    for tied in scored.chunk_by(|a, b| a.0 == b.0) {
        let mid_rank = below + (tied.len() as f64 + 1.0) / 2.0;
        rank_sum += mid_rank * tied.iter().filter(|(_, positive)| *positive).count() as f64;
        below += tied.len() as f64;
    }
    (rank_sum - n_positive * (n_positive + 1.0) / 2.0) / (n_positive * n_negative)
}

/// Mean distance of confidence and accuracy over bins of the greatest probability, weighted by rows.
///
/// Source: Guo, Pleiss, Sun and Weinberger (2017), On Calibration of Modern Neural Networks, equation 3.
fn calibration_error(rows: &[f64], n_classes: usize, labels: &[usize]) -> f64 {
    let mut gaps = [0.0; N_CALIBRATION_BINS];
    for (row, &label) in rows.chunks_exact(n_classes).zip(labels) {
        let class = first_greatest(row);
        let bin = ((row[class] * N_CALIBRATION_BINS as f64) as usize).min(N_CALIBRATION_BINS - 1);
        gaps[bin] += row[class] - f64::from(u8::from(class == label));
    }
    gaps.iter().map(|gap| gap.abs()).sum::<f64>() / labels.len() as f64
}

#[cfg(test)]
mod tests;
