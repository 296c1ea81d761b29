//! Training a metamodel from a configuration file: checkpoints, metrics, resume.
//!
//! The folder of a training holds `config.toml` (as it was started), `checkpoint.safetensors` (everything to go on
//! from, replaced as a whole), `metrics.csv` (a line an interval, a validation and a checkpoint), `metamodel.safetensors`
//! (the averaged parameters, written at every validation with a finite loss), and, once it is finished or diverged,
//! `runs.ledger` with its run record. `.lock` is locked while a process trains.

mod config;
mod files;
mod record;
mod recorder;
mod start;

pub use config::{Experiment, TrainingConfig};
pub(crate) use files::{Files, fingerprint};
pub use record::{record_start, record_training};
pub use start::{StartEvent, StartExperiment, TrainedStart, train_start};

use burn::tensor::Device;
use recorder::{Recorded, Recorder, StepFigures, open};
use serde::Serialize;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use weightsmith_ledger::LedgerError;
use weightsmith_metamodel::{Checkpoint, CheckpointError};
use weightsmith_runtime::OutputError;
use weightsmith_training::{
    Observer, OuterConfigError, StartConfigError, StartFileError, StepReport, TrainState, Trainer, Validation,
};

/// Why a training cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A file or folder that the system refuses.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A configuration that is not understood.
    #[error("{}: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A configuration that makes no training.
    #[error(transparent)]
    Settings(#[from] OuterConfigError),
    /// A configuration that trains no start.
    #[error(transparent)]
    StartSettings(#[from] StartConfigError),
    /// The file of a start, or the checkpoint of its training, cannot be read.
    #[error("{}: {source}", path.display())]
    StartFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: StartFileError,
    },
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger's file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Another process is at work in the folder.
    #[error("another training is running in {}; wait until it ends, or choose another folder", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds a training already.
    #[error("{} holds a training; add --resume to go on with it, or choose another folder", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// There is nothing to go on from.
    #[error("{} holds no checkpoint; leave --resume out to start", folder.display())]
    NothingToResume {
        /// The folder.
        folder: PathBuf,
    },
    /// The checkpoint is of another configuration.
    #[error("the checkpoint in {} is of another configuration; start anew in another folder (only a cool-down that has not begun may be changed)", folder.display())]
    OtherConfig {
        /// The folder.
        folder: PathBuf,
    },
    /// The checkpoint cannot be read.
    #[error("{}: {source}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CheckpointError,
    },
    /// The metamodel to start from has other widths or depths.
    #[error("{}: not a metamodel with the parameters that [training.metamodel] asks for", path.display())]
    OtherParameters {
        /// The file.
        path: PathBuf,
    },
    /// The checkpoint is a metamodel, but not a training's.
    #[error("{} is not a training's checkpoint", path.display())]
    NotATraining {
        /// The file.
        path: PathBuf,
    },
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> TrainError {
    TrainError::Io { action, path: path.to_path_buf(), source }
}

/// Progress of a training, of a metamodel unless other reports of steps, `S`, and validations, `V`, are named.
#[derive(Clone, Debug)]
pub enum TrainEvent<'a, S = StepReport, V = Validation> {
    /// After a step.
    Step {
        /// The step.
        report: S,
        /// Tasks seen since the start of the training.
        n_tasks: u64,
        /// Tasks a second since this process began.
        tasks_per_second: f64,
    },
    /// After a validation.
    Validation(V),
    /// A checkpoint was written.
    Checkpoint(&'a Path),
}

/// How far a training has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrainingState {
    /// All steps are done and validated.
    Finished,
    /// It was stopped and can be resumed.
    Stopped,
    /// A validation loss was not finite: it ended there, and resuming changes nothing.
    Diverged,
}

