//! Symmetric positive definite matrices: Cholesky's factor, solutions and inverses, in f64.

use multiversion::multiversion;

/// Partial sums of a dot product; fixed, so that every machine adds up in the same order.
const N_LANES: usize = 16;
/// Rows that are worked on together while another row is in the cache.
const BLOCK: usize = 16;

/// A square matrix, row-major.
#[derive(Clone, Debug)]
pub(super) struct Square {
    n: usize,
    values: Vec<f64>,
}

impl Square {
    pub(super) fn zeros(n: usize) -> Self {
        Self { n, values: vec![0.0; n * n] }
    }

    /// The symmetric matrix whose lower half, the diagonal included, `entry` gives.
    #[cfg(test)]
    pub(super) fn symmetric(n: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let mut square = Self::zeros(n);
        for i in 0..n {
            for j in 0..=i {
                let value = entry(i, j);
                square.values[i * n + j] = value;
                square.values[j * n + i] = value;
            }
        }
        square
    }

    /// The number of rows.
    pub(super) fn n(&self) -> usize {
        self.n
    }

    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..(i + 1) * self.n]
    }

    pub(super) fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.n..(i + 1) * self.n]
    }

    pub(super) fn diagonal(&self) -> impl Iterator<Item = f64> {
        (0..self.n).map(|i| self.values[i * self.n + i])
    }

    /// The product with a vector.
    pub(super) fn times(&self, vector: &[f64]) -> Vec<f64> {
        self.values.chunks_exact(self.n).map(|row| dot(row, vector)).collect()
    }
}

/// Cholesky's lower factor `L` of a matrix `L Lᵀ`. What lies above the diagonal is not read.
#[derive(Clone, Debug)]
pub(super) struct Factor(Square);

impl Factor {
    /// The factor of a symmetric matrix; none if rounding leaves it not positive definite. Only the lower half is read.
    pub(super) fn of(mut matrix: Square) -> Option<Self> {
        let n = matrix.n;
        factorise(&mut matrix.values, n).then_some(Self(matrix))
    }

    /// The logarithm of the matrix's determinant.
    pub(super) fn log_determinant(&self) -> f64 {
        2.0 * self.0.diagonal().map(f64::ln).sum::<f64>()
    }

    /// `L⁻¹ right` of each of several right-hand sides, one after the other in `right`.
    pub(super) fn whiten(&self, right: &mut [f64]) {
        forward(&self.0.values, self.0.n, right);
    }

    /// The solution of the system with this matrix.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        self.whiten(&mut solution);
        for i in (0..self.0.n).rev() {
            let row = self.0.row(i);
            let value = solution[i] / row[i];
            solution[..i].iter_mut().zip(row).for_each(|(rest, l)| *rest -= value * l);
            solution[i] = value;
        }
        solution
    }

    /// The inverse of the matrix.
    pub(super) fn inverse(&self) -> Square {
        let columns = inverse_columns(&self.0.values, self.0.n);
        Square { n: self.0.n, values: products(&columns, self.0.n) }
    }

    /// The diagonal of the inverse of the matrix.
    pub(super) fn inverse_diagonal(&self) -> Vec<f64> {
        inverse_columns(&self.0.values, self.0.n).chunks_exact(self.0.n).map(|c| dot(c, c)).collect()
    }
}

#[inline(always)]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; N_LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<N_LANES>(), b.as_chunks::<N_LANES>());
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Writes the lower factor over the lower half; whether every pivot was above 0.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn factorise(values: &mut [f64], n: usize) -> bool {
    for start in (0..n).step_by(BLOCK) {
        let end = (start + BLOCK).min(n);
        let (done, rest) = values.split_at_mut(start * n);
        let block = &mut rest[..(end - start) * n];
        for (j, pivot) in done.chunks_exact(n).enumerate() {
            for row in block.chunks_exact_mut(n) {
                row[j] = (row[j] - dot(&row[..j], &pivot[..j])) / pivot[j];
            }
        }
        for i in start..end {
            let (above, here) = block.split_at_mut((i - start) * n);
            let row = &mut here[..n];
            for (j, pivot) in (start..i).zip(above.chunks_exact(n)) {
                row[j] = (row[j] - dot(&row[..j], &pivot[..j])) / pivot[j];
            }
            let left = row[i] - dot(&row[..i], &row[..i]);
            if left.is_nan() || left <= 0.0 {
                return false;
            }
            row[i] = left.sqrt();
        }
    }
    true
}

