//! The solved last layer of a classifier: multinomial logistic regression by the Böhning bound.

use crate::cholesky::{cholesky_solve_reference, factorise, substitute};
use crate::cpu::{self, axpy, dot};
use crate::device::is_cpu;
use crate::fused::FusedOps;
use burn::backend::Dispatch;
use burn::tensor::{Tensor, activation};
use burn_flex::FlexTensor;
use multiversion::multiversion;

/// Coefficients after `n_steps` accelerated steps from zero: step `t` goes from the point `A = B + t/(t+3) (B − B_before)`
/// to `A + H⁻¹ [Φᵀ W (Y − softmax(Φ A)) − Λ A]`.
///
/// `H = ½ Φᵀ W Φ + Λ` bounds the curvature of the penalised loss, so that the steps converge; one factorisation of `H`
/// serves them all. The gradient is that of the unrolled steps.
///
/// # Shapes
/// - `curvature`: `[n_tasks, p, p]`, the symmetric `H`
/// - `features`: `[n_tasks, n_rows, p]`, `Φ`
/// - `targets`: `[n_tasks, n_rows, n_classes]`, one-hot; no gradient flows to it
/// - `row_weights`: `[n_tasks, n_rows]`
/// - `precision`: `[n_tasks, p]`, the diagonal of `Λ`
/// - result: `[n_tasks, n_classes, p]`
///
/// Source: Böhning 1992, "Multinomial logistic regression algorithm", section 3; Nesterov 1983 for the acceleration.
pub fn logistic_head(
    curvature: Tensor<3>,
    features: Tensor<3>,
    targets: Tensor<3>,
    row_weights: Tensor<2>,
    precision: Tensor<2>,
    n_steps: usize,
) -> Tensor<3> {
    if !is_cpu(&features.device()) {
        return logistic_head_reference(curvature, features, targets, row_weights, precision, n_steps);
    }
    Tensor::from_dispatch(<Dispatch as FusedOps>::fused_logistic_head(
        curvature.into_dispatch(),
        features.into_dispatch(),
        targets.into_dispatch(),
        row_weights.into_dispatch(),
        precision.into_dispatch(),
        n_steps,
    ))
}

/// [`logistic_head`] in plain tensor operations.
pub fn logistic_head_reference(
    curvature: Tensor<3>,
    features: Tensor<3>,
    targets: Tensor<3>,
    row_weights: Tensor<2>,
    precision: Tensor<2>,
    n_steps: usize,
) -> Tensor<3> {
    let [n_tasks, n_rows, p] = features.dims();
    let [_, _, n_classes] = targets.dims();
    let row_weights = row_weights.reshape([n_tasks, n_rows, 1]);
    let precision = precision.reshape([n_tasks, p, 1]);
    let mut coefficients = Tensor::<3>::zeros([n_tasks, p, n_classes], &features.device());
    let mut before = coefficients.clone();
    for t in 0..n_steps {
        let ahead = coefficients.clone() + (coefficients.clone() - before) * momentum(t);
        let probabilities = activation::softmax(features.clone().matmul(ahead.clone()), 2);
        let residuals = (targets.clone() - probabilities) * row_weights.clone(); // [n_tasks, n_rows, n_classes]
        let slope = features.clone().transpose().matmul(residuals) - precision.clone() * ahead.clone();
        before = coefficients;
        coefficients = ahead + cholesky_solve_reference(curvature.clone(), slope);
    }
    coefficients.transpose()
}

/// How far step `t` looks ahead, in lengths of the step before.
fn momentum(t: usize) -> f32 {
    t as f32 / (t + 3) as f32
}

/// `ahead = now + factor * (now - before)`.
#[inline(always)]
fn look_ahead(now: &[f32], before: &[f32], factor: f32, ahead: &mut [f32]) {
    for ((ahead, now), before) in ahead.iter_mut().zip(now).zip(before) {
        *ahead = now + factor * (now - before);
    }
}

/// The sizes of one call.
#[derive(Copy, Clone)]
struct Sizes {
    n_rows: usize,
    p: usize,
    n_classes: usize,
    n_steps: usize,
}

/// The inputs of one task.
struct Inputs<'a> {
    features: &'a [f32],
    targets: &'a [f32],
    row_weights: &'a [f32],
    precision: &'a [f32],
}

