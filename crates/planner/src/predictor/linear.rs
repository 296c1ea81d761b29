//! The linear predictor: ridge regression on products of the values of a decision and the features of the support.
//!
//! A plan has a left half (start, optimiser, learning rate, decay, steps, batch) and a right half (the network, dropout,
//! label smoothing, weighting, pull). Within a half any product may be a column; between halves and with the task only
//! products of two. So for one task the score of a plan is `a(left) + b(right) + u(left) · v(right)`, which can be computed
//! for all plans: see [`crate::search()`].

use crate::features::{FEATURES, TaskFeatures};
use crate::predictor::surrogate_features::SurrogateInput;
use crate::space::decision::Decision;
use crate::space::{ACTIVATION_AT, OPTIMISER_AT, Plan, Start};
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use weightsmith_kernels::{cholesky_solve, dot};
use weightsmith_training::Weighting;

/// Optimisers times starts.
const N_GROUPS: usize = 8;
/// Columns of a group.
const N_OF_GROUP: usize = 18;
/// Columns of the left half: the groups', and one that is 1 where nothing is trained.
const N_LEFT: usize = N_GROUPS * N_OF_GROUP + 1;
/// Columns of the left half that are crossed (multiplied) with those of the right half and of the task.
const N_CROSSED: usize = 11;
/// Columns of the right half: the length of the vectors of the two towers.
pub(crate) const N_RIGHT: usize = 11;
/// Products within the right half.
const N_RIGHT_PRODUCTS: usize = 9;
const N_TASK: usize = FEATURES.len() + 1;
const N_COLUMNS: usize =
    1 + N_TASK + N_LEFT + N_RIGHT + N_RIGHT_PRODUCTS + N_CROSSED * N_RIGHT + N_TASK * (N_CROSSED + N_RIGHT);
/// Rows of a matrix product.
const N_CHUNK: usize = 4096;
/// Task columns are clipped this many standard deviations from their mean.
const FARTHEST: f64 = 3.0;

/// Ridge regression on the columns above.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinearPredictor {
    /// Mean and standard deviation of every task column.
    task_scales: Vec<(f64, f64)>,
    coefficients: Vec<f32>,
}

/// The coefficients of a plan's score for one task.
pub(crate) struct TaskScores {
    /// The part that all plans share.
    pub(crate) base: f32,
    left: Vec<f32>,
    right: Vec<f32>,
    right_products: Vec<f32>,
    /// `[N_CROSSED, N_RIGHT]`.
    between: Vec<f32>,
    crossed: Vec<f32>,
    n_rows: f64,
}

/// The left half of an input as columns, and those of them that are crossed.
fn left(input: &SurrogateInput<'_>) -> ([f32; N_LEFT], [f32; N_CROSSED]) {
    left_of(input.decision, input.n_steps, input.features.n_rows())
}

fn left_of(decision: Decision, n_steps: usize, n_rows: f64) -> ([f32; N_LEFT], [f32; N_CROSSED]) {
    let mut columns = [0.0; N_LEFT];
    let mut crossed = [0.0; N_CROSSED];
    let Decision::Train(plan) = decision else {
        columns[N_LEFT - 1] = 1.0;
        crossed[0] = 1.0;
        return (columns, crossed);
    };
    let recipe = plan.recipe();
    let is_generated = plan.start() == Start::Generated;
    let optimiser = usize::from(plan.levels()[OPTIMISER_AT]);
    let is_stepwise = plan.is_stepwise();
    let rate = if is_stepwise { (recipe.learning_rate.log10() + 2.0) / 1.2 } else { 0.0 };
    let steps = ((1.0 + n_steps as f32).log2() - 5.0) / 3.0;
    let log_path =
        if is_stepwise { recipe.learning_rate.log10() + (n_steps.max(1) as f32).log10() } else { 0.0 };
    let has_decay = if recipe.weight_decay > 0.0 { 1.0 } else { 0.0 };
    let decay = if recipe.weight_decay > 0.0 { (recipe.weight_decay.log10() - 0.7) / 1.6 } else { 0.0 };
    let batch = (recipe.batch_size as f32).min(n_rows as f32).log2();
    let batch = if is_stepwise { (batch - 5.0) / 1.5 } else { 0.0 };
    let beyond = |knot: f32| if is_stepwise { (log_path - knot).max(0.0) } else { 0.0 };
    let group = [
        1.0,
        rate,
        rate * rate,
        steps,
        steps * steps,
        rate * steps,
        has_decay,
        decay,
        decay * decay,
        decay * steps,
        decay * rate,
        batch,
        batch * steps,
        batch * rate,
        beyond(-2.0),
        beyond(-1.0),
        beyond(0.0),
        beyond(1.0),
    ];
    let first = (optimiser + 4 * usize::from(is_generated)) * N_OF_GROUP;
    columns[first..first + N_OF_GROUP].copy_from_slice(&group);
    let is = |holds: bool| if holds { 1.0 } else { 0.0 };
    crossed = [
        0.0,
        is(is_generated),
        is(optimiser == 1),
        is(optimiser == 2),
        is(optimiser == 3),
        rate,
        steps,
        decay,
        beyond(-1.5),
        beyond(0.0),
        is(is_generated) * beyond(-1.5),
    ];
    (columns, crossed)
}

