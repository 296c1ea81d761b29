//! What the rows say for each column: on its own, by its curvature, in products with others, and without it.

use crate::basis::linear;
use crate::error::SelectionError;
use crate::linear_algebra::Matrix;
use crate::normal::{chi_square_tail, normal_quantile};
use crate::ridge::SolvedHead;
use multiversion::multiversion;
use rand::seq::SliceRandom;
use weightsmith_base_model::{Encoding, EncodingLimits, Transform};
use weightsmith_kernels::dot_f64;
use weightsmith_tasks::{Seed, Support, Target};

/// Encoded columns of one column of names at most: rarer levels are one.
const MOST_LEVELS: usize = 15;
/// Encoded columns whose products are looked at, those that say most on their own.
const MOST_IN_PRODUCTS: usize = 256;
/// Rows whose products are looked at.
const MOST_ROWS: usize = 1024;
/// Times that labels are shuffled to learn what products say by chance.
const N_SHUFFLES: usize = 8;
/// A column whose spread is below this does not vary, nor does what is left of one beside others.
const LEAST_SPREAD: f64 = 1e-6;
/// Euler's constant: the mean of Gumbel's distribution.
const EULER: f64 = 0.577_215_664_9;
const LEAST: f64 = 1e-12;

/// What speaks for one column; probabilities that chance says as much.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ColumnEvidence {
    pub(super) varies: bool,
    pub(super) alone: f64,
    pub(super) curved: Option<f64>,
    pub(super) paired: Option<f64>,
    /// The column of the strongest product.
    pub(super) partner: Option<usize>,
    /// By how much the left-out error rises without it, as a share.
    pub(super) without: f64,
}

/// What speaks for every column of a table.
pub(super) struct Evidence {
    pub(super) columns: Vec<ColumnEvidence>,
}

/// The encoded inputs of a table, orthonormal within each column: mean 0 and mean square 1 each.
struct Blocks {
    /// `[n_inputs, n_rows]`.
    inputs: Matrix,
    /// The column of each input.
    column: Vec<usize>,
    /// Of columns of numbers their square, without what the number itself says of it.
    squares: Vec<Option<Vec<f64>>>,
}

/// The target as outputs with mean 0 and mean square 1, or classes.
struct Outputs {
    /// `[n_outputs, n_rows]`.
    values: Matrix,
    /// Outputs that are free: one fewer than classes.
    n_free: usize,
}

impl Evidence {
    pub(super) fn of(support: &Support, seed: Seed) -> Result<Self, SelectionError> {
        let blocks = Blocks::of(support)?;
        let outputs = Outputs::of(support.target())?;
        let n_columns = support.table().columns().len();
        let mut squares = vec![(0.0, 0usize); n_columns];
        for (input, &column) in blocks.inputs.rows().zip(&blocks.column) {
            squares[column].0 += outputs.agreement(input);
            squares[column].1 += outputs.n_free;
        }
        let mut columns: Vec<ColumnEvidence> = squares
            .iter()
            .zip(&blocks.squares)
            .map(|(&(sum, n), square)| ColumnEvidence {
                varies: n > 0,
                alone: chi_square_tail(sum, n),
                curved: square
                    .as_ref()
                    .map(|square| chi_square_tail(outputs.agreement(square), outputs.n_free)),
                paired: None,
                partner: None,
                without: 0.0,
            })
            .collect();
        if blocks.column.is_empty() {
            return Ok(Self { columns });
        }
        let features = linear(&blocks.inputs.transposed());
        let targets = outputs.values.transposed();
        let head = SolvedHead::solve_best(&features, &targets, &vec![1.0; targets.n_rows()]);
        let inputs_of = |column: usize| -> Vec<usize> {
            (0..blocks.column.len()).filter(|&at| blocks.column[at] == column).map(|at| at + 1).collect()
        };
        let groups: Vec<Vec<usize>> = (0..n_columns).map(inputs_of).collect();
        let error = head.left_out_error(&targets);
        for (column, without) in columns.iter_mut().zip(head.errors_without(&targets, &groups)) {
            column.without = without / error.max(f64::MIN_POSITIVE) - 1.0;
        }
        let mut rest = Matrix::zeros(targets.n_rows(), targets.n_columns());
        for (row, (target, told)) in targets.rows().zip(head.left_out.rows()).enumerate() {
            rest.row_mut(row)
                .iter_mut()
                .zip(target.iter().zip(told))
                .for_each(|(rest, (y, p))| *rest = y - p);
        }
        in_products(&blocks, &rest.transposed(), outputs.n_free, seed, &mut columns);
        Ok(Self { columns })
    }
}

