//! A picture of what was foreseen against what came, a dot a look at a run.

use super::picture::{ACCENT, Canvas, IN_MEMORY, INK, MUTED, SECOND, Side, drawn, write};
use super::square::{SIZE, Square};
use plotters::prelude::{Circle, Color};

/// What was foreseen of a look, the ends of its interval, and what came.
pub(super) type Look = [f64; 4];

/// The picture by itself.
pub(super) fn alone(looks: &[Look]) -> String {
    drawn(SIZE, |canvas| draw(looks, canvas, 0))
}

/// Draws with the upper left corner at `(0, top)`.
pub(super) fn draw(looks: &[Look], canvas: &Canvas<'_>, top: i32) {
    let values: Vec<f64> = looks.iter().flat_map(|look| [look[0], look[3]]).collect();
    let square = Square::of(&values, top);
    write(canvas, "foreseen and realised losses", (0, top + 14), Side::Right, (15, INK, true));
    let hint = "natural logarithms of shares of the base loss";
    write(canvas, hint, (0, top + 34), Side::Right, (12, MUTED, false));
    square.draw(canvas);
    write(canvas, "realised ↑", (0, top + 58), Side::Right, (12, INK, true));
    write(canvas, "outside its interval", (square.right, top + 58), Side::Left, (12, SECOND, false));
    write(canvas, "foreseen →", (square.right, square.bottom + 34), Side::Left, (12, ACCENT, true));
    for [mean, low, high, came] in looks {
        let colour = if (low..=high).contains(&came) { ACCENT } else { SECOND };
        let at = square.at(*mean, *came);
        canvas.draw(&Circle::new(at, 2, colour.mix(0.5).filled())).expect(IN_MEMORY);
    }
}
