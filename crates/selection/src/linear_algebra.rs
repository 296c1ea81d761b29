//! Dense matrices, row-major, in f64: what the closed forms of this crate need and no more.

use multiversion::multiversion;

/// Partial sums of a dot product; fixed, so that every machine adds up in the same order.
const N_LANES: usize = 16;
/// A pivot below this share of its diagonal is taken for that: a matrix that rounding made singular has a finite factor.
const PIVOT_FLOOR: f64 = 1e-12;

/// A matrix, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    n_rows: usize,
    n_columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// A matrix of zeros.
    pub fn zeros(n_rows: usize, n_columns: usize) -> Self {
        Self { n_rows, n_columns, values: vec![0.0; n_rows * n_columns] }
    }

    /// A matrix of its values, row by row.
    ///
    /// # Panics
    /// If there are not `n_rows * n_columns`.
    pub fn new(n_rows: usize, n_columns: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), n_rows * n_columns, "one value for each row and column");
        Self { n_rows, n_columns, values }
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of columns.
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.n_columns..(row + 1) * self.n_columns]
    }

    /// One row, to be written.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.n_columns..(row + 1) * self.n_columns]
    }

    /// Every value, to be written.
    pub(crate) fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// All rows in turn.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        (0..self.n_rows).map(|row| self.row(row))
    }

    /// The rows at `rows`, in that order.
    ///
    /// # Panics
    /// If a position is not a row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self { n_rows: rows.len(), n_columns: self.n_columns, values }
    }

    /// Rows and columns exchanged.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut turned = Self::zeros(self.n_columns, self.n_rows);
        for (row, values) in self.rows().enumerate() {
            for (column, value) in values.iter().enumerate() {
                turned.values[column * self.n_rows + row] = *value;
            }
        }
        turned
    }
}

/// The dot product of two slices of one length.
#[inline(always)]
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; N_LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<N_LANES>(), b.as_chunks::<N_LANES>());
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// `Φᵀ W Φ`, its lower half, from `Φᵀ` (`[p, n]`) and the weights of the `n` rows.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn gram(turned: &Matrix, weights: &[f64]) -> Matrix {
    let p = turned.n_rows;
    let mut gram = Matrix::zeros(p, p);
    let mut weighted = vec![0.0; weights.len()];
    for i in 0..p {
        for ((weighted, value), weight) in weighted.iter_mut().zip(turned.row(i)).zip(weights) {
            *weighted = value * weight;
        }
        for j in 0..=i {
            gram.values[i * p + j] = dot(&weighted, turned.row(j));
        }
    }
    gram
}

/// Cholesky's lower factor over the lower half of a square matrix.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn factorise(matrix: &mut Matrix) {
    let p = matrix.n_rows;
    for i in 0..p {
        let (before, from_i) = matrix.values.split_at_mut(i * p);
        for j in 0..i {
            let rest = from_i[j] - dot(&from_i[..j], &before[j * p..j * p + j]);
            from_i[j] = rest / before[j * p + j];
        }
        let rest = from_i[i] - dot(&from_i[..i], &from_i[..i]);
        from_i[i] = rest.max(PIVOT_FLOOR * from_i[i].abs().max(f64::MIN_POSITIVE)).sqrt();
    }
}

/// `L⁻¹ R` in place, for the factor `L` (`[p, p]`) and right-hand sides `R` (`[p, n]`).
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn whiten(factor: &Matrix, sides: &mut Matrix) {
    let n = sides.n_columns;
    for i in 0..factor.n_rows {
        let (before, from_i) = sides.values.split_at_mut(i * n);
        let own = &mut from_i[..n];
        for (j, other) in before.chunks_exact(n.max(1)).enumerate() {
            let share = factor.values[i * factor.n_columns + j];
            own.iter_mut().zip(other).for_each(|(own, other)| *own -= share * other);
        }
        let pivot = factor.values[i * factor.n_columns + i];
        own.iter_mut().for_each(|own| *own /= pivot);
    }
}

/// Squared distances of every row of `a` to every row of `b`, `[a.n_rows, b.n_rows]`.
///
/// # Panics
/// If they have not as many columns.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn squared_distances(a: &Matrix, b: &Matrix) -> Matrix {
    assert_eq!(a.n_columns, b.n_columns, "distances are between rows of one width");
    let square = |matrix: &Matrix| matrix.rows().map(|row| dot(row, row)).collect::<Vec<f64>>();
    let (a_squares, b_squares) = (square(a), square(b));
    let mut distances = Matrix::zeros(a.n_rows, b.n_rows);
    for (i, a_square) in a_squares.iter().enumerate() {
        for (j, b_square) in b_squares.iter().enumerate() {
            let distance = a_square + b_square - 2.0 * dot(a.row(i), b.row(j));
            // Copies of a row are at a distance of 0, whatever rounding says.
            let is_rounding = distance < 1e-12 * (a_square + b_square);
            distances.values[i * b.n_rows + j] = if is_rounding { 0.0 } else { distance };
        }
    }
    distances
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitened_columns_invert_the_matrix() {
        // A⁻¹ = (L⁻¹)ᵀ L⁻¹, so that A times the product of whitened unit columns is the identity.
        let phi = Matrix::new(4, 3, vec![1.0, 2.0, 0.5, -1.0, 0.3, 2.0, 0.7, -0.2, 1.1, 0.4, 0.9, -1.5]);
        let mut a = gram(&phi.transposed(), &[1.0, 0.5, 2.0, 1.0]);
        (0..3).for_each(|i| a.row_mut(i)[i] += 0.1);
        let mut factor = a.clone();
        factorise(&mut factor);
        let mut unit = Matrix::zeros(3, 3);
        (0..3).for_each(|i| unit.row_mut(i)[i] = 1.0);
        whiten(&factor, &mut unit);
        let columns = unit.transposed();
        for i in 0..3 {
            for k in 0..3 {
                let product: f64 =
                    (0..3).map(|j| a.row(i.max(j))[i.min(j)] * dot(columns.row(j), columns.row(k))).sum();
                assert!((product - f64::from(u8::from(i == k))).abs() < 1e-12, "{i} {k}: {product}");
            }
        }
    }

    #[test]
    fn distances_are_those_of_a_loop() {
        let a = Matrix::new(2, 2, vec![0.0, 1.0, 3.0, -2.0]);
        let found = squared_distances(&a, &a);
        assert_eq!(found, Matrix::new(2, 2, vec![0.0, 18.0, 18.0, 0.0]));
    }
}
