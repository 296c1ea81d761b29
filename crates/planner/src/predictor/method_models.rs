//! What each method gains over plain generating on a table, predicted from the features of its support.
//!
//! A network for each method, whose weights the metamodel generates from rows about its recorded runs: a task with a number of
//! support rows is a row, and the improvement of the method over plain generating on the same rows is its label.

use crate::error::PlannerError;
use crate::features::TaskFeatures;
use crate::predictor::calibration::Estimate;
use crate::predictor::surrogate_features::task_table;
use crate::runs::{RecordedRun, RecordedRuns, target};
use crate::space::decision::Decision;
use crate::space::methods::KnownMethod;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_base_model::{BaseModel, EncodingError};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model, load_metamodel};
use weightsmith_lifting::{Moment, Run, RunRow, RunRows, lift};
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::{Above, Base, Seed, Support, TaskType};

/// The fewest tasks, with their numbers of support rows, from which a method is learned.
const MIN_ROWS: usize = 40;
/// Improvements are clipped here: how much better or worse than plain generating something extreme is matters little.
const FARTHEST: f64 = 1.0;
/// Up to so many support rows each class of sizes goes; the last holds the rest.
const SIZES: [f64; 2] = [90.0, 360.0];
/// The standard deviation of what sets a table apart from the tasks that were learned from, beside that of errors on tasks like these:
/// synthetic tasks of many rows are told alike by nearly every method, real tables are not.
const SHIFT: f64 = 0.1;
/// The least standard deviation of an error.
const LEAST_DEVIATION: f64 = 1e-3;

/// How a network for a method is generated: small, since there is one for each method.
const OPTIONS: GenerateOptions =
    GenerateOptions { n_views: 2, n_threads: 1, n_trees: 0, n_steps: Steps::Decided };

/// Standard deviations of errors on data sets that were not learned from: `[classes, values]`, each for few, some and many support rows.
#[derive(Copy, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Deviations([[f64; SIZES.len() + 1]; 2]);

/// A predictor of the improvement of one method.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodModel {
    /// The method.
    pub method: KnownMethod,
    /// Predicts by how much the natural logarithm of the method's loss on query rows is below that of plain generating.
    pub network: BaseModel<Above<Base>>,
    /// How far it was from the observed improvements, on data sets that it had not learned from.
    pub deviations: Deviations,
}

impl MethodModel {
    /// The predicted improvement over plain generating for each of several supports, with the standard deviation of its error on a
    /// table that need not be like those that were learned from.
    ///
    /// # Errors
    /// A network that reads other columns.
    pub fn predict(&self, features: &[&TaskFeatures]) -> Result<Vec<Estimate>, EncodingError> {
        let predicted = self.network.predict(&task_table(features))?;
        let means = predicted.values().expect("improvements are numbers");
        let estimate = |(features, mean): (&&TaskFeatures, &f64)| Estimate {
            mean: mean.clamp(-FARTHEST, FARTHEST),
            deviation: self.deviations.of(features).hypot(SHIFT),
        };
        Ok(features.iter().zip(means).map(estimate).collect())
    }
}

impl Deviations {
    fn place(features: &TaskFeatures) -> (usize, usize) {
        let n_rows = features.n_rows();
        let size = SIZES.iter().position(|most| n_rows <= *most).unwrap_or(SIZES.len());
        (usize::from(features.task_type() == TaskType::Regression), size)
    }

    /// For a support with these features.
    pub fn of(&self, features: &TaskFeatures) -> f64 {
        let (task_type, size) = Self::place(features);
        self.0[task_type][size]
    }

    /// Of errors with the features of their supports. Classes of sizes without any have the error of all.
    fn fit(errors: &[(&TaskFeatures, f64)]) -> Self {
        let root = |errors: &mut dyn Iterator<Item = f64>| {
            let squares: Vec<f64> = errors.map(|error| error * error).collect();
            (!squares.is_empty()).then(|| (squares.iter().sum::<f64>() / squares.len() as f64).sqrt())
        };
        let all = root(&mut errors.iter().map(|(_, error)| *error)).unwrap_or(FARTHEST);
        let mut found = Self::default();
        for (task_type, sizes) in found.0.iter_mut().enumerate() {
            for (size, deviation) in sizes.iter_mut().enumerate() {
                let here = errors.iter().filter(|(features, _)| Self::place(features) == (task_type, size));
                *deviation = root(&mut here.map(|(_, error)| *error)).unwrap_or(all).max(LEAST_DEVIATION);
            }
        }
        found
    }
}

