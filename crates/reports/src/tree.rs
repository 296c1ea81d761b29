//! The family tree of generations: each by its loss, tied to the one that stood when it was tried.

use super::axis::Axis;
use super::generations::CHOICES;
use super::picture::{ACCENT, IN_MEMORY, INK};
use super::picture::{Canvas, MUTED, RULE, Side, dot, line, write};
use super::square::Square;
use plotters::prelude::{Circle, Color};
use weightsmith_self_application::{Choice, RecipeSearch, SelfApplyReport};

/// One generation.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) generation: usize,
    /// The position of the one that stood, among the generations.
    pub(super) parent: Option<usize>,
    pub(super) loss: f64,
    pub(super) is_accepted: bool,
    pub(super) is_foreseen: bool,
}

pub(super) const SIZE: (u32, u32) = (440, 320);
const LEFT: i32 = 50;
const RIGHT: i32 = 12;
const TOP: i32 = 62;
const BOTTOM: i32 = 42;

/// Draws with the upper left corner at `(0, top)`. Losses far above the others lie at the upper edge.
pub(super) fn draw(title: &str, leaves: &[Leaf], canvas: &Canvas<'_>, top: i32) {
    let mut losses: Vec<f64> = leaves.iter().map(|leaf| leaf.loss).collect();
    losses.sort_unstable_by(f64::total_cmp);
    let most = losses.get(losses.len() * 9 / 10).copied().unwrap_or(1.0);
    let inside = |loss: f64| loss.min(most);
    let axis = Axis::linear(&losses.iter().map(|loss| inside(*loss)).collect::<Vec<_>>());
    let last = leaves.iter().map(|leaf| leaf.generation).max().unwrap_or(0).max(1);
    let (width, first) = (SIZE.0 as i32 - LEFT - RIGHT, top + TOP);
    let bottom = top + SIZE.1 as i32 - BOTTOM;
    let x_of = |generation: usize| LEFT + 8 + (width - 16) * generation as i32 / last as i32;
    let y_of = |loss: f64| bottom - (axis.place(inside(loss)) * f64::from(bottom - first)).round() as i32;
    let at = |leaf: &Leaf| (x_of(leaf.generation), y_of(leaf.loss));

    write(canvas, title, (0, top + 14), Side::Right, (15, INK, true));
    write(canvas, "less is better", (SIZE.0 as i32, top + 14), Side::Left, (13, MUTED, false));
    let mut x = 0;
    for (name, colour) in CHOICES {
        dot(canvas, (x + 5, top + 36), 4, colour);
        write(canvas, name, (x + 14, top + 36), Side::Right, (12, colour, false));
        x += 138;
    }
    write(canvas, "large: accepted", (SIZE.0 as i32, top + 36), Side::Left, (12, MUTED, false));
    let n_decimals = axis.n_decimals();
    for &tick in &axis.ticks {
        line(canvas, vec![(LEFT, y_of(tick)), (LEFT + width, y_of(tick))], RULE, 1);
        write(
            canvas,
            &format!("{tick:.n_decimals$}"),
            (LEFT - 6, y_of(tick)),
            Side::Left,
            (12, MUTED, false),
        );
    }
    for generation in (0..=last).step_by((last / 8).max(1)) {
        write(
            canvas,
            &generation.to_string(),
            (x_of(generation), bottom + 14),
            Side::Centre,
            (12, MUTED, false),
        );
    }
    write(
        canvas,
        "generation, and its loss on the acceptance set",
        (LEFT + width / 2, bottom + 32),
        Side::Centre,
        (12, MUTED, false),
    );
    let parent = |leaf: &Leaf| {
        let parent = leaf.parent?;
        leaves.iter().find(|other| other.generation == parent)
    };
    // The line of those that were accepted comes last, over the others.
    for accepted in [false, true] {
        for leaf in leaves.iter().filter(|leaf| leaf.is_accepted == accepted) {
            if let Some(parent) = parent(leaf) {
                let (colour, thickness) = if accepted { (INK, 2) } else { (RULE, 1) };
                line(canvas, vec![at(parent), at(leaf)], colour, thickness);
            }
        }
    }
    for leaf in leaves {
        let colour = if leaf.is_foreseen { ACCENT } else { INK };
        dot(canvas, at(leaf), if leaf.is_accepted { 6 } else { 3 }, colour);
    }
}

/// What was foreseen, what came, and whether it was chosen for it.
pub(super) type Pair = (f64, f64, bool);

/// Of every generation of the loops that are planned.
pub(super) fn pairs(report: &SelfApplyReport) -> Vec<Pair> {
    let planned = report.loops.iter().filter(|own| own.search == RecipeSearch::Planner);
    planned
        .flat_map(|own| &own.iterations)
        .filter_map(|generation| {
            Some((generation.predicted?, generation.acceptance?, generation.choice == Choice::Predicted))
        })
        .collect()
}

/// Draws what was foreseen beside what came.
pub(super) fn draw_foreseen(pairs: &[Pair], canvas: &Canvas<'_>, top: i32) {
    let values: Vec<f64> = pairs.iter().flat_map(|(said, came, _)| [*said, *came]).collect();
    let square = Square::of(&values, top);
    write(canvas, "foreseen and realised losses", (0, top + 14), Side::Right, (15, INK, true));
    write(canvas, "of generations, on the acceptance set", (0, top + 34), Side::Right, (12, MUTED, false));
    square.draw(canvas);
    write(canvas, "realised ↑", (0, top + 58), Side::Right, (12, INK, true));
    write(canvas, CHOICES[0].0, (square.right, top + 58), Side::Left, (12, ACCENT, false));
    write(canvas, CHOICES[1].0, (square.right - 130, top + 58), Side::Left, (12, INK, false));
    write(canvas, "foreseen →", (square.right, square.bottom + 34), Side::Left, (12, INK, true));
    for (said, came, is_foreseen) in pairs {
        let colour = if *is_foreseen { ACCENT } else { INK };
        canvas.draw(&Circle::new(square.at(*said, *came), 4, colour.mix(0.7).filled())).expect(IN_MEMORY);
    }
}
