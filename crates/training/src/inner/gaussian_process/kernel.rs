//! The covariance of two rows, and how a likelihood's slopes in the matrix become slopes in its parameters.

use multiversion::multiversion;
use weightsmith_base_model::Rows;
use weightsmith_kernels::{Square, dot_f64};

/// Standard deviation of the prior of every logarithm.
const PRIOR_STD: f64 = 2.0;
/// Log-parameters beside the columns' precisions: the variances of the smooth, the linear and the constant part.
const N_PARTS: usize = 3;

/// Rows of which the distances to one row are found together.
const N_TOGETHER: usize = 16;

/// Rows of a table, in f64.
#[derive(Clone, Debug)]
pub(super) struct Inputs {
    n_columns: usize,
    /// Row-major.
    values: Vec<f64>,
    /// One column after the other, each filled up with zeros to a multiple of [`N_TOGETHER`].
    columns: Vec<f64>,
}

impl Inputs {
    pub(super) fn of(rows: &Rows) -> Self {
        Self::new(rows.n_columns, rows.values.iter().map(|value| f64::from(*value)).collect())
    }

    fn new(n_columns: usize, values: Vec<f64>) -> Self {
        let stride = (values.len() / n_columns).next_multiple_of(N_TOGETHER);
        let mut columns = vec![0.0; n_columns * stride];
        for (row, own) in values.chunks_exact(n_columns).enumerate() {
            own.iter().enumerate().for_each(|(column, value)| columns[column * stride + row] = *value);
        }
        Self { n_columns, values, columns }
    }

    pub(super) fn n_columns(&self) -> usize {
        self.n_columns
    }

    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.n_columns)
    }

    pub(super) fn n_rows(&self) -> usize {
        self.values.len() / self.n_columns
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let row = |&row: &usize| &self.values[row * self.n_columns..(row + 1) * self.n_columns];
        Self::new(self.n_columns, rows.iter().flat_map(row).copied().collect())
    }
}

/// The covariance `smooth · exp(-½ Σ_j precision_j (a_j - b_j)²) + linear · a·b / d + constant` of the latent function
/// at two rows of d columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kernel {
    /// The inverse square of each column's length scale.
    pub(super) precisions: Vec<f64>,
    /// The variance of the smooth part.
    pub(super) smooth: f64,
    /// The variance of the linear part, for a row of unit columns.
    pub(super) linear: f64,
    /// The variance of the constant part.
    pub(super) constant: f64,
}

/// The covariances of all pairs of rows.
pub(super) struct Covariance {
    /// Of the smooth part alone.
    pub(super) smooth: Square,
    /// Of all parts.
    pub(super) total: Square,
}

impl Kernel {
    /// How many logarithms describe a kernel.
    pub(super) fn n_logs(n_columns: usize) -> usize {
        n_columns + N_PARTS
    }

    /// From the logarithms of the precisions and of the variances of the smooth, the linear and the constant part.
    pub(super) fn from_logs(logs: &[f64]) -> Self {
        let (precisions, parts) = logs.split_at(logs.len() - N_PARTS);
        Self {
            precisions: precisions.iter().map(|log| log.exp()).collect(),
            smooth: parts[0].exp(),
            linear: parts[1].exp(),
            constant: parts[2].exp(),
        }
    }

    /// The prior variance of the latent function at a row.
    pub(super) fn variance(&self, row: &[f64]) -> f64 {
        self.smooth + self.linear / row.len() as f64 * dot_f64(row, row) + self.constant
    }

    /// The covariances of all pairs of rows.
    pub(super) fn covariance(&self, inputs: &Inputs) -> Covariance {
        let n = inputs.n_rows();
        let (mut smooth, mut total) = (Square::zeros(n), Square::zeros(n));
        for (i, row) in inputs.rows().enumerate() {
            self.fill(row, inputs, i, &mut smooth.row_mut(i)[i..], &mut total.row_mut(i)[i..]);
        }
        smooth.mirror();
        total.mirror();
        Covariance { smooth, total }
    }

    /// The covariances of each row of `left` with each of `right`, one row of `left` after the other.
    pub(super) fn between(&self, left: &Inputs, right: &Inputs) -> Vec<f64> {
        let n = right.n_rows();
        let mut total = vec![0.0; left.n_rows() * n];
        let mut smooth = vec![0.0; n];
        for (row, total) in left.rows().zip(total.chunks_exact_mut(n)) {
            self.fill(row, right, 0, &mut smooth, total);
        }
        total
    }

