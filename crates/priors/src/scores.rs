//! Noiseless scores: one or several functions of the columns.

mod additive;
mod network;
mod smooth;
mod trees;

use crate::config::ColumnShares;
use crate::draw::Draw;
use crate::family::Family;
use crate::math;
use crate::observe::Shown;
use crate::plan::Kind;

/// What the scores are computed from.
pub(crate) struct Inputs<'a> {
    shown: &'a [Shown],
    /// The columns that matter.
    relevant: Vec<usize>,
    /// The importance of each relevant column, at most 1.
    weights: Vec<f32>,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(shown: &'a [Shown], shares: &ColumnShares, draw: &mut Draw<'_>) -> Self {
        let all = importances(shown.len(), shares, draw);
        let relevant: Vec<usize> = (0..shown.len()).filter(|&column| all[column] > 0.0).collect();
        let weights = relevant.iter().map(|&column| all[column]).collect();
        Self { shown, relevant, weights }
    }

    fn n_rows(&self) -> usize {
        self.shown[0].input.len()
    }

    /// The relevant columns as one score sees them: the levels of unordered columns get new random effects.
    fn view(&self, draw: &mut Draw<'_>) -> View<'a> {
        let columns = self.relevant.iter().map(|&column| {
            let shown = &self.shown[column];
            match shown.column.kind {
                Kind::Categorical { n_levels, unordered: true } => {
                    let effects = draw.normals(n_levels);
                    let mut values: Vec<f32> =
                        shown.values.iter().map(|&code| effects[code as usize]).collect();
                    math::standardise(&mut values);
                    std::borrow::Cow::Owned(values)
                }
                _ => std::borrow::Cow::Borrowed(shown.input.as_slice()),
            }
        });
        columns.collect()
    }
}

type View<'a> = Vec<std::borrow::Cow<'a, [f32]>>;

/// Log-normal importances of the columns, the largest 1; 0 for a column that does not matter.
pub(crate) fn importances(n_columns: usize, shares: &ColumnShares, draw: &mut Draw<'_>) -> Vec<f32> {
    let spread = draw.uniform(shares.spread[0] as f32, shares.spread[1] as f32);
    let n_relevant = if draw.chance(shares.irrelevant_tables) {
        let share = draw.uniform(0.3, 0.8);
        ((share * n_columns as f32).round() as usize).clamp(1, n_columns)
    } else {
        n_columns
    };
    let order = draw.permutation(n_columns);
    let mut logs = draw.normals(n_columns);
    logs.iter_mut().for_each(|value| *value *= spread);
    let largest = order[..n_relevant].iter().map(|&column| logs[column]).fold(f32::MIN, f32::max);
    let mut weights = vec![0.0; n_columns];
    for &column in &order[..n_relevant] {
        weights[column] = math::exp(logs[column] - largest).max(1e-6);
    }
    weights
}

/// `n_scores` standardised scores of the family.
pub(crate) fn draw_scores(
    family: Family,
    inputs: &Inputs<'_>,
    n_scores: usize,
    draw: &mut Draw<'_>,
) -> Vec<Vec<f32>> {
    let mut scores = match family {
        Family::Linear => additive::linear(inputs, n_scores, draw),
        Family::Additive => additive::additive(inputs, n_scores, draw),
        Family::Trees => trees::trees(inputs, n_scores, draw),
        Family::Network => network::network(inputs, n_scores, draw),
        Family::Smooth => smooth::smooth(inputs, n_scores, draw),
        Family::AdditiveTrees => {
            let mut sum = additive::additive(inputs, n_scores, draw);
            let share = draw.uniform(0.3, 1.0);
            for (total, mut part) in sum.iter_mut().zip(trees::trees(inputs, n_scores, draw)) {
                math::standardise(total);
                math::standardise(&mut part);
                math::add_scaled(total, share, &part);
            }
            sum
        }
        Family::Mixture | Family::StructuralCausal => {
            unreachable!("these families bring their scores with their columns")
        }
    };
    scores.iter_mut().for_each(|score| math::standardise(score));
    scores
}
