//! A summary as text.

use super::{ModelSummary, Paired, Summary, SummaryBlock};
use crate::figures::{metric_text, seconds_text};
use crate::statistics::Interval;
use std::fmt;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = &self.first_error {
            writeln!(f, "{} rows with an error, the first: {first}\n", self.n_errors)?;
        }
        for block in &self.blocks {
            writeln!(f, "{block}")?;
        }
        if self.blocks.iter().any(|block| !block.paired.is_empty()) {
            let share = 100.0 * self.bootstrap.level;
            writeln!(
                f,
                "differences are means over tables, with their {share:.0}% intervals ({} draws of the tables) and the \
                 tables won, tied and lost\n",
                self.bootstrap.n_resamples
            )?;
        }
        writeln!(f, "median processor time from rows to weights")?;
        for (n_support, models) in &self.seconds {
            let times: Vec<String> =
                models.iter().map(|(model, s)| format!("{model} {}", seconds_text(*s))).collect();
            writeln!(f, "  {n_support:>4} rows: {}", times.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for SummaryBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, n_support, metric, n_tables, .. } = self;
        let tables = if *n_tables == 1 { "table" } else { "tables" };
        write!(f, "{task}, {n_support} support rows, {}, {n_tables} {tables}", metric.label())?;
        if let Some(distance) = self.critical_difference {
            write!(f, "; mean ranks less than {distance:.2} apart may differ by chance")?;
        }
        writeln!(f)?;
        let lead = self.paired.first();
        let against = lead.map_or_else(String::new, |paired| format!("   {} against it", paired.model));
        writeln!(f, "  {:<26} {:>8} {:>8} {:>10}{against}", "", "mean", "median", "mean rank")?;
        for model in &self.models {
            let ModelSummary { model, mean, median, mean_rank } = model;
            let [mean, median] = [mean, median].map(|value| metric_text(*metric, *value));
            write!(f, "  {model:<26} {mean:>8} {median:>8} {mean_rank:>10.2}")?;
            match self.paired.iter().find(|paired| paired.other == *model) {
                Some(paired) => writeln!(f, "   {paired}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Paired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.4}", self.mean_difference)?;
        if let Some(Interval { low, high }) = self.interval {
            write!(f, " ({low:+.4} to {high:+.4})")?;
        }
        write!(f, ", {}/{}/{}", self.wins, self.ties, self.losses)
    }
}
