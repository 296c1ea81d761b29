//! The decision for one table, and the features that made it.

use crate::deciding::posterior::{measured_improvement, posterior};
use crate::executor::Executor;
use crate::features::{FEATURES, FeatureError, TaskFeatures};
use crate::predictor::calibration::{Calibration, Estimate};
use crate::predictor::ensemble::{Candidate, PerformancePredictor, Ranked, of_each_kind};
use crate::predictor::surrogate_features::SurrogateInput;
use crate::space::decision::Decision;
use crate::space::wording::in_words;
use serde::Serialize;
use weightsmith_base_model::EncodingError;
use weightsmith_evaluation::MethodError;
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{Cost, Stopwatch};
use weightsmith_tasks::{Seed, Support, Target};
use weightsmith_training::InnerError;

/// The number of alternatives to the chosen decision, each of another kind.
const N_ALTERNATIVES: usize = 6;
/// The number of features that are given as reasons.
const N_REASONS: usize = 5;
/// Folds in which candidates are tried on the support rows.
pub(crate) const N_FOLDS: usize = 4;

/// Why no decision is made.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// No features can be computed of the support rows.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The predictor reads other columns.
    #[error("the predictor reads other columns: {0}")]
    Columns(#[from] EncodingError),
    /// A candidate cannot be tried.
    #[error(transparent)]
    Try(#[from] MethodError),
}

/// A feature's part in the decision: how the predicted improvement changes if the feature has its mean instead of its value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The name of the feature.
    pub feature: &'static str,
    /// What the feature is.
    pub about: &'static str,
    /// Its value for this table.
    pub value: f64,
    /// Its mean over the runs that the predictor learned from.
    pub mean: f64,
    /// The predicted improvement of the chosen decision over the first alternative, less what it would be with the mean; in
    /// logarithms of losses.
    pub contribution: f64,
}

/// A candidate that was cross-validated on the support rows. All figures are of the logarithm of generating's loss as a share of
/// the candidate's: above 0 the candidate is better.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Tried {
    /// The candidate.
    pub candidate: Candidate,
    /// The improvement on held-out rows, with its standard error.
    pub measured: Estimate,
    /// The predicted and the measured improvement, combined by their precisions.
    pub posterior: Estimate,
    /// The lower end of the posterior's 90% interval. The candidate with the highest is chosen, if it is above 0.
    pub lower_bound: f64,
}

impl Tried {
    /// Combines a candidate's predicted improvement, with the standard deviation that the calibration gives it, and the measured
    /// one. The confidence multiplier has no part in it: it stands in for what an ensemble cannot know about an unfamiliar table,
    /// and the measurement is of that table.
    fn new(candidate: Candidate, measured: Estimate, calibration: &Calibration) -> Self {
        let Estimate { mean, deviation } = candidate.improvement;
        let prior = Estimate { mean, deviation: calibration.standard_deviation(deviation) };
        let posterior = posterior(prior, measured);
        let lower_bound = posterior.mean - calibration.quantile * posterior.deviation;
        Self { candidate, measured, posterior, lower_bound }
    }
}

/// The decision for a table, and the reasons for it.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The features of its support.
    pub features: TaskFeatures,
    /// The number of plans that the exact search scored.
    pub n_scored: u64,
    /// The number of candidates that the ensemble re-ranked.
    pub n_reranked: usize,
    /// The decision.
    pub chosen: Candidate,
    /// The best decisions of other kinds, best first; to generate is among them, or the chosen one.
    pub alternatives: Vec<Candidate>,
    /// Candidates that were tried on the support rows; may be none.
    pub tried: Vec<Tried>,
    /// The features with the greatest part in the choice between this decision and the best alternative, greatest first.
    pub reasons: Vec<Reason>,
    /// The time that deciding took.
    pub cost: Cost,
    /// The part of it that was spent on trying candidates.
    pub trying: Cost,
}

impl Decided {
    /// The decision in a few words.
    pub fn in_words(&self) -> String {
        in_words(&self.chosen.decision.values(self.features.task_type()), self.chosen.n_steps)
    }
}

/// How a decision is made.
#[derive(Copy, Clone, Debug)]
pub struct DecideSettings {
    /// The number of candidates that are cross-validated on the support rows before one is preferred to generating; 0 for none.
    pub n_tried: usize,
    /// The seed of trainings and folds.
    pub seed: Seed,
}

