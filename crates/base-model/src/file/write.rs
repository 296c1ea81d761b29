//! From a base model to bytes.

use super::{FORMAT, FORMAT_VERSION, FileError, MAX_FILE_BYTES, MAX_HEADER_BYTES, Precision};
use crate::model::BaseModel;
use half::{bf16, f16};
use serde::Serialize;
use std::collections::BTreeMap;
use weightsmith_tasks::Level;

#[derive(Serialize)]
struct TensorEntry {
    dtype: &'static str,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

#[derive(Serialize)]
#[serde(untagged)]
enum HeaderEntry {
    Metadata(BTreeMap<&'static str, String>),
    Tensor(TensorEntry),
}

pub(super) fn to_bytes<L: Level>(model: &BaseModel<L>, precision: Precision) -> Result<Vec<u8>, FileError> {
    model.validate()?;
    let mut header = BTreeMap::from([("__metadata__".to_string(), HeaderEntry::Metadata(metadata(model)))]);
    let mut data = Vec::new();
    for (name, shape, values) in model.weights.named() {
        let start = data.len();
        let stored_as = precision.of_tensor(&name);
        for &value in values {
            if !push(&mut data, value, stored_as) {
                return Err(FileError::NotRepresentable { tensor: name, value, precision });
            }
        }
        let data_offsets = [start, data.len()];
        let entry = TensorEntry { dtype: stored_as.dtype(), shape, data_offsets };
        header.insert(name, HeaderEntry::Tensor(entry));
    }
    let mut header = json(&header).into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let size = header.len() as u64;
    if size > MAX_HEADER_BYTES {
        return Err(FileError::HeaderTooLarge { size, limit: MAX_HEADER_BYTES });
    }
    if 8 + size + data.len() as u64 > MAX_FILE_BYTES {
        return Err(FileError::TooLarge { limit: MAX_FILE_BYTES });
    }
    let mut bytes = Vec::with_capacity(8 + header.len() + data.len());
    bytes.extend(size.to_le_bytes());
    bytes.extend(header);
    bytes.extend(data);
    Ok(bytes)
}

fn metadata<L: Level>(model: &BaseModel<L>) -> BTreeMap<&'static str, String> {
    let mut metadata = BTreeMap::from([
        ("format", FORMAT.to_string()),
        ("format_version", FORMAT_VERSION.to_string()),
        ("level", L::DEPTH.to_string()),
        ("task_type", model.task_type.to_string()),
        ("class_names", json(&model.class_names)),
        ("encoding", json(&model.encoding)),
        ("architecture", json(&model.architecture)),
        ("metamodel", json(&model.provenance)),
        ("support", json(&model.support)),
    ]);
    if let Some(unit) = &model.target_unit {
        metadata.insert("target_unit", json(unit));
    }
    if let Some(expected) = &model.expected {
        metadata.insert("expected_performance", json(expected));
    }
    if let Some(errors) = &model.held_out {
        metadata.insert("held_out_errors", json(errors));
    }
    metadata
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("these types have string keys and no failing part")
}

/// Appends a number; false if it is beyond the precision's range.
fn push(data: &mut Vec<u8>, value: f32, precision: Precision) -> bool {
    match precision {
        Precision::F32 => data.extend(value.to_le_bytes()),
        Precision::F16 => {
            let half = f16::from_f32(value);
            data.extend(half.to_le_bytes());
            return half.is_finite();
        }
        Precision::Bf16 => {
            let half = bf16::from_f32(value);
            data.extend(half.to_le_bytes());
            return half.is_finite();
        }
    }
    true
}
