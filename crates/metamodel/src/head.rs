//! The solved last layer: standardises the planned hidden units on the support, solves the output layer in closed
//! form, and folds everything into plain base-model weights.

use crate::config::{MetamodelConfig, limits};
use crate::decoder::{Plan, first_skip_log_precision};
use crate::support::HeadRows;
use crate::units::{Ramps, RampsOnRows, by_row, slope};
use burn::tensor::{Tensor, TensorData};
use std::marker::PhantomData;
use weightsmith_base_model::{Activation, HiddenLayer, Weights};
use weightsmith_kernels::{cholesky_solve, logistic_head};
use weightsmith_tasks::{Level, TaskType};

/// Precision of the intercept.
const INTERCEPT_PRECISION: f32 = 0.02;
/// Bounds of the logarithm of a precision: below, the system is too badly conditioned for f32; above, the input is
/// switched off.
const LOG_PRECISION: (f32, f32) = (-3.0, 9.0);

/// How many times the steps the logistic head takes on supports larger than those of the training, whose solutions lie
/// farther away.
const UNUSUAL_STEPS: usize = 3;

/// Stands for the fold of a row that is never held out.
pub const IN_NO_FOLD: usize = usize::MAX;

/// Tasks of a batch that get left-out outputs: with the views of one support, both transforms of its columns.
const N_LEFT_OUT: usize = 2;

/// Generated weights and what was repaired or decided on the way.
#[derive(Clone, Debug)]
pub struct Generated<L: Level> {
    /// Base models, one a task.
    pub weights: Weights<L>,
    /// Beside the weights.
    pub info: GeneratedInfo,
}

/// What the head decided.
#[derive(Clone, Debug)]
pub struct GeneratedInfo {
    /// Outputs of the support rows by heads solved without them, logits or standardised values, of the first two
    /// tasks of a batch at most: `[n_tasks, n_rows, n_outputs]`. The hidden layer has seen every row.
    pub left_out: Option<Tensor<3>>,
    /// Standard deviation of the error of a standardised value, `[n_tasks, 1]`; 1 for classification.
    pub noise: Tensor<2>,
}

/// The system that the last layer is the solution of.
struct System {
    /// `[n_tasks, n_rows, p]`, hidden units, skip inputs, 1.
    features: Tensor<3>,
    /// `[n_tasks, p]`.
    precision: Tensor<2>,
    /// `[n_tasks, p, p]`.
    curvature: Tensor<3>,
    /// `[n_tasks, n_outputs, p]`.
    coefficients: Tensor<3>,
}

/// The hidden layer with the numbers that standardise it.
struct Hidden {
    layer: HiddenLayer,
    /// `[n_tasks, n_rows, n_units]`, standardised over the support.
    activations: Tensor<3>,
    /// `[n_tasks, 1, n_units]`.
    mean: Tensor<3>,
    /// `[n_tasks, 1, n_units]`.
    scale: Tensor<3>,
    /// Height of a ramp's slope, `[n_tasks, 1, n_units]`.
    slope: Tensor<3>,
}

/// Units as ramps, standardised on the support; a ramp is two ReLU units of one direction.
fn hidden<L: Level>(plan: &Plan, batch: &HeadRows<L>) -> Hidden {
    let ramps = &plan.ramps;
    let [n_tasks, n_units, _] = ramps.directions.dims();
    let RampsOnRows { before, units } = ramps.on(batch.rows.clone());
    let by_unit = |x: Tensor<3>| x.reshape([n_tasks, n_units, 1]);
    let weight = ramps.directions.clone() / by_unit(before.scale.clone());
    let foot = (by_row(&ramps.shifts) - before.mean / before.scale).reshape([n_tasks, n_units]);
    let shoulder = foot.clone() - ramps.widths.clone();
    let layer = HiddenLayer {
        weight: Tensor::cat(vec![weight.clone(), weight], 1),
        bias: Tensor::cat(vec![foot, shoulder], 1),
    };
    let slope = slope(by_row(&ramps.widths));
    Hidden { layer, activations: units.values, mean: units.mean, scale: units.scale, slope }
}

