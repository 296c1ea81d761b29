//! Where an axis has its ticks, and where a value lies on it.

use crate::words::short_count;

/// Costs farther apart than this factor are shown on a logarithmic axis.
const FAR: f64 = 4.0;
/// Most ticks that are no powers of ten.
const MOST_TICKS: usize = 6;

/// How values lie between the ends.
#[derive(Clone, Debug, PartialEq)]
enum Scale {
    Linear,
    Log,
    /// The values there are, at equal distances.
    Places(Vec<f64>),
}

/// One axis of a picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
    /// Values that get a label, ascending, with their labels.
    pub(super) ticks: Vec<(f64, String)>,
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
        let n_decimals = (-(step * 1.000_001).log10().floor()).clamp(0.0, 6.0) as usize;
        let tick = |k: i64| (k as f64 * step, format!("{:.n_decimals$}", k as f64 * step));
        Self { low, high, scale: Scale::Linear, ticks: (first..=last).map(tick).collect() }
    }

    /// A logarithmic axis over whole decades. Values that are not above 0 lie at its lower end.
    pub(super) fn decades(values: &[f64]) -> Self {
        let positive: Vec<f64> = values.iter().copied().filter(|value| *value > 0.0).collect();
        let (least, most) = range(&positive);
        let first = least.log10().floor() as i32;
        let last = (most.log10().ceil() as i32).max(first + 1);
        let ticks: Vec<f64> = (first..=last).map(|power| 10f64.powi(power)).collect();
        Self { low: ticks[0], high: ticks[ticks.len() - 1], scale: Scale::Log, ticks: labelled(ticks) }
    }

    /// From 0 on, or costs that hardly differ would seem to; logarithmic where they are far apart.
    pub(super) fn costs(costs: &[f64]) -> Self {
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        let most = costs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !(least > 0.0 && most / least > FAR) {
            let linear = Self::linear(&[costs, &[0.0]].concat());
            let ticks = linear.ticks.iter().map(|(tick, _)| *tick).filter(|tick| *tick >= 0.0).collect();
            return Self { ticks: labelled(ticks), ..linear };
        }
        let ticks = |steps: &[f64]| -> Vec<f64> {
            let powers = least.log10().floor() as i32..=most.log10().floor() as i32;
            let ticks = powers.flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
            ticks.filter(|tick| (least * 0.999..=most * 1.001).contains(tick)).collect()
        };
        let many = ticks(&[1.0, 2.0, 5.0]);
        let ticks = if many.len() > MOST_TICKS { ticks(&[1.0]) } else { many };
        Self { low: least, high: most, scale: Scale::Log, ticks: labelled(ticks) }
    }

    /// The values there are, at equal distances.
    pub(super) fn places(values: &[f64]) -> Self {
        let mut places = values.to_vec();
        places.sort_unstable_by(f64::total_cmp);
        places.dedup();
        let ticks = labelled(places.clone());
        let (low, high) = range(&places);
        Self { low, high, scale: Scale::Places(places), ticks }
    }

    /// The same axis with other labels.
    pub(super) fn with_labels(mut self, label: Option<&dyn Fn(f64) -> String>) -> Self {
        if let Some(label) = label {
            self.ticks.iter_mut().for_each(|(tick, text)| *text = label(*tick));
        }
        self
    }

    /// From 0 at the lower end to 1 at the upper.
    pub(super) fn place(&self, value: f64) -> f64 {
        match &self.scale {
            Scale::Linear => ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0),
            Scale::Log if value <= 0.0 => 0.0,
            Scale::Log => ((value / self.low).ln() / (self.high / self.low).ln()).clamp(0.0, 1.0),
            Scale::Places(places) => {
                let place = places.iter().position(|other| *other == value).unwrap_or(0);
                place as f64 / (places.len() as f64 - 1.0).max(1.0)
            }
        }
    }
}

fn labelled(ticks: Vec<f64>) -> Vec<(f64, String)> {
    ticks.into_iter().map(|tick| (tick, short_count(tick))).collect()
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

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::linear(&[0.713, 0.842]);
        assert_eq!(labels(&axis), ["0.75", "0.80", "0.85"]);
        assert!(axis.place(0.713) > 0.0 && axis.place(0.842) < 1.0);
        // Steps of 0.05 would leave 0.2 alone.
        assert_eq!(labels(&Axis::linear(&[0.16, 0.24])), ["0.16", "0.18", "0.20", "0.22", "0.24"]);
        let times = Axis::decades(&[0.0, 0.004, 2.5]);
        assert_eq!((times.ticks.len(), times.place(0.0)), (5, 0.0));
        assert!((times.place(0.1) - 0.5).abs() < 1e-12);
        assert!(Axis::linear(&[0.5, 0.5]).ticks.len() > 1);
        assert!((Axis::linear(&[]).place(1.5) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn costs_far_apart_are_on_a_logarithmic_axis() {
        let axis = Axis::costs(&[1000.0, 32_000.0]);
        assert_eq!(labels(&axis), ["1000", "2000", "5000", "10k", "20k"]);
        assert!((axis.place(1000.0 * 32f64.sqrt()) - 0.5).abs() < 1e-9);
        assert_eq!(Axis::costs(&[1.0, 1e6]).ticks.len(), 7);
        assert_eq!(Axis::costs(&[50.0, 60.0]).scale, Scale::Linear);
        // A run that has not begun, and no run at all.
        assert_eq!(Axis::costs(&[0.0, 60.0]).scale, Scale::Linear);
        assert_eq!(Axis::costs(&[]).scale, Scale::Linear);
    }

    #[test]
    fn places_are_at_equal_distances() {
        let axis = Axis::places(&[128.0, 32.0, 64.0, 32.0]);
        assert_eq!(labels(&axis), ["32", "64", "128"]);
        assert_eq!([32.0, 64.0, 128.0].map(|value| axis.place(value)), [0.0, 0.5, 1.0]);
        assert_eq!(Axis::places(&[7.0]).place(7.0), 0.0);
    }
}
