//! Meta-learned initialisations: parameters of a small network from which a few gradient steps are enough for any task of a
//! family.
//!
//! Networks are small and computed by plain loops with derivatives by hand, which is faster for them than any tensor library.

mod combine;
mod config;
mod family;
mod file;
mod mlp;
mod number;
mod ridge_head;
mod sinusoids;
mod start;
mod tables;
mod trainer;
mod unrolled;

#[cfg(test)]
mod testing;

pub use combine::{Conflict, combine, conflict};
pub use config::{AdamConfig, Combine, InnerConfig, StartConfig, StartConfigError};
pub use family::{Family, FamilyConfig};
pub use file::{StartFile, StartFileError};
pub use mlp::{Batch, Loss, Mlp};
pub use number::Number;
pub use sinusoids::{LARGEST_INPUT, Sinusoid, SinusoidFamily};
pub use start::{LearnedStart, StartAlgorithm};
pub use tables::{Canonical, TableFamilyConfig, Unit, one_against_rest};
pub use trainer::{StartObserver, StartState, StartStep, StartTrainer, StartValidation};
pub use unrolled::{Episode, InnerSteps, MetaGradient, Order};
