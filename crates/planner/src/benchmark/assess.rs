//! How well the losses of trainings are predicted on data sets that a predictor has not seen.

use crate::benchmark::held_out::{Learner, LearnerPredictions, predict_held_out};
use crate::error::PlannerError;
use crate::fitting::FitSettings;
use crate::predictor::calibration::Estimate;
use crate::runs::{Example, RecordedRuns};
use crate::space::decision::Decision;
use burn::tensor::Device;
use rand::seq::index::sample;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_evaluation::statistics::{Spread, spearman};
use weightsmith_metamodel::Pretrained;

/// How well one learner predicted the losses of one task's runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskReport {
    /// The name of the task.
    pub task: String,
    /// The number of its support rows.
    pub n_support: u64,
    /// The number of its runs.
    pub n_runs: usize,
    /// Spearman's rank correlation of predicted and observed losses over the runs at their last evaluation points; none where one
    /// side does not vary.
    pub rank_correlation: Option<f64>,
    /// The same over all evaluation points.
    pub rank_correlation_of_points: Option<f64>,
    /// The share of evaluation points whose observed loss lies in the 90% interval, where there is one.
    pub coverage: Option<f64>,
    /// The root mean squared error, of natural logarithms of losses.
    pub rmse: f64,
    /// The loss of generating less the lowest of all, as a share of the base loss, where a generation was recorded.
    pub regret_of_generating: Option<f64>,
    /// The loss of the evaluation point that the learner would choose, less the lowest of all, as a share of the base loss.
    pub regret: f64,
}

/// How well one learner predicted the losses, over tasks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnerReport {
    /// Its name, with the number of rows that it read where these were not all.
    pub name: String,
    /// A description in one line.
    pub about: &'static str,
    /// The spread over tasks of [`TaskReport::rank_correlation`].
    pub rank_correlation: Option<Spread>,
    /// The spread over tasks of [`TaskReport::rank_correlation_of_points`].
    pub rank_correlation_of_points: Option<Spread>,
    /// The mean over tasks of [`TaskReport::coverage`].
    pub coverage: Option<f64>,
    /// The mean over tasks of [`TaskReport::rmse`].
    pub rmse: f64,
    /// 1 less the squared errors of all evaluation points as a share of those of their mean.
    pub r2: f64,
    /// The mean over tasks of [`TaskReport::regret`].
    pub regret: f64,
    /// Processor seconds of learning, over folds.
    pub cpu_s: f64,
    /// Every task.
    pub tasks: Vec<TaskReport>,
}

/// Decisions among the recorded evaluation points of each task by the lower confidence bound with one multiplier.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct MultiplierReport {
    /// The confidence multiplier, see [`Calibration`](crate::Calibration).
    pub confidence_multiplier: f64,
    /// The share of tasks for which a training was chosen.
    pub share_trained: f64,
    /// The mean over tasks of the loss less that of generating, as a share of the base loss.
    pub change: f64,
}

/// Confidence multipliers that are reported.
const MULTIPLIERS: [f64; 7] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0];

/// How well losses are predicted, by several learners.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment {
    /// The number of runs.
    pub n_runs: usize,
    /// The number of data sets.
    pub n_roots: usize,
    /// The number of folds of data sets that were held out in turn.
    pub n_folds: usize,
    /// Every learner.
    pub learners: Vec<LearnerReport>,
    /// Decisions among recorded evaluation points, by ascending confidence multiplier.
    pub multipliers: Vec<MultiplierReport>,
    /// A sample of evaluation points: the predicted logarithm of the loss, the ends of its interval, and the observed one.
    pub sample: Vec<[f64; 4]>,
}

/// The number of evaluation points in the sample for a picture.
const N_SAMPLE: usize = 1500;

/// A task of the fold that is held out.
struct HeldOutTask {
    task: String,
    n_support: u64,
    n_runs: usize,
    /// The positions of the evaluation points of its runs, ascending.
    points: Vec<usize>,
}

