//! How much work goes into deciding about inner steps and taking them: a matter of sizes, and of a budget in seconds of a
//! nominal core, never of a clock, so that the same rows give the same weights on any machine.

use crate::smooth::{self, Smooth};
use crate::views::ViewWeights;
use weightsmith_base_model::Rows;

/// How many inner steps are taken from generated weights.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Steps {
    /// As many as pay on rows held out from the support, and with the share in the output that pays; with as much work as
    /// the size of the support is worth.
    #[default]
    Decided,
    /// The same, with as much work as a core of today does in so many milliseconds, beside the forward pass: more views and
    /// more steps are tried, or fewer. What is counted are multiplications, so that every machine does the same.
    Within {
        /// The budget.
        milliseconds: u64,
    },
    /// So many; 0 is the plain forward pass, for any other number the share is still decided.
    Fixed(usize),
}

/// Fewest rows on which steps are tried: with 32, a wrong choice costs as much as a right one brings. From so many rows with values on
/// a smooth function may share the output all the same, beside so many generated views in the folds that decide it; it makes
/// classes worse.
const MIN_ROWS: usize = 48;
const MIN_SMOOTH_ROWS: usize = 16;
const FEW_VIEWS: usize = 2;
/// Folds.
const N_FOLDS: usize = 4;
/// Numbers of steps that are tried, and the most of them up to [`FEW_ROWS`].
const NUMBERS: [usize; 8] = [1, 2, 3, 5, 8, 12, 20, 30];
const MOST_AT_FEW_ROWS: usize = 8;
/// Up to so many rows time is short: few views, few steps.
const FEW_ROWS: usize = 256;
/// Views that take steps, at most: at few rows, and at more.
const N_VIEWS: (usize, usize) = (2, 4);
/// Multiplications and additions of a core in a millisecond, as measured on two kinds of cores of 2023.
const A_MILLISECOND: f64 = 1.5e7;
/// Milliseconds that a support is worth, and for every row: of few rows; beyond, from there; at most.
const FEW_ROWS_BUDGET: (f64, f64) = (60.0, 0.5);
const BUDGET: (f64, f64) = (400.0, 1.7);
const MOST_BUDGET: f64 = 1600.0;
/// Evaluations that a step costs on average.
const EVALUATIONS: f64 = 1.3;
/// Steps of a logistic head, on average.
const LOGISTIC_STEPS: f64 = 40.0;

