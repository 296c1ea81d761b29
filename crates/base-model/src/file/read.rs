//! From bytes to a base model; every claim of the file is checked before it is used.

use super::{FORMAT, FORMAT_VERSION, FileError, MAX_HEADER_BYTES, Precision, VERSION_WITHOUT_UNIT};
use crate::architecture::{Activation, Architecture};
use crate::host_weights::HostWeights;
use crate::model::{BaseModel, ModelError};
use half::{bf16, f16};
use safetensors::tensor::{Dtype, Metadata};
use safetensors::{SafeTensorError, SafeTensors};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use weightsmith_tasks::{Level, TaskType};

pub(super) struct Parsed<L: Level> {
    /// The level that the file states; the caller compares it with `L`.
    pub(super) level: u32,
    pub(super) model: BaseModel<L>,
    pub(super) precisions: BTreeMap<String, Precision>,
}

pub(super) fn parse<L: Level>(bytes: &[u8]) -> Result<Parsed<L>, FileError> {
    let (header, data) = split(bytes)?;
    let empty = HashMap::new();
    let entries = Entries(header.metadata().as_ref().unwrap_or(&empty));
    match entries.0.get("format") {
        Some(format) if format == FORMAT => {}
        found => return Err(FileError::NotOurFormat { found: found.cloned() }),
    }
    let found = entries.text("format_version")?;
    if found != FORMAT_VERSION && found != VERSION_WITHOUT_UNIT {
        return Err(FileError::WrongVersion { expected: FORMAT_VERSION, found: found.to_string() });
    }
    let level = entries.text("level")?;
    let level = level
        .parse()
        .map_err(|_| FileError::InvalidMetadata { key: "level", reason: format!("{level:?}") })?;
    let task_type: TaskType =
        entries.text("task_type")?.parse().map_err(|error| invalid("task_type", &error))?;
    let architecture: Architecture = entries.json("architecture")?;
    // Before any size of the architecture is used.
    architecture.validate().map_err(ModelError::from)?;
    let (weights, precisions) = tensors(&architecture, &header, data)?;
    let expected = entries.0.contains_key("expected_performance");
    let held_out = entries.0.contains_key("held_out_errors");
    let has_unit = found == FORMAT_VERSION && entries.0.contains_key("target_unit");
    let model = BaseModel {
        encoding: entries.json("encoding")?,
        architecture,
        task_type,
        class_names: entries.json("class_names")?,
        weights,
        target_unit: has_unit.then(|| entries.json("target_unit")).transpose()?,
        provenance: entries.json("metamodel")?,
        support: entries.json("support")?,
        expected: expected.then(|| entries.json("expected_performance")).transpose()?,
        held_out: held_out.then(|| entries.json("held_out_errors")).transpose()?,
        level: PhantomData,
    };
    model.validate()?;
    Ok(Parsed { level, model, precisions })
}

/// The numbers of a network without anything about its rows: a file with the tensors of the layout and no metadata but,
/// perhaps, `activation`. The shapes are the architecture.
pub(super) fn parse_bare(bytes: &[u8]) -> Result<HostWeights, FileError> {
    let (header, data) = split(bytes)?;
    let empty = HashMap::new();
    let entries = Entries(header.metadata().as_ref().unwrap_or(&empty));
    let activation = match entries.0.get("activation").map(String::as_str) {
        None | Some("relu") => Activation::Relu,
        Some("tanh") => Activation::Tanh,
        Some("gelu") => Activation::Gelu,
        Some(other) => {
            let reason = format!("{other:?} is none of relu, tanh and gelu");
            return Err(FileError::InvalidMetadata { key: "activation", reason });
        }
    };
    let infos = header.tensors();
    let shape = |name: &str| infos.get(name).map(|info| info.shape.as_slice());
    let sizes = |name: &str| match shape(name) {
        Some(&[n_rows, n_columns]) => Ok(Some((n_rows, n_columns))),
        Some(found) => Err(FileError::WrongShape {
            name: name.to_string(),
            expected: vec![found.first().copied().unwrap_or(1), found.get(1).copied().unwrap_or(1)],
            found: found.to_vec(),
        }),
        None => Ok(None),
    };
    let missing = |name: &str| FileError::MissingTensor { name: name.to_string() };
    let mut layers: Vec<(usize, usize)> = sizes("hidden.weight")?.into_iter().collect();
    // Several layers are numbered from 0; a single one has no number.
    let mut numbered = Vec::new();
    while let Some(layer) = sizes(&format!("hidden.{}.weight", numbered.len()))? {
        numbered.push(layer);
    }
    layers.extend(numbered);
    let skip = sizes("skip.weight")?;
    let n_inputs = layers.first().or(skip.as_ref()).ok_or_else(|| missing("hidden.weight"))?.1;
    let n_outputs = shape("output.bias").and_then(|shape| shape.first().copied());
    let architecture = Architecture {
        n_inputs,
        hidden: layers.iter().map(|layer| layer.0).collect(),
        n_outputs: n_outputs.ok_or_else(|| missing("output.bias"))?,
        activation,
        skip: skip.is_some(),
    };
    architecture.validate().map_err(ModelError::from)?;
    Ok(tensors(&architecture, &header, data)?.0)
}

