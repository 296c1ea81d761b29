//! Multi-head attention with a mask over keys.

use crate::cpu::{self, dot};
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

/// As many numbers as one wide register holds.
type Lanes = [f32; 16];
const ZERO: Lanes = [0.0; 16];

/// `sums += factor * x`.
///
/// Works on copies: through references the compiler cannot rule out that they overlap, and stays scalar.
#[inline(always)]
fn add_scaled(factor: f32, x: &Lanes, sums: &mut Lanes) {
    let (x, mut changed) = (*x, *sums);
    for lane in 0..16 {
        changed[lane] += factor * x[lane];
    }
    *sums = changed;
}

/// One head of `n` rows, row by row, padded with zeros to whole lanes.
struct HeadRows {
    /// Lanes of a row.
    width: usize,
    /// `[n, width]`.
    lanes: Vec<Lanes>,
}

impl HeadRows {
    fn new(n: usize, d_head: usize) -> Self {
        let width = d_head.div_ceil(16);
        Self { width, lanes: vec![ZERO; n * width] }
    }

    #[inline(always)]
    fn load(&mut self, x: &[f32], d_model: usize, offset: usize, d_head: usize) {
        for (lanes, values) in self.lanes.chunks_exact_mut(self.width).zip(x.chunks_exact(d_model)) {
            let values = &values[offset..offset + d_head];
            match values.try_into() {
                Ok(whole) => lanes[0] = whole,
                Err(_) => lanes.as_flattened_mut()[..d_head].copy_from_slice(values),
            }
        }
    }

    #[inline(always)]
    fn row(&self, row: usize) -> &[Lanes] {
        &self.lanes[row * self.width..(row + 1) * self.width]
    }

    /// `Σ_j weights[j] rows[j]`, into the beginning of `out`. Four sums side by side, since each addition waits for
    /// the one before it.
    #[inline(always)]
    fn weighted_sum(&self, weights: &[f32], out: &mut [f32]) {
        for (lane, out) in out.chunks_mut(16).enumerate() {
            let mut sums = [ZERO; 4];
            let blocks = weights.chunks_exact(4).zip(self.lanes.chunks_exact(4 * self.width));
            for (weights, rows) in blocks {
                for part in 0..4 {
                    add_scaled(weights[part], &rows[part * self.width + lane], &mut sums[part]);
                }
            }
            let whole = weights.len() / 4 * 4;
            for (row, &weight) in weights.iter().enumerate().skip(whole) {
                add_scaled(weight, &self.row(row)[lane], &mut sums[0]);
            }
            let [mut total, second, third, fourth] = sums;
            add_scaled(1.0, &second, &mut total);
            add_scaled(1.0, &third, &mut total);
            add_scaled(1.0, &fourth, &mut total);
            out.copy_from_slice(&total[..out.len()]);
        }
    }
}

/// One head of `n` rows, transposed: 16 rows to a lane.
struct HeadColumns {
    /// `[n / 16, d_head]`.
    lanes: Vec<Lanes>,
}

impl HeadColumns {
    fn new(n: usize, d_head: usize) -> Self {
        Self { lanes: vec![ZERO; n.div_ceil(16) * d_head] }
    }

    #[inline(always)]
    fn load(&mut self, x: &[f32], d_model: usize, offset: usize, d_head: usize) {
        for (block, rows) in self.lanes.chunks_exact_mut(d_head).zip(x.chunks(16 * d_model)) {
            for (lane, values) in rows.chunks_exact(d_model).enumerate() {
                for (column, &value) in block.iter_mut().zip(&values[offset..offset + d_head]) {
                    column[lane] = value;
                }
            }
        }
    }

    /// `products[j] += factor Σ_d x[d] rows[j][d]`, 16 rows at a time.
    #[inline(always)]
    fn add_products(&self, x: &[f32], factor: f32, products: &mut [Lanes]) {
        for (block, products) in self.lanes.chunks_exact(x.len()).zip(products) {
            let mut sums = ZERO;
            for (&x, column) in x.iter().zip(block) {
                add_scaled(x, column, &mut sums);
            }
            add_scaled(factor, &sums, products);
        }
    }
}

/// Softmax over all lanes.
#[inline(always)]
fn softmax(scores: &mut [Lanes]) {
    let mut highest = [f32::NEG_INFINITY; 16];
    for scores in scores.iter() {
        let scores = *scores;
        for lane in 0..16 {
            highest[lane] = if scores[lane] > highest[lane] { scores[lane] } else { highest[lane] };
        }
    }
    let highest = highest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = ZERO;
    for scores in scores.iter_mut() {
        let mut weights = *scores;
        for weight in &mut weights {
            *weight = cpu::exp(*weight - highest);
        }
        add_scaled(1.0, &weights, &mut total);
        *scores = weights;
    }
    let factor = 1.0 / total.iter().sum::<f32>();
    for scores in scores.iter_mut() {
        let mut weights = *scores;
        for weight in &mut weights {
            *weight *= factor;
        }
        *scores = weights;
    }
}

/// What masked and padded keys get added to their scores.
#[inline(always)]
fn load_bias(mask: &[f32], bias: &mut [Lanes]) {
    bias.fill([MASKED; 16]);
    for (key, mask) in mask.iter().enumerate() {
        bias[key / 16][key % 16] = (mask - 1.0) * -MASKED;
    }
}