    /// The gradient of a function of the covariances in the logarithms of the parameters: `slopes` are twice its slopes
    /// in the single covariances, a symmetric matrix.
    pub(super) fn gradient(
        &self,
        inputs: &Inputs,
        covariance: &Covariance,
        slopes: &Square,
        gradient: &mut [f64],
    ) {
        let (precisions, parts) = gradient.split_at_mut(inputs.n_columns);
        precisions.fill(0.0);
        parts.fill(0.0);
        let mut products = covariance.smooth.clone();
        let ones = vec![1.0; slopes.n()];
        for i in 0..slopes.n() {
            let (total, slopes) = (covariance.total.row(i), slopes.row(i));
            products.row_mut(i).iter_mut().zip(slopes).for_each(|(product, slope)| *product *= slope);
            let (sum, slope) = (dot_f64(products.row(i), &ones), dot_f64(slopes, &ones));
            parts[0] += 0.5 * sum;
            parts[1] += 0.5 * (dot_f64(total, slopes) - sum - self.constant * slope);
            parts[2] += 0.5 * self.constant * slope;
        }
        // Σ_ab M_ab (x_a - x_b)² = 2 Σ_a (x_a² Σ_b M_ab - x_a Σ_b M_ab x_b) of a symmetric M.
        let sums = products.times(&ones);
        let mixed = products.symmetric_times(&inputs.values, inputs.n_columns);
        for ((row, mixed), sum) in inputs.rows().zip(mixed.chunks_exact(inputs.n_columns)).zip(sums) {
            for ((slope, x), mixed) in precisions.iter_mut().zip(row).zip(mixed) {
                *slope -= 0.5 * x * (x * sum - mixed);
            }
        }
        precisions.iter_mut().zip(&self.precisions).for_each(|(slope, precision)| *slope *= precision);
    }

    /// The inverse length scale of each column.
    pub(super) fn roots(&self) -> Vec<f64> {
        self.precisions.iter().map(|precision| precision.sqrt()).collect()
    }

    /// The covariances of one row with each of `others` from the one at `first` on.
    fn fill(&self, row: &[f64], others: &Inputs, first: usize, smooth: &mut [f64], total: &mut [f64]) {
        distances_and_products(row, &self.precisions, &others.columns, first, smooth, total);
        let slope = self.linear / row.len() as f64;
        for (smooth, total) in smooth.iter_mut().zip(total) {
            *smooth = self.smooth * (-0.5 * *smooth).exp();
            *total = *smooth + slope * *total + self.constant;
        }
    }
}

/// `Σ_j precision_j (a_j - b_j)²` and `a·b` of a row `a` and each row `b` from the one at `first` on; `columns` are those of
/// [`Inputs`].
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn distances_and_products(
    row: &[f64],
    precisions: &[f64],
    columns: &[f64],
    first: usize,
    distances: &mut [f64],
    products: &mut [f64],
) {
    let stride = columns.len() / row.len();
    let n = first + distances.len();
    for start in (first / N_TOGETHER * N_TOGETHER..n).step_by(N_TOGETHER) {
        let (mut distance, mut product) = ([0.0; N_TOGETHER], [0.0; N_TOGETHER]);
        for ((own, precision), column) in row.iter().zip(precisions).zip(columns.chunks_exact(stride)) {
            let others: [f64; N_TOGETHER] = *column[start..].first_chunk().expect("columns are filled up");
            for at in 0..N_TOGETHER {
                let apart = own - others[at];
                distance[at] += precision * (apart * apart);
                product[at] += own * others[at];
            }
        }
        let (from, to) = (start.max(first), (start + N_TOGETHER).min(n));
        distances[from - first..to - first].copy_from_slice(&distance[from - start..to - start]);
        products[from - first..to - first].copy_from_slice(&product[from - start..to - start]);
    }
}

/// Where log-parameters are likely to lie: normal, independent, broad. Keeps a column of which the rows say nothing from
/// running away.
#[derive(Clone, Debug)]
pub(super) struct Prior {
    means: Vec<f64>,
}

impl Prior {
    /// The lengths lie about 2√d, so that two rows of d standardised columns are half a unit apart and not on their
    /// own in a space of many columns; the variances lie about 1, and the further ones where `others` say.
    ///
    /// Source: the growth with √d as in Hvarfner, Hellsten and Nardi 2024, Vanilla Bayesian optimization performs great
    /// in high dimensions, section 4.
    pub(super) fn of(n_columns: usize, others: &[f64]) -> Self {
        let mut means = vec![-(4.0 * n_columns as f64).ln(); n_columns];
        means.extend([0.0; N_PARTS]);
        means.extend(others);
        Self { means }
    }

    /// The most likely log-parameters.
    pub(super) fn means(&self) -> &[f64] {
        &self.means
    }

    /// Minus the logarithm of the density up to a constant, its slopes added to `gradient`.
    pub(super) fn penalty(&self, logs: &[f64], gradient: &mut [f64]) -> f64 {
        let mut penalty = 0.0;
        for ((log, mean), slope) in logs.iter().zip(&self.means).zip(gradient) {
            let z = (log - mean) / PRIOR_STD;
            penalty += 0.5 * z * z;
            *slope += z / PRIOR_STD;
        }
        penalty
    }
}