/// Residuals `Y − softmax(Φ B)` and probabilities of every row for `[n_classes, p]` coefficients.
#[inline(always)]
fn residuals(
    inputs: &Inputs,
    coefficients: &[f32],
    sizes: Sizes,
    probabilities: &mut [f32],
    rest: &mut [f32],
) {
    let Sizes { p, n_classes, .. } = sizes;
    for (row, features) in inputs.features.chunks_exact(p).enumerate() {
        let span = row * n_classes..(row + 1) * n_classes;
        let scores = &mut probabilities[span.clone()];
        for (class, score) in scores.iter_mut().enumerate() {
            *score = dot(features, &coefficients[class * p..(class + 1) * p]);
        }
        cpu::softmax(scores);
        for ((rest, score), target) in rest[span.clone()].iter_mut().zip(&*scores).zip(&inputs.targets[span])
        {
            *rest = target - score;
        }
    }
}

/// One step: writes `H⁻¹ g` into `change`.
#[inline(always)]
fn step(
    inputs: &Inputs,
    factor: &[f32],
    coefficients: &[f32],
    rest: &[f32],
    sizes: Sizes,
    change: &mut [f32],
) {
    let Sizes { p, n_classes, .. } = sizes;
    for (change, (coefficients, precision)) in
        change.chunks_exact_mut(p).zip(coefficients.chunks_exact(p).zip(std::iter::repeat(inputs.precision)))
    {
        for column in 0..p {
            change[column] = -precision[column] * coefficients[column];
        }
    }
    for (row, features) in inputs.features.chunks_exact(p).enumerate() {
        for class in 0..n_classes {
            let weight = inputs.row_weights[row] * rest[row * n_classes + class];
            axpy(weight, features, &mut change[class * p..(class + 1) * p]);
        }
    }
    for change in change.chunks_exact_mut(p) {
        substitute(factor, p, change);
    }
}

/// Inputs of task `task_idx` out of batched arrays.
#[inline(always)]
fn task_inputs<'a>(arrays: &[&'a [f32]; 4], task_idx: usize, sizes: Sizes) -> Inputs<'a> {
    let Sizes { n_rows, p, n_classes, .. } = sizes;
    let part = |array: &'a [f32], size: usize| &array[task_idx * size..(task_idx + 1) * size];
    Inputs {
        features: part(arrays[0], n_rows * p),
        targets: part(arrays[1], n_rows * n_classes),
        row_weights: part(arrays[2], n_rows),
        precision: part(arrays[3], p),
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn solve(curvature: &[f32], arrays: [&[f32]; 4], sizes: Sizes, output: &mut [f32]) {
    let Sizes { n_rows, p, n_classes, n_steps } = sizes;
    let mut factor = vec![0.0; p * p];
    let mut probabilities = vec![0.0; n_rows * n_classes];
    let mut rest = vec![0.0; n_rows * n_classes];
    let mut change = vec![0.0; n_classes * p];
    let (mut ahead, mut before) = (change.clone(), change.clone());
    for (task_idx, coefficients) in output.chunks_exact_mut(n_classes * p).enumerate() {
        let inputs = task_inputs(&arrays, task_idx, sizes);
        factorise(&curvature[task_idx * p * p..(task_idx + 1) * p * p], p, &mut factor);
        before.fill(0.0);
        for t in 0..n_steps {
            look_ahead(coefficients, &before, momentum(t), &mut ahead);
            residuals(&inputs, &ahead, sizes, &mut probabilities, &mut rest);
            step(&inputs, &factor, &ahead, &rest, sizes, &mut change);
            before.copy_from_slice(coefficients);
            coefficients.copy_from_slice(&ahead);
            axpy(1.0, &change, coefficients);
        }
    }
}

fn unpack(parents: &[FlexTensor; 5], n_steps: usize) -> (Sizes, usize) {
    let [n_tasks, n_rows, p] = cpu::sizes(&parents[1]);
    let [_, _, n_classes] = cpu::sizes::<3>(&parents[2]);
    (Sizes { n_rows, p, n_classes, n_steps }, n_tasks)
}

pub(crate) fn forward(parents: [FlexTensor; 5], n_steps: usize) -> FlexTensor {
    let parents = parents.map(cpu::contiguous);
    let (sizes, n_tasks) = unpack(&parents, n_steps);
    let [curvature, features, targets, row_weights, precision] = parents.each_ref().map(cpu::values);
    let mut output = vec![0.0; n_tasks * sizes.n_classes * sizes.p];
    solve(curvature, [features, targets, row_weights, precision], sizes, &mut output);
    cpu::tensor(output, [n_tasks, sizes.n_classes, sizes.p])
}

/// Gradients of one task, views into the batched arrays.
struct Gradients<'a> {
    curvature: &'a mut [f32],
    features: &'a mut [f32],
    row_weights: &'a mut [f32],
    precision: &'a mut [f32],
}

