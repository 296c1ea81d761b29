//! The decision for one table, and the features that made it.

use crate::deciding::posterior::{measured_improvement, posterior};
use crate::executor::Executor;
use crate::features::{FEATURES, FeatureError, TaskFeatures};
use crate::predictor::calibration::{Calibration, Estimate};
use crate::predictor::ensemble::{Candidate, PerformancePredictor, of_each_kind};
use crate::predictor::search::SearchLimits;
use crate::predictor::surrogate_features::SurrogateInput;
use crate::selecting::Selections;
use crate::space::decision::Decision;
use crate::space::shape::NetworkShape;
use crate::space::wording::in_words;
use crate::space::{Plan, Start};
use serde::Serialize;
use std::time::Instant;
use weightsmith_base_model::EncodingError;
use weightsmith_evaluation::MethodError;
use weightsmith_generation::SelectMode;
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{Cost, Stopwatch};
use weightsmith_tasks::{Seed, Support, Target};
use weightsmith_training::InnerError;

/// The number of alternatives to the chosen decision, each of another kind.
const N_ALTERNATIVES: usize = 6;
/// The number of features that are given as reasons.
const N_REASONS: usize = 5;
/// Candidates that are tried unless another number is asked for.
const N_TRIED: usize = 4;
/// Seconds that searching all plans takes at most on one core.
const SEARCH_S: f64 = 3.0;
/// Fewest rows on which others are tried beside generating: of four that are measured on fewer rows one always looks good. Generating
/// holds out none of so few rows either.
const MIN_ROWS_TO_TRY: usize = 48;
/// How much longer than predicted something may take.
const MARGIN: f64 = 1.5;
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
    /// Combines a candidate's predicted improvement, with the standard deviation that its error has, and the measured one. The
    /// confidence multiplier has no part in it: it stands in for what an ensemble cannot know about an unfamiliar table,
    /// and the measurement is of that table.
    fn new(candidate: Candidate, measured: Estimate, calibration: &Calibration) -> Self {
        let Estimate { mean, deviation } = candidate.improvement;
        let deviation = match candidate.decision {
            Decision::Method(_) => deviation,
            _ => calibration.standard_deviation(deviation),
        };
        let prior = Estimate { mean, deviation };
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
pub struct DecideSettings<'a> {
    /// The number of candidates that are cross-validated on the support rows, so that what was predicted of them is updated by what was
    /// measured; 0 for none.
    pub n_tried: usize,
    /// Seconds for deciding and doing together; no limit if there is none.
    pub seconds: Option<f64>,
    /// Whether every plan is searched, if there is time; otherwise Adam at common settings stands for all trainings.
    pub search: bool,
    /// What may be decided.
    pub allowed: Allowed,
    /// The shape that the network is to have. Generated weights have shapes of their own, so that one is trained.
    pub shape: Option<&'a NetworkShape>,
    /// What is left out of rows before anything is learned from them, of each fold's by these alone.
    pub select: SelectMode,
    /// The seed of trainings and folds.
    pub seed: Seed,
}

/// What may be decided.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Whether weights may be generated; otherwise nothing is, not even to look at the table.
    pub generating: bool,
    /// Whether something may be chosen that is no network, such as a Gaussian process.
    pub references: bool,
}

impl Default for Allowed {
    /// Everything.
    fn default() -> Self {
        Self { generating: true, references: true }
    }
}

impl DecideSettings<'_> {
    /// With the usual number of tries, everything allowed, no limit of time, and without the search, which takes longer than anything
    /// else where rows are few and hardly ever finds what is better than a method.
    pub fn usual(seed: Seed) -> Self {
        Self {
            n_tried: N_TRIED,
            seconds: None,
            search: false,
            allowed: Allowed::default(),
            shape: None,
            select: SelectMode::Off,
            seed,
        }
    }

    fn may_generate(&self) -> bool {
        self.allowed.generating && self.shape.is_none()
    }

    fn allows(&self, decision: Decision) -> bool {
        match decision {
            Decision::Generate => self.may_generate(),
            Decision::Method(method) => {
                self.shape.is_none()
                    && (self.allowed.generating || !method.generates())
                    && (self.allowed.references || method.is_network())
            }
            Decision::Train(plan) => self.may_generate() || plan.start() == Start::Random,
        }
    }
}

