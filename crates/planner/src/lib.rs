//! Deciding how a base model comes to its weights.
//!
//! [`Space`] is the factorial space of recipes, [`Plan`] one of its points, [`Decision`] to generate or to train by one;
//! [`task_features`] describes the short rows of a task by named numbers, each documented in [`FEATURES`]. A [`PerformancePredictor`]
//! foresees from both what the loss on long rows will be after so many steps: its [`LinearPredictor`] scores every plan there is
//! ([`search()`]), its networks judge the best.
//!
//! This crate trains nothing and stores nothing.

mod decision;
mod features;
mod linear;
mod predictor;
mod search;
mod sight;
mod space;
#[cfg(test)]
mod testing;

pub use decision::Decision;
pub use features::{
    FEATURES, Feature, FeatureError, TaskFeatures, base_loss, deviation, loss_unit, task_features,
};
pub use linear::LinearPredictor;
pub use predictor::{
    Calibration, Candidate, Foresight, Judged, N_JUDGED, PerformancePredictor, PredictorError,
    mean_and_deviation, of_each_kind, opinions, opinions_of_rows,
};
pub use search::{Scored, Searched, search};
pub use sight::{DECISION_COLUMNS, PROBE_COLUMNS, Probe, Prospect, probed_table, prospect_table};
pub use space::{Beginning, Factor, N_FACTORS, Plan, Space};