/// How steps are decided.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepPlan {
    /// Views that take steps.
    pub(crate) n_views: usize,
    /// Parts of the support, each of which is held out once.
    pub(crate) n_folds: usize,
    /// Numbers of steps that are tried, rising.
    pub(crate) n_steps: Vec<usize>,
    /// Whether a smooth function may share the output.
    pub(crate) has_smooth: bool,
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
    /// The most that the sizes allow, of few rows no steps; none where there are too few rows to hold some out, more columns than rows, or where a
    /// single step would cost too much.
    pub(crate) fn new(steps: Steps, sizes: Sizes) -> Option<Self> {
        if steps == Steps::Fixed(0) {
            return None;
        }
        if sizes.n_rows < MIN_ROWS {
            let pays = sizes.n_outputs == 1
                && sizes.n_rows >= MIN_SMOOTH_ROWS
                && sizes.n_columns <= sizes.n_rows
                && Smooth::fits(sizes.n_columns);
            let n_views = FEW_VIEWS.min(sizes.n_views);
            let plan = Self { n_views, n_folds: N_FOLDS, n_steps: vec![], has_smooth: true };
            let is_afforded = match steps {
                Steps::Fixed(_) => false,
                Steps::Decided => true,
                Steps::Within { milliseconds } => sizes.cost(&plan) <= milliseconds as f64 * A_MILLISECOND,
            };
            return (pays && is_afforded).then_some(plan);
        }
        // There steps, and shares picked by folds with fewer rows still, cost more than they bring.
        if sizes.n_columns > sizes.n_rows && !matches!(steps, Steps::Fixed(_)) {
            return None;
        }
        let is_few = sizes.n_rows <= FEW_ROWS;
        let usual_views = if is_few { N_VIEWS.0 } else { N_VIEWS.1 };
        let has_smooth = Smooth::fits(sizes.n_columns);
        let (milliseconds, most_views, most_steps) = match steps {
            Steps::Fixed(n_steps) => {
                let n_views = usual_views.min(sizes.n_views);
                return Some(Self { n_views, n_folds: N_FOLDS, n_steps: vec![n_steps], has_smooth });
            }
            Steps::Within { milliseconds } => (milliseconds as f64, usize::MAX, usize::MAX),
            Steps::Decided => {
                let worth = match sizes.n_rows.saturating_sub(FEW_ROWS) {
                    0 => FEW_ROWS_BUDGET.0 + FEW_ROWS_BUDGET.1 * sizes.n_rows as f64,
                    more => (BUDGET.0 + BUDGET.1 * more as f64).min(MOST_BUDGET),
                };
                (worth, usual_views, if is_few { MOST_AT_FEW_ROWS } else { usize::MAX })
            }
        };
        let n_steps = NUMBERS.into_iter().filter(|number| *number <= most_steps).collect();
        let mut plan = Self { n_views: most_views.min(sizes.n_views), n_folds: N_FOLDS, n_steps, has_smooth };
        while sizes.cost(&plan) > milliseconds * A_MILLISECOND {
            // Views and steps give way in turn, views first; the smooth function last.
            match plan.n_steps.len() {
                _ if plan.n_views > 2 => plan.n_views /= 2,
                0..=4 if plan.n_views > 1 => plan.n_views /= 2,
                0 | 1 if plan.has_smooth => plan.has_smooth = false,
                0 | 1 => return None,
                _ => plan.n_steps.truncate(plan.n_steps.len() - 1),
            }
        }
        Some(plan)
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
    fn cost(&self, plan: &StepPlan) -> f64 {
        let (n, p, k) = (self.n_rows as f64, (self.n_units + self.n_columns) as f64, self.n_outputs as f64);
        let most_steps = plan.n_steps.last().map_or(0.0, |most| *most as f64);
        let evaluation = |rows: f64| 4.0 * rows * p * p + p * p * p + 8.0 * rows * p * k;
        let head = |rows: f64| match self.n_outputs {
            1 => 0.0,
            _ => rows * p * p + 4.0 * LOGISTIC_STEPS * rows * p * k,
        };
        let path = |rows: f64, n_heads: f64| {
            let views = EVALUATIONS * (most_steps + 1.0) * evaluation(rows) + n_heads * head(rows);
            let smooth = if plan.has_smooth { smooth::cost(rows, self.n_columns as f64) } else { 0.0 };
            plan.n_views as f64 * views + smooth
        };
        let kept = n * (1.0 - 1.0 / plan.n_folds as f64);
        plan.n_folds as f64 * path(kept, plan.n_steps.len() as f64) + path(n, 1.0)
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
            plan.map_or((0, 0), |plan| (plan.n_views, plan.n_steps.last().copied().unwrap_or(0)))
        };
        assert_eq!(most(MIN_ROWS - 1, 4), (FEW_VIEWS, 0));
        assert_eq!(most(MIN_SMOOTH_ROWS - 1, 4), (0, 0));
        assert_eq!(most(128, 16), (2, 8));
        assert_eq!(most(1024, 16), (4, 30));
        assert_eq!(most(512, 16), (4, 30));
        assert_eq!(most(4096, 16), (2, 12));
        assert!(most(4096, 250) < most(4096, 16));
    }

    #[test]
    fn tables_with_more_columns_than_rows_take_no_steps_unless_told() {
        let plan = |steps, n_columns| StepPlan::new(steps, sizes(128, n_columns));
        assert!(plan(Steps::Decided, 128).is_some() && plan(Steps::Decided, 129).is_none());
        assert!(plan(Steps::Within { milliseconds: 10_000 }, 129).is_none());
        assert!(plan(Steps::Fixed(3), 129).is_some());
    }

    #[test]
    fn a_smooth_function_shares_the_output_of_few_rows_if_they_have_values() {
        let plan =
            |steps, n_outputs, n_columns| StepPlan::new(steps, Sizes { n_outputs, ..sizes(32, n_columns) });
        let values = plan(Steps::Decided, 1, 8).unwrap();
        assert!(values.has_smooth && values.n_steps.is_empty());
        assert_eq!(plan(Steps::Decided, 2, 8), None);
        assert_eq!(plan(Steps::Decided, 1, 33), None);
        assert_eq!(plan(Steps::Fixed(3), 1, 8), None);
        assert_eq!(plan(Steps::Within { milliseconds: 0 }, 1, 8), None);
    }

    #[test]
    fn a_budget_buys_views_and_steps() {
        let plan = |milliseconds| StepPlan::new(Steps::Within { milliseconds }, sizes(128, 16));
        assert_eq!(plan(0), None);
        let (little, much) = (plan(40).unwrap(), plan(10_000).unwrap());
        assert!(little.n_views < much.n_views && little.n_steps.len() < much.n_steps.len());
        assert_eq!((much.n_views, *much.n_steps.last().unwrap()), (8, 30));
    }

    #[test]
    fn no_default_is_worth_more_than_three_seconds() {
        for n_rows in [256, 1024, 4096] {
            for n_outputs in [1, 2, 10] {
                for n_columns in [1, 16, 250] {
                    let sizes = Sizes { n_outputs, ..sizes(n_rows, n_columns) };
                    if let Some(plan) = StepPlan::new(Steps::Decided, sizes) {
                        assert!(sizes.cost(&plan) < 3000.0 * A_MILLISECOND, "{sizes:?}: {plan:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_number_that_is_given_is_the_only_one() {
        let plan = StepPlan::new(Steps::Fixed(7), sizes(64, 3)).unwrap();
        assert_eq!(plan.n_steps, vec![7]);
        assert_eq!(StepPlan::new(Steps::Fixed(0), sizes(64, 3)), None);
    }
}