/// Decides how a base model should come to its weights: predicts what methods and plans will come to (searching every plan, if there is
/// time for it), cross-validates the best candidates on the support rows, and weighs prediction and measurement by their precisions.
///
/// # Errors
/// Rows that nothing can be learned from.
pub fn decide(
    support: &Support,
    predictor: &PerformancePredictor,
    pretrained: &Pretrained,
    settings: &DecideSettings<'_>,
) -> Result<Decided, DecideError> {
    let stopwatch = Stopwatch::of_thread();
    let budget = Budget::new(settings.seconds);
    let selections = Selections::new(settings.select);
    let (seed, shape, selections) = (settings.seed, settings.shape, selections.as_ref());
    let executor = Executor { pretrained, seed, shape, selections };
    let features = match settings.may_generate() {
        true => executor.features(support)?,
        false => executor.features_without_generating(support)?,
    };
    let chooses_columns = settings.seconds.is_none()
        && settings.may_generate()
        && support.n_rows() >= MIN_ROWS_TO_TRY
        && executor.has_doubtful_columns(support);
    let Considered { n_scored, n_reranked, base, kinds } =
        Considered::new(predictor, &features, settings, &budget, chooses_columns)?;
    let trying_stopwatch = Stopwatch::of_thread();
    let trying = Trying { support, executor: &executor, predictor, features: &features, budget: &budget };
    let tried = trying.tries(&base, &kinds, settings.n_tried)?;
    let trying = trying_stopwatch.cost();
    let chosen = choice(&tried, &kinds);
    let mut alternatives: Vec<Candidate> =
        kinds.into_iter().filter(|candidate| candidate.decision != chosen.decision).collect();
    alternatives.truncate(N_ALTERNATIVES);
    let reasons = match alternatives.iter().find(|other| is_predicted_alike(&chosen, other)) {
        Some(other) => reasons(predictor, &features, &chosen, other)?,
        None => Vec::new(),
    };
    let cost = stopwatch.cost();
    Ok(Decided { features, n_scored, n_reranked, chosen, alternatives, tried, reasons, cost, trying })
}

/// Seconds that may be spent, from now on.
struct Budget {
    begun: Instant,
    seconds: Option<f64>,
}

impl Budget {
    #[expect(clippy::disallowed_methods, reason = "deciding may have a budget of time")]
    fn new(seconds: Option<f64>) -> Self {
        Self { begun: Instant::now(), seconds }
    }

    /// Whether so many seconds are left; unknown costs are.
    fn allows(&self, seconds: Option<f64>) -> bool {
        match (self.seconds, seconds) {
            (Some(all), Some(seconds)) => self.begun.elapsed().as_secs_f64() + MARGIN * seconds <= all,
            _ => true,
        }
    }
}

/// The candidates of a table.
struct Considered {
    n_scored: u64,
    n_reranked: usize,
    /// To which the others are compared: to generate with as many steps as pay (in one forward pass, if there is no time for that), or,
    /// where nothing may be generated, what is predicted to be best.
    base: Candidate,
    /// The best of each kind that there is time for, highest lower bound first; the base may be among them.
    kinds: Vec<Candidate>,
}

