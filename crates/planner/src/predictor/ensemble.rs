//! The predictor of losses: a linear model that scores every plan, and an ensemble of small networks that re-ranks the best.

use crate::features::TaskFeatures;
use crate::predictor::calibration::{Calibration, Estimate, LossPrediction};
use crate::predictor::costs::CostModel;
use crate::predictor::gains::MethodGains;
use crate::predictor::linear::LinearPredictor;
use crate::predictor::search::{SearchLimits, search};
use crate::predictor::surrogate_features::{SurrogateInput, surrogate_table};
use crate::space::decision::Decision;
use crate::space::methods::KnownMethod;
use crate::space::{Plan, Start};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_base_model::{BaseModel, Encoding, EncodingError, Rows};
use weightsmith_tasks::{Above, Base, Table};

/// The number of plans that the exact search passes on to the ensemble.
pub const N_RERANKED: usize = 100_000;
/// Standard deviations that are taken off the predicted improvement of a method where nothing was measured; none of one that measures by
/// itself.
const METHOD_CAUTION: f64 = 1.0;
/// The standard deviation of what leaving columns out brings, before it is tried, in logarithms of losses: about that over open tables with
/// 50 columns of noise.
const UNKNOWN: f64 = 0.1;
/// Rows that the networks read at once.
const N_CHUNK: usize = 4096;

/// A surrogate of training: predicts the loss on query rows of a training that has not run.
#[derive(Clone, Debug, PartialEq)]
pub struct PerformancePredictor {
    /// Cheap enough to score every plan.
    pub linear: LinearPredictor,
    /// The ensemble's members: networks trained on rows about runs from different random numbers, with one encoding.
    pub networks: Vec<BaseModel<Above<Base>>>,
    /// How far the ensemble's predictions are to be trusted.
    pub calibration: Calibration,
    /// What methods gain over plain generating; none where no runs of them were learned from.
    pub methods: BTreeMap<KnownMethod, MethodGains>,
    /// What decisions cost.
    pub costs: CostModel,
    /// The most steps of a training that was learned from: nothing is predicted beyond.
    pub most_steps: usize,
}

/// A decision with its predictions.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The decision, in its canonical form.
    pub decision: Decision,
    /// Steps of the optimiser; 0 of a decision to generate.
    pub n_steps: usize,
    /// The linear model's prediction of the logarithm of the loss as a share of the base loss.
    pub linear: f64,
    /// The ensemble's prediction of the same.
    pub prediction: LossPrediction,
    /// By how much the logarithm of the loss is predicted to be lower than that of generating: mean and standard deviation
    /// over the ensemble's members.
    pub improvement: Estimate,
    /// The lower confidence bound of the improvement, see [`Calibration::lower_bound`]; the highest is chosen.
    pub lower_bound: f64,
}

/// The result of a search whose best plans the ensemble re-ranked.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The number of plans that the exact search scored.
    pub n_scored: u64,
    /// The plans that the ensemble re-ranked and the decision to generate, highest lower confidence bound first.
    pub candidates: Vec<Candidate>,
}

/// A method with its improvement over plain generating.
fn method_candidate(method: KnownMethod, improvement: Estimate, generated: &Candidate) -> Candidate {
    let LossPrediction { mean, disagreement, low, high } = generated.prediction;
    let shifted = |value: f64| value - improvement.mean;
    Candidate {
        decision: Decision::Method(method),
        n_steps: 0,
        linear: shifted(generated.linear),
        prediction: LossPrediction {
            mean: shifted(mean),
            disagreement,
            low: shifted(low),
            high: shifted(high),
        },
        improvement,
        lower_bound: match method.decides_by_itself() {
            true => improvement.mean,
            false => improvement.mean - METHOD_CAUTION * improvement.deviation,
        },
    }
}

