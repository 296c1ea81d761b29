//! How figures are written for people.

use crate::metrics::Metric;

/// Seconds in the unit that suits them.
pub fn seconds_text(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 0.1 => format!("{:.1} ms", s * 1e3),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 100.0 => format!("{s:.2} s"),
        s => format!("{:.1} min", s / 60.0),
    }
}

/// A number of any size and meaning with four digits that count.
pub fn number_text(number: f64) -> String {
    match number.abs() {
        size if size > 0.0 && !(1e-3..1e6).contains(&size) => format!("{number:.3e}"),
        size if size >= 1000.0 || number.fract() == 0.0 => format!("{number:.0}"),
        _ => format!("{number:.4}"),
    }
}

/// A value of a metric with the digits that it deserves.
pub fn metric_text(metric: Metric, value: f64) -> String {
    let has_unit = metric == Metric::Rmse;
    match value.abs() {
        // In the target's unit, of any size: four digits that count.
        size if has_unit && size >= 1000.0 => format!("{value:.0}"),
        size if has_unit && size > 0.0 => {
            let n_decimals = (3.0 - size.log10().floor()).clamp(0.0, 8.0) as usize;
            format!("{value:.n_decimals$}")
        }
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_their_unit() {
        let shown = [2e-5, 0.0042, 0.25, 3.0, 600.0].map(seconds_text);
        assert_eq!(shown, ["20 µs", "4.2 ms", "250 ms", "3.00 s", "10.0 min"]);
    }

    #[test]
    fn numbers_of_any_size() {
        let shown = [0.0, 128.0, 0.41234, 12345.6, 5e-324, 1e300].map(number_text);
        assert_eq!(shown, ["0", "128", "0.4123", "12346", "4.941e-324", "1.000e300"]);
    }

    #[test]
    fn figures_with_a_unit_keep_four_digits() {
        let rmse = [12345.6, 123.456, 0.00123456, 0.0].map(|value| metric_text(Metric::Rmse, value));
        assert_eq!(rmse, ["12346", "123.5", "0.001235", "0.0000"]);
        assert_eq!(metric_text(Metric::Auc, 0.81234), "0.8123");
    }
}
