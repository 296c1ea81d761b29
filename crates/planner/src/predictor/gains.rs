//! What methods gain over plain generating, learned from recorded runs.
//!
//! Improvements differ between tasks more than features of their supports tell: from some fifty synthetic tasks neither ridge regression nor
//! networks, generated or not, predict them better than their means over tasks of the same type and size do (see
//! `models/planner-2/CARD.md`). So these means, pulled to that over all sizes, are the prediction, and how far they are off on data sets
//! that they were not computed from is the standard deviation of its error.

use crate::features::TaskFeatures;
use crate::predictor::calibration::Estimate;
use crate::runs::{RecordedRun, RecordedRuns, target};
use crate::space::decision::Decision;
use crate::space::methods::KnownMethod;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_tasks::{Seed, TaskType};

/// The fewest tasks, with their numbers of support rows, from which a method is learned.
const MIN_ROWS: usize = 40;
/// Improvements are clipped here: how much better or worse than plain generating something extreme is matters little.
const FARTHEST: f64 = 1.0;
/// Up to so many support rows each class of sizes goes; the last holds the rest.
const SIZES: [f64; 2] = [90.0, 360.0];
/// So many tasks of all sizes count beside those of one.
const PULL: f64 = 20.0;
/// The standard deviation of what sets a table apart from the tasks that were learned from, beside that of errors on tasks like these:
/// synthetic tasks of many rows are told alike by nearly every method, real tables are not.
const SHIFT: f64 = 0.1;

/// The improvement of one method over plain generating: by how much the natural logarithm of its loss on query rows is lower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodGains {
    /// Mean and standard deviation of its error for classes, then for values, each for few, some and many support rows.
    gains: [[Estimate; SIZES.len() + 1]; 2],
}

/// Type and size of a task, as places in [`MethodGains::gains`].
fn place(features: &TaskFeatures) -> (usize, usize) {
    let n_rows = features.n_rows();
    let size = SIZES.iter().position(|most| n_rows <= *most).unwrap_or(SIZES.len());
    (usize::from(features.task_type() == TaskType::Regression), size)
}

impl MethodGains {
    /// The predicted improvement for a support, with the standard deviation of its error on a table that need not be like the tasks
    /// that were learned from.
    pub fn predict(&self, features: &TaskFeatures) -> Estimate {
        let (task_type, size) = place(features);
        let Estimate { mean, deviation } = self.gains[task_type][size];
        Estimate { mean, deviation: deviation.hypot(SHIFT) }
    }

    /// Of observed improvements, each with its data sets; errors are those of means without the fold of the data set.
    fn fit(observed: &[Observed<'_>], folds: &[BTreeSet<String>]) -> Self {
        let mut gains = [[Estimate { mean: 0.0, deviation: FARTHEST }; SIZES.len() + 1]; 2];
        for (task_type, sizes) in gains.iter_mut().enumerate() {
            for (size, gain) in sizes.iter_mut().enumerate() {
                gain.mean = mean(observed.iter(), task_type, size);
                let here = observed.iter().filter(|own| own.place == (task_type, size));
                let error = |own: &Observed<'_>| {
                    let fold = folds.iter().find(|fold| own.is_of(fold));
                    let others = observed.iter().filter(|other| fold.is_none_or(|fold| !other.is_of(fold)));
                    own.improvement - mean(others, task_type, size)
                };
                let squares: Vec<f64> = here.map(|own| error(own).powi(2)).collect();
                if !squares.is_empty() {
                    gain.deviation = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
                }
            }
        }
        Self { gains }
    }
}

/// The mean improvement for a type and a size, pulled to that of the type.
fn mean<'a>(observed: impl Iterator<Item = &'a Observed<'a>>, task_type: usize, size: usize) -> f64 {
    let (mut of_type, mut n_type, mut of_size, mut n_size) = (0.0, 0.0, 0.0, 0.0);
    for own in observed.filter(|own| own.place.0 == task_type) {
        of_type += own.improvement;
        n_type += 1.0;
        if own.place.1 == size {
            of_size += own.improvement;
            n_size += 1.0;
        }
    }
    if n_type > 0.0 { (of_size + PULL * of_type / n_type) / (n_size + PULL) } else { 0.0 }
}

/// An improvement of a recorded run.
struct Observed<'a> {
    place: (usize, usize),
    improvement: f64,
    roots: &'a BTreeSet<String>,
}

impl Observed<'_> {
    fn is_of(&self, fold: &BTreeSet<String>) -> bool {
        !self.roots.is_disjoint(fold)
    }
}

/// Learns what every method gains that enough runs are recorded of, beside plain generating on the same rows. Errors are those on data sets that
/// were left out, in `n_folds` folds.
pub(crate) fn fit_gains(
    runs: &RecordedRuns,
    n_folds: usize,
    seed: Seed,
) -> BTreeMap<KnownMethod, MethodGains> {
    let key = |run: &RecordedRun| (run.record.task.clone(), run.record.outcome.n_short);
    let of = |run: &RecordedRun| target(run.record.outcome.value, &run.features);
    let generated = runs.runs.iter().filter(|run| run.decision == Decision::Generate);
    let plain: BTreeMap<(String, u64), f64> = generated.map(|run| (key(run), of(run))).collect();
    let folds = runs.folds(n_folds, seed);
    let of_method = |method: KnownMethod| {
        let own = runs.methods.iter().filter(|run| run.decision == Decision::Method(method));
        let beside = own.filter_map(|run| {
            let improvement = (plain.get(&key(run))? - of(run)).clamp(-FARTHEST, FARTHEST);
            Some(Observed { place: place(&run.features), improvement, roots: &run.record.roots })
        });
        let observed: Vec<Observed<'_>> = beside.collect();
        (observed.len() >= MIN_ROWS).then(|| (method, MethodGains::fit(&observed, &folds)))
    };
    KnownMethod::all().filter_map(of_method).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn gains_are_means_of_their_type_and_size_that_the_others_pull_at() {
        let roots: Vec<BTreeSet<String>> = (0..40).map(|at| BTreeSet::from([format!("task-{at}")])).collect();
        // Few rows with classes gain 0.3 or 0.1, many lose 0.2; values say nothing about classes.
        let observed: Vec<Observed<'_>> = (0..40)
            .map(|at| {
                let improvement = match at {
                    0..10 => 0.3,
                    10..20 => 0.1,
                    20..30 => -0.2,
                    _ => 5.0,
                };
                let place = (usize::from(at >= 30), if at < 20 { 0 } else { 2 });
                Observed { place, improvement, roots: &roots[at] }
            })
            .collect();
        let folds = [
            roots[..20].iter().flatten().cloned().collect(),
            roots[20..].iter().flatten().cloned().collect(),
        ];
        let found = MethodGains::fit(&observed, &folds);
        let of_type = (10.0 * 0.3 + 10.0 * 0.1 - 10.0 * 0.2) / 30.0;
        let few = (10.0 * 0.3 + 10.0 * 0.1 + PULL * of_type) / (20.0 + PULL);
        let features = testing::features(0.4);
        let predicted = found.predict(&features);
        assert!((predicted.mean - few).abs() < 1e-12, "{predicted:?}");
        // Without their fold -0.2 is all there is to say of classes.
        let error = ((10.0 * 0.5f64.powi(2) + 10.0 * 0.3f64.powi(2)) / 20.0).sqrt();
        assert!((predicted.deviation - error.hypot(SHIFT)).abs() < 1e-12, "{predicted:?}");
    }
}
