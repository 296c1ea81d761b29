//! The figures of a comparison on one table.

use crate::curve::{CurvePoint, CurveSample, TimeToTarget, mean_curve, time_to_target};
use crate::importance::Importance;
use crate::methods::{GENERATED, MethodRef, Role, Shape};
use crate::metrics::{Metric, Scores};
use crate::selecting::ComparedSelection;
use crate::statistics::{Estimate, Spread};
use crate::steps_curve::StepsCurves;
use crate::weight_space::{WeightSpace, agreement};
use serde::Serialize;
use weightsmith_base_model::{BaseModel, ExpectedMetric, Predictions};
use weightsmith_datasets::Note;
use weightsmith_runtime::Cost;
use weightsmith_tasks::TaskType;

/// One metric of one method.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricReport {
    /// What is measured.
    pub metric: Metric,
    /// The mean over splits with its 95% interval.
    pub estimate: Estimate,
    /// For the main metric: this method minus the generated weights on the same rows, over splits.
    pub minus_generated: Option<Estimate>,
}

/// What the base models predicted of their own scores, and what was observed; means over splits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredictedScore {
    /// What is measured.
    pub metric: Metric,
    /// The estimate made from the support rows alone.
    pub expected: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
    /// The figure on the query rows.
    pub observed: f64,
}

/// One method over all splits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MethodReport {
    /// The method.
    pub method: MethodRef,
    /// What it is for.
    pub role: Role,
    /// What it is.
    pub about: String,
    /// What it did on the first split, in words; may be empty.
    pub details: String,
    /// Metrics on the query rows, in the order of [`Metric`].
    pub metrics: Vec<MetricReport>,
    /// Seconds by the clock from the support rows to the weights.
    pub wall_s: Option<Spread>,
    /// Seconds on the processor.
    pub cpu_s: Option<Spread>,
    /// Steps of the training that gave the weights, where there was one.
    pub n_steps: Option<Spread>,
    /// Rows that come out right, and losses, of support and query.
    pub at_end: Option<CurvePoint>,
    /// The same while a training ran; empty for other methods.
    pub curve: Vec<CurvePoint>,
    /// For a training: its time to the generated weights' loss on the query rows.
    pub time_to_target: Option<TimeToTarget>,
    /// The share of query rows on which it predicts the class that the generated weights predict, or the correlation of
    /// the two's values.
    pub agreement: Option<Estimate>,
    /// What the models predicted of their scores, where they did.
    pub predicted_score: Option<PredictedScore>,
    /// Splits on which it failed, and why.
    pub errors: Vec<String>,
}

impl MethodReport {
    /// One of its metrics.
    pub fn get(&self, metric: Metric) -> Option<&MetricReport> {
        self.metrics.iter().find(|report| report.metric == metric)
    }
}

/// A comparison on one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What the table is called.
    pub name: String,
    /// The column that is predicted.
    pub target: String,
    /// What is predicted.
    pub task: TaskType,
    /// The classes, none for a regression.
    pub class_names: Vec<String>,
    /// Rows of the table.
    pub n_rows: usize,
    /// Columns besides the target.
    pub n_columns: usize,
    /// Support rows.
    pub n_support: usize,
    /// Query rows.
    pub n_query: usize,
    /// Splits that were scored.
    pub n_splits: u32,
    /// Which: split s is the order of NumPy's `RandomState(1000 + s).permutation(n_rows)`, and s the seed of every method.
    pub splits: Vec<u32>,
    /// Splits left out because their support rows are all of one class.
    pub n_skipped: u32,
    /// Name and checksum of the metamodel.
    pub metamodel: (String, String),
    /// Views of generated weights, at most.
    pub n_views: usize,
    /// The shape of the networks that optimisers train.
    pub shape: Shape,
    /// The metric that decides.
    pub main_metric: Metric,
    /// The methods, as they were asked for.
    pub methods: Vec<MethodReport>,
    /// How many times longer the tuned optimiser takes than generating, by the medians of processor seconds.
    pub speed_up: Option<f64>,
    /// Where generated and trained weights lie.
    pub weight_space: Option<WeightSpace>,
    /// What inner steps bring from a generated start and from a random one.
    pub steps: Option<StepsCurves>,
    /// What the columns are worth to the generated network on the query rows; none where none was generated.
    pub importance: Option<Importance>,
    /// What to know of how the table was read, and what makes scores look better than they are.
    pub notes: Vec<Note>,
    /// What was left out before any method learned; none where nothing was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<ComparedSelection>,
}

/// The metrics that a table of a few columns shows.
pub fn main_metrics(task: TaskType) -> &'static [Metric] {
    match task {
        TaskType::Classification => &[Metric::LogLoss, Metric::Auc, Metric::Accuracy],
        TaskType::Regression => &[Metric::R2, Metric::Rmse],
    }
}

/// One method on one split.
pub(crate) struct Record {
    pub(crate) method: MethodRef,
    pub(crate) done: Result<Done, String>,
}

