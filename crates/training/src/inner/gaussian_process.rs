//! Gaussian processes whose hyperparameters the marginal likelihood decides.

mod kernel;
mod laplace;
mod regression;
mod shared_kernel;
mod shares;

pub use shared_kernel::GaussianProcessRegression;

use super::InnerError;
use super::lbfgs::minimise;
use super::problem::{Labels, Problem};
use kernel::{Inputs, Kernel, Prior};
use laplace::Binary;
use rand::seq::SliceRandom;
use regression::Regression;
use shares::Shares;
use weightsmith_base_model::{Encoding, EncodingError, Predictions, TargetUnit};
use weightsmith_tasks::{Seed, Support, Table, Target};

/// Rows that the marginal likelihood is of, for one output.
const ROWS_TO_LEARN: usize = 512;
/// Rows that values are predicted from.
const ROWS_OF_VALUES: usize = 2048;
/// Rows that two classes are predicted from.
const ROWS_OF_CLASSES: usize = 1024;
/// Iterations of L-BFGS from each start.
const MAX_ITERATIONS: usize = 60;
/// What every class gets beside its probability, so that a class without a row is not ruled out.
const FLOOR: f64 = 1e-4;

/// A Gaussian process on the encoded columns of a support, in the default encoding of networks.
///
/// The covariance of the latent function at two rows has a smooth part (a squared exponential with a length scale for each
/// column), a linear and a constant one. Values are standardised and have normal noise. Two classes have a logistic
/// likelihood, approximated by Laplace's method; of more, each is told from all others. Since that leaves the probabilities
/// too cautious, they are raised to a power, the one with the least approximate leave-one-out log-loss, and scaled to add
/// to 1. A class without a row gets next to none.
///
/// The hyperparameters maximise the marginal likelihood times a broad prior, by L-BFGS from two starts, a nearly linear
/// function and a wavy one. So that the cost is bounded, they are learned from at most 512 rows, and predictions are from
/// at most 2,048 rows of values or 1,024 of classes; of more rows a seeded choice is taken, in which classes keep their
/// shares. For k > 2 classes the limits of rows shrink by (2/k)^⅓, so that the work grows no faster than for two.
///
/// Source: Rasmussen and Williams 2006, Gaussian processes for machine learning, chapters 2, 3 and 5.
pub struct GaussianProcess {
    encoding: Encoding,
    outputs: Outputs,
    n_rows: usize,
}

enum Outputs {
    /// A target that does not vary has a process all the same; its errors are 0.
    Values {
        process: Regression,
        unit: TargetUnit,
        varies: bool,
    },
    Classes(Classes),
}

/// A process for each class that has rows, against all others; for the second of two alone; none for one class.
struct Classes {
    n_classes: usize,
    present: Vec<usize>,
    processes: Vec<Binary>,
    inputs: Inputs,
    /// The power of the probabilities that the left-out rows bear out.
    sharpness: f64,
}

impl Classes {
    /// The probabilities of all classes in some rows, row-major, not scaled.
    fn shares(&self, rows: &Inputs) -> Vec<f64> {
        let mut shares = vec![FLOOR; rows.n_rows() * self.n_classes];
        let all = if self.processes.is_empty() {
            Shares { n_classes: 1, values: vec![1.0; rows.n_rows()] }
        } else {
            let of = |process: &Binary| process.probabilities(&self.inputs, rows);
            Shares::of(self.processes.iter().map(of).collect()).sharpened(self.sharpness)
        };
        for (row, own) in shares.chunks_exact_mut(self.n_classes).zip(all.values.chunks_exact(all.n_classes))
        {
            self.present.iter().zip(own).for_each(|(&class, share)| row[class] += share);
        }
        shares
    }
}