impl Blocks {
    fn of(support: &Support) -> Result<Self, SelectionError> {
        let limits = EncodingLimits { max_columns: usize::MAX, max_levels: MOST_LEVELS };
        let encoding = Encoding::fit(support, &limits)?.gaussian_rank;
        let rows = encoding.encode(support.table())?;
        let n_columns = support.table().columns().len();
        let places: Vec<usize> = encoding
            .inputs()
            .iter()
            .filter_map(|(name, _)| support.table().columns().iter().position(|column| column.name == *name))
            .collect();
        let (mut column, mut values, mut squares) = (Vec::new(), Vec::new(), vec![None; n_columns]);
        let mut own: Vec<Vec<f64>> = Vec::new();
        for (at, encoded) in encoding.columns().iter().enumerate() {
            let place = places[encoded.source];
            if column.last() != Some(&place) {
                own.clear();
            }
            let mut input: Vec<f64> = (0..rows.n_rows).map(|row| f64::from(rows.row(row)[at])).collect();
            if !orthonormalise(&mut input, &own) {
                continue;
            }
            if let Transform::GaussianRank { .. } = encoded.transform {
                let mut square: Vec<f64> = input.iter().map(|value| value * value).collect();
                squares[place] = orthonormalise(&mut square, std::slice::from_ref(&input)).then_some(square);
            }
            own.push(input.clone());
            values.extend_from_slice(&input);
            column.push(place);
        }
        Ok(Self { inputs: Matrix::new(column.len(), rows.n_rows, values), column, squares })
    }

    /// The inputs that say most on their own, in their order, at most so many.
    fn strongest(&self, rest: &Matrix, n_most: usize) -> Vec<usize> {
        let strength = |at: usize| rest.rows().map(|y| dot_f64(self.inputs.row(at), y).powi(2)).sum::<f64>();
        let mut order: Vec<(f64, usize)> = (0..self.column.len()).map(|at| (strength(at), at)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut picked: Vec<usize> = order.into_iter().take(n_most).map(|(_, at)| at).collect();
        picked.sort_unstable();
        picked
    }
}

/// Takes off the mean and what others say of it, and brings the mean square to 1; whether something is left.
fn orthonormalise(values: &mut [f64], others: &[Vec<f64>]) -> bool {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter_mut().for_each(|value| *value -= mean);
    let before = dot_f64(values, values) / n;
    for other in others {
        let share = dot_f64(values, other) / n;
        values.iter_mut().zip(other).for_each(|(value, other)| *value -= share * other);
    }
    let square = dot_f64(values, values) / n;
    if square <= LEAST_SPREAD.max(1e-3 * before) {
        return false;
    }
    values.iter_mut().for_each(|value| *value /= square.sqrt());
    true
}

impl Outputs {
    fn of(target: &Target) -> Result<Self, SelectionError> {
        match target {
            Target::Classes { class_names, labels } => {
                let n = labels.len() as f64;
                let mut counts = vec![0.0; class_names.len()];
                labels.iter().for_each(|&label| counts[label] += 1.0);
                let present: Vec<usize> = (0..counts.len()).filter(|&class| counts[class] > 0.0).collect();
                if present.len() < 2 {
                    return Err(SelectionError::OneClass);
                }
                // Of these the products with a standardised input are the summands of Pearson's statistic.
                let value = |class: usize, label: usize| {
                    let share: f64 = counts[class] / n;
                    (f64::from(u8::from(label == class)) - share) / share.sqrt()
                };
                let values =
                    present.iter().flat_map(|&class| labels.iter().map(move |&label| value(class, label)));
                let values = Matrix::new(present.len(), labels.len(), values.collect());
                Ok(Self { values, n_free: present.len() - 1 })
            }
            Target::Values(values) => {
                let n = values.len();
                let mut order: Vec<usize> = (0..n).collect();
                order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
                let mut scores = vec![0.0; n];
                let mut from = 0;
                while from < n {
                    let equal =
                        order[from..].iter().take_while(|&&at| values[at] == values[order[from]]).count();
                    let score = normal_quantile((from as f64 + 0.5 * equal as f64) / n as f64);
                    order[from..from + equal].iter().for_each(|&at| scores[at] = score);
                    from += equal;
                }
                if !orthonormalise(&mut scores, &[]) {
                    return Err(SelectionError::OneClass);
                }
                Ok(Self { values: Matrix::new(1, n, scores), n_free: 1 })
            }
        }
    }