pub(crate) fn forward(parents: [FlexTensor; 4], n_heads: usize) -> FlexTensor {
    let [query, key, value, mask] = parents.map(cpu::contiguous);
    let sizes = sizes(&query, &key, n_heads);
    let mut output = vec![0.0; sizes.n_tasks * sizes.n_queries * sizes.d_model];
    attend(
        cpu::values(&query),
        cpu::values(&key),
        cpu::values(&value),
        cpu::values(&mask),
        sizes,
        &mut output,
    );
    cpu::tensor(output, [sizes.n_tasks, sizes.n_queries, sizes.d_model])
}

#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn attend(query: &[f32], key: &[f32], value: &[f32], mask: &[f32], sizes: Sizes, output: &mut [f32]) {
    let Sizes { n_tasks, n_queries, n_keys, d_model, n_heads } = sizes;
    let d_head = d_model / n_heads;
    let factor = 1.0 / (d_head as f32).sqrt();
    let (mut keys, mut values) = (HeadColumns::new(n_keys, d_head), HeadRows::new(n_keys, d_head));
    let mut bias = vec![ZERO; n_keys.div_ceil(16)];
    let mut scores = bias.clone();
    for task in 0..n_tasks {
        let span = task * n_keys * d_model..(task + 1) * n_keys * d_model;
        load_bias(&mask[task * n_keys..(task + 1) * n_keys], &mut bias);
        for head in 0..n_heads {
            let offset = head * d_head;
            keys.load(&key[span.clone()], d_model, offset, d_head);
            values.load(&value[span.clone()], d_model, offset, d_head);
            for row in 0..n_queries {
                let at = (task * n_queries + row) * d_model + offset;
                scores.copy_from_slice(&bias);
                keys.add_products(&query[at..at + d_head], factor, &mut scores);
                softmax(&mut scores);
                values.weighted_sum(&scores.as_flattened()[..n_keys], &mut output[at..at + d_head]);
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
    let (mut keys, mut values) = (HeadColumns::new(n_keys, d_head), HeadColumns::new(n_keys, d_head));
    let mut key_rows = HeadRows::new(n_keys, d_head);
    let (mut queries, mut grads) = (HeadRows::new(n_queries, d_head), HeadRows::new(n_queries, d_head));
    let width = key_rows.width;
    let mut bias = vec![ZERO; n_keys.div_ceil(16)];
    let (mut scores, mut slopes) = (bias.clone(), bias.clone());
    let (mut key_sums, mut value_sums) = (vec![ZERO; n_keys * width], vec![ZERO; n_keys * width]);
    for task in 0..n_tasks {
        let span = task * n_keys * d_model..(task + 1) * n_keys * d_model;
        let query_span = task * n_queries * d_model..(task + 1) * n_queries * d_model;
        load_bias(&mask[task * n_keys..(task + 1) * n_keys], &mut bias);
        for head in 0..n_heads {
            let offset = head * d_head;
            keys.load(&key[span.clone()], d_model, offset, d_head);
            key_rows.load(&key[span.clone()], d_model, offset, d_head);
            values.load(&value[span.clone()], d_model, offset, d_head);
            queries.load(&query[query_span.clone()], d_model, offset, d_head);
            grads.load(&grad[query_span.clone()], d_model, offset, d_head);
            key_sums.fill(ZERO);
            value_sums.fill(ZERO);
            for row in 0..n_queries {
                let at = (task * n_queries + row) * d_model + offset;
                scores.copy_from_slice(&bias);
                keys.add_products(&query[at..at + d_head], factor, &mut scores);
                softmax(&mut scores);
                slopes.fill(ZERO);
                values.add_products(&grad[at..at + d_head], 1.0, &mut slopes);
                let mean = dot(scores.as_flattened(), slopes.as_flattened());
                for (slopes, scores) in slopes.iter_mut().zip(&scores) {
                    let (mut changed, scores) = (*slopes, *scores);
                    for lane in 0..16 {
                        changed[lane] = scores[lane] * (changed[lane] - mean) * factor;
                    }
                    *slopes = changed;
                }
                key_rows.weighted_sum(&slopes.as_flattened()[..n_keys], &mut query_grad[at..at + d_head]);
                for key in 0..n_keys {
                    let (score, slope) = (scores[key / 16][key % 16], slopes[key / 16][key % 16]);
                    for lane in 0..width {
                        add_scaled(slope, &queries.row(row)[lane], &mut key_sums[key * width + lane]);
                        add_scaled(score, &grads.row(row)[lane], &mut value_sums[key * width + lane]);
                    }
                }
            }
            for key in 0..n_keys {
                let at = (task * n_keys + key) * d_model + offset;
                let lanes = key * width..(key + 1) * width;
                key_grad[at..at + d_head].copy_from_slice(&key_sums[lanes.clone()].as_flattened()[..d_head]);
                value_grad[at..at + d_head].copy_from_slice(&value_sums[lanes].as_flattened()[..d_head]);
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
        for (n_queries, n_keys, d_model, n_heads) in
            [(5, 7, 16, 4), (1, 1, 8, 2), (20, 33, 32, 2), (3, 20, 48, 2)]
        {
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