/// Solves `lower x = right` in place, for right-hand sides one after the other.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn forward(lower: &[f64], n: usize, right: &mut [f64]) {
    for block in right.chunks_mut(BLOCK * n) {
        for (i, row) in lower.chunks_exact(n).enumerate() {
            for x in block.chunks_exact_mut(n) {
                x[i] = (x[i] - dot(&row[..i], &x[..i])) / row[i];
            }
        }
    }
}

/// The columns of the lower factor's inverse, one after the other.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn inverse_columns(lower: &[f64], n: usize) -> Vec<f64> {
    let mut columns = vec![0.0; n * n];
    for (block, start) in columns.chunks_mut(BLOCK * n).zip((0..n).step_by(BLOCK)) {
        for (i, row) in lower.chunks_exact(n).enumerate().skip(start) {
            for (x, place) in block.chunks_exact_mut(n).zip(start..=i) {
                let unit = if place == i { 1.0 } else { 0.0 };
                x[i] = (unit - dot(&row[place..i], &x[place..i])) / row[i];
            }
        }
    }
    columns
}

/// All products of two rows; row `i` is 0 before its entry `i`.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn products(rows: &[f64], n: usize) -> Vec<f64> {
    let mut values = vec![0.0; n * n];
    for start in (0..n).step_by(BLOCK) {
        let end = (start + BLOCK).min(n);
        for (j, right) in rows.chunks_exact(n).enumerate().take(end) {
            for i in start.max(j)..end {
                let product = dot(&rows[i * n + i..(i + 1) * n], &right[i..]);
                values[i * n + j] = product;
                values[j * n + i] = product;
            }
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `exp(-|i - j| / 5)` with a ridge: positive definite, of a size that is no multiple of the block.
    fn matrix(n: usize) -> Square {
        Square::symmetric(n, |i, j| (-(i.abs_diff(j) as f64) / 5.0).exp() + if i == j { 0.1 } else { 0.0 })
    }

    #[test]
    fn factor_and_inverse_undo_the_matrix() {
        for n in [1, 5, 16, 53] {
            let k = matrix(n);
            let factor = Factor::of(k.clone()).unwrap();
            let inverse = factor.inverse();
            for i in 0..n {
                let unit = k.times(inverse.row(i));
                for (j, value) in unit.iter().enumerate() {
                    let wanted = if i == j { 1.0 } else { 0.0 };
                    assert!((value - wanted).abs() < 1e-12, "{n}: {i}, {j}: {value}");
                }
                assert!((factor.inverse_diagonal()[i] - inverse.row(i)[i]).abs() < 1e-12);
            }
            let right: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
            let again = k.times(&factor.solve(&right));
            assert!(again.iter().zip(&right).all(|(a, b)| (a - b).abs() < 1e-12));
        }
        // The determinant of [[4, 2], [2, 3]] is 8.
        let two = Square { n: 2, values: vec![4.0, 2.0, 2.0, 3.0] };
        assert!((Factor::of(two).unwrap().log_determinant() - 8f64.ln()).abs() < 1e-14);
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_has_no_factor() {
        assert!(Factor::of(Square { n: 2, values: vec![1.0, 2.0, 2.0, 1.0] }).is_none());
        assert!(Factor::of(Square { n: 1, values: vec![f64::NAN] }).is_none());
    }
}
