//! The progress of a training on standard error.

use crate::session::Session;
use indicatif::ProgressBar;
use std::io::IsTerminal;
use weightsmith_training::{StepReport, Validation};

/// Steps between two lines where there is no terminal for a bar.
const LINE_EVERY: u64 = 100;

/// The progress of a training: a bar on a terminal, lines elsewhere.
pub(crate) struct TrainingProgress<'a> {
    session: &'a Session,
    bar: ProgressBar,
    is_terminal: bool,
    n_steps: u64,
    loss: Option<f32>,
    /// Steps whose gradient was not finite.
    n_skipped: u64,
}

impl<'a> TrainingProgress<'a> {
    pub(crate) fn new(session: &'a Session, n_steps: u64) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { session, bar: session.bar(n_steps, "steps"), is_terminal, n_steps, loss: None, n_skipped: 0 }
    }

    pub(crate) fn step(&mut self, report: &StepReport, tasks_per_second: f64) {
        self.outer_step(report.step, report.loss, report.skipped, tasks_per_second);
    }

    /// After an outer step with a loss; `skipped` where its gradient was not finite.
    pub(crate) fn outer_step(&mut self, step: u64, loss: f32, skipped: bool, tasks_per_second: f64) {
        self.n_skipped += u64::from(skipped);
        if self.loss.is_none() {
            // Steps of an earlier run say nothing about the time that is left.
            self.bar.set_position(step.saturating_sub(1));
            self.bar.reset_eta();
        }
        let smooth = self.loss.map_or(loss, |before| 0.98 * before + 0.02 * loss);
        self.loss = Some(smooth);
        let skipped = match self.n_skipped {
            0 => String::new(),
            n => format!(", {n} steps left out for want of a finite gradient"),
        };
        let text = format!("loss {smooth:.4}, {tasks_per_second:.0} tasks/s{skipped}");
        if self.is_terminal {
            self.bar.set_position(step);
            self.bar.set_message(text);
        } else if step.is_multiple_of(LINE_EVERY) {
            self.line(&format!("step {step} of {}: {text}", self.n_steps));
        }
    }

    pub(crate) fn line(&self, text: &str) {
        self.session.line(&self.bar, text);
    }

    pub(crate) fn validation(&self, validation: &Validation) {
        self.line(&format!(
            "step {}: held-out loss {:.4}, untrained {:.4}",
            validation.step, validation.loss, validation.untrained
        ));
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
