//! How figures are written on pages, and words that several pages share.

use weightsmith_evaluation::{Metric, metric_text};

/// Fewer tables than this say nothing about others, whatever their interval is.
pub(crate) const FEWEST_TABLES: usize = 10;

/// Which direction is better, for a reader of a picture.
pub(crate) fn direction(metric: Metric) -> &'static str {
    match metric.higher_is_better() {
        Some(true) => "more is better",
        Some(false) => "less is better",
        None => "0.95 is best",
    }
}

/// A share as a percentage, without the sign of a zero.
pub(crate) fn percent(share: f64, n_decimals: usize) -> String {
    let scale = 10f64.powi(n_decimals as i32);
    format!("{:.n_decimals$}%", (100.0 * share * scale).round() / scale + 0.0)
}

/// A difference of a metric with its sign.
pub(crate) fn signed(metric: Metric, value: f64) -> String {
    if metric == Metric::Rmse { with_sign(value, metric_text(metric, value)) } else { difference(value) }
}

/// A difference with its sign.
pub(crate) fn difference(difference: f64) -> String {
    // Without the sign of what rounds to zero.
    let rounded = (1e4 * difference).round() / 1e4 + 0.0;
    with_sign(rounded, format!("{rounded:.4}"))
}

fn with_sign(value: f64, text: String) -> String {
    if value > 0.0 { format!("+{text}") } else { text }
}

/// A count with a comma before every three digits.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number on an axis: `50`, `20k`, `1.5M`.
pub(crate) fn short_count(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{unit}", (scaled * 100.0).round() / 100.0)
}

/// A time on a logarithmic axis.
pub(crate) fn short_seconds(seconds: f64) -> String {
    match seconds {
        s if s < 0.99e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 0.99 => format!("{:.0} ms", s * 1e3),
        s => format!("{s:.0} s"),
    }
}

/// What an interval over tables says of a difference of losses or scores; `less_is_better` of the metric.
pub(crate) fn verdict((low, high): (f64, f64), n_tables: usize, less_is_better: bool) -> &'static str {
    match (low > 0.0, high < 0.0) {
        _ if n_tables < FEWEST_TABLES => "too few tables to tell",
        (false, false) => "no clear difference",
        (is_greater, _) if is_greater == less_is_better => "worse, beyond chance in the tables",
        _ => "better, beyond chance in the tables",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([7, 999, 1000, 1_234_567].map(thousands), ["7", "999", "1,000", "1,234,567"]);
        assert_eq!([50.0, 2000.0, 20_000.0, 1.5e6].map(short_count), ["50", "2000", "20k", "1.5M"]);
        assert_eq!((percent(-0.0001, 1), percent(0.4321, 0)), ("0.0%".into(), "43%".into()));
        assert_eq!([0.25, -0.5, 0.0, -1e-9].map(difference), ["+0.2500", "-0.5000", "0.0000", "0.0000"]);
    }

    #[test]
    fn few_tables_say_nothing() {
        assert_eq!(verdict((0.1, 0.2), 3, true), "too few tables to tell");
        assert!(verdict((0.1, 0.2), 30, true).starts_with("worse"));
        assert!(verdict((0.1, 0.2), 30, false).starts_with("better"));
        assert!(verdict((-0.2, -0.1), 30, true).starts_with("better"));
        assert_eq!(verdict((-0.1, 0.2), 30, true), "no clear difference");
    }
}
