//! The binary, as a person or a program meets it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod bad_input;
mod evaluating;
mod everywhere;
mod good_input;
mod outputs;
mod run;
mod runs;
mod scoring;
mod selecting;
