//! From runs to tasks: [`lift`] makes runs on data of one level the short rows of the level above, so that what learns from
//! tables can learn from its own trainings.
//!
//! This is the only crate that raises a level, and a test over the sources keeps it so. It stores nothing and trains nothing.

mod lift;

pub use lift::{LiftError, Lifted, RunRows, lift};