    /// How far a standardised input goes with the outputs: by chance about a sum of `n_free` squares of standard normals.
    fn agreement(&self, input: &[f64]) -> f64 {
        agreement(&self.values, input)
    }
}

fn agreement(outputs: &Matrix, input: &[f64]) -> f64 {
    outputs.rows().map(|output| dot_f64(output, input).powi(2)).sum::<f64>() / input.len() as f64
}

/// The strongest product of two inputs of different columns, for each column, with what a linear model leaves open; and how often shuffled
/// rows say as much. Interactions that neither column shows on its own are seen here.
fn in_products(blocks: &Blocks, rest: &Matrix, n_free: usize, seed: Seed, columns: &mut [ColumnEvidence]) {
    let n_all = rest.n_columns();
    let n = n_all.min(MOST_ROWS);
    let rows: Vec<usize> = (0..n).map(|at| (2 * at + 1) * n_all / (2 * n)).collect();
    let picked = blocks.strongest(rest, MOST_IN_PRODUCTS);
    let inputs = blocks.inputs.select(&picked).transposed().select(&rows).transposed();
    let of: Vec<usize> = picked.iter().map(|&at| blocks.column[at]).collect();
    let mut outputs = rest.transposed().select(&rows).transposed();
    for at in 0..outputs.n_rows() {
        let values = outputs.row_mut(at);
        let mean = values.iter().sum::<f64>() / n as f64;
        values.iter_mut().for_each(|value| *value -= mean);
        let spread = (dot_f64(values, values) / n as f64).sqrt();
        values.iter_mut().for_each(|value| *value /= spread.max(LEAST));
    }
    // Outputs of classes add up to nothing: what they say is of one fewer.
    let scale = n_free as f64 / outputs.n_rows() as f64;
    let strongest = |outputs: &Matrix| products(&inputs, &of, outputs, columns.len());
    let found = strongest(&outputs);
    let mut rng = seed.stream("selection.columns.products");
    let mut by_chance = Vec::new();
    for _ in 0..N_SHUFFLES {
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut rng);
        let shuffled = outputs.transposed().select(&order).transposed();
        by_chance.extend(strongest(&shuffled).into_iter().flatten().map(|(strength, _)| scale * strength));
    }
    let Some(chance) = Gumbel::of(&by_chance) else { return };
    for (column, found) in columns.iter_mut().zip(found) {
        if let Some((strength, partner)) = found {
            column.paired = Some(chance.tail(scale * strength));
            column.partner = Some(partner);
        }
    }
}

/// For each column the strongest product of one of its inputs with one of another column's, and that column.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn products(inputs: &Matrix, of: &[usize], outputs: &Matrix, n_columns: usize) -> Vec<Option<(f64, usize)>> {
    let n = inputs.n_columns() as f64;
    let mut strongest: Vec<Option<(f64, usize)>> = vec![None; n_columns];
    let mut product = vec![0.0; inputs.n_columns()];
    for a in 0..inputs.n_rows() {
        for b in 0..a {
            if of[a] == of[b] {
                continue;
            }
            let pair = inputs.row(a).iter().zip(inputs.row(b));
            product.iter_mut().zip(pair).for_each(|(product, (a, b))| *product = a * b);
            let mean = product.iter().sum::<f64>() / n;
            let variance = dot_f64(&product, &product) / n - mean * mean;
            // Outputs have mean 0, so that the product's own mean does not matter.
            let sum: f64 = outputs.rows().map(|output| dot_f64(output, &product).powi(2)).sum();
            let strength = if variance > LEAST_SPREAD { sum / (n * variance) } else { 0.0 };
            for (own, other) in [(of[a], of[b]), (of[b], of[a])] {
                if strongest[own].is_none_or(|(most, _)| strength > most) {
                    strongest[own] = Some((strength, other));
                }
            }
        }
    }
    strongest
}

/// The distribution of the largest of many.
struct Gumbel {
    location: f64,
    scale: f64,
}

impl Gumbel {
    /// By its mean and standard deviation; none of fewer than two numbers.
    fn of(values: &[f64]) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        let scale = (6.0 * variance).sqrt() / std::f64::consts::PI;
        Some(Self { location: mean - EULER * scale, scale: scale.max(LEAST) })
    }

    /// The probability of more.
    fn tail(&self, value: f64) -> f64 {
        let below = (-(-(value - self.location) / self.scale).exp()).exp();
        (1.0 - below).max(LEAST)
    }
}
