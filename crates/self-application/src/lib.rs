//! From runs to tasks, and from tasks to the next run: a metamodel's own trainings become part of what it learns from.
//!
//! [`lift`] makes runs on data of one level the rows of the level above; it is the only place where a level is raised, and a
//! test over the sources keeps it so. [`OuterRecipe`] is what there is to decide about the training of a metamodel,
//! [`propose`] searches for the recipe of which a generated predictor foresees the least loss, and [`gate`] decides whether
//! what came of it takes the place of what was there.
//!
//! This crate stores nothing and trains nothing.

mod gate;
mod lift;
mod lineage;
mod propose;
mod recipes;

pub use gate::{AS_GOOD, CHEAPER, Contest, Verdict, gate};
pub use lift::{AnyRun, FEWEST_ROWS, Learner, LiftError, Lifted, Moment, Run, RunRow, RunRows, lift};
pub use lineage::Lineage;
pub use propose::{N_SCANNED, Proposal, propose};
pub use recipes::{CostRange, FACTORS, Factor, Levels, OuterRecipe, recipe_table};
