//! What a command runs in: how its result is printed, how much is said beside it, and whether it is to stop.

use crate::exit::{self, Outcome};
use crate::interrupt::Interrupt;
use crate::print;
use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use weightsmith_datasets::Note;

/// How much is said on standard error beside errors.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Nothing.
    Quiet,
    /// Notes, warnings and progress.
    Usual,
    /// These in full, and what is done on the way.
    Verbose,
}

/// What a command runs in.
#[derive(Debug)]
pub(crate) struct Session {
    /// Whether a result is printed as JSON.
    json: bool,
    verbosity: Verbosity,
    pub(crate) interrupt: Interrupt,
}

impl Session {
    pub(crate) fn new(json: bool, verbosity: Verbosity, interrupt: Interrupt) -> Self {
        Self { json, verbosity, interrupt }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Prints a result on standard output: as one JSON object on one line, or in words.
    pub(crate) fn print(&self, json: &impl Serialize, words: impl FnOnce() -> String) -> Result<()> {
        print::to(&mut io::stdout().lock(), self.text(json, words)?.as_bytes())
    }

    /// Prints a result on standard error, for standard output holds the file that was asked for; in words only where
    /// anything is to be said.
    pub(crate) fn print_aside(&self, json: &impl Serialize, words: impl FnOnce() -> String) -> Result<()> {
        if self.is_quiet() && !self.json {
            return Ok(());
        }
        print::to(&mut io::stderr().lock(), self.text(json, words)?.as_bytes())
    }

    fn text(&self, json: &impl Serialize, words: impl FnOnce() -> String) -> Result<String> {
        Ok(if self.json { format!("{}\n", serde_json::to_string(json)?) } else { words() })
    }

    /// What to know of how a table was read: a line each on standard error, warnings last, where they are seen.
    pub(crate) fn notes(&self, notes: &[Note]) {
        match self.verbosity {
            Verbosity::Quiet => {}
            Verbosity::Usual => print::notes(notes, print::MAX_NOTES),
            Verbosity::Verbose => print::notes(notes, usize::MAX),
        }
    }

    /// A line on standard error about what is done on the way, for whoever asked for it.
    pub(crate) fn detail(&self, words: impl FnOnce() -> String) {
        if self.verbosity == Verbosity::Verbose {
            // With standard error gone, there is nobody left to tell.
            let _ = writeln!(io::stderr(), "{}", words());
        }
    }

    /// How a command ends that Ctrl-C stopped after its current step; `what` is there, and how to go on.
    pub(crate) fn end_interrupted(&self, what: &str) -> Outcome {
        exit::tell(&format!("interrupted: {what}"), exit::CHECK_FAILED, self.json);
        Outcome::CheckFailed
    }

    /// A bar with the time left; hidden where standard error is no terminal.
    pub(crate) fn bar(&self, n_all: u64, unit: &str) -> ProgressBar {
        let target = if io::stderr().is_terminal() && !self.is_quiet() {
            ProgressDrawTarget::stderr_with_hz(4)
        } else {
            ProgressDrawTarget::hidden()
        };
        let template = format!("{{wide_bar}} {{pos}}/{{len}} {unit}, {{eta}} left  {{msg}}");
        let style = ProgressStyle::with_template(&template).expect("the template above is well formed");
        ProgressBar::with_draw_target(Some(n_all), target).with_style(style)
    }

    /// A line of progress on standard error, above the bar if there is one.
    pub(crate) fn line(&self, bar: &ProgressBar, text: &str) {
        if self.is_quiet() {
            return;
        }
        if bar.is_hidden() {
            let _ = writeln!(io::stderr(), "{text}");
        } else {
            bar.println(text);
        }
    }
}
