//! A picture with a line a model: a dot for the figure, a bar for its interval.

use super::axis::Axis;
use super::picture::{ACCENT, Canvas, INK, MUTED, RULE, Side, dot, line, write};

/// One line of the picture.
#[derive(Clone, Debug)]
pub(super) struct Dot {
    pub(super) label: String,
    pub(super) value: f64,
    /// The interval; both ends equal the value where there is none.
    pub(super) ends: (f64, f64),
    pub(super) is_lead: bool,
}

/// The whole picture.
pub(super) struct DotPlot<'a> {
    pub(super) title: &'a str,
    /// What a reader looks for, such as "less is better".
    pub(super) hint: &'a str,
    pub(super) dots: &'a [Dot],
    /// Values beyond these are drawn at the edge, with a mark; their figures stand beside them.
    pub(super) limits: (f64, f64),
    pub(super) is_log: bool,
    pub(super) format: &'a dyn Fn(f64) -> String,
    /// How a tick is written, if not as a value.
    pub(super) tick: Option<&'a dyn Fn(f64) -> String>,
}

pub(super) const WIDTH: u32 = 440;
/// A picture that reaches as far as its values.
pub(super) const NO_LIMITS: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
const LEFT: i32 = 118;
const RIGHT: i32 = 66;
const TOP: i32 = 44;
const ROW: i32 = 24;
const BOTTOM: i32 = 34;

impl DotPlot<'_> {
    pub(super) fn size(&self) -> (u32, u32) {
        (WIDTH, (TOP + ROW * self.dots.len() as i32 + BOTTOM) as u32)
    }

    /// Draws with the upper left corner at `(0, top)`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: i32) {
        let (least, most) = self.limits;
        let inside = |value: f64| value.clamp(least, most);
        // The interval of what lies beyond the picture does not stretch it.
        let places = |dot: &Dot| {
            let is_inside = inside(dot.value) == dot.value;
            if is_inside { [dot.value, dot.ends.0, dot.ends.1] } else { [dot.value; 3] }.map(inside)
        };
        let values: Vec<f64> = self.dots.iter().flat_map(places).collect();
        let axis = if self.is_log { Axis::log(&values) } else { Axis::linear(&values) };
        let width = f64::from(WIDTH as i32 - LEFT - RIGHT);
        let x_of = |value: f64| LEFT + (axis.place(inside(value)) * width).round() as i32;
        let (first, last) = (top + TOP, top + TOP + ROW * self.dots.len() as i32);

        write(canvas, self.title, (0, top + 14), Side::Right, (15, INK, true));
        write(canvas, self.hint, (WIDTH as i32, top + 14), Side::Left, (13, MUTED, false));
        let n_decimals = axis.n_decimals();
        for &tick in &axis.ticks {
            let x = x_of(tick);
            line(canvas, vec![(x, first - 6), (x, last + 4)], RULE, 1);
            let text = self.tick.map_or_else(|| format!("{tick:.n_decimals$}"), |tick_text| tick_text(tick));
            write(canvas, &text, (x, last + 18), Side::Centre, (12, MUTED, false));
        }
        for (own, y) in self.dots.iter().zip((0..).map(|row| first + ROW * row + ROW / 2)) {
            let (colour, radius) = if own.is_lead { (ACCENT, 6) } else { (MUTED, 4) };
            write(
                canvas,
                &own.label,
                (0, y),
                Side::Right,
                (13, if own.is_lead { ACCENT } else { INK }, own.is_lead),
            );
            let ends = (x_of(own.ends.0), x_of(own.ends.1));
            if ends.1 > ends.0 {
                line(canvas, vec![(ends.0, y), (ends.1, y)], colour, 2);
            }
            if inside(own.value) == own.value {
                dot(canvas, (x_of(own.value), y), radius, colour);
            } else {
                // Further than the picture reaches.
                let (x, away) = (x_of(own.value), if own.value > most { 1 } else { -1 });
                line(canvas, vec![(x - 5 * away, y - 5), (x, y), (x - 5 * away, y + 5)], colour, 2);
            }
            write(canvas, &(self.format)(own.value), (WIDTH as i32, y), Side::Left, (13, INK, own.is_lead));
        }
    }
}
