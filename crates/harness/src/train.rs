//! Training a metamodel from a configuration file: checkpoints, metrics, resume.
//!
//! The folder of a training holds `config.toml` (as it was started), `checkpoint.safetensors` (everything to go on
//! from, replaced as a whole), `metrics.csv` (a line an interval and a validation), `metamodel.safetensors` (the
//! averaged parameters, written at every validation).

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use weightsmith_base_model::{Precision, write_atomically};
use weightsmith_metamodel::{Checkpoint, CheckpointError, TRAINING_PREFIX};
use weightsmith_training::{
    CoolDown, Moments, Observer, OuterConfig, OuterConfigError, StepReport, TrainState, Trainer, Validation,
};

/// A configuration file of `train`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Where the training's files go, relative to the current folder.
    pub folder: PathBuf,
    /// Seconds between checkpoints.
    #[serde(default = "default_interval")]
    pub checkpoint_seconds: u64,
    /// The training.
    pub training: OuterConfig,
}

fn default_interval() -> u64 {
    60
}

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
    /// The checkpoint is a metamodel, but not a training's.
    #[error("{} is not a training's checkpoint", path.display())]
    NotATraining {
        /// The file.
        path: PathBuf,
    },
}

impl Experiment {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// A file that cannot be read, unknown or missing settings, settings out of their range.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let text = fs::read_to_string(path).map_err(|source| io_error("read", path, source))?;
        let experiment: Self = toml::from_str(&text)
            .map_err(|source| TrainError::Config { path: path.to_path_buf(), source: Box::new(source) })?;
        experiment.training.validate()?;
        Ok(experiment)
    }
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> TrainError {
    TrainError::Io { action, path: path.to_path_buf(), source }
}

/// What a training tells while it runs.
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

/// How a call of [`train_metamodel`] ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Whether all steps are done; else it was stopped and can be resumed.
    pub finished: bool,
    /// Steps done.
    pub step: u64,
    /// Tasks seen.
    pub n_tasks: u64,
    /// Seconds of this call.
    pub seconds: f64,
    /// The averaged metamodel.
    pub metamodel: PathBuf,
}

/// Runs or resumes the training that a configuration file describes.
///
/// `listen` hears of every step and may end the training by `Break`; it then can be resumed to the bit. A killed
/// process loses at most the steps since the last checkpoint, and the resumed training ends in the same numbers.
///
/// # Errors
/// A bad configuration, a folder that holds another training, a system that refuses.
pub fn train_metamodel(
    experiment: &Experiment,
    resume: bool,
    n_threads: usize,
    device: &Device,
    listen: &mut dyn FnMut(TrainEvent<'_>) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let folder = &experiment.folder;
    let files = Files::new(folder);
    let mut state = match (files.checkpoint.exists(), resume) {
        (true, false) => return Err(TrainError::Exists { folder: folder.clone() }),
        (false, true) => return Err(TrainError::NothingToResume { folder: folder.clone() }),
        (true, true) => files.load(experiment)?,
        (false, false) => {
            fs::create_dir_all(folder).map_err(|source| io_error("create", folder, source))?;
            let text = toml::to_string(experiment).expect("a configuration is plain data");
            files.write("write", &files.config, text.as_bytes())?;
            files.write("write", &files.metrics, METRICS_HEADER.as_bytes())?;
            TrainState::new(&experiment.training)?
        }
    };
    let trainer = Trainer::new(&experiment.training, device, n_threads)?;
    let begun = Instant::now();
    let mut recorder = Recorder {
        experiment,
        files: &files,
        listen,
        begun,
        n_tasks_before: state.n_tasks,
        saved: begun,
        loss: (0.0, 0),
        failed: None,
    };
    trainer.run(&mut state, &mut recorder);
    match recorder.failed {
        Some(error) => return Err(error),
        None => files.save(experiment, &state)?,
    }
    Ok(Trained {
        finished: state.step == experiment.training.last_step(),
        step: state.step,
        n_tasks: state.n_tasks,
        seconds: begun.elapsed().as_secs_f64(),
        metamodel: files.metamodel,
    })
}

const METRICS_HEADER: &str =
    "step,n_tasks,seconds,train_loss,valid_loss,untrained_loss,learning_rate,gradient_norm\n";
/// Steps between two lines of training loss.
const METRICS_EVERY: u64 = 100;

/// The files of a training.
struct Files {
    config: PathBuf,
    checkpoint: PathBuf,
    metrics: PathBuf,
    metamodel: PathBuf,
}

impl Files {
    fn new(folder: &Path) -> Self {
        Self {
            config: folder.join("config.toml"),
            checkpoint: folder.join("checkpoint.safetensors"),
            metrics: folder.join("metrics.csv"),
            metamodel: folder.join("metamodel.safetensors"),
        }
    }

    fn write(&self, action: &'static str, path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
        write_atomically(path, bytes).map_err(|source| io_error(action, path, source))
    }

    fn save(&self, experiment: &Experiment, state: &TrainState) -> Result<(), TrainError> {
        let name = |name: &str| format!("{TRAINING_PREFIX}{name}");
        // Counters go in as 16-bit pieces, which f32 holds exactly.
        let counters = [state.step, state.n_tasks].iter().flat_map(|count| pieces(*count)).collect();
        let mut arrays = vec![
            (name("first"), state.moments.first.clone()),
            (name("second"), state.moments.second.clone()),
            (name("averaged"), state.moments.averaged.clone()),
            (name("counters"), counters),
        ];
        if let Some(cool_down) = experiment.training.optimiser.cool_down {
            let numbers = [cool_down.from, cool_down.steps].iter().flat_map(|count| pieces(*count)).collect();
            arrays.push((name("cool_down"), numbers));
        }
        let checkpoint = Checkpoint {
            config: experiment.training.metamodel.clone(),
            trained: fingerprint(experiment),
            params: state.params.clone(),
            arrays,
        };
        let bytes = checkpoint.to_bytes(Precision::F32).expect("parameters fit the format");
        self.write("write", &self.checkpoint, &bytes)
    }

    fn save_averaged(&self, experiment: &Experiment, state: &TrainState) -> Result<(), TrainError> {
        let trained = format!(
            "{} of {} steps, {} tasks, seed {}",
            state.step,
            experiment.training.last_step(),
            state.n_tasks,
            experiment.training.seed.0
        );
        let config = experiment.training.metamodel.clone();
        let checkpoint = Checkpoint { config, trained, params: state.averaged(), arrays: vec![] };
        let bytes = checkpoint.to_bytes(Precision::F16).expect("parameters fit the format");
        self.write("write", &self.metamodel, &bytes)
    }

    fn load(&self, experiment: &Experiment) -> Result<TrainState, TrainError> {
        let path = &self.checkpoint;
        let bytes = fs::read(path).map_err(|source| io_error("read", path, source))?;
        let damaged = |source| TrainError::Checkpoint { path: path.clone(), source };
        let checkpoint = Checkpoint::from_bytes(&bytes).map_err(damaged)?;
        if checkpoint.trained != fingerprint(experiment) {
            return Err(TrainError::OtherConfig { folder: experiment.folder.clone() });
        }
        let n = checkpoint.params.values.len();
        let array = |name: &str, length: usize| {
            let name = format!("{TRAINING_PREFIX}{name}");
            let found =
                checkpoint.arrays.iter().find(|(other, values)| *other == name && values.len() == length);
            found
                .map(|(_, values)| values.clone())
                .ok_or_else(|| TrainError::NotATraining { path: path.clone() })
        };
        let counters = array("counters", 8)?;
        let step = joined(&counters[..4]);
        let begun = checkpoint_cool_down(&array("cool_down", 8).unwrap_or_default());
        let planned = experiment.training.optimiser.cool_down;
        // A cool-down may still be planned, moved or given up as long as neither it nor the old one has begun.
        let begins = [begun, planned].into_iter().flatten().map(|cool_down| cool_down.from).min();
        if begun != planned && begins.is_some_and(|from| step > from) {
            return Err(TrainError::OtherConfig { folder: experiment.folder.clone() });
        }
        Ok(TrainState {
            step,
            n_tasks: joined(&counters[4..]),
            moments: Moments {
                first: array("first", n)?,
                second: array("second", n)?,
                averaged: array("averaged", n)?,
            },
            params: checkpoint.params,
        })
    }

    fn append_metrics(&self, line: &str) -> Result<(), TrainError> {
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.metrics)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|source| io_error("write", &self.metrics, source))
    }
}

