//! Runs as the rows of the level above: the only place where a level is raised.
//!
//! [`lift`] makes recorded runs on data of one level the rows of a support of the level above, for a learner that names
//! itself first, and refuses whatever would let a label leak: mixed splits, held-out data sets, runs that the learner
//! descends from. [`Lineage`] follows the parents of runs to any depth. A test over the sources holds every other crate to
//! asking here.
//!
//! This crate stores nothing and trains nothing.

mod lift;
mod lineage;

pub use lift::{AnyRun, FEWEST_ROWS, Learner, LiftError, Lifted, Moment, Run, RunRow, RunRows, lift};
pub use lineage::Lineage;
