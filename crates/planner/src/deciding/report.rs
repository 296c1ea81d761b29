//! The decision for one table as a report, and its execution.

use crate::deciding::decide::{Allowed, DecideError, DecideSettings, Decided, N_FOLDS, Reason, decide};
use crate::error::PlannerError;
use crate::executor::Executor;
use crate::features::{FEATURES, loss_unit};
use crate::predictor::calibration::Estimate;
use crate::predictor::ensemble::{Candidate, PerformancePredictor};
use crate::predictor::surrogate_features::SurrogateInput;
use crate::selecting::Selections;
use crate::space::decision::Decision;
use crate::space::shape::NetworkShape;
use crate::space::wording::in_words;
use serde::Serialize;
use std::time::Instant;
use weightsmith_datasets::NamedTable;
use weightsmith_evaluation::{MethodError, Predictor, Problem, Split};
use weightsmith_generation::{LeftOut, SelectMode};
use weightsmith_ledger::Named;
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::{Seed, Support, Target, TaskType};

/// How a decision for a table is made.
#[derive(Copy, Clone)]
pub struct DecisionSettings<'a> {
    /// The predictor of losses.
    pub predictor: &'a PerformancePredictor,
    /// The metamodel that generates weights.
    pub pretrained: &'a Pretrained,
    /// The number of support rows that are drawn from the table; all of its rows if there is none.
    pub n_support: Option<usize>,
    /// The number of candidates that are cross-validated on the support rows.
    pub n_tried: usize,
    /// Seconds for deciding and doing together; no limit if there is none.
    pub seconds: Option<f64>,
    /// What may be decided.
    pub allowed: Allowed,
    /// The shape that the network is to have.
    pub shape: Option<&'a NetworkShape>,
    /// What is left out of the support rows before anything is learned, of each fold's by these alone.
    pub select: SelectMode,
    /// Whether the decision is executed.
    pub run: bool,
    /// The seed of rows and trainings.
    pub seed: Seed,
}

/// Why `generate` expects another loss of its network than a plan predicts.
pub const TWO_FORECASTS: &str = "generate states another figure, measured on rows held out of these; this one is learned from \
                                 recorded trainings on other tables, alike for all that is compared here";

/// A candidate: a decision and its predicted loss.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CandidateReport {
    /// `generate`, `method` or `train`.
    pub action: &'static str,
    /// The factors of the decision by name.
    pub recipe: Named,
    /// Steps of the optimiser; 0 where there are none.
    pub n_steps: usize,
    /// The predicted loss on query rows.
    pub loss: f64,
    /// The lower end of its 90% interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// By how much the logarithm of the loss is predicted to be lower than that of generating with as many steps as pay, or, where
    /// nothing may be generated, than that of the training that is predicted to be best.
    pub improvement: f64,
    /// The standard deviation of that over the ensemble's members.
    pub improvement_deviation: f64,
    /// The loss that the search's linear model predicts.
    pub linear_loss: f64,
    /// Predicted processor seconds on one core; none of a kind that no run was recorded of.
    pub seconds: Option<f64>,
    /// Of an alternative, where the decision was executed and there are query rows: the loss of the alternative on them.
    pub observed: Option<f64>,
    /// Where it was cross-validated on the support rows: the improvement that was measured, and what was made of it.
    pub tried: Option<TriedReport>,
}

/// The improvement of a cross-validated candidate over generating, as logarithms of ratios of losses like
/// [`CandidateReport::improvement`].
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct TriedReport {
    /// The improvement on held-out rows, with its standard error.
    pub measured: Estimate,
    /// The predicted and the measured improvement, combined by their precisions.
    pub posterior: Estimate,
    /// The lower end of the posterior's 90% interval; the decision with the highest is chosen, if it is above 0.
    pub lower_bound: f64,
}

impl CandidateReport {
    /// The decision in a few words.
    pub fn in_words(&self) -> String {
        in_words(&self.recipe, self.n_steps)
    }
}

/// The outcome of an executed decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Observed {
    /// The observed loss.
    pub loss: f64,
    /// Where it was observed: on `query rows`, or on `held-out folds` where all rows are support rows.
    pub on: &'static str,
    /// The number of rows there.
    pub n_rows: usize,
    /// Whether it lies in the predicted interval.
    pub is_inside: bool,
    /// The number of steps that were taken.
    pub n_steps: usize,
    /// Wall-clock seconds of the execution.
    pub wall_s: f64,
}