/// Decides how a base model should come to its weights: searches every plan, re-ranks the best, and may cross-validate some of
/// these on the support rows.
///
/// # Errors
/// Rows that nothing can be learned from.
pub fn decide(
    support: &Support,
    predictor: &PerformancePredictor,
    pretrained: &Pretrained,
    settings: DecideSettings,
) -> Result<Decided, DecideError> {
    let stopwatch = Stopwatch::of_thread();
    let executor = Executor { pretrained, seed: settings.seed, shape: None };
    let features = executor.features(support)?;
    let Ranked { n_scored, candidates } = predictor.rerank(&features, &predictor.calibration)?;
    let n_reranked = candidates.len();
    let kinds = of_each_kind(&candidates);
    let mut trying = Cost::default();
    let mut tried = Vec::new();
    let mut chosen = kinds[0];
    if settings.n_tried > 0 {
        let stopwatch = Stopwatch::of_thread();
        tried = tries(support, &executor, &kinds, &predictor.calibration, settings.n_tried)?;
        chosen = choice(&tried, &kinds);
        trying = stopwatch.cost();
    }
    let mut alternatives: Vec<Candidate> =
        kinds.into_iter().filter(|candidate| candidate.decision != chosen.decision).collect();
    alternatives.truncate(N_ALTERNATIVES);
    let reasons = match alternatives.first() {
        Some(other) => reasons(predictor, &features, &chosen, other)?,
        None => Vec::new(),
    };
    let cost = stopwatch.cost();
    Ok(Decided { features, n_scored, n_reranked, chosen, alternatives, tried, reasons, cost, trying })
}

/// The tried candidate with the highest lower bound if that is above 0, else to generate.
fn choice(tried: &[Tried], kinds: &[Candidate]) -> Candidate {
    let best = tried.iter().min_by(|a, b| b.lower_bound.total_cmp(&a.lower_bound));
    let generated = kinds.iter().find(|candidate| candidate.decision == Decision::Generate);
    match (best, generated) {
        (Some(best), _) if best.lower_bound > 0.0 => best.candidate,
        (_, Some(generated)) => *generated,
        _ => kinds[0],
    }
}

/// Cross-validates the best trainings and generating on the support rows.
fn tries(
    support: &Support,
    executor: &Executor<'_>,
    kinds: &[Candidate],
    calibration: &Calibration,
    n_tried: usize,
) -> Result<Vec<Tried>, MethodError> {
    let held_out = |candidate: &Candidate| -> Result<Vec<Vec<f64>>, MethodError> {
        let steps = &[candidate.n_steps];
        Ok(executor.held_out_rows(candidate.decision, steps, support, N_FOLDS)?.remove(0))
    };
    let is_training = |candidate: &&Candidate| candidate.decision != Decision::Generate;
    let Some(generated) = kinds.iter().find(|candidate| !is_training(candidate)) else {
        return Ok(Vec::new());
    };
    let of_generated = match held_out(generated) {
        Err(MethodError::Inner(InnerError::TooFewRows { .. })) => return Ok(Vec::new()),
        found => found?,
    };
    if of_generated.iter().flatten().any(|loss| !loss.is_finite()) {
        // The other folds' rows are too few to generate from: compared with an infinite loss any training would win.
        return Ok(Vec::new());
    }
    let exponent = match support.target() {
        Target::Classes { .. } => 1.0,
        // Held-out losses of values are squares.
        Target::Values(_) => 0.5,
    };
    let mut tried = Vec::new();
    for candidate in kinds.iter().filter(is_training).take(n_tried) {
        let measured = measured_improvement(&of_generated, &held_out(candidate)?, exponent);
        tried.push(Tried::new(*candidate, measured, calibration));
    }
    Ok(tried)
}

