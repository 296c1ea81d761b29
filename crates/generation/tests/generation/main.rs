//! Generation from outside: laws that hold whatever the metamodel's parameters are, its untrained head, and
//! tables at the limits of what it takes. All with freshly drawn parameters: nothing here depends on a training.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod columns;
mod edges;
mod forest_distillation;
mod large;
mod laws;
mod linear_head;
mod models;
mod never_worse;
mod offsets;
mod steps;
#[path = "../../../metamodel/tests/tables/mod.rs"]
mod tables;
mod wild;
