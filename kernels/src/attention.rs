//! Multi-head attention with a mask over keys.

use crate::cpu::{self, axpy, dot};
use crate::device::is_cpu;
use crate::fused::FusedOps;
use burn::backend::Dispatch;
use burn::tensor::{Tensor, activation};
use burn_flex::FlexTensor;
use multiversion::multiversion;

/// Added to the scores of masked keys.
const MASKED: f32 = -1e9;

/// `softmax(q kᵀ / √d_head) v`, head by head; a key whose mask is 0 is not seen.
///
/// # Shapes
/// - `query`: `[n_tasks, n_queries, d_model]`, heads side by side in the last dimension
/// - `key`, `value`: `[n_tasks, n_keys, d_model]`
/// - `key_mask`: `[n_tasks, n_keys]`, 1 or 0; no gradient flows to it
/// - result: as `query`
///
/// # Panics
/// If `n_heads` does not divide `d_model`.
///
/// Source: Vaswani et al. 2017, section 3.2.
pub fn attention(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    key_mask: Tensor<2>,
    n_heads: usize,
) -> Tensor<3> {
    assert_eq!(query.dims()[2] % n_heads, 0, "n_heads must divide d_model");
    if !is_cpu(&query.device()) {
        return attention_reference(query, key, value, key_mask, n_heads);
    }
    Tensor::from_dispatch(<Dispatch as FusedOps>::fused_attention(
        query.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
        key_mask.into_dispatch(),
        n_heads,
    ))
}

/// [`attention`] in plain tensor operations.
pub fn attention_reference(
    query: Tensor<3>,
    key: Tensor<3>,
    value: Tensor<3>,
    key_mask: Tensor<2>,
    n_heads: usize,
) -> Tensor<3> {
    let [n_tasks, n_queries, d_model] = query.dims();
    let [_, n_keys, _] = key.dims();
    let d_head = d_model / n_heads;
    let heads = |x: Tensor<3>, n| x.reshape([n_tasks, n, n_heads, d_head]).swap_dims(1, 2);
    let (query, key, value) = (heads(query, n_queries), heads(key, n_keys), heads(value, n_keys));
    let bias = ((key_mask - 1.0) * -MASKED).reshape([n_tasks, 1, 1, n_keys]);
    let scores = query.matmul(key.transpose()) / (d_head as f32).sqrt() + bias; // [n_tasks, n_heads, n_queries, n_keys]
    activation::softmax(scores, 3).matmul(value).swap_dims(1, 2).reshape([n_tasks, n_queries, d_model])
}

/// The sizes of one call.
#[derive(Copy, Clone)]
struct Sizes {
    n_tasks: usize,
    n_queries: usize,
    n_keys: usize,
    d_model: usize,
    n_heads: usize,
}

fn sizes(query: &FlexTensor, key: &FlexTensor, n_heads: usize) -> Sizes {
    let [n_tasks, n_queries, d_model] = cpu::sizes(query);
    let [_, n_keys, _] = cpu::sizes::<3>(key);
    Sizes { n_tasks, n_queries, n_keys, d_model, n_heads }
}

pub(crate) fn forward(parents: [FlexTensor; 4], n_heads: usize) -> FlexTensor {
    let [query, key, value, mask] = parents.map(cpu::contiguous);
    let sizes = sizes(&query, &key, n_heads);
    let mut output = vec![0.0; sizes.n_tasks * sizes.n_queries * sizes.d_model];
    attend(cpu::values(&query), cpu::values(&key), cpu::values(&value), cpu::values(&mask), sizes, &mut output);
    cpu::tensor(output, [sizes.n_tasks, sizes.n_queries, sizes.d_model])
}

/// Copies one head of `[n, d_model]` rows into `[d_head, n]`.
#[inline(always)]
fn transpose_head(x: &[f32], d_model: usize, offset: usize, d_head: usize, out: &mut [f32]) {
    let n = x.len() / d_model;
    for (row, values) in x.chunks_exact(d_model).enumerate() {
        for (column, &value) in values[offset..offset + d_head].iter().enumerate() {
            out[column * n + row] = value;
        }
    }
}

/// Attention probabilities of one query row, into `scores`.
#[inline(always)]
fn probabilities(query: &[f32], key_t: &[f32], mask: &[f32], scores: &mut [f32]) {
    let n_keys = scores.len();
    for (score, mask) in scores.iter_mut().zip(mask) {
        *score = (mask - 1.0) * -MASKED;
    }
    let factor = 1.0 / (query.len() as f32).sqrt();
    for (column, &q) in query.iter().enumerate() {
        axpy(q * factor, &key_t[column * n_keys..(column + 1) * n_keys], scores);
    }
    cpu::softmax(scores);
}

#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn attend(query: &[f32], key: &[f32], value: &[f32], mask: &[f32], sizes: Sizes, output: &mut [f32]) {
    let Sizes { n_tasks, n_queries, n_keys, d_model, n_heads } = sizes;
    let d_head = d_model / n_heads;
    let mut key_t = vec![0.0; d_head * n_keys];
    let mut scores = vec![0.0; n_keys];
    for task in 0..n_tasks {
        let keys = &key[task * n_keys * d_model..(task + 1) * n_keys * d_model];
        let values = &value[task * n_keys * d_model..(task + 1) * n_keys * d_model];
        let mask = &mask[task * n_keys..(task + 1) * n_keys];
        for head in 0..n_heads {
            let offset = head * d_head;
            transpose_head(keys, d_model, offset, d_head, &mut key_t);
            for row in 0..n_queries {
                let at = (task * n_queries + row) * d_model + offset;
                probabilities(&query[at..at + d_head], &key_t, mask, &mut scores);
                let out = &mut output[at..at + d_head];
                for (key_idx, &weight) in scores.iter().enumerate() {
                    let from = key_idx * d_model + offset;
                    axpy(weight, &values[from..from + d_head], out);
                }
            }
        }
    }
}

