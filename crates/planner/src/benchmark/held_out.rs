//! The learners that are assessed, and their predictions for runs of held-out data sets.

use crate::error::PlannerError;
use crate::fitting::{FitSettings, fit_to_examples, train_network};
use crate::predictor::calibration::{Estimate, LossPrediction};
use crate::predictor::ensemble::{PerformancePredictor, member_predictions_of_rows};
use crate::predictor::surrogate_features::{PROBE_STEPS, SurrogateInput, surrogate_table};
use crate::runs::{Example, RecordedRuns};
use crate::space::decision::Decision;
use burn::tensor::Device;
use rand::seq::index::sample;
use std::collections::BTreeSet;
use weightsmith_base_model::BaseModel;
use weightsmith_generation::{GenerateOptions, generate_base_model};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{Cost, Stopwatch, in_parallel};
use weightsmith_tasks::{Above, Base, Seed, Support};
use weightsmith_training::{Optimiser, Recipe, fit_linear, grid, train_base_model, tune_base_model};

/// Numbers of rows about runs that the small learners read.
const SMALL: [usize; 3] = [64, 256, 1024];

/// A learner of losses.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Learner {
    Ensemble,
    Probed,
    Linear,
    Generated,
    Tuned,
    Trained,
    TunedLinear,
    Mean,
}

impl Learner {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Tuned => "adam-tuned",
            Self::Trained => "adam",
            Self::TunedLinear => "linear-tuned",
            Self::Ensemble => "ensemble",
            Self::Probed => "ensemble with probes",
            Self::Linear => "linear",
            Self::Mean => "mean",
        }
    }

    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Ensemble => "the predictor's networks, trained on all rows about runs",
            Self::Probed => {
                "the same networks with columns for the losses at the first 32 steps, for predictions after them"
            }
            Self::Linear => "the predictor's ridge regression on products, on all rows",
            Self::Generated => "a network whose weights the metamodel generated from that many rows",
            Self::Tuned => "a network trained by Adam on the same rows, recipe by cross-validation",
            Self::Trained => "a network trained by Adam on the same rows, default recipe",
            Self::TunedLinear => "ridge regression on the same rows, strength by cross-validation",
            Self::Mean => "the mean of all rows",
        }
    }

    const SMALL: [Self; 4] = [Self::Generated, Self::Tuned, Self::Trained, Self::TunedLinear];
}

/// The predictions of a learner for the evaluation points of a fold.
pub(super) struct LearnerPredictions {
    /// The name of the learner, with the number of rows that it read where these were not all.
    pub(super) name: String,
    pub(super) learner: Learner,
    /// The predicted target of every point.
    pub(super) values: Vec<f64>,
    /// The ends of the 90% interval of every point, where there is one.
    pub(super) intervals: Option<Vec<(f64, f64)>>,
    /// The predicted improvement of every point over generating, where it has a standard deviation.
    pub(super) improvements: Option<Vec<Estimate>>,
    /// What a choice goes by, highest first: the lower confidence bound of the improvement; the negated values if there is none.
    pub(super) lower_bounds: Option<Vec<f64>>,
    /// Processor seconds of learning.
    pub(super) cpu_s: f64,
}

