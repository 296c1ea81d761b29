//! A picture of lines: one thing over another, each line named at its end.

use super::axis::Axis;
use super::frame::Frame;
use super::{Chart, Ink, Side, WIDTH, room_for};

/// How a line is drawn.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    Plain,
    Dashed,
    /// With a dot at each point.
    Dotted,
    /// Dots alone.
    Spots,
    /// A single point that goes on as a level line to the right end, so that others can be seen to cross it.
    Level,
    /// Of a training that a search came before: its beginning is marked down to the axis.
    AfterSearch,
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) label: String,
    /// Ascending in the first.
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) ink: Ink,
    /// Pixels.
    pub(crate) width: i32,
    pub(crate) kind: LineKind,
}

/// What the axis to the right is like.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Across {
    Linear,
    /// Logarithmic, over whole decades.
    Decades,
    /// From 0 on, or logarithmic where values are far apart.
    Costs,
    /// The values there are, at equal distances.
    Places,
}

/// The whole picture.
pub(crate) struct LinePlot<'a> {
    pub(crate) title: &'a str,
    /// What a reader looks for, such as "less is better".
    pub(crate) hint: &'a str,
    pub(crate) x_label: &'a str,
    pub(crate) across: Across,
    /// Values beyond these are drawn at the edge.
    pub(crate) limits: (f64, f64),
    /// How ticks are written, if not as plain numbers.
    pub(crate) x_text: Option<&'a dyn Fn(f64) -> String>,
    pub(crate) y_text: Option<&'a dyn Fn(f64) -> String>,
    pub(crate) lines: &'a [Line],
    /// What all are to be held against, with its name.
    pub(crate) base: Option<(&'a str, f64)>,
}

const HEIGHT: i32 = 310;
const LEFT: i32 = 50;
const TOP: i32 = 48;
const BOTTOM: i32 = 46;
/// Least distance of two labels.
const LABEL_HEIGHT: i32 = 16;

impl LinePlot<'_> {
    pub(crate) fn chart(&self) -> Chart {
        let clamp = |value: f64| value.clamp(self.limits.0, self.limits.1);
        // What lies beyond the picture before a line comes into it says nothing.
        let inside = |line: &Line| {
            let begins = line.points.iter().position(|(_, y)| clamp(*y) == *y).unwrap_or(0);
            // But where it begins tells what it took until then.
            let begins = if line.kind == LineKind::AfterSearch { 0 } else { begins.saturating_sub(1) };
            line.points[begins..].iter().map(|(x, y)| (*x, clamp(*y))).collect::<Vec<_>>()
        };
        let shown: Vec<Vec<(f64, f64)>> = self.lines.iter().map(inside).collect();
        let xs: Vec<f64> = shown.iter().flatten().map(|(x, _)| *x).collect();
        let base = self.base.map(|(_, value)| clamp(value));
        let ys: Vec<f64> = shown.iter().flatten().map(|(_, y)| *y).chain(base).collect();
        let labels = || self.lines.iter().map(|line| line.label.as_str());
        let right = WIDTH - 10 - room_for(labels().chain(self.base.map(|base| base.0)));
        let x = match self.across {
            Across::Linear => Axis::linear(&xs),
            Across::Decades => Axis::decades(&xs),
            Across::Costs => Axis::costs(&xs),
            Across::Places => Axis::places(&xs),
        };
        let frame = Frame {
            left: LEFT,
            right,
            top: TOP,
            bottom: HEIGHT - BOTTOM,
            x: x.with_labels(self.x_text),
            y: Axis::linear(&ys).with_labels(self.y_text),
        };

        let mut chart = Chart::new(self.title, self.hint, (WIDTH, HEIGHT));
        chart.told = self.told();
        frame.draw(&mut chart, self.x_label);
        let mut ends = Vec::new();
        if let (Some((label, _)), Some(value)) = (self.base, base) {
            let y = frame.y_of(value);
            chart.dashed(&[(LEFT, y), (right, y)], Ink::Muted, 2);
            ends.push((label, y, Ink::Muted, false));
        }
        // The first is drawn last, over the others.
        for (idx, (line, points)) in self.lines.iter().zip(&shown).enumerate().rev() {
            let path: Vec<(i32, i32)> = points.iter().map(|point| frame.at(*point)).collect();
            let Some(&(_, y)) = path.last() else { continue };
            draw(&mut chart, line, path, &frame);
            if !line.label.is_empty() {
                ends.push((&line.label, y, line.ink, idx == 0));
            }
        }
        let places = apart(&ends.iter().map(|end| end.1).collect::<Vec<_>>(), frame.top, frame.bottom);
        for ((label, _, ink, is_first), y) in ends.into_iter().zip(places) {
            chart.text((right + 6, y), Side::Right, (12, ink, is_first), label);
        }
        chart
    }

    fn told(&self) -> String {
        let text = |y: f64| self.y_text.map_or_else(|| format!("{y:.4}"), |text| text(y));
        let end = |line: &Line| Some(format!("{} {}", line.label, text(line.points.last()?.1)));
        let named = self.lines.iter().filter(|line| !line.label.is_empty());
        let ends: Vec<String> = named.filter_map(end).collect();
        format!("{}, by {}: at the end {}", self.title, self.x_label, ends.join(", "))
    }
}

