//! The self-application loop: its iterations, its files and its report.

mod carry_out;
mod controls;
mod prediction_quality;
mod predictor;
mod self_apply;
mod self_tasks;
mod store;
mod summary;
#[cfg(test)]
mod testing;
mod training;

pub use prediction_quality::{OutcomeLearner, OverDraws, PredictionQuality};
pub use self_apply::{SelfApplyEvent, SelfApplyFrame, SelfApplySettings, self_apply};
pub use summary::{
    ContestReport, ControlReport, LoopReport, NoiseReport, PredictionErrors, RepeatReport, SearchReport,
    SelfApplyReport, SetDifferences, SetLosses, SuiteDifference, self_apply_report,
};

use crate::OuterRecipe;
use crate::error::SelfApplicationError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use weightsmith_experiments::{VERSION, stream_of};
use weightsmith_ledger::{Ledger, Named, RunRecord, Uid};
use weightsmith_lifting::AnyRun;
use weightsmith_tasks::{Above, Base};

/// How the recipes of a loop are searched. The last two repeat recipes and search for none.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecipeSearch {
    /// By predicted loss: the incumbent generates the predictor. One recipe in four is drawn at random.
    Planner,
    /// Random search.
    Random,
    /// One factor at a time, a level up or down from the best recipe so far, as a person would.
    Hand,
    /// No search: the incumbent's recipe, repeated under each [`SelfTaskMode`].
    Control,
    /// No search: the best recipe of each search, repeated with new seeds.
    Confirm,
}

impl RecipeSearch {
    /// The three that search.
    pub(crate) const SEARCHES: [Self; 3] = [Self::Planner, Self::Random, Self::Hand];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Random => "random",
            Self::Hand => "hand",
            Self::Control => "control",
            Self::Confirm => "confirm",
        }
    }
}

/// What the auxiliary tasks of a training are: tasks about runs, or one of the controls.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelfTaskMode {
    /// Tasks about recorded runs.
    #[default]
    Lifted,
    /// Control: tasks about runs whose labels are permuted within each table.
    Shuffled,
    /// Control: as many additional tasks of the prior.
    ExtraBase,
    /// Control: no auxiliary tasks.
    None,
}

impl SelfTaskMode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lifted, Self::Shuffled, Self::ExtraBase, Self::None];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lifted => "lifted",
            Self::Shuffled => "shuffled",
            Self::ExtraBase => "extra-base",
            Self::None => "none",
        }
    }
}

impl fmt::Display for SelfTaskMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no [`SelfTaskMode`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is none of lifted, shuffled, extra-base, none")]
pub struct UnknownMode {
    /// The text.
    pub found: String,
}

impl FromStr for SelfTaskMode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == text);
        found.ok_or_else(|| UnknownMode { found: text.to_string() })
    }
}

/// How the recipe of one iteration was chosen.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The first recipe: the settings of the small shipped metamodels, scaled to the cost range.
    ByHand,
    /// Drawn at random.
    Random,
    /// The lowest predicted loss.
    Predicted,
    /// One factor of the best recipe so far, a level up or down.
    OneChanged,
    /// A recipe of an earlier iteration.
    Repeated,
}

/// A mean difference of two metamodels' losses, paired by task, in nats a query row.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Mean over tasks of the first loss minus the second.
    pub mean: f64,
    /// Lower end of the 95 % bootstrap interval over tasks.
    pub low: f64,
    /// Upper end of the same interval.
    pub high: f64,
}