/// The runs of a method beside plain generating on the same rows.
struct Improvements<'a> {
    method: KnownMethod,
    runs: Vec<(&'a RecordedRun, f64)>,
}

/// The observed improvements of every method.
fn improvements(runs: &RecordedRuns) -> Vec<Improvements<'_>> {
    let key = |run: &RecordedRun| (run.record.task.clone(), run.record.outcome.n_short);
    let of = |run: &RecordedRun| target(run.record.outcome.value, &run.features);
    let plain: BTreeMap<(String, u64), f64> = runs
        .runs
        .iter()
        .filter(|run| run.decision == Decision::Generate)
        .map(|run| (key(run), of(run)))
        .collect();
    let of_method = |method: KnownMethod| {
        let own = runs.methods.iter().filter(|run| run.decision == Decision::Method(method));
        let beside = own.filter_map(|run| {
            let plain = plain.get(&key(run))?;
            Some((run, (plain - of(run)).clamp(-FARTHEST, FARTHEST)))
        });
        Improvements { method, runs: beside.collect() }
    };
    KnownMethod::all().map(of_method).filter(|found| found.runs.len() >= MIN_ROWS).collect()
}

/// Learns what every method gains that enough runs are recorded of. Errors are those of networks that have not learned from the data sets,
/// in `n_folds` folds.
///
/// # Errors
/// Runs of several splits, rows that nothing can be generated from.
pub(crate) fn fit_methods(
    runs: &RecordedRuns,
    n_folds: usize,
    seed: Seed,
    device: &Device,
) -> Result<Vec<MethodModel>, PlannerError> {
    let found = improvements(runs);
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let pretrained = load_metamodel(None, TaskType::Regression, device)?;
    let folds = runs.folds(n_folds, seed);
    let fit = |own: &Improvements<'_>| -> Result<MethodModel, PlannerError> {
        let mut errors = Vec::new();
        for fold in &folds {
            let is_held = |(run, _): &&(&RecordedRun, f64)| !run.record.roots.is_disjoint(fold);
            let (held, rest): (Vec<_>, Vec<_>) = own.runs.iter().partition(|run| is_held(run));
            if held.is_empty() || rest.len() < MIN_ROWS / 2 {
                continue;
            }
            let network = network(runs, &rest, fold, &pretrained)?;
            let model = MethodModel { method: own.method, network, deviations: Deviations::default() };
            let features: Vec<&TaskFeatures> = held.iter().map(|(run, _)| &run.features).collect();
            let predicted = model.predict(&features)?;
            errors.extend(
                features
                    .into_iter()
                    .zip(held)
                    .zip(predicted)
                    .map(|((features, (_, observed)), predicted)| (features, observed - predicted.mean)),
            );
        }
        let network = network(runs, &own.runs.iter().collect::<Vec<_>>(), &BTreeSet::new(), &pretrained)?;
        Ok(MethodModel { method: own.method, network, deviations: Deviations::fit(&errors) })
    };
    found.iter().map(fit).collect()
}

/// A network whose weights are generated from rows about runs.
fn network(
    runs: &RecordedRuns,
    rows: &[&(&RecordedRun, f64)],
    held_out: &BTreeSet<String>,
    pretrained: &Pretrained,
) -> Result<BaseModel<Above<Base>>, PlannerError> {
    let features: Vec<&TaskFeatures> = rows.iter().map(|(run, _)| &run.features).collect();
    let lifted: Vec<Run<'_, Base>> = rows.iter().map(|(run, _)| (&run.record).into()).collect();
    let places = (0..rows.len()).map(|run| RunRow { run, seen: 0, label: Moment::End }).collect();
    let label = |run: usize, _: Option<f64>| rows[run].1;
    let table = RunRows { table: task_table(&features), rows: places };
    let support: Support<Above<Base>> = lift(&lifted, table, &label, &runs.learner(held_out))?.support;
    Ok(generate_base_model(pretrained, &support, OPTIONS)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn deviations_are_of_the_same_kind_and_size() {
        let features = testing::features(0.4);
        let errors = [(&features, 0.3), (&features, -0.4)];
        let found = Deviations::fit(&errors);
        // 64 rows with classes; elsewhere the error of all, which is the same here.
        assert!((found.of(&features) - (0.125f64).sqrt()).abs() < 1e-12, "{found:?}");
        let exact = [(&features, 0.0)];
        assert!((Deviations::fit(&exact).of(&features) - LEAST_DEVIATION).abs() < 1e-15);
    }
}
