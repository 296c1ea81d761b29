//! The frame that pictures with two axes stand in.

use super::axis::Axis;
use super::{Chart, Ink, SMALL, Side};

/// Pixels between the frame's sides and the first and last value.
const INSET: i32 = 8;

/// Two axes and the room between them.
pub(super) struct Frame {
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) top: i32,
    pub(super) bottom: i32,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Frame {
    pub(super) fn x_of(&self, x: f64) -> i32 {
        let width = self.right - self.left - 2 * INSET;
        self.left + INSET + (self.x.place(x) * f64::from(width)).round() as i32
    }

    pub(super) fn y_of(&self, y: f64) -> i32 {
        self.bottom - (self.y.place(y) * f64::from(self.bottom - self.top)).round() as i32
    }

    pub(super) fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        (self.x_of(x), self.y_of(y))
    }

    /// Draws a level line for each tick upwards, a mark for each tick to the right, all with their labels, and what the
    /// axis to the right is.
    pub(super) fn draw(&self, chart: &mut Chart, x_label: &str) {
        for (tick, label) in &self.y.ticks {
            let y = self.y_of(*tick);
            chart.line(&[(self.left, y), (self.right, y)], Ink::Rule, 1);
            chart.text((self.left - 6, y), Side::Left, SMALL, label);
        }
        for (tick, label) in &self.x.ticks {
            let x = self.x_of(*tick);
            chart.line(&[(x, self.bottom), (x, self.bottom + 4)], Ink::Muted, 1);
            chart.text((x, self.bottom + 15), Side::Centre, SMALL, label);
        }
        chart.text(((self.left + self.right) / 2, self.bottom + 34), Side::Centre, SMALL, x_label);
    }
}
