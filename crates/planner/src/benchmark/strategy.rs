//! The strategies that are compared, and the result of one of them on one table.

use crate::deciding::decide::N_FOLDS;
use serde::Serialize;
use std::str::FromStr;
use weightsmith_evaluation::SuiteTable;
use weightsmith_tasks::TaskType;

/// Decisions in the portfolio.
pub(super) const N_PORTFOLIO: usize = 8;
/// Plans that random search and TPE try: with [`N_TRIED_FOLDS`] as many trainings as the portfolio takes.
pub(super) const N_TRIED: usize = 16;
/// Folds on which random search and TPE try a plan.
pub(super) const N_TRIED_FOLDS: usize = 2;
/// Plans that are trained for an epoch each before the best is trained to its end.
pub(super) const N_STARTED: usize = 32;

/// A strategy: a way to come to a decision.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The planner.
    Planned,
    /// The planner without cross-validation: by what it predicts alone.
    PlannedUntried,
    /// To generate with as many inner steps as pay, whatever the table.
    Generated,
    /// To generate in one forward pass, whatever the table.
    #[serde(rename = "generated-0")]
    Plain,
    /// The best single decision of the ledger.
    Fixed,
    /// The best single recipe of the ledger that trains.
    FixedTraining,
    /// The best by cross-validation of a greedy portfolio of the ledger.
    Portfolio,
    /// Adam, its number of steps by cross-validation.
    EarlyStopping,
    /// Plans drawn at random, trained for an epoch each; the best is trained to its end.
    OneEpoch,
    /// Plans drawn at random, the best by cross-validation.
    RandomSearch,
    /// Plans by a tree-structured Parzen estimator of their cross-validated losses.
    Tpe,
    /// Adam, its recipe by cross-validation over a grid.
    Tuned,
}

impl Strategy {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 12] = [
        Self::Planned,
        Self::PlannedUntried,
        Self::Generated,
        Self::Plain,
        Self::Fixed,
        Self::FixedTraining,
        Self::Portfolio,
        Self::EarlyStopping,
        Self::OneEpoch,
        Self::RandomSearch,
        Self::Tpe,
        Self::Tuned,
    ];

    /// Its name, as it is typed and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::PlannedUntried => "planned-untried",
            Self::Generated => "generated",
            Self::Plain => "generated-0",
            Self::Fixed => "fixed",
            Self::FixedTraining => "fixed-training",
            Self::Portfolio => "portfolio",
            Self::EarlyStopping => "early-stopping",
            Self::OneEpoch => "one-epoch",
            Self::RandomSearch => "random-search",
            Self::Tpe => "tpe",
            Self::Tuned => "adam-tuned",
        }
    }

    /// A description in one line.
    pub fn about(self) -> String {
        match self {
            Self::Planned => {
                format!(
                    "the planner: predictions, the best of them updated by {N_FOLDS} folds of the table's own rows"
                )
            }
            Self::PlannedUntried => "the planner by its predictions alone, nothing tried".into(),
            Self::Generated => "always generate, with as many inner steps as pay".into(),
            Self::Plain => "always generate in one forward pass".into(),
            Self::Fixed => "the best single decision of the ledger".into(),
            Self::FixedTraining => "the best single recipe of the ledger that trains".into(),
            Self::Portfolio => {
                format!(
                    "the best by {N_FOLDS} folds of a greedy portfolio of {N_PORTFOLIO} decisions of the ledger"
                )
            }
            Self::EarlyStopping => format!("Adam, default recipe, steps by {N_FOLDS} folds"),
            Self::OneEpoch => {
                format!("{N_STARTED} random recipes for an epoch, the best on a fold trained to its end")
            }
            Self::RandomSearch => format!("the best of {N_TRIED} random recipes by {N_TRIED_FOLDS} folds"),
            Self::Tpe => format!("the best of {N_TRIED} recipes of TPE by {N_TRIED_FOLDS} folds"),
            Self::Tuned => format!("Adam, recipe by {N_FOLDS} folds over a grid"),
        }
    }
}

/// No strategy has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown strategy \"{found}\"; there are {}", Strategy::ALL.map(Strategy::name).join(", "))]
pub struct UnknownStrategy {
    found: String,
}

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        let found = Self::ALL.into_iter().find(|strategy| strategy.name() == text);
        found.ok_or_else(|| UnknownStrategy { found: text.to_string() })
    }
}

/// The result of one strategy on one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The table.
    pub table: String,
    /// Classification or regression.
    pub task_type: TaskType,
    /// The number of support rows that was asked for.
    pub n_support: usize,
    /// The strategy.
    pub strategy: Strategy,
    /// The loss on query rows as a share of the base loss, clipped at e^0.5 as the targets of predictors are; none where the
    /// strategy failed.
    pub loss: Option<f64>,
    /// The loss less the lowest on the table, over all strategies and the recorded runs on the same rows.
    pub regret: Option<f64>,
    /// Of the planner: the predicted loss and the ends of its 90% interval.
    pub predicted: Option<[f64; 3]>,
    /// Processor seconds, deciding included.
    pub cpu_s: f64,
    /// Of them, those of trainings and generations, without the search.
    pub training_s: f64,
    /// The number of trainings and generations.
    pub n_trainings: usize,
    /// The decision, or why there is no loss.
    pub decision: String,
}

impl Trial {
    /// A result without a loss.
    pub(super) fn without_loss(
        table: &SuiteTable,
        n_support: usize,
        strategy: Strategy,
        cpu_s: f64,
        decision: String,
    ) -> Self {
        Self {
            table: table.name.clone(),
            task_type: table.task_type,
            n_support,
            strategy,
            loss: None,
            regret: None,
            predicted: None,
            cpu_s,
            training_s: cpu_s,
            n_trainings: 0,
            decision,
        }
    }
}
