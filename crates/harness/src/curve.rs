//! How an arm comes to its weights: what it gets right and what it loses, over steps and time.

use crate::clock::Cost;
use crate::problem::Counts;
use crate::statistics::{Spread, median};
use serde::Serialize;

/// One look at the weights of one training.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) n_steps: usize,
    pub(crate) cost: Cost,
    pub(crate) counts: Counts,
}

/// A point of a curve; means over splits, in which a training that has ended stays where it is.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Inner steps taken.
    pub n_steps: usize,
    /// Processor seconds, those of choosing a recipe included.
    pub cpu_s: f64,
    /// The share of short rows that come out right.
    pub short_right: f64,
    /// The share of long rows that come out right.
    pub long_right: f64,
    /// The loss on the short rows: log-loss, or root mean squared error.
    pub short_loss: f64,
    /// The loss on the long rows.
    pub long_loss: f64,
}

/// The optimiser's time to the generated weights' loss on the long rows, had it been stopped just then.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToEqual {
    /// Splits on which it gets there.
    pub n_reached: usize,
    /// Splits in all.
    pub n_splits: usize,
    /// Processor seconds to it, the median over splits; none if it is not reached on most.
    pub cpu_s: Option<f64>,
    /// Inner steps to it, likewise.
    pub n_steps: Option<f64>,
    /// What was tried: processor seconds of the whole training.
    pub within_cpu_s: Spread,
    /// And its steps.
    pub within_steps: Spread,
}

/// Means over the splits' curves, at every number of steps that one of them was looked at.
pub(crate) fn mean_curve(splits: &[&[Seen]]) -> Vec<CurvePoint> {
    let splits: Vec<&[Seen]> = splits.iter().copied().filter(|seen| !seen.is_empty()).collect();
    let mut steps: Vec<usize> = splits.iter().flat_map(|seen| seen.iter().map(|seen| seen.n_steps)).collect();
    steps.sort_unstable();
    steps.dedup();
    let at = |n_steps: usize| {
        let last = |seen: &&[Seen]| seen[seen.partition_point(|seen| seen.n_steps <= n_steps).max(1) - 1];
        let now: Vec<Seen> = splits.iter().map(last).collect();
        let mean = |figure: &dyn Fn(&Seen) -> f64| now.iter().map(figure).sum::<f64>() / now.len() as f64;
        CurvePoint {
            n_steps,
            cpu_s: mean(&|seen| seen.cost.cpu_s),
            short_right: mean(&|seen| seen.counts.short.right),
            long_right: mean(&|seen| seen.counts.long.right),
            short_loss: mean(&|seen| seen.counts.short.loss),
            long_loss: mean(&|seen| seen.counts.long.loss),
        }
    };
    steps.into_iter().map(at).collect()
}

/// For each split a curve and the generated weights' loss on its long rows.
pub(crate) fn to_equal(splits: &[(&[Seen], f64)]) -> Option<ToEqual> {
    let first =
        |(seen, loss): &(&[Seen], f64)| seen.iter().find(|seen| seen.counts.long.loss <= *loss).copied();
    let reached: Vec<Option<Seen>> = splits.iter().map(first).collect();
    // A split on which it is never reached takes forever.
    let usual = |figure: &dyn Fn(&Seen) -> f64| {
        let mut all: Vec<f64> =
            reached.iter().map(|seen| seen.as_ref().map_or(f64::INFINITY, figure)).collect();
        all.sort_unstable_by(f64::total_cmp);
        Some(median(&all)).filter(|value| value.is_finite())
    };
    let last = |figure: &dyn Fn(&Seen) -> f64| {
        Spread::of(&splits.iter().filter_map(|(seen, _)| seen.last().map(figure)).collect::<Vec<_>>())
    };
    Some(ToEqual {
        within_cpu_s: last(&|seen| seen.cost.cpu_s)?,
        within_steps: last(&|seen| seen.n_steps as f64)?,
        n_reached: reached.iter().flatten().count(),
        n_splits: splits.len(),
        cpu_s: usual(&|seen| seen.cost.cpu_s),
        n_steps: usual(&|seen| seen.n_steps as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Count;

    fn seen(n_steps: usize, loss: f64) -> Seen {
        let count = Count { right: 0.5, loss };
        let cost = Cost { wall_s: 0.0, cpu_s: n_steps as f64 / 10.0 };
        Seen { n_steps, cost, counts: Counts { short: count, long: count } }
    }

    #[test]
    fn a_training_that_has_ended_stays_where_it_is() {
        let (long, short) = ([seen(0, 4.0), seen(1, 2.0), seen(2, 1.0)], [seen(0, 2.0), seen(1, 1.0)]);
        let curve = mean_curve(&[&long, &short, &[]]);
        let losses: Vec<f64> = curve.iter().map(|point| point.long_loss).collect();
        assert_eq!(losses, [3.0, 1.5, 1.0]);
        assert!((curve[2].cpu_s - 0.15).abs() < 1e-12);
    }

    #[test]
    fn never_is_an_answer() {
        let curve = [seen(0, 4.0), seen(1, 2.0), seen(2, 3.0)];
        let equal = to_equal(&[(&curve, 2.5), (&curve, 2.0), (&curve, 1.0)]).unwrap();
        assert_eq!(
            (equal.n_reached, equal.n_splits, equal.n_steps, equal.cpu_s),
            (2, 3, Some(1.0), Some(0.1))
        );
        let equal = to_equal(&[(&curve, 2.5), (&curve, 1.0), (&curve, 1.0)]).unwrap();
        assert_eq!((equal.n_reached, equal.n_steps, equal.within_steps.max), (1, None, 2.0));
        assert_eq!(to_equal(&[]), None);
    }
}
