//! The metamodel of weightsmith: a hypernetwork that reads support rows and writes, in one forward pass, the weights
//! of a small network, whose last layer is solved in closed form.
//!
//! [`EncodedSupport`] → [`SupportBatch`] → [`Summary`] → [`Generated`], each arrow one function. `generate` makes a
//! whole base model out of a support, with all its views.
//!
//! This crate does not know priors, optimisers, run records or files other than the metamodel's own.

mod checkpoint;
mod config;
mod decoder;
mod distil;
mod encoder;
mod figures;
mod forest;
mod generate;
mod head;
mod landmarks;
mod layers;
mod metamodel;
mod params;
mod support;
mod units;
mod views;

pub use checkpoint::{Checkpoint, CheckpointError, NamedArray, Pretrained, TRAINING_PREFIX};
pub use config::{ConfigError, MetamodelConfig, limits};
pub use encoder::Summary;
pub use generate::{
    GenerateError, GenerateInfo, GenerateOptions, LandmarkFigures, generate_base_model, landmark_figures,
    untrained_base_model,
};
pub use head::{Generated, GeneratedInfo};
pub use metamodel::{Metamodel, MetamodelError};
pub use params::{MetaParams, ParamEntry};
pub use support::{EncodedSupport, HeadRows, Labels, SupportBatch};
