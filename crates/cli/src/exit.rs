//! From an outcome to an exit code and a line on standard error.

use anyhow::Error;
use serde_json::json;
use std::io::{self, Write};
use std::process::ExitCode;

/// A check failed, or Ctrl-C was heard.
pub(crate) const CHECK_FAILED: u8 = 1;
/// Misuse or bad input.
const MISUSE: u8 = 2;

/// How a command that did not fail ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is done.
    Done,
    /// Something that was to be checked does not hold.
    CheckFailed,
}

/// The exit code; an error is told on the way.
pub(crate) fn code(outcome: Result<Outcome, Error>, json: bool) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::CheckFailed) => ExitCode::from(CHECK_FAILED),
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&in_one_line(&error), MISUSE, json);
            ExitCode::from(MISUSE)
        }
    }
}

/// Ends the process, as Ctrl-C asks.
pub(crate) fn interrupted(json: bool) -> ! {
    tell("interrupted", CHECK_FAILED, json);
    std::process::exit(CHECK_FAILED.into())
}

/// Tells what clap found wrong with the arguments, or shows the help that was asked for.
pub(crate) fn misuse(error: &clap::Error, json: bool) -> ExitCode {
    if error.use_stderr() && json {
        // The first paragraph says what is wrong; the usage and hints that follow are for people.
        let text = error.render().to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        tell(&on_one_line(first.trim_start_matches("error: ")), MISUSE, true);
        return ExitCode::from(MISUSE);
    }
    // With nobody reading, there is nobody left to tell.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { MISUSE } else { 0 })
}

/// An error, on one line of standard error: in words, or as a JSON object.
pub(crate) fn tell(message: &str, exit_code: u8, json: bool) {
    let line = if json {
        json!({ "error": { "message": message, "exit_code": exit_code } }).to_string()
    } else {
        format!("error: {message}")
    };
    // With standard error gone too, there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Whether a pipe broke that was being written to.
fn is_broken_pipe(error: &Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.into_iter().any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// An error and its causes; a cause that the text before it already ends with is not repeated.
fn in_one_line(error: &Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    on_one_line(&text)
}

fn on_one_line(text: &str) -> String {
    text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn causes_are_told_once_and_on_one_line() {
        let inner = || anyhow!("disk full\n  at block 7");
        let error = Err::<(), _>(inner()).context("cannot write a.csv").unwrap_err();
        assert_eq!(in_one_line(&error), "cannot write a.csv: disk full at block 7");
        let error = Err::<(), _>(anyhow!("disk full")).context("a.csv: disk full").unwrap_err();
        assert_eq!(in_one_line(&error), "a.csv: disk full");
    }

    #[test]
    fn only_a_pipe_that_broke_is_no_error() {
        assert!(is_broken_pipe(&io::Error::from(io::ErrorKind::BrokenPipe).into()));
        assert!(!is_broken_pipe(&io::Error::from(io::ErrorKind::StorageFull).into()));
        let inner: Error = io::Error::from(io::ErrorKind::BrokenPipe).into();
        assert!(is_broken_pipe(&inner.context("cannot write /dev/stdout")));
    }
}
