//! A picture of mean ranks: methods on an axis, and bars over those that a test cannot tell apart.
//!
//! Source: Demšar (2006), Statistical Comparisons of Classifiers over Multiple Data Sets, section 3.2.4.

use super::{Chart, Ink, SMALL, Side, WIDTH};

/// One method.
#[derive(Clone, Debug)]
pub(crate) struct Ranked {
    pub(crate) label: String,
    pub(crate) mean_rank: f64,
    pub(crate) is_lead: bool,
}

/// The whole picture.
pub(crate) struct RankPlot {
    pub(crate) title: String,
    /// By mean rank, the best first.
    pub(crate) methods: Vec<Ranked>,
    /// How far apart mean ranks must be; none where the test has no figure.
    pub(crate) critical_difference: Option<f64>,
    /// First and last place of methods that do not differ.
    pub(crate) groups: Vec<(usize, usize)>,
}

/// Room for the label of the best method, and of the worst.
const SIDE: i32 = 118;
const AXIS: i32 = 78;
/// Distance of two bars.
const BAR: i32 = 8;
const ROW: i32 = 19;
/// The most labels of an axis that do not touch.
const MOST_TICKS: usize = 10;

impl RankPlot {
    fn n_rows(&self) -> i32 {
        self.methods.len().div_ceil(2) as i32
    }

    fn first_row(&self) -> i32 {
        AXIS + 14 + BAR * self.groups.len() as i32 + ROW / 2
    }

    /// The whole ranks at the ends of the axis.
    fn ends(&self) -> (i32, i32) {
        let ranks = || self.methods.iter().map(|method| method.mean_rank);
        let first = ranks().fold(f64::INFINITY, f64::min).floor() as i32;
        let last = ranks().fold(f64::NEG_INFINITY, f64::max).ceil() as i32;
        (first, last.max(first + 1))
    }

    pub(crate) fn chart(&self) -> Chart {
        let (first, last) = self.ends();
        let unit = f64::from(WIDTH - 2 * SIDE) / f64::from(last - first);
        let x_of = |rank: f64| SIDE + ((rank - f64::from(first)) * unit).round() as i32;
        let height = self.first_row() + ROW * self.n_rows();
        let mut chart = Chart::new(&self.title, "mean ranks, best left", (WIDTH, height));
        let told: Vec<String> =
            self.methods.iter().map(|method| format!("{} {:.2}", method.label, method.mean_rank)).collect();
        chart.told = format!("{}: mean ranks {}", self.title, told.join(", "));
        if let Some(distance) = self.critical_difference {
            draw_distance(&mut chart, distance, (distance * unit).round() as i32);
        }
        chart.line(&[(x_of(f64::from(first)), AXIS), (x_of(f64::from(last)), AXIS)], Ink::Text, 1);
        let step = ((last - first) as usize).div_ceil(MOST_TICKS).max(1);
        for rank in (first..=last).step_by(step) {
            let x = x_of(f64::from(rank));
            chart.line(&[(x, AXIS - 4), (x, AXIS)], Ink::Text, 1);
            chart.text((x, AXIS - 13), Side::Centre, SMALL, &rank.to_string());
        }
        let n_left = self.n_rows() as usize;
        for (idx, method) in self.methods.iter().enumerate() {
            let is_left = idx < n_left;
            // From both ends inwards, so that no line crosses a label.
            let row = if is_left { idx } else { self.methods.len() - 1 - idx } as i32;
            let (x, y) = (x_of(method.mean_rank), self.first_row() + ROW * row);
            let (ink, letters, width) =
                if method.is_lead { (Ink::Accent, Ink::Accent, 2) } else { (Ink::Muted, Ink::Text, 1) };
            let Ranked { label, mean_rank, .. } = method;
            let (away, side, text) = match is_left {
                true => (-1, Side::Left, format!("{label} {mean_rank:.2}")),
                false => (1, Side::Right, format!("{mean_rank:.2} {label}")),
            };
            chart.line(&[(x, AXIS), (x, y), (x + 6 * away, y)], ink, width);
            chart.text((x + 9 * away, y), side, (12, letters, method.is_lead), &text);
        }
        for (idx, &(first, last)) in self.groups.iter().enumerate() {
            let y = AXIS + 8 + BAR * idx as i32;
            let ends = [first, last].map(|place| x_of(self.methods[place].mean_rank));
            chart.line(&[(ends[0] - 3, y), (ends[1] + 3, y)], Ink::Text, 4);
        }
        chart
    }
}

/// The bar that has the length of the critical difference, where there is room for it.
fn draw_distance(chart: &mut Chart, distance: f64, length: i32) {
    const Y: i32 = 40;
    let text = format!("closer than {distance:.2}: may be chance");
    if length > WIDTH - 170 {
        chart.text((0, Y), Side::Right, SMALL, &format!("{text}, longer than the axis"));
        return;
    }
    // Half of the line at the end would be outside.
    let first = 1;
    chart.line(&[(first, Y), (first + length, Y)], Ink::Text, 2);
    for x in [first, first + length] {
        chart.line(&[(x, Y - 4), (x, Y + 4)], Ink::Text, 2);
    }
    chart.text((first + length + 10, Y), Side::Right, SMALL, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(ranks: &[f64], distance: f64) -> RankPlot {
        let method = |(idx, rank): (usize, &f64)| Ranked {
            label: format!("m{idx}"),
            mean_rank: *rank,
            is_lead: idx == 1,
        };
        RankPlot {
            title: "AUC".into(),
            methods: ranks.iter().enumerate().map(method).collect(),
            critical_difference: Some(distance),
            groups: weightsmith_evaluation::statistics::groups(ranks, distance),
        }
    }

    #[test]
    fn the_bar_is_as_long_as_the_critical_difference() {
        // Ranks 1 to 3 over 204 pixels: 102 each; bars of two groups, 3 pixels beyond their ends.
        let text = plot(&[1.0, 1.5, 2.4, 3.0], 1.0).chart().inline().into_string();
        assert!(text.contains("1,40 103,40"), "{text}");
        assert!(text.contains(&format!("{},86 {},86", SIDE - 3, SIDE + 51 + 3)), "{text}");
        assert!(text.contains(&format!("{},94 {},94", SIDE + 51 - 3, SIDE + 143 + 3)), "{text}");
        assert!(text.contains("closer than 1.00: may be chance"));
    }

    #[test]
    fn every_method_has_its_label_inside_the_picture() {
        let plot = plot(&[1.2, 2.0, 2.1, 3.5, 3.6], 9.0);
        let chart = plot.chart();
        let text = chart.inline().into_string();
        for idx in 0..5 {
            assert!(text.contains(&format!("m{idx}")), "{text}");
        }
        assert!(text.contains("longer than the axis") && chart.told.contains("m3 3.50"));
        let lowest = plot.first_row() + ROW * (plot.n_rows() - 1);
        assert!(lowest + 8 <= chart.height, "{lowest} of {}", chart.height);
    }
}
