//! Training a start from a configuration file, with the same files in its folder as the training of a metamodel; what is trained is in
//! `start.safetensors`, as of the last validation with a finite loss.

use super::recorder::{Recorded, Recorder, StepFigures, open};
use super::{Files, TrainError, TrainEvent, TrainingState, io_error};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
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
}

/// Progress of a training of a start.
pub type StartEvent<'a> = TrainEvent<'a, StartStep, StartValidation>;

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
    let (opened, mut state) = open(experiment, resume)?;
    let trainer = StartTrainer::new(&experiment.start, n_threads)?;
    let recorder = Recorder::new(experiment, &opened, &state, listen)?;
    let is_validated = trainer.is_validated(state.iteration);
    let (reached, seconds) = recorder.carry_out(
        &mut state,
        is_validated,
        |recorder, state| recorder.on_validation(&trainer.validate(state), state),
        |recorder, state| trainer.run(state, recorder),
    )?;
    let (iteration, n_tasks) = experiment.progress(&state);
    Ok(TrainedStart { state: reached, iteration, n_tasks, seconds, start: experiment.start_file() })
}

impl Recorded for StartExperiment {
    type State = StartState;

    const CURVE_EVERY: u64 = 500;

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
        self.start.n_iterations
    }

    fn progress(&self, state: &StartState) -> (u64, u64) {
        (state.iteration, state.iteration * self.start.tasks_per_iteration)
    }

    fn first_state(&self) -> Result<StartState, TrainError> {
        Ok(StartState::new(&self.start)?)
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

    fn save(&self, files: &Files, state: &StartState) -> Result<(), TrainError> {
        let bytes = StartFile::of_training(&self.start, state).to_bytes();
        files.write("write", &files.checkpoint, &bytes)
    }

    fn save_trained(&self, files: &Files, state: &StartState) -> Result<(), TrainError> {
        let bytes = StartFile::of_start(&self.start, state).to_bytes();
        files.write("write", &self.start_file(), &bytes)
    }
}

impl StartObserver for Recorder<'_, StartExperiment, StartStep, StartValidation> {
    fn on_step(&mut self, report: &StartStep, state: &StartState) -> ControlFlow<()> {
        let StartStep { loss, learning_rate, gradient_norm, .. } = *report;
        let figures = StepFigures { loss, learning_rate, gradient_norm: gradient_norm as f32 };
        self.after_step(*report, figures, state)
    }

    fn on_validation(&mut self, validation: &StartValidation, state: &StartState) -> ControlFlow<()> {
        self.after_validation(*validation, (validation.loss as f32, None), state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::read_curve;
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