/// How a call of [`train_metamodel`] ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// How far the training has come.
    pub state: TrainingState,
    /// Steps done.
    pub step: u64,
    /// Tasks seen.
    pub n_tasks: u64,
    /// Seconds of this call.
    pub seconds: f64,
    /// The averaged metamodel as of the last finite validation; not there if the first was not finite.
    pub metamodel: PathBuf,
}

impl Trained {
    /// Whether all steps are done and validated.
    pub fn is_finished(&self) -> bool {
        self.state == TrainingState::Finished
    }
}

/// Runs or resumes the training that a configuration file describes.
///
/// `listen` gets every event and may stop the training by `Break`; it then can be resumed to the bit. A killed
/// process loses at most the steps since the last checkpoint, and the resumed training ends in the same numbers. Resuming a
/// finished training writes a lost metamodel again.
///
/// A training ends at the first validation whose loss is not finite. The folder is locked against other processes meanwhile.
///
/// # Errors
/// A bad configuration, a folder that holds another training or in which another process trains, a system that refuses.
pub fn train_metamodel(
    experiment: &Experiment,
    resume: bool,
    n_threads: usize,
    device: &Device,
    listen: &mut dyn FnMut(TrainEvent<'_>) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let (opened, mut state) = open(experiment, resume)?;
    let trainer = Trainer::new(&experiment.training, device, n_threads)?;
    let recorder = Recorder::new(experiment, &opened, &state, listen)?;
    let is_validated = trainer.is_validated(state.step);
    let (reached, seconds) = recorder.carry_out(
        &mut state,
        is_validated,
        |recorder, state| recorder.on_validation(&trainer.validate(state), state),
        |recorder, state| trainer.run(state, recorder),
    )?;
    let metamodel = opened.files.metamodel.clone();
    Ok(Trained { state: reached, step: state.step, n_tasks: state.n_tasks, seconds, metamodel })
}

impl Recorded for Experiment {
    type State = TrainState;

    const CURVE_EVERY: u64 = 100;

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn configuration(&self) -> String {
        toml::to_string(self).expect("a configuration is plain data")
    }

    fn checkpoint_seconds(&self) -> u64 {
        self.checkpoint_seconds
    }

    fn last_step(&self) -> u64 {
        self.training.last_step()
    }

    fn progress(&self, state: &TrainState) -> (u64, u64) {
        (state.step, state.n_tasks)
    }

    fn first_state(&self) -> Result<TrainState, TrainError> {
        let Some(path) = &self.from else { return Ok(TrainState::new(&self.training)?) };
        let bytes = fs::read(path).map_err(|source| io_error("read", path, source))?;
        let checkpoint = Checkpoint::from_bytes(&bytes)
            .map_err(|source| TrainError::Checkpoint { path: path.clone(), source })?;
        let state = TrainState::from_params(&self.training, &checkpoint.params)?;
        state.ok_or_else(|| TrainError::OtherParameters { path: path.clone() })
    }

    fn load(&self, files: &Files) -> Result<TrainState, TrainError> {
        files.load(self)
    }

    fn save(&self, files: &Files, state: &TrainState) -> Result<(), TrainError> {
        files.save(self, state)
    }

    fn save_trained(&self, files: &Files, state: &TrainState) -> Result<(), TrainError> {
        files.save_averaged(self, state)
    }

    fn restore_trained(&self, files: &Files, state: &TrainState) -> Result<(), TrainError> {
        files.restore_averaged(self, state)
    }
}

impl Observer for Recorder<'_, Experiment, StepReport, Validation> {
    fn on_step(&mut self, report: &StepReport, state: &TrainState) -> ControlFlow<()> {
        let StepReport { learning_rate, gradient_norm, .. } = *report;
        let figures = StepFigures { loss: f64::from(report.loss), learning_rate, gradient_norm };
        self.after_step(*report, figures, state)
    }

    fn on_validation(&mut self, validation: &Validation, state: &TrainState) -> ControlFlow<()> {
        self.after_validation(*validation, (validation.loss, Some(validation.untrained)), state)
    }
}

#[cfg(test)]
mod tests;
