//! A picture of a plane through weight space: the stronger the colour, the lower the loss.

use super::picture::{ACCENT, Canvas, IN_MEMORY, INK, MUTED, SECOND, Side, dot, drawn, line, write};
use plotters::prelude::*;
use weightsmith_evaluation::Slice;

const WIDTH: u32 = 440;
const MAX_HEIGHT: f64 = 400.0;
const TOP: i32 = 38;
const BOTTOM: i32 = 26;
/// Shades from the highest to the lowest loss.
const N_SHADES: f64 = 12.0;
/// The strongest shade; what is drawn over it must be seen.
const MOST: f64 = 0.55;

/// What the picture says in words, and the picture; `format` writes a loss.
pub(super) fn plane(slice: &Slice, format: &dyn Fn(f64) -> String) -> (String, String) {
    let frame = Frame::of(slice);
    let svg = drawn((WIDTH, frame.height), |canvas| draw(canvas, slice, &frame, format));
    (
        "the loss on a plane through the generated and the trained weights, with the optimiser's path".into(),
        svg,
    )
}

/// Where a place on the plane lies in the picture: one scale for both axes, so that distances can be compared.
struct Frame {
    height: u32,
    scale: f64,
    left: f64,
    x_low: f64,
    y_high: f64,
}

impl Frame {
    fn of(slice: &Slice) -> Self {
        let extent = |places: &[f64]| {
            let half = (places[1] - places[0]) / 2.0;
            (places[0] - half, places[places.len() - 1] + half)
        };
        let ((x_low, x_high), (y_low, y_high)) = (extent(&slice.xs), extent(&slice.ys));
        let room = MAX_HEIGHT - f64::from(TOP + BOTTOM);
        let scale = (f64::from(WIDTH) / (x_high - x_low)).min(room / (y_high - y_low));
        let left = (f64::from(WIDTH) - scale * (x_high - x_low)) / 2.0;
        let height = (scale * (y_high - y_low)).round() as u32 + (TOP + BOTTOM) as u32;
        Self { height, scale, left, x_low, y_high }
    }

    fn x(&self, x: f64) -> i32 {
        (self.left + (x - self.x_low) * self.scale).round() as i32
    }

    fn y(&self, y: f64) -> i32 {
        TOP + ((self.y_high - y) * self.scale).round() as i32
    }
}

fn draw(canvas: &Canvas<'_>, slice: &Slice, frame: &Frame, format: &dyn Fn(f64) -> String) {
    let last = frame.height as i32 - BOTTOM;
    let (x_of, y_of) = (|x: f64| frame.x(x), |y: f64| frame.y(y));
    write(canvas, "loss on a plane of weights", (0, 14), Side::Right, (15, INK, true));
    write(canvas, "stronger is better", (WIDTH as i32, 14), Side::Left, (13, MUTED, false));
    let losses = || slice.losses.iter().flatten().copied();
    let (least, most) = (losses().fold(f64::INFINITY, f64::min), losses().fold(0.0, f64::max));
    let height = |loss: f64| (loss.max(1e-9) / least.max(1e-9)).ln();
    // Edges are found once, so that neighbours share them.
    let edges = |places: &[f64], at: &dyn Fn(f64) -> i32| -> Vec<i32> {
        let step = places[1] - places[0];
        (0..=places.len()).map(|idx| at(places[0] + (idx as f64 - 0.5) * step)).collect()
    };
    let (columns, rows) = (edges(&slice.xs, &x_of), edges(&slice.ys, &y_of));
    for (row, losses) in rows.windows(2).zip(&slice.losses) {
        for (column, &loss) in columns.windows(2).zip(losses) {
            // Square root: most of what matters lies near the lowest loss.
            let depth = 1.0 - (height(loss) / height(most).max(1e-9)).clamp(0.0, 1.0).sqrt();
            let shade = (depth * N_SHADES).round() / N_SHADES * MOST;
            let corners = [(column[0], row[1]), (column[1], row[0])];
            canvas.draw(&Rectangle::new(corners, ACCENT.mix(shade).filled())).expect(IN_MEMORY);
        }
    }
    let path: Vec<(i32, i32)> = slice.steps.iter().map(|step| (x_of(step.x), y_of(step.y))).collect();
    let start = path.first().copied();
    path.iter().for_each(|at| dot(canvas, *at, 2, SECOND));
    line(canvas, path, SECOND, 2);
    let named = |at: (i32, i32), text: &str, colour: RGBColor| {
        dot(canvas, at, 6, colour);
        let (side, shift) = if at.0 > WIDTH as i32 * 2 / 3 { (Side::Left, -11) } else { (Side::Right, 11) };
        write(canvas, text, (at.0 + shift, at.1 - 10), side, (13, INK, true));
    };
    if let Some(start) = start {
        named(start, "Adam starts", SECOND);
    }
    named((x_of(slice.trained[0]), y_of(slice.trained[1])), "Adam ends", SECOND);
    named((x_of(0.0), y_of(0.0)), "generated", INK);
    let text = format!("loss from {} to {}", format(least), format(most));
    write(canvas, &text, (0, last + 16), Side::Right, (12, MUTED, false));
}
