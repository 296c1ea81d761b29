//! The outer loop: optimiser steps on the parameters of a metamodel.

mod adamw;
mod auxiliary;
mod config;
mod muon;
mod stream;
mod through_steps;
mod trainer;

pub use adamw::Moments;
pub use auxiliary::{AUXILIARY_AT_MOST_ONE_IN, AuxiliaryTasks};
pub use config::{CoolDown, OuterConfig, OuterConfigError, OuterOptimiser, Shapes, StepRule};
pub use stream::{EncodedTask, TaskStream, encode_task};
pub use through_steps::ThroughSteps;
pub use trainer::{Observer, QueryLosses, StepReport, TrainState, Trainer, Validation, query_losses};