impl HeldOutTask {
    /// The tasks of the held-out runs, whose evaluation points are in the order of the runs.
    fn all(runs: &RecordedRuns, held: &[usize], points: &[Example]) -> Vec<Self> {
        let mut by_run: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        points.iter().enumerate().for_each(|(at, point)| by_run.entry(point.run).or_default().push(at));
        let tasks = runs.by_task(held).into_iter().map(|((task, n_support), of_task)| Self {
            task,
            n_support,
            n_runs: of_task.len(),
            points: of_task.iter().filter_map(|run| by_run.get(run)).flatten().copied().collect(),
        });
        tasks.collect()
    }
}

/// Holds out folds of data sets in turn, fits predictors to the runs of all others, and compares predicted
/// and observed losses. `metamodel` generates the weights of small learners; it is one for regression. `listen` is called with the fold,
/// the number of networks that are trained and the number of all.
///
/// # Errors
/// Those of [`crate::fit_predictor`].
pub fn assess(
    runs: &RecordedRuns,
    folds: &[BTreeSet<String>],
    metamodel: &Pretrained,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize, usize),
) -> Result<Assessment, PlannerError> {
    let mut learners: Vec<(Learner, LearnerReport, f64, f64)> = Vec::new();
    let mut pictured = Vec::new();
    let mut changes: [Vec<Option<f64>>; MULTIPLIERS.len()] = Default::default();
    for (fold_idx, fold) in folds.iter().enumerate() {
        let held = runs.of_roots(fold);
        let rest = runs.without(fold);
        let points: Vec<Example> = held.iter().flat_map(|&run| runs.evaluation_points(run)).collect();
        let tasks = HeldOutTask::all(runs, &held, &points);
        let predictions =
            predict_held_out(runs, &rest, &points, fold, metamodel, settings, device, &mut |n, all| {
                listen(fold_idx, n, all);
            })?;
        for predicted in predictions {
            if let Some(improvements) = &predicted.improvements {
                add_changes(runs, &tasks, &points, improvements, &mut changes);
            }
            if let (Learner::Ensemble, Some(intervals)) = (predicted.learner, &predicted.intervals) {
                let ends = predicted.values.iter().zip(intervals).zip(&points);
                pictured.extend(ends.map(|((mean, (low, high)), point)| [*mean, *low, *high, point.target]));
            }
            let at = learners
                .iter()
                .position(|(_, report, ..)| report.name == predicted.name)
                .unwrap_or_else(|| {
                    learners.push((predicted.learner, LearnerReport::new(&predicted), 0.0, 0.0));
                    learners.len() - 1
                });
            let (_, report, squares, total) = &mut learners[at];
            report.cpu_s += predicted.cpu_s;
            add(runs, &tasks, &points, &predicted, report, squares, total);
        }
    }
    let random = &mut settings.seed.stream("planning.sample");
    let picked = sample(random, pictured.len(), N_SAMPLE.min(pictured.len()));
    Ok(Assessment {
        n_runs: runs.len(),
        n_roots: runs.roots().len(),
        n_folds: folds.len(),
        learners: learners
            .into_iter()
            .map(|(_, report, squares, total)| report.finished(squares, total))
            .collect(),
        multipliers: MULTIPLIERS
            .iter()
            .zip(&changes)
            .map(|(multiplier, changes)| {
                let n = changes.len().max(1) as f64;
                MultiplierReport {
                    confidence_multiplier: *multiplier,
                    share_trained: changes.iter().flatten().count() as f64 / n,
                    change: changes.iter().flatten().sum::<f64>() / n,
                }
            })
            .collect(),
        sample: picked.into_iter().map(|at| pictured[at]).collect(),
    })
}

/// Adds to each confidence multiplier the change of every task's loss; none where the decision is to generate.
fn add_changes(
    runs: &RecordedRuns,
    tasks: &[HeldOutTask],
    points: &[Example],
    improvements: &[Estimate],
    changes: &mut [Vec<Option<f64>>; MULTIPLIERS.len()],
) {
    for HeldOutTask { points: here, .. } in tasks {
        let is_generated = |at: &&usize| runs.runs[points[**at].run].decision == Decision::Generate;
        let Some(&generated) = here.iter().find(is_generated) else { continue };
        for (multiplier, changes) in MULTIPLIERS.iter().zip(&mut *changes) {
            let bound = |at: usize| improvements[at].mean - multiplier * improvements[at].deviation;
            // The first of the highest.
            let best = here.iter().copied().min_by(|&a, &b| bound(b).total_cmp(&bound(a)));
            let chosen = best.filter(|&at| bound(at) > 0.0);
            changes.push(chosen.map(|at| points[at].target.exp() - points[generated].target.exp()));
        }
    }
}