fn solve<L: Level>(
    config: &MetamodelConfig,
    plan: &Plan,
    batch: &HeadRows<L>,
    activations: Option<Tensor<3>>,
) -> System {
    let [n_tasks, n_rows, _] = batch.dims();
    let device = batch.rows.device();
    let ones = Tensor::<3>::ones([n_tasks, n_rows, 1], &device);
    let strength = batch.log_strength.clone();
    let (low, high) = LOG_PRECISION;
    let bounded = |x: Tensor<2>| (x + strength.clone()).clamp(low, high).exp();
    let mut features = vec![batch.rows.clone(), ones];
    let mut precision = vec![
        bounded(plan.skip_log_precision.clone()),
        Tensor::full([n_tasks, 1], INTERCEPT_PRECISION, &device),
    ];
    if let Some(activations) = activations {
        features.insert(0, activations);
        precision.insert(0, bounded(plan.unit_log_precision.clone() + batch.log_unit_strength));
    }
    let features = Tensor::cat(features, 2); // [n_tasks, n_rows, p]
    let precision = Tensor::cat(precision, 1); // [n_tasks, p]
    let (curvature, coefficients) =
        solve_rows(config, batch.targets.clone(), features.clone(), &precision, plan.row_weights.clone());
    System { features, precision, curvature, coefficients }
}

/// Curvature `[n_tasks, p, p]` and coefficients `[n_tasks, n_outputs, p]` for given row weights.
fn solve_rows(
    config: &MetamodelConfig,
    targets: Tensor<3>,
    features: Tensor<3>,
    precision: &Tensor<2>,
    row_weights: Tensor<2>,
) -> (Tensor<3>, Tensor<3>) {
    let [n_tasks, n_rows, p] = features.dims();
    let weighted = features.clone() * row_weights.clone().reshape([n_tasks, n_rows, 1]);
    let gram = weighted.clone().transpose().matmul(features.clone()); // [n_tasks, p, p]
    let identity = Tensor::<2>::eye(p, &features.device()).unsqueeze::<3>();
    let diagonal = identity * precision.clone().reshape([n_tasks, 1, p]);
    match config.task_type {
        TaskType::Classification => {
            let curvature = gram * 0.5 + diagonal;
            let [_, _, n_classes] = targets.dims();
            let usual = n_rows <= limits::MAX_ENCODED_ROWS && n_classes <= limits::USUAL_CLASSES;
            let n_steps = if usual { config.head_steps } else { UNUSUAL_STEPS * config.head_steps };
            let precision = precision.clone();
            let coefficients =
                logistic_head(curvature.clone(), features, targets, row_weights, precision, n_steps);
            (curvature, coefficients)
        }
        TaskType::Regression => {
            let curvature = gram + diagonal;
            let right = weighted.transpose().matmul(targets); // [n_tasks, p, 1]
            let coefficients = cholesky_solve(curvature.clone(), right).transpose();
            (curvature, coefficients)
        }
    }
}

/// Solves the head for a plan and folds it into weights.
pub(crate) fn generate<L: Level>(
    config: &MetamodelConfig,
    plan: &Plan,
    batch: &HeadRows<L>,
    folds: Option<&[usize]>,
) -> Generated<L> {
    let [n_tasks, n_units, _] = plan.ramps.directions.dims();
    let [_, _, n_columns] = batch.dims();
    let hidden = hidden(plan, batch);
    let system = solve(config, plan, batch, Some(hidden.activations.clone()));
    let factor = output_factor(config, plan);
    let left_out = folds.map(|folds| left_out(config, plan, batch, &system, folds));
    let coefficients = system.coefficients * factor; // [n_tasks, n_outputs, p]
    let [_, n_outputs, _] = coefficients.dims();
    let of_ramps = coefficients.clone().narrow(2, 0, n_units) / hidden.scale; // [n_tasks, n_outputs, n_units]
    let of_slopes = of_ramps.clone() * hidden.slope;
    let output = Tensor::cat(vec![of_slopes.clone(), of_slopes * -1.0], 2);
    let skip = coefficients.clone().narrow(2, n_units, n_columns);
    let intercept = coefficients.narrow(2, n_units + n_columns, 1).reshape([n_tasks, n_outputs]);
    let shift = (of_ramps * hidden.mean).sum_dim(2).reshape([n_tasks, n_outputs]);
    let weights = Weights {
        hidden: vec![hidden.layer],
        skip: Some(skip),
        output: Some(output),
        output_bias: intercept - shift,
        activation: Activation::Relu,
        level: PhantomData,
    };
    Generated { weights, info: GeneratedInfo { left_out, noise: noise(config, plan) } }
}

