//! One way to compare a fused operation with its reference, values and every gradient.

use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded source of test numbers.
pub(crate) struct Numbers(ChaCha8Rng);

/// Host values with their shape.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) values: Vec<f32>,
    pub(crate) shape: Vec<usize>,
}

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0.random_range(0..bound)
    }

    /// Roughly normal values: sums of uniform ones.
    pub(crate) fn normal(&mut self, shape: &[usize]) -> Part {
        let n = shape.iter().product();
        let values = (0..n).map(|_| (0..12).map(|_| self.0.random::<f32>()).sum::<f32>() - 6.0).collect();
        Part { values, shape: shape.to_vec() }
    }

    pub(crate) fn uniform(&mut self, shape: &[usize], low: f32, high: f32) -> Part {
        let n = shape.iter().product();
        let values = (0..n).map(|_| self.0.random_range(low..high)).collect();
        Part { values, shape: shape.to_vec() }
    }
}

/// The parts as tensors of one device.
pub(crate) struct Parts {
    flat: Vec<Tensor<1>>,
    shapes: Vec<Vec<usize>>,
}

impl Parts {
    pub(crate) fn at<const D: usize>(&self, idx: usize) -> Tensor<D> {
        let mut shape = [0; D];
        shape.copy_from_slice(&self.shapes[idx]);
        self.flat[idx].clone().reshape(shape)
    }
}

/// Values of `f` and the gradients of a fixed weighted sum of its outputs for every part.
pub(crate) fn run(parts: &[Part], f: impl Fn(&Parts) -> Tensor<1>) -> (Vec<f32>, Vec<Vec<f32>>) {
    let device = Device::flex().autodiff();
    let flat: Vec<Tensor<1>> = parts
        .iter()
        .map(|part| Tensor::from_data(TensorData::from(part.values.as_slice()), &device).require_grad())
        .collect();
    let inputs = Parts { flat, shapes: parts.iter().map(|part| part.shape.clone()).collect() };
    let output = f(&inputs);
    let [n] = output.dims();
    let weights: Vec<f32> = (0..n).map(|i| ((i * 37 % 11) as f32 - 5.0) / 5.0).collect();
    let weights = Tensor::from_data(TensorData::from(weights.as_slice()), &device);
    let grads = (output.clone() * weights).sum().backward();
    let gradients = inputs
        .flat
        .iter()
        .map(|part| match part.grad(&grads) {
            Some(grad) => grad.into_data().try_to_vec().unwrap(),
            None => vec![0.0; part.dims()[0]],
        })
        .collect();
    (output.into_data().try_to_vec().unwrap(), gradients)
}

/// Asserts that both agree to `tolerance` relative to the largest magnitude of each array.
pub(crate) fn check(
    parts: &[Part],
    fused: impl Fn(&Parts) -> Tensor<1>,
    reference: impl Fn(&Parts) -> Tensor<1>,
    tolerance: f32,
) {
    let (fused_values, fused_grads) = run(parts, fused);
    let (values, grads) = run(parts, reference);
    assert_close("value", &fused_values, &values, tolerance);
    for (idx, (ours, theirs)) in fused_grads.iter().zip(&grads).enumerate() {
        assert_close(&format!("gradient {idx}"), ours, theirs, tolerance);
    }
}

pub(crate) fn assert_close(what: &str, ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len(), "{what}: lengths");
    let scale = theirs.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
    for (idx, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= tolerance * scale, "{what}[{idx}]: {a} against {b} (scale {scale})");
    }
}
