//! What heads are solved on: the inputs as they are, and with Gaussian bumps around some of the rows.

use crate::linear_algebra::{Matrix, squared_distances};
use rand::Rng;
use weightsmith_tasks::Seed;

/// Bumps at most.
const MOST_CENTRES: usize = 128;
/// Inputs up to which the bumps are joined by the inputs themselves.
const MOST_INPUTS: usize = 64;
/// The spread of a bump is about this, so that the penalty treats bumps like inputs.
const BUMP_SCALE: f64 = 4.0;

/// An intercept and the inputs, `[n, 1 + d]`.
pub(crate) fn linear(inputs: &Matrix) -> Matrix {
    let mut features = Matrix::zeros(inputs.n_rows(), 1 + inputs.n_columns());
    for (row, values) in inputs.rows().enumerate() {
        features.row_mut(row)[0] = 1.0;
        features.row_mut(row)[1..].copy_from_slice(values);
    }
    features
}

/// Gaussian bumps around rows that are spread over the table: a kernel machine at the cost of a small linear model.
///
/// Source: Williams and Seeger 2001, "Using the Nyström method to speed up kernel machines"; ours keeps the bumps as they are and
/// leaves it to the penalty to whiten them.
pub(crate) struct Bumps {
    centres: Matrix,
    /// Twice the squared width.
    width: f64,
    joins_inputs: bool,
}

impl Bumps {
    /// Bumps for these inputs. Which rows are centres follows from their contents, not from their order.
    pub(crate) fn new(inputs: &Matrix) -> Self {
        let (n, d) = (inputs.n_rows(), inputs.n_columns());
        let mut rng = Seed(0).stream("selection.projection");
        let direction: Vec<f64> = (0..d).map(|_| rng.random_range(-1.0..1.0)).collect();
        let place = |row: usize| inputs.row(row).iter().zip(&direction).map(|(x, u)| x * u).sum::<f64>();
        let mut order: Vec<(f64, usize)> = (0..n).map(|row| (place(row), row)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let m = n.min(MOST_CENTRES);
        let picked: Vec<usize> = (0..m).map(|centre| order[(2 * centre + 1) * n / (2 * m)].1).collect();
        let centres = inputs.select(&picked);
        let mut distances: Vec<f64> =
            squared_distances(&centres, &centres).rows().flatten().copied().filter(|d| *d > 0.0).collect();
        distances.sort_by(f64::total_cmp);
        let width = distances.get(distances.len() / 2).copied().unwrap_or(1.0);
        Self { centres, width, joins_inputs: d <= MOST_INPUTS }
    }

    /// An intercept, the bumps, and the inputs where they are few.
    pub(crate) fn features(&self, inputs: &Matrix) -> Matrix {
        let (m, d) = (self.centres.n_rows(), if self.joins_inputs { inputs.n_columns() } else { 0 });
        let distances = squared_distances(inputs, &self.centres);
        let mut features = Matrix::zeros(inputs.n_rows(), 1 + m + d);
        for row in 0..inputs.n_rows() {
            let own = features.row_mut(row);
            own[0] = 1.0;
            for (bump, distance) in own[1..=m].iter_mut().zip(distances.row(row)) {
                *bump = BUMP_SCALE * (-distance / self.width).exp();
            }
            own[1 + m..].copy_from_slice(&inputs.row(row)[..d]);
        }
        features
    }
}