/// The head alone, without a hidden layer: a tuned linear model. What an untrained metamodel can do.
pub(crate) fn linear_head<L: Level>(
    config: &MetamodelConfig,
    batch: &HeadRows<L>,
    folds: Option<&[usize]>,
) -> Generated<L> {
    let [n_tasks, n_rows, n_columns] = batch.dims();
    let device = batch.rows.device();
    let skip = first_skip_log_precision(config.task_type);
    let plan = Plan {
        ramps: Ramps {
            directions: Tensor::zeros([n_tasks, 1, n_columns], &device),
            shifts: Tensor::zeros([n_tasks, 1], &device),
            widths: Tensor::ones([n_tasks, 1], &device),
        },
        unit_log_precision: Tensor::zeros([n_tasks, 1], &device),
        skip_log_precision: Tensor::full([n_tasks, n_columns], skip, &device),
        row_weights: Tensor::ones([n_tasks, n_rows], &device),
        log_scale: Tensor::zeros([n_tasks, 1], &device),
    };
    let system = solve(config, &plan, batch, None);
    let factor = output_factor(config, &plan);
    let left_out = folds.map(|folds| left_out(config, &plan, batch, &system, folds));
    let coefficients = system.coefficients * factor;
    let [_, n_outputs, _] = coefficients.dims();
    let weights = Weights {
        hidden: vec![],
        skip: Some(coefficients.clone().narrow(2, 0, n_columns)),
        output: None,
        output_bias: coefficients.narrow(2, n_columns, 1).reshape([n_tasks, n_outputs]),
        activation: Activation::Relu,
        level: PhantomData,
    };
    Generated { weights, info: GeneratedInfo { left_out, noise: noise(config, &plan) } }
}

/// The factor on all outputs, `[n_tasks, 1, 1]`.
fn output_factor(config: &MetamodelConfig, plan: &Plan) -> Tensor<3> {
    let [n_tasks, _] = plan.log_scale.dims();
    let log_scale = plan.log_scale.clone().reshape([n_tasks, 1, 1]);
    match config.task_type {
        TaskType::Classification => log_scale.exp(),
        TaskType::Regression => log_scale.zeros_like() + 1.0,
    }
}

fn noise(config: &MetamodelConfig, plan: &Plan) -> Tensor<2> {
    match config.task_type {
        TaskType::Classification => plan.log_scale.ones_like(),
        TaskType::Regression => (plan.log_scale.clone() - 0.5).exp(),
    }
}

/// Outputs of every support row by heads that were solved without it: leave-one-out in closed form for regression,
/// folds for classification, whose solver stops early and so has no closed form that holds.
///
/// The hidden layer, the precisions and the row weights have seen every row.
///
/// Source: Cook 1977 for the linear leave-one-out.
fn left_out<L: Level>(
    config: &MetamodelConfig,
    plan: &Plan,
    batch: &HeadRows<L>,
    system: &System,
    folds: &[usize],
) -> Tensor<3> {
    let [n_tasks, n_rows, _] = batch.dims();
    let n_tasks = n_tasks.min(N_LEFT_OUT);
    let row_weights = plan.row_weights.clone().narrow(0, 0, n_tasks);
    let targets = batch.targets.clone().narrow(0, 0, n_tasks);
    let features = system.features.clone().narrow(0, 0, n_tasks); // [n_tasks, n_rows, p]
    match config.task_type {
        TaskType::Regression => {
            let weights = row_weights.reshape([n_tasks, n_rows, 1]);
            let coefficients = system.coefficients.clone().narrow(0, 0, n_tasks);
            let curvature = system.curvature.clone().narrow(0, 0, n_tasks);
            let outputs = features.clone().matmul(coefficients.transpose()); // [n_tasks, n_rows, 1]
            let solved = cholesky_solve(curvature, features.clone().transpose());
            let leverage = (features * solved.transpose()).sum_dim(2) * weights; // [n_tasks, n_rows, 1]
            let residual = targets.clone() - outputs;
            targets - residual / (leverage * -1.0 + 1.0).clamp_min(0.02)
        }
        TaskType::Classification => {
            let precision = system.precision.clone().narrow(0, 0, n_tasks);
            let n_folds = folds.iter().filter(|&&fold| fold != IN_NO_FOLD).max().map_or(0, |last| last + 1);
            let mut outputs = targets.zeros_like(); // [n_tasks, n_rows, n_outputs]
            for fold in 0..n_folds {
                let held: Vec<f32> = folds.iter().map(|&of| f32::from(u8::from(of == fold))).collect();
                let held = Tensor::<2>::from_data(TensorData::new(held, [1, n_rows]), &targets.device());
                let kept = row_weights.clone() * (held.clone() * -1.0 + 1.0);
                let (_, coefficients) =
                    solve_rows(config, targets.clone(), features.clone(), &precision, kept);
                let of_fold =
                    features.clone().matmul(coefficients.transpose()) * held.reshape([1, n_rows, 1]);
                outputs = outputs + of_fold;
            }
            outputs * output_factor(config, plan).narrow(0, 0, n_tasks)
        }
    }
}
