//! Lifting: recorded trainings as labelled rows, a data set one level above the data that they were trained on.
//!
//! [`lift`] turns runs on data of level `L` into a support of level `L + 1`: each row describes a run, its label is a loss that
//! the run measured. It is the only place that raises a level, and it checks for leaks: runs of different splits, runs on data
//! sets that are held out, and runs that the learner itself was made from are refused. [`Lineage`] holds the ancestors of
//! every run.
//!
//! This crate stores nothing and trains nothing.

mod lift;
mod lineage;

pub use lift::{AnyRun, FEWEST_ROWS, Learner, LiftError, Lifted, Moment, Run, RunRow, RunRows, lift};
pub use lineage::Lineage;
