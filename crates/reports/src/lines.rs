//! A picture of figures against the number of support rows, a line a model.

use super::axis::Axis;
use super::curves::apart;
use super::picture::{ACCENT, Canvas, INK, MUTED, RULE, SECOND, Side, THIRD, dot, line, write};
use plotters::prelude::RGBColor;

/// One model.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) label: String,
    /// Support rows and figure, by support rows.
    pub(super) points: Vec<(usize, f64)>,
}

/// The whole picture.
pub(super) struct LinePlot<'a> {
    pub(super) title: &'a str,
    pub(super) hint: &'a str,
    pub(super) series: &'a [Series],
}

pub(super) const SIZE: (u32, u32) = (440, 300);
const LEFT: i32 = 46;
const RIGHT: i32 = 152;
const TOP: i32 = 40;
const BOTTOM: i32 = 44;

impl LinePlot<'_> {
    /// Draws with the upper left corner at `(0, top)`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: i32) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let axis = Axis::linear(&points().map(|(_, value)| *value).collect::<Vec<_>>());
        let mut sizes: Vec<usize> = points().map(|(size, _)| *size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let width = SIZE.0 as i32 - LEFT - RIGHT;
        let (first, last) = (top + TOP, top + SIZE.1 as i32 - BOTTOM);
        let gap = (sizes.len() as i32 - 1).max(1);
        let x_of = |size: usize| {
            let place = sizes.iter().position(|other| *other == size).unwrap_or(0) as i32;
            LEFT + 12 + place * (width - 24) / gap
        };
        let y_of = |value: f64| last - (axis.place(value) * f64::from(last - first)).round() as i32;

        write(canvas, self.title, (0, top + 14), Side::Right, (15, INK, true));
        write(canvas, self.hint, (SIZE.0 as i32, top + 14), Side::Left, (13, MUTED, false));
        let n_decimals = axis.n_decimals();
        for &tick in &axis.ticks {
            let y = y_of(tick);
            line(canvas, vec![(LEFT, y), (LEFT + width, y)], RULE, 1);
            write(canvas, &format!("{tick:.n_decimals$}"), (LEFT - 8, y), Side::Left, (12, MUTED, false));
        }
        for &size in &sizes {
            write(canvas, &size.to_string(), (x_of(size), last + 16), Side::Centre, (12, MUTED, false));
        }
        write(canvas, "support rows", (LEFT + width / 2, last + 34), Side::Centre, (12, MUTED, false));
        // The lead is drawn last, over the others.
        for (idx, series) in self.series.iter().enumerate().rev() {
            let (colour, thickness) = style(idx, &series.label);
            let path: Vec<(i32, i32)> =
                series.points.iter().map(|(size, value)| (x_of(*size), y_of(*value))).collect();
            path.iter().for_each(|at| dot(canvas, *at, if idx == 0 { 4 } else { 3 }, colour));
            line(canvas, path, colour, thickness);
        }
        let ends: Vec<i32> = self
            .series
            .iter()
            .map(|series| series.points.last().map_or(last, |(_, value)| y_of(*value)))
            .collect();
        for ((idx, series), y) in self.series.iter().enumerate().zip(apart(&ends, first, last)) {
            let (colour, _) = style(idx, &series.label);
            write(canvas, &series.label, (LEFT + width + 6, y), Side::Right, (12, colour, idx == 0));
        }
    }
}

/// Colour and thickness of a line: the lead, its control and its strongest opponents stand out.
fn style(idx: usize, label: &str) -> (RGBColor, u32) {
    match label {
        _ if idx == 0 => (ACCENT, 3),
        "adam-tuned" | "baseline:mlp_adam_tuned" => (SECOND, 2),
        "linear-tuned" | "baseline:linear" => (THIRD, 2),
        "untrained" => (INK, 2),
        _ => (MUTED, 1),
    }
}