impl GaussianProcess {
    /// Learns from a support. The seed chooses rows where there are too many.
    ///
    /// # Errors
    /// A support without rows or columns; rows that leave a covariance singular.
    pub fn fit(support: &Support, seed: Seed) -> Result<Self, InnerError> {
        let problem = Problem::of(support)?;
        let inputs = Inputs::of(&problem.rows);
        let (n_rows, outputs) = match &problem.labels {
            Labels::Values { unit, varies, standardised } => {
                let wanted: Vec<f64> = standardised.iter().map(|value| f64::from(*value)).collect();
                let rows = Chosen::of(support.target(), ROWS_OF_VALUES, ROWS_TO_LEARN, seed);
                let process = values(&inputs, &wanted, &rows)?;
                (rows.to_predict.len(), Outputs::Values { process, unit: *unit, varies: *varies })
            }
            Labels::Binary { present, signs } => {
                let hits: Vec<bool> = signs.iter().map(|sign| *sign > 0.0).collect();
                classes(support.target(), &inputs, present.to_vec(), &[hits], seed)?
            }
            Labels::Classes { present, labels } => {
                let of = |place: usize| labels.iter().map(|&label| label == place).collect();
                let hits: Vec<Vec<bool>> =
                    if present.len() > 1 { (0..present.len()).map(of).collect() } else { Vec::new() };
                classes(support.target(), &inputs, present.clone(), &hits, seed)?
            }
        };
        Ok(Self { encoding: problem.encoding, outputs, n_rows })
    }

    /// Rows that it predicts from.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The standard deviation of its errors of values that it expects: the root of the mean variance of each of its rows given
    /// the others. None for classes.
    pub fn residual_std(&self) -> Option<f32> {
        match &self.outputs {
            Outputs::Values { process, unit, varies: true } => Some((process.std() * unit.scale) as f32),
            Outputs::Values { varies: false, .. } => Some(0.0),
            Outputs::Classes(_) => None,
        }
    }

    /// Predictions for the rows of a table.
    ///
    /// # Errors
    /// A missing column, a column of the other type.
    pub fn predict(&self, table: &Table) -> Result<Predictions, EncodingError> {
        let rows = Inputs::of(&self.encoding.encode(table)?);
        Ok(match &self.outputs {
            Outputs::Values { process, unit, .. } => {
                let means = process.means(&rows);
                Predictions::from_values(means.iter().map(|mean| unit.value(*mean as f32)).collect())
            }
            Outputs::Classes(classes) => Predictions::from_shares(classes.n_classes, &classes.shares(&rows)),
        })
    }
}

/// The process of standardised values at some of the rows.
fn values(inputs: &Inputs, wanted: &[f64], rows: &Chosen) -> Result<Regression, InnerError> {
    let pick =
        |rows: &[usize]| (inputs.select(rows), [rows.iter().map(|&row| wanted[row]).collect::<Vec<f64>>()]);
    let (some, some_wanted) = pick(&rows.to_learn);
    let (some, some_wanted) = (&some, &some_wanted);
    let mut starts = starts(inputs.n_columns());
    starts.iter_mut().zip([-2.0, -4.0]).for_each(|(start, noise)| start.push(noise));
    let prior = regression::prior(inputs.n_columns());
    let logs = most_likely(&prior, starts, some.n_rows(), MAX_ITERATIONS, || {
        move |logs: &[f64], gradient: &mut [f64]| {
            regression::negative_evidence(some, some_wanted, logs, gradient)
        }
    });
    let (inputs, wanted) = pick(&rows.to_predict);
    Regression::condition(inputs, &wanted, &logs).ok_or(InnerError::Singular)
}

