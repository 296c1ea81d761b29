//! Weights that a training starts from.

use weightsmith_base_model::{BaseModel, HostWeights};
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
