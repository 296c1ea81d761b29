//! A plan for one table, as people and programs read it.

use crate::carry_out::Workshop;
use crate::decide::{DecideError, DecideSettings, Decided, N_FOLDS, Reason, decide};
use crate::error::PlannerError;
use crate::words::in_words;
use crate::{Candidate, Decision, FEATURES, PerformancePredictor, Plan, Prospect, loss_unit};
use serde::Serialize;
use std::time::Instant;
use weightsmith_base_model::BaseModel;
use weightsmith_datasets::NamedTable;
use weightsmith_evaluation::MethodError;
use weightsmith_evaluation::Problem;
use weightsmith_evaluation::Split;
use weightsmith_ledger::Named;
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::{Seed, Support, Target, TaskType};

/// How a plan is made.
#[derive(Copy, Clone)]
pub struct PlanSettings<'a> {
    /// What foresees losses.
    pub predictor: &'a PerformancePredictor,
    /// What generates.
    pub pretrained: &'a Pretrained,
    /// Short rows, drawn from the table; all of them if there is no number.
    pub n_support: Option<usize>,
    /// Candidates that are tried on the short rows.
    pub n_tried: usize,
    /// Whether the plan is carried out.
    pub run: bool,
    /// Of rows and trainings.
    pub seed: Seed,
}

/// A decision in words and numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionReport {
    /// `generate` or `train`.
    pub action: &'static str,
    /// Every part of the decision by its name.
    pub recipe: Named,
    /// Steps of the optimiser; 0 where there are none.
    pub n_steps: usize,
    /// The loss on long rows that is foreseen.
    pub loss: f64,
    /// The lower end of its 90% interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How much lower than that of generating it is foreseen to be: the logarithm, mean over networks.
    pub gain: f64,
    /// The standard deviation of that over networks.
    pub gain_deviation: f64,
    /// The loss that the linear predictor of the search foresees.
    pub linear_loss: f64,
    /// Of an alternative, where a plan was carried out and there are long rows: the loss that it would have come to there.
    pub realised: Option<f64>,
    /// Where it was tried on the short rows: the logarithm of its held-out loss as a share of that of generating.
    pub tried: Option<f64>,
}

impl DecisionReport {
    /// The decision in a few words.
    pub fn in_words(&self) -> String {
        in_words(&self.recipe, self.n_steps)
    }
}

/// What came of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Realised {
    /// The loss.
    pub loss: f64,
    /// On what: `long rows`, or `held-out folds` where all rows are short.
    pub on: &'static str,
    /// Rows that it was measured on.
    pub n_rows: usize,
    /// Whether it lies in the interval.
    pub is_inside: bool,
    /// Steps that were taken.
    pub n_steps: usize,
    /// Seconds that it took.
    pub wall_s: f64,
}

/// A point of the foreseen curve.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct ForeseenPoint {
    /// Steps.
    pub n_steps: usize,
    /// The loss that is foreseen.
    pub loss: f64,
    /// The lower end of its 90% interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A number that describes the short rows.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct FeatureReport {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The number.
    pub value: f64,
}

/// A plan for a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanReport {
    /// The table.
    pub data: String,
    /// The column to predict.
    pub target: String,
    /// What is predicted.
    pub task: TaskType,
    /// Short rows.
    pub n_short: usize,
    /// Long rows; none where all are short.
    pub n_long: usize,
    /// `log_loss` or `rmse`.
    pub metric: &'static str,
    /// The loss of knowing the labels alone.
    pub base_loss: f64,
    /// Plans that were scored, those that are the same training once.
    pub n_scored: u64,
    /// The best of them, which the networks judged.
    pub n_judged: usize,
    /// Seconds of deciding.
    pub wall_s: f64,
    /// What is decided.
    pub chosen: DecisionReport,
    /// The best decisions of other kinds, best first.
    pub alternatives: Vec<DecisionReport>,
    /// What moved the decision between the chosen one and the first alternative.
    pub reasons: Vec<Reason>,
    /// The loss that is foreseen after each number of steps of the best training.
    pub curve: Vec<ForeseenPoint>,
    /// What came of it, where it was carried out.
    pub realised: Option<Realised>,
    /// Every feature of the short rows.
    pub features: Vec<FeatureReport>,
}

