//! How much work goes into deciding about inner steps and taking them: a matter of sizes alone, never of a clock, so that the
//! same rows give the same weights on any machine.

use crate::views::ViewWeights;
use weightsmith_base_model::Rows;

/// How many inner steps are taken from generated weights.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Steps {
    /// As many as pay on rows held out from the support, and with the share in the output that pays.
    #[default]
    Decided,
    /// So many; 0 is the plain forward pass, for any other number the share is still decided.
    Fixed(usize),
}

/// Fewest rows that are split into folds: with 32, a wrong choice costs as much as a right one brings.
const MIN_ROWS: usize = 48;
/// Folds.
const N_FOLDS: usize = 4;
/// Numbers of steps that are tried, and the most of them up to [`FEW_ROWS`].
const NUMBERS: [usize; 8] = [1, 2, 3, 5, 8, 12, 20, 30];
const MOST_AT_FEW_ROWS: usize = 8;
/// Up to so many rows time is short: few views, few steps.
const FEW_ROWS: usize = 256;
/// Views that take steps, at most: at few rows, and at more.
const N_VIEWS: (usize, usize) = (2, 4);
/// Multiplications and additions that steps may cost: for few rows; beyond, and for every row then; at most.
const FEW_ROWS_BUDGET: f64 = 1.2e9;
const BUDGET: (f64, f64) = (4e9, 2e7);
const MOST_BUDGET: f64 = 3.6e10;
/// Evaluations that a step costs on average.
const EVALUATIONS: f64 = 1.3;

/// How steps are decided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepPlan {
    /// Views that take steps.
    pub(crate) n_views: usize,
    /// Parts of the support, each of which is held out once.
    pub(crate) n_folds: usize,
    /// Numbers of steps that are tried, rising.
    pub(crate) n_steps: Vec<usize>,
}

/// The sizes that the work depends on.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Sizes {
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
    /// Ramps of a generated view.
    pub(crate) n_units: usize,
    pub(crate) n_outputs: usize,
    /// Views that are generated.
    pub(crate) n_views: usize,
}

impl StepPlan {
    /// The most that the sizes allow; none where there are too few rows to hold some out, or where a single step would
    /// cost too much.
    pub(crate) fn new(steps: Steps, sizes: Sizes) -> Option<Self> {
        if sizes.n_rows < MIN_ROWS || steps == Steps::Fixed(0) {
            return None;
        }
        let is_few = sizes.n_rows <= FEW_ROWS;
        let most_views = if is_few { N_VIEWS.0 } else { N_VIEWS.1 }.min(sizes.n_views);
        if let Steps::Fixed(n_steps) = steps {
            return Some(Self { n_views: most_views, n_folds: N_FOLDS, n_steps: vec![n_steps] });
        }
        let most_steps = if is_few { MOST_AT_FEW_ROWS } else { usize::MAX };
        let budget = match sizes.n_rows.saturating_sub(FEW_ROWS) {
            0 => FEW_ROWS_BUDGET,
            more => (BUDGET.0 + BUDGET.1 * more as f64).min(MOST_BUDGET),
        };
        let mut n_steps: Vec<usize> = NUMBERS.into_iter().filter(|number| *number <= most_steps).collect();
        let mut n_views = most_views;
        loop {
            if sizes.cost(n_views, *n_steps.last()?) <= budget {
                return Some(Self { n_views, n_folds: N_FOLDS, n_steps });
            }
            // Views and steps give way in turn, views first.
            if n_views > 2 || (n_views > 1 && n_steps.len() <= 4) {
                n_views /= 2;
            } else {
                n_steps.pop();
            }
        }
    }
}

impl Sizes {
    /// Of encoded rows and the views that were generated from them.
    pub(crate) fn of(rows: &Rows, n_outputs: usize, views: &[ViewWeights]) -> Self {
        let layer = views.first().and_then(|view| view.weights.hidden.first());
        Self {
            n_rows: rows.n_rows,
            n_columns: rows.n_columns,
            n_units: layer.map_or(0, |layer| layer.bias.len() / 2),
            n_outputs,
            n_views: views.len(),
        }
    }

    /// Multiplications and additions of folds and of the steps on all rows.
    fn cost(&self, n_views: usize, n_steps: usize) -> f64 {
        let (n, p, k) = (self.n_rows as f64, (self.n_units + self.n_columns) as f64, self.n_outputs as f64);
        let evaluation = |rows: f64| 4.0 * rows * p * p + p * p * p + 8.0 * rows * p * k;
        let path = |rows: f64| EVALUATIONS * (n_steps + 1) as f64 * evaluation(rows);
        let folds = N_FOLDS as f64 * path(n * (1.0 - 1.0 / N_FOLDS as f64));
        n_views as f64 * (folds + path(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(n_rows: usize, n_columns: usize) -> Sizes {
        Sizes { n_rows, n_columns, n_units: 64, n_outputs: 1, n_views: 8 }
    }

    #[test]
    fn more_rows_pay_for_more_steps_and_wide_tables_for_fewer() {
        let most = |n_rows, n_columns| {
            let plan = StepPlan::new(Steps::Decided, sizes(n_rows, n_columns));
            plan.map_or((0, 0), |plan| (plan.n_views, *plan.n_steps.last().unwrap()))
        };
        assert_eq!(most(MIN_ROWS - 1, 4), (0, 0));
        assert_eq!(most(128, 16), (2, 8));
        assert_eq!(most(1024, 16), (4, 30));
        assert_eq!(most(512, 16), (4, 30));
        assert_eq!(most(4096, 16), (2, 30));
        assert!(most(4096, 250) < most(4096, 16));
    }

    #[test]
    fn a_number_that_is_given_is_the_only_one() {
        let plan = StepPlan::new(Steps::Fixed(7), sizes(64, 3)).unwrap();
        assert_eq!(plan.n_steps, vec![7]);
        assert_eq!(StepPlan::new(Steps::Fixed(0), sizes(64, 3)), None);
    }
}
