//! The configuration files of trainings.

use super::{StartExperiment, TrainError, io_error};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use weightsmith_training::{OuterConfig, OuterConfigError};

/// A configuration file of `train` that trains a metamodel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Where the training's files go, relative to the current folder.
    pub folder: PathBuf,
    /// Seconds between checkpoints, 0 to 86,400; 0 for one after every step.
    #[serde(default = "default_interval")]
    pub checkpoint_seconds: u64,
    /// A metamodel's file whose numbers the training goes out from, relative to the current folder; without it they are
    /// drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The training.
    pub training: OuterConfig,
}

pub(super) fn default_interval() -> u64 {
    60
}

/// A configuration file of `train`, of either kind.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingConfig {
    /// It has a `[training]`, of a metamodel.
    Metamodel(Box<Experiment>),
    /// It has a `[start]`.
    Start(Box<StartExperiment>),
}

impl TrainingConfig {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// A file that cannot be read, unknown or missing settings, settings out of their range.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let text = read_text(path)?;
        if toml::from_str::<toml::Table>(&text).is_ok_and(|table| table.contains_key("start")) {
            let experiment: StartExperiment = parse(path, &text)?;
            experiment.validate()?;
            return Ok(Self::Start(Box::new(experiment)));
        }
        Ok(Self::Metamodel(Box::new(Experiment::parse(path, &text)?)))
    }
}

fn read_text(path: &Path) -> Result<String, TrainError> {
    fs::read_to_string(path).map_err(|source| io_error("read", path, source))
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, TrainError> {
    toml::from_str(text)
        .map_err(|source| TrainError::Config { path: path.to_path_buf(), source: Box::new(source) })
}

impl Experiment {
    /// Reads a configuration file of a metamodel's training.
    ///
    /// # Errors
    /// A file that cannot be read, unknown or missing settings, settings out of their range.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        Self::parse(path, &read_text(path)?)
    }

    /// Reads the text of the configuration file at `path`.
    fn parse(path: &Path, text: &str) -> Result<Self, TrainError> {
        let experiment: Self = parse(path, text)?;
        experiment.validate()?;
        Ok(experiment)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting that is out of its range.
    pub(crate) fn validate(&self) -> Result<(), OuterConfigError> {
        if self.checkpoint_seconds > 86_400 {
            let (name, range) = ("checkpoint_seconds", "between 0 and 86,400");
            return Err(OuterConfigError::OutOfRange { name, range });
        }
        self.training.validate()
    }

    /// The ledger in its folder.
    pub fn ledger(&self) -> PathBuf {
        self.folder.join("runs.ledger")
    }
}
