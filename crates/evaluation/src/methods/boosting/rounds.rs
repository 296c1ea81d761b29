//! Rounds of boosting: in each, a tree for every output follows the slopes of the loss.

use super::super::references::FLOOR;
use super::bins::Bins;
use super::tree::{Grower, Slopes, Tree};
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use weightsmith_base_model::{Predictions, Rows, TargetUnit};
use weightsmith_tasks::{Target, softmax};

/// How much of a tree's values is added.
const LEARNING_RATE: f64 = 0.05;
/// The share of the rows that a round's trees are grown from.
const ROW_SHARE: f64 = 0.7;
/// The share of the columns that a tree looks at.
const COLUMN_SHARE: f64 = 0.5;
/// The fewest columns that a tree looks at, where there are as many: what depends on two columns needs both.
const LEAST_COLUMNS: usize = 4;
/// The fewest rows of a leaf, where there are enough.
const LEAST_ROWS: usize = 5;
/// Curvatures are at least this, so that rows that are certain do not divide by 0.
const LEAST_CURVATURE: f64 = 1e-6;

/// What the outputs are compared with.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// One output, the standardised value; squared error.
    Values(Vec<f64>),
    /// Two classes: one output, the logit of the second; log-loss. Whether each row is of it.
    Binary(Vec<bool>),
    /// An output for each class; log-loss of their softmax. The class of each row.
    Classes { labels: Vec<usize>, n_classes: usize },
}

/// How outputs speak of a target.
#[derive(Clone, Debug)]
pub(super) struct Coding {
    /// The number of class names; 0 for values.
    pub(super) n_classes: usize,
    /// The classes that have rows, in the order of the class names.
    pub(super) present: Vec<usize>,
    /// What an output counts that is a value.
    pub(super) unit: TargetUnit,
}

impl Coding {
    /// For targets with no other classes.
    pub(super) fn of(target: &Target) -> Self {
        let unit = |centre: f64| TargetUnit { centre, scale: 1.0 };
        match target {
            Target::Values(values) => {
                // A target that does not vary is its first value.
                let flat = unit(values.first().copied().unwrap_or(0.0));
                let unit = TargetUnit::of(values).unwrap_or(flat);
                Self { n_classes: 0, present: Vec::new(), unit }
            }
            Target::Classes { class_names, labels } => {
                let mut present = labels.clone();
                present.sort_unstable();
                present.dedup();
                Self { n_classes: class_names.len(), present, unit: unit(0.0) }
            }
        }
    }

    /// What the outputs should say of these rows.
    pub(super) fn wanted(&self, target: &Target) -> Wanted {
        match (target, self.present.as_slice()) {
            (Target::Values(values), _) => {
                Wanted::Values(values.iter().map(|value| self.unit.standardised(*value)).collect())
            }
            (Target::Classes { labels, .. }, [_, second]) => {
                Wanted::Binary(labels.iter().map(|label| label == second).collect())
            }
            (Target::Classes { labels, .. }, present) => {
                let place =
                    |label: &usize| present.binary_search(label).expect("the class of a row is present");
                Wanted::Classes { labels: labels.iter().map(place).collect(), n_classes: present.len() }
            }
        }
    }

    /// Predictions of outputs, one for each row.
    pub(super) fn predictions(&self, outputs: &[Vec<f64>]) -> Predictions {
        if self.n_classes == 0 {
            let value = |outputs: &Vec<f64>| self.unit.value(outputs[0] as f32);
            return Predictions::from_values(outputs.iter().map(value).collect());
        }
        let mut shares = vec![FLOOR; outputs.len() * self.n_classes];
        for (outputs, shares) in outputs.iter().zip(shares.chunks_exact_mut(self.n_classes)) {
            let probabilities = match (outputs.as_slice(), self.present.as_slice()) {
                ([logit], [_, _]) => vec![probability(-logit), probability(*logit)],
                _ => probabilities(outputs),
            };
            self.present.iter().zip(probabilities).for_each(|(&class, p)| shares[class] += p);
        }
        Predictions::from_shares(self.n_classes, &shares)
    }
}

impl Wanted {
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
            Self::Classes { labels, .. } => {
                softmax(outputs, &mut vec![0.0; outputs.len()]) - outputs[labels[row]]
            }
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
                    for (class, p) in probabilities(outputs).into_iter().enumerate() {
                        put(class, p - f64::from(u8::from(class == *label)), together * p * (1.0 - p));
                    }
                }
            }
        }
        slopes
    }
}

/// The logistic function.
fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// The softmax.
fn probabilities(logits: &[f64]) -> Vec<f64> {
    let mut probabilities = vec![0.0; logits.len()];
    softmax(logits, &mut probabilities);
    probabilities
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
        let mut part = |n: usize, share: f64, least: usize| {
            let n_part = ((n as f64 * share).round() as usize).max(least).min(n);
            sample(&mut self.random, n, n_part).into_vec()
        };
        let rows = part(n_rows, ROW_SHARE, 1);
        let least_rows = (rows.len() / 16).clamp(1, LEAST_ROWS);
        let mut trees = Vec::with_capacity(self.sum.start.len());
        for slopes in self.wanted.slopes(&self.outputs) {
            let columns = part(n_columns, COLUMN_SHARE, LEAST_COLUMNS);
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
