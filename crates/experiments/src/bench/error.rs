//! Why a bench cannot start or go on.

use crate::train::TrainError;
use std::io;
use std::path::{Path, PathBuf};
use weightsmith_evaluation::EvaluationError;
use weightsmith_runtime::OutputError;

/// Why a bench cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file that the system refuses.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The bench, or a configuration that it names.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is not understood.
    #[error("{}: {source}", path.display())]
    Format {
        /// The bench, or a configuration that it names.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A file that is understood and makes no bench.
    #[error("{}: {problem}", path.display())]
    Plan {
        /// The bench.
        path: PathBuf,
        /// What is wrong, and where.
        problem: String,
    },
    /// Settings that make no training.
    #[error(transparent)]
    Settings(TrainError),
    /// One run's configuration is at fault.
    #[error("{}: run \"{name}\": {source}", path.display())]
    Run {
        /// The bench.
        path: PathBuf,
        /// The run.
        name: String,
        /// What is wrong with it.
        source: Box<BenchError>,
    },
    /// The folder of a run holds a training already.
    #[error("{} holds a training; add --resume to go on with the bench, or choose another folder", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of a run cannot be read.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A training cannot start or go on.
    #[error("run \"{name}\": {source}")]
    Train {
        /// The run.
        name: String,
        /// Why.
        source: TrainError,
    },
    /// A metamodel cannot be scored, or the page cannot be written.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
}

impl BenchError {
    /// Tells which run of which bench it is about.
    pub(super) fn of_run(self, path: &Path, name: &str) -> Self {
        Self::Run { path: path.to_path_buf(), name: name.to_string(), source: Box::new(self) }
    }
}
