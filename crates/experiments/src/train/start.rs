//! Training a start from a configuration file, with the same files in its folder as the training of a metamodel; what is trained is in
//! `start.safetensors`, as of the last validation with a finite loss.

use super::{Files, TrainError, TrainingState, io_error};
use crate::history::{TrainingPoint, append_point, curve_csv, digits, is_diverged, read_curve};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use weightsmith_runtime::{Cost, FolderLock, Stopwatch};
use weightsmith_training::{
    StartConfig, StartConfigError, StartFile, StartObserver, StartState, StartStep, StartTrainer,
    StartValidation,
};

/// A configuration file of `train` that trains a start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartExperiment {
    /// Where the training's files go, relative to the current folder.
    pub folder: PathBuf,
    /// Seconds between checkpoints, 0 to 86,400; 0 for one after every outer step.
    #[serde(default = "super::config::default_interval")]
    pub checkpoint_seconds: u64,
    /// The training.
    pub start: StartConfig,
}

impl StartExperiment {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting that is out of its range.
    pub(super) fn validate(&self) -> Result<(), StartConfigError> {
        if self.checkpoint_seconds > 86_400 {
            let (name, range) = ("checkpoint_seconds", "between 0 and 86,400");
            return Err(StartConfigError::OutOfRange { name, range });
        }
        self.start.validate()
    }

    /// The ledger in its folder.
    pub fn ledger(&self) -> PathBuf {
        self.folder.join("runs.ledger")
    }

    /// The file of the start.
    pub fn start_file(&self) -> PathBuf {
        self.folder.join("start.safetensors")
    }

    /// A checksum of everything that decides the numbers.
    pub(super) fn fingerprint(&self) -> String {
        let text = toml::to_string(&self.start).expect("a configuration is plain data");
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn load(&self, files: &Files) -> Result<StartState, TrainError> {
        let path = &files.checkpoint;
        let bytes = fs::read(path).map_err(|source| io_error("read", path, source))?;
        let file = StartFile::from_bytes(&bytes)
            .map_err(|source| TrainError::StartFile { path: path.clone(), source })?;
        if file.config != self.start {
            return Err(TrainError::OtherConfig { folder: self.folder.clone() });
        }
        file.into_state().ok_or_else(|| TrainError::NotATraining { path: path.clone() })
    }
}

/// Progress of a training of a start.
#[derive(Clone, Debug)]
pub enum StartEvent<'a> {
    /// After an outer step.
    Step {
        /// The step.
        report: StartStep,
        /// Tasks a second since this process began.
        tasks_per_second: f64,
    },
    /// After a validation.
    Validation(StartValidation),
    /// A checkpoint was written.
    Checkpoint(&'a Path),
}

/// How a call of [`train_start`] ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainedStart {
    /// How far the training has come.
    pub state: TrainingState,
    /// Outer steps done.
    pub iteration: u64,
    /// Tasks seen.
    pub n_tasks: u64,
    /// Seconds of this call.
    pub seconds: f64,
    /// The start as of the last finite validation; not there if the first was not finite.
    pub start: PathBuf,
}