/// One iteration, a line of the journal: the recipe, its predicted and observed loss, and the gate's decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Iteration {
    /// How the recipes of its loop are searched.
    pub search: RecipeSearch,
    /// What the auxiliary tasks of a training are: tasks about runs, or one of the controls.
    pub mode: SelfTaskMode,
    /// The seed of the loop.
    pub seed: u64,
    /// Its position in the loop, counted from 0.
    pub iteration: usize,
    /// The UID of its run in the ledger.
    pub uid: String,
    /// The level of that run: 0 if it was trained on tasks about the world alone, 1 if also on tasks about runs.
    pub level: u32,
    /// How its recipe was chosen.
    pub choice: Choice,
    /// Every factor of [`FACTORS`](crate::FACTORS) with its value.
    pub recipe: serde_json::Map<String, serde_json::Value>,
    /// The checksum of the ledger's snapshot that the iteration read.
    pub snapshot: String,
    /// Tasks that it was trained on.
    pub n_tasks: u64,
    /// Those of them that were auxiliary: not drawn from the prior's own stream.
    pub n_auxiliary: u64,
    /// The predicted loss on the acceptance set; none while there are too few runs to generate a predictor from.
    pub predicted: Option<f64>,
    /// Recipes that the search scored; 0 without a search.
    pub n_scored: usize,
    /// The observed mean loss on the acceptance set, in nats a query row; none if the training diverged.
    pub acceptance: Option<f64>,
    /// The same on the report set, which decides nothing.
    pub report: Option<f64>,
    /// The same on tasks about runs on held-out data sets.
    pub lifted: Option<f64>,
    /// The loss of the closed-form head alone on the acceptance set.
    pub untrained: f64,
    /// The UID of the incumbent that it was compared with; for a repeat, of the run that is repeated.
    pub parent: Option<String>,
    /// Its loss on the acceptance set minus the incumbent's.
    pub difference: Option<Difference>,
    /// The gate's decision, in words; "diverged" if nothing could be measured, "not compared" for a repeat.
    pub verdict: String,
    /// Whether it became the incumbent.
    pub accepted: bool,
    /// Processor seconds of its training.
    pub cpu_s: f64,
}

impl Iteration {
    /// The UID of its run.
    pub(crate) fn run(&self) -> Option<Uid> {
        self.uid.parse().ok()
    }
}

/// A recorded training of a metamodel by an [`OuterRecipe`].
#[derive(Clone, Debug)]
pub(crate) struct MetamodelRun {
    pub(crate) record: AnyRun,
    pub(crate) recipe: OuterRecipe,
}

impl MetamodelRun {
    /// The run with this UID; none if the ledger lacks it or its recipe is of another kind.
    pub(crate) fn read(ledger: &Ledger, uid: Uid) -> Result<Option<Self>, SelfApplicationError> {
        let Some(level) = ledger.level_of(uid)? else { return Ok(None) };
        let record = match level {
            0 => AnyRun::OnWorld(ledger.get::<Base>(uid)?.record),
            _ => AnyRun::OnRuns(ledger.get::<Above<Base>>(uid)?.record),
        };
        let recipe = match &record {
            AnyRun::OnWorld(record) => OuterRecipe::of_values(&record.recipe),
            AnyRun::OnRuns(record) => OuterRecipe::of_values(&record.recipe),
        };
        Ok(recipe.map(|recipe| Self { record, recipe }))
    }

    /// The record, if it is of level 0.
    pub(crate) fn on_world(&self) -> Option<&RunRecord<Base>> {
        match &self.record {
            AnyRun::OnWorld(record) => Some(record),
            AnyRun::OnRuns(_) => None,
        }
    }

    /// The data sets that its tasks come from, through all levels.
    pub(crate) fn roots(&self) -> &BTreeSet<String> {
        match &self.record {
            AnyRun::OnWorld(record) => &record.roots,
            AnyRun::OnRuns(record) => &record.roots,
        }
    }

    /// The stream of prior tasks that it was trained on, as a root.
    pub(crate) fn stream(&self) -> String {
        match &self.record {
            AnyRun::OnWorld(record) => stream_of(record.seed),
            AnyRun::OnRuns(record) => stream_of(record.seed),
        }
    }

    /// The label that predictors learn and are tested on.
    pub(crate) fn label(&self, untrained: f64) -> f64 {
        self_tasks::outcome_label(self.outcome(), untrained)
    }

    pub(crate) fn outcome(&self) -> Option<f64> {
        match &self.record {
            AnyRun::OnWorld(record) => record.outcome.value,
            AnyRun::OnRuns(record) => record.outcome.value,
        }
    }
}

/// Named values as JSON.
fn as_json(values: &Named) -> serde_json::Map<String, serde_json::Value> {
    values
        .iter()
        .map(|(name, value)| (name.clone(), serde_json::to_value(value).expect("a value is plain data")))
        .collect()
}