impl Considered {
    fn new(
        predictor: &PerformancePredictor,
        features: &TaskFeatures,
        settings: &DecideSettings<'_>,
        budget: &Budget,
        chooses_columns: bool,
    ) -> Result<Self, EncodingError> {
        let seconds =
            |candidate: &Candidate| predictor.costs.seconds(candidate.decision, candidate.n_steps, features);
        let generated = predictor.generated(features)?;
        let mut all = predictor.methods(features, &generated);
        if chooses_columns {
            all.extend(predictor.column_methods(features, &generated));
        }
        let mut n_scored = 0;
        if settings.search && budget.allows(Some(SEARCH_S)) {
            let limits = SearchLimits {
                only_random: !settings.may_generate(),
                network_of: settings.shape.map(NetworkShape::nearest),
                most_steps: None,
            };
            let ranked = predictor.rerank(features, &predictor.calibration, limits)?;
            n_scored = ranked.n_scored;
            all.extend(ranked.candidates);
        } else {
            let plan = settings.shape.map_or_else(Plan::usual_adam, NetworkShape::nearest);
            all.extend(predictor.lengths(features, plan)?);
        }
        let n_reranked = all.len();
        all.retain(|candidate| settings.allows(candidate.decision));
        let decides = |candidate: &&Candidate| match candidate.decision {
            Decision::Method(method) => method.decides_by_itself() && budget.allows(seconds(candidate)),
            _ => false,
        };
        let base = match settings.may_generate() {
            true => all.iter().find(decides).copied().unwrap_or(generated),
            false => {
                let mean = |candidate: &&Candidate| candidate.prediction.mean;
                let best = all.iter().min_by(|a, b| mean(a).total_cmp(&mean(b)));
                *best.expect("trainings from random numbers are always allowed")
            }
        };
        all.iter_mut().for_each(|candidate| candidate.compare_with(&base, &predictor.calibration));
        let base = Candidate { improvement: Estimate::default(), lower_bound: 0.0, ..base };
        let (affordable, others): (Vec<Candidate>, Vec<Candidate>) =
            all.into_iter().partition(|candidate| budget.allows(seconds(candidate)));
        let stands_in = |candidate: &Candidate| match candidate.decision {
            Decision::Method(method) => {
                method.saves().is_some_and(|whole| affordable.iter().any(|other| other.decision == whole))
            }
            // Generating with as many steps as pay takes none where none pay.
            Decision::Generate => base.decision != Decision::Generate,
            Decision::Train(_) => false,
        };
        let mut kinds: Vec<Candidate> =
            affordable.iter().filter(|candidate| !stands_in(candidate)).copied().collect();
        if kinds.is_empty() {
            let cost = |candidate: &Candidate| seconds(candidate).unwrap_or(0.0);
            kinds.extend(others.into_iter().min_by(|a, b| cost(a).total_cmp(&cost(b))));
        }
        kinds.sort_by(|a, b| b.lower_bound.total_cmp(&a.lower_bound));
        Ok(Self { n_scored, n_reranked, base, kinds: of_each_kind(&kinds) })
    }
}

impl Candidate {
    /// Its improvement over another candidate than generating in one forward pass.
    fn compare_with(&mut self, base: &Self, calibration: &Calibration) {
        let caution = (self.improvement.mean - self.lower_bound) / self.improvement.deviation.max(1e-12);
        let caution =
            if self.improvement.deviation > 0.0 { caution } else { calibration.confidence_multiplier };
        self.improvement.mean -= base.improvement.mean;
        self.lower_bound = self.improvement.mean - caution * self.improvement.deviation;
        if self.decision == base.decision {
            (self.improvement, self.lower_bound) = (Estimate::default(), 0.0);
        }
    }

    /// What speaks for trying it: a method may be better than its mean by half a standard deviation, a training of billions is
    /// more likely to be overrated.
    fn promise(&self) -> f64 {
        match self.decision {
            Decision::Method(_) => self.improvement.mean + 0.5 * self.improvement.deviation,
            _ => self.lower_bound,
        }
    }
}

/// Whether two decisions are predicted from the same columns, so that features can be reasons for one of them.
fn is_predicted_alike(a: &Candidate, b: &Candidate) -> bool {
    !matches!((a.decision, b.decision), (Decision::Method(_), _) | (_, Decision::Method(_)))
}

