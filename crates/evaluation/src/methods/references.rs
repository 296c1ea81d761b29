//! Models that are no networks, for scale; nearest neighbours and a random forest, both from smartcore.
//!
//! All read the same encoded rows as the networks. Smartcore's learn classes as indicators, so that a forest votes with
//! the shares of its leaves and neighbours with their weights.

use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::error::Failed;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::metrics::distance::euclidian::Euclidian;
use smartcore::neighbors::KNNWeightFunction;
use smartcore::neighbors::knn_regressor::{KNNRegressor, KNNRegressorParameters};
use weightsmith_base_model::{Encoding, EncodingError, EncodingLimits, Predictions, Rows, View};
use weightsmith_tasks::{Level, Seed, Support, Table, Target};
use weightsmith_training::{InnerError, folds, prediction_losses, split_off};

/// Trees of a forest.
const N_TREES: usize = 200;
/// Numbers of neighbours that cross-validation chooses from.
const NEIGHBOURS: [usize; 4] = [3, 5, 9, 15];
/// What every class gets beside its share, so that no class is ruled out.
pub(super) const FLOOR: f64 = 1e-4;

/// Why there is no such model.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The rows cannot be encoded.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The rows cannot be dealt out for cross-validation.
    #[error(transparent)]
    Inner(#[from] InnerError),
    /// The library refuses.
    #[error("the library refuses: {0}")]
    Library(#[from] Failed),
}

type Matrix = DenseMatrix<f64>;
type Forest = RandomForestRegressor<f64, f64, Matrix, Vec<f64>>;
type Neighbours = KNNRegressor<f64, f64, Matrix, Vec<f64>, Euclidian<f64>>;

/// A model that is no network.
pub struct Reference(Box<dyn Model>);

/// What a model that is no network can do.
pub(super) trait Model: Send + Sync {
    /// Predictions for the rows of a table.
    ///
    /// # Errors
    /// A missing column, a column of the other type.
    fn predict(&self, table: &Table) -> Result<Predictions, ReferenceError>;

    /// The standard deviation of its errors of values that it expects, if it does.
    fn residual_std(&self) -> Option<f32> {
        None
    }
}

impl Reference {
    pub(super) fn of(model: impl Model + 'static) -> Self {
        Self(Box::new(model))
    }

    /// A forest of 200 full-grown trees on bootstrap samples; a split looks at √d of d columns for classes and at half
    /// of them for numbers, as the outside scorer's does.
    ///
    /// # Errors
    /// Rows that cannot be encoded.
    pub fn forest<L: Level>(support: &Support<L>, seed: Seed) -> Result<Self, ReferenceError> {
        let (encoding, rows) = encoded(support)?;
        let d = rows.n_columns;
        let m = match support.target() {
            Target::Classes { .. } => (d as f64).sqrt() as usize,
            Target::Values(_) => d / 2,
        };
        let x = matrix(&rows)?;
        let grow = |wanted: Vec<f64>| {
            let parameters = RandomForestRegressorParameters::default()
                .with_n_trees(N_TREES)
                .with_m(m.max(1))
                .with_seed(seed.0);
            Forest::fit(&x, &wanted, parameters)
        };
        let outputs = wanted(support.target()).into_iter().map(grow).collect::<Result<_, _>>()?;
        let outputs = Outputs::Forest(outputs);
        Ok(Self::of(Indicators { encoding, outputs, n_classes: n_classes(support.target()) }))
    }

    /// Neighbours weighted by the inverse of their distance; how many, 4-fold cross-validation decides. Also says how
    /// many.
    ///
    /// # Errors
    /// Rows that cannot be encoded, fewer than two rows.
    pub fn neighbours(support: &Support, seed: Seed) -> Result<(Self, usize), ReferenceError> {
        let folds = folds(support.target(), seed)?;
        let mut best = (f64::INFINITY, NEIGHBOURS[0]);
        for k in NEIGHBOURS {
            let mut loss = 0.0;
            for fold in &folds {
                let (rest, held_out) = split_off(support, fold);
                let predictions = Indicators::nearest(&rest, k)?.predict(held_out.table())?;
                loss += prediction_losses(&predictions, held_out.target()).iter().sum::<f64>();
            }
            if loss < best.0 {
                best = (loss, k);
            }
        }
        Ok((Self::of(Indicators::nearest(support, best.1)?), best.1))
    }

    /// Predictions for the rows of a table.
    ///
    /// # Errors
    /// A missing column, a column of the other type.
    pub fn predict(&self, table: &Table) -> Result<Predictions, ReferenceError> {
        self.0.predict(table)
    }

    /// The standard deviation of its errors of values that it expects, if it does.
    pub fn residual_std(&self) -> Option<f32> {
        self.0.residual_std()
    }
}

/// Regressions of smartcore, of the classes' indicators or of the value.
struct Indicators {
    encoding: Encoding,
    /// Of each output: the classes but the first, or the value.
    outputs: Outputs,
    n_classes: usize,
}

enum Outputs {
    Forest(Vec<Forest>),
    Neighbours(Vec<Neighbours>),
}

impl Indicators {
    fn nearest(support: &Support, k: usize) -> Result<Self, ReferenceError> {
        let (encoding, rows) = encoded(support)?;
        let x = matrix(&rows)?;
        let k = k.min(rows.n_rows);
        let find = |wanted: Vec<f64>| {
            let parameters =
                KNNRegressorParameters::default().with_k(k).with_weight(KNNWeightFunction::Distance);
            Neighbours::fit(&x, &wanted, parameters)
        };
        let outputs = wanted(support.target()).into_iter().map(find).collect::<Result<_, _>>()?;
        Ok(Self { encoding, outputs: Outputs::Neighbours(outputs), n_classes: n_classes(support.target()) })
    }
}

impl Model for Indicators {
    fn predict(&self, table: &Table) -> Result<Predictions, ReferenceError> {
        let rows = self.encoding.encode(table)?;
        let n_rows = rows.n_rows;
        if n_rows == 0 {
            return Ok(Predictions::from_values(Vec::new()));
        }
        let x = matrix(&rows)?;
        let predicted: Vec<Vec<f64>> = match &self.outputs {
            Outputs::Forest(models) => {
                models.iter().map(|model| model.predict(&x)).collect::<Result<_, _>>()?
            }
            Outputs::Neighbours(models) => {
                models.iter().map(|model| model.predict(&x)).collect::<Result<_, _>>()?
            }
        };
        if self.n_classes == 0 {
            return Ok(Predictions::from_values(predicted[0].clone()));
        }
        let mut logits = Vec::with_capacity(n_rows * self.n_classes);
        for row in 0..n_rows {
            let others: Vec<f64> = predicted.iter().map(|output| output[row]).collect();
            let first = 1.0 - others.iter().sum::<f64>();
            let shares = std::iter::once(first).chain(others);
            logits.extend(shares.map(|share| (share.max(0.0) + FLOOR).ln() as f32));
        }
        Ok(Predictions::from_logits(self.n_classes, &logits))
    }
}

/// The default encoding of networks, and the support's rows in it.
pub(super) fn encoded<L: Level>(support: &Support<L>) -> Result<(Encoding, Rows), EncodingError> {
    let fitted = Encoding::fit(support, &EncodingLimits::default())?;
    let encoding = fitted.view(View::Standard).clone();
    let rows = encoding.encode(support.table())?;
    Ok((encoding, rows))
}

fn matrix(rows: &Rows) -> Result<Matrix, Failed> {
    let values = rows.values.iter().map(|value| f64::from(*value)).collect();
    DenseMatrix::new(rows.n_rows, rows.n_columns, values, false)
}

/// The number of class names; 0 for values.
fn n_classes(target: &Target) -> usize {
    match target {
        Target::Classes { class_names, .. } => class_names.len(),
        Target::Values(_) => 0,
    }
}

/// The indicators of all classes but the first, or the values.
fn wanted(target: &Target) -> Vec<Vec<f64>> {
    match target {
        Target::Classes { class_names, labels } => {
            let indicator =
                |class: usize| labels.iter().map(|&label| f64::from(u8::from(label == class))).collect();
            (1..class_names.len()).map(indicator).collect()
        }
        Target::Values(values) => vec![values.clone()],
    }
}
