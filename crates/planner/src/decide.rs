//! The decision for one table.

use crate::carry_out::Workshop;
use crate::words::in_words;
use crate::{
    Candidate, Decision, FEATURES, FeatureError, Judged, PerformancePredictor, Prospect, TaskFeatures,
    of_each_kind,
};
use serde::Serialize;
use weightsmith_base_model::EncodingError;
use weightsmith_evaluation::MethodError;
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{Cost, Stopwatch};
use weightsmith_tasks::{Seed, Support, Target};
use weightsmith_training::InnerError;

/// Decisions that are shown beside the chosen one, each of another kind.
const N_ALTERNATIVES: usize = 6;
/// Features that are told as reasons.
const N_REASONS: usize = 5;
/// Folds in which candidates are tried on the short rows.
pub(crate) const N_FOLDS: usize = 4;

/// Why nothing is decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The short rows cannot be described.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The predictor reads other columns.
    #[error("the predictor reads other columns: {0}")]
    Columns(#[from] EncodingError),
    /// A candidate cannot be tried.
    #[error(transparent)]
    Try(#[from] MethodError),
}

/// A feature that moved the decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// Its name.
    pub feature: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Of this table.
    pub value: f64,
    /// The mean over the runs that the predictor learned from.
    pub usual: f64,
    /// How much more the chosen decision is foreseen to gain over the other one because of it, in logarithms of losses.
    pub moved: f64,
}

/// A candidate that was tried on the short rows.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Tried {
    /// The candidate.
    pub candidate: Candidate,
    /// The logarithm of its loss on held-out rows as a share of that of generating.
    pub excess: f64,
}

/// What is decided for a table, and why.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What its short rows look like.
    pub features: TaskFeatures,
    /// Plans that the exact search scored.
    pub n_scored: u64,
    /// Those of them that the networks judged.
    pub n_judged: usize,
    /// What is decided.
    pub chosen: Candidate,
    /// The best decisions of other kinds, best first; to generate is among them, or the chosen one.
    pub alternatives: Vec<Candidate>,
    /// Candidates that were tried on the short rows; may be none.
    pub tried: Vec<Tried>,
    /// What moved the decision between the chosen one and the best alternative, strongest first.
    pub reasons: Vec<Reason>,
    /// What deciding took.
    pub cost: Cost,
    /// Of it, what was spent on trying candidates.
    pub trying: Cost,
}

impl Decided {
    /// What is decided, in a few words.
    pub fn in_words(&self) -> String {
        in_words(&self.chosen.decision.values(self.features.task_type()), self.chosen.n_steps)
    }
}

/// How it is decided.
#[derive(Copy, Clone, Debug)]
pub struct DecideSettings {
    /// Candidates that are tried on the short rows, by folds, before one is preferred to generating; 0 for none.
    pub n_tried: usize,
    /// Of trainings and folds.
    pub seed: Seed,
}

/// Decides how a base model should come to its weights: searches every plan, judges the best, and may try some of these on the
/// short rows.
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
    let workshop = Workshop { pretrained, seed: settings.seed };
    let features = workshop.features(support)?;
    let Judged { n_scored, candidates } = predictor.judge(&features, &predictor.calibration)?;
    let n_judged = candidates.len();
    let kinds = of_each_kind(&candidates);
    let mut trying = Cost::default();
    let mut tried = Vec::new();
    let mut chosen = kinds[0];
    if settings.n_tried > 0 {
        let stopwatch = Stopwatch::of_thread();
        tried = tries(support, &workshop, &kinds, settings.n_tried)?;
        // As wary of the networks as without a try, and no warier of the folds.
        let excess = |tried: &Tried| tried.candidate.bound + tried.excess;
        let best = tried.iter().min_by(|a, b| excess(a).total_cmp(&excess(b)));
        let generated = kinds.iter().find(|candidate| candidate.decision == Decision::Generate);
        chosen = match (best, generated) {
            (Some(best), _) if excess(best) < 0.0 => best.candidate,
            (_, Some(generated)) => *generated,
            _ => chosen,
        };
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
    Ok(Decided { features, n_scored, n_judged, chosen, alternatives, tried, reasons, cost, trying })
}

