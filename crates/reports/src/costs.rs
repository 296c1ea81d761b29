//! A picture of figures against what they took, a line a run; a run with one figure has a dot.

use super::axis::Axis;
use super::curves::apart;
use super::picture::{
    ACCENT, Canvas, FIFTH, FOURTH, INK, MUTED, RULE, SECOND, Side, THIRD, dot, line, write,
};
use plotters::prelude::RGBColor;

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) label: String,
    /// Its position among all runs, which decides its colour.
    pub(super) run_idx: usize,
    /// What it took, and the figure, ascending in the former.
    pub(super) points: Vec<(f64, f64)>,
}

/// The whole picture.
pub(super) struct CurvePlot<'a> {
    pub(super) title: &'a str,
    /// What a reader looks for, such as "less is better".
    pub(super) hint: &'a str,
    pub(super) below: &'a str,
    pub(super) curves: &'a [Curve],
    /// What all are to be held against, with its name.
    pub(super) level: Option<(&'a str, f64)>,
}

/// Narrow enough that letters stay readable on a phone.
pub(super) const SIZE: (u32, u32) = (430, 360);
const LEFT: i32 = 46;
const TOP: i32 = 62;
const BOTTOM: i32 = 46;
/// Pixels that a letter of a label takes.
const LETTER: f64 = 7.5;
/// Beyond so many runs colours come again, in dashes.
const COLOURS: [RGBColor; 6] = [ACCENT, SECOND, THIRD, FOURTH, FIFTH, INK];
/// Costs farther apart than this factor are shown on a logarithmic axis.
const FAR: f64 = 4.0;
/// Most labels below.
const MOST_TICKS: usize = 6;

impl CurvePlot<'_> {
    /// Draws with the upper left corner at `(0, top)`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: i32) {
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let across = Across::new(&points().map(|(cost, _)| *cost).collect::<Vec<_>>());
        let axis = Axis::linear(&self.values_shown());
        let labels =
            self.curves.iter().map(|curve| curve.label.as_str()).chain(self.level.map(|level| level.0));
        let n_letters = labels.map(|label| label.chars().count()).max().unwrap_or(0);
        let width = SIZE.0 as i32 - LEFT - 10 - (n_letters as f64 * LETTER) as i32;
        let (first, last) = (top + TOP, top + SIZE.1 as i32 - BOTTOM);
        let x_of = |cost: f64| LEFT + 8 + (across.place(cost) * f64::from(width - 16)).round() as i32;
        let y_of = |value: f64| last - (axis.place(value) * f64::from(last - first)).round() as i32;

        write(canvas, self.title, (0, top + 14), Side::Right, (15, INK, true));
        write(canvas, self.hint, (0, top + 34), Side::Right, (13, MUTED, false));
        let n_decimals = axis.n_decimals();
        for &tick in &axis.ticks {
            let y = y_of(tick);
            line(canvas, vec![(LEFT, y), (LEFT + width, y)], RULE, 1);
            write(canvas, &format!("{tick:.n_decimals$}"), (LEFT - 6, y), Side::Left, (12, MUTED, false));
        }
        for &tick in &across.ticks {
            let x = x_of(tick);
            line(canvas, vec![(x, last), (x, last + 4)], MUTED, 1);
            write(canvas, &count(tick), (x, last + 15), Side::Centre, (12, MUTED, false));
        }
        write(canvas, self.below, (LEFT + width / 2, last + 35), Side::Centre, (12, MUTED, false));

        let mut ends = Vec::new();
        if let Some((label, value)) = self.level {
            let y = y_of(value);
            dashed(canvas, &[(LEFT, y), (LEFT + width, y)], MUTED);
            ends.push((label, y, MUTED));
        }
        // The first is drawn last, over the others.
        for curve in self.curves.iter().rev() {
            let colour = COLOURS[curve.run_idx % COLOURS.len()];
            let path: Vec<(i32, i32)> =
                curve.points.iter().map(|(cost, value)| (x_of(*cost), y_of(*value))).collect();
            let Some(&end) = path.last() else { continue };
            ends.push((&curve.label, end.1, colour));
            dot(canvas, end, if path.len() == 1 { 5 } else { 3 }, colour);
            if curve.run_idx < COLOURS.len() {
                line(canvas, path, colour, 2);
            } else {
                dashed(canvas, &path, colour);
            }
        }
        let places = apart(&ends.iter().map(|end| end.1).collect::<Vec<_>>(), first, last);
        for ((label, _, colour), y) in ends.iter().zip(places) {
            write(canvas, label, (LEFT + width + 8, y), Side::Right, (12, *colour, false));
        }
    }

    /// The values that decide the axis: of the first steps, which may be far off, only as much as leaves room for the
    /// rest.
    fn values_shown(&self) -> Vec<f64> {
        let level = self.level.map(|level| level.1);
        let ends = self.curves.iter().filter_map(|curve| Some(curve.points.last()?.1)).chain(level);
        let (least, most) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let span = (most - least).max(1e-3);
        let all = self.curves.iter().flat_map(|curve| &curve.points).map(|(_, value)| *value).chain(level);
        all.map(|value| value.clamp(least - span, most + span)).collect()
    }
}

