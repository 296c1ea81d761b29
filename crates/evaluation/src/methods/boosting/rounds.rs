//! Rounds of boosting: in each, a tree for every output follows the slopes of the loss.

use super::bins::Bins;
use super::tree::{Grower, Slopes, Tree};
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use weightsmith_base_model::Rows;
use weightsmith_tasks::Target;

/// How much of a tree's values is added.
const LEARNING_RATE: f64 = 0.05;
/// The share of the rows that a round's trees are grown from.
const ROW_SHARE: f64 = 0.7;
/// The share of the columns that a tree looks at.
const COLUMN_SHARE: f64 = 0.5;
/// The fewest rows of a leaf, where there are enough.
const LEAST_ROWS: usize = 5;
/// Curvatures are at least this, so that rows that are certain do not divide by 0.
const LEAST_CURVATURE: f64 = 1e-6;

/// What the outputs are compared with.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// One output, the value; squared error.
    Values(Vec<f64>),
    /// Two classes: one output, the logit of the second; log-loss. Whether each row is of it.
    Binary(Vec<bool>),
    /// An output for each class; log-loss of their softmax. The class of each row.
    Classes { labels: Vec<usize>, n_classes: usize },
}

impl Wanted {
    /// Of the classes at `present` alone, by their positions in it; all rows have to be of these.
    pub(super) fn of(target: &Target, present: &[usize]) -> Self {
        match target {
            Target::Values(values) => Self::Values(values.clone()),
            Target::Classes { labels, .. } => match present {
                [_, second] => Self::Binary(labels.iter().map(|label| label == second).collect()),
                _ => {
                    let place = |label: &usize| {
                        present.binary_search(label).expect("every class of a row is present")
                    };
                    Self::Classes { labels: labels.iter().map(place).collect(), n_classes: present.len() }
                }
            },
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Binary(hits) => hits.len(),
            Self::Classes { labels, .. } => labels.len(),
        }
    }

    fn n_outputs(&self) -> usize {
        match self {
            Self::Classes { n_classes, .. } => *n_classes,
            _ => 1,
        }
    }

    /// The outputs before the first round: the mean, or the logits of the classes' shares, half a row added to each class.
    fn start(&self) -> Vec<f64> {
        let n = self.len() as f64;
        match self {
            Self::Values(values) => vec![values.iter().sum::<f64>() / n],
            Self::Binary(hits) => {
                let n_hits = hits.iter().filter(|hit| **hit).count() as f64;
                vec![((n_hits + 0.5) / (n - n_hits + 0.5)).ln()]
            }
            Self::Classes { labels, n_classes } => {
                let mut counts = vec![0.5; *n_classes];
                labels.iter().for_each(|&label| counts[label] += 1.0);
                counts.iter().map(|count: &f64| count.ln()).collect()
            }
        }
    }

    /// The loss of one row with these outputs.
    pub(super) fn loss(&self, row: usize, outputs: &[f64]) -> f64 {
        match self {
            Self::Values(values) => (values[row] - outputs[0]).powi(2),
            Self::Binary(hits) => {
                let margin = if hits[row] { outputs[0] } else { -outputs[0] };
                (-margin).max(0.0) + (-margin.abs()).exp().ln_1p()
            }
            Self::Classes { labels, .. } => -softmax(outputs)[labels[row]].max(f64::MIN_POSITIVE).ln(),
        }
    }

    /// The slopes of all rows' losses, for each output; `outputs` has a row's after another's.
    fn slopes(&self, outputs: &[f64]) -> Vec<Slopes> {
        let n = self.len();
        let empty = || Slopes { first: Vec::with_capacity(n), second: Vec::with_capacity(n) };
        let mut slopes: Vec<Slopes> = (0..self.n_outputs()).map(|_| empty()).collect();
        let mut put = |output: usize, first: f64, second: f64| {
            slopes[output].first.push(first);
            slopes[output].second.push(second.max(LEAST_CURVATURE));
        };
        match self {
            Self::Values(values) => {
                values.iter().zip(outputs).for_each(|(value, output)| put(0, output - value, 1.0));
            }
            Self::Binary(hits) => {
                for (hit, output) in hits.iter().zip(outputs) {
                    let p = probability(*output);
                    put(0, p - f64::from(u8::from(*hit)), p * (1.0 - p));
                }
            }
            Self::Classes { labels, n_classes } => {
                // All outputs move together, of which a single curvature says nothing (Friedman 2001, section 4.6).
                let together = *n_classes as f64 / (*n_classes as f64 - 1.0).max(1.0);
                for (label, outputs) in labels.iter().zip(outputs.chunks_exact(*n_classes)) {
                    for (class, p) in softmax(outputs).into_iter().enumerate() {
                        put(class, p - f64::from(u8::from(class == *label)), together * p * (1.0 - p));
                    }
                }
            }
        }
        slopes
    }
}

