//! A picture of pairs of figures of one kind, in a square with the line on which both are equal.

use super::axis::Axis;
use super::frame::Frame;
use super::{Chart, Ink, Side};

/// One pair.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    /// To the right, and upwards.
    pub(crate) at: (f64, f64),
    pub(crate) ink: Ink,
    /// What it is, for whoever points at it.
    pub(crate) told: Option<String>,
}

/// The whole picture.
pub(crate) struct ScatterPlot {
    pub(crate) title: String,
    pub(crate) hint: String,
    /// What the axis to the right and the one upwards are.
    pub(crate) labels: (String, String),
    /// What colours mean.
    pub(crate) legend: Vec<(Ink, String)>,
    pub(crate) spots: Vec<Spot>,
    /// Of each dot, in pixels.
    pub(crate) radius: i32,
}

const WIDTH: i32 = 420;
const LEFT: i32 = 48;
const TOP: i32 = 96;
const SIDE: i32 = 328;
const BOTTOM: i32 = 48;

impl ScatterPlot {
    pub(crate) fn chart(&self) -> Chart {
        let values: Vec<f64> = self.spots.iter().flat_map(|spot| [spot.at.0, spot.at.1]).collect();
        let axis = Axis::linear(&values);
        let (right, bottom) = (LEFT + SIDE, TOP + SIDE);
        let frame = Frame { left: LEFT, right, top: TOP, bottom, x: axis.clone(), y: axis };
        let mut chart = Chart::new(&self.title, "", (WIDTH, bottom + BOTTOM));
        let told: Vec<&str> = self.legend.iter().map(|(_, label)| label.as_str()).collect();
        let (x_label, y_label) = &self.labels;
        chart.told = format!("{}: {y_label} against {x_label}; {}", self.title, told.join(", "));
        chart.text((0, 34), Side::Right, super::SMALL, &self.hint);
        let mut x = 0;
        for (ink, label) in &self.legend {
            chart.dot((x + 5, 55), 4, *ink, 1.0, None);
            chart.text((x + 14, 55), Side::Right, (12, *ink, false), label);
            x += 24 + super::room_for(std::iter::once(label.as_str()));
        }
        for (tick, _) in &frame.x.ticks {
            chart.line(&[(frame.x_of(*tick), TOP), (frame.x_of(*tick), bottom)], Ink::Rule, 1);
        }
        frame.draw(&mut chart, "");
        chart.text((0, TOP - 18), Side::Right, (12, Ink::Text, true), &format!("{y_label} ↑"));
        chart.text((right, bottom + 34), Side::Left, (12, Ink::Text, true), &format!("{x_label} →"));
        // From corner to corner of what both axes hold.
        let ends = [frame.x_of(f64::NEG_INFINITY), frame.x_of(f64::INFINITY)];
        chart.line(&[(ends[0], bottom), (ends[1], TOP)], Ink::Muted, 1);
        for spot in &self.spots {
            chart.dot(frame.at(spot.at), self.radius, spot.ink, 0.65, spot.told.as_deref());
        }
        chart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dot_tells_its_table_and_equals_lie_on_the_line() {
        let spot =
            |name: &str, at: (f64, f64)| Spot { at, ink: Ink::Accent, told: Some(format!("{name} & co")) };
        let plot = ScatterPlot {
            title: "AUC".into(),
            hint: String::new(),
            labels: ("forest".into(), "generated".into()),
            legend: vec![(Ink::Accent, "1 won".into())],
            spots: vec![spot("a<b", (0.5, 0.75)), spot("c", (0.9, 0.8)), spot("d", (0.6, 0.6))],
            radius: 4,
        };
        let chart = plot.chart();
        assert_eq!(chart.told, "AUC: generated against forest; 1 won");
        let svg = chart.inline().into_string();
        // One dot is the legend's.
        assert_eq!((svg.matches("<circle").count(), svg.matches("</title></circle>").count()), (4, 3));
        assert!(svg.contains("<title>a&lt;b &amp; co</title>"), "{svg}");
        let last = svg.split("<circle ").last().unwrap();
        let number = |key: &str| -> i32 {
            last.split(&format!("{key}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        // As far along one axis as along the other.
        let along = f64::from(number("cx") - LEFT - 8) / f64::from(SIDE - 16);
        let up = f64::from(TOP + SIDE - number("cy")) / f64::from(SIDE);
        assert!((along - up).abs() < 0.01, "{along} {up}");
    }
}
