//! The solved last layer in double precision, for sizes at which sums in f32 are not exact enough.
//!
//! Over some thousand rows the rounding of an f32 Gram matrix reaches the strength of the regularisation. In
//! directions that the rows do not span (levels that add up to the intercept, repeated columns) the factorised matrix
//! then lies below the true curvature, and accelerated steps grow instead of converging. Here the Gram matrix and its
//! factor are f64, the steps are watched, and whatever had to be repaired is told.
//!
//! Nothing here has a gradient: metamodels are trained at sizes at which [`crate::logistic_head`] is exact enough.

use crate::cpu::{self, axpy, dot};
use crate::positive_definite::{Factor, Square, dot_f64};
use burn::tensor::{Device, Tensor, TensorData};
use multiversion::multiversion;
/// Rows whose gradient is summed in f32 before it joins the f64 sum.
const ROWS_TOGETHER: usize = 64;
/// Rows that join the Gram matrix at once.
const GRAM_ROWS: usize = 4;
/// By this share of itself the penalised loss, whose logits are f32, may rise by rounding alone.
const LOSS_ROUNDING: f64 = 1e-5;
/// Halvings of a step after which a solution is given up.
const MAX_HALVINGS: usize = 20;
/// Accelerated steps may overshoot; a loss of so many times the least one is no overshooting.
const SWING: f64 = 1.1;

/// What was met while systems were solved.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SolveInfo {
    /// Systems that were solved in double precision.
    pub n_systems: usize,
    /// Of these, solutions that had not converged when the steps ran out. They are the best points that were seen.
    pub n_unconverged: usize,
    /// Steps that raised the loss, or were not finite, and were taken back and shortened.
    pub n_shortened_steps: usize,
    /// Pivots that rounding had made too small and that were raised.
    pub n_raised_pivots: usize,
}

impl SolveInfo {
    /// Of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            n_systems: self.n_systems + other.n_systems,
            n_unconverged: self.n_unconverged + other.n_unconverged,
            n_shortened_steps: self.n_shortened_steps + other.n_shortened_steps,
            n_raised_pivots: self.n_raised_pivots + other.n_raised_pivots,
        }
    }
}

/// The rows that a last layer is solved on.
#[derive(Clone, Debug)]
pub struct HeadSystem {
    /// `[n_tasks, n_rows, p]`.
    pub features: Tensor<3>,
    /// `[n_tasks, n_rows, n_outputs]`, one-hot for classes.
    pub targets: Tensor<3>,
    /// `[n_tasks, n_rows]`.
    pub row_weights: Tensor<2>,
    /// Diagonal of the penalty, `[n_tasks, p]`.
    pub precision: Tensor<2>,
}

/// How far a logistic head is solved.
#[derive(Copy, Clone, Debug)]
pub struct LogisticEffort<'a> {
    /// Coefficients to begin with, `[n_tasks, n_classes, p]` row-major, those of each column adding up to 0 over the
    /// classes; zeros if none are given.
    pub start: Option<&'a [f32]>,
    /// Most steps.
    pub max_steps: usize,
    /// Converged is what promises to take no more than this share of the rows' weight off the penalised loss by another plain
    /// step.
    pub tolerance: f64,
}

impl LogisticEffort<'_> {
    /// From zeros to seven digits.
    pub fn exact(max_steps: usize) -> Self {
        Self { start: None, max_steps, tolerance: 1e-7 }
    }
}

/// Coefficients of the penalised multinomial logistic regression, and what was met on the way.
///
/// Accelerated steps under Böhning's bound as in [`crate::logistic_head`], but until they have converged.
/// The momentum starts anew where a step goes against the gradient; a plain step that raises the loss
/// is taken back and halved. Of two classes the coefficients of one are solved for: the other's are their negatives.
///
/// # Shapes
/// - result: `[n_tasks, n_classes, p]`
///
/// Source: Böhning 1992, section 3; O'Donoghue and Candès 2015, "Adaptive restart for accelerated gradient schemes",
/// section 3.2.
pub fn exact_logistic_head(system: &HeadSystem, effort: LogisticEffort<'_>) -> (Tensor<3>, SolveInfo) {
    let [n_tasks, _, _] = system.features.dims();
    each_task(system, |task_idx, task, sizes, info| {
        let start = effort.start.map(|all| &all[task_idx * all.len() / n_tasks..]);
        let factor = curvature_factor(task, sizes, 0.5, info);
        logistic(task, sizes, &factor, LogisticEffort { start, ..effort }, info)
    })
}

