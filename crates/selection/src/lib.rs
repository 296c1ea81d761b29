//! Which rows of a table to learn from.

mod basis;
mod dynamics;
mod error;
mod features;
mod impurity;
mod linear_algebra;
mod neighbours;
mod network;
mod ridge;
mod rows;
mod selector;
mod synthetic;
#[cfg(test)]
mod testing;
mod train;

pub use error::SelectionError;
pub use features::{Feature, FeatureGroup, auc, row_features};
pub use impurity::{Impure, Impurity, Truth};
pub use linear_algebra::Matrix;
pub use ridge::SolvedHead;
pub use rows::{LabelledRows, joined};
pub use selector::{Selector, Thresholds, Verdict};
pub use synthetic::{SyntheticTable, TableShares};
pub use train::{LabelledFeatures, SelectorConfig, SelectorFigures, draw_features, fit_selector, train_selector, tune};
