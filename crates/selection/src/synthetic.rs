//! Impure synthetic tables: what a selector is trained on, and tuned on.

use crate::error::SelectionError;
use crate::features::standardised;
use crate::impurity::{Impurity, Truth};
use crate::linear_algebra::Matrix;
use crate::ridge::SolvedHead;
use crate::rows::{LabelledRows, one_hot};
use crate::{basis, features};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use weightsmith_priors::{LabelShares, Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{Seed, Support, Target, TaskType};

/// Where values are cut off, in standard deviations.
const FARTHEST_VALUE: f64 = 4.0;

/// Share of the tables with labels that are noisy by nature, in rows that are asked about too, and the largest share of such labels: rows
/// that are nobody's mistake, and that a selector has to leave alone.
const NOISY_TABLES: f64 = 0.4;
const MOST_NOISE: f64 = 0.2;

/// Which synthetic tables there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableShares {
    /// Fewest and most rows that are not trusted, before any are synthesised; evenly on the logarithmic scale.
    pub rows: [usize; 2],
    /// Fewest and most encoded inputs.
    pub inputs: [usize; 2],
    /// Most classes.
    pub most_classes: usize,
    /// Share of the tables with trusted rows, and fewest and most of these.
    pub trusted_tables: f64,
    /// Fewest and most trusted rows.
    pub trusted: [usize; 2],
    /// Share of the tables whose rows have groups.
    pub grouped_tables: f64,
    /// Shares of the kinds of impurity, in the order of [`Impurity`].
    pub kinds: [f64; 10],
    /// Rows of the query that values are for.
    pub n_query: usize,
}

impl Default for TableShares {
    fn default() -> Self {
        Self {
            rows: [48, 400],
            inputs: [2, 60],
            most_classes: 8,
            trusted_tables: 0.55,
            trusted: [8, 64],
            grouped_tables: 0.2,
            kinds: [2.0, 5.0, 2.5, 2.0, 2.0, 2.0, 1.0, 1.0, 1.5, 1.5],
            n_query: 160,
        }
    }
}

/// An impure table, and rows of the same world to be judged by.
#[derive(Clone, Debug)]
pub struct SyntheticTable {
    /// The rows that are selected from, trusted ones included.
    pub rows: LabelledRows,
    /// What is true of each.
    pub truth: Vec<Truth>,
    /// Inputs of clean rows that none was made of.
    pub query: Matrix,
    /// Their labels.
    pub query_labels: Vec<usize>,
    /// What was done.
    pub impurity: Impurity,
}

fn between(bounds: [usize; 2], rng: &mut ChaCha8Rng) -> usize {
    let [low, high] = bounds.map(|bound| (bound as f64).ln());
    rng.random_range(low..=high).exp().round() as usize
}

/// A kind of impurity by its shares, and how much of it.
fn draw_impurity(kinds: &[f64; 10], rng: &mut ChaCha8Rng) -> Impurity {
    let mut rest = rng.random_range(0.0..kinds.iter().sum::<f64>());
    let kind = kinds.iter().position(|share| {
        rest -= share;
        rest < 0.0
    });
    let share = rng.random_range(0.05..0.55);
    match kind.unwrap_or(0) {
        0 => Impurity::None,
        1 => Impurity::RandomLabels(share),
        2 => Impurity::BoundaryLabels(0.7 * share),
        3 => Impurity::ClassLabels(share),
        4 => Impurity::GroupLabels(share),
        5 => Impurity::Mirrored(share),
        6 => Impurity::Moved(share),
        7 => Impurity::Shuffled(share),
        8 => Impurity::Copula(6.0 * share),
        _ => Impurity::Mixed(6.0 * share),
    }
}

