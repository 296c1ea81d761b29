//! From a support to a finished base model.
//!
//! [`generate_base_model`] encodes a support, looks at it in several [views](GenerateOptions::n_views), has a metamodel
//! write the weights of each, joins them into one wider network, and distils a random forest and a smooth function into it.
//! Where a linear model or the base rate is clearly better by the same held-out rows, that is written instead.
//! [`load_metamodel`] finds the metamodel that does so, among those that are shipped in the binary or in a file.
//!
//! From the generated weights it takes a few inner steps, where rows that it holds out say that they pay ([`Steps`]).
//!
//! [`select_support`] leaves out rows that are likely mislabelled and columns that are likely of no use, before.
//!
//! This crate does not know priors or run records, and reads no file other than a metamodel's.

mod average;
mod catalog;
mod columns;
mod decide_steps;
mod distil;
mod error;
mod expected;
mod forest;
mod generate;
mod groups;
mod plan_steps;
mod reading;
mod safeguard;
mod select;
mod shipped_starts;
mod shuffled;
mod smooth;
mod steps;
mod units;
mod views;

pub use average::averaged;
pub use catalog::{CatalogError, Shipped, load_metamodel, shipped};
pub use columns::{Maker, choose_columns, likely_columns, with_columns};
pub use decide_steps::StepsInfo;
pub use error::GenerateError;
pub use generate::{
    GenerateInfo, GenerateOptions, LandmarkFigures, generate_base_model, landmark_figures,
    untrained_base_model,
};
pub use plan_steps::Steps;
pub use safeguard::Fallback;
pub use select::{LeftOut, SelectMode, Selected, select_support};
pub use shipped_starts::{ShippedStart, sinusoid_starts, table_start};
pub use shuffled::increases_when_shuffled;
pub use weightsmith_kernels::SolveInfo;
pub use weightsmith_selection::{ChosenColumns, ColumnTrial, Selection};
