//! Which rows of a table to learn from.

mod baselines;
mod basis;
mod bilevel;
mod dynamics;
mod error;
mod feature;
mod features;
mod impurity;
mod linear_algebra;
mod neighbours;
mod network;
mod ridge;
mod rows;
mod select;
mod selector;
mod synthetic;
#[cfg(test)]
mod testing;
mod train;

pub use baselines::Baseline;
pub use bilevel::{Gsnr, Hypergradient, MetaConfig, MetaFeatures, MetaTrainer, model_features};
pub use error::SelectionError;
pub use feature::{Feature, FeatureGroup};
pub use features::{auc, row_features};
pub use impurity::{Impure, Impurity, Truth};
pub use linear_algebra::Matrix;
pub use ridge::SolvedHead;
pub use rows::{LabelledRows, joined};
pub use select::{SelectedRow, Selection, Standing, select};
pub use selector::{Selector, Thresholds, Verdict};
pub use synthetic::{SyntheticTable, TableShares};
pub use train::{LabelledFeatures, SelectorConfig, SelectorFigures, draw_features, fit_selector, train_selector, tune};
