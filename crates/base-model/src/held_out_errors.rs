//! How far a model was off on rows that were held out while it was made, and what that promises of other rows.
//!
//! Source: Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World; Lei et al. (2018),
//! Distribution-free predictive inference for regression, section 2.2. Ours differs in that every row is held out in
//! turn from the last layer, and hidden units have seen it, so that the promise is measured rather than proved.

use serde::{Deserialize, Serialize};

/// Errors that are kept at most: of more rows, as many evenly spaced ranks.
const MOST_KEPT: usize = 1000;

/// The absolute errors of a model on rows that were held out. For a regression the distance between output and standardised
/// value, for a classification what the probability of the true class lacks to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOutErrors {
    /// Rows that were held out.
    pub n_rows: usize,
    /// Their errors in ascending order; of more than 1,000 rows those at 1,000 evenly spaced ranks, the largest last.
    pub errors: Vec<f32>,
}

/// Too few rows were held out for an interval.
#[derive(Copy, Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "an interval that holds {level} of the values takes more rows than the {n_rows} that were held out; the most is {most:.3}"
)]
pub struct TooFewHeldOut {
    /// The share that was asked for.
    pub level: f64,
    /// Rows that were held out.
    pub n_rows: usize,
    /// The greatest share that so many rows can promise.
    pub most: f64,
}

impl HeldOutErrors {
    /// Of the errors of all rows; none where there is no row or an error is not finite.
    pub fn of(mut errors: Vec<f64>) -> Option<Self> {
        if errors.is_empty() || errors.iter().any(|error| !(*error as f32).is_finite()) {
            return None;
        }
        errors.sort_unstable_by(f64::total_cmp);
        let n_rows = errors.len();
        let n_kept = n_rows.min(MOST_KEPT);
        let kept = (1..=n_kept).map(|kept| errors[rank_of(kept, n_kept, n_rows) - 1] as f32);
        Some(Self { n_rows, errors: kept.collect() })
    }

    /// The error that at least a share `level` of fresh rows stays below, if they are like those that were held out: the
    /// least error whose rank, from 1, reaches (rows + 1) times the level.
    ///
    /// # Errors
    /// A level so close to 1 that no error has this rank.
    ///
    /// # Panics
    /// If the level is not between 0 and 1.
    pub fn bound(&self, level: f64) -> Result<f64, TooFewHeldOut> {
        assert!(level > 0.0 && level < 1.0, "a share");
        let n_rows = self.n_rows;
        // Less the rounding of 0.9 and its like.
        let rank = ((n_rows as f64 + 1.0) * level - 1e-9).ceil() as usize;
        let n_kept = self.errors.len();
        let place = (1..=n_kept).find(|&kept| rank_of(kept, n_kept, n_rows) >= rank);
        let most = n_rows as f64 / (n_rows as f64 + 1.0);
        place.map(|kept| f64::from(self.errors[kept - 1])).ok_or(TooFewHeldOut { level, n_rows, most })
    }

    /// The errors where every prediction may be off by so much more.
    pub(crate) fn widened(&self, by: f64) -> Self {
        let wider = |error: &f32| (f64::from(*error) + by) as f32;
        Self { n_rows: self.n_rows, errors: self.errors.iter().map(wider).collect() }
    }

    /// Whether the errors are what such errors can be.
    pub(crate) fn is_valid(&self) -> bool {
        let n_kept = self.errors.len();
        n_kept > 0
            && n_kept == self.n_rows.min(MOST_KEPT)
            && self.errors.iter().all(|error| error.is_finite() && *error >= 0.0)
            && self.errors.is_sorted()
    }
}

/// The rank, from 1, of the `kept`-th of `n_kept` errors among those of all rows.
fn rank_of(kept: usize, n_kept: usize, n_rows: usize) -> usize {
    (kept as u128 * n_rows as u128).div_ceil(n_kept as u128) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_the_order_statistics_of_split_conformal_prediction() {
        let errors = HeldOutErrors::of((1..=9).rev().map(f64::from).collect()).unwrap();
        // Ten intervals between nine errors: each holds a tenth of fresh errors.
        for (level, bound) in [(0.1, 1.0), (0.5, 5.0), (0.55, 6.0), (0.9, 9.0)] {
            assert_eq!(errors.bound(level), Ok(bound), "{level}");
        }
        let refused = errors.bound(0.95).unwrap_err();
        assert_eq!((refused.n_rows, refused.most), (9, 0.9));
    }

    #[test]
    fn of_many_rows_some_are_kept_and_bounds_are_never_too_small() {
        for n_rows in [1000, 1001, 2500, 100_000] {
            let all: Vec<f64> = (1..=n_rows).map(f64::from).collect();
            let errors = HeldOutErrors::of(all).unwrap();
            assert!(errors.is_valid() && errors.errors.len() == 1000);
            for level in [0.01, 0.5, 0.9, 0.95, 0.999] {
                let exact = ((f64::from(n_rows) + 1.0) * level).ceil();
                let found = errors.bound(level).unwrap();
                assert!(
                    found >= exact && found <= exact + f64::from(n_rows) / 1000.0 + 1.0,
                    "{n_rows} {level}"
                );
            }
        }
    }

    #[test]
    fn a_share_of_fresh_errors_stays_below() {
        // Errors without order: exchangeable ones stay below the bound in (n + 1) level / (n + 1) of all cases.
        let draw = |row: u64| (row.wrapping_mul(6_364_136_223_846_793_005) >> 33) as f64;
        let (mut n_below, mut n_all) = (0, 0);
        for set in 0..2000u64 {
            let errors = HeldOutErrors::of((0..19).map(|row| draw(set * 20 + row + 1)).collect()).unwrap();
            n_below += usize::from(draw(set * 20 + 20) <= errors.bound(0.9).unwrap());
            n_all += 1;
        }
        let share = n_below as f64 / f64::from(n_all);
        // Three standard errors of 2,000 draws.
        assert!((share - 0.9).abs() < 0.021, "{share}");
    }

    #[test]
    fn what_is_no_error_is_refused() {
        assert_eq!(HeldOutErrors::of(vec![]), None);
        assert_eq!(HeldOutErrors::of(vec![1.0, f64::NAN]), None);
        assert_eq!(HeldOutErrors::of(vec![1.0, f64::INFINITY]), None);
        let valid =
            |n_rows: usize, errors: &[f32]| HeldOutErrors { n_rows, errors: errors.to_vec() }.is_valid();
        assert!(valid(2, &[0.0, 1.0]) && !valid(2, &[1.0, 0.0]) && !valid(3, &[0.0, 1.0]));
        assert!(!valid(1, &[-1.0]) && !valid(1, &[f32::NAN]) && !valid(0, &[]));
    }
}
