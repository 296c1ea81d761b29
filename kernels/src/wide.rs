//! Sums and Cholesky factors in double precision on the host.

use multiversion::multiversion;

/// Lanes that a sum is spread over.
const LANES: usize = 8;
/// The smallest pivot that is divided by, relative to the diagonal.
const PIVOT_FLOOR: f64 = 1e-13;

/// The sum of products of two rows.
#[inline(always)]
pub(crate) fn dot_wide(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    lanes.iter().sum::<f64>() + tail
}

/// Replaces the lower half of a matrix by its Cholesky factor; tells how many pivots were raised.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
pub(crate) fn factorise(matrix: &mut [f64], p: usize) -> usize {
    let mut n_raised = 0;
    for i in 0..p {
        let (before, from_i) = matrix.split_at_mut(i * p);
        for j in 0..i {
            let product = dot_wide(&from_i[..j], &before[j * p..j * p + j]);
            from_i[j] = (from_i[j] - product) / before[j * p + j];
        }
        let diagonal = from_i[i];
        let rest = diagonal - dot_wide(&from_i[..i], &from_i[..i]);
        let floor = PIVOT_FLOOR * diagonal.abs().max(f64::MIN_POSITIVE);
        // Not `rest < floor`: a NaN is raised too.
        let holds = rest >= floor;
        n_raised += usize::from(!holds);
        from_i[i] = if holds { rest } else { floor }.sqrt();
    }
    n_raised
}
