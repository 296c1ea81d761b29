//! Solving the last layer: in single precision, as metamodels are trained with, or in double precision, where sums over
//! the rows would round away the regularisation.

use crate::config::{MetamodelConfig, limits};
use crate::head::IN_NO_FOLD;
use burn::tensor::{Tensor, TensorData, activation};
use weightsmith_kernels::{
    HeadSystem, LogisticEffort, SolveInfo, cholesky_solve, exact_leverages, exact_logistic_head,
    exact_ridge_head, logistic_head,
};
use weightsmith_tasks::TaskType;

/// How many times the steps that metamodels are trained with the logistic head takes at most in double precision:
/// solutions on larger supports lie farther away.
const EXACT_STEPS: usize = 4;
/// By this share of itself a solution in single precision may miss the loss of no coefficients at all: rounding.
const LOSS_ROUNDING: f32 = 1e-3;
/// Least share of a row's output that other rows must account for: below, single precision knows too little of it.
const LEAST_REST: f32 = 0.02;
/// The same in double precision.
const LEAST_EXACT_REST: f32 = 1e-5;

/// How systems are solved.
#[derive(Copy, Clone)]
enum Precision {
    Single,
    Double,
}

/// The rows that the last layer is solved on, and the solution.
pub(crate) struct System {
    rows: HeadSystem,
    /// `[n_tasks, n_outputs, p]`.
    pub(crate) coefficients: Tensor<3>,
    precision: Precision,
    info: SolveInfo,
}

impl System {
    /// Up to as many rows and classes as metamodels are trained on are solved in single precision, and again in double
    /// precision if the solution is worse than none; more in double precision. Where gradients are asked for, single
    /// precision serves all sizes.
    pub(crate) fn solve(config: &MetamodelConfig, rows: HeadSystem) -> Self {
        let [_, n_rows, _] = rows.features.dims();
        let [_, _, n_outputs] = rows.targets.dims();
        let is_usual = n_rows <= limits::MAX_ENCODED_ROWS && n_outputs <= limits::USUAL_CLASSES;
        let has_gradient = rows.features.device().is_autodiff();
        if is_usual || has_gradient {
            let coefficients = single(config, &rows);
            if has_gradient || is_better_than_nothing(config, &rows, &coefficients) {
                let (precision, info) = (Precision::Single, SolveInfo::default());
                return Self { rows, coefficients, precision, info };
            }
        }
        let (coefficients, info) = double(config, &rows);
        Self { rows, coefficients, precision: Precision::Double, info }
    }

    /// Outputs of every row of the first `n_tasks` tasks by coefficients that were solved without it,
    /// `[n_tasks, n_rows, n_outputs]`, and what was met so far: leave-one-out in closed form for regression, folds for
    /// classification, whose solver stops early and so has no closed form that holds.
    ///
    /// Source: Cook 1977 for the linear leave-one-out.
    pub(crate) fn left_out(
        &self,
        config: &MetamodelConfig,
        n_tasks: usize,
        folds: &[usize],
    ) -> (Tensor<3>, SolveInfo) {
        let first = HeadSystem {
            features: self.rows.features.clone().narrow(0, 0, n_tasks),
            targets: self.rows.targets.clone().narrow(0, 0, n_tasks),
            row_weights: self.rows.row_weights.clone().narrow(0, 0, n_tasks),
            precision: self.rows.precision.clone().narrow(0, 0, n_tasks),
        };
        match config.task_type {
            TaskType::Regression => (self.left_out_values(&first), self.info),
            TaskType::Classification => self.left_out_logits(config, &first, folds),
        }
    }

    fn left_out_values(&self, first: &HeadSystem) -> Tensor<3> {
        let [n_tasks, n_rows, _] = first.features.dims();
        let mut coefficients = self.coefficients.clone().narrow(0, 0, n_tasks);
        if matches!(self.precision, Precision::Single) {
            let solved = cholesky_solve(curvature(first, 1.0), first.features.clone().transpose());
            let weights = first.row_weights.clone().reshape([n_tasks, n_rows, 1]);
            let rest = (first.features.clone() * solved.transpose()).sum_dim(2) * weights * -1.0 + 1.0;
            if rest.clone().min().into_scalar::<f32>() >= LEAST_REST {
                return without_own(first, &coefficients, rest);
            }
            (coefficients, _) = exact_ridge_head(first);
        }
        let rest = exact_leverages(first).reshape([n_tasks, n_rows, 1]) * -1.0 + 1.0;
        without_own(first, &coefficients, rest.clamp_min(LEAST_EXACT_REST))
    }

