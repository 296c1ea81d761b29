//! Layer normalisation over the last dimension.

use crate::cpu::{self, dot};
use crate::device::is_cpu;
use crate::fused::FusedOps;
use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use multiversion::multiversion;

const EPSILON: f32 = 1e-5;

/// `(x - mean) / sqrt(var + 1e-5) * gain + bias`, over the last dimension.
///
/// # Shapes
/// - `x`: `[n_tasks, n_tokens, d_model]`
/// - `gain`, `bias`: `[d_model]`
/// - result: as `x`
pub fn layer_norm(x: Tensor<3>, gain: Tensor<1>, bias: Tensor<1>) -> Tensor<3> {
    if !is_cpu(&x.device()) {
        return layer_norm_reference(x, gain, bias);
    }
    Tensor::from_dispatch(<Dispatch as FusedOps>::fused_layer_norm(
        x.into_dispatch(),
        gain.into_dispatch(),
        bias.into_dispatch(),
    ))
}

/// [`layer_norm`] in plain tensor operations.
pub fn layer_norm_reference(x: Tensor<3>, gain: Tensor<1>, bias: Tensor<1>) -> Tensor<3> {
    let centred = x.clone() - x.mean_dim(2);
    let variance = (centred.clone() * centred.clone()).mean_dim(2);
    centred / (variance + EPSILON).sqrt() * gain.unsqueeze() + bias.unsqueeze()
}

pub(crate) fn forward(x: FlexTensor, gain: FlexTensor, bias: FlexTensor) -> FlexTensor {
    let (x, gain, bias) = (cpu::contiguous(x), cpu::contiguous(gain), cpu::contiguous(bias));
    let shape = cpu::sizes::<3>(&x);
    let mut output = vec![0.0; shape.iter().product()];
    normalise(cpu::values(&x), cpu::values(&gain), cpu::values(&bias), &mut output);
    cpu::tensor(output, shape)
}

#[inline(always)]
fn moments(row: &[f32]) -> (f32, f32) {
    let width = row.len() as f32;
    let mean = cpu::sum(row) / width;
    let variance = cpu::square_distance(row, mean) / width;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn normalise(x: &[f32], gain: &[f32], bias: &[f32], output: &mut [f32]) {
    let width = gain.len();
    for (row, out) in x.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
        let (mean, scale) = moments(row);
        for ((out, x), (gain, bias)) in out.iter_mut().zip(row).zip(gain.iter().zip(bias)) {
            *out = (x - mean) * scale * gain + bias;
        }
    }
}

pub(crate) fn backward(parents: &[FlexTensor; 3], grad: FlexTensor) -> [FlexTensor; 3] {
    let [x, gain, bias] = parents.each_ref().map(|parent| cpu::contiguous(parent.clone()));
    let grad = cpu::contiguous(grad);
    let shape = cpu::sizes::<3>(&x);
    let width = cpu::values(&bias).len();
    let mut x_grad = vec![0.0; shape.iter().product()];
    let (mut gain_grad, mut bias_grad) = (vec![0.0; width], vec![0.0; width]);
    gradients(
        cpu::values(&x),
        cpu::values(&gain),
        cpu::values(&grad),
        &mut x_grad,
        &mut gain_grad,
        &mut bias_grad,
    );
    [cpu::tensor(x_grad, shape), cpu::tensor(gain_grad, [width]), cpu::tensor(bias_grad, [width])]
}

#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn gradients(
    x: &[f32],
    gain: &[f32],
    grad: &[f32],
    x_grad: &mut [f32],
    gain_grad: &mut [f32],
    bias_grad: &mut [f32],
) {
    let width = gain.len();
    let mut inner = vec![0.0; width];
    for ((row, g), out) in
        x.chunks_exact(width).zip(grad.chunks_exact(width)).zip(x_grad.chunks_exact_mut(width))
    {
        let (mean, scale) = moments(row);
        // First the normalised row goes to `out`, which then turns into its gradient.
        for column in 0..width {
            out[column] = (row[column] - mean) * scale;
            gain_grad[column] += g[column] * out[column];
            bias_grad[column] += g[column];
            inner[column] = g[column] * gain[column];
        }
        let (sum, product) = (cpu::sum(&inner) / width as f32, dot(&inner, out) / width as f32);
        for column in 0..width {
            out[column] = scale * (inner[column] - sum - out[column] * product);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Numbers, check};

    #[test]
    fn values_and_gradients_agree_with_the_reference() {
        let mut numbers = Numbers::new(1);
        let parts = [numbers.normal(&[3, 5, 24]), numbers.normal(&[24]), numbers.normal(&[24])];
        check(
            &parts,
            |p| layer_norm(p.at(0), p.at(1), p.at(2)).reshape([-1]),
            |p| layer_norm_reference(p.at(0), p.at(1), p.at(2)).reshape([-1]),
            2e-5,
        );
    }
}
