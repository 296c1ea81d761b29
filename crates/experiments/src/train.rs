//! Training a metamodel from a configuration file: checkpoints, metrics, resume.
//!
//! The folder of a training holds `config.toml` (as it was started), `checkpoint.safetensors` (everything to go on
//! from, replaced as a whole), `metrics.csv` (a line an interval, a validation and a checkpoint), `metamodel.safetensors`
//! (the averaged parameters, written at every validation with a finite loss), and, once it is finished or diverged,
//! `runs.ledger` with its run record. `.lock` is locked while a process trains.

mod config;
mod files;
mod record;
mod start;

pub use config::{Experiment, TrainingConfig};
pub(crate) use files::{Files, fingerprint};
pub use record::{record_start, record_training};
pub use start::{StartEvent, StartExperiment, TrainedStart, train_start};

use crate::history::{TrainingPoint, append_point, curve_csv, digits, is_diverged, read_curve};
use burn::tensor::Device;
use serde::Serialize;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use weightsmith_ledger::LedgerError;
use weightsmith_metamodel::{Checkpoint, CheckpointError};
use weightsmith_runtime::{Cost, FolderLock, OutputError, Stopwatch};
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

/// Progress of a training.
#[derive(Clone, Debug)]
pub enum TrainEvent<'a> {
    /// After a step.
    Step {
        /// The step.
        report: StepReport,
        /// Tasks seen since the start of the training.
        n_tasks: u64,
        /// Tasks a second since this process began.
        tasks_per_second: f64,
    },
    /// After a validation.
    Validation(Validation),
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
    let folder = &experiment.folder;
    let files = Files::new(folder);
    if resume && !files.checkpoint.exists() {
        return Err(TrainError::NothingToResume { folder: folder.clone() });
    }
    fs::create_dir_all(folder).map_err(|source| io_error("create", folder, source))?;
    let lock = FolderLock::try_take(folder).map_err(|source| io_error("lock", folder, source))?;
    let _lock = lock.ok_or_else(|| TrainError::Locked { folder: folder.clone() })?;
    let (mut state, curve) = match (files.checkpoint.exists(), resume) {
        (true, false) => return Err(TrainError::Exists { folder: folder.clone() }),
        (false, true) => return Err(TrainError::NothingToResume { folder: folder.clone() }),
        (true, true) => {
            let state = files.load(experiment)?;
            let mut curve =
                read_curve(&files.curve).map_err(|source| io_error("read", &files.curve, source))?;
            curve.retain(|point| point.step <= state.step);
            (state, curve)
        }
        (false, false) => {
            let text = toml::to_string(experiment).expect("a configuration is plain data");
            files.write("write", &files.config, text.as_bytes())?;
            (first_state(experiment)?, Vec::new())
        }
    };
    files.write("write", &files.curve, &curve_csv(&curve))?;
    let trainer = Trainer::new(&experiment.training, device, n_threads)?;
    #[expect(clippy::disallowed_methods, reason = "checkpoints are written by the clock")]
    let begun = Instant::now();
    let mut recorder = Recorder {
        experiment,
        files: &files,
        listen,
        begun,
        stopwatch: Stopwatch::of_process(curve.last().map_or_else(Cost::default, TrainingPoint::cost)),
        n_tasks_before: state.n_tasks,
        saved: begun,
        loss: (0.0, 0),
        validated: curve.iter().filter(|point| point.valid_loss.is_some()).map(|point| point.step).max(),
        diverged: is_diverged(&curve),
        failed: None,
    };
    if recorder.validated == Some(state.step) && !recorder.diverged {
        files.restore_averaged(experiment, &state)?;
    }
    // A training may have ended between a step and its validation.
    let is_due = !recorder.diverged
        && state.step > 0
        && (state.step.is_multiple_of(experiment.training.validate_every)
            || state.step == experiment.training.last_step())
        && recorder.validated != Some(state.step);
    let goes_on = !is_due || recorder.on_validation(&trainer.validate(&state), &state).is_continue();
    if goes_on && !recorder.diverged {
        trainer.run(&mut state, &mut recorder);
    }
    recorder.finish(&state)?;
    let last_step = experiment.training.last_step();
    let is_whole = state.step == last_step && recorder.validated == Some(last_step);
    Ok(Trained {
        state: match (recorder.diverged, is_whole) {
            (true, _) => TrainingState::Diverged,
            (false, true) => TrainingState::Finished,
            (false, false) => TrainingState::Stopped,
        },
        step: state.step,
        n_tasks: state.n_tasks,
        seconds: begun.elapsed().as_secs_f64(),
        metamodel: files.metamodel,
    })
}

