//! The base model from outside: its forward pass, its file, hostile files, and the NumPy reader.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod files;
mod forward;
mod hostile;
mod intervals;
mod models;
mod numpy;