pub(crate) fn backward(parents: &[FlexTensor; 5], grad: FlexTensor, n_steps: usize) -> [FlexTensor; 5] {
    let parents = parents.each_ref().map(|parent| cpu::contiguous(parent.clone()));
    let grad = cpu::contiguous(grad);
    let (sizes, n_tasks) = unpack(&parents, n_steps);
    let Sizes { n_rows, p, n_classes, .. } = sizes;
    let [curvature, features, targets, row_weights, precision] = parents.each_ref().map(cpu::values);
    let mut curvature_grad = vec![0.0; n_tasks * p * p];
    let mut features_grad = vec![0.0; n_tasks * n_rows * p];
    let mut row_weights_grad = vec![0.0; n_tasks * n_rows];
    let mut precision_grad = vec![0.0; n_tasks * p];
    for task_idx in 0..n_tasks {
        let inputs = task_inputs(&[features, targets, row_weights, precision], task_idx, sizes);
        let gradients = Gradients {
            curvature: &mut curvature_grad[task_idx * p * p..(task_idx + 1) * p * p],
            features: &mut features_grad[task_idx * n_rows * p..(task_idx + 1) * n_rows * p],
            row_weights: &mut row_weights_grad[task_idx * n_rows..(task_idx + 1) * n_rows],
            precision: &mut precision_grad[task_idx * p..(task_idx + 1) * p],
        };
        let curvature = &curvature[task_idx * p * p..(task_idx + 1) * p * p];
        let grad = &cpu::values(&grad)[task_idx * n_classes * p..(task_idx + 1) * n_classes * p];
        unroll(curvature, &inputs, grad, sizes, gradients);
    }
    [
        cpu::tensor(curvature_grad, [n_tasks, p, p]),
        cpu::tensor(features_grad, [n_tasks, n_rows, p]),
        cpu::tensor(vec![0.0; n_tasks * n_rows * n_classes], [n_tasks, n_rows, n_classes]),
        cpu::tensor(row_weights_grad, [n_tasks, n_rows]),
        cpu::tensor(precision_grad, [n_tasks, p]),
    ]
}

