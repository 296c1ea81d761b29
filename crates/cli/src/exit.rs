//! From an outcome to an exit code and a line on standard error.

use anyhow::Error;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a command that did not fail ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is done.
    Done,
    /// Something that was to be checked does not hold.
    CheckFailed,
}

/// The exit code; an error is told on the way.
pub(crate) fn code(outcome: Result<Outcome, Error>) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::CheckFailed) => ExitCode::from(1),
        // Whoever read standard output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // With standard error gone too, there is nobody left to tell.
            let _ = writeln!(io::stderr(), "error: {}", in_one_line(&error));
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
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
    }
}