/// Coefficients of ridge regression.
///
/// # Shapes
/// - result: `[n_tasks, n_outputs, p]`
pub fn exact_ridge_head(system: &HeadSystem) -> (Tensor<3>, SolveInfo) {
    each_task(system, |_, task, sizes, info| {
        let factor = curvature_factor(task, sizes, 1.0, info);
        ridge(task, sizes, &factor)
    })
}

/// How much each row's own target counts in its output by ridge regression, `[n_tasks, n_rows]`.
pub fn exact_leverages(system: &HeadSystem) -> Tensor<2> {
    let [n_tasks, n_rows, _] = system.features.dims();
    let (values, _) = on_host(system, |_, task, sizes, info| {
        let factor = curvature_factor(task, sizes, 1.0, info);
        leverages(task, sizes, &factor)
    });
    Tensor::from_data(TensorData::new(values, [n_tasks, n_rows]), &system.features.device())
}

/// The sizes of one task.
#[derive(Copy, Clone)]
struct Sizes {
    p: usize,
    n_outputs: usize,
}

/// The inputs of one task.
#[derive(Copy, Clone)]
struct Task<'a> {
    features: &'a [f32],
    targets: &'a [f32],
    row_weights: &'a [f32],
    precision: &'a [f32],
}

fn read<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().into_data_as::<f32>().try_into_vec().expect("the data was converted to f32")
}

