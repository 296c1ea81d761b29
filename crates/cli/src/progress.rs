//! Progress on standard error, where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};

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