/// A point of a predicted learning curve.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct PredictedPoint {
    /// The number of steps.
    pub n_steps: usize,
    /// The predicted loss.
    pub loss: f64,
    /// The lower end of its 90% interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A feature of the support.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct FeatureReport {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The number.
    pub value: f64,
}

/// The decision for a table, with everything that is predicted and observed of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionReport {
    /// The name of the table.
    pub data: String,
    /// The column to predict.
    pub target: String,
    /// Classification or regression.
    pub task: TaskType,
    /// The number of support rows.
    pub n_support: usize,
    /// The number of query rows; 0 where all rows are support rows.
    pub n_query: usize,
    /// `log_loss` or `rmse`.
    pub metric: &'static str,
    /// The loss of knowing the labels alone.
    pub base_loss: f64,
    /// The number of plans that were scored, those that are the same training once.
    pub n_scored: u64,
    /// The number of candidates that the ensemble re-ranked.
    pub n_reranked: usize,
    /// The shape that the network was to have; predictions are for the most similar one of the space.
    pub shape: Option<NetworkShape>,
    /// Wall-clock seconds of deciding.
    pub wall_s: f64,
    /// Seconds that deciding and doing were to take together at most; none without a limit.
    pub seconds: Option<f64>,
    /// The decision.
    pub chosen: CandidateReport,
    /// The best decisions of other kinds, best first.
    pub alternatives: Vec<CandidateReport>,
    /// The features with the greatest part in the choice between the decision and the first alternative.
    pub reasons: Vec<Reason>,
    /// The predicted learning curve of the best training.
    pub curve: Vec<PredictedPoint>,
    /// What was left out of the support rows; none where nothing was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// The outcome, where the decision was executed.
    pub observed: Option<Observed>,
    /// Every feature of the support rows.
    pub features: Vec<FeatureReport>,
}

/// Decides for a table, and executes the decision if that is asked for; what it made is then returned.
///
/// # Errors
/// Support rows that nothing can be learned from, a training that diverges.
pub fn decide_for_table(
    read: &NamedTable,
    settings: &DecisionSettings<'_>,
) -> Result<(DecisionReport, Option<Predictor>), PlannerError> {
    let NamedTable { data, target, labelled } = read;
    let failed =
        |source: MethodError| PlannerError::Execution { data: data.clone(), source: Box::new(source) };
    let problem = match settings.n_support {
        None => None,
        Some(n) => {
            let split = Split::new(labelled.table.n_rows(), n, settings.seed.0 as u32);
            let problem = Problem::new(labelled, &split);
            Some(problem.ok_or_else(|| PlannerError::OneClass { data: data.clone() })?)
        }
    };
    let support = match &problem {
        Some(problem) => problem.support().clone(),
        None => Support::new(labelled.table.clone(), labelled.target.clone())
            .expect("a labelled table has a valid label for each row"),
    };
    #[expect(clippy::disallowed_methods, reason = "how long it took is reported")]
    let begun = Instant::now();
    let &DecisionSettings { n_tried, seconds, allowed, shape, select, seed, .. } = settings;
    let decide_settings = DecideSettings { n_tried, seconds, search: true, allowed, shape, select, seed };
    let decided =
        decide(&support, settings.predictor, settings.pretrained, &decide_settings).map_err(|error| {
            match error {
                DecideError::Try(error) => failed(error),
                DecideError::Features(source) => PlannerError::Describe { data: data.clone(), source },
                DecideError::Columns(error) => error.into(),
            }
        })?;
    let wall_s = begun.elapsed().as_secs_f64();
    let selections = Selections::new(select);
    let left_out = match &selections {
        None => None,
        Some(selections) => {
            let selected = selections.of(&support, settings.pretrained, seed);
            Some(selected.map_err(|error| failed(error.into()))?.left_out())
        }
    };
    let unit = loss_unit(support.target());
    let scale = unit * decided.features.get("base_loss");
    let mut report = DecisionReport {
        data: data.clone(),
        target: target.clone(),
        task: support.target().task_type(),
        n_support: support.n_rows(),
        n_query: problem.as_ref().map_or(0, Problem::n_query),
        metric: match support.target() {
            Target::Classes { .. } => "log_loss",
            Target::Values(_) => "rmse",
        },
        base_loss: scale,
        n_scored: decided.n_scored,
        n_reranked: decided.n_reranked,
        shape: shape.cloned(),
        wall_s,
        seconds,
        chosen: candidate_report(&decided.chosen, &decided, scale, settings.predictor),
        alternatives: decided
            .alternatives
            .iter()
            .map(|candidate| candidate_report(candidate, &decided, scale, settings.predictor))
            .collect(),
        reasons: decided.reasons.clone(),
        curve: predicted_curve(&decided, settings.predictor, scale)?,
        left_out,
        observed: None,
        features: FEATURES
            .iter()
            .zip(decided.features.values())
            .map(|(feature, value)| FeatureReport { name: feature.name, about: feature.about, value: *value })
            .collect(),
    };
    if !settings.run {
        return Ok((report, None));
    }
    #[expect(clippy::disallowed_methods, reason = "how long it took is reported")]
    let begun = Instant::now();
    let executor = Executor { pretrained: settings.pretrained, seed, shape, selections: selections.as_ref() };
    let execute = |candidate: &Candidate| {
        executor.execute(candidate.decision, candidate.n_steps, &support, &mut |_| {})
    };
    let (predictor, n_steps) = execute(&decided.chosen).map_err(failed)?;
    let wall_s = begun.elapsed().as_secs_f64();
    let (loss, on, n_rows) = match &problem {
        Some(problem) => {
            let counts = problem.count_of(&predictor).expect("the model is of the same table");
            (counts.query.loss, "query rows", problem.n_query())
        }
        None => {
            let Candidate { decision, n_steps, .. } = decided.chosen;
            let loss = executor.held_out_loss(decision, n_steps, &support, N_FOLDS);
            let loss = loss.map_err(failed)?;
            let loss = if support.target().task_type() == TaskType::Regression { loss.sqrt() } else { loss };
            (loss, "held-out folds", support.n_rows())
        }
    };
    if let Some(problem) = &problem {
        for (candidate, alternative) in decided.alternatives.iter().zip(&mut report.alternatives) {
            // A training that diverges has no loss.
            let counts = execute(candidate).ok().and_then(|(predictor, _)| problem.count_of(&predictor).ok());
            alternative.observed = counts.map(|counts| counts.query.loss);
        }
    }
    let is_inside = (report.chosen.low..=report.chosen.high).contains(&loss);
    report.observed = Some(Observed { loss, on, n_rows, is_inside, n_steps, wall_s });
    Ok((report, Some(predictor)))
}