/// Results of `work` for every task, one after the other.
fn on_host(
    system: &HeadSystem,
    work: impl Fn(usize, &Task<'_>, Sizes, &mut SolveInfo) -> Vec<f64>,
) -> (Vec<f32>, SolveInfo) {
    let [n_tasks, n_rows, p] = system.features.dims();
    let [_, _, n_outputs] = system.targets.dims();
    let (features, targets) = (read(&system.features), read(&system.targets));
    let (row_weights, precision) = (read(&system.row_weights), read(&system.precision));
    let mut info = SolveInfo { n_systems: n_tasks, ..SolveInfo::default() };
    let mut results = Vec::new();
    for task_idx in 0..n_tasks {
        let task = Task {
            features: &features[task_idx * n_rows * p..(task_idx + 1) * n_rows * p],
            targets: &targets[task_idx * n_rows * n_outputs..(task_idx + 1) * n_rows * n_outputs],
            row_weights: &row_weights[task_idx * n_rows..(task_idx + 1) * n_rows],
            precision: &precision[task_idx * p..(task_idx + 1) * p],
        };
        let solved = work(task_idx, &task, Sizes { p, n_outputs }, &mut info);
        results.extend(solved.into_iter().map(|value| value as f32));
    }
    (results, info)
}

fn each_task(
    system: &HeadSystem,
    work: impl Fn(usize, &Task<'_>, Sizes, &mut SolveInfo) -> Vec<f64>,
) -> (Tensor<3>, SolveInfo) {
    let [n_tasks, _, p] = system.features.dims();
    let [_, _, n_outputs] = system.targets.dims();
    let device: Device = system.features.device();
    let (values, info) = on_host(system, work);
    (Tensor::from_data(TensorData::new(values, [n_tasks, n_outputs, p]), &device), info)
}

/// Cholesky's factor of `share Φᵀ W Φ + Λ`.
fn curvature_factor(task: &Task<'_>, sizes: Sizes, share: f64, info: &mut SolveInfo) -> Factor {
    let mut matrix = Square::zeros(sizes.p);
    gram(task.features, task.row_weights, &mut matrix);
    for (column, precision) in task.precision.iter().enumerate() {
        let row = matrix.row_mut(column);
        row.iter_mut().for_each(|value| *value *= share);
        row[column] += f64::from(*precision);
    }
    let (factor, n_raised) = Factor::raised(matrix);
    info.n_raised_pivots += n_raised;
    factor
}

/// Adds the upper half of `Φᵀ W Φ`.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn gram(features: &[f32], row_weights: &[f32], gram: &mut Square) {
    let p = gram.n();
    let mut rows = vec![0.0f64; GRAM_ROWS * p];
    for (block, weights) in features.chunks(GRAM_ROWS * p).zip(row_weights.chunks(GRAM_ROWS)) {
        rows.fill(0.0);
        rows.iter_mut().zip(block).for_each(|(wide, value)| *wide = f64::from(*value));
        let (first, rest) = rows.split_at(p);
        let (second, rest) = rest.split_at(p);
        let (third, fourth) = rest.split_at(p);
        let weight = |row: usize| weights.get(row).map_or(0.0, |weight| f64::from(*weight));
        let weights = [weight(0), weight(1), weight(2), weight(3)];
        if weights == [0.0; GRAM_ROWS] {
            continue;
        }
        for i in 0..p {
            let [a, b, c, d] = [
                weights[0] * first[i],
                weights[1] * second[i],
                weights[2] * third[i],
                weights[3] * fourth[i],
            ];
            let others = first[i..].iter().zip(&second[i..]).zip(&third[i..]).zip(&fourth[i..]);
            for (sum, (((first, second), third), fourth)) in gram.row_mut(i)[i..].iter_mut().zip(others) {
                *sum += a * first + b * second + c * third + d * fourth;
            }
        }
    }
}

/// The penalised loss at `[n_classes, p]` coefficients, or at those of the first of two classes alone, and minus its
/// gradient into `slope`, of the same shape: as if the coefficients of the classes had no bond.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn loss_and_slope(task: &Task<'_>, sizes: Sizes, coefficients: &[f64], slope: &mut [f64]) -> f64 {
    let Sizes { p, n_outputs } = sizes;
    let narrow: Vec<f32> = coefficients.iter().map(|value| *value as f32).collect();
    let is_one_of_two = coefficients.len() < n_outputs * p;
    let penalty_share = if is_one_of_two { 1.0 } else { 0.5 };
    let mut part = vec![0.0f32; coefficients.len()];
    let mut scores = vec![0.0f32; n_outputs];
    let mut loss = 0.0;
    let penalties = std::iter::repeat(task.precision);
    for ((slope, own), precision) in
        slope.chunks_exact_mut(p).zip(coefficients.chunks_exact(p)).zip(penalties)
    {
        for column in 0..p {
            let pull = f64::from(precision[column]) * own[column];
            slope[column] = -pull;
            loss += penalty_share * pull * own[column];
        }
    }
    let rows = task.features.chunks(ROWS_TOGETHER * p).zip(task.targets.chunks(ROWS_TOGETHER * n_outputs));
    for ((features, targets), weights) in rows.zip(task.row_weights.chunks(ROWS_TOGETHER)) {
        part.fill(0.0);
        let rows = features.chunks_exact(p).zip(targets.chunks_exact(n_outputs)).zip(weights);
        for ((x, target), &weight) in rows.filter(|(_, weight)| **weight != 0.0) {
            for (score, own) in scores.iter_mut().zip(narrow.chunks_exact(p)) {
                *score = dot(x, own);
            }
            if is_one_of_two {
                scores[1] = -scores[0];
            }
            let own: f64 = scores.iter().zip(target).map(|(score, t)| f64::from(score * t)).sum();
            let highest = scores.iter().copied().fold(f32::MIN, f32::max);
            let powers: f64 = scores.iter().map(|score| f64::from(cpu::exp(score - highest))).sum();
            loss += f64::from(weight) * (f64::from(highest) + powers.ln() - own);
            for ((score, target), part) in scores.iter().zip(target).zip(part.chunks_exact_mut(p)) {
                let probability = cpu::exp(score - highest) / powers as f32;
                axpy(weight * (target - probability), x, part);
            }
        }
        slope.iter_mut().zip(&part).for_each(|(sum, part)| *sum += f64::from(*part));
    }
    loss
}

