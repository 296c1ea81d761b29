//! The file of a metamodel: the one place that knows its format.
//!
//! A standard safetensors file. Tensors are the parameters by name, matrices `[inputs, outputs]`, in f32, f16 or
//! bf16. The header's metadata has one entry, `weightsmith`, a JSON object:
//!
//! - `format`: `weightsmith-metamodel`
//! - `format_version`: 1
//! - `config`: the [`MetamodelConfig`]
//! - `trained`: how it was trained, text for a person
//!
//! Other arrays that belong to a training (moments of an optimiser, its step) are stored by the same functions under
//! names of their own; a reader of metamodels ignores names that begin with `training.`.

use crate::config::{ConfigError, MetamodelConfig};
use crate::metamodel::{Metamodel, MetamodelError};
use crate::params::MetaParams;
use burn::tensor::Device;
use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use weightsmith_base_model::Precision;
use weightsmith_tasks::TaskType;

const FORMAT: &str = "weightsmith-metamodel";
const FORMAT_VERSION: u32 = 1;
const KEY: &str = "weightsmith";
/// Names of arrays that are no parameters begin with this.
pub const TRAINING_PREFIX: &str = "training.";

/// What is wrong with a metamodel's file.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not a safetensors file, or a damaged one.
    #[error("not a readable safetensors file: {source}")]
    NotSafetensors {
        /// What the reader says.
        source: SafeTensorError,
    },
    /// A safetensors file of something else.
    #[error("not a metamodel's file; base models are read by predict and inspect")]
    NotAMetamodel,
    /// Written by another version of this program.
    #[error("a metamodel's file of format version {found}; this program reads version {FORMAT_VERSION}")]
    WrongVersion {
        /// The version found.
        found: u32,
    },
    /// The header's description cannot be read.
    #[error("the description in the header is damaged: {source}")]
    Description {
        /// What the reader says.
        source: serde_json::Error,
    },
    /// A shape that no metamodel has.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A tensor is missing, or of another shape or type.
    #[error("tensor \"{name}\" is missing or has another shape or type")]
    Tensor {
        /// The tensor's name.
        name: String,
    },
    /// The parameters make no metamodel.
    #[error(transparent)]
    Metamodel(#[from] MetamodelError),
}

#[derive(Serialize, Deserialize)]
struct Description {
    format: String,
    format_version: u32,
    config: MetamodelConfig,
    trained: String,
}

/// A flat array with a name, beside the parameters.
pub type NamedArray = (String, Vec<f32>);

/// What a metamodel's file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Widths and depths.
    pub config: MetamodelConfig,
    /// How it was trained, for a person; a training stores its own description here.
    pub trained: String,
    /// The parameters.
    pub params: MetaParams,
    /// Arrays that are no parameters; their names begin with `training.`.
    pub arrays: Vec<NamedArray>,
}

impl Checkpoint {
    /// The bytes of the file; the same checkpoint gives the same bytes. Arrays stay f32 at any precision.
    ///
    /// # Errors
    /// Tensors that the format cannot hold.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>, SafeTensorError> {
        let description = Description {
            format: FORMAT.into(),
            format_version: FORMAT_VERSION,
            config: self.config.clone(),
            trained: self.trained.clone(),
        };
        let description = serde_json::to_string(&description).expect("a description is plain data");
        let params = self.params.entries.iter().map(|entry| {
            let (dtype, bytes) = encode(self.params.of(entry), precision);
            (entry.name.clone(), dtype, entry.shape.clone(), bytes)
        });
        let arrays = self.arrays.iter().map(|(name, values)| {
            let (dtype, bytes) = encode(values, Precision::F32);
            (name.clone(), dtype, vec![values.len()], bytes)
        });
        let stored: Vec<_> = params.chain(arrays).collect();
        let views = stored
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, SafeTensorError>>()?;
        safetensors::serialize(views, Some(HashMap::from([(KEY.to_string(), description)])))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Anything that is not as this module says.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let failed = |source| CheckpointError::NotSafetensors { source };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(failed)?;
        let description =
            header.metadata().as_ref().and_then(|map| map.get(KEY)).ok_or(CheckpointError::NotAMetamodel)?;
        let description: Description =
            serde_json::from_str(description).map_err(|source| CheckpointError::Description { source })?;
        if description.format != FORMAT {
            return Err(CheckpointError::NotAMetamodel);
        }
        if description.format_version != FORMAT_VERSION {
            return Err(CheckpointError::WrongVersion { found: description.format_version });
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(failed)?;
        let mut params = MetaParams::zeros(&description.config)?;
        for entry in &params.entries {
            let wrong = || CheckpointError::Tensor { name: entry.name.clone() };
            let view = tensors.tensor(&entry.name).map_err(|_| wrong())?;
            if view.shape() != entry.shape {
                return Err(wrong());
            }
            let values = decode(&view).ok_or_else(wrong)?;
            params.values[entry.start..entry.start + entry.len()].copy_from_slice(&values);
        }
        let mut arrays = Vec::new();
        for (name, view) in tensors.iter() {
            if name.starts_with(TRAINING_PREFIX) {
                let wrong = || CheckpointError::Tensor { name: name.to_string() };
                arrays.push((name.to_string(), decode(&view).ok_or_else(wrong)?));
            } else if !params.entries.iter().any(|entry| entry.name == name) {
                return Err(CheckpointError::Tensor { name: name.to_string() });
            }
        }
        arrays.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self { config: description.config, trained: description.trained, params, arrays })
    }
}

