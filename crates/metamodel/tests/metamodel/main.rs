//! The metamodel from outside: laws that hold whatever its parameters are, its gradient, its untrained head, and
//! tables at the limits of what it takes. All with freshly drawn parameters: nothing here depends on a training.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod edges;
mod gradient;
mod laws;
mod linear_head;
mod second_opinion;
mod tables;
