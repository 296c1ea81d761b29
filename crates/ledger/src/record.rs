//! One run, as it is recorded.

use crate::content::content_digest;
use crate::uid::Uid;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use weightsmith_tasks::{Level, TaskSplit};

/// A named value: a text or a finite number. What is missing has no name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number, finite.
    Number(f64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// Values by their names; whose they are is not known here.
pub type Named = BTreeMap<String, Value>;

/// What the numbers that a run trained are.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunRole {
    /// The weights of a base model.
    BaseModel,
    /// The trained numbers of a metamodel.
    Metamodel,
    /// A model that predicts the outcome of runs.
    Predictor,
}

impl RunRole {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BaseModel, Self::Metamodel, Self::Predictor];

    /// As the file has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BaseModel => "base-model",
            Self::Metamodel => "metamodel",
            Self::Predictor => "predictor",
        }
    }
}

/// What another run was to this one.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ParentKind {
    /// A row of the data, or of the tasks, that this run learned from; its level is below this run's.
    Data,
    /// What it trained was used: this run started from it or was written by it. Its level is at most this run's.
    Model,
}

impl ParentKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Data, Self::Model];

    /// As the file has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Model => "model",
        }
    }
}

/// A run without which this one would not be what it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Parent {
    /// The other run; it is in the ledger already.
    pub uid: Uid,
    /// What it was to this one.
    pub kind: ParentKind,
}

/// What was measured on the query rows at the end of a run. Nothing predicted has a place here.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What was measured, in the words of who measured it.
    pub metric: String,
    /// Its value; none where there is none, such as for a training that diverged.
    pub value: Option<f64>,
    /// Rows that were learned from.
    pub n_short: u64,
    /// Rows that were scored on.
    pub n_long: u64,
}

/// What a run took.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Cost {
    /// Processor seconds, over all threads.
    pub cpu_s: f64,
    /// Seconds of the clock.
    pub wall_s: f64,
}

/// A look at a run while it went on.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct CurvePoint {
    /// Steps done.
    pub step: u64,
    /// Mean loss on the query rows; none where it was not measured or is not finite.
    pub long_loss: Option<f64>,
    /// Mean loss on the support rows; none where it was not measured or is not finite.
    pub short_loss: Option<f64>,
    /// Processor seconds until then, without those of looking.
    pub cpu_s: f64,
}

/// A finished training on data of level `L`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord<L: Level> {
    /// Its name.
    pub uid: Uid,
    /// What was trained.
    pub role: RunRole,
    /// The task, or for a metamodel the stream of tasks.
    pub task: String,
    /// The data sets that its rows come from in the end, whatever was made of them since: at least one. Folds are by
    /// these.
    pub roots: BTreeSet<String>,
    /// Which tasks the task belongs to.
    pub split: TaskSplit,
    /// Every decision about the training.
    pub recipe: Named,
    /// Meta-features of the support rows.
    pub features: Named,
    /// What the first steps showed; empty without a probe.
    pub probe: Named,
    /// What was measured at the end.
    pub outcome: Outcome,
    /// What it took.
    pub cost: Cost,
    /// The seed of the run.
    pub seed: u64,
    /// The version of the program, such as a commit.
    pub code_version: String,
    /// Where it ran, such as `cpu`.
    pub device: String,
    /// Steps of the optimiser.
    pub n_steps: u64,
    /// Runs that this one was made from.
    pub parents: BTreeSet<Parent>,
    /// Looks at it, by ascending steps.
    pub curve: Vec<CurvePoint>,
    /// What its rows are about.
    pub level: PhantomData<L>,
}

impl<L: Level> RunRecord<L> {
    /// A name that is a hash of everything else in the record, what it cost and measured included.
    pub fn content_uid(&self) -> Uid {
        Uid::of_digest(&content_digest(L::DEPTH, self))
    }
}

/// A run in a ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<L: Level> {
    /// Its place, counted from 1.
    pub position: u64,
    /// When it was appended: UTC, `2031-05-17T08:30:00Z`. Not a part of the content.
    pub appended_at: String,
    /// The run.
    pub record: RunRecord<L>,
}
