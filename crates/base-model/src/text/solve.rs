//! Inverses of symmetric positive definite matrices, small ones.

/// The inverse of a symmetric positive definite matrix of `n` rows, row-major.
///
/// # Panics
/// If the matrix is not positive definite.
pub(super) fn inverse(matrix: &[f64], n: usize) -> Vec<f64> {
    // The lower factor of Cholesky, whose inverse is lower triangular, too.
    let mut lower = vec![0.0; n * n];
    for row in 0..n {
        for column in 0..=row {
            let (a, b) = (&lower[row * n..row * n + column], &lower[column * n..column * n + column]);
            let rest = matrix[row * n + column] - dot(a, b);
            lower[row * n + column] = if row == column {
                assert!(rest > 0.0, "the matrix is positive definite");
                rest.sqrt()
            } else {
                rest / lower[column * n + column]
            };
        }
    }
    // Row by row transposed, so that both sums below run along memory: `upper[column]` is a column of the inverse factor.
    let mut upper = vec![0.0; n * n];
    for column in 0..n {
        for row in column..n {
            let unit = f64::from(u8::from(row == column));
            let sum =
                dot(&lower[row * n + column..row * n + row], &upper[column * n + column..column * n + row]);
            upper[column * n + row] = (unit - sum) / lower[row * n + row];
        }
    }
    let mut inverse = vec![0.0; n * n];
    for row in 0..n {
        for column in 0..=row {
            let entry = dot(&upper[row * n + row..(row + 1) * n], &upper[column * n + row..(column + 1) * n]);
            inverse[row * n + column] = entry;
            inverse[column * n + row] = entry;
        }
    }
    inverse
}

/// The sum of products, in four parts that the processor adds side by side.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (x, y) in a4.iter().zip(b4) {
        for part in 0..4 {
            sums[part] += x[part] * y[part];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        for n in [1, 2, 5, 23] {
            // A product of a matrix with itself, and something on the diagonal.
            let factor: Vec<f64> = (0..n * n).map(|at| ((at * 7919 % 101) as f64 / 50.0) - 1.0).collect();
            let row = |at: usize| &factor[at * n..(at + 1) * n];
            let matrix: Vec<f64> = (0..n * n)
                .map(|at| dot(row(at / n), row(at % n)) + if at / n == at % n { 0.5 } else { 0.0 })
                .collect();
            let inverse = inverse(&matrix, n);
            for at in 0..n * n {
                let entry: f64 = (0..n).map(|k| matrix[at / n * n + k] * inverse[k * n + at % n]).sum();
                let expected = if at / n == at % n { 1.0 } else { 0.0 };
                assert!((entry - expected).abs() < 1e-9, "{n}: {entry} at {at}");
            }
        }
    }
}
