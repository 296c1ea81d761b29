//! Which rows and which columns of a table to learn from.
//!
//! [`judge_columns`] tells of every column how likely it is of no use. [`select`] judges every row of a labelled table: how likely its label is wrong or it is of another origin than the rest, what it
//! is worth, and whether it is kept, doubtful or dropped, with reasons in words. Rows known to be clean may be given beside it.
//! Behind it are
//!
//! - [`Feature`]s of a row, by its position among the others and by what happens to it in training, in groups that can be switched off;
//! - [`SolvedHead`], in which the worth of every row has a closed form;
//! - a [`Selector`], a network of two hidden layers of 100 that was fitted by regression to what is wrong with rows and to their
//!   values, over thousands of [`SyntheticTable`]s that were made impure in known ways ([`Impurity`]);
//! - to compare with, [`Baseline`]s from the literature and [`MetaTrainer`], the bilevel optimisation that needs no such tables and trains
//!   a network on the table itself, with the signal-to-noise ratio of its gradient.
//!
//! It does not know metamodels or how base models are generated, and reads no file. Features and the selector are for classes; rows
//! whose target is a number are judged by solved heads alone.

mod baselines;
mod basis;
mod bilevel;
mod columns;
mod dynamics;
mod error;
mod feature;
mod features;
mod impurity;
mod linear_algebra;
mod neighbours;
mod network;
mod normal;
mod ridge;
mod rows;
mod select;
mod selector;
mod synthetic;
#[cfg(test)]
mod testing;
mod train;
mod trials;

pub use baselines::Baseline;
pub use bilevel::{Gsnr, Hypergradient, MetaConfig, MetaFeatures, MetaTrainer, model_features};
pub use columns::{ChosenColumns, ColumnTrial, HeldOutWorth, JudgedColumn, JudgedColumns, judge_columns};
pub use error::SelectionError;
pub use feature::{Feature, FeatureGroup};
pub use features::{auc, row_features};
pub use impurity::{Impure, Impurity, Truth};
pub use linear_algebra::Matrix;
pub use ridge::SolvedHead;
pub use rows::{LabelledRows, joined};
pub use select::{SelectedRow, Selection, Standing, select};
pub use selector::{Selector, Verdict};
pub use synthetic::{SyntheticTable, TableShares};
pub use train::{
    LabelledFeatures, SelectorConfig, SelectorFigures, draw_features, fit_selector, train_selector, tune,
};