fn checkpoint_cool_down(numbers: &[f32]) -> Option<CoolDown> {
    (numbers.len() == 8).then(|| CoolDown { from: joined(&numbers[..4]), steps: joined(&numbers[4..]) })
}

fn pieces(count: u64) -> [f32; 4] {
    [0, 16, 32, 48].map(|shift| ((count >> shift) & 0xffff) as f32)
}

fn joined(pieces: &[f32]) -> u64 {
    pieces.iter().enumerate().map(|(idx, piece)| (*piece as u64) << (16 * idx)).sum()
}

/// A checksum of everything that decides the numbers of a training before it cools down.
fn fingerprint(experiment: &Experiment) -> String {
    let mut training = experiment.training.clone();
    training.optimiser.cool_down = None;
    let text = toml::to_string(&training).expect("a configuration is plain data");
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes what the trainer reports, and passes it on.
struct Recorder<'a> {
    experiment: &'a Experiment,
    files: &'a Files,
    listen: &'a mut dyn FnMut(TrainEvent<'_>) -> ControlFlow<()>,
    begun: Instant,
    n_tasks_before: u64,
    saved: Instant,
    loss: (f64, u64),
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
}

impl Observer for Recorder<'_> {
    fn on_step(&mut self, report: &StepReport, state: &TrainState) -> ControlFlow<()> {
        self.loss = (self.loss.0 + f64::from(report.loss), self.loss.1 + 1);
        if report.step.is_multiple_of(METRICS_EVERY) {
            let loss = self.loss.0 / self.loss.1 as f64;
            self.loss = (0.0, 0);
            let seconds = self.begun.elapsed().as_secs_f64();
            let (rate, norm) = (report.learning_rate, report.gradient_norm);
            let line =
                format!("{},{},{seconds:.1},{loss:.5},,,{rate:.3e},{norm:.4}\n", report.step, state.n_tasks);
            self.check(self.files.append_metrics(&line))?;
        }
        if self.saved.elapsed() >= Duration::from_secs(self.experiment.checkpoint_seconds) {
            self.check(self.files.save(self.experiment, state))?;
            self.saved = Instant::now();
            (self.listen)(TrainEvent::Checkpoint(&self.files.checkpoint))?;
        }
        let seen = (state.n_tasks - self.n_tasks_before) as f64;
        let tasks_per_second = seen / self.begun.elapsed().as_secs_f64();
        (self.listen)(TrainEvent::Step { report: *report, n_tasks: state.n_tasks, tasks_per_second })
    }

    fn on_validation(&mut self, validation: &Validation, state: &TrainState) -> ControlFlow<()> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let Validation { step, loss, untrained, .. } = validation;
        let line = format!("{step},{},{seconds:.1},,{loss:.5},{untrained:.5},,\n", state.n_tasks);
        self.check(self.files.append_metrics(&line))?;
        self.check(self.files.save_averaged(self.experiment, state))?;
        (self.listen)(TrainEvent::Validation(*validation))
    }
}
