//! The inverse Cholesky factor of one positive definite matrix, in double precision on the host.

use crate::wide::factorise;
use multiversion::multiversion;

/// The inverse of the lower Cholesky factor of `a`: `k` with `kᵀ k = a⁻¹`, zero above its diagonal.
///
/// Only the lower triangle of `a` is read. A matrix that rounding has made singular is treated as if its diagonal were a
/// little larger.
///
/// # Shapes
/// - `a`, result: `[p, p]`, row-major; `a` symmetric positive definite
///
/// # Panics
/// If `a` does not have `p * p` numbers.
///
/// Source: Golub and Van Loan, Matrix Computations, section 4.2.
pub fn inverse_cholesky_factor(a: &[f64], p: usize) -> Vec<f64> {
    assert_eq!(a.len(), p * p, "a square matrix has p * p numbers");
    let mut factor = a.to_vec();
    factorise(&mut factor, p);
    let mut inverse = vec![0.0; p * p];
    invert(&factor, p, &mut inverse);
    inverse
}

/// Writes the inverse of a lower triangular factor, row by row.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn invert(factor: &[f64], p: usize, inverse: &mut [f64]) {
    for i in 0..p {
        let row = &factor[i * p..i * p + p];
        let (done, rows) = inverse.split_at_mut(i * p);
        let target = &mut rows[..p];
        for (j, &factor) in row[..i].iter().enumerate() {
            let source = &done[j * p..j * p + j + 1];
            target.iter_mut().zip(source).for_each(|(value, source)| *value -= factor * source);
        }
        let pivot = 1.0 / row[i];
        target[i] = 1.0;
        target[..=i].iter_mut().for_each(|value| *value *= pivot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Numbers;

    #[test]
    fn the_factor_makes_the_identity_of_the_matrix() {
        for p in [1, 2, 7, 16, 45] {
            let g = Numbers::new(p as u64).normal(&[p, 2 * p]).values;
            let entry = |i: usize, j: usize| -> f64 {
                let of = |row: usize| g[row * 2 * p..][..2 * p].iter().map(|value| f64::from(*value));
                of(i).zip(of(j)).map(|(x, y)| x * y).sum::<f64>() + f64::from(u8::from(i == j))
            };
            let a: Vec<f64> = (0..p * p).map(|at| entry(at / p, at % p)).collect();
            let k = inverse_cholesky_factor(&a, p);
            // k a kᵀ is the identity.
            for i in 0..p {
                for j in 0..p {
                    let mut sum = 0.0;
                    for (s, left) in k[i * p..(i + 1) * p].iter().enumerate() {
                        for (t, right) in k[j * p..(j + 1) * p].iter().enumerate() {
                            sum += left * a[s * p + t] * right;
                        }
                    }
                    assert!((sum - f64::from(u8::from(i == j))).abs() < 1e-11, "p {p}, {i} {j}: {sum}");
                }
            }
        }
    }

    #[test]
    fn a_singular_matrix_stays_finite() {
        let k = inverse_cholesky_factor(&[1.0; 9], 3);
        assert!(k.iter().all(|value| value.is_finite()), "{k:?}");
    }
}