fn candidate_report(
    candidate: &Candidate,
    decided: &Decided,
    scale: f64,
    predictor: &PerformancePredictor,
) -> CandidateReport {
    let features = &decided.features;
    let prediction = &candidate.prediction;
    let tried = decided.tried.iter().find(|tried| tried.candidate.decision == candidate.decision);
    CandidateReport {
        action: match candidate.decision {
            Decision::Generate => "generate",
            Decision::Method(method) if method.generates() => "generate",
            Decision::Method(_) => "method",
            Decision::Train(_) => "train",
        },
        recipe: candidate.decision.values(features.task_type()),
        n_steps: candidate.n_steps,
        loss: scale * prediction.mean.exp(),
        low: scale * prediction.low.exp(),
        high: scale * prediction.high.exp(),
        // Without the sign of a zero.
        improvement: candidate.improvement.mean + 0.0,
        improvement_deviation: candidate.improvement.deviation,
        linear_loss: scale * candidate.linear.exp(),
        seconds: predictor.costs.seconds(candidate.decision, candidate.n_steps, features),
        observed: None,
        tried: tried.map(|tried| TriedReport {
            measured: tried.measured,
            posterior: tried.posterior,
            lower_bound: tried.lower_bound,
        }),
    }
}

/// The predicted learning curve of the chosen training, or of the best alternative that is a training.
fn predicted_curve(
    decided: &Decided,
    predictor: &PerformancePredictor,
    scale: f64,
) -> Result<Vec<PredictedPoint>, PlannerError> {
    let all = [&decided.chosen].into_iter().chain(&decided.alternatives);
    let mut trainings = all.filter(|candidate| matches!(candidate.decision, Decision::Train(_)));
    let Some(Candidate { decision, .. }) = trainings.next() else { return Ok(Vec::new()) };
    let input =
        |&n_steps: &usize| SurrogateInput { decision: *decision, n_steps, features: &decided.features };
    let inputs: Vec<SurrogateInput<'_>> = predictor.steps().map(input).collect();
    let points = predictor.steps().zip(predictor.predict(&inputs)?);
    Ok(points
        .map(|(&n_steps, prediction)| PredictedPoint {
            n_steps,
            loss: scale * prediction.mean.exp(),
            low: scale * prediction.low.exp(),
            high: scale * prediction.high.exp(),
        })
        .collect())
}