pub(crate) fn backward(parents: &[FlexTensor; 4], grad: FlexTensor, n_heads: usize) -> [FlexTensor; 4] {
    let [query, key, value, mask] = parents.each_ref().map(|parent| cpu::contiguous(parent.clone()));
    let grad = cpu::contiguous(grad);
    let sizes = sizes(&query, &key, n_heads);
    let Sizes { n_tasks, n_queries, n_keys, d_model, .. } = sizes;
    let mut query_grad = vec![0.0; n_tasks * n_queries * d_model];
    let (mut key_grad, mut value_grad) =
        (vec![0.0; n_tasks * n_keys * d_model], vec![0.0; n_tasks * n_keys * d_model]);
    let inputs =
        [cpu::values(&query), cpu::values(&key), cpu::values(&value), cpu::values(&mask), cpu::values(&grad)];
    attend_backward(inputs, sizes, [&mut query_grad, &mut key_grad, &mut value_grad]);
    [
        cpu::tensor(query_grad, [n_tasks, n_queries, d_model]),
        cpu::tensor(key_grad, [n_tasks, n_keys, d_model]),
        cpu::tensor(value_grad, [n_tasks, n_keys, d_model]),
        cpu::tensor(vec![0.0; n_tasks * n_keys], [n_tasks, n_keys]),
    ]
}

#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn attend_backward(inputs: [&[f32]; 5], sizes: Sizes, outputs: [&mut Vec<f32>; 3]) {
    let [query, key, value, mask, grad] = inputs;
    let [query_grad, key_grad, value_grad] = outputs;
    let Sizes { n_tasks, n_queries, n_keys, d_model, n_heads } = sizes;
    let d_head = d_model / n_heads;
    let factor = 1.0 / (d_head as f32).sqrt();
    let (mut key_t, mut value_t) = (vec![0.0; d_head * n_keys], vec![0.0; d_head * n_keys]);
    let (mut scores, mut slopes) = (vec![0.0; n_keys], vec![0.0; n_keys]);
    for task in 0..n_tasks {
        let span = task * n_keys * d_model..(task + 1) * n_keys * d_model;
        let (keys, values) = (&key[span.clone()], &value[span.clone()]);
        let (key_grads, value_grads) = (&mut key_grad[span.clone()], &mut value_grad[span]);
        let mask = &mask[task * n_keys..(task + 1) * n_keys];
        for head in 0..n_heads {
            let offset = head * d_head;
            transpose_head(keys, d_model, offset, d_head, &mut key_t);
            transpose_head(values, d_model, offset, d_head, &mut value_t);
            for row in 0..n_queries {
                let at = (task * n_queries + row) * d_model + offset;
                let (q, g) = (&query[at..at + d_head], &grad[at..at + d_head]);
                probabilities(q, &key_t, mask, &mut scores);
                slopes.fill(0.0);
                for (column, &g) in g.iter().enumerate() {
                    axpy(g, &value_t[column * n_keys..(column + 1) * n_keys], &mut slopes);
                }
                let mean = dot(&scores, &slopes);
                for (slope, score) in slopes.iter_mut().zip(&scores) {
                    *slope = score * (*slope - mean) * factor;
                }
                let q_grad = &mut query_grad[at..at + d_head];
                for key_idx in 0..n_keys {
                    let from = key_idx * d_model + offset;
                    axpy(scores[key_idx], g, &mut value_grads[from..from + d_head]);
                    axpy(slopes[key_idx], &keys[from..from + d_head], q_grad);
                    axpy(slopes[key_idx], q, &mut key_grads[from..from + d_head]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Numbers, Part, check};

    #[test]
    fn values_and_gradients_agree_with_the_reference() {
        let mut numbers = Numbers::new(2);
        for (n_queries, n_keys, d_model, n_heads) in [(5, 7, 16, 4), (1, 1, 8, 2), (20, 33, 32, 2)] {
            let mut mask = vec![1.0; 2 * n_keys];
            if n_keys > 2 {
                mask[1] = 0.0;
                mask[n_keys + 2] = 0.0;
            }
            let parts = [
                numbers.normal(&[2, n_queries, d_model]),
                numbers.normal(&[2, n_keys, d_model]),
                numbers.normal(&[2, n_keys, d_model]),
                Part { values: mask, shape: vec![2, n_keys] },
            ];
            check(
                &parts[..3],
                |p| attention(p.at(0), p.at(1), p.at(2), mask_of(&parts[3]), n_heads).reshape([-1]),
                |p| attention_reference(p.at(0), p.at(1), p.at(2), mask_of(&parts[3]), n_heads).reshape([-1]),
                2e-5,
            );
        }
    }

    fn mask_of(part: &Part) -> Tensor<2> {
        let device = burn::tensor::Device::flex().autodiff();
        Tensor::<1>::from_data(burn::tensor::TensorData::from(part.values.as_slice()), &device)
            .reshape([part.shape[0], part.shape[1]])
    }
}
