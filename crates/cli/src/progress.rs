//! Progress on standard error, where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use weightsmith_training::{StepReport, Validation};

/// Steps between two lines where there is no terminal for a bar.
const LINE_EVERY: u64 = 100;

/// A bar with the time left; hidden where standard error is no terminal.
pub(crate) fn bar(n_all: u64, unit: &str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(4)
    } else {
        ProgressDrawTarget::hidden()
    };
    let template = format!("{{wide_bar}} {{pos}}/{{len}} {unit}, {{eta}} left  {{msg}}");
    let style = ProgressStyle::with_template(&template).expect("the template above is well formed");
    ProgressBar::with_draw_target(Some(n_all), target).with_style(style)
}

/// A line on standard error, above the bar if there is one.
pub(crate) fn line(bar: &ProgressBar, text: &str) {
    if bar.is_hidden() {
        // With standard error gone, there is nobody left to tell.
        let _ = writeln!(std::io::stderr(), "{text}");
    } else {
        bar.println(text);
    }
}

/// The progress of a training: a bar on a terminal, lines elsewhere.
pub(crate) struct TrainingProgress {
    bar: ProgressBar,
    is_terminal: bool,
    n_steps: u64,
    loss: Option<f32>,
    /// Steps whose gradient was not finite.
    n_skipped: u64,
}

impl TrainingProgress {
    pub(crate) fn new(n_steps: u64) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { bar: bar(n_steps, "steps"), is_terminal, n_steps, loss: None, n_skipped: 0 }
    }

    pub(crate) fn step(&mut self, report: &StepReport, tasks_per_second: f64) {
        let (step, loss) = (report.step, report.loss);
        self.n_skipped += u64::from(report.skipped);
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
        line(&self.bar, text);
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