fn draw(chart: &mut Chart, line: &Line, path: Vec<(i32, i32)>, frame: &Frame) {
    let (ink, width) = (line.ink, line.width);
    match (line.kind, path.as_slice()) {
        (LineKind::Level, &[at]) => {
            chart.line(&[(frame.left, at.1), at], ink, 1);
            chart.line(&[at, (frame.right, at.1)], ink, width);
            chart.dot(at, 5, ink, 1.0, None);
        }
        (_, &[at]) => chart.dot(at, 5, ink, 1.0, None),
        (LineKind::Dashed, _) => chart.dashed(&path, ink, width),
        (kind, _) => {
            if kind != LineKind::Spots {
                chart.line(&path, ink, width);
            }
            if matches!(kind, LineKind::Dotted | LineKind::Spots) {
                path.iter().for_each(|at| chart.dot(*at, if width > 2 { 4 } else { 3 }, ink, 1.0, None));
            }
            if kind == LineKind::AfterSearch {
                let (x, y) = path[0];
                chart.dashed(&[(x, frame.bottom), (x, y)], ink, 1);
                chart.dot((x, y), 4, ink, 1.0, Some("its search ends"));
            }
        }
    }
}

/// Limits that leave room for where lines end, and cut off beginnings that are far from there.
pub(crate) fn around_ends(lines: &[Line], base: Option<f64>) -> (f64, f64) {
    let ends = lines.iter().filter_map(|line| Some(line.points.last()?.1)).chain(base);
    let (least, most) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let span = 1.5 * (most - least).max(0.1 * least.abs()).max(1e-3);
    (least - span, most + span)
}

/// Places of labels, each as near to its line's end as the others allow.
fn apart(ends: &[i32], first: i32, last: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by_key(|&idx| ends[idx]);
    let mut places = ends.to_vec();
    let mut lowest = first;
    for &idx in &order {
        places[idx] = places[idx].max(lowest);
        lowest = places[idx] + LABEL_HEIGHT;
    }
    let mut highest = last.max(first + LABEL_HEIGHT * (ends.len() as i32 - 1));
    for &idx in order.iter().rev() {
        places[idx] = places[idx].min(highest);
        highest = places[idx] - LABEL_HEIGHT;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: LineKind, points: &[(f64, f64)]) -> Line {
        Line { label: "a".into(), points: points.to_vec(), ink: Ink::Accent, width: 2, kind }
    }

    #[test]
    fn labels_do_not_overlap() {
        let mut places = apart(&[50, 52, 51, 100, 99], 40, 110);
        places.sort_unstable();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= LABEL_HEIGHT), "{places:?}");
        assert!(places[0] >= 40 && places[4] <= 110, "{places:?}");
    }

    #[test]
    fn a_bad_start_does_not_flatten_the_rest() {
        let (low, high) = around_ends(&[line(LineKind::Plain, &[(1.0, 9.0), (3.0, 0.5)])], Some(0.7));
        assert!((high - 1.0).abs() < 1e-9 && (low - 0.2).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn a_tuned_line_begins_where_its_search_ends() {
        let points = [(4.0, 9.0), (5.0, 8.0), (6.0, 0.5)];
        let plot = |kind| {
            let lines = [line(kind, &points)];
            let chart = LinePlot {
                title: "loss",
                hint: "",
                x_label: "time",
                across: Across::Linear,
                limits: (0.0, 1.0),
                x_text: None,
                y_text: None,
                lines: &lines,
                base: None,
            };
            chart.chart().inline().into_string()
        };
        assert!(plot(LineKind::AfterSearch).contains("its search ends"));
        // The first point is kept, though it is above the picture.
        let n_points = |svg: &str| {
            let last = svg.split("<polyline ").filter(|part| part.contains("stroke-width=\"2\"")).last();
            last.unwrap().split('"').nth(1).unwrap().split(' ').count()
        };
        assert_eq!((n_points(&plot(LineKind::AfterSearch)), n_points(&plot(LineKind::Plain))), (3, 2));
    }
}