fn encode(values: &[f32], precision: Precision) -> (Dtype, Vec<u8>) {
    match precision {
        Precision::F32 => (Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Precision::F16 => (Dtype::F16, values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect()),
        Precision::Bf16 => {
            (Dtype::BF16, values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect())
        }
    }
}

fn decode(view: &TensorView) -> Option<Vec<f32>> {
    let bytes = view.data();
    match view.dtype() {
        Dtype::F32 => Some(bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect()),
        Dtype::F16 => {
            Some(bytes.as_chunks().0.iter().map(|chunk| f16::from_le_bytes(*chunk).to_f32()).collect())
        }
        Dtype::BF16 => {
            Some(bytes.as_chunks().0.iter().map(|chunk| bf16::from_le_bytes(*chunk).to_f32()).collect())
        }
        _ => None,
    }
}

/// A metamodel with its name and the checksum of its file, on a device.
pub struct Pretrained {
    /// What it is called in the files of the base models it makes.
    pub name: String,
    /// SHA-256 of its file, in hexadecimal.
    pub checksum: String,
    /// The metamodel.
    pub metamodel: Metamodel,
}

impl Pretrained {
    /// A metamodel from the bytes of its file.
    ///
    /// # Errors
    /// As [`Checkpoint::from_bytes`], and parameters that are not finite.
    pub fn from_bytes(name: &str, bytes: &[u8], device: &Device) -> Result<Self, CheckpointError> {
        let checkpoint = Checkpoint::from_bytes(bytes)?;
        let metamodel = Metamodel::new(&checkpoint.config, &checkpoint.params, device)?;
        let checksum = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { name: name.to_string(), checksum, metamodel })
    }

    /// What it generates networks for.
    pub fn task_type(&self) -> TaskType {
        self.metamodel.config().task_type
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::Seed;

    fn checkpoint() -> Checkpoint {
        let config = MetamodelConfig::tiny(TaskType::Regression);
        let params = MetaParams::draw(&config, Seed(1)).unwrap();
        let arrays = vec![("training.first".to_string(), vec![1.0, 2.0])];
        Checkpoint { config, trained: "not at all".into(), params, arrays }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let checkpoint = checkpoint();
        let bytes = checkpoint.to_bytes(Precision::F32).unwrap();
        assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), checkpoint);
        assert_eq!(checkpoint.to_bytes(Precision::F32).unwrap(), bytes);
        let half = Checkpoint::from_bytes(&checkpoint.to_bytes(Precision::F16).unwrap()).unwrap();
        for (a, b) in half.params.values.iter().zip(&checkpoint.params.values) {
            assert!((a - b).abs() <= b.abs() * 1e-3 + 1e-7);
        }
    }

    #[test]
    fn damaged_files_are_refused() {
        let bytes = checkpoint().to_bytes(Precision::F32).unwrap();
        let check = |bytes: &[u8]| Checkpoint::from_bytes(bytes).unwrap_err();
        assert!(matches!(check(b""), CheckpointError::NotSafetensors { .. }));
        assert!(matches!(check(&bytes[..bytes.len() - 5]), CheckpointError::NotSafetensors { .. }));
        let text = b"weightsmith-metamodel";
        let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
        let mut other = bytes.clone();
        other[at] = b'W';
        assert!(matches!(check(&other), CheckpointError::NotAMetamodel));
        let mut checkpoint = checkpoint();
        checkpoint.params.values[0] = f32::NAN;
        let bytes = checkpoint.to_bytes(Precision::F32).unwrap();
        let loaded = Pretrained::from_bytes("x", &bytes, &Device::flex());
        assert!(matches!(loaded, Err(CheckpointError::Metamodel(MetamodelError::NotFinite { .. }))));
    }
}
