//! The small network whose weights are generated: how a table becomes its inputs, its shape, its numbers, its
//! predictions, and the one file that holds all of it.
//!
//! An [`Encoding`] fitted on support rows turns a table into rows of numbers. An [`Architecture`] gives widths
//! and the activation, [`Weights`] the numbers as tensors, [`HostWeights`] the same numbers as plain arrays.
//! [`predict`] is a function of weights and rows. [`BaseModel`] is everything together and owns the
//! `.safetensors` file.
//!
//! This crate does not know the metamodel, does not train, and reads no CSV.

mod architecture;
mod description;
mod encoding;
mod file;
mod held_out_errors;
mod host_weights;
mod intervals;
mod model;
mod numbers;
mod prediction_file;
mod predictions;
mod target_unit;
mod text;
mod weights;

pub use architecture::{Activation, Architecture, ArchitectureError, MAX_WEIGHTS};
pub use description::{Description, InputDescription, ScoreDescription, TensorDescription, TextDescription};
pub use encoding::{
    EncodedColumn, Encoding, EncodingError, EncodingLimits, Fitted, Joined, Rows, Transform, View,
};
pub use file::{FileError, Precision, StoredError, inspect, read_weights};
pub use held_out_errors::{HeldOutErrors, TooFewHeldOut};
pub use host_weights::{HostLayer, HostWeights, Matrix};
pub use intervals::{Bounds, IntervalError};
pub use model::{BaseModel, ExpectedMetric, ExpectedPerformance, ModelError, Provenance, SupportInfo};
pub use prediction_file::{Beside, as_written, predictions_csv, predictions_csv_of};
pub use predictions::{Predicted, Predictions};
pub use target_unit::TargetUnit;
pub use text::{FittedText, MAX_CHARACTERS, MAX_NGRAMS, Ngrams, TextColumn};
pub use weights::{HiddenLayer, Weights, predict};
pub use weightsmith_kernels::{DeviceError, open_device};
