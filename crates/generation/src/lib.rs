//! From a support to a finished base model.
//!
//! [`generate_base_model`] encodes a support, looks at it in several [views](GenerateOptions::n_views), has a metamodel
//! write the weights of each, joins them into one wider network, and distils a random forest into it. Where a
//! linear model or the base rate is clearly better by the same held-out rows, that is written instead.
//! [`load_metamodel`] finds the metamodel that does so, among those that are shipped in the binary or in a file.
//!
//! This crate does not know priors, optimisers or run records, and reads no file other than a metamodel's.

mod catalog;
mod distil;
mod forest;
mod generate;
mod safeguard;
mod views;

pub use catalog::{CatalogError, Shipped, load_metamodel, shipped};
pub use generate::{
    GenerateError, GenerateInfo, GenerateOptions, LandmarkFigures, generate_base_model, landmark_figures,
    untrained_base_model,
};
pub use safeguard::Fallback;
pub use weightsmith_kernels::SolveInfo;
