//! A picture of a plane through weight space: the stronger the colour, the lower the loss.

use super::{Chart, Ink, SMALL, Side, WIDTH};
use weightsmith_evaluation::Slice;

const MAX_HEIGHT: f64 = 400.0;
const TOP: i32 = 38;
const BOTTOM: i32 = 26;
/// Shades from the highest to the lowest loss.
const N_SHADES: f64 = 12.0;
/// The strongest shade; what is drawn over it must be seen.
const MOST: f64 = 0.55;

/// Where a place on the plane lies in the picture: one scale for both axes, so that distances can be compared.
struct Frame {
    height: i32,
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
        let height = (scale * (y_high - y_low)).round() as i32 + TOP + BOTTOM;
        Self { height, scale, left, x_low, y_high }
    }

    fn x(&self, x: f64) -> i32 {
        (self.left + (x - self.x_low) * self.scale).round() as i32
    }

    fn y(&self, y: f64) -> i32 {
        TOP + ((self.y_high - y) * self.scale).round() as i32
    }
}

/// The plane through the generated, the trained and the random weights; `text` writes a loss.
pub(crate) fn plane(slice: &Slice, text: &dyn Fn(f64) -> String) -> Chart {
    let frame = Frame::of(slice);
    let mut chart = Chart::new("loss on a plane of weights", "stronger is better", (WIDTH, frame.height));
    chart.told =
        "the loss on a plane through the generated and the trained weights, with the optimiser's path".into();
    let losses = || slice.losses.iter().flatten().copied();
    let (least, most) = (losses().fold(f64::INFINITY, f64::min), losses().fold(0.0, f64::max));
    let height = |loss: f64| (loss.max(1e-9) / least.max(1e-9)).ln();
    // Edges are found once, so that neighbours share them.
    let edges = |places: &[f64], at: &dyn Fn(f64) -> i32| -> Vec<i32> {
        let step = places[1] - places[0];
        (0..=places.len()).map(|idx| at(places[0] + (idx as f64 - 0.5) * step)).collect()
    };
    let (columns, rows) = (edges(&slice.xs, &|x| frame.x(x)), edges(&slice.ys, &|y| frame.y(y)));
    for (row, losses) in rows.windows(2).zip(&slice.losses) {
        for (column, &loss) in columns.windows(2).zip(losses) {
            // Square root: most of what matters lies near the lowest loss.
            let depth = 1.0 - (height(loss) / height(most).max(1e-9)).clamp(0.0, 1.0).sqrt();
            let shade = (depth * N_SHADES).round() / N_SHADES * MOST;
            chart.area((column[0], row[1]), (column[1], row[0]), Ink::Accent, shade);
        }
    }
    let path: Vec<(i32, i32)> = slice.steps.iter().map(|step| (frame.x(step.x), frame.y(step.y))).collect();
    path.iter().for_each(|at| chart.dot(*at, 2, Ink::Second, 1.0, None));
    chart.line(&path, Ink::Second, 2);
    let ends = [
        path.first().map(|start| (*start, "Adam starts", Ink::Second)),
        Some(((frame.x(slice.trained[0]), frame.y(slice.trained[1])), "Adam ends", Ink::Second)),
        Some(((frame.x(0.0), frame.y(0.0)), "generated", Ink::Text)),
    ];
    for (at, name, ink) in ends.into_iter().flatten() {
        chart.dot(at, 6, ink, 1.0, None);
        let (side, shift) = if at.0 > WIDTH * 2 / 3 { (Side::Left, -11) } else { (Side::Right, 11) };
        chart.text((at.0 + shift, at.1 - 10), side, (13, Ink::Text, true), name);
    }
    let range = format!("loss from {} to {}", text(least), text(most));
    chart.text((0, frame.height - BOTTOM + 16), Side::Right, SMALL, &range);
    chart
}