/// Runs or resumes the training of a start that a configuration file describes.
///
/// `listen` gets every event and may stop the training by `Break`; it then can be resumed to the bit. A killed process loses at most
/// the steps since the last checkpoint, and the resumed training ends in the same numbers. A training ends at the first validation
/// whose loss is not finite. The folder is locked against other processes meanwhile.
///
/// # Errors
/// A bad configuration, a folder that holds another training or in which another process trains, a system that refuses.
pub fn train_start(
    experiment: &StartExperiment,
    resume: bool,
    n_threads: usize,
    listen: &mut dyn FnMut(StartEvent<'_>) -> ControlFlow<()>,
) -> Result<TrainedStart, TrainError> {
    experiment.validate()?;
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
            let state = experiment.load(&files)?;
            let mut curve =
                read_curve(&files.curve).map_err(|source| io_error("read", &files.curve, source))?;
            curve.retain(|point| point.step <= state.iteration);
            (state, curve)
        }
        (false, false) => {
            let text = toml::to_string(experiment).expect("a configuration is plain data");
            files.write("write", &files.config, text.as_bytes())?;
            (StartState::new(&experiment.start)?, Vec::new())
        }
    };
    files.write("write", &files.curve, &curve_csv(&curve))?;
    let trainer = StartTrainer::new(&experiment.start, n_threads)?;
    #[expect(clippy::disallowed_methods, reason = "checkpoints are written by the clock")]
    let begun = Instant::now();
    let mut recorder = Recorder {
        experiment,
        files: &files,
        listen,
        begun,
        stopwatch: Stopwatch::of_process(curve.last().map_or_else(Cost::default, TrainingPoint::cost)),
        iteration_before: state.iteration,
        saved: begun,
        loss: (0.0, 0),
        validated: curve.iter().filter(|point| point.valid_loss.is_some()).map(|point| point.step).max(),
        diverged: is_diverged(&curve),
        failed: None,
    };
    if recorder.validated == Some(state.iteration) && !recorder.diverged {
        recorder.save_start(&state)?;
    }
    // A training may have ended between a step and its validation.
    let is_due = !recorder.diverged
        && trainer.is_validated(state.iteration)
        && recorder.validated != Some(state.iteration);
    let goes_on = !is_due || recorder.on_validation(&trainer.validate(&state), &state).is_continue();
    if goes_on && !recorder.diverged {
        trainer.run(&mut state, &mut recorder);
    }
    match recorder.failed.take() {
        Some(error) => return Err(error),
        None => recorder.save(&state)?,
    }
    let last = experiment.start.n_iterations;
    let is_whole = state.iteration == last && recorder.validated == Some(last);
    Ok(TrainedStart {
        state: match (recorder.diverged, is_whole) {
            (true, _) => TrainingState::Diverged,
            (false, true) => TrainingState::Finished,
            (false, false) => TrainingState::Stopped,
        },
        iteration: state.iteration,
        n_tasks: state.iteration * experiment.start.tasks_per_iteration,
        seconds: begun.elapsed().as_secs_f64(),
        start: experiment.start_file(),
    })
}

/// Outer steps between two lines of training loss.
const CURVE_EVERY: u64 = 500;

/// Writes the trainer's reports to the files, and passes them on to the listener.
struct Recorder<'a> {
    experiment: &'a StartExperiment,
    files: &'a Files,
    listen: &'a mut dyn FnMut(StartEvent<'_>) -> ControlFlow<()>,
    begun: Instant,
    /// What the training cost, its earlier runs included.
    stopwatch: Stopwatch,
    iteration_before: u64,
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

    fn notify(&mut self, event: StartEvent<'_>) -> ControlFlow<()> {
        self.stopwatch.pausing(|| (self.listen)(event))
    }

    fn point(&self, state: &StartState) -> TrainingPoint {
        let n_tasks = state.iteration * self.experiment.start.tasks_per_iteration;
        TrainingPoint::at(state.iteration, n_tasks, self.stopwatch.cost())
    }

    fn append(&self, point: &TrainingPoint) -> Result<(), TrainError> {
        let path = &self.files.curve;
        append_point(path, point).map_err(|source| io_error("write", path, source))
    }

    fn save_start(&self, state: &StartState) -> Result<(), TrainError> {
        let bytes = StartFile::of_start(&self.experiment.start, state).to_bytes();
        self.files.write("write", &self.experiment.start_file(), &bytes)
    }

    /// The line goes first: without it a resumed training would not know what it had cost.
    fn save(&self, state: &StartState) -> Result<(), TrainError> {
        self.append(&self.point(state))?;
        let bytes = StartFile::of_training(&self.experiment.start, state).to_bytes();
        self.files.write("write", &self.files.checkpoint, &bytes)
    }
}

