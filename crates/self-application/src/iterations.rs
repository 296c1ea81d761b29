//! Self-application: generations of small metamodels, each trained by a recipe that the one before it foresaw to be the best
//! from the table of the runs so far.
//!
//! Three things are kept apart. A *base model* is the small network whose weights are wanted; the predictor of trainings is
//! one. A *metamodel* writes base models; what is trained here are metamodels. *Self-application* is that the rows which a
//! base model learns from are about trainings of the metamodel that writes it, one level above what that was trained on.

mod controls;
mod foresee;
mod foresight;
mod looping;
mod order;
mod self_tasks;
mod store;
mod summary;
mod training;

pub use foresight::{ForesightLearner, ForesightReport, OverDraws};
pub use looping::{SelfApplyEvent, SelfApplyFrame, SelfApplySettings, self_apply};
pub use summary::{
    ContestReport, ControlReport, ForeseenReport, LoopReport, MethodReport, NoiseReport, RepeatReport,
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

/// How the recipe of a generation is come by.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The metamodel foresees the outcomes of its own trainings; a share of the recipes is drawn at random.
    Planner,
    /// All are drawn at random.
    Random,
    /// One thing is changed at a time, a level up or down from the best so far.
    Hand,
    /// One recipe, repeated under the controls.
    Control,
    /// The best recipe of another method, repeated with new seeds.
    Confirm,
}

impl Method {
    /// Those that look for recipes.
    pub(crate) const SEARCHES: [Self; 3] = [Self::Planner, Self::Random, Self::Hand];

    /// As files have it.
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

/// What fills the shards of lifted tasks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelfTaskMode {
    /// Lifted tasks.
    #[default]
    Lifted,
    /// Lifted tasks whose labels were dealt out anew.
    Shuffled,
    /// As many more tasks of the prior.
    ExtraBase,
    /// Nothing.
    None,
}

impl SelfTaskMode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lifted, Self::Shuffled, Self::ExtraBase, Self::None];

    /// As files have it.
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

/// A name that is no mode of self tasks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is none of lifted, shuffled, extra-base, none")]
pub struct UnknownMode {
    /// The name.
    pub found: String,
}

impl FromStr for SelfTaskMode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == text);
        found.ok_or_else(|| UnknownMode { found: text.to_string() })
    }
}

/// How the recipe of one generation was chosen.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Where everything begins.
    ByHand,
    /// Drawn at random.
    Random,
    /// The least that was foreseen.
    Foreseen,
    /// A level up or down from the best so far.
    OneChanged,
    /// A recipe that is repeated.
    Repeated,
}

/// A difference of means over the tasks of the acceptance set.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// New less old.
    pub mean: f64,
    /// The lower end of the 95% interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// One generation, as its journal has it: what was chosen and why, what was foreseen, what came, and what the gate said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// How recipes are come by.
    pub method: Method,
    /// What fills the shards of lifted tasks.
    pub mode: SelfTaskMode,
    /// The seed of the loop.
    pub seed: u64,
    /// Counted from 0.
    pub generation: usize,
    /// The run in the ledger.
    pub uid: String,
    /// Its level: what the rows of its tasks are about at most.
    pub level: u32,
    /// How its recipe was chosen.
    pub choice: Choice,
    /// The recipe.
    pub recipe: serde_json::Map<String, serde_json::Value>,
    /// The checksum of the snapshot of the ledger that it read.
    pub snapshot: String,
    /// Tasks that it saw.
    pub n_tasks: u64,
    /// Those of them that were about runs, or what stood in their place.
    pub n_beside: u64,
    /// What the generated predictor foresaw of its loss on the acceptance set; none where there were too few runs to learn from.
    pub foreseen: Option<f64>,
    /// Recipes that the search looked at.
    pub n_scored: usize,
    /// Mean loss on the acceptance set; none of a training that diverged.
    pub acceptance: Option<f64>,
    /// The same on the report set, which decides nothing.
    pub report: Option<f64>,
    /// The same on tasks about runs of data sets that were held out.
    pub lifted: Option<f64>,
    /// The closed-form head alone on the acceptance set.
    pub untrained: f64,
    /// The generation that it was compared with: the one that stood so far.
    pub parent: Option<String>,
    /// Its loss on the acceptance set less that one's.
    pub difference: Option<Difference>,
    /// What the gate said.
    pub verdict: String,
    /// Whether it took the other's place.
    pub accepted: bool,
    /// Processor seconds of its training.
    pub cpu_s: f64,
}

impl Generation {
    /// The run's name.
    pub(crate) fn run(&self) -> Option<Uid> {
        self.uid.parse().ok()
    }
}

/// A recorded training of a metamodel whose recipe is one of ours.
#[derive(Clone, Debug)]
pub(crate) struct OwnRun {
    pub(crate) record: AnyRun,
    pub(crate) recipe: OuterRecipe,
}

impl OwnRun {
    /// The run of a name in a ledger.
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

    /// The record, if it learned from tasks about the world alone.
    pub(crate) fn on_world(&self) -> Option<&RunRecord<Base>> {
        match &self.record {
            AnyRun::OnWorld(record) => Some(record),
            AnyRun::OnRuns(_) => None,
        }
    }

    /// The data sets that it learned from in the end.
    pub(crate) fn roots(&self) -> &BTreeSet<String> {
        match &self.record {
            AnyRun::OnWorld(record) => &record.roots,
            AnyRun::OnRuns(record) => &record.roots,
        }
    }

    /// The stream of tasks about the world that it was trained on.
    pub(crate) fn stream(&self) -> String {
        match &self.record {
            AnyRun::OnWorld(record) => stream_of(record.seed),
            AnyRun::OnRuns(record) => stream_of(record.seed),
        }
    }

    /// What predictors foresee of it.
    pub(crate) fn label(&self, untrained: f64) -> f64 {
        self_tasks::own_label(self.outcome(), untrained)
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
