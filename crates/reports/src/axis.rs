//! Where an axis has its ticks, and where a value lies on it.

/// One axis of a picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    is_log: bool,
    /// Values that get a label, ascending.
    pub(super) ticks: Vec<f64>,
}

impl Axis {
    /// A linear axis that has all values well inside.
    pub(super) fn linear(values: &[f64]) -> Self {
        let (least, most) = range(values);
        // Equal values would make an axis without a length.
        let span = if most > least { most - least } else { most.abs().max(1e-3) * 0.2 };
        let (low, high) = (least - 0.08 * span, most + 0.08 * span);
        let ends = |step: f64| ((low / step).ceil() as i64, (high / step).floor() as i64);
        let mut step = nice_step((high - low) / 4.0);
        if ends(step).0 == ends(step).1 {
            // One tick tells no distance.
            step = nice_step(0.39 * step);
        }
        let (first, last) = ends(step);
        Self { low, high, is_log: false, ticks: (first..=last).map(|k| k as f64 * step).collect() }
    }

    /// A logarithmic axis over whole decades.
    ///
    /// # Panics
    /// If a value is not above 0.
    pub(super) fn log(values: &[f64]) -> Self {
        let (least, most) = range(values);
        assert!(least > 0.0, "a logarithm needs numbers above 0");
        let first = least.log10().floor() as i32;
        let last = (most.log10().ceil() as i32).max(first + 1);
        let ticks: Vec<f64> = (first..=last).map(|power| 10f64.powi(power)).collect();
        Self { low: ticks[0], high: ticks[ticks.len() - 1], is_log: true, ticks }
    }

    /// From 0 at the lower end to 1 at the upper.
    pub(super) fn place(&self, value: f64) -> f64 {
        let scale = |x: f64| if self.is_log { x.ln() } else { x };
        ((scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))).clamp(0.0, 1.0)
    }

    /// Digits after the point that tell the ticks apart.
    pub(super) fn n_decimals(&self) -> usize {
        match self.ticks[..] {
            [first, second, ..] => (-(second - first).log10().floor()).clamp(0.0, 6.0) as usize,
            _ => 3,
        }
    }
}

fn range(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if least <= most { (least, most) } else { (1.0, 2.0) }
}

/// 1, 2 or 5 times a power of ten, not below `step`.
fn nice_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|nice| *nice >= step).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::linear(&[0.713, 0.842]);
        assert_eq!(
            axis.ticks.iter().map(|tick| format!("{tick:.2}")).collect::<Vec<_>>(),
            ["0.75", "0.80", "0.85"]
        );
        assert_eq!(axis.n_decimals(), 2);
        assert!(axis.place(0.713) > 0.0 && axis.place(0.842) < 1.0);
        // Steps of 0.05 would leave 0.2 alone.
        let few = Axis::linear(&[0.16, 0.24]);
        assert_eq!((few.ticks.len(), few.n_decimals()), (5, 2));
        let times = Axis::log(&[0.004, 2.5]);
        assert_eq!(times.ticks.len(), 5);
        assert!((times.place(0.1) - 0.5).abs() < 1e-12);
        assert!(Axis::linear(&[0.5, 0.5]).ticks.len() > 1);
        assert!((Axis::linear(&[]).place(1.5) - 0.5).abs() < 1e-12);
    }
}