impl SyntheticTable {
    /// The table at a position of a seed's list. Labels that are noisy by nature count as right.
    ///
    /// # Errors
    /// A table of one class, which is rare.
    ///
    /// # Panics
    /// If shares are no shares.
    pub fn draw(shares: &TableShares, seed: Seed, position: u64) -> Result<Self, SelectionError> {
        let labels =
            LabelShares { flipped_tables: NOISY_TABLES, max_flipped: MOST_NOISE, ..LabelShares::default() };
        let prior = Prior::new(PriorConfig { labels, ..PriorConfig::default() }).expect("shares are valid");
        let rng = &mut seed.indexed_stream("selection.table", &[position]);
        let n_rows = between(shares.rows, rng);
        let n_trusted = if rng.random_bool(shares.trusted_tables) { between(shares.trusted, rng) } else { 0 };
        let shape = TaskShape {
            task_type: TaskType::Classification,
            n_support: n_rows + n_trusted,
            n_query: shares.n_query,
            n_classes: between([2, shares.most_classes], rng),
            n_encoded: between(shares.inputs, rng),
        };
        let task = prior.sample(&shape, rng);
        let impurity = draw_impurity(&shares.kinds, rng);
        let positions: Vec<usize> = (0..n_rows + n_trusted).collect();
        let (others, trusted) = positions.split_at(n_rows);
        let mut impure = impurity.apply(&task.support().select(others), rng)?;
        let is_synthesised = matches!(impurity, Impurity::Copula(_) | Impurity::Mixed(_));
        let groups = if rng.random_bool(shares.grouped_tables) && !is_synthesised {
            draw_groups(&mut impure, &task.support().select(others), n_trusted, rng)
        } else {
            vec![]
        };
        let support = joined(&impure.support, &task.support().select(trusted));
        let n = support.n_rows();
        let mut is_trusted = vec![false; n];
        is_trusted[n - n_trusted..].fill(true);
        let mut truth = impure.truth;
        truth.resize(n, Truth { is_wrong: false, is_foreign: false, is_touched: false });
        // Query rows are encoded as the table's are, by joining them for the encoding alone.
        let (rows, query) = LabelledRows::with_query(&support, is_trusted, groups, task.query().table())?;
        let Target::Classes { labels: query_labels, .. } = task.query().target() else {
            unreachable!("the shape asks for classes")
        };
        Ok(Self { rows, truth, query, query_labels: query_labels.clone(), impurity })
    }

    /// The exact value of every row for the query, by a linear head and one with bumps, the mean of both, in standard deviations;
    /// cut off at 4.
    pub fn values(&self) -> Vec<f64> {
        let targets = self.rows.one_hot();
        let query_targets = one_hot(&self.query_labels, self.rows.n_classes);
        let ones = vec![1.0; self.rows.n_rows()];
        let bumps = basis::Bumps::new(&self.rows.inputs);
        let pairs = [
            (basis::linear(&self.rows.inputs), basis::linear(&self.query)),
            (bumps.features(&self.rows.inputs), bumps.features(&self.query)),
        ];
        let each = pairs.map(|(features, query)| {
            let head = SolvedHead::solve_best(&features, &targets, &ones);
            standardised(head.values(&targets, &query, &query_targets))
        });
        let both = each[0].iter().zip(&each[1]).map(|(a, b)| 0.5 * (a + b));
        both.map(|value| value.clamp(-FARTHEST_VALUE, FARTHEST_VALUE)).collect()
    }

    /// The features of the rows.
    pub fn features(&self) -> Matrix {
        features::row_features(&self.rows)
    }
}

/// Groups that say where impure rows come from: foreign rows have groups of their own; wrong labels are all in half of the
/// groups, and elsewhere taken back. Trusted rows are of the groups without.
fn draw_groups(
    impure: &mut crate::impurity::Impure,
    clean: &Support,
    n_trusted: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let n_good = rng.random_range(1..=2);
    let n_bad = rng.random_range(1..=2);
    let n = impure.truth.len();
    let has_foreign = impure.truth.iter().any(|truth| truth.is_foreign);
    let mut groups = Vec::with_capacity(n + n_trusted);
    let (Target::Classes { class_names, labels }, Target::Classes { labels: right, .. }) =
        (impure.support.target(), clean.target())
    else {
        unreachable!("only tables with classes come here")
    };
    let mut labels = labels.clone();
    for row in 0..n {
        let is_bad = if has_foreign { impure.truth[row].is_foreign } else { rng.random_bool(0.5) };
        groups.push(if is_bad { n_good + rng.random_range(0..n_bad) } else { rng.random_range(0..n_good) });
        if !is_bad {
            labels[row] = right[row];
            impure.truth[row] = Truth { is_wrong: false, is_foreign: false, is_touched: false };
        }
    }
    let target = Target::Classes { class_names: class_names.clone(), labels };
    impure.support =
        Support::new(impure.support.table().clone(), target).expect("as many valid labels as rows");
    groups.extend((0..n_trusted).map(|_| rng.random_range(0..n_good)));
    groups
}

/// The rows of both, which have the same columns and classes.
fn joined(first: &Support, second: &Support) -> Support {
    if second.n_rows() == 0 {
        return first.clone();
    }
    crate::rows::joined(first, second).expect("both are parts of one task")
}