/// Reverse pass through the unrolled steps of one task.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn unroll(curvature: &[f32], inputs: &Inputs<'_>, grad: &[f32], sizes: Sizes, gradients: Gradients<'_>) {
    let Sizes { n_rows, p, n_classes, n_steps } = sizes;
    let width = n_classes * p;
    let mut factor = vec![0.0; p * p];
    factorise(curvature, p, &mut factor);
    // The points that the steps start from, the changes, the probabilities and the residuals, step by step.
    let mut path = vec![0.0; n_steps * width];
    let mut changes = vec![0.0; n_steps * width];
    let mut probabilities = vec![0.0; n_steps * n_rows * n_classes];
    let mut rests = vec![0.0; n_steps * n_rows * n_classes];
    let rows = n_rows * n_classes;
    let (mut now, mut before) = (vec![0.0; width], vec![0.0; width]);
    for t in 0..n_steps {
        let ahead = &mut path[t * width..(t + 1) * width];
        look_ahead(&now, &before, momentum(t), ahead);
        let rest = &mut rests[t * rows..(t + 1) * rows];
        residuals(inputs, ahead, sizes, &mut probabilities[t * rows..(t + 1) * rows], rest);
        let change = &mut changes[t * width..(t + 1) * width];
        step(inputs, &factor, ahead, rest, sizes, change);
        std::mem::swap(&mut before, &mut now);
        now.copy_from_slice(ahead);
        axpy(1.0, change, &mut now);
    }
    // Of the coefficients after step `t`, and what is already known of those before it.
    let mut adjoint = grad.to_vec();
    let mut adjoint_before = vec![0.0; width];
    let mut solved = vec![0.0; width];
    let mut class_slopes = vec![0.0; n_classes];
    for t in (0..n_steps).rev() {
        let coefficients = &path[t * width..(t + 1) * width];
        let change = &changes[t * width..(t + 1) * width];
        solved.copy_from_slice(&adjoint);
        for class in 0..n_classes {
            let u = &mut solved[class * p..(class + 1) * p];
            substitute(&factor, p, u);
            let d = &change[class * p..(class + 1) * p];
            for i in 0..p {
                axpy(-0.5 * u[i], d, &mut gradients.curvature[i * p..(i + 1) * p]);
                axpy(-0.5 * d[i], u, &mut gradients.curvature[i * p..(i + 1) * p]);
            }
            for i in 0..p {
                gradients.precision[i] -= u[i] * coefficients[class * p + i];
                adjoint[class * p + i] -= inputs.precision[i] * u[i];
            }
        }
        for row in 0..n_rows {
            let features = &inputs.features[row * p..(row + 1) * p];
            let feature_grad = &mut gradients.features[row * p..(row + 1) * p];
            let at = t * rows + row * n_classes;
            let (probability, rest) = (&probabilities[at..at + n_classes], &rests[at..at + n_classes]);
            let weight = inputs.row_weights[row];
            let mut mean = 0.0;
            for class in 0..n_classes {
                let u = &solved[class * p..(class + 1) * p];
                let product = dot(features, u);
                gradients.row_weights[row] += rest[class] * product;
                axpy(weight * rest[class], u, feature_grad);
                class_slopes[class] = -weight * product;
                mean += probability[class] * class_slopes[class];
            }
            for class in 0..n_classes {
                let slope = probability[class] * (class_slopes[class] - mean);
                axpy(slope, &coefficients[class * p..(class + 1) * p], feature_grad);
                axpy(slope, features, &mut adjoint[class * p..(class + 1) * p]);
            }
        }
        // `adjoint` is now that of the point ahead, (1 + m) now - m before.
        let m = momentum(t);
        for (here, before) in adjoint.iter_mut().zip(&mut adjoint_before) {
            let ahead = *here;
            *here = *before + (1.0 + m) * ahead;
            *before = -m * ahead;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Numbers, Part, Parts, check, run};

    fn parts(numbers: &mut Numbers, n_rows: usize, p: usize, n_classes: usize) -> (Vec<Part>, Vec<f32>) {
        let mut targets = vec![0.0; 2 * n_rows * n_classes];
        for row in 0..2 * n_rows {
            targets[row * n_classes + numbers.below(n_classes)] = 1.0;
        }
        let parts = vec![
            numbers.normal(&[2, n_rows, p]),
            numbers.uniform(&[2, n_rows], 0.5, 1.5),
            numbers.uniform(&[2, p], 0.3, 2.0),
        ];
        (parts, targets)
    }

    type Head = fn(Tensor<3>, Tensor<3>, Tensor<3>, Tensor<2>, Tensor<2>, usize) -> Tensor<3>;

    /// The head with its curvature composed from the other parts, as the metamodel uses it.
    fn whole(head: Head, p: &Parts, targets: &[f32], n_classes: usize) -> Tensor<1> {
        let (features, row_weights, precision) = (p.at::<3>(0), p.at::<2>(1), p.at::<2>(2));
        let [n_tasks, n_rows, width] = features.dims();
        let device = features.device();
        let targets = Tensor::<1>::from_data(burn::tensor::TensorData::from(targets), &device)
            .reshape([n_tasks, n_rows, n_classes]);
        let weighted = features.clone() * row_weights.clone().reshape([n_tasks, n_rows, 1]);
        let identity = Tensor::<2>::eye(width, &device).unsqueeze::<3>();
        let curvature = weighted.transpose().matmul(features.clone()) * 0.5
            + identity * precision.clone().reshape([n_tasks, 1, width]);
        head(curvature, features, targets, row_weights, precision, 8).reshape([-1])
    }

    #[test]
    fn values_and_gradients_agree_with_the_reference() {
        let mut numbers = Numbers::new(5);
        for (n_rows, p, n_classes) in [(6, 3, 2), (20, 9, 4), (40, 18, 10)] {
            let (parts, targets) = parts(&mut numbers, n_rows, p, n_classes);
            check(
                &parts,
                |t| whole(logistic_head, t, &targets, n_classes),
                |t| whole(logistic_head_reference, t, &targets, n_classes),
                5e-4,
            );
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let mut numbers = Numbers::new(6);
        let (parts, targets) = parts(&mut numbers, 8, 3, 3);
        let loss = |parts: &[Part]| -> f64 {
            let (values, _) = run(parts, |t| whole(logistic_head, t, &targets, 3));
            // The weighted sum that `run` differentiates.
            values.iter().enumerate().map(|(i, v)| *v as f64 * (((i * 37 % 11) as f64 - 5.0) / 5.0)).sum()
        };
        let (_, grads) = run(&parts, |t| whole(logistic_head, t, &targets, 3));
        for (part_idx, grad) in grads.iter().enumerate() {
            for (idx, &analytic) in grad.iter().enumerate() {
                let shifted = |by: f32| {
                    let mut moved = parts.clone();
                    moved[part_idx].values[idx] += by;
                    loss(&moved)
                };
                // Central differences in f32: a step of 1e-2 balances truncation and rounding near 1e-3.
                let numeric = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
                let scale = grad.iter().fold(0.05f32, |largest, g| largest.max(g.abs())) as f64;
                assert!(
                    (analytic as f64 - numeric).abs() < 5e-3 * scale,
                    "part {part_idx}[{idx}]: {analytic} against {numeric}"
                );
            }
        }
    }
}