/// The axis below: logarithmic where costs are far apart.
struct Across {
    linear: Axis,
    /// The ends of a logarithmic axis.
    log: Option<(f64, f64)>,
    ticks: Vec<f64>,
}

impl Across {
    fn new(costs: &[f64]) -> Self {
        // From 0 on, or costs that hardly differ would seem to.
        let linear = Axis::linear(&[costs, &[0.0]].concat());
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        let most = costs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !(least > 0.0 && most / least > FAR) {
            let ticks = linear.ticks.iter().copied().filter(|tick| *tick >= 0.0).collect();
            return Self { linear, log: None, ticks };
        }
        let ticks = |steps: &[f64]| -> Vec<f64> {
            let powers = least.log10().floor() as i32..=most.log10().floor() as i32;
            let ticks = powers.flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
            ticks.filter(|tick| (least * 0.999..=most * 1.001).contains(tick)).collect()
        };
        let many = ticks(&[1.0, 2.0, 5.0]);
        let ticks = if many.len() > MOST_TICKS { ticks(&[1.0]) } else { many };
        Self { linear, log: Some((least.ln(), most.ln())), ticks }
    }

    /// From 0 at the left to 1 at the right.
    fn place(&self, cost: f64) -> f64 {
        match self.log {
            None => self.linear.place(cost),
            Some((low, high)) => ((cost.ln() - low) / (high - low)).clamp(0.0, 1.0),
        }
    }
}

/// A tick as people read it: `50`, `2k`, `1.5M`.
fn count(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{unit}", (scaled * 100.0).round() / 100.0)
}

/// A line of dashes of 5 pixels.
fn dashed(canvas: &Canvas<'_>, path: &[(i32, i32)], colour: RGBColor) {
    const DASH: f64 = 5.0;
    for pair in path.windows(2) {
        let [from, to] = [pair[0], pair[1]].map(|(x, y)| (f64::from(x), f64::from(y)));
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |distance: f64| {
            let share = if length > 0.0 { (distance / length).min(1.0) } else { 0.0 };
            (
                (from.0 + share * (to.0 - from.0)).round() as i32,
                (from.1 + share * (to.1 - from.1)).round() as i32,
            )
        };
        let n_dashes = (length / (2.0 * DASH)).ceil() as usize;
        for dash in (0..n_dashes).map(|dash| dash as f64 * 2.0 * DASH) {
            line(canvas, vec![at(dash), at(dash + DASH)], colour, 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_far_apart_are_on_a_logarithmic_axis() {
        let across = Across::new(&[1000.0, 32_000.0]);
        assert_eq!(across.ticks, [1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0]);
        assert!((across.place(1000.0 * 32f64.sqrt()) - 0.5).abs() < 1e-9);
        assert_eq!(Across::new(&[1.0, 1e6]).ticks.len(), 7);
        assert!(Across::new(&[50.0, 60.0]).log.is_none());
        // A run that has not begun, and no run at all.
        assert!(Across::new(&[0.0, 60.0]).log.is_none() && Across::new(&[]).log.is_none());
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!([50.0, 2000.0, 20_000.0, 1.5e6].map(count), ["50", "2000", "20k", "1.5M"]);
    }

    #[test]
    fn a_bad_start_does_not_flatten_the_rest() {
        let curve = Curve { label: "a".into(), run_idx: 0, points: vec![(1.0, 9.0), (2.0, 0.6), (3.0, 0.5)] };
        let plot = CurvePlot { title: "", hint: "", below: "", curves: &[curve], level: Some(("b", 0.7)) };
        let shown = plot.values_shown();
        assert!(shown.iter().all(|value| *value <= 0.9 + 1e-9), "{shown:?}");
    }
}
