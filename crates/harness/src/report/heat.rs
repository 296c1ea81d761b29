//! A picture of a plane through weight space: the darker, the lower the loss.

use super::picture::{ACCENT, Canvas, IN_MEMORY, INK, MUTED, SECOND, Side, dot, drawn, line, write};
use crate::weight_space::Slice;
use plotters::prelude::*;

const SIZE: (u32, u32) = (440, 400);
const TOP: i32 = 38;
const BOTTOM: i32 = 26;
/// Shades from the highest to the lowest loss.
const N_SHADES: f64 = 12.0;
/// The strongest shade; what is drawn over it must be seen.
const MOST: f64 = 0.55;

/// What the picture says in words, and the picture; `format` writes a loss.
pub(super) fn plane(slice: &Slice, format: &dyn Fn(f64) -> String) -> (String, String) {
    let svg = drawn(SIZE, |canvas| draw(canvas, slice, format));
    ("the loss on a plane through the generated and the trained weights, with the optimiser's path".into(), svg)
}

fn draw(canvas: &Canvas<'_>, slice: &Slice, format: &dyn Fn(f64) -> String) {
    let (first, last) = (TOP, SIZE.1 as i32 - BOTTOM);
    // One scale for both axes, so that distances can be compared.
    let extent = |places: &[f64]| (places[0], places[places.len() - 1]);
    let ((x_low, x_high), (y_low, y_high)) = (extent(&slice.xs), extent(&slice.ys));
    let scale = (f64::from(SIZE.0) / (x_high - x_low)).min(f64::from(last - first) / (y_high - y_low));
    let left = (f64::from(SIZE.0) - scale * (x_high - x_low)) / 2.0;
    let x_of = |x: f64| (left + (x - x_low) * scale).round() as i32;
    let y_of = |y: f64| last - ((y - y_low) * scale).round() as i32;

    write(canvas, "loss on a plane of weights", (0, 14), Side::Right, (15, INK, true));
    write(canvas, "darker is better", (SIZE.0 as i32, 14), Side::Left, (13, MUTED, false));
    let losses = || slice.losses.iter().flatten().copied();
    let (least, most) = (losses().fold(f64::INFINITY, f64::min), losses().fold(0.0, f64::max));
    let height = |loss: f64| (loss.max(1e-9) / least.max(1e-9)).ln();
    let half = |places: &[f64]| (places[1] - places[0]) / 2.0;
    let (dx, dy) = (half(&slice.xs), half(&slice.ys));
    for (&y, row) in slice.ys.iter().zip(&slice.losses) {
        for (&x, &loss) in slice.xs.iter().zip(row) {
            // Square root: most of what matters lies near the lowest loss.
            let depth = 1.0 - (height(loss) / height(most).max(1e-9)).clamp(0.0, 1.0).sqrt();
            let shade = (depth * N_SHADES).round() / N_SHADES * MOST;
            let corners = [(x_of(x - dx), y_of(y + dy)), (x_of(x + dx), y_of(y - dy))];
            canvas.draw(&Rectangle::new(corners, ACCENT.mix(shade).filled())).expect(IN_MEMORY);
        }
    }
    let path: Vec<(i32, i32)> = slice.steps.iter().map(|step| (x_of(step.x), y_of(step.y))).collect();
    let start = path.first().copied();
    path.iter().for_each(|at| dot(canvas, *at, 2, SECOND));
    line(canvas, path, SECOND, 2);
    let named = |at: (i32, i32), text: &str, colour: RGBColor| {
        dot(canvas, at, 6, colour);
        let (side, shift) = if at.0 > SIZE.0 as i32 * 2 / 3 { (Side::Left, -11) } else { (Side::Right, 11) };
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