impl PerformancePredictor {
    /// Every member's prediction for every input, `[n_networks][n_inputs]`.
    ///
    /// # Errors
    /// Networks that read other columns.
    pub fn member_predictions(&self, inputs: &[SurrogateInput<'_>]) -> Result<Vec<Vec<f64>>, EncodingError> {
        member_predictions(&self.networks, inputs)
    }

    /// The ensemble's prediction for every input.
    ///
    /// # Errors
    /// Networks that read other columns.
    pub fn predict(&self, inputs: &[SurrogateInput<'_>]) -> Result<Vec<LossPrediction>, EncodingError> {
        let members = self.member_predictions(inputs)?;
        let of = |at: usize| self.calibration.prediction(members.iter().map(|member| member[at]));
        Ok((0..inputs.len()).map(of).collect())
    }

    /// Every method with its predicted improvement over plain generating, whose prediction is `generated`.
    pub fn methods(&self, features: &TaskFeatures, generated: &Candidate) -> Vec<Candidate> {
        let of = |(method, gains): (&KnownMethod, &MethodGains)| {
            method_candidate(*method, gains.predict(features), generated)
        };
        self.methods.iter().map(of).collect()
    }

    /// Methods that leave columns out and that no runs were recorded of: as good as the one that leaves none out, as far as is known
    /// before they are tried.
    pub(crate) fn column_methods(&self, features: &TaskFeatures, generated: &Candidate) -> Vec<Candidate> {
        let whole = self.methods.iter().find(|(method, _)| method.decides_by_itself());
        let mean = whole.map_or(0.0, |(_, gains)| gains.predict(features).mean);
        let is_unknown =
            |method: &KnownMethod| method.chooses_columns() && !self.methods.contains_key(method);
        let methods = KnownMethod::all().filter(is_unknown);
        methods
            .map(|method| method_candidate(method, Estimate { mean, deviation: UNKNOWN }, generated))
            .collect()
    }

    /// The decision to generate in one forward pass, with its predictions.
    ///
    /// # Errors
    /// Networks that read other columns.
    pub fn generated(&self, features: &TaskFeatures) -> Result<Candidate, EncodingError> {
        let input = SurrogateInput { decision: Decision::Generate, n_steps: 0, features };
        Ok(self.candidates(&[input], [self.linear.predict(&input)].into_iter(), &self.calibration)?.remove(0))
    }

    /// Every number of steps in the space that was learned from, ascending.
    pub fn steps(&self) -> impl Iterator<Item = &'static usize> {
        let most = self.most_steps;
        Plan::steps().iter().filter(move |n_steps| **n_steps <= most)
    }

    /// One plan with every number of steps.
    ///
    /// # Errors
    /// Networks that read other columns.
    pub fn lengths(&self, features: &TaskFeatures, plan: Plan) -> Result<Vec<Candidate>, EncodingError> {
        let generated = SurrogateInput { decision: Decision::Generate, n_steps: 0, features };
        let length = |&n_steps: &usize| {
            let decision = Decision::Train(plan.longest().canonical(features.task_type()));
            SurrogateInput { decision, n_steps, features }
        };
        let inputs: Vec<SurrogateInput<'_>> =
            [generated].into_iter().chain(self.steps().map(length)).collect();
        let linear: Vec<f64> = inputs.iter().map(|input| self.linear.predict(input)).collect();
        self.candidates(&inputs, linear.into_iter(), &self.calibration)
    }

    /// Searches all plans within `limits` with the linear model and re-ranks the best [`N_RERANKED`] and the decision to generate by
    /// the lower confidence bound of their improvement over generating, with a calibration that is most often
    /// [`PerformancePredictor::calibration`].
    ///
    /// # Errors
    /// Networks that read other columns.
    pub fn rerank(
        &self,
        features: &TaskFeatures,
        calibration: &Calibration,
        limits: SearchLimits,
    ) -> Result<Ranked, EncodingError> {
        let most_steps = limits.most_steps.map_or(self.most_steps, |most| most.min(self.most_steps));
        let limits = SearchLimits { most_steps: Some(most_steps), ..limits };
        let searched = search(&self.linear, features, N_RERANKED, limits);
        let generated = SurrogateInput { decision: Decision::Generate, n_steps: 0, features };
        let trained = searched.best.iter().map(|scored| SurrogateInput {
            decision: Decision::Train(scored.plan),
            n_steps: scored.plan.n_steps(),
            features,
        });
        let inputs: Vec<SurrogateInput<'_>> = [generated].into_iter().chain(trained).collect();
        let linear = [self.linear.predict(&generated)];
        let linear = linear.into_iter().chain(searched.best.iter().map(|scored| f64::from(scored.score)));
        let mut candidates = self.candidates(&inputs, linear, calibration)?;
        candidates.sort_by(|a, b| b.lower_bound.total_cmp(&a.lower_bound));
        Ok(Ranked { n_scored: searched.n_scored, candidates })
    }

    /// Candidates of inputs, of which the first is the decision to generate, and the linear model's predictions of them.
    fn candidates(
        &self,
        inputs: &[SurrogateInput<'_>],
        linear: impl Iterator<Item = f64>,
        calibration: &Calibration,
    ) -> Result<Vec<Candidate>, EncodingError> {
        let members = self.member_predictions(inputs)?;
        let candidate = |(at, (input, linear)): (usize, (&SurrogateInput<'_>, f64))| {
            let improvement = Estimate::over_members(members.iter().map(|member| member[0] - member[at]));
            Candidate {
                decision: input.decision,
                n_steps: input.n_steps,
                linear,
                prediction: calibration.prediction(members.iter().map(|member| member[at])),
                improvement,
                lower_bound: calibration.lower_bound(improvement),
            }
        };
        Ok(inputs.iter().zip(linear).enumerate().map(candidate).collect())
    }
}

/// The first candidate of each kind, in their order; a kind is an optimiser and a start.
pub fn of_each_kind(candidates: &[Candidate]) -> Vec<Candidate> {
    let mut seen = BTreeSet::new();
    let kind = |decision: Decision| match decision {
        Decision::Generate => (String::from("none"), 0),
        Decision::Method(method) => (method.name().to_string(), 0),
        Decision::Train(plan) => {
            (plan.recipe().optimiser.name().to_string(), 1 + u8::from(plan.start() == Start::Generated))
        }
    };
    candidates.iter().filter(|candidate| seen.insert(kind(candidate.decision))).copied().collect()
}

/// Every network's prediction for every input, `[n_networks][n_inputs]`.
///
/// # Errors
/// Networks that read other columns.
pub fn member_predictions(
    networks: &[BaseModel<Above<Base>>],
    inputs: &[SurrogateInput<'_>],
) -> Result<Vec<Vec<f64>>, EncodingError> {
    let mut members = vec![Vec::with_capacity(inputs.len()); networks.len()];
    let chunks: Vec<&[SurrogateInput<'_>]> = inputs.chunks(N_CHUNK).collect();
    let predict =
        |chunk: &&[SurrogateInput<'_>]| member_predictions_of_rows(networks, &surrogate_table(chunk));
    let predicted: Vec<_> = chunks.par_iter().map(predict).collect();
    for chunk in predicted {
        members.iter_mut().zip(chunk?).for_each(|(all, more)| all.extend(more));
    }
    Ok(members)
}

/// Every network's prediction for every row of a table, `[n_networks][n_rows]`.
///
/// # Errors
/// Networks that read other columns.
pub fn member_predictions_of_rows(
    networks: &[BaseModel<Above<Base>>],
    table: &Table,
) -> Result<Vec<Vec<f64>>, EncodingError> {
    let mut read: Option<(&Encoding, Rows)> = None;
    let each = networks.iter().map(|network| {
        // The members of one ensemble share an encoding.
        if read.as_ref().is_none_or(|(encoding, _)| **encoding != network.encoding) {
            read = Some((&network.encoding, network.encoding.encode(table)?));
        }
        let (_, rows) = read.as_ref().expect("it was read above");
        Ok(network.weights.predict(rows).into_iter().map(f64::from).collect())
    });
    each.collect()
}
