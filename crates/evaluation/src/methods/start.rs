//! Weights that a training starts from.

use crate::error::EvaluationError;
use std::path::Path;
use weightsmith_base_model::{BaseModel, FileError, HostWeights, read_weights};
use weightsmith_tasks::Base;
use weightsmith_training::Start;

/// Weights that a training starts from.
#[derive(Clone, Debug)]
pub enum StartWeights {
    /// Those of a base model, which knows how to read rows.
    Model(Box<BaseModel>),
    /// Numbers alone, see [`Start::Bare`].
    Bare(HostWeights),
}

impl StartWeights {
    pub(super) fn start(&self) -> Start<'_> {
        match self {
            Self::Model(model) => Start::From(model),
            Self::Bare(weights) => Start::Bare(weights),
        }
    }
}

/// Reads weights to start a training from: the file of a base model, or one with the tensors of its layout alone.
///
/// # Errors
/// A file that is neither.
pub fn read_start(path: &Path) -> Result<StartWeights, EvaluationError> {
    let read = match BaseModel::<Base>::load(path) {
        Ok(model) => Ok(StartWeights::Model(Box::new(model))),
        Err(FileError::NotOurFormat { found: None }) => read_weights(path).map(StartWeights::Bare),
        Err(error) => Err(error),
    };
    read.map_err(|source| EvaluationError::Weights { path: path.into(), source })
}