/// The predictions of every learner, which learns from `rest`, for evaluation points of runs on held-out data sets.
#[expect(clippy::too_many_arguments, reason = "one call, of what `assess` is given and a fold of it")]
pub(super) fn predict_held_out(
    runs: &RecordedRuns,
    rest: &RecordedRuns,
    points: &[Example],
    fold: &BTreeSet<String>,
    metamodel: &Pretrained,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<Vec<LearnerPredictions>, PlannerError> {
    let inputs = runs.inputs(points);
    let stopwatch = Stopwatch::of_process(Cost::default());
    let all: Vec<usize> = (0..rest.len()).collect();
    let examples = rest.examples(&all, settings.n_points, settings.seed);
    let predictor = fit_to_examples(rest, &examples, settings, device, listen)?.predictor;
    let cpu_s = stopwatch.cost().cpu_s;
    let predicted = predictor.predict(&inputs)?;
    let improvements = improvements(runs, points, &predictor)?;
    let lower_bounds =
        improvements.iter().map(|improvement| predictor.calibration.lower_bound(*improvement)).collect();
    let mut all_learners = vec![
        LearnerPredictions {
            name: Learner::Ensemble.name().into(),
            learner: Learner::Ensemble,
            values: predicted.iter().map(|prediction| prediction.mean).collect(),
            intervals: Some(predicted.iter().map(|prediction| (prediction.low, prediction.high)).collect()),
            improvements: Some(improvements),
            lower_bounds: Some(lower_bounds),
            cpu_s,
        },
        LearnerPredictions {
            name: Learner::Linear.name().into(),
            learner: Learner::Linear,
            values: inputs.iter().map(|input| predictor.linear.predict(input)).collect(),
            intervals: None,
            improvements: None,
            lower_bounds: None,
            cpu_s: 0.0,
        },
    ];
    all_learners.push(probed(runs, rest, points, fold, &examples, &predicted, settings, device)?);
    let mean = examples.iter().map(|example| example.target).sum::<f64>() / examples.len() as f64;
    all_learners.push(LearnerPredictions {
        name: Learner::Mean.name().into(),
        learner: Learner::Mean,
        values: vec![mean; points.len()],
        intervals: None,
        improvements: None,
        lower_bounds: None,
        cpu_s: 0.0,
    });
    let table = surrogate_table(&inputs);
    for n_rows in SMALL.into_iter().filter(|n_rows| *n_rows <= examples.len()) {
        let random = &mut settings.seed.indexed_stream("planning.small", &[n_rows as u64]);
        let some: Vec<Example> =
            sample(random, examples.len(), n_rows).into_iter().map(|at| examples[at]).collect();
        let support = rest.lifted(&some, fold)?.support;
        for learner in Learner::SMALL {
            let stopwatch = Stopwatch::of_thread();
            let model = small(learner, &support, metamodel, settings.seed, device)?;
            let cpu_s = stopwatch.cost().cpu_s;
            let predictions = model.predict(&table)?;
            let values = predictions.values().expect("the target of rows about runs is a number");
            all_learners.push(LearnerPredictions {
                name: format!("{} from {n_rows} rows", learner.name()),
                learner,
                values: values.to_vec(),
                intervals: None,
                improvements: None,
                lower_bounds: None,
                cpu_s,
            });
        }
    }
    Ok(all_learners)
}

/// The predictions of an ensemble with the columns of the runs' probes, for points after the probe; for earlier ones, and for
/// generations, those of the ensemble without.
#[expect(clippy::too_many_arguments, reason = "a part of `predict_held_out`, with what that has made so far")]
fn probed(
    runs: &RecordedRuns,
    rest: &RecordedRuns,
    points: &[Example],
    fold: &BTreeSet<String>,
    examples: &[Example],
    predicted: &[LossPrediction],
    settings: &FitSettings,
    device: &Device,
) -> Result<LearnerPredictions, PlannerError> {
    let is_later = |point: &Example| point.n_steps > PROBE_STEPS;
    let later: Vec<Example> = examples.iter().filter(|example| is_later(example)).copied().collect();
    let stopwatch = Stopwatch::of_process(Cost::default());
    let support = rest.lifted_with_probes(&later, fold)?.support;
    let seeds: Vec<u64> =
        (0..settings.n_networks as u64).map(|at| settings.seed.0.wrapping_add(at)).collect();
    let train = |seed: u64| train_network(&support, Seed(seed), device);
    let networks = in_parallel(seeds, settings.n_threads, train, &mut |_| {});
    let networks = networks.into_iter().collect::<Result<Vec<_>, _>>()?;
    let cpu_s = stopwatch.cost().cpu_s;
    let mut values: Vec<f64> = predicted.iter().map(|prediction| prediction.mean).collect();
    let places: Vec<usize> = (0..points.len()).filter(|&at| is_later(&points[at])).collect();
    for places in places.chunks(8192) {
        let here: Vec<Example> = places.iter().map(|&at| points[at]).collect();
        let members = member_predictions_of_rows(&networks, &runs.table_with_probes(&here))?;
        for (row, &at) in places.iter().enumerate() {
            values[at] = Estimate::over_members(members.iter().map(|member| member[row])).mean;
        }
    }
    Ok(LearnerPredictions {
        name: Learner::Probed.name().into(),
        learner: Learner::Probed,
        values,
        intervals: None,
        improvements: None,
        lower_bounds: None,
        cpu_s,
    })
}

/// The predicted improvement of every evaluation point over generating for its own task.
fn improvements(
    runs: &RecordedRuns,
    points: &[Example],
    predictor: &PerformancePredictor,
) -> Result<Vec<Estimate>, PlannerError> {
    let generated: Vec<SurrogateInput<'_>> = points
        .iter()
        .map(|point| SurrogateInput {
            decision: Decision::Generate,
            n_steps: 0,
            features: &runs.runs[point.run].features,
        })
        .collect();
    let of_generated = predictor.member_predictions(&generated)?;
    let of_points = predictor.member_predictions(&runs.inputs(points))?;
    let of = |at: usize| {
        let members = of_generated.iter().zip(&of_points);
        Estimate::over_members(members.map(|(generated, point)| generated[at] - point[at]))
    };
    Ok((0..points.len()).map(of).collect())
}

/// Trains or generates a small learner.
fn small(
    learner: Learner,
    support: &Support<Above<Base>>,
    metamodel: &Pretrained,
    seed: Seed,
    device: &Device,
) -> Result<BaseModel<Above<Base>>, PlannerError> {
    Ok(match learner {
        Learner::Generated => {
            let options = GenerateOptions { n_threads: 1, ..GenerateOptions::default() };
            generate_base_model(metamodel, support, options)?.0
        }
        Learner::Tuned => {
            let recipes = grid(Optimiser::Adam, support.target().task_type());
            tune_base_model(support, &recipes, seed, device, &mut |_| {})?.trained.model
        }
        Learner::Trained => train_base_model(support, &Recipe::default(), seed, device)?.model,
        _ => fit_linear(support, seed)?,
    })
}
