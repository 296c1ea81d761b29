//! Small vector routines that the CPU kernels share, and the way from tensors to slices and back.

use burn::tensor::{DType, Shape};
use burn_flex::FlexTensor;

/// Lanes that a reduction is spread over, so that the compiler may use the widest registers.
const LANES: usize = 16;

/// The sum of all lanes, by halves: sixteen additions in a row would each wait for the one before.
#[inline(always)]
fn total(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The dot product of two slices of one length. Inside a function that is compiled for wide registers it uses them.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    total(lanes) + tail
}

/// The sum of a slice.
#[inline(always)]
pub(crate) fn sum(x: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = x.chunks_exact(LANES);
    let tail: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane];
        }
    }
    total(lanes) + tail
}

/// `Σ (x - centre)²`.
#[inline(always)]
pub(crate) fn square_distance(x: &[f32], centre: f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let chunks = x.chunks_exact(LANES);
    let tail: f32 = chunks.remainder().iter().map(|x| (x - centre) * (x - centre)).sum();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += (chunk[lane] - centre) * (chunk[lane] - centre);
        }
    }
    total(lanes) + tail
}

/// `y += factor * x`.
#[inline(always)]
pub(crate) fn axpy(factor: f32, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// The exponential function, to a relative error of 2e-7, without a branch.
///
/// Source: the usual split x = n ln 2 + r with a polynomial in r (Cephes `expf`).
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4f32;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_6e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(exponent)
}

/// Turns a row of scores into probabilities, in place.
#[inline(always)]
pub(crate) fn softmax(row: &mut [f32]) {
    let mut highest = f32::NEG_INFINITY;
    for &score in row.iter() {
        highest = if score > highest { score } else { highest };
    }
    for score in row.iter_mut() {
        *score = exp(*score - highest);
    }
    let mut total = 0.0;
    for &weight in row.iter() {
        total += weight;
    }
    let factor = 1.0 / total;
    for weight in row.iter_mut() {
        *weight *= factor;
    }
}

/// A contiguous tensor whose values start at the beginning of its storage.
pub(crate) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }
}

/// The values of a contiguous f32 tensor.
pub(crate) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().expect("the caller made it contiguous")
}

/// A tensor of the given shape that owns `values`.
pub(crate) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    debug_assert_eq!(values.len(), shape.iter().product::<usize>());
    FlexTensor::new(
        burn::tensor::Bytes::from_elems(values),
        burn_flex::Layout::contiguous(Shape::from(shape)),
        DType::F32,
    )
}

/// The sizes of a tensor of `D` dimensions.
pub(crate) fn sizes<const D: usize>(tensor: &FlexTensor) -> [usize; D] {
    let mut sizes = [0; D];
    for (size, &given) in sizes.iter_mut().zip(tensor.layout().shape().iter()) {
        *size = given;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_the_standard_library() {
        for step in -8700..8800 {
            let x = step as f32 * 0.01;
            let (ours, theirs) = (exp(x) as f64, (x as f64).exp());
            assert!((ours / theirs - 1.0).abs() < 4e-7, "exp({x}) = {ours}, not {theirs}");
        }
    }

    #[test]
    fn dot_sums_every_element() {
        for n in [0, 1, 15, 16, 17, 100] {
            let a: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let expected: f32 = a.iter().map(|x| x * x).sum();
            assert_eq!(dot(&a, &a), expected);
        }
    }
}
