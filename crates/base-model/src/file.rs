//! The file of a base model: one standard `.safetensors` file that any reader of that format can open.
//!
//! Layout: 8 bytes little-endian length of the header, the header as JSON, padded with spaces to a multiple of
//! 8, then the tensors. Tensors have PyTorch's layout and are sorted by name: `hidden.weight [units, inputs]`,
//! `hidden.bias [units]`, `skip.weight [outputs, inputs]`, `output.weight [outputs, units]`,
//! `output.bias [outputs]`; with several hidden layers `hidden.0.weight` and so on. All are F32, F16 or BF16. A file that is
//! written in half precision has its sensitive tensors in F32 all the same, see [`Precision::of_tensor`].
//!
//! The header's `__metadata__` maps strings to strings:
//!
//! | key | value |
//! |---|---|
//! | `format` | `weightsmith-base-model` |
//! | `format_version` | `2`; `1` is read too |
//! | `level` | what the rows are about, `0` for the world |
//! | `task_type` | `classification` or `regression` |
//! | `class_names` | JSON list, an output each; empty for a regression |
//! | `encoding` | JSON, an [`crate::Encoding`] |
//! | `architecture` | JSON, an [`crate::Architecture`] |
//! | `target_unit` | JSON, a [`crate::TargetUnit`]: a regression's values are `centre + scale * output`, to be computed in 64 bits. Absent for a classification, and where outputs are values already |
//! | `metamodel` | JSON, a [`crate::Provenance`] |
//! | `support` | JSON, a [`crate::SupportInfo`] |
//! | `expected_performance` | JSON, an [`crate::ExpectedPerformance`], or absent |
//! | `held_out_errors` | JSON, a [`crate::HeldOutErrors`], or absent, as in files from before it was written |
//!
//! The `encoding` has the columns of text that inputs are made of in its list `texts`, a [`crate::TextColumn`] each; where
//! there are none, it has no such list, as in files from before.
//!
//! Version 1 knows no `target_unit`: its outputs are values in the target's unit. Nothing else differs.
//!
//! The same model gives the same bytes. Other keys in `__metadata__` are ignored; anything else that is not as
//! written here is refused. `docs/predict.py` is a second, independent reader.

mod read;
mod stored;
mod write;

pub use stored::StoredError;

use crate::description::Description;
use crate::host_weights::HostWeights;
use crate::model::{BaseModel, ModelError};
use half::{bf16, f16};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use weightsmith_runtime::write_atomically;
use weightsmith_tasks::{Base, Level};

const FORMAT: &str = "weightsmith-base-model";
const FORMAT_VERSION: &str = "2";
/// The version whose regressions have values for outputs.
const VERSION_WITHOUT_UNIT: &str = "1";
/// Larger files are refused before they are read.
const MAX_FILE_BYTES: u64 = 1 << 30;
const MAX_HEADER_BYTES: u64 = 64 << 20;

/// How the numbers of a file are stored.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats: exact.
    #[default]
    F32,
    /// 16-bit floats: 11 significant bits, up to 65,504.
    F16,
    /// 16-bit brain floats: 8 significant bits, the range of f32.
    Bf16,
}

impl Precision {
    /// How a tensor of a file in this precision is stored. Half precision is for the large matrices: biases decide where
    /// narrow ramps lie, and the direct path is small and adds up over all inputs.
    pub fn of_tensor(self, name: &str) -> Self {
        if name.ends_with(".bias") || name == "skip.weight" { Self::F32 } else { self }
    }

    /// The number as it is read back; none if it is beyond the range.
    pub(crate) fn rounded(self, value: f32) -> Option<f32> {
        let rounded = match self {
            Self::F32 => value,
            Self::F16 => f16::from_f32(value).to_f32(),
            Self::Bf16 => bf16::from_f32(value).to_f32(),
        };
        rounded.is_finite().then_some(rounded)
    }

    /// The name in the safetensors header.
    fn dtype(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        })
    }
}