/// Accelerated steps until they have converged; `[n_classes, p]`.
fn logistic(
    task: &Task<'_>,
    sizes: Sizes,
    factor: &Factor,
    effort: LogisticEffort<'_>,
    info: &mut SolveInfo,
) -> Vec<f64> {
    let Sizes { p, n_outputs } = sizes;
    let is_one_of_two = n_outputs == 2;
    let width = if is_one_of_two { p } else { n_outputs * p };
    let rows_weight: f64 = task.row_weights.iter().map(|weight| f64::from(*weight)).sum();
    let mut now = vec![0.0; width];
    let start = effort.start.into_iter().flatten();
    now.iter_mut().zip(start).for_each(|(now, start)| *now = f64::from(*start));
    let mut before = now.clone();
    let (mut ahead, mut slope, mut change) = (now.clone(), now.clone(), now.clone());
    let mut best = (f64::INFINITY, now.clone());
    let (mut since_start, mut length, mut n_halvings) = (0u32, 1.0, 0);
    // Whether the next step is to be a plain one, and whether the last one was: only these must not raise the loss.
    let (mut is_plain, mut was_plain) = (true, false);
    let mut converged = false;
    for _ in 0..effort.max_steps {
        let momentum = f64::from(since_start) / f64::from(since_start + 3);
        for ((ahead, now), before) in ahead.iter_mut().zip(&now).zip(&before) {
            *ahead = now + momentum * (now - before);
        }
        let loss = loss_and_slope(task, sizes, &ahead, &mut slope);
        let falls = loss <= best.0 + LOSS_ROUNDING * best.0.abs().min(f64::MAX);
        // Steps that are too long swing farther each time, each along its own gradient.
        let swings = loss > SWING * best.0;
        if !loss.is_finite() || swings || (since_start == 0 && !falls) {
            if was_plain || swings {
                // The bound does not hold, or a number broke down.
                info.n_shortened_steps += 1;
                n_halvings += 1;
                length *= 0.5;
                if n_halvings > MAX_HALVINGS {
                    break;
                }
            }
            now.copy_from_slice(&best.1);
            before.copy_from_slice(&best.1);
            (since_start, is_plain, was_plain) = (0, true, false);
            continue;
        }
        if loss < best.0 {
            best.0 = loss;
            best.1.copy_from_slice(&ahead);
        }
        change.copy_from_slice(&slope);
        change.chunks_exact_mut(p).for_each(|change| factor.solve(change));
        let promised: f64 = change.iter().zip(&slope).map(|(change, slope)| change * slope).sum();
        let promised = if is_one_of_two { 2.0 * promised } else { promised };
        before.copy_from_slice(&now);
        for ((now, ahead), change) in now.iter_mut().zip(&ahead).zip(&change) {
            *now = ahead + length * change;
        }
        converged = promised <= effort.tolerance * rows_weight;
        if converged {
            break;
        }
        let along: f64 =
            slope.iter().zip(&now).zip(&before).map(|((slope, now), before)| slope * (now - before)).sum();
        if is_plain || along < 0.0 {
            before.copy_from_slice(&now);
            since_start = 0;
        } else {
            since_start += 1;
        }
        (was_plain, is_plain) = (is_plain, false);
    }
    info.n_unconverged += usize::from(!converged);
    // The last step has not been looked at yet.
    let mut found = if loss_and_slope(task, sizes, &now, &mut slope) <= best.0 { now } else { best.1 };
    if is_one_of_two {
        found.extend(found.clone().into_iter().map(|value| -value));
    }
    found
}

/// `[n_outputs, p]`.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn ridge(task: &Task<'_>, sizes: Sizes, factor: &Factor) -> Vec<f64> {
    let Sizes { p, n_outputs } = sizes;
    let mut coefficients = vec![0.0; n_outputs * p];
    let rows = task.features.chunks_exact(p).zip(task.targets.chunks_exact(n_outputs)).zip(task.row_weights);
    for ((x, targets), weight) in rows {
        for (sums, target) in coefficients.chunks_exact_mut(p).zip(targets) {
            let target = f64::from(*weight) * f64::from(*target);
            sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += target * f64::from(*x));
        }
    }
    coefficients.chunks_exact_mut(p).for_each(|column| factor.solve(column));
    coefficients
}

#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn leverages(task: &Task<'_>, sizes: Sizes, factor: &Factor) -> Vec<f64> {
    let mut solved = vec![0.0; sizes.p];
    let rows = task.features.chunks_exact(sizes.p).zip(task.row_weights);
    rows.map(|(x, weight)| {
        solved.iter_mut().zip(x).for_each(|(wide, x)| *wide = f64::from(*x));
        factor.whiten(&mut solved);
        f64::from(*weight) * dot_f64(&solved, &solved)
    })
    .collect()
}

#[cfg(test)]
#[path = "exact_head/tests.rs"]
mod tests;
