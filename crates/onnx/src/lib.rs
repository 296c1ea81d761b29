//! A base model as an ONNX model: from the columns of a table to predictions, the encoding included, in standard operators.
//!
//! [`to_onnx`] gives the bytes of a file that ONNX Runtime and other programs run. Its operators are those of `ai.onnx` 17
//! and `ai.onnx.ml` 3 alone; its messages are ONNX's own definitions (`proto/onnx-ml.proto`), written by `prost`.
//!
//! # Inputs
//!
//! One for each column that the network reads, under the column's name, `[rows, 1]`: numbers as `double`, where NaN is a
//! missing one, and names as `string`, where the empty text is a missing one.
//!
//! # Outputs
//!
//! | task | output | type and shape |
//! |---|---|---|
//! | classification | `label` | `string`, `[rows]`: the most probable class |
//! | | `probabilities` | `float`, `[rows, classes]`, in the order of the classes |
//! | regression | `prediction` | `double`, `[rows]`, in the target's unit |
//! | | `std` | `double`, `[rows]`: the standard deviation of the errors to expect, where that is known |
//!
//! An output whose name is a column's, too, has underscores behind it until it is not. The model's metadata has
//! `weightsmith.task_type`, `weightsmith.class_names` and, where known, `weightsmith.expected_performance`, the last two in
//! JSON.
//!
//! # Numbers
//!
//! Values are encoded in 64 bits, rounded to 32 as `predict` does, and go through the network in 64; weights are stored in 32.
//!
//! # Text
//!
//! Columns of text have no counterpart: operators of strings match whole texts, split at one separator, or count n-grams of
//! words that are split already. A model that reads text is refused.
//!
//! This crate runs no model and does not know how weights come about.

mod encoding;
mod graph;
mod network;
mod proto;

use crate::graph::Graph;
use crate::proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto, Version};
use prost::Message;
use weightsmith_base_model::BaseModel;
use weightsmith_tasks::TaskType;

/// Why a base model cannot be written as an ONNX model.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// A column without a name cannot be an input.
    #[error("a column that the network reads has no name; an ONNX model needs one for each input")]
    NamelessColumn,
    /// ONNX has no operators that cut text into words and pieces of words.
    #[error(
        "column \"{column}\" is read as text, and ONNX has no standard operators that cut text into words and pieces; predict with \
         weightsmith or docs/predict.py, or generate without --text"
    )]
    Text {
        /// The column of text.
        column: String,
    },
    /// The message is larger than any protobuf reader takes.
    #[error("the model has {size} bytes, and an ONNX file holds at most {limit}")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The most that can be read back.
        limit: usize,
    },
}

/// ONNX's operators as of this version are used.
const OPERATORS: i64 = 17;
/// Its operators of machine learning as of this version.
const ML_OPERATORS: i64 = 3;
/// The oldest version of the file format that has these operators.
const FILE_FORMAT: Version = Version::IrVersion2021730;
/// Protobuf's limit of a message.
const MAX_BYTES: usize = i32::MAX as usize;

/// The bytes of an `.onnx` file; the same model gives the same bytes.
///
/// # Errors
/// A column without a name, a column of text, a model of two gigabytes or more.
pub fn to_onnx(model: &BaseModel) -> Result<Vec<u8>, OnnxError> {
    let inputs = model.encoding.schema();
    if inputs.iter().any(|(name, _)| name.is_empty()) {
        return Err(OnnxError::NamelessColumn);
    }
    if let Some(text) = model.encoding.texts().first() {
        return Err(OnnxError::Text { column: text.column.clone() });
    }
    let mut graph = Graph::new(inputs.iter().map(|(name, _)| name.as_str()));
    let encoded = encoding::add(&mut graph, &model.encoding);
    network::add(&mut graph, model, &encoded);
    let operators = |domain: &str, version: i64| OperatorSetIdProto {
        domain: Some(domain.to_string()),
        version: Some(version),
    };
    let message = ModelProto {
        ir_version: Some(FILE_FORMAT as i64),
        opset_import: vec![operators("", OPERATORS), operators(graph::ML_DOMAIN, ML_OPERATORS)],
        producer_name: Some("weightsmith".to_string()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_string()),
        graph: Some(graph.into_message()),
        metadata_props: metadata(model),
        ..ModelProto::default()
    };
    let size = message.encoded_len();
    if size > MAX_BYTES {
        return Err(OnnxError::TooLarge { size, limit: MAX_BYTES });
    }
    Ok(message.encode_to_vec())
}

fn metadata(model: &BaseModel) -> Vec<StringStringEntryProto> {
    let entry = |key: &str, value: String| StringStringEntryProto {
        key: Some(format!("weightsmith.{key}")),
        value: Some(value),
    };
    let mut entries = vec![entry("task_type", model.task_type.to_string())];
    if model.task_type == TaskType::Classification {
        entries.push(entry("class_names", serde_json::json!(model.class_names).to_string()));
    }
    if let Some(expected) = &model.expected {
        entries.push(entry("expected_performance", serde_json::json!(expected).to_string()));
    }
    entries
}

#[cfg(test)]
mod tests;
