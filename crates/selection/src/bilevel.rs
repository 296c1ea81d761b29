//! Training-data selection by bilevel optimisation: a model is trained on weighted rows, and what weights them is trained by how the
//! model, one step ahead, does on rows known to be clean.

mod meta;
mod model;

pub use meta::{Gsnr, Hypergradient, MetaConfig, MetaFeatures, MetaTrainer, model_features};
pub(crate) use model::SoftmaxModel;