/// Plans for a table, and does what was planned if that is asked for.
///
/// # Errors
/// Short rows that nothing can be learned from, a training that diverges.
pub fn plan_table(
    read: &NamedTable,
    settings: &PlanSettings<'_>,
) -> Result<(PlanReport, Option<BaseModel>), PlannerError> {
    let NamedTable { data, target, labelled } = read;
    let failed = |source: MethodError| PlannerError::Plan { data: data.clone(), source: Box::new(source) };
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
    #[expect(clippy::disallowed_methods, reason = "how long it took is told")]
    let begun = Instant::now();
    let decide_settings = DecideSettings { n_tried: settings.n_tried, seed: settings.seed };
    let decided =
        decide(&support, settings.predictor, settings.pretrained, decide_settings).map_err(|error| {
            match error {
                DecideError::Try(error) => failed(error),
                DecideError::Features(source) => PlannerError::Describe { data: data.clone(), source },
                DecideError::Columns(error) => error.into(),
            }
        })?;
    let wall_s = begun.elapsed().as_secs_f64();
    let unit = loss_unit(support.target());
    let scale = unit * decided.features.get("base_loss");
    let mut report = PlanReport {
        data: data.clone(),
        target: target.clone(),
        task: support.target().task_type(),
        n_short: support.n_rows(),
        n_long: problem.as_ref().map_or(0, Problem::n_query),
        metric: match support.target() {
            Target::Classes { .. } => "log_loss",
            Target::Values(_) => "rmse",
        },
        base_loss: scale,
        n_scored: decided.n_scored,
        n_judged: decided.n_judged,
        wall_s,
        chosen: described(&decided.chosen, &decided, scale, support.target().task_type()),
        alternatives: decided
            .alternatives
            .iter()
            .map(|candidate| described(candidate, &decided, scale, support.target().task_type()))
            .collect(),
        reasons: decided.reasons.clone(),
        curve: foreseen_curve(&decided, settings.predictor, scale)?,
        realised: None,
        features: FEATURES
            .iter()
            .zip(decided.features.values())
            .map(|(feature, value)| FeatureReport { name: feature.name, about: feature.about, value: *value })
            .collect(),
    };
    if !settings.run {
        return Ok((report, None));
    }
    #[expect(clippy::disallowed_methods, reason = "how long it took is told")]
    let begun = Instant::now();
    let workshop = Workshop { pretrained: settings.pretrained, seed: settings.seed };
    let carry_out = |candidate: &Candidate| {
        workshop.carry_out(candidate.decision, candidate.n_steps, &support, &mut |_| {})
    };
    let (model, n_steps) = carry_out(&decided.chosen).map_err(failed)?;
    let wall_s = begun.elapsed().as_secs_f64();
    let (loss, on, n_rows) = match &problem {
        Some(problem) => {
            let counts = problem.count_network(&model).expect("the model is of the same table");
            (counts.query.loss, "long rows", problem.n_query())
        }
        None => {
            let Candidate { decision, n_steps, .. } = decided.chosen;
            let loss = workshop.held_out_loss(decision, n_steps, &support, N_FOLDS);
            let loss = loss.map_err(failed)?;
            let loss = if support.target().task_type() == TaskType::Regression { loss.sqrt() } else { loss };
            (loss, "held-out folds", support.n_rows())
        }
    };
    if let Some(problem) = &problem {
        for (candidate, alternative) in decided.alternatives.iter().zip(&mut report.alternatives) {
            // One that diverges comes to nothing.
            let counts = carry_out(candidate).ok().and_then(|(model, _)| problem.count_network(&model).ok());
            alternative.realised = counts.map(|counts| counts.query.loss);
        }
    }
    let is_inside = (report.chosen.low..=report.chosen.high).contains(&loss);
    report.realised = Some(Realised { loss, on, n_rows, is_inside, n_steps, wall_s });
    Ok((report, Some(model)))
}

fn described(candidate: &Candidate, decided: &Decided, scale: f64, task_type: TaskType) -> DecisionReport {
    let foresight = &candidate.foresight;
    let tried = decided.tried.iter().find(|tried| tried.candidate.decision == candidate.decision);
    DecisionReport {
        action: if candidate.decision == Decision::Generate { "generate" } else { "train" },
        recipe: candidate.decision.values(task_type),
        n_steps: candidate.n_steps,
        loss: scale * foresight.mean.exp(),
        low: scale * foresight.low.exp(),
        high: scale * foresight.high.exp(),
        // Without the sign of a zero.
        gain: 0.0 - candidate.excess.0,
        gain_deviation: candidate.excess.1,
        linear_loss: scale * candidate.linear.exp(),
        realised: None,
        tried: tried.map(|tried| tried.excess),
    }
}

/// Of the chosen training, or of the best alternative that is one.
fn foreseen_curve(
    decided: &Decided,
    predictor: &PerformancePredictor,
    scale: f64,
) -> Result<Vec<ForeseenPoint>, PlannerError> {
    let all = [&decided.chosen].into_iter().chain(&decided.alternatives);
    let mut trainings = all.filter(|candidate| candidate.decision != Decision::Generate);
    let Some(Candidate { decision, .. }) = trainings.next() else { return Ok(Vec::new()) };
    let prospect = |&n_steps: &usize| Prospect { decision: *decision, n_steps, features: &decided.features };
    let prospects: Vec<Prospect<'_>> = Plan::steps().iter().map(prospect).collect();
    let points = Plan::steps().iter().zip(predictor.foresee(&prospects)?);
    Ok(points
        .map(|(&n_steps, foresight)| ForeseenPoint {
            n_steps,
            loss: scale * foresight.mean.exp(),
            low: scale * foresight.low.exp(),
            high: scale * foresight.high.exp(),
        })
        .collect())
}