fn first_state(experiment: &Experiment) -> Result<TrainState, TrainError> {
    let Some(path) = &experiment.from else { return Ok(TrainState::new(&experiment.training)?) };
    let bytes = fs::read(path).map_err(|source| io_error("read", path, source))?;
    let checkpoint = Checkpoint::from_bytes(&bytes)
        .map_err(|source| TrainError::Checkpoint { path: path.clone(), source })?;
    let state = TrainState::from_params(&experiment.training, &checkpoint.params)?;
    state.ok_or_else(|| TrainError::OtherParameters { path: path.clone() })
}

/// Steps between two lines of training loss.
const CURVE_EVERY: u64 = 100;

/// Writes the trainer's reports to the files, and passes them on to the listener.
struct Recorder<'a> {
    experiment: &'a Experiment,
    files: &'a Files,
    listen: &'a mut dyn FnMut(TrainEvent<'_>) -> ControlFlow<()>,
    begun: Instant,
    /// What the training cost, its earlier runs included.
    stopwatch: Stopwatch,
    n_tasks_before: u64,
    saved: Instant,
    loss: (f64, u64),
    /// The last step that was validated.
    validated: Option<u64>,
    /// Whether its loss was not finite.
    diverged: bool,
    failed: Option<TrainError>,
}

impl Recorder<'_> {
    /// Keeps the first failure, which ends the training.
    fn check(&mut self, result: Result<(), TrainError>) -> ControlFlow<()> {
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn notify(&mut self, event: TrainEvent<'_>) -> ControlFlow<()> {
        self.stopwatch.pausing(|| (self.listen)(event))
    }

    fn point(&self, state: &TrainState) -> TrainingPoint {
        TrainingPoint::at(state.step, state.n_tasks, self.stopwatch.cost())
    }

    fn append(&self, point: &TrainingPoint) -> Result<(), TrainError> {
        let path = &self.files.curve;
        append_point(path, point).map_err(|source| io_error("write", path, source))
    }

    /// The line goes first: without it a resumed training would not know what it had cost.
    fn save(&self, state: &TrainState) -> Result<(), TrainError> {
        self.append(&self.point(state))?;
        self.files.save(self.experiment, state)
    }

    /// The last checkpoint, unless something failed.
    fn finish(&mut self, state: &TrainState) -> Result<(), TrainError> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.save(state),
        }
    }
}

impl Observer for Recorder<'_> {
    #[expect(clippy::disallowed_methods, reason = "checkpoints are written by the clock")]
    fn on_step(&mut self, report: &StepReport, state: &TrainState) -> ControlFlow<()> {
        self.loss = (self.loss.0 + f64::from(report.loss), self.loss.1 + 1);
        if report.step.is_multiple_of(CURVE_EVERY) {
            let loss = self.loss.0 / self.loss.1 as f64;
            self.loss = (0.0, 0);
            let point = TrainingPoint {
                train_loss: Some(digits(loss as f32)),
                learning_rate: Some(digits(report.learning_rate)),
                gradient_norm: Some(digits(report.gradient_norm)),
                ..self.point(state)
            };
            self.check(self.append(&point))?;
        }
        if self.saved.elapsed() >= Duration::from_secs(self.experiment.checkpoint_seconds) {
            self.check(self.save(state))?;
            self.saved = Instant::now();
            self.notify(TrainEvent::Checkpoint(&self.files.checkpoint))?;
        }
        let seen = (state.n_tasks - self.n_tasks_before) as f64;
        let tasks_per_second = seen / self.begun.elapsed().as_secs_f64();
        self.notify(TrainEvent::Step { report: *report, n_tasks: state.n_tasks, tasks_per_second })
    }

    fn on_validation(&mut self, validation: &Validation, state: &TrainState) -> ControlFlow<()> {
        let point = TrainingPoint {
            valid_loss: Some(digits(validation.loss)),
            untrained_loss: Some(digits(validation.untrained)),
            ..self.point(state)
        };
        // The line says that all of a validation is done.
        let is_finite = validation.loss.is_finite();
        if is_finite {
            self.check(self.files.save_averaged(self.experiment, state))?;
        }
        self.check(self.append(&point))?;
        self.validated = Some(state.step);
        self.diverged = !is_finite;
        self.notify(TrainEvent::Validation(*validation))?;
        if is_finite { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

#[cfg(test)]
mod tests;
