//! What a training of a base model is decided from, and what there is to decide.
//!
//! [`Space`] is the factorial space of recipes, [`Plan`] one of its points; [`task_features`] describes the short rows
//! of a task by named numbers, each documented in [`FEATURES`].
//!
//! This crate trains nothing and stores nothing.

mod decision;
mod features;
mod space;

pub use decision::{Decision, GENERATED_VIEWS};
pub use features::{FEATURES, Feature, FeatureError, TaskFeatures, loss_unit, task_features};
pub use space::{Beginning, Factor, N_FACTORS, Plan, Space};
