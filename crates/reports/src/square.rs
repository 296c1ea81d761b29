//! The frame of a picture whose axes to the right and upwards are the same.

use super::axis::Axis;
use super::picture::{Canvas, MUTED, RULE, Side, line, write};

/// Of the whole picture.
pub(super) const SIZE: (u32, u32) = (420, 448);
pub(super) const LEFT: i32 = 48;
pub(super) const TOP: i32 = 72;
pub(super) const SIDE: i32 = 328;

/// The square itself, below the titles.
pub(super) struct Square {
    axis: Axis,
    pub(super) right: i32,
    top: i32,
    pub(super) bottom: i32,
}

impl Square {
    /// One that holds these values, in a picture with the upper left corner at `(0, top)`.
    pub(super) fn of(values: &[f64], top: i32) -> Self {
        let top = top + TOP;
        Self { axis: Axis::linear(values), right: LEFT + SIDE, top, bottom: top + SIDE }
    }

    /// Where a pair of values lies.
    pub(super) fn at(&self, right: f64, up: f64) -> (i32, i32) {
        let place = |value: f64| (self.axis.place(value) * f64::from(SIDE)).round() as i32;
        (LEFT + place(right), self.bottom - place(up))
    }

    /// Draws ticks, and the diagonal on which both values are equal.
    pub(super) fn draw(&self, canvas: &Canvas<'_>) {
        let &Self { right, top, bottom, .. } = self;
        let n_decimals = self.axis.n_decimals();
        for &tick in &self.axis.ticks {
            let text = format!("{tick:.n_decimals$}");
            let (x, y) = self.at(tick, tick);
            line(canvas, vec![(x, top), (x, bottom)], RULE, 1);
            line(canvas, vec![(LEFT, y), (right, y)], RULE, 1);
            write(canvas, &text, (x, bottom + 14), Side::Centre, (12, MUTED, false));
            write(canvas, &text, (LEFT - 6, y), Side::Left, (12, MUTED, false));
        }
        line(canvas, vec![(LEFT, bottom), (right, top)], MUTED, 1);
    }
}