/// The header, and the bytes of the tensors.
fn split(bytes: &[u8]) -> Result<(Metadata, &[u8]), FileError> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(FileError::Truncated);
    };
    let size = u64::from_le_bytes(*length);
    if rest.first().is_some_and(|first| *first != b'{') {
        let reason = "the header does not begin with a brace".to_string();
        return Err(FileError::NotSafetensors { reason });
    }
    if size > MAX_HEADER_BYTES {
        return Err(FileError::HeaderTooLarge { size, limit: MAX_HEADER_BYTES });
    }
    match SafeTensors::read_metadata(bytes) {
        Ok((n_header, header)) => Ok((header, &rest[n_header..])),
        Err(SafeTensorError::InvalidHeaderLength | SafeTensorError::MetadataIncompleteBuffer) => {
            Err(FileError::Truncated)
        }
        Err(error) => Err(FileError::NotSafetensors { reason: error.to_string() }),
    }
}

/// The header's map of strings to strings.
struct Entries<'a>(&'a HashMap<String, String>);

impl Entries<'_> {
    fn text(&self, key: &'static str) -> Result<&str, FileError> {
        self.0.get(key).map(String::as_str).ok_or(FileError::MissingMetadata { key })
    }

    fn json<T: DeserializeOwned>(&self, key: &'static str) -> Result<T, FileError> {
        serde_json::from_str(self.text(key)?).map_err(|error| invalid(key, &error))
    }
}

fn invalid(key: &'static str, error: &impl ToString) -> FileError {
    FileError::InvalidMetadata { key, reason: error.to_string() }
}

type Tensors = (HostWeights, BTreeMap<String, Precision>);

fn tensors(architecture: &Architecture, header: &Metadata, data: &[u8]) -> Result<Tensors, FileError> {
    let infos = header.tensors();
    let expected = architecture.tensors();
    let mut names: Vec<&String> = infos.keys().collect();
    names.sort();
    if let Some(name) = names.into_iter().find(|name| !expected.iter().any(|(known, _)| known == *name)) {
        return Err(FileError::ExtraTensor { name: name.clone() });
    }
    let mut precisions = BTreeMap::new();
    let weights = HostWeights::from_named(architecture, |name, shape| {
        let info = infos.get(name).ok_or_else(|| FileError::MissingTensor { name: name.to_string() })?;
        if info.shape != shape {
            return Err(FileError::WrongShape {
                name: name.to_string(),
                expected: shape.to_vec(),
                found: info.shape.clone(),
            });
        }
        // The offsets were checked against shape, type and the length of the file.
        let bytes = &data[info.data_offsets.0..info.data_offsets.1];
        let (precision, values) = match info.dtype {
            Dtype::F32 => (Precision::F32, numbers(bytes, f32::from_le_bytes)),
            Dtype::F16 => (Precision::F16, numbers(bytes, |two| f16::from_le_bytes(two).to_f32())),
            Dtype::BF16 => (Precision::Bf16, numbers(bytes, |two| bf16::from_le_bytes(two).to_f32())),
            other => {
                return Err(FileError::WrongType { name: name.to_string(), found: format!("{other:?}") });
            }
        };
        precisions.insert(name.to_string(), precision);
        Ok(values)
    })?;
    Ok((weights, precisions))
}

fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| number(*chunk)).collect()
}
