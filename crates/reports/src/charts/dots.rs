//! A picture with a row a method: a dot for the figure, a bar for its interval.

use super::axis::Axis;
use super::{Chart, Ink, SMALL, Side, WIDTH, room_for};

/// One row of the picture.
#[derive(Clone, Debug)]
pub(crate) struct Dot {
    pub(crate) label: String,
    pub(crate) value: f64,
    /// The interval; both ends equal the value where there is none.
    pub(crate) ends: (f64, f64),
    pub(crate) is_lead: bool,
}

/// The whole picture.
pub(crate) struct DotPlot<'a> {
    pub(crate) title: &'a str,
    /// What a reader looks for, such as "less is better".
    pub(crate) hint: &'a str,
    pub(crate) dots: &'a [Dot],
    /// Values beyond these are drawn at the edge, with a mark; their figures stand beside them.
    pub(crate) limits: (f64, f64),
    pub(crate) is_log: bool,
    /// How a value is written.
    pub(crate) text: &'a dyn Fn(f64) -> String,
    /// How a tick is written, if not as a plain number.
    pub(crate) tick: Option<&'a dyn Fn(f64) -> String>,
}

const TOP: i32 = 44;
const ROW: i32 = 24;
const BOTTOM: i32 = 34;
/// Pixels that names take at most.
const LONGEST_LABEL: i32 = 200;

impl DotPlot<'_> {
    pub(crate) fn chart(&self) -> Chart {
        let Self { dots, limits: (least, most), text, .. } = *self;
        let inside = |value: f64| value.clamp(least, most);
        // The interval of what lies beyond the picture does not stretch it.
        let places = |dot: &Dot| {
            let is_inside = inside(dot.value) == dot.value;
            if is_inside { [dot.value, dot.ends.0, dot.ends.1] } else { [dot.value; 3] }.map(inside)
        };
        let values: Vec<f64> = dots.iter().flat_map(places).collect();
        let axis = if self.is_log { Axis::decades(&values) } else { Axis::linear(&values) };
        let axis = axis.with_labels(self.tick);
        let left = room_for(dots.iter().map(|dot| dot.label.as_str())).min(LONGEST_LABEL) + 14;
        let figures: Vec<String> = dots.iter().map(|dot| text(dot.value)).collect();
        let width = f64::from(WIDTH - left - room_for(figures.iter().map(String::as_str)) - 14);
        let x_of = |value: f64| left + (axis.place(inside(value)) * width).round() as i32;
        let (first, last) = (TOP, TOP + ROW * dots.len() as i32);

        let mut chart = Chart::new(self.title, self.hint, (WIDTH, last + BOTTOM));
        let told: Vec<String> =
            dots.iter().zip(&figures).map(|(dot, figure)| format!("{} {figure}", dot.label)).collect();
        chart.told = format!("{}: {}", self.title, told.join(", "));
        for (tick, label) in &axis.ticks {
            let x = x_of(*tick);
            chart.line(&[(x, first - 6), (x, last + 4)], Ink::Rule, 1);
            chart.text((x, last + 18), Side::Centre, SMALL, label);
        }
        for ((own, figure), y) in dots.iter().zip(&figures).zip((0..).map(|row| first + ROW * row + ROW / 2))
        {
            let (ink, letters, radius) =
                if own.is_lead { (Ink::Accent, Ink::Accent, 6) } else { (Ink::Muted, Ink::Text, 4) };
            chart.text((0, y), Side::Right, (13, letters, own.is_lead), &own.label);
            let ends = (x_of(own.ends.0), x_of(own.ends.1));
            if ends.1 > ends.0 {
                chart.line(&[(ends.0, y), (ends.1, y)], ink, 2);
            }
            let x = x_of(own.value);
            if inside(own.value) == own.value {
                chart.dot((x, y), radius, ink, 1.0, None);
            } else {
                // Further than the picture reaches.
                let back = if own.value > most { x - 5 } else { x + 5 };
                chart.line(&[(back, y - 5), (x, y), (back, y + 5)], ink, 2);
            }
            chart.text((WIDTH, y), Side::Left, (13, Ink::Text, own.is_lead), figure);
        }
        chart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_too_far_off_has_an_arrow_and_its_figure() {
        let dot =
            |value: f64| Dot { label: format!("m{value}"), value, ends: (value, value), is_lead: false };
        let dots = [dot(0.25), dot(0.5), dot(90.0)];
        let plot = DotPlot {
            title: "loss",
            hint: "",
            dots: &dots,
            limits: (0.0, 1.0),
            is_log: false,
            text: &|value| format!("{value:.2}"),
            tick: None,
        };
        let chart = plot.chart();
        let svg = chart.inline().into_string();
        assert_eq!((svg.matches("<circle").count(), svg.matches(">90.00</text>").count()), (2, 1), "{svg}");
        assert_eq!(chart.told, "loss: m0.25 0.25, m0.5 0.50, m90 90.00");
    }
}
