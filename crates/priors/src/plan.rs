//! Which columns a table gets, within a budget of encoded inputs.

use crate::config::ColumnShares;
use crate::draw::Draw;

/// How often a categorical column has 2, 3, .. 12 levels.
const LEVEL_WEIGHTS: [f32; 11] = [0.30, 0.18, 0.17, 0.10, 0.07, 0.05, 0.04, 0.03, 0.02, 0.02, 0.02];

/// What a column shows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A measurement.
    Numeric,
    /// 0 or 1, stored as a number.
    Binary,
    /// A whole number.
    Count,
    /// One of `n_levels` names; with `unordered`, each level acts in its own way.
    Categorical { n_levels: usize, unordered: bool },
}

/// One column to be.
#[derive(Copy, Clone, Debug)]
pub(crate) struct PlannedColumn {
    pub(crate) kind: Kind,
    pub(crate) missing: bool,
}

impl PlannedColumn {
    /// The encoded inputs this column gives: one for a number, one for two levels, one a level for more, and
    /// one more for missing cells, beside which two levels are two.
    pub(crate) fn cost(self) -> usize {
        let missing = usize::from(self.missing);
        match self.kind {
            Kind::Categorical { n_levels: 2, .. } if !self.missing => 1,
            Kind::Categorical { n_levels, .. } => n_levels + missing,
            _ => 1 + missing,
        }
    }
}

/// Columns in random order whose costs add up to `n_encoded` exactly.
pub(crate) fn plan_columns(
    n_encoded: usize,
    shares: &ColumnShares,
    draw: &mut Draw<'_>,
) -> Vec<PlannedColumn> {
    let categorical_table = draw.chance(shares.categorical_tables);
    let categorical = if categorical_table { draw.pick(&[0.2, 0.4, 0.6, 1.0]) } else { 0.0 };
    let binary = if draw.chance(shares.binary_tables) { f64::from(draw.uniform(0.1, 0.8)) } else { 0.0 };
    let count = if draw.chance(shares.count_tables) { f64::from(draw.uniform(0.1, 1.0)) } else { 0.0 };
    let missing = if draw.chance(shares.missing_tables) { f64::from(draw.uniform(0.1, 0.9)) } else { 0.0 };

    let mut columns = Vec::with_capacity(n_encoded);
    let mut rest = n_encoded;
    while rest > 0 {
        let kind = if (categorical_table && columns.is_empty()) || draw.chance(categorical) {
            let most = rest.clamp(2, 1 + LEVEL_WEIGHTS.len());
            let n_levels = 2 + draw.weighted(&LEVEL_WEIGHTS[..most - 1]);
            Kind::Categorical { n_levels, unordered: draw.chance(shares.unordered) }
        } else if draw.chance(binary) {
            Kind::Binary
        } else if draw.chance(count) {
            Kind::Count
        } else {
            Kind::Numeric
        };
        let mut column = PlannedColumn { kind, missing: draw.chance(missing) };
        column.missing &= column.cost() <= rest;
        rest -= column.cost();
        columns.push(column);
    }
    draw.shuffle(&mut columns);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::Seed;

    #[test]
    fn the_budget_is_met_exactly() {
        let mut rng = Seed(3).stream("test");
        let mut draw = Draw(&mut rng);
        for n_encoded in 1..=100 {
            for _ in 0..50 {
                let columns = plan_columns(n_encoded, &ColumnShares::default(), &mut draw);
                assert_eq!(columns.iter().map(|column| column.cost()).sum::<usize>(), n_encoded);
            }
        }
    }
}