/// The processes of classes; `hits` say of each process which rows are of its class.
fn classes(
    target: &Target,
    inputs: &Inputs,
    present: Vec<usize>,
    hits: &[Vec<bool>],
    seed: Seed,
) -> Result<(usize, Outputs), InnerError> {
    let shrink = (2.0 / present.len().max(2) as f64).cbrt();
    let limit = |most: usize| (most as f64 * shrink) as usize;
    let rows = Chosen::of(target, limit(ROWS_OF_CLASSES), limit(ROWS_TO_LEARN), seed);
    let (all, some) = (inputs.select(&rows.to_predict), inputs.select(&rows.to_learn));
    let prior = laplace::prior(inputs.n_columns());
    let mut processes = Vec::with_capacity(hits.len());
    for hits in hits {
        let pick = |rows: &[usize]| rows.iter().map(|&row| hits[row]).collect::<Vec<bool>>();
        let some_hits = pick(&rows.to_learn);
        let logs = most_likely(&prior, starts(inputs.n_columns()), some_hits.len(), MAX_ITERATIONS, || {
            let (some, some_hits) = (&some, &some_hits);
            let mut weights = vec![0.0; some_hits.len()];
            move |logs: &[f64], gradient: &mut [f64]| {
                laplace::negative_evidence(some, some_hits, logs, &mut weights, gradient)
            }
        });
        processes.push(Binary::condition(&all, &pick(&rows.to_predict), &logs).ok_or(InnerError::Singular)?);
    }
    let n_classes = match target {
        Target::Classes { class_names, .. } => class_names.len(),
        Target::Values(_) => 0,
    };
    let sharpness = if processes.is_empty() {
        1.0
    } else {
        let class_of = |&row: &usize| match hits {
            [second] => usize::from(second[row]),
            _ => hits.iter().position(|hits| hits[row]).expect("every row has a class"),
        };
        let labels: Vec<usize> = rows.to_predict.iter().map(class_of).collect();
        let left_out = processes.iter().map(|process| process.left_out().to_vec());
        Shares::of(left_out.collect()).sharpness(&labels)
    };
    let n_rows = rows.to_predict.len();
    Ok((n_rows, Outputs::Classes(Classes { n_classes, present, processes, inputs: all, sharpness })))
}

/// Log-parameters of the kernel to start from: long lengths and a strong linear part; short lengths and next to none.
fn starts(n_columns: usize) -> Vec<Vec<f64>> {
    let prior = Prior::of(n_columns, &[]);
    let n_logs = Kernel::n_logs(n_columns);
    let mut straight = prior.means().to_vec();
    straight[n_columns..n_logs].copy_from_slice(&[-1.0, 0.0, -1.0]);
    let mut wavy: Vec<f64> = prior.means().iter().map(|mean| mean + 1.5).collect();
    wavy[n_columns..n_logs].copy_from_slice(&[1.0, -2.0, -1.0]);
    vec![straight, wavy]
}

/// The log-parameters of the highest posterior density that L-BFGS finds from the starts. `evidence` gives, for each start
/// anew, minus the logarithm of the marginal likelihood and its gradient; L-BFGS sees both divided by `n_rows`.
fn most_likely<F: FnMut(&[f64], &mut [f64]) -> f64>(
    prior: &Prior,
    starts: Vec<Vec<f64>>,
    n_rows: usize,
    max_iterations: usize,
    mut evidence: impl FnMut() -> F,
) -> Vec<f64> {
    let mut best = (f64::INFINITY, prior.means().to_vec());
    for start in starts {
        let mut evidence = evidence();
        let mut reached = f64::INFINITY;
        let objective = |logs: &[f64], gradient: &mut [f64]| {
            let value = evidence(logs, gradient) + prior.penalty(logs, gradient);
            reached = value.min(reached);
            // Divided by the number of rows, so that one tolerance serves all sizes.
            gradient.iter_mut().for_each(|slope| *slope /= n_rows as f64);
            value / n_rows as f64
        };
        let found = minimise(objective, start, max_iterations, |_, _| {});
        if reached < best.0 {
            best = (reached, found);
        }
    }
    best.1
}

/// The rows that are used, in ascending order.
struct Chosen {
    /// What predictions are from.
    to_predict: Vec<usize>,
    /// Those of them that the marginal likelihood is of.
    to_learn: Vec<usize>,
}

impl Chosen {
    fn of(target: &Target, n_to_predict: usize, n_to_learn: usize, seed: Seed) -> Self {
        let to_predict = some_of(target, n_to_predict, seed);
        let some = some_of(&target.select(&to_predict), n_to_learn, seed);
        let to_learn = some.into_iter().map(|place| to_predict[place]).collect();
        Self { to_predict, to_learn }
    }
}

/// At most so many rows: all, or a seeded choice in which classes keep their shares.
fn some_of(target: &Target, most: usize, seed: Seed) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..target.len()).collect();
    if rows.len() > most {
        rows.shuffle(&mut seed.stream("inner.gaussian-process.rows"));
        if let Target::Classes { labels, .. } = target {
            rows.sort_by_key(|&row| labels[row]);
        }
        rows = (0..most).map(|place| rows[place * rows.len() / most]).collect();
        rows.sort_unstable();
    }
    rows
}

#[cfg(test)]
mod tests;
