//! The metamodel of weightsmith: a hypernetwork that reads support rows and writes, in one forward pass, the weights
//! of a small network, whose last layer is solved in closed form.
//!
//! [`EncodedSupport`] → [`SupportBatch`] → [`Summary`] → [`Generated`], each arrow one function.
//!
//! This crate does not know priors, optimisers, run records or files other than the metamodel's own.

mod checkpoint;
mod config;
mod decoder;
mod encoder;
mod figures;
mod head;
mod landmarks;
mod layers;
mod metamodel;
mod params;
mod solve;
mod support;
mod units;

pub use checkpoint::{Checkpoint, CheckpointError, NamedArray, Pretrained, TRAINING_PREFIX};
pub use config::{ConfigError, MetamodelConfig, limits};
pub use encoder::Summary;
pub use head::{Generated, GeneratedInfo, IN_NO_FOLD};
pub use landmarks::Landmarks;
pub use metamodel::{Metamodel, MetamodelError};
pub use params::{MetaParams, ParamEntry};
pub use support::{EncodedSupport, HeadRows, Labels, SupportBatch, find_landmarks};
pub use units::{Standardised, UNIT_FLOOR, standardised};