/// The candidate with the highest bound: of tried ones their posterior's, of others that of the prediction.
fn choice(tried: &[Tried], kinds: &[Candidate]) -> Candidate {
    let bound = |candidate: &&Candidate| {
        let own = tried.iter().find(|tried| tried.candidate.decision == candidate.decision);
        own.map_or(candidate.lower_bound, |tried| tried.lower_bound)
    };
    // The first of the highest.
    let best = kinds.iter().min_by(|a, b| bound(b).total_cmp(&bound(a)));
    *best.expect("there is a candidate for every table")
}

/// Trying candidates on the support rows.
struct Trying<'a> {
    support: &'a Support,
    executor: &'a Executor<'a>,
    predictor: &'a PerformancePredictor,
    features: &'a TaskFeatures,
    budget: &'a Budget,
}

impl Trying<'_> {
    fn seconds(&self, candidate: &Candidate) -> Option<f64> {
        self.predictor.costs.seconds(candidate.decision, candidate.n_steps, self.features)
    }

    fn held_out(&self, candidate: &Candidate) -> Result<Vec<Vec<f64>>, MethodError> {
        let steps = &[candidate.n_steps];
        Ok(self.executor.held_out_rows(candidate.decision, steps, self.support, N_FOLDS)?.remove(0))
    }

    /// Cross-validates the base and the most promising candidates, as many as asked for and as there is time for.
    fn tries(
        &self,
        base: &Candidate,
        kinds: &[Candidate],
        n_tried: usize,
    ) -> Result<Vec<Tried>, MethodError> {
        let mut promising: Vec<&Candidate> =
            kinds.iter().filter(|candidate| candidate.decision != base.decision).collect();
        promising.sort_by(|a, b| b.promise().total_cmp(&a.promise()));
        promising.truncate(n_tried);
        // Folds, and what is chosen in the end.
        let whole = |candidate: &Candidate| self.seconds(candidate).map(|own| own * (N_FOLDS as f64 + 1.0));
        let generates = match base.decision {
            Decision::Generate => true,
            Decision::Method(method) => method.generates(),
            Decision::Train(_) => false,
        };
        let is_small = generates && self.support.n_rows() < MIN_ROWS_TO_TRY;
        if is_small || promising.is_empty() || !self.budget.allows(whole(base)) {
            return Ok(Vec::new());
        }
        let of_base = match self.held_out(base) {
            Err(MethodError::Inner(InnerError::TooFewRows { .. })) => return Ok(Vec::new()),
            found => found?,
        };
        if of_base.iter().flatten().any(|loss| !loss.is_finite()) {
            // The other folds' rows are too few to generate from: compared with an infinite loss any training would win.
            return Ok(Vec::new());
        }
        let exponent = match self.support.target() {
            Target::Classes { .. } => 1.0,
            // Held-out losses of values are squares.
            Target::Values(_) => 0.5,
        };
        let mut tried: Vec<Tried> = Vec::new();
        for candidate in promising {
            let dearest = tried.iter().filter_map(|tried| self.seconds(&tried.candidate)).fold(0.0, f64::max);
            let needed = whole(candidate).map(|own| own + dearest);
            if self.budget.allows(needed) {
                let measured = measured_improvement(&of_base, &self.held_out(candidate)?, exponent);
                tried.push(Tried::new(*candidate, measured, &self.predictor.calibration));
            }
        }
        Ok(tried)
    }
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
    use crate::predictor::files::shipped_predictor;
    use crate::testing;
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
        let executor = Executor { pretrained, seed: Seed(0), shape: None, selections: None };
        let of_all = executor.held_out_loss(Decision::Generate, 0, &support, N_FOLDS).unwrap();
        assert!(of_all.is_infinite(), "three rows are too few to generate from: {of_all}");
        let (predictor, features) = (&shipped_predictor().unwrap(), &testing::features(0.3));
        let (support, executor, budget) = (&support, &executor, &Budget::new(None));
        let trying = Trying { support, executor, predictor, features, budget };
        assert_eq!(trying.tries(&kinds[0], &kinds, 1).unwrap(), []);
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
