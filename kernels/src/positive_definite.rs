//! Symmetric positive definite matrices in double precision on the host: Cholesky's factor, solutions and inverses.
//!
//! The work is done in tiles of a few rows and columns whose sums stay in registers. Sums are added up in one order,
//! whatever the machine.

mod many_sides;

use multiversion::multiversion;
use std::ops::Range;

/// Rows and columns of a tile.
const TILE_ROWS: usize = 4;
const TILE_COLUMNS: usize = 16;
/// The smallest pivot that is divided by where pivots are raised, relative to the diagonal.
const PIVOT_FLOOR: f64 = 1e-13;
/// Right-hand sides that are solved while a row of the factor is in the cache.
const SIDES_TOGETHER: usize = 16;

/// A square matrix, row-major.
#[derive(Clone, Debug)]
pub struct Square {
    n: usize,
    /// Numbers from one row to the next: `n` and zeros up to whole tiles.
    stride: usize,
    values: Vec<f64>,
}

impl Square {
    /// A matrix of zeros with `n` rows and columns.
    pub fn zeros(n: usize) -> Self {
        let stride = n.next_multiple_of(TILE_COLUMNS);
        Self { n, stride, values: vec![0.0; stride * stride] }
    }

    /// The matrix of its values, row by row.
    ///
    /// # Panics
    /// If there are not `n * n` values.
    pub fn new(n: usize, values: &[f64]) -> Self {
        assert_eq!(values.len(), n * n, "a square matrix has n * n numbers");
        let mut square = Self::zeros(n);
        (0..n).for_each(|i| square.row_mut(i).copy_from_slice(&values[i * n..(i + 1) * n]));
        square
    }

    /// `Φᵀ W Φ` of rows `Φ` of `width` numbers, one after the other in `rows`, and a weight for each.
    ///
    /// # Panics
    /// If there are not as many rows as weights.
    pub fn gram(rows: &[f64], width: usize, weights: &[f64]) -> Self {
        assert_eq!(rows.len(), weights.len() * width, "one weight for each row");
        let mut gram = Self::zeros(width);
        let stride = gram.stride;
        let mut whole = vec![0.0; weights.len() * stride];
        let mut weighted = whole.clone();
        for (at, (row, weight)) in rows.chunks_exact(width.max(1)).zip(weights).enumerate() {
            whole[at * stride..][..width].copy_from_slice(row);
            weighted[at * stride..].iter_mut().zip(row).for_each(|(own, value)| *own = weight * value);
        }
        add_products(&mut gram.values, stride, &weighted, &whole);
        gram.mirror();
        gram
    }

    /// The number of rows.
    pub fn n(&self) -> usize {
        self.n
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.stride..][..self.n]
    }

    /// One row, to be written.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.stride..][..self.n]
    }

    /// All rows in turn.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        (0..self.n).map(|i| self.row(i))
    }

    /// The diagonal.
    pub fn diagonal(&self) -> impl Iterator<Item = f64> {
        (0..self.n).map(|i| self.values[i * self.stride + i])
    }

    /// All values, row by row: `[n * n]`.
    pub fn to_vec(&self) -> Vec<f64> {
        self.rows().flatten().copied().collect()
    }

    /// Copies what lies above the diagonal to below it.
    pub fn mirror(&mut self) {
        mirror(&mut self.values, self.stride);
    }

    /// The product with a vector of `n` numbers.
    pub fn times(&self, vector: &[f64]) -> Vec<f64> {
        times(&self.values, self.stride, vector)
    }

    /// The product of this matrix, which must be symmetric, with a matrix of `n` rows and `width` columns, row-major.
    ///
    /// # Panics
    /// If `matrix` does not have `n * width` numbers.
    pub fn symmetric_times(&self, matrix: &[f64], width: usize) -> Vec<f64> {
        assert_eq!(matrix.len(), self.n * width, "as many rows as this matrix");
        let padded = width.next_multiple_of(TILE_COLUMNS);
        let mut right = vec![0.0; self.stride * padded];
        for (to, from) in right.chunks_exact_mut(padded).zip(matrix.chunks_exact(width)) {
            to[..width].copy_from_slice(from);
        }
        let product = symmetric_product(&self.values, self.stride, &right, padded);
        product.chunks_exact(padded).take(self.n).flat_map(|row| &row[..width]).copied().collect()
    }
}

