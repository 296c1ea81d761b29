//! A picture of mean ranks: models on an axis, and bars over those that a test cannot tell apart.
//!
//! Source: Demšar (2006), Statistical Comparisons of Classifiers over Multiple Data Sets, section 3.2.4.

use super::picture::{ACCENT, Canvas, INK, MUTED, Side, line, write};

/// One model.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    pub(super) label: String,
    pub(super) mean_rank: f64,
    pub(super) is_lead: bool,
}

/// The whole picture.
pub(super) struct RankPlot {
    pub(super) title: String,
    /// By mean rank, the best first.
    pub(super) models: Vec<Ranked>,
    /// How far apart mean ranks must be; none where the test has no figure.
    pub(super) critical_difference: Option<f64>,
    /// First and last place of models that do not differ.
    pub(super) groups: Vec<(usize, usize)>,
}

const WIDTH: i32 = 440;
/// Room for the label of the best model, and of the worst.
const SIDE: i32 = 118;
const AXIS: i32 = 78;
/// Distance of two bars.
const BAR: i32 = 8;
const ROW: i32 = 19;
/// The most labels of an axis that do not touch.
const MOST_TICKS: usize = 10;

impl RankPlot {
    pub(super) fn size(&self) -> (u32, u32) {
        (WIDTH as u32, (self.first_row() + ROW * self.n_rows()) as u32)
    }

    /// What it says in words.
    pub(super) fn text(&self) -> String {
        let ranks: Vec<String> =
            self.models.iter().map(|model| format!("{} {:.2}", model.label, model.mean_rank)).collect();
        format!("{}: mean ranks {}", self.title, ranks.join(", "))
    }

    fn n_rows(&self) -> i32 {
        self.models.len().div_ceil(2) as i32
    }

    fn first_row(&self) -> i32 {
        AXIS + 14 + BAR * self.groups.len() as i32 + ROW / 2
    }

    /// The whole ranks at the ends of the axis.
    fn ends(&self) -> (i32, i32) {
        let ranks = || self.models.iter().map(|model| model.mean_rank);
        let first = ranks().fold(f64::INFINITY, f64::min).floor() as i32;
        let last = ranks().fold(f64::NEG_INFINITY, f64::max).ceil() as i32;
        (first, last.max(first + 1))
    }

    /// Draws with the upper left corner at `(0, top)`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: i32) {
        let (first, last) = self.ends();
        let unit = f64::from(WIDTH - 2 * SIDE) / f64::from(last - first);
        let x_of = |rank: f64| SIDE + ((rank - f64::from(first)) * unit).round() as i32;
        write(canvas, &self.title, (0, top + 14), Side::Right, (15, INK, true));
        write(canvas, "mean ranks, best left", (WIDTH, top + 14), Side::Left, (13, MUTED, false));
        if let Some(distance) = self.critical_difference {
            draw_distance(canvas, distance, (distance * unit).round() as i32, top + 40);
        }
        let axis = top + AXIS;
        line(canvas, vec![(x_of(f64::from(first)), axis), (x_of(f64::from(last)), axis)], INK, 1);
        let step = ((last - first) as usize).div_ceil(MOST_TICKS).max(1);
        for rank in (first..=last).step_by(step) {
            let x = x_of(f64::from(rank));
            line(canvas, vec![(x, axis - 4), (x, axis)], INK, 1);
            write(canvas, &rank.to_string(), (x, axis - 13), Side::Centre, (12, MUTED, false));
        }
        let n_left = self.n_rows() as usize;
        for (idx, model) in self.models.iter().enumerate() {
            let is_left = idx < n_left;
            // From both ends inwards, so that no line crosses a label.
            let row = if is_left { idx } else { self.models.len() - 1 - idx } as i32;
            let (x, y) = (x_of(model.mean_rank), top + self.first_row() + ROW * row);
            let colour = if model.is_lead { ACCENT } else { MUTED };
            let end = if is_left { x - 6 } else { x + 6 };
            line(canvas, vec![(x, axis), (x, y), (end, y)], colour, if model.is_lead { 2 } else { 1 });
            let text = if is_left {
                format!("{} {:.2}", model.label, model.mean_rank)
            } else {
                format!("{:.2} {}", model.mean_rank, model.label)
            };
            let (at, side) = if is_left { (x - 9, Side::Left) } else { (x + 9, Side::Right) };
            let ink = if model.is_lead { ACCENT } else { INK };
            write(canvas, &text, (at, y), side, (12, ink, model.is_lead));
        }
        for (idx, &(first, last)) in self.groups.iter().enumerate() {
            let y = axis + 8 + BAR * idx as i32;
            let ends = [first, last].map(|place| x_of(self.models[place].mean_rank));
            line(canvas, vec![(ends[0] - 3, y), (ends[1] + 3, y)], INK, 4);
        }
    }
}

/// The bar that has the length of the critical difference, where there is room for it.
fn draw_distance(canvas: &Canvas<'_>, distance: f64, length: i32, y: i32) {
    let text = format!("critical difference {distance:.2}");
    let room = WIDTH - 170;
    if length > room {
        let text = format!("{text}, longer than the axis");
        write(canvas, &text, (0, y), Side::Right, (12, MUTED, false));
        return;
    }
    // Half of the line at the end would be outside.
    let first = 1;
    line(canvas, vec![(first, y), (first + length, y)], INK, 2);
    for x in [first, first + length] {
        line(canvas, vec![(x, y - 4), (x, y + 4)], INK, 2);
    }
    write(canvas, &text, (first + length + 10, y), Side::Right, (12, MUTED, false));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::drawn;

    fn plot(ranks: &[f64], distance: f64) -> RankPlot {
        let model = |(idx, rank): (usize, &f64)| Ranked {
            label: format!("m{idx}"),
            mean_rank: *rank,
            is_lead: idx == 1,
        };
        RankPlot {
            title: "AUC".into(),
            models: ranks.iter().enumerate().map(model).collect(),
            critical_difference: Some(distance),
            groups: weightsmith_evaluation::statistics::groups(ranks, distance),
        }
    }

    fn svg(plot: &RankPlot) -> String {
        drawn(plot.size(), |canvas| plot.draw(canvas, 0))
    }

    #[test]
    fn the_bar_is_as_long_as_the_critical_difference() {
        // Ranks 1 to 3 over 204 pixels: 102 each; bars of two groups, 3 pixels beyond their ends.
        let text = svg(&plot(&[1.0, 1.5, 2.4, 3.0], 1.0));
        assert!(text.contains("1,40 103,40"), "{text}");
        assert!(text.contains(&format!("{},86 {},86", SIDE - 3, SIDE + 51 + 3)), "{text}");
        assert!(text.contains(&format!("{},94 {},94", SIDE + 51 - 3, SIDE + 143 + 3)), "{text}");
        assert!(text.contains("critical difference 1.00"));
    }

    #[test]
    fn every_model_has_its_label_inside_the_picture() {
        let plot = plot(&[1.2, 2.0, 2.1, 3.5, 3.6], 9.0);
        let text = svg(&plot);
        for idx in 0..5 {
            assert!(text.contains(&format!("m{idx}")), "{text}");
        }
        assert!(text.contains("longer than the axis") && plot.text().contains("m3 3.50"));
        let (_, height) = plot.size();
        let lowest = plot.first_row() + ROW * (plot.n_rows() - 1);
        assert!(lowest + 8 <= height as i32, "{lowest} of {height}");
    }
}
