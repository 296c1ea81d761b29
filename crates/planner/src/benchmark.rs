//! Measuring the planner: how well losses are predicted, and what its decisions are worth beside other strategies.

pub(crate) mod assess;
pub(crate) mod held_out;
mod portfolio;
pub(crate) mod strategies;
pub(crate) mod strategy;
pub(crate) mod summary;