/// Cholesky's factor of a symmetric positive definite matrix `A = Uᵀ U`, `U` zero below its diagonal.
///
/// Source: Golub and Van Loan, Matrix Computations, section 4.2.
#[derive(Clone, Debug)]
pub struct Factor(Square);

impl Factor {
    /// The factor; none if rounding leaves the matrix not positive definite, or where a number is not finite. Only the
    /// diagonal and what lies above it is read.
    pub fn of(matrix: Square) -> Option<Self> {
        Self::with_floor(matrix, None).map(|(factor, _)| factor)
    }

    /// The factor of a matrix that rounding may have made singular: pivots that are too small are raised to 1e-13 of
    /// their diagonal, and how many is told. Only the diagonal and what lies above it is read.
    pub fn raised(matrix: Square) -> (Self, usize) {
        Self::with_floor(matrix, Some(PIVOT_FLOOR)).expect("raised pivots are positive")
    }

    fn with_floor(mut matrix: Square, floor: Option<f64>) -> Option<(Self, usize)> {
        // Rows beyond the last one are those of the identity.
        for i in matrix.n..matrix.stride {
            matrix.values[i * matrix.stride + i] = 1.0;
        }
        let n_raised = factorise(&mut matrix.values, matrix.stride, floor)?;
        Some((Self(matrix), n_raised))
    }

    /// The logarithm of the matrix's determinant.
    pub fn log_determinant(&self) -> f64 {
        2.0 * self.0.diagonal().map(f64::ln).sum::<f64>()
    }

    /// Replaces each of several right-hand sides `b`, one after the other in `sides`, by `U⁻ᵀ b`, whose squared length is
    /// `bᵀ A⁻¹ b`.
    pub fn whiten(&self, sides: &mut [f64]) {
        forward(&self.0.values, self.0.stride, self.0.n, sides);
    }

    /// Replaces a right-hand side by the solution of the system.
    pub fn solve(&self, side: &mut [f64]) {
        self.whiten(side);
        backward(&self.0.values, self.0.stride, side);
    }

    /// `Uᵀ z` of `n` independent numbers of variance 1: numbers of which the matrix is the covariance.
    pub fn correlated(&self, independent: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.0.n];
        for ((i, own), row) in independent.iter().enumerate().zip(self.0.rows()) {
            sums[i..].iter_mut().zip(&row[i..]).for_each(|(sum, factor)| *sum += own * factor);
        }
        sums
    }

    /// The inverse of the matrix.
    pub fn inverse(&self) -> Square {
        let Square { n, stride, .. } = self.0;
        let inverse_factor = inverse_transpose(&self.0.values, stride);
        Square { n, stride, values: inner_products(&inverse_factor, stride) }
    }

    /// The diagonal of the inverse of the matrix.
    pub fn inverse_diagonal(&self) -> Vec<f64> {
        let Square { n, stride, .. } = self.0;
        let inverse_factor = inverse_transpose(&self.0.values, stride);
        let mut diagonal = vec![0.0; n];
        for row in inverse_factor.chunks_exact(stride).take(n) {
            diagonal.iter_mut().zip(row).for_each(|(sum, entry)| *sum += entry * entry);
        }
        diagonal
    }
}

