//! How a method comes to its weights: what it gets right and what it loses, over steps and time.

use crate::problem::Counts;
use crate::statistics::{Spread, median};
use serde::Serialize;
use weightsmith_runtime::Cost;

/// The weights of one training at one evaluation point.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct CurveSample {
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
    /// The share of support rows that come out right.
    pub support_accuracy: f64,
    /// The share of query rows that come out right.
    pub query_accuracy: f64,
    /// The loss on the support rows: log-loss, or root mean squared error.
    pub support_loss: f64,
    /// The loss on the query rows.
    pub query_loss: f64,
}

/// Time to target: the optimiser's time to the generated weights' loss on the query rows, had it been stopped just then.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeToTarget {
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

/// Means over the splits' curves, at every number of steps at which one of them was evaluated.
pub(crate) fn mean_curve(splits: &[&[CurveSample]]) -> Vec<CurvePoint> {
    let splits: Vec<&[CurveSample]> = splits.iter().copied().filter(|samples| !samples.is_empty()).collect();
    let mut steps: Vec<usize> =
        splits.iter().flat_map(|samples| samples.iter().map(|sample| sample.n_steps)).collect();
    steps.sort_unstable();
    steps.dedup();
    let at = |n_steps: usize| {
        let last = |samples: &&[CurveSample]| {
            samples[samples.partition_point(|sample| sample.n_steps <= n_steps).max(1) - 1]
        };
        let now: Vec<CurveSample> = splits.iter().map(last).collect();
        let mean =
            |figure: &dyn Fn(&CurveSample) -> f64| now.iter().map(figure).sum::<f64>() / now.len() as f64;
        CurvePoint {
            n_steps,
            cpu_s: mean(&|sample| sample.cost.cpu_s),
            support_accuracy: mean(&|sample| sample.counts.support.right),
            query_accuracy: mean(&|sample| sample.counts.query.right),
            support_loss: mean(&|sample| sample.counts.support.loss),
            query_loss: mean(&|sample| sample.counts.query.loss),
        }
    };
    steps.into_iter().map(at).collect()
}

/// For each split a curve and the generated weights' loss on its query rows.
pub(crate) fn time_to_target(splits: &[(&[CurveSample], f64)]) -> Option<TimeToTarget> {
    let first = |(samples, loss): &(&[CurveSample], f64)| {
        samples.iter().find(|sample| sample.counts.query.loss <= *loss).copied()
    };
    let reached: Vec<Option<CurveSample>> = splits.iter().map(first).collect();
    // A split on which it is never reached takes forever.
    let usual = |figure: &dyn Fn(&CurveSample) -> f64| {
        let mut all: Vec<f64> =
            reached.iter().map(|sample| sample.as_ref().map_or(f64::INFINITY, figure)).collect();
        all.sort_unstable_by(f64::total_cmp);
        Some(median(&all)).filter(|value| value.is_finite())
    };
    let last = |figure: &dyn Fn(&CurveSample) -> f64| {
        Spread::of(&splits.iter().filter_map(|(samples, _)| samples.last().map(figure)).collect::<Vec<_>>())
    };
    Some(TimeToTarget {
        within_cpu_s: last(&|sample| sample.cost.cpu_s)?,
        within_steps: last(&|sample| sample.n_steps as f64)?,
        n_reached: reached.iter().flatten().count(),
        n_splits: splits.len(),
        cpu_s: usual(&|sample| sample.cost.cpu_s),
        n_steps: usual(&|sample| sample.n_steps as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Count;

    fn sample(n_steps: usize, loss: f64) -> CurveSample {
        let count = Count { right: 0.5, loss };
        let cost = Cost { wall_s: 0.0, cpu_s: n_steps as f64 / 10.0 };
        CurveSample { n_steps, cost, counts: Counts { support: count, query: count } }
    }

    #[test]
    fn a_training_that_has_ended_stays_where_it_is() {
        let (long, short) =
            ([sample(0, 4.0), sample(1, 2.0), sample(2, 1.0)], [sample(0, 2.0), sample(1, 1.0)]);
        let curve = mean_curve(&[&long, &short, &[]]);
        let losses: Vec<f64> = curve.iter().map(|point| point.query_loss).collect();
        assert_eq!(losses, [3.0, 1.5, 1.0]);
        assert!((curve[2].cpu_s - 0.15).abs() < 1e-12);
    }

    #[test]
    fn never_is_an_answer() {
        let curve = [sample(0, 4.0), sample(1, 2.0), sample(2, 3.0)];
        let equal = time_to_target(&[(&curve, 2.5), (&curve, 2.0), (&curve, 1.0)]).unwrap();
        assert_eq!(
            (equal.n_reached, equal.n_splits, equal.n_steps, equal.cpu_s),
            (2, 3, Some(1.0), Some(0.1))
        );
        let equal = time_to_target(&[(&curve, 2.5), (&curve, 1.0), (&curve, 1.0)]).unwrap();
        assert_eq!((equal.n_reached, equal.n_steps, equal.within_steps.max), (1, None, 2.0));
        assert_eq!(time_to_target(&[]), None);
    }
}