/// Tries the best trainings and generating on the short rows.
fn tries(
    support: &Support,
    workshop: &Workshop<'_>,
    kinds: &[Candidate],
    n_tried: usize,
) -> Result<Vec<Tried>, MethodError> {
    let held_out = |candidate: &Candidate| {
        workshop.held_out_loss(candidate.decision, candidate.n_steps, support, N_FOLDS)
    };
    let is_training = |candidate: &&Candidate| candidate.decision != Decision::Generate;
    let Some(generated) = kinds.iter().find(|candidate| !is_training(candidate)) else {
        return Ok(Vec::new());
    };
    let of_generated = match held_out(generated) {
        Err(MethodError::Inner(InnerError::TooFewRows { .. })) => f64::INFINITY,
        found => found?,
    };
    if !of_generated.is_finite() {
        // A fold's rows are not enough to generate from, so that nothing can be said: beside this, any training would win.
        return Ok(Vec::new());
    }
    let exponent = match support.target() {
        Target::Classes { .. } => 1.0,
        // Held-out losses of values are squares.
        Target::Values(_) => 0.5,
    };
    let mut tried = Vec::new();
    for candidate in kinds.iter().filter(is_training).take(n_tried) {
        let excess = exponent * (held_out(candidate)? / of_generated).max(f64::MIN_POSITIVE).ln();
        tried.push(Tried { candidate: *candidate, excess });
    }
    Ok(tried)
}

/// How the gain of one candidate over another changes where one feature after another is as usual.
fn reasons(
    predictor: &PerformancePredictor,
    features: &TaskFeatures,
    chosen: &Candidate,
    other: &Candidate,
) -> Result<Vec<Reason>, EncodingError> {
    let usual = predictor.linear.usual_features();
    let mut seen = vec![features.clone()];
    seen.extend(usual.iter().enumerate().map(|(place, usual)| features.with(place, *usual)));
    let prospects = |candidate: &Candidate| -> Vec<Prospect<'_>> {
        let (decision, n_steps) = (candidate.decision, candidate.n_steps);
        seen.iter().map(|features| Prospect { decision, n_steps, features }).collect()
    };
    let means = |prospects: &[Prospect<'_>]| -> Result<Vec<f64>, EncodingError> {
        Ok(predictor.foresee(prospects)?.iter().map(|foresight| foresight.mean).collect())
    };
    let (own, others) = (means(&prospects(chosen))?, means(&prospects(other))?);
    let gain = |at: usize| others[at] - own[at];
    let mut reasons: Vec<Reason> = FEATURES
        .iter()
        .enumerate()
        // What is predicted could not be otherwise.
        .filter(|(_, feature)| feature.name != "is_regression")
        .map(|(place, feature)| Reason {
            feature: feature.name,
            about: feature.about,
            value: features.values()[place],
            usual: usual[place],
            moved: gain(0) - gain(place + 1),
        })
        .collect();
    reasons.sort_by(|a, b| b.moved.abs().total_cmp(&a.moved.abs()));
    reasons.truncate(N_REASONS);
    Ok(reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Foresight, Plan};
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
        let foresight = Foresight { mean: 0.0, disagreement: 0.0, low: 0.0, high: 0.0 };
        let candidate = |decision: Decision, n_steps: usize| Candidate {
            decision,
            n_steps,
            linear: 0.0,
            foresight,
            excess: (0.0, 0.0),
            bound: 0.0,
        };
        let kinds = [candidate(Decision::Generate, 0), candidate(Decision::Train(Plan::usual_adam()), 4)];
        let workshop = Workshop { pretrained, seed: Seed(0) };
        let of_all = workshop.held_out_loss(Decision::Generate, 0, &support, N_FOLDS).unwrap();
        assert!(of_all.is_infinite(), "three rows are too few to generate from: {of_all}");
        assert_eq!(tries(&support, &workshop, &kinds, 1).unwrap(), []);
    }
}