/// For each row and column of a tile the sum over k of `left[k][row] right[k][column]`. `left` and `right` begin at the
/// tile's first row and column; their rows lie `strides` apart.
#[inline(always)]
fn tile(
    left: &[f64],
    right: &[f64],
    strides: (usize, usize),
    all_k: Range<usize>,
) -> [[f64; TILE_COLUMNS]; TILE_ROWS] {
    let mut sums = [[0.0; TILE_COLUMNS]; TILE_ROWS];
    for k in all_k {
        // Copies, so that both stay in registers.
        let own: [f64; TILE_ROWS] = *left[k * strides.0..].first_chunk().expect("rows are whole tiles");
        let other: [f64; TILE_COLUMNS] = *right[k * strides.1..].first_chunk().expect("rows are whole tiles");
        for row in 0..TILE_ROWS {
            for column in 0..TILE_COLUMNS {
                sums[row][column] += own[row] * other[column];
            }
        }
    }
    sums
}

/// `target - factor · row`.
#[inline(always)]
fn subtract(target: &mut [f64], factor: f64, row: &[f64]) {
    target.iter_mut().zip(row).for_each(|(own, other)| *own -= factor * other);
}

/// Replaces the upper half by the factor; tells how many pivots were raised. None at a pivot that is not positive, where
/// none are to be raised.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn factorise(values: &mut [f64], stride: usize, floor: Option<f64>) -> Option<usize> {
    let mut n_raised = 0;
    for i in (0..stride).step_by(TILE_ROWS) {
        let (done, rest) = values.split_at_mut(i * stride);
        let diagonal: [f64; TILE_ROWS] = std::array::from_fn(|row| rest[row * stride + i + row]);
        // A tile may begin left of the diagonal: what it writes there is not read.
        for column in (i / TILE_COLUMNS * TILE_COLUMNS..stride).step_by(TILE_COLUMNS).filter(|_| i > 0) {
            let sums = tile(&done[i..], &done[column..], (stride, stride), 0..i);
            for (row, sums) in sums.iter().enumerate() {
                let own = &mut rest[row * stride + column..][..TILE_COLUMNS];
                own.iter_mut().zip(sums).for_each(|(own, sum)| *own -= sum);
            }
        }
        for row in 0..TILE_ROWS {
            let (above, own) = rest.split_at_mut(row * stride);
            let own = &mut own[i + row..stride];
            for other in above.chunks_exact(stride) {
                subtract(own, other[i + row], &other[i + row..]);
            }
            let least = floor.map_or(0.0, |floor| floor * diagonal[row].abs().max(f64::MIN_POSITIVE));
            // Not `own[0] <= least`: a NaN is none, too.
            let holds = own[0] > least;
            if !holds {
                floor?;
                n_raised += 1;
                own[0] = if least.is_finite() { least } else { f64::MIN_POSITIVE };
            }
            let root = own[0].sqrt();
            own[0] = root;
            let inverse = 1.0 / root;
            own[1..].iter_mut().for_each(|value| *value *= inverse);
        }
    }
    Some(n_raised)
}

/// The inverse of the factor's transpose: zero above its diagonal.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn inverse_transpose(factor: &[f64], stride: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; stride * stride];
    for i in (0..stride).step_by(TILE_ROWS) {
        let (done, rest) = inverse.split_at_mut(i * stride);
        for column in (0..i).step_by(TILE_COLUMNS) {
            let sums = tile(&factor[i..], &done[column..], (stride, stride), column..i);
            for (row, sums) in sums.iter().enumerate() {
                let own = &mut rest[row * stride + column..][..TILE_COLUMNS];
                own.iter_mut().zip(sums).for_each(|(own, sum)| *own = -sum);
            }
        }
        for row in 0..TILE_ROWS {
            let (above, own) = rest.split_at_mut(row * stride);
            for (at, other) in above.chunks_exact(stride).enumerate() {
                subtract(&mut own[..i + row], factor[(i + at) * stride + i + row], other);
            }
            own[i + row] = 1.0;
            let pivot = 1.0 / factor[(i + row) * stride + i + row];
            own[..=i + row].iter_mut().for_each(|value| *value *= pivot);
        }
    }
    inverse
}

