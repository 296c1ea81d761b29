//! The outer loop: optimiser steps on the parameters of a metamodel.

mod adamw;
mod config;
mod muon;
mod stream;
mod trainer;

pub use adamw::Moments;
pub use config::{CoolDown, OuterConfig, OuterConfigError, OuterOptimiser, Shapes, StepRule};
pub use stream::{EncodedTask, TaskStream, encode_task};
pub use trainer::{Observer, StepReport, TrainState, Trainer, Validation};
