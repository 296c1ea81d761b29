//! The command line of weightsmith: arguments, progress, exit codes.
//!
//! Exit codes: 0 done, 1 a check failed or Ctrl-C, 2 misuse or bad input. Results go to standard output (one JSON object with
//! `--json`), everything else to standard error; an error is one line, the last: `error: ` and what, where, and what to do,
//! or with `--json` an object `{"error": {"message": …, "exit_code": …}}`. With `--out -` standard output is the file that
//! was asked for, and what would be printed there goes to standard error.
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
mod session;

use crate::arguments::Arguments;
use crate::interrupt::Interrupt;
use crate::session::Session;
use clap::Parser;
use std::env;
use std::process::ExitCode;

/// Reads the arguments, does what they ask, and tells how it ended.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // What is wrong is told as it was asked for, as far as that can be seen.
        Err(error) => return exit::misuse(&error, env::args_os().any(|argument| argument == "--json")),
    };
    let (json, verbosity) = (arguments.output.json, arguments.output.verbosity());
    let outcome = Interrupt::listen(json)
        .and_then(|interrupt| commands::run(&arguments.command, &Session::new(json, verbosity, interrupt)));
    exit::code(outcome, json)
}
