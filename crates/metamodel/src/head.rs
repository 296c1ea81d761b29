//! The solved last layer: standardises the planned hidden units on the support, solves the output layer in closed
//! form, and folds everything into plain base-model weights.

use crate::config::MetamodelConfig;
use crate::decoder::{Plan, first_skip_log_precision};
use crate::solve::System;
use crate::support::HeadRows;
use crate::units::{ClippedRelus, ClippedRelusOnRows, by_row, slope};
use burn::tensor::Tensor;
use std::marker::PhantomData;
use weightsmith_base_model::{Activation, HiddenLayer, Weights};
use weightsmith_kernels::{HeadSystem, SolveInfo};
use weightsmith_tasks::{Level, TaskType};

/// Precision of the intercept.
const INTERCEPT_PRECISION: f32 = 0.02;
/// Bounds of the logarithm of a precision: below, the system is too badly conditioned for f32; above, the input is
/// switched off.
const LOG_PRECISION: (f32, f32) = (-3.0, 9.0);

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
    /// What was met while the last layer was solved in double precision: at sizes that metamodels are not trained on,
    /// and where single precision broke down.
    pub solve: SolveInfo,
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
    /// Height of a clipped ReLU's slope, `[n_tasks, 1, n_units]`.
    slope: Tensor<3>,
}

/// Units as clipped ReLUs, standardised on the support; a clipped ReLU is two ReLU units of one direction.
fn hidden<L: Level>(plan: &Plan, batch: &HeadRows<L>) -> Hidden {
    let clipped_relus = &plan.clipped_relus;
    let [n_tasks, n_units, _] = clipped_relus.directions.dims();
    let ClippedRelusOnRows { before, units } = clipped_relus.on(batch.rows.clone());
    let by_unit = |x: Tensor<3>| x.reshape([n_tasks, n_units, 1]);
    let weight = clipped_relus.directions.clone() / by_unit(before.scale.clone());
    let foot = (by_row(&clipped_relus.shifts) - before.mean / before.scale).reshape([n_tasks, n_units]);
    let shoulder = foot.clone() - clipped_relus.widths.clone();
    let layer = HiddenLayer {
        weight: Tensor::cat(vec![weight.clone(), weight], 1),
        bias: Tensor::cat(vec![foot, shoulder], 1),
    };
    let slope = slope(by_row(&clipped_relus.widths));
    Hidden { layer, activations: units.values, mean: units.mean, scale: units.scale, slope }
}

fn solve<L: Level>(
    config: &MetamodelConfig,
    plan: &Plan,
    batch: &HeadRows<L>,
    activations: Option<Tensor<3>>,
) -> System {
    let [n_tasks, n_rows, n_columns] = batch.dims();
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
    let (targets, row_weights) = (batch.targets.clone(), plan.row_weights.clone());
    System::solve(config, n_columns, HeadSystem { features, targets, row_weights, precision })
}

/// Solves the head for a plan and folds it into weights.
pub(crate) fn generate<L: Level>(
    config: &MetamodelConfig,
    plan: &Plan,
    batch: &HeadRows<L>,
    folds: Option<&[usize]>,
) -> Generated<L> {
    let [n_tasks, n_units, _] = plan.clipped_relus.directions.dims();
    let [_, _, n_columns] = batch.dims();
    let hidden = hidden(plan, batch);
    let system = solve(config, plan, batch, Some(hidden.activations.clone()));
    let factor = output_factor(config, plan);
    let (left_out, solve) = left_out(config, plan, &system, folds);
    let coefficients = system.coefficients * factor; // [n_tasks, n_outputs, p]
    let [_, n_outputs, _] = coefficients.dims();
    let of_units = coefficients.clone().narrow(2, 0, n_units) / hidden.scale; // [n_tasks, n_outputs, n_units]
    let of_slopes = of_units.clone() * hidden.slope;
    let output = Tensor::cat(vec![of_slopes.clone(), of_slopes * -1.0], 2);
    let skip = coefficients.clone().narrow(2, n_units, n_columns);
    let intercept = coefficients.narrow(2, n_units + n_columns, 1).reshape([n_tasks, n_outputs]);
    let shift = (of_units * hidden.mean).sum_dim(2).reshape([n_tasks, n_outputs]);
    let weights = Weights {
        hidden: vec![hidden.layer],
        skip: Some(skip),
        output: Some(output),
        output_bias: intercept - shift,
        activation: Activation::Relu,
        level: PhantomData,
    };
    Generated { weights, info: GeneratedInfo { left_out, noise: noise(config, plan), solve } }
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
        clipped_relus: ClippedRelus {
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
    let (left_out, solve) = left_out(config, &plan, &system, folds);
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
    Generated { weights, info: GeneratedInfo { left_out, noise: noise(config, &plan), solve } }
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

/// Outputs of every support row of the first tasks by heads that were solved without it, and what was met while all
/// heads were solved.
///
/// The hidden layer, the precisions and the row weights have seen every row.
fn left_out(
    config: &MetamodelConfig,
    plan: &Plan,
    system: &System,
    folds: Option<&[usize]>,
) -> (Option<Tensor<3>>, SolveInfo) {
    let Some(folds) = folds else { return (None, system.info()) };
    let [n_tasks, _] = plan.log_scale.dims();
    let n_tasks = n_tasks.min(N_LEFT_OUT);
    let (outputs, info) = system.left_out(config, n_tasks, folds);
    (Some(outputs * output_factor(config, plan).narrow(0, 0, n_tasks)), info)
}