/// What a method made that did not fail.
pub(crate) struct Done {
    pub(crate) scores: Scores,
    pub(crate) cost: Cost,
    pub(crate) n_steps: Option<usize>,
    pub(crate) details: String,
    /// The evaluation points of a training, the last of them at its end; of other methods the end alone.
    pub(crate) samples: Vec<CurveSample>,
    pub(crate) predictions: Predictions,
    /// The standard deviation of its errors that it predicts, if it does.
    pub(crate) residual_std: Option<f32>,
    /// The network; none for a method that makes none.
    pub(crate) model: Option<BaseModel>,
}

/// One method's figures over all splits. `generated` is the record of [`GENERATED`] on each split, where there is one.
pub(crate) fn method_report(
    records: &[&Record],
    generated: &[Option<&Record>],
    main_metric: Metric,
) -> MethodReport {
    let method = records[0].method;
    let done = || records.iter().filter_map(|record| record.done.as_ref().ok());
    let both = || {
        let pairs = records.iter().zip(generated);
        pairs.filter_map(|(own, other)| Some((own.done.as_ref().ok()?, other.as_ref()?.done.as_ref().ok()?)))
    };
    let is_lead = method == GENERATED;
    let metrics: Vec<Metric> = done().next().map_or_else(Vec::new, |done| done.scores.metrics().collect());
    let of_metric = |&metric: &Metric| {
        let values: Vec<f64> = done().filter_map(|done| done.scores.get(metric)).collect();
        let difference =
            |(own, other): (&Done, &Done)| Some(own.scores.get(metric)? - other.scores.get(metric)?);
        let differences = || both().filter_map(difference).collect::<Vec<f64>>();
        let minus_generated =
            (metric == main_metric && !is_lead).then(differences).and_then(|d| Estimate::of(&d));
        Some(MetricReport { metric, estimate: Estimate::of(&values)?, minus_generated })
    };
    let spread =
        |part: &dyn Fn(&Done) -> Option<f64>| Spread::of(&done().filter_map(part).collect::<Vec<_>>());
    let curves: Vec<&[CurveSample]> = done().map(|done| done.samples.as_slice()).collect();
    let ends: Vec<&[CurveSample]> = curves.iter().map(|samples| &samples[samples.len() - 1..]).collect();
    let was_watched = curves.iter().any(|samples| samples.len() > 1);
    let against: Vec<(&[CurveSample], f64)> = both()
        .filter_map(|(own, other)| Some((own.samples.as_slice(), other.samples.last()?.counts.query.loss)))
        .collect();
    let agreements: Vec<f64> =
        both().map(|(own, other)| agreement(&own.predictions, &other.predictions)).collect();
    MethodReport {
        method,
        role: method.role(),
        about: method.about(),
        details: done().next().map(|done| done.details.clone()).unwrap_or_default(),
        metrics: metrics.iter().filter_map(of_metric).collect(),
        wall_s: spread(&|done| Some(done.cost.wall_s)),
        cpu_s: spread(&|done| Some(done.cost.cpu_s)),
        n_steps: spread(&|done| done.n_steps.map(|n| n as f64)),
        at_end: mean_end(&ends),
        curve: if was_watched { mean_curve(&curves) } else { Vec::new() },
        time_to_target: if was_watched && method.has_curve() { time_to_target(&against) } else { None },
        agreement: if is_lead { None } else { Estimate::of(&agreements) },
        predicted_score: predicted_score(&done().collect::<Vec<_>>()),
        errors: records.iter().filter_map(|record| record.done.as_ref().err().cloned()).collect(),
    }
}

/// The mean over splits of where each ended; its steps are the most of any split.
fn mean_end(ends: &[&[CurveSample]]) -> Option<CurvePoint> {
    let curve = mean_curve(ends);
    // Each split has one point, so that the last number of steps has samples them all.
    curve.last().copied()
}

fn predicted_score(done: &[&Done]) -> Option<PredictedScore> {
    let of_split = |done: &&Done| {
        let expected = done.model.as_ref()?.expected.as_ref()?;
        let metric = match expected.metric {
            ExpectedMetric::LogLoss => Metric::LogLoss,
            ExpectedMetric::Rmse => Metric::Rmse,
        };
        let figures = [expected.value, expected.low, expected.high].map(f64::from);
        Some((metric, figures, done.scores.get(metric)?))
    };
    let all: Vec<(Metric, [f64; 3], f64)> = done.iter().filter_map(of_split).collect();
    let (metric, _, _) = *all.first()?;
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / all.len() as f64;
    let figure = |idx: usize| mean(&mut all.iter().map(|(_, figures, _)| figures[idx]));
    let (expected, low, high) = (figure(0), figure(1), figure(2));
    Some(PredictedScore { metric, expected, low, high, observed: mean(&mut all.iter().map(|found| found.2)) })
}