/// All inner products of two columns of a matrix that is zero above its diagonal.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn inner_products(lower: &[f64], stride: usize) -> Vec<f64> {
    let mut products = vec![0.0; stride * stride];
    for i in (0..stride).step_by(TILE_ROWS) {
        for column in (i / TILE_COLUMNS * TILE_COLUMNS..stride).step_by(TILE_COLUMNS) {
            let sums = tile(&lower[i..], &lower[column..], (stride, stride), column..stride);
            for (row, sums) in sums.iter().enumerate() {
                products[(i + row) * stride + column..][..TILE_COLUMNS].copy_from_slice(sums);
            }
        }
    }
    mirror(&mut products, stride);
    products
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn symmetric_product(symmetric: &[f64], stride: usize, right: &[f64], width: usize) -> Vec<f64> {
    let mut product = vec![0.0; stride * width];
    for i in (0..stride).step_by(TILE_ROWS) {
        for column in (0..width).step_by(TILE_COLUMNS) {
            let sums = tile(&symmetric[i..], &right[column..], (stride, width), 0..stride);
            for (row, sums) in sums.iter().enumerate() {
                product[(i + row) * width + column..][..TILE_COLUMNS].copy_from_slice(sums);
            }
        }
    }
    product
}

/// Adds the inner products of the columns of two matrices whose rows are as long as the result's, on and above the diagonal.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn add_products(values: &mut [f64], stride: usize, left: &[f64], right: &[f64]) {
    let n = left.len().checked_div(stride).unwrap_or(0);
    for i in (0..stride).step_by(TILE_ROWS) {
        for column in (i / TILE_COLUMNS * TILE_COLUMNS..stride).step_by(TILE_COLUMNS) {
            let sums = tile(&left[i..], &right[column..], (stride, stride), 0..n);
            for (row, sums) in sums.iter().enumerate() {
                let own = &mut values[(i + row) * stride + column..][..TILE_COLUMNS];
                own.iter_mut().zip(sums).for_each(|(own, sum)| *own += sum);
            }
        }
    }
}

fn mirror(values: &mut [f64], stride: usize) {
    for i in 1..stride {
        let (above, own) = values.split_at_mut(i * stride);
        own[..i].iter_mut().zip(above.chunks_exact(stride)).for_each(|(own, row)| *own = row[i]);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn times(values: &[f64], stride: usize, vector: &[f64]) -> Vec<f64> {
    values.chunks_exact(stride.max(1)).take(vector.len()).map(|row| dot_f64(row, vector)).collect()
}

/// Solves `Uᵀ x = b` in place for each of several sides of `n` numbers.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn forward(factor: &[f64], stride: usize, n: usize, sides: &mut [f64]) {
    for together in sides.chunks_mut((SIDES_TOGETHER * n).max(1)) {
        for (i, row) in factor.chunks_exact(stride).take(n).enumerate() {
            for side in together.chunks_exact_mut(n) {
                let (before, after) = side.split_at_mut(i + 1);
                before[i] /= row[i];
                subtract(after, before[i], &row[i + 1..]);
            }
        }
    }
}

/// Solves `U x = b` in place.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn backward(factor: &[f64], stride: usize, side: &mut [f64]) {
    for i in (0..side.len()).rev() {
        let row = &factor[i * stride..];
        let (before, after) = side.split_at_mut(i + 1);
        before[i] = (before[i] - dot_f64(&row[i + 1..], after)) / row[i];
    }
}

/// The sum of products of two slices, of as many numbers as the second has. Inside a function that is compiled for wide
/// registers it uses them.
///
/// # Panics
/// If the first is shorter.
#[inline(always)]
pub fn dot_f64(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) =
        (a[..b.len()].as_chunks::<TILE_COLUMNS>(), b.as_chunks::<TILE_COLUMNS>());
    let mut lanes = [0.0; TILE_COLUMNS];
    for (x, y) in a.iter().zip(b) {
        for lane in 0..TILE_COLUMNS {
            lanes[lane] += x[lane] * y[lane];
        }
    }
    // By halves: sixteen additions in a row would each wait for the one before.
    let mut half = TILE_COLUMNS / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0] + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f64>()
}

#[cfg(test)]
#[path = "positive_definite/tests.rs"]
mod tests;