impl StartObserver for Recorder<'_> {
    #[expect(clippy::disallowed_methods, reason = "checkpoints are written by the clock")]
    fn on_step(&mut self, report: &StartStep, state: &StartState) -> ControlFlow<()> {
        self.loss = (self.loss.0 + report.loss, self.loss.1 + 1);
        if report.iteration.is_multiple_of(CURVE_EVERY) {
            let loss = self.loss.0 / self.loss.1 as f64;
            self.loss = (0.0, 0);
            let point = TrainingPoint {
                train_loss: Some(digits(loss as f32)),
                learning_rate: Some(digits(report.learning_rate)),
                gradient_norm: Some(digits(report.gradient_norm as f32)),
                ..self.point(state)
            };
            self.check(self.append(&point))?;
        }
        if self.saved.elapsed() >= Duration::from_secs(self.experiment.checkpoint_seconds) {
            self.check(self.save(state))?;
            self.saved = Instant::now();
            self.notify(StartEvent::Checkpoint(&self.files.checkpoint))?;
        }
        let seen = (report.iteration - self.iteration_before) * self.experiment.start.tasks_per_iteration;
        let tasks_per_second = seen as f64 / self.begun.elapsed().as_secs_f64();
        self.notify(StartEvent::Step { report: *report, tasks_per_second })
    }

    fn on_validation(&mut self, validation: &StartValidation, state: &StartState) -> ControlFlow<()> {
        let point = TrainingPoint { valid_loss: Some(digits(validation.loss as f32)), ..self.point(state) };
        let is_finite = validation.loss.is_finite();
        if is_finite {
            self.check(self.save_start(state))?;
        }
        // The line says that all of a validation is done.
        self.check(self.append(&point))?;
        self.validated = Some(state.iteration);
        self.diverged = !is_finite;
        self.notify(StartEvent::Validation(*validation))?;
        if is_finite { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::record_start;
    use weightsmith_ledger::{Filter, Ledger};
    use weightsmith_tasks::{Base, Seed};
    use weightsmith_training::{AdamConfig, FamilyConfig, InnerConfig, SinusoidFamily, StartAlgorithm};

    fn experiment(folder: &Path) -> StartExperiment {
        let inner =
            InnerConfig { algorithm: StartAlgorithm::Maml, n_steps: 1, rate: 0.01, per_step_losses: 0.0 };
        StartExperiment {
            folder: folder.to_path_buf(),
            checkpoint_seconds: 0,
            start: StartConfig {
                seed: Seed(1),
                n_iterations: 12,
                tasks_per_iteration: 3,
                validate_every: 5,
                n_valid: 4,
                hidden: vec![8],
                n_context: 0,
                family: FamilyConfig::Sinusoids(SinusoidFamily::benchmark(5, 5)),
                inner,
                optimiser: AdamConfig::default(),
            },
        }
    }

    /// Trains until a step is taken, before it is validated.
    fn train_until(experiment: &StartExperiment, resume: bool, until: u64) -> TrainedStart {
        let mut listen = |event: StartEvent<'_>| match event {
            StartEvent::Step { report, .. } if report.iteration == until => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        train_start(experiment, resume, 1, &mut listen).unwrap()
    }

    #[test]
    fn a_training_in_parts_ends_in_the_same_files_and_is_recorded_once() {
        let folder = tempfile::tempdir().unwrap();
        let whole = experiment(&folder.path().join("whole"));
        assert_eq!(train_until(&whole, false, 99).state, TrainingState::Finished);
        let parts = experiment(&folder.path().join("parts"));
        for (resume, until) in [(false, 3), (true, 5), (true, 12)] {
            assert_eq!(train_until(&parts, resume, until).state, TrainingState::Stopped);
        }
        assert_eq!(train_until(&parts, true, 99).state, TrainingState::Finished);
        for name in ["start.safetensors", "checkpoint.safetensors"] {
            let read = |experiment: &StartExperiment| fs::read(experiment.folder.join(name)).unwrap();
            assert!(read(&whole) == read(&parts), "{name}");
        }
        let points = read_curve(&Files::new(&parts.folder).curve).unwrap();
        let validated: Vec<u64> = points.iter().filter(|p| p.valid_loss.is_some()).map(|p| p.step).collect();
        assert_eq!(validated, [5, 10, 12]);

        let ledger = parts.ledger();
        assert!(record_start(&parts, &ledger).unwrap());
        assert!(!record_start(&whole, &ledger).unwrap(), "the same training counts once");
        let ledger = Ledger::open(&ledger).unwrap();
        let snapshot = ledger.snapshot().unwrap();
        let runs: Vec<_> = snapshot.runs::<Base>(&Filter::default()).unwrap().map(Result::unwrap).collect();
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].record.curve.len(), 3);
        assert!(runs[0].record.outcome.value.unwrap() > 0.0);
    }

    #[test]
    fn folders_and_configurations_are_not_mixed_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut experiment = experiment(&folder.path().join("run"));
        let mut listen = |_: StartEvent<'_>| ControlFlow::Continue(());
        let resumed = train_start(&experiment, true, 1, &mut listen);
        assert!(matches!(resumed, Err(TrainError::NothingToResume { .. })));
        train_until(&experiment, false, 3);
        let again = train_start(&experiment, false, 1, &mut listen);
        assert!(matches!(again, Err(TrainError::Exists { .. })));
        experiment.start.inner.rate = 0.02;
        let other = train_start(&experiment, true, 1, &mut listen);
        assert!(matches!(other, Err(TrainError::OtherConfig { .. })));
        fs::write(experiment.folder.join("checkpoint.safetensors"), b"{}").unwrap();
        let damaged = train_start(&experiment, true, 1, &mut listen);
        assert!(matches!(damaged, Err(TrainError::StartFile { .. })));
    }
}
