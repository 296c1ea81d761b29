//! What several tests of this crate draw.

use crate::linear_algebra::Matrix;
use rand::Rng;
use weightsmith_tasks::Seed;

/// Numbers between -1 and 1, the first column all 1.
pub(crate) fn random_matrix(n_rows: usize, n_columns: usize, seed: u64) -> Matrix {
    let mut rng = Seed(seed).stream("testing");
    let mut matrix = Matrix::zeros(n_rows, n_columns);
    for row in 0..n_rows {
        matrix.row_mut(row).iter_mut().for_each(|value| *value = rng.random_range(-1.0..1.0));
        matrix.row_mut(row)[0] = 1.0;
    }
    matrix
}
