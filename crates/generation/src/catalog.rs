//! The metamodels that are shipped inside the binary, and loading one by name or path.

use burn::tensor::Device;
use std::path::{Path, PathBuf};
use weightsmith_metamodel::{CheckpointError, Pretrained};
use weightsmith_tasks::TaskType;

/// A metamodel in the binary.
#[derive(Copy, Clone, Debug)]
pub struct Shipped {
    /// Its folder under `models/`.
    pub name: &'static str,
    /// What it generates networks for.
    pub task_type: TaskType,
    bytes: &'static [u8],
}

macro_rules! shipped {
    ($name:literal, $task_type:ident) => {
        Shipped {
            name: $name,
            task_type: TaskType::$task_type,
            bytes: include_bytes!(concat!("../../../models/", $name, "/metamodel.safetensors")),
        }
    };
}

/// All shipped metamodels; the first of a task type is its default.
pub fn shipped() -> &'static [Shipped] {
    &[
        shipped!("classification-3", Classification),
        shipped!("regression-3", Regression),
        shipped!("classification-2-small", Classification),
        shipped!("regression-2-small", Regression),
    ]
}

/// Why a metamodel cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Neither a shipped name nor a file.
    #[error("there is no metamodel \"{choice}\": no file of that name, and shipped are {}", names())]
    Unknown {
        /// What was asked for.
        choice: String,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no metamodel.
    #[error("{}: {source}", path.display())]
    Damaged {
        /// The file, or the shipped name.
        path: PathBuf,
        /// What is wrong.
        source: CheckpointError,
    },
}

fn names() -> String {
    shipped().iter().map(|shipped| shipped.name).collect::<Vec<_>>().join(", ")
}

/// The metamodel called `choice` (a shipped name, or the path of a file), or the default of a task type.
///
/// # Errors
/// An unknown name, a file that cannot be read or is no metamodel.
pub fn load_metamodel(
    choice: Option<&str>,
    task_type: TaskType,
    device: &Device,
) -> Result<Pretrained, CatalogError> {
    let by_name = shipped().iter().find(|shipped| match choice {
        Some(choice) => shipped.name == choice,
        None => shipped.task_type == task_type,
    });
    if let Some(shipped) = by_name {
        return parse(shipped.name, shipped.bytes, Path::new(shipped.name), device);
    }
    let choice = choice.unwrap_or_default();
    let path = Path::new(choice);
    if !path.is_file() {
        return Err(CatalogError::Unknown { choice: choice.to_string() });
    }
    let bytes = std::fs::read(path)
        .map_err(|source| CatalogError::Unreadable { path: path.to_path_buf(), source })?;
    let name =
        path.file_stem().map_or_else(|| choice.to_string(), |stem| stem.to_string_lossy().into_owned());
    parse(&name, &bytes, path, device)
}

fn parse(name: &str, bytes: &[u8], path: &Path, device: &Device) -> Result<Pretrained, CatalogError> {
    let damaged = |source| CatalogError::Damaged { path: path.to_path_buf(), source };
    Pretrained::from_bytes(name, bytes, device).map_err(damaged)
}