/// Adds the tasks of a fold to a report.
fn add(
    runs: &RecordedRuns,
    tasks: &[HeldOutTask],
    points: &[Example],
    predictions: &LearnerPredictions,
    report: &mut LearnerReport,
    squares: &mut f64,
    total: &mut f64,
) {
    let mean = points.iter().map(|point| point.target).sum::<f64>() / points.len().max(1) as f64;
    for (point, value) in points.iter().zip(&predictions.values) {
        *squares += (point.target - value).powi(2);
        *total += (point.target - mean).powi(2);
    }
    for HeldOutTask { task, n_support, n_runs, points: here } in tasks {
        let pick = |places: &[usize]| -> (Vec<f64>, Vec<f64>) {
            places.iter().map(|&at| (predictions.values[at], points[at].target)).unzip()
        };
        // The evaluation points of a run follow one another.
        let is_last = |at: &usize| points.get(at + 1).is_none_or(|next| next.run != points[*at].run);
        let last: Vec<usize> = here.iter().copied().filter(is_last).collect();
        let (predicted, observed) = pick(here);
        let (predicted_last, observed_last) = pick(&last);
        let n = here.len().max(1) as f64;
        let errors = predicted.iter().zip(&observed).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let preference = |at: usize| match &predictions.lower_bounds {
            Some(bounds) => bounds[at],
            None => -predictions.values[at],
        };
        // The first of the highest.
        let preferred = (0..here.len()).min_by(|&a, &b| preference(here[b]).total_cmp(&preference(here[a])));
        let Some(chosen) = preferred else { continue };
        let best = observed.iter().copied().fold(f64::INFINITY, f64::min);
        report.tasks.push(TaskReport {
            task: task.clone(),
            n_support: *n_support,
            n_runs: *n_runs,
            rank_correlation: spearman(&predicted_last, &observed_last),
            rank_correlation_of_points: spearman(&predicted, &observed),
            coverage: predictions.intervals.as_ref().map(|intervals| {
                let inside =
                    |at: &&usize| (intervals[**at].0..=intervals[**at].1).contains(&points[**at].target);
                here.iter().filter(inside).count() as f64 / n
            }),
            rmse: (errors / n).sqrt(),
            regret_of_generating: here
                .iter()
                .position(|&at| runs.runs[points[at].run].decision == Decision::Generate)
                .map(|generated| observed[generated].exp() - best.exp()),
            regret: observed[chosen].exp() - best.exp(),
        });
    }
}

impl LearnerReport {
    fn new(predictions: &LearnerPredictions) -> Self {
        Self {
            name: predictions.name.clone(),
            about: predictions.learner.about(),
            rank_correlation: None,
            rank_correlation_of_points: None,
            coverage: None,
            rmse: f64::NAN,
            r2: f64::NAN,
            regret: f64::NAN,
            cpu_s: 0.0,
            tasks: Vec::new(),
        }
    }

    fn finished(mut self, squares: f64, total: f64) -> Self {
        let over = |pick: &dyn Fn(&TaskReport) -> Option<f64>| -> Vec<f64> {
            self.tasks.iter().filter_map(pick).collect()
        };
        let mean = |numbers: Vec<f64>| numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
        let covered = over(&|task| task.coverage);
        self.rank_correlation = Spread::of(&over(&|task| task.rank_correlation));
        self.rank_correlation_of_points = Spread::of(&over(&|task| task.rank_correlation_of_points));
        self.coverage = (!covered.is_empty()).then(|| mean(covered));
        self.rmse = mean(over(&|task| Some(task.rmse)));
        self.regret = mean(over(&|task| Some(task.regret)));
        self.r2 = 1.0 - squares / total;
        self
    }
}
