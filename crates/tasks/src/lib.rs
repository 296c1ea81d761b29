//! The host data of weightsmith: typed tables, supervised tasks with their support and query rows, splits of
//! tasks, levels and seeds.
//!
//! A [`Task`] is one supervised problem: a [`Support`] of rows that a metamodel reads and a [`Query`] of
//! rows that its network is scored on. Every carrier has a [`Level`] in its type, so that rows about the
//! world never mix with rows about training runs.
//!
//! This crate does not know tensors, files, or any model.

mod level;
mod seed;
mod statistics;
mod table;
mod task;

pub use level::{Above, Base, Level};
pub use seed::Seed;
pub use statistics::{quantile, r2, softmax};
pub use table::{Column, ColumnType, ColumnValues, Schema, Table, TableError};
pub use task::{Query, Support, Target, Task, TaskError, TaskSplit, TaskType};
