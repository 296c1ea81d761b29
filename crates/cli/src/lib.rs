//! The command line of weightsmith: arguments, progress, exit codes.
//!
//! Exit codes: 0 done, 1 a check failed, 2 misuse or bad input. Results go to standard output (one JSON object with
//! `--json`), everything else to standard error; an error is one line, `error: ` and what, where, and what to do.
//!
//! This crate decides nothing about models or scores; all of that is in the crates below.

mod arguments;
mod commands;
mod exit;
mod interrupt;
mod methods;
mod outputs;
mod print;
mod progress;

use clap::Parser;
use std::process::ExitCode;

/// Reads the arguments, does what they ask, and tells how it ended.
pub fn run() -> ExitCode {
    // clap itself ends the process: code 0 after help, 2 after misuse.
    exit::code(commands::run(arguments::Arguments::parse()))
}