/// How the predicted improvement of one candidate over another changes where one feature after another has its mean.
fn reasons(
    predictor: &PerformancePredictor,
    features: &TaskFeatures,
    chosen: &Candidate,
    other: &Candidate,
) -> Result<Vec<Reason>, EncodingError> {
    let means_of_features = predictor.linear.mean_features();
    let mut variants = vec![features.clone()];
    variants.extend(means_of_features.iter().enumerate().map(|(place, mean)| features.with(place, *mean)));
    let inputs = |candidate: &Candidate| -> Vec<SurrogateInput<'_>> {
        let (decision, n_steps) = (candidate.decision, candidate.n_steps);
        variants.iter().map(|features| SurrogateInput { decision, n_steps, features }).collect()
    };
    let means = |inputs: &[SurrogateInput<'_>]| -> Result<Vec<f64>, EncodingError> {
        Ok(predictor.predict(inputs)?.iter().map(|prediction| prediction.mean).collect())
    };
    let (own, others) = (means(&inputs(chosen))?, means(&inputs(other))?);
    let improvement = |at: usize| others[at] - own[at];
    let mut reasons: Vec<Reason> = FEATURES
        .iter()
        .enumerate()
        // The task type cannot have a mean.
        .filter(|(_, feature)| feature.name != "is_regression")
        .map(|(place, feature)| Reason {
            feature: feature.name,
            about: feature.about,
            value: features.values()[place],
            mean: means_of_features[place],
            contribution: improvement(0) - improvement(place + 1),
        })
        .collect();
    reasons.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    reasons.truncate(N_REASONS);
    Ok(reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictor::calibration::LossPrediction;
    use crate::space::Plan;
    use weightsmith_base_model::open_device;
    use weightsmith_generation::load_metamodel;
    use weightsmith_tasks::{Column, ColumnValues, Table, TaskType};

    #[test]
    fn nothing_is_tried_where_the_rows_of_a_fold_are_too_few_to_generate_from() {
        let device = open_device("cpu").unwrap();
        let pretrained = &load_metamodel(None, TaskType::Classification, &device).unwrap();
        let values = ColumnValues::Numeric(vec![0.0, 1.0, 2.0, 3.0]);
        let table = Table::new(4, vec![Column { name: "x".into(), values }]).unwrap();
        let class_names = vec!["a".into(), "b".into()];
        let support = Support::new(table, Target::Classes { class_names, labels: vec![0, 0, 1, 1] }).unwrap();
        let prediction = LossPrediction { mean: 0.0, disagreement: 0.0, low: 0.0, high: 0.0 };
        let candidate = |decision: Decision, n_steps: usize| Candidate {
            decision,
            n_steps,
            linear: 0.0,
            prediction,
            improvement: Estimate::default(),
            lower_bound: 0.0,
        };
        let kinds = [candidate(Decision::Generate, 0), candidate(Decision::Train(Plan::usual_adam()), 4)];
        let executor = Executor { pretrained, seed: Seed(0) };
        let of_all = executor.held_out_loss(Decision::Generate, 0, &support, N_FOLDS).unwrap();
        assert!(of_all.is_infinite(), "three rows are too few to generate from: {of_all}");
        let calibration = Calibration { noise: 0.25, quantile: 1.4, confidence_multiplier: 4.0 };
        assert_eq!(tries(&support, &executor, &kinds, &calibration, 1).unwrap(), []);
    }
    /// What is chosen between generating and a training with this predicted and this measured improvement.
    fn chosen(predicted: Estimate, measured: Estimate) -> Decision {
        let calibration = Calibration { noise: 0.25, quantile: 1.43, confidence_multiplier: 4.0 };
        let candidate = |decision: Decision, improvement: Estimate| Candidate {
            decision,
            n_steps: 0,
            linear: 0.0,
            prediction: LossPrediction { mean: 0.0, disagreement: 0.0, low: 0.0, high: 0.0 },
            improvement,
            lower_bound: calibration.lower_bound(improvement),
        };
        let kinds = [
            candidate(Decision::Generate, Estimate::default()),
            candidate(Decision::Train(Plan::usual_adam()), predicted),
        ];
        choice(&[Tried::new(kinds[1], measured, &calibration)], &kinds).decision
    }

    #[test]
    fn sharp_evidence_overrules_a_vague_prediction() {
        let train = Decision::Train(Plan::usual_adam());
        let estimate = |mean, deviation| Estimate { mean, deviation };
        // Four standard deviations of the prediction are 2, far more than the improvement that was measured to 0.05.
        assert_eq!(chosen(estimate(-0.1, 0.5), estimate(0.4, 0.05)), train);
        assert_eq!(chosen(estimate(0.3, 0.5), estimate(-0.4, 0.05)), Decision::Generate);
        // A measurement that says little does not overrule a prediction that all members share.
        assert_eq!(chosen(estimate(-0.4, 0.02), estimate(0.4, 0.6)), Decision::Generate);
        assert_eq!(chosen(estimate(0.6, 0.02), estimate(-0.1, 0.9)), train);
        // Neither is sure: an improvement within its error is none.
        assert_eq!(chosen(estimate(0.1, 0.3), estimate(0.1, 0.2)), Decision::Generate);
    }
}
