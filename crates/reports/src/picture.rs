//! What the pictures share: colours, text, and the canvas.
//!
//! Colours are those of a light page. A page or a picture restyles them for a dark one by their values, so these must
//! differ from each other.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(super) const INK: RGBColor = RGBColor(0x1c, 0x1c, 0x1e);
pub(super) const MUTED: RGBColor = RGBColor(0x6b, 0x6b, 0x70);
pub(super) const RULE: RGBColor = RGBColor(0xe2, 0xe2, 0xe5);
pub(super) const ACCENT: RGBColor = RGBColor(0x0b, 0x6e, 0x99);
pub(super) const SECOND: RGBColor = RGBColor(0xb4, 0x53, 0x09);
pub(super) const THIRD: RGBColor = RGBColor(0x4d, 0x7c, 0x0f);
pub(super) const FOURTH: RGBColor = RGBColor(0x7e, 0x3a, 0xc4);
pub(super) const FIFTH: RGBColor = RGBColor(0xbe, 0x18, 0x5d);

/// The rules that turn a picture dark where the reader's screen is, and give it the page's letters.
pub(super) const PICTURE_STYLE: &str = "
svg text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; font-variant-numeric: tabular-nums; }
@media (prefers-color-scheme: dark) {
  svg [fill='#1C1C1E'] { fill: #e8e8ea; } svg [stroke='#1C1C1E'] { stroke: #e8e8ea; }
  svg [fill='#6B6B70'] { fill: #a0a0a7; } svg [stroke='#6B6B70'] { stroke: #a0a0a7; }
  svg [fill='#E2E2E5'] { fill: #34343a; } svg [stroke='#E2E2E5'] { stroke: #34343a; }
  svg [fill='#0B6E99'] { fill: #58b7e0; } svg [stroke='#0B6E99'] { stroke: #58b7e0; }
  svg [fill='#B45309'] { fill: #e8a15a; } svg [stroke='#B45309'] { stroke: #e8a15a; }
  svg [fill='#4D7C0F'] { fill: #a3c763; } svg [stroke='#4D7C0F'] { stroke: #a3c763; }
  svg [fill='#7E3AC4'] { fill: #c4a1f5; } svg [stroke='#7E3AC4'] { stroke: #c4a1f5; }
  svg [fill='#BE185D'] { fill: #f48fb8; } svg [stroke='#BE185D'] { stroke: #f48fb8; }
}
";

/// Draws on a canvas of this size and returns the SVG text.
pub(super) fn drawn(size: (u32, u32), draw: impl FnOnce(&Canvas<'_>)) -> String {
    let mut text = String::new();
    {
        let canvas = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&canvas);
        canvas.present().expect(IN_MEMORY);
    }
    text
}

/// Why drawing does not fail.
pub(super) const IN_MEMORY: &str = "a picture in memory can always be drawn";

/// Where text stands relative to its point, vertically centred.
#[derive(Copy, Clone)]
pub(super) enum Side {
    Right,
    Left,
    Centre,
}

/// Text of a size in pixels.
pub(super) fn write(
    canvas: &Canvas<'_>,
    text: &str,
    at: (i32, i32),
    side: Side,
    (size, colour, is_bold): (u32, RGBColor, bool),
) {
    let horizontal = match side {
        Side::Right => HPos::Left,
        Side::Left => HPos::Right,
        Side::Centre => HPos::Center,
    };
    // The backend divides sizes by this.
    let size = f64::from(size) * 1.24;
    let style = if is_bold { FontStyle::Bold } else { FontStyle::Normal };
    let style = TextStyle::from(("sans-serif", size, style).into_font())
        .color(&colour)
        .pos(Pos::new(horizontal, VPos::Center));
    canvas.draw(&Text::new(text.to_string(), at, style)).expect(IN_MEMORY);
}

/// A straight line.
pub(super) fn line(canvas: &Canvas<'_>, points: Vec<(i32, i32)>, colour: RGBColor, width: u32) {
    canvas.draw(&PathElement::new(points, colour.stroke_width(width))).expect(IN_MEMORY);
}

/// A filled dot.
pub(super) fn dot(canvas: &Canvas<'_>, at: (i32, i32), radius: i32, colour: RGBColor) {
    canvas.draw(&Circle::new(at, radius, colour.filled())).expect(IN_MEMORY);
}
