//! Dense matrices, row-major, in f64: what the closed forms of this crate need and no more.

use multiversion::multiversion;
use weightsmith_kernels::dot_f64;

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

    /// Every value, row by row.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
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

/// Squared distances of every row of `a` to every row of `b`, `[a.n_rows, b.n_rows]`.
///
/// # Panics
/// If they have not as many columns.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
pub(crate) fn squared_distances(a: &Matrix, b: &Matrix) -> Matrix {
    assert_eq!(a.n_columns, b.n_columns, "distances are between rows of one width");
    let square = |matrix: &Matrix| matrix.rows().map(|row| dot_f64(row, row)).collect::<Vec<f64>>();
    let (a_squares, b_squares) = (square(a), square(b));
    let mut distances = Matrix::zeros(a.n_rows, b.n_rows);
    for (i, a_square) in a_squares.iter().enumerate() {
        for (j, b_square) in b_squares.iter().enumerate() {
            let distance = a_square + b_square - 2.0 * dot_f64(a.row(i), b.row(j));
            // Copies of a row are at a distance of 0, whatever rounding says.
            let is_rounding = distance < 1e-12 * (a_square + b_square);
            distances.values[i * b.n_rows + j] = if is_rounding { 0.0 } else { distance };
        }
    }
    distances
}

/// The product of two matrices, `[n, p]` and `[p, k]`; `k` is small.
///
/// # Panics
/// If the first has not as many columns as the second has rows.
pub(crate) fn product(left: &Matrix, right: &Matrix) -> Matrix {
    assert_eq!(left.n_columns, right.n_rows, "a product is over one width");
    let mut product = Matrix::zeros(left.n_rows, right.n_columns);
    dots(left, &right.transposed(), &mut product);
    product
}

/// The product of the first, its rows and columns exchanged, with the second: `[n, p]` and `[n, k]` give `[p, k]`; `k` is small.
///
/// # Panics
/// If they have not as many rows.
pub(crate) fn transposed_product(left: &Matrix, right: &Matrix) -> Matrix {
    assert_eq!(left.n_rows, right.n_rows, "a product is over the same rows");
    let mut sums = Matrix::zeros(right.n_columns, left.n_columns);
    add_rows(left, right, &mut sums);
    sums.transposed()
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn dots(left: &Matrix, right: &Matrix, into: &mut Matrix) {
    for (row, values) in left.rows().enumerate() {
        for (value, other) in into.row_mut(row).iter_mut().zip(right.rows()) {
            *value = dot_f64(values, other);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn add_rows(left: &Matrix, right: &Matrix, sums: &mut Matrix) {
    for (values, shares) in left.rows().zip(right.rows()) {
        for (at, share) in shares.iter().enumerate().filter(|(_, share)| **share != 0.0) {
            sums.row_mut(at).iter_mut().zip(values).for_each(|(sum, value)| *sum += share * value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random_matrix;

    #[test]
    fn distances_are_those_of_a_loop() {
        let a = Matrix::new(2, 2, vec![0.0, 1.0, 3.0, -2.0]);
        let found = squared_distances(&a, &a);
        assert_eq!(found, Matrix::new(2, 2, vec![0.0, 18.0, 18.0, 0.0]));
    }

    #[test]
    fn products_are_those_of_loops() {
        let (a, b) = (random_matrix(7, 21, 1), random_matrix(21, 3, 2));
        let found = product(&a, &b);
        for row in 0..7 {
            for column in 0..3 {
                let naive: f64 = (0..21).map(|at| a.row(row)[at] * b.row(at)[column]).sum();
                assert!((found.row(row)[column] - naive).abs() < 1e-12);
            }
        }
        let turned = transposed_product(&b, &a.transposed());
        for (found, expected) in turned.transposed().values().iter().zip(found.values()) {
            assert!((found - expected).abs() < 1e-12);
        }
    }
}