    fn left_out_logits(
        &self,
        config: &MetamodelConfig,
        first: &HeadSystem,
        folds: &[usize],
    ) -> (Tensor<3>, SolveInfo) {
        let [_, n_rows, _] = first.features.dims();
        let n_folds = folds.iter().filter(|&&fold| fold != IN_NO_FOLD).max().map_or(0, |last| last + 1);
        let mut outputs = first.targets.zeros_like(); // [n_tasks, n_rows, n_outputs]
        let mut info = self.info;
        for fold in 0..n_folds {
            let held: Vec<f32> = folds.iter().map(|&of| f32::from(u8::from(of == fold))).collect();
            let held = Tensor::<2>::from_data(TensorData::new(held, [1, n_rows]), &first.targets.device());
            let row_weights = first.row_weights.clone() * (held.clone() * -1.0 + 1.0);
            let kept = HeadSystem { row_weights, ..first.clone() };
            let coefficients = match self.precision {
                Precision::Single => single(config, &kept),
                Precision::Double => {
                    let (coefficients, found) = double(config, &kept);
                    info = info.and(found);
                    coefficients
                }
            };
            let of_fold =
                first.features.clone().matmul(coefficients.transpose()) * held.reshape([1, n_rows, 1]);
            outputs = outputs + of_fold;
        }
        (outputs, info)
    }

    /// What was met while the coefficients were solved.
    pub(crate) fn info(&self) -> SolveInfo {
        self.info
    }
}

/// What ridge regressions say of each row without it, `[n_tasks, n_rows, 1]`; `rest` is the share of a row's output that
/// other rows account for.
fn without_own(rows: &HeadSystem, coefficients: &Tensor<3>, rest: Tensor<3>) -> Tensor<3> {
    let residual = rows.targets.clone() - rows.features.clone().matmul(coefficients.clone().transpose());
    rows.targets.clone() - residual / rest
}

/// `share Φᵀ W Φ + Λ`, `[n_tasks, p, p]`.
fn curvature(rows: &HeadSystem, share: f32) -> Tensor<3> {
    let [n_tasks, n_rows, p] = rows.features.dims();
    let weighted = rows.features.clone() * rows.row_weights.clone().reshape([n_tasks, n_rows, 1]);
    let gram = weighted.transpose().matmul(rows.features.clone());
    let identity = Tensor::<2>::eye(p, &rows.features.device()).unsqueeze::<3>();
    gram * share + identity * rows.precision.clone().reshape([n_tasks, 1, p])
}

fn single(config: &MetamodelConfig, rows: &HeadSystem) -> Tensor<3> {
    let [n_tasks, n_rows, _] = rows.features.dims();
    let (features, targets, row_weights) =
        (rows.features.clone(), rows.targets.clone(), rows.row_weights.clone());
    match config.task_type {
        TaskType::Classification => logistic_head(
            curvature(rows, 0.5),
            features,
            targets,
            row_weights,
            rows.precision.clone(),
            config.head_steps,
        ),
        TaskType::Regression => {
            let weighted = features * row_weights.reshape([n_tasks, n_rows, 1]);
            let right = weighted.transpose().matmul(targets); // [n_tasks, p, 1]
            cholesky_solve(curvature(rows, 1.0), right).transpose()
        }
    }
}

fn double(config: &MetamodelConfig, rows: &HeadSystem) -> (Tensor<3>, SolveInfo) {
    match config.task_type {
        TaskType::Classification => {
            exact_logistic_head(rows, LogisticEffort::exact(EXACT_STEPS * config.head_steps))
        }
        TaskType::Regression => exact_ridge_head(rows),
    }
}

/// Whether the penalised loss of every task is finite and not above that of coefficients that are all 0.
fn is_better_than_nothing(config: &MetamodelConfig, rows: &HeadSystem, coefficients: &Tensor<3>) -> bool {
    let [n_tasks, n_rows, p] = rows.features.dims();
    let outputs = rows.features.clone().matmul(coefficients.clone().transpose()); // [n_tasks, n_rows, n_outputs]
    let row_weights = rows.row_weights.clone().reshape([n_tasks, n_rows, 1]);
    let loss = |outputs: Tensor<3>| {
        let each = match config.task_type {
            TaskType::Classification => activation::log_softmax(outputs, 2) * rows.targets.clone() * -1.0,
            TaskType::Regression => (rows.targets.clone() - outputs).square() * 0.5,
        };
        (each * row_weights.clone()).sum_dim(2).sum_dim(1).reshape([n_tasks])
    };
    let squares = coefficients.clone().square() * rows.precision.clone().reshape([n_tasks, 1, p]);
    let penalty = squares.sum_dim(2).sum_dim(1).reshape([n_tasks]) * 0.5;
    let excess = loss(outputs.clone()) + penalty - loss(outputs.zeros_like()) * (1.0 + LOSS_ROUNDING);
    let excess: Vec<f32> =
        excess.into_data_as::<f32>().try_into_vec().expect("the data was converted to f32");
    // A NaN is no number at or below 0.
    excess.into_iter().all(|excess| excess <= 0.0)
}