/// Why a base model's file cannot be read or written. The caller knows the path.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("cannot {action} the file")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is larger than any base model.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: u64,
    },
    /// The bytes are not in the safetensors format.
    #[error("not a safetensors file: {reason}")]
    NotSafetensors {
        /// What is wrong.
        reason: String,
    },
    /// The file ends early, or has bytes that no tensor claims.
    #[error("the file is truncated or has bytes too many; copy or generate it again")]
    Truncated,
    /// The header claims a size that no base model needs.
    #[error("the header claims {size} bytes, more than {limit}")]
    HeaderTooLarge {
        /// The size claimed.
        size: u64,
        /// The most that is read.
        limit: u64,
    },
    /// A safetensors file of something else.
    #[error("a safetensors file, but not of a weightsmith base model{}", found.as_ref().map_or(String::new(), |found| format!(": its format is {found:?}")))]
    NotOurFormat {
        /// What the file says it is.
        found: Option<String>,
    },
    /// A version this program does not know.
    #[error(
        "format version {found:?} where {expected:?} and {VERSION_WITHOUT_UNIT:?} are known; use the weightsmith that wrote the file"
    )]
    WrongVersion {
        /// The version this program writes.
        expected: &'static str,
        /// The file's version.
        found: String,
    },
    /// The rows of this model are about something else.
    #[error(
        "the model is of level {found} where level {expected} is expected; level 0 is data about the world"
    )]
    WrongLevel {
        /// The level asked for.
        expected: u32,
        /// The file's level.
        found: u32,
    },
    /// An entry of the metadata is absent.
    #[error("the header lacks \"{key}\"")]
    MissingMetadata {
        /// The entry's key.
        key: &'static str,
    },
    /// An entry of the metadata cannot be understood.
    #[error("the header's \"{key}\" is not valid: {reason}")]
    InvalidMetadata {
        /// The entry's key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The architecture has a tensor that the file lacks.
    #[error("tensor \"{name}\" is missing")]
    MissingTensor {
        /// The tensor's name.
        name: String,
    },
    /// The file has a tensor that the architecture lacks.
    #[error("tensor \"{name}\" does not belong to the architecture")]
    ExtraTensor {
        /// The tensor's name.
        name: String,
    },
    /// A tensor has another shape than the architecture says.
    #[error("tensor \"{name}\" has shape {found:?} where {expected:?} is expected")]
    WrongShape {
        /// The tensor's name.
        name: String,
        /// The architecture's shape.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// A tensor is not of floats that are read here.
    #[error("tensor \"{name}\" holds {found} where F32, F16 or BF16 is expected")]
    WrongType {
        /// The tensor's name.
        name: String,
        /// The file's type.
        found: String,
    },
    /// A number is beyond the range of the precision.
    #[error("tensor \"{tensor}\" holds {value:e}, too large for {precision}; use {}", if *precision == Precision::F16 { "bf16 or f32" } else { "f32" })]
    NotRepresentable {
        /// The tensor's name.
        tensor: String,
        /// The number.
        value: f32,
        /// The precision asked for.
        precision: Precision,
    },
    /// The parts do not belong together.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl<L: Level> BaseModel<L> {
    /// Writes the file: first under another name in the same folder, then renamed, so that a file of this name
    /// is always whole.
    ///
    /// # Errors
    /// Parts that do not belong together, numbers beyond the precision's range, a system that refuses.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), FileError> {
        let bytes = self.to_bytes(precision)?;
        write_atomically(path, &bytes).map_err(|source| FileError::Io { action: "write", source })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Anything that is not as this module's format says, or another level than `L`.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        Self::from_bytes(&read_bounded(path)?)
    }

    /// The bytes of the file; the same model gives the same bytes.
    ///
    /// # Errors
    /// Parts that do not belong together, numbers beyond the precision's range.
    pub fn to_bytes(&self, precision: Precision) -> Result<Vec<u8>, FileError> {
        write::to_bytes(self, precision)
    }

    /// A model from the bytes of a file.
    ///
    /// # Errors
    /// As [`BaseModel::load`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FileError> {
        let parsed = read::parse::<L>(bytes)?;
        if parsed.level != L::DEPTH {
            return Err(FileError::WrongLevel { expected: L::DEPTH, found: parsed.level });
        }
        Ok(parsed.model)
    }
}

/// What a file of any level holds, with the precision it is stored in.
///
/// # Errors
/// As [`BaseModel::load`], except that every level is read.
pub fn inspect(path: &Path) -> Result<Description, FileError> {
    // The level is only told here; no model leaves this function.
    let parsed = read::parse::<Base>(&read_bounded(path)?)?;
    Ok(Description::new(&parsed.model, parsed.level, |name| {
        parsed.precisions.get(name).copied().unwrap_or_default()
    }))
}

/// Reads the numbers of a network from a file that has the tensors of the layout and says nothing about rows, such as one
/// that PyTorch wrote. The shapes are the architecture; the activation is ReLU, or what the metadata's `activation` says.
///
/// # Errors
/// Anything that is not in the layout.
pub fn read_weights(path: &Path) -> Result<HostWeights, FileError> {
    read::parse_bare(&read_bounded(path)?)
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Io { action: "read", source };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(FileError::TooLarge { limit: MAX_FILE_BYTES });
    }
    Ok(bytes)
}