/// The logistic function.
pub(super) fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

pub(super) fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.iter().map(|power| power / total).collect()
}

/// A sum of trees that grows by rounds.
pub(super) struct Rounds {
    rows: Rows,
    bins: Bins,
    wanted: Wanted,
    random: ChaCha8Rng,
    /// A row's after another's.
    outputs: Vec<f64>,
    sum: Sum,
}

/// A sum of trees.
pub(super) struct Sum {
    start: Vec<f64>,
    /// Of each round, a tree for each output.
    rounds: Vec<Vec<Tree>>,
}

impl Sum {
    /// The outputs before the first round.
    pub(super) fn start(&self) -> &[f64] {
        &self.start
    }

    /// The outputs of a row.
    pub(super) fn outputs(&self, row: &[f32]) -> Vec<f64> {
        let mut outputs = self.start.clone();
        self.rounds.iter().for_each(|trees| add(trees, row, &mut outputs));
        outputs
    }
}

/// Adds a round to a row's outputs.
pub(super) fn add(trees: &[Tree], row: &[f32], outputs: &mut [f64]) {
    outputs.iter_mut().zip(trees).for_each(|(output, tree)| *output += LEARNING_RATE * tree.value(row));
}

impl Rounds {
    /// No round yet. Which rows and columns a tree sees is drawn from `random`.
    pub(super) fn new(rows: Rows, wanted: Wanted, random: ChaCha8Rng) -> Self {
        let start = wanted.start();
        let outputs = start.repeat(rows.n_rows);
        Self { bins: Bins::of(&rows), rows, wanted, random, outputs, sum: Sum { start, rounds: Vec::new() } }
    }

    /// The sum so far.
    pub(super) fn sum(&self) -> &Sum {
        &self.sum
    }

    /// The sum at the end.
    pub(super) fn into_sum(self) -> Sum {
        self.sum
    }

    /// One more round; gives its trees.
    ///
    /// Source: Friedman 2002, Stochastic gradient boosting.
    pub(super) fn go_on(&mut self) -> &[Tree] {
        let (n_rows, n_columns) = (self.bins.n_rows(), self.rows.n_columns);
        let mut part = |n: usize, share: f64| {
            let n_part = ((n as f64 * share).round() as usize).clamp(1, n);
            sample(&mut self.random, n, n_part).into_vec()
        };
        let rows = part(n_rows, ROW_SHARE);
        let least_rows = (rows.len() / 16).clamp(1, LEAST_ROWS);
        let mut trees = Vec::with_capacity(self.sum.start.len());
        for slopes in self.wanted.slopes(&self.outputs) {
            let columns = part(n_columns, COLUMN_SHARE);
            let grower = Grower { bins: &self.bins, slopes: &slopes, columns: &columns, least_rows };
            trees.push(grower.grow(&mut rows.clone()));
        }
        for (row, outputs) in self.outputs.chunks_exact_mut(trees.len()).enumerate() {
            add(&trees, self.rows.row(row), outputs);
        }
        self.sum.rounds.push(trees);
        self.sum.rounds.last().expect("a round was added")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_losses() {
        let targets = [
            Wanted::Values(vec![1.5, -0.5]),
            Wanted::Binary(vec![true, false]),
            Wanted::Classes { labels: vec![2, 0], n_classes: 3 },
        ];
        for wanted in targets {
            let k = wanted.n_outputs();
            let outputs: Vec<f64> = (0..2 * k).map(|place| 0.3 * place as f64 - 0.4).collect();
            let slopes = wanted.slopes(&outputs);
            for row in 0..2 {
                for output in 0..k {
                    let at = |step: f64| {
                        let mut moved = outputs[row * k..(row + 1) * k].to_vec();
                        moved[output] += step;
                        wanted.loss(row, &moved)
                    };
                    // Squared error without its half has twice the slopes; the softmax's curvatures are enlarged.
                    let (half, together) = match wanted {
                        Wanted::Values(_) => (0.5, 1.0),
                        Wanted::Binary(_) => (1.0, 1.0),
                        Wanted::Classes { .. } => (1.0, 1.5),
                    };
                    let first = half * (at(1e-5) - at(-1e-5)) / 2e-5;
                    let second = half * together * (at(1e-4) - 2.0 * at(0.0) + at(-1e-4)) / 1e-8;
                    assert!((slopes[output].first[row] - first).abs() < 1e-8, "{wanted:?}");
                    assert!((slopes[output].second[row] - second).abs() < 1e-5, "{wanted:?}");
                }
            }
        }
    }
}
