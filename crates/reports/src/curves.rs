//! A picture of curves: one thing over another, a line each, named at its end.

use super::axis::Axis;
use super::picture::{Canvas, INK, MUTED, RULE, Side, dot, drawn, line, write};
use plotters::prelude::RGBColor;

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) label: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) colour: RGBColor,
    /// Pixels.
    pub(super) thickness: u32,
    /// A single point goes on as a level line to the right end, so that others can be seen to cross it.
    pub(super) is_level: bool,
}

/// The whole picture.
pub(super) struct CurvePlot<'a> {
    pub(super) title: &'a str,
    /// What a reader looks for, such as "less is better".
    pub(super) hint: &'a str,
    pub(super) x_label: &'a str,
    pub(super) is_log_x: bool,
    /// Values beyond these are drawn at the edge.
    pub(super) limits: (f64, f64),
    pub(super) x_tick: &'a dyn Fn(f64) -> String,
    /// How a tick is written, if not as a plain number.
    pub(super) y_tick: Option<&'a dyn Fn(f64) -> String>,
    pub(super) curves: &'a [Curve],
}

pub(super) const SIZE: (u32, u32) = (440, 300);
const LEFT: i32 = 50;
const RIGHT: i32 = 104;
const TOP: i32 = 38;
const BOTTOM: i32 = 46;
/// Least distance of two labels.
pub(super) const LABEL_HEIGHT: i32 = 16;

impl CurvePlot<'_> {
    /// What it says in words, and the picture.
    pub(super) fn alone(&self) -> (String, String) {
        let ends = self.curves.iter().filter_map(|curve| {
            let (_, value) = curve.points.last()?;
            Some(format!("{} {}", curve.label, self.y_text(*value, 4)))
        });
        let text = format!("{}: at the end {}", self.title, ends.collect::<Vec<_>>().join(", "));
        (text, drawn(SIZE, |canvas| self.draw(canvas, 0)))
    }

    fn y_text(&self, value: f64, n_decimals: usize) -> String {
        self.y_tick.map_or_else(|| format!("{value:.n_decimals$}"), |text| text(value))
    }

    /// Draws with the upper left corner at `(0, top)`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: i32) {
        let clamp = |value: f64| value.clamp(self.limits.0, self.limits.1);
        // What lies beyond the picture before a curve comes into it says nothing.
        let inside = |curve: &Curve| {
            let begins = curve.points.iter().position(|(_, y)| clamp(*y) == *y).unwrap_or(0);
            curve.points[begins.saturating_sub(1)..].to_vec()
        };
        let shown: Vec<Vec<(f64, f64)>> = self.curves.iter().map(inside).collect();
        let points = || shown.iter().flatten();
        let xs: Vec<f64> = points().map(|(x, _)| *x).filter(|x| !self.is_log_x || *x > 0.0).collect();
        let x_axis = if self.is_log_x { Axis::log(&xs) } else { Axis::linear(&xs) };
        let y_axis = Axis::linear(&points().map(|(_, y)| clamp(*y)).collect::<Vec<_>>());
        let width = SIZE.0 as i32 - LEFT - RIGHT;
        let (first, last) = (top + TOP, top + SIZE.1 as i32 - BOTTOM);
        // A logarithm has no 0: what took no time lies at the left edge.
        let x_of = |x: f64| {
            let place = if self.is_log_x && x <= 0.0 { 0.0 } else { x_axis.place(x) };
            LEFT + (place * f64::from(width)).round() as i32
        };
        let y_of = |y: f64| last - (y_axis.place(clamp(y)) * f64::from(last - first)).round() as i32;

        write(canvas, self.title, (0, top + 14), Side::Right, (15, INK, true));
        write(canvas, self.hint, (SIZE.0 as i32, top + 14), Side::Left, (13, MUTED, false));
        let n_decimals = y_axis.n_decimals();
        for &tick in &y_axis.ticks {
            line(canvas, vec![(LEFT, y_of(tick)), (LEFT + width, y_of(tick))], RULE, 1);
            write(
                canvas,
                &self.y_text(tick, n_decimals),
                (LEFT - 6, y_of(tick)),
                Side::Left,
                (12, MUTED, false),
            );
        }
        for &tick in &x_axis.ticks {
            line(canvas, vec![(x_of(tick), last), (x_of(tick), last + 4)], RULE, 1);
            write(canvas, &(self.x_tick)(tick), (x_of(tick), last + 15), Side::Centre, (12, MUTED, false));
        }
        write(canvas, self.x_label, (LEFT + width / 2, last + 34), Side::Centre, (12, MUTED, false));
        // The first is drawn last, over the others.
        for (curve, points) in self.curves.iter().zip(&shown).rev() {
            let mut path: Vec<(i32, i32)> = points.iter().map(|(x, y)| (x_of(*x), y_of(*y))).collect();
            if let (&[at], true) = (path.as_slice(), curve.is_level) {
                dot(canvas, at, 5, curve.colour);
                line(canvas, vec![(LEFT, at.1), at], curve.colour, 1);
                path.push((LEFT + width, at.1));
            }
            line(canvas, path, curve.colour, curve.thickness);
        }
        let ends: Vec<i32> =
            self.curves.iter().map(|curve| curve.points.last().map_or(last, |(_, y)| y_of(*y))).collect();
        for ((idx, curve), y) in self.curves.iter().enumerate().zip(apart(&ends, first, last)) {
            write(canvas, &curve.label, (LEFT + width + 6, y), Side::Right, (12, curve.colour, idx == 0));
        }
    }
}

/// Places of labels, each as near to its line's end as the others allow.
pub(super) fn apart(ends: &[i32], first: i32, last: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by_key(|&idx| ends[idx]);
    let mut places = ends.to_vec();
    let mut lowest = first;
    for &idx in &order {
        places[idx] = places[idx].max(lowest);
        lowest = places[idx] + LABEL_HEIGHT;
    }
    let mut highest = last.max(first + LABEL_HEIGHT * (ends.len() as i32 - 1));
    for &idx in order.iter().rev() {
        places[idx] = places[idx].min(highest);
        highest = places[idx] - LABEL_HEIGHT;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_overlap() {
        let mut places = apart(&[50, 52, 51, 100, 99], 40, 110);
        places.sort_unstable();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= LABEL_HEIGHT), "{places:?}");
        assert!(places[0] >= 40 && places[4] <= 110, "{places:?}");
    }
}