/// The right half of a decision as columns.
fn right_of(decision: Decision) -> ([f32; N_RIGHT], [f32; N_RIGHT_PRODUCTS]) {
    let Decision::Train(plan) = decision else { return ([0.0; N_RIGHT], [0.0; N_RIGHT_PRODUCTS]) };
    let recipe = plan.recipe();
    let is = |holds: bool| if holds { 1.0 } else { 0.0 };
    let is_random = plan.start() == Start::Random;
    let has_hidden = is_random && !recipe.hidden.is_empty();
    let layers = recipe.hidden.len();
    let units = if has_hidden { ((recipe.hidden[0] as f32).log2() - 5.5) / 1.7 } else { 0.0 };
    let two = is(is_random && layers == 2);
    let skip = is(has_hidden && recipe.skip);
    let activation = plan.levels()[ACTIVATION_AT];
    let dropout = if plan.is_stepwise() && (has_hidden || !is_random) { recipe.dropout * 4.0 } else { 0.0 };
    let smoothing = recipe.label_smoothing * 8.0;
    let balanced = is(recipe.weighting == Weighting::Classes);
    let pull = if plan.is_stepwise() { (1.0 + 10.0 * recipe.proximal).log10() } else { 0.0 };
    let columns = [
        is(is_random && layers == 0),
        two,
        units,
        skip,
        is(has_hidden && activation == 1),
        is(has_hidden && activation == 2),
        dropout,
        smoothing,
        balanced,
        pull,
        is(pull > 1.5),
    ];
    let products = [
        units * units,
        units * two,
        units * skip,
        two * skip,
        units * dropout,
        two * dropout,
        dropout * dropout,
        smoothing * smoothing,
        smoothing * balanced,
    ];
    (columns, products)
}

impl LinearPredictor {
    /// Fits the columns of inputs to their observed targets; `strength` is the ridge penalty on the squared coefficients, for a
    /// mean of squared errors over rows.
    ///
    /// # Panics
    /// If there is not a target for each input, or there is none.
    pub fn fit(inputs: &[SurrogateInput<'_>], targets: &[f64], strength: f32, device: &Device) -> Self {
        assert!(!inputs.is_empty() && inputs.len() == targets.len(), "a target for each input");
        let n = inputs.len() as f64;
        let task_scales = (0..N_TASK)
            .map(|at| {
                let values = || inputs.iter().map(|input| task_numbers(input.features)[at]);
                let mean = values().sum::<f64>() / n;
                let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
                (mean, variance.sqrt().max(1e-6))
            })
            .collect();
        let mut fitted = Self { task_scales, coefficients: Vec::new() };
        let p = N_COLUMNS;
        let mut gram = Tensor::<2>::eye(p, device) * strength;
        let mut moments = Tensor::<2>::zeros([p, 1], device);
        for (chunk, targets) in inputs.chunks(N_CHUNK).zip(targets.chunks(N_CHUNK)) {
            let rows: Vec<f32> = chunk.iter().flat_map(|input| fitted.row(input)).collect();
            let rows = Tensor::<2>::from_data(TensorData::new(rows, [chunk.len(), p]), device);
            let wanted: Vec<f32> = targets.iter().map(|target| *target as f32).collect();
            let wanted = Tensor::<2>::from_data(TensorData::new(wanted, [chunk.len(), 1]), device);
            let transposed = rows.clone().transpose() / n as f32; // [p, n_chunk]
            gram = gram + transposed.clone().matmul(rows);
            moments = moments + transposed.matmul(wanted);
        }
        let solved = cholesky_solve(gram.unsqueeze(), moments.unsqueeze());
        let coefficients = solved.into_data_as::<f32>().try_into_vec::<f32>();
        fitted.coefficients = coefficients.expect("the data was converted to f32");
        fitted
    }

    /// The predicted logarithm of the loss as a share of the base loss.
    pub fn predict(&self, input: &SurrogateInput<'_>) -> f64 {
        f64::from(dot(&self.row(input), &self.coefficients))
    }

    /// The mean of every feature over the runs that it was fitted to.
    pub fn mean_features(&self) -> Vec<f64> {
        self.task_scales[..FEATURES.len()].iter().map(|(mean, _)| *mean).collect()
    }

    fn task_columns(&self, features: &TaskFeatures) -> [f32; N_TASK] {
        let numbers = task_numbers(features);
        std::array::from_fn(|at| {
            let (mean, deviation) = self.task_scales[at];
            ((numbers[at] - mean) / deviation).clamp(-FARTHEST, FARTHEST) as f32
        })
    }

    fn row(&self, input: &SurrogateInput<'_>) -> Vec<f32> {
        let task = self.task_columns(input.features);
        let (left, crossed) = left(input);
        let (right, right_products) = right_of(input.decision);
        let mut row = Vec::with_capacity(N_COLUMNS);
        row.push(1.0);
        row.extend(task);
        row.extend(left);
        row.extend(right);
        row.extend(right_products);
        row.extend(crossed.iter().flat_map(|crossed| right.map(|right| crossed * right)));
        row.extend(task.iter().flat_map(|task| crossed.map(|crossed| task * crossed)));
        row.extend(task.iter().flat_map(|task| right.map(|right| task * right)));
        debug_assert_eq!(row.len(), N_COLUMNS, "every block has its length");
        row
    }

    /// The parts of the scores of one task's plans.
    pub(crate) fn of_task(&self, features: &TaskFeatures) -> TaskScores {
        let task = self.task_columns(features);
        let mut rest = self.coefficients.as_slice();
        let mut take = |n: usize| {
            let (taken, after) = rest.split_at(n);
            rest = after;
            taken.to_vec()
        };
        let base = take(1)[0] + dot(&take(N_TASK), &task);
        let (left, mut right, right_products) = (take(N_LEFT), take(N_RIGHT), take(N_RIGHT_PRODUCTS));
        let between = take(N_CROSSED * N_RIGHT);
        let mut crossed = vec![0.0; N_CROSSED];
        let mut by_task = |sums: &mut [f32]| {
            for task in task {
                let n = sums.len();
                sums.iter_mut().zip(take(n)).for_each(|(sum, coefficient)| *sum += task * coefficient);
            }
        };
        by_task(&mut crossed);
        by_task(&mut right);
        let n_rows = features.n_rows();
        TaskScores { base, left, right, right_products, between, crossed, n_rows }
    }
}

impl TaskScores {
    /// `a(left)` without the base, and `u(left)`.
    pub(crate) fn of_left(&self, plan: Plan) -> (f32, [f32; N_RIGHT]) {
        let (left, crossed) = left_of(Decision::Train(plan), plan.n_steps(), self.n_rows);
        let mut vector = [0.0; N_RIGHT];
        for (crossed, row) in crossed.iter().zip(self.between.chunks_exact(N_RIGHT)) {
            vector.iter_mut().zip(row).for_each(|(sum, coefficient)| *sum += crossed * coefficient);
        }
        (dot(&left, &self.left) + dot(&crossed, &self.crossed), vector)
    }

