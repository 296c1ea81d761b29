//! The outer loop: optimiser steps on the parameters of a metamodel.

mod adamw;
mod beside;
mod config;
mod muon;
mod stream;
mod trainer;

pub use adamw::Moments;
pub use beside::{BESIDE_AT_MOST_ONE_IN, Beside};
pub use config::{CoolDown, OuterConfig, OuterConfigError, OuterOptimiser, Shapes, StepRule};
pub use stream::{EncodedTask, TaskStream, encode_task};
pub use trainer::{Observer, QueryLosses, StepReport, TrainState, Trainer, Validation, query_losses};
