//! A family tree: each iteration by its loss, tied to the incumbent of its time.

use super::axis::Axis;
use super::frame::Frame;
use super::{Chart, Ink, SMALL, Side, WIDTH};

/// One iteration.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// Counted from 0.
    pub(crate) iteration: usize,
    /// The place of the incumbent that it was compared with, among the leaves.
    pub(crate) parent: Option<usize>,
    pub(crate) loss: f64,
    pub(crate) is_accepted: bool,
    pub(crate) ink: Ink,
}

/// The whole picture.
pub(crate) struct TreePlot<'a> {
    pub(crate) title: &'a str,
    pub(crate) x_label: &'a str,
    /// What colours mean.
    pub(crate) legend: &'a [(Ink, &'a str)],
    pub(crate) leaves: &'a [Leaf],
}

const HEIGHT: i32 = 330;
const LEFT: i32 = 50;
const TOP: i32 = 62;
const BOTTOM: i32 = 46;
/// Most labels below.
const MOST_TICKS: usize = 8;

impl TreePlot<'_> {
    /// Losses far above the others lie at the upper edge.
    pub(crate) fn chart(&self) -> Chart {
        let mut losses: Vec<f64> = self.leaves.iter().map(|leaf| leaf.loss).collect();
        losses.sort_unstable_by(f64::total_cmp);
        let most = losses.get(losses.len() * 9 / 10).copied().unwrap_or(1.0);
        losses.iter_mut().for_each(|loss| *loss = loss.min(most));
        let last = self.leaves.iter().map(|leaf| leaf.iteration).max().unwrap_or(0);
        let iterations: Vec<f64> = (0..=last).map(|iteration| iteration as f64).collect();
        let mut x = Axis::places(&iterations);
        let step = last.div_ceil(MOST_TICKS).max(1);
        x.ticks = x.ticks.into_iter().step_by(step).collect();
        let frame = Frame {
            left: LEFT,
            right: WIDTH - 12,
            top: TOP,
            bottom: HEIGHT - BOTTOM,
            x,
            y: Axis::linear(&losses),
        };
        let at = |leaf: &Leaf| frame.at((leaf.iteration as f64, leaf.loss.min(most)));
        let n_accepted = self.leaves.iter().filter(|leaf| leaf.is_accepted).count();

        let mut chart = Chart::new(self.title, "less is better", (WIDTH, HEIGHT));
        chart.told = format!("{}: {} iterations, {n_accepted} accepted", self.title, self.leaves.len());
        let mut x = 0;
        for &(ink, name) in self.legend {
            chart.dot((x + 5, 36), 4, ink, 1.0, None);
            chart.text((x + 14, 36), Side::Right, (12, ink, false), name);
            x += 24 + super::room_for(std::iter::once(name));
        }
        chart.text((WIDTH, 36), Side::Left, SMALL, "large: accepted");
        frame.draw(&mut chart, self.x_label);
        // The lines of those that were accepted come last, over the others.
        for is_accepted in [false, true] {
            for leaf in self.leaves.iter().filter(|leaf| leaf.is_accepted == is_accepted) {
                if let Some(parent) = leaf.parent.and_then(|place| self.leaves.get(place)) {
                    let (ink, width) = if is_accepted { (Ink::Text, 2) } else { (Ink::Rule, 1) };
                    chart.line(&[at(parent), at(leaf)], ink, width);
                }
            }
        }
        for leaf in self.leaves {
            let told = format!("iteration {}: {:.4}", leaf.iteration, leaf.loss);
            chart.dot(at(leaf), if leaf.is_accepted { 6 } else { 3 }, leaf.ink, 1.0, Some(&told));
        }
        chart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_is_tied_to_its_incumbent() {
        let leaf = |iteration, parent, loss, is_accepted| Leaf {
            iteration,
            parent,
            loss,
            is_accepted,
            ink: Ink::Accent,
        };
        let leaves = [leaf(0, None, 1.0, true), leaf(1, Some(0), 5.0, false), leaf(2, Some(0), 0.5, true)];
        let plot = TreePlot { title: "loop", x_label: "iteration", legend: &[], leaves: &leaves };
        let chart = plot.chart();
        assert_eq!(chart.told, "loop: 3 iterations, 2 accepted");
        let svg = chart.inline().into_string();
        assert_eq!(svg.matches("<title>iteration").count(), 3);
        // One line of two pixels, from the first to the third.
        assert_eq!(svg.matches("stroke-width=\"2\"").count(), 1, "{svg}");
    }
}