    /// `b(right)` and `v(right)`.
    pub(crate) fn of_right(&self, plan: Plan) -> (f32, [f32; N_RIGHT]) {
        let (right, products) = right_of(Decision::Train(plan));
        (dot(&right, &self.right) + dot(&products, &self.right_products), right)
    }
}

/// The features, and the logarithm of the loss that generated weights are expected to have.
fn task_numbers(features: &TaskFeatures) -> [f64; N_TASK] {
    let mut numbers = [0.0; N_TASK];
    numbers[..FEATURES.len()].copy_from_slice(features.values());
    numbers[N_TASK - 1] = features.logarithm("generated_loss");
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Space;
    use crate::testing;
    use weightsmith_tasks::Seed;

    #[test]
    fn the_parts_of_a_score_add_up_to_the_prediction() {
        let (linear, features) = (testing::linear(), testing::features(0.3));
        let scores = linear.of_task(&features);
        let random = &mut Seed(3).stream("planner.test.linear");
        for _ in 0..2000 {
            let plan = Space.draw(random).canonical(weightsmith_tasks::TaskType::Classification);
            let input = SurrogateInput {
                decision: Decision::Train(plan),
                n_steps: plan.n_steps(),
                features: &features,
            };
            let (whole, parts) = (linear.predict(&input), f64::from(scores.of(plan)));
            assert!((whole - parts).abs() < 1e-4, "{plan}: {whole} as a whole, {parts} in parts");
        }
    }

    #[test]
    fn ridge_regression_finds_what_the_columns_can_say() {
        // Learning rates near 0.01 are best, the more so with many rows: a product of a half and the task.
        let all: Vec<TaskFeatures> = (0..20).map(|at| testing::features(f64::from(at) / 20.0)).collect();
        let random = &mut Seed(4).stream("planner.test.ridge");
        let plans: Vec<Plan> =
            (0..4000).map(|_| Space.draw(random)).filter(|plan| plan.is_stepwise()).collect();
        let truth = |plan: &Plan, features: &TaskFeatures| {
            let rate = (f64::from(plan.recipe().learning_rate).log10() + 2.0) / 1.2;
            0.1 * rate * rate * rate.abs().min(1.0) + 0.2 * rate * features.get("linear_error")
        };
        let inputs = testing::inputs(&plans, &all);
        let targets: Vec<f64> =
            plans.iter().zip(&inputs).map(|(plan, input)| truth(plan, input.features)).collect();
        let device = &Device::default();
        let fitted = LinearPredictor::fit(&inputs[..2500], &targets[..2500], 1e-4, device);
        let error = |at: usize| (fitted.predict(&inputs[at]) - targets[at]).powi(2);
        let n_held = inputs.len() - 2500;
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        let missed: f64 = (2500..inputs.len()).map(error).sum::<f64>() / n_held as f64;
        let spread: f64 = targets[2500..].iter().map(|t| (t - mean).powi(2)).sum::<f64>() / n_held as f64;
        assert!(missed < 0.05 * spread, "{missed} of {spread} on {n_held} held-out rows");
    }
}
