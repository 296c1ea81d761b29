//! A picture of what was foreseen against what came, a dot a look at a run.

use super::axis::Axis;
use super::picture::{ACCENT, Canvas, IN_MEMORY, INK, MUTED, RULE, SECOND, Side, drawn, line, write};
use plotters::prelude::{Circle, Color};

/// What was foreseen of a look, the ends of its interval, and what came.
pub(super) type Look = [f64; 4];

pub(super) const SIZE: (u32, u32) = (420, 448);
const LEFT: i32 = 48;
const TOP: i32 = 72;
const SIDE: i32 = 328;

/// The picture by itself.
pub(super) fn alone(looks: &[Look]) -> String {
    drawn(SIZE, |canvas| draw(looks, canvas, 0))
}

/// Draws with the upper left corner at `(0, top)`.
pub(super) fn draw(looks: &[Look], canvas: &Canvas<'_>, top: i32) {
    let values: Vec<f64> = looks.iter().flat_map(|look| [look[0], look[3]]).collect();
    let axis = Axis::linear(&values);
    let place = |value: f64| (axis.place(value) * f64::from(SIDE)).round() as i32;
    let (x_of, y_of) = (|value| LEFT + place(value), |value| top + TOP + SIDE - place(value));
    let (right, bottom) = (LEFT + SIDE, top + TOP + SIDE);
    write(canvas, "foreseen and realised losses", (0, top + 14), Side::Right, (15, INK, true));
    let hint = "natural logarithms of shares of the base loss";
    write(canvas, hint, (0, top + 34), Side::Right, (12, MUTED, false));
    let n_decimals = axis.n_decimals();
    for &tick in &axis.ticks {
        let text = format!("{tick:.n_decimals$}");
        line(canvas, vec![(x_of(tick), top + TOP), (x_of(tick), bottom)], RULE, 1);
        line(canvas, vec![(LEFT, y_of(tick)), (right, y_of(tick))], RULE, 1);
        write(canvas, &text, (x_of(tick), bottom + 14), Side::Centre, (12, MUTED, false));
        write(canvas, &text, (LEFT - 6, y_of(tick)), Side::Left, (12, MUTED, false));
    }
    line(canvas, vec![(LEFT, bottom), (right, top + TOP)], MUTED, 1);
    write(canvas, "realised ↑", (0, top + 58), Side::Right, (12, INK, true));
    write(canvas, "outside its interval", (right, top + 58), Side::Left, (12, SECOND, false));
    write(canvas, "foreseen →", (right, bottom + 34), Side::Left, (12, ACCENT, true));
    for [mean, low, high, came] in looks {
        let colour = if (low..=high).contains(&came) { ACCENT } else { SECOND };
        let at = (x_of(*mean), y_of(*came));
        canvas.draw(&Circle::new(at, 2, colour.mix(0.5).filled())).expect(IN_MEMORY);
    }
}
