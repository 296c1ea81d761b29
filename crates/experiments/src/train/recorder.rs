//! What every training in a folder has in common, whatever it trains: it is begun or gone on with, writes a curve and, by the
//! clock, checkpoints, and ends at the first validation whose loss is not finite.

use super::{Files, TrainError, TrainEvent, TrainingState, io_error};
use crate::history::{TrainingPoint, append_point, curve_csv, digits, is_diverged, read_curve};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};
use weightsmith_runtime::{Cost, FolderLock, Stopwatch};

/// A training that a configuration file describes, as its folder knows it.
pub(super) trait Recorded {
    /// Everything that it goes on from.
    type State;

    /// Steps between two lines of training loss.
    const CURVE_EVERY: u64;

    /// The folder.
    fn folder(&self) -> &Path;

    /// The configuration file.
    fn configuration(&self) -> String;

    /// Seconds between checkpoints.
    fn checkpoint_seconds(&self) -> u64;

    /// The last of its steps.
    fn last_step(&self) -> u64;

    /// Steps that are done, and tasks that were seen.
    fn progress(&self, state: &Self::State) -> (u64, u64);

    /// Where it begins.
    ///
    /// # Errors
    /// Settings that make no training; a file that it begins from and that cannot be read.
    fn first_state(&self) -> Result<Self::State, TrainError>;

    /// What the checkpoint holds.
    ///
    /// # Errors
    /// A checkpoint that cannot be read, or is another training's.
    fn load(&self, files: &Files) -> Result<Self::State, TrainError>;

    /// Writes the checkpoint.
    ///
    /// # Errors
    /// A system that refuses.
    fn save(&self, files: &Files, state: &Self::State) -> Result<(), TrainError>;

    /// Writes what is trained, for use.
    ///
    /// # Errors
    /// A system that refuses.
    fn save_trained(&self, files: &Files, state: &Self::State) -> Result<(), TrainError>;

    /// Writes it again if its file is missing or damaged.
    ///
    /// # Errors
    /// A system that refuses.
    fn restore_trained(&self, files: &Files, state: &Self::State) -> Result<(), TrainError> {
        self.save_trained(files, state)
    }
}

/// The folder of a training, locked against other processes.
pub(super) struct Opened {
    pub(super) files: Files,
    curve: Vec<TrainingPoint>,
    _lock: FolderLock,
}

/// Begins a training in its folder, or goes on with the one that is there: from which state is told.
///
/// # Errors
/// A folder that holds another training or none to resume, or in which another process trains; a system that refuses.
pub(super) fn open<R: Recorded>(training: &R, resume: bool) -> Result<(Opened, R::State), TrainError> {
    let folder = training.folder();
    let files = Files::new(folder);
    let nothing = || TrainError::NothingToResume { folder: folder.to_path_buf() };
    if resume && !files.checkpoint.exists() {
        return Err(nothing());
    }
    fs::create_dir_all(folder).map_err(|source| io_error("create", folder, source))?;
    let lock = FolderLock::try_take(folder).map_err(|source| io_error("lock", folder, source))?;
    let lock = lock.ok_or_else(|| TrainError::Locked { folder: folder.to_path_buf() })?;
    let (state, curve) = match (files.checkpoint.exists(), resume) {
        (true, false) => return Err(TrainError::Exists { folder: folder.to_path_buf() }),
        (false, true) => return Err(nothing()),
        (true, true) => {
            let state = training.load(&files)?;
            let mut curve =
                read_curve(&files.curve).map_err(|source| io_error("read", &files.curve, source))?;
            let (step, _) = training.progress(&state);
            curve.retain(|point| point.step <= step);
            (state, curve)
        }
        (false, false) => {
            files.write("write", &files.config, training.configuration().as_bytes())?;
            (training.first_state()?, Vec::new())
        }
    };
    files.write("write", &files.curve, &curve_csv(&curve))?;
    Ok((Opened { files, curve, _lock: lock }, state))
}

/// The figures of a step that a line of the curve shows.
pub(super) struct StepFigures {
    pub(super) loss: f64,
    pub(super) learning_rate: f32,
    pub(super) gradient_norm: f32,
}

/// Writes a trainer's reports, `S` of steps and `V` of validations, to the files, and passes them on to the listener.
pub(super) struct Recorder<'a, R, S, V> {
    training: &'a R,
    files: &'a Files,
    listen: &'a mut dyn FnMut(TrainEvent<'_, S, V>) -> ControlFlow<()>,
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

impl<'a, R: Recorded, S, V> Recorder<'a, R, S, V> {
    /// Begins to record; what was trained is written again if it was lost.
    ///
    /// # Errors
    /// A system that refuses.
    #[expect(clippy::disallowed_methods, reason = "checkpoints are written by the clock")]
    pub(super) fn new(
        training: &'a R,
        opened: &'a Opened,
        state: &R::State,
        listen: &'a mut dyn FnMut(TrainEvent<'_, S, V>) -> ControlFlow<()>,
    ) -> Result<Self, TrainError> {
        let Opened { files, curve, .. } = opened;
        let begun = Instant::now();
        let (step, n_tasks_before) = training.progress(state);
        let validated = curve.iter().filter(|point| point.valid_loss.is_some()).map(|point| point.step).max();
        let diverged = is_diverged(curve);
        if validated == Some(step) && !diverged {
            training.restore_trained(files, state)?;
        }
        Ok(Self {
            training,
            files,
            listen,
            begun,
            stopwatch: Stopwatch::of_process(curve.last().map_or_else(Cost::default, TrainingPoint::cost)),
            n_tasks_before,
            saved: begun,
            loss: (0.0, 0),
            validated,
            diverged,
            failed: None,
        })
    }

    /// Runs the training to its end, or until the listener ends it, and writes the last checkpoint: how far it has come, and how many
    /// seconds that took. `is_validated` tells whether a validation follows the step of `state`; if it was not done, since a
    /// training may have ended between the two, `validate` makes up for it.
    ///
    /// # Errors
    /// The first that was met while recording; a system that refuses.
    pub(super) fn carry_out(
        mut self,
        state: &mut R::State,
        is_validated: bool,
        validate: impl FnOnce(&mut Self, &R::State) -> ControlFlow<()>,
        run: impl FnOnce(&mut Self, &mut R::State),
    ) -> Result<(TrainingState, f64), TrainError> {
        let (step, _) = self.training.progress(state);
        let lacks_validation = !self.diverged && is_validated && self.validated != Some(step);
        let goes_on = !lacks_validation || validate(&mut self, state).is_continue();
        if goes_on && !self.diverged {
            run(&mut self, state);
        }
        self.finish(state)
    }

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

    fn notify(&mut self, event: TrainEvent<'_, S, V>) -> ControlFlow<()> {
        self.stopwatch.pausing(|| (self.listen)(event))
    }

    fn point(&self, state: &R::State) -> TrainingPoint {
        let (step, n_tasks) = self.training.progress(state);
        TrainingPoint::at(step, n_tasks, self.stopwatch.cost())
    }

    fn append(&self, point: &TrainingPoint) -> Result<(), TrainError> {
        let path = &self.files.curve;
        append_point(path, point).map_err(|source| io_error("write", path, source))
    }

    /// The line goes first: without it a resumed training would not know what it had cost.
    fn save(&self, state: &R::State) -> Result<(), TrainError> {
        self.append(&self.point(state))?;
        self.training.save(self.files, state)
    }

    /// After a step.
    #[expect(clippy::disallowed_methods, reason = "checkpoints are written by the clock")]
    pub(super) fn after_step(
        &mut self,
        report: S,
        figures: StepFigures,
        state: &R::State,
    ) -> ControlFlow<()> {
        let (step, n_tasks) = self.training.progress(state);
        self.loss = (self.loss.0 + figures.loss, self.loss.1 + 1);
        if step.is_multiple_of(R::CURVE_EVERY) {
            let loss = self.loss.0 / self.loss.1 as f64;
            self.loss = (0.0, 0);
            let point = TrainingPoint {
                train_loss: Some(digits(loss as f32)),
                learning_rate: Some(digits(figures.learning_rate)),
                gradient_norm: Some(digits(figures.gradient_norm)),
                ..self.point(state)
            };
            self.check(self.append(&point))?;
        }
        if self.saved.elapsed() >= Duration::from_secs(self.training.checkpoint_seconds()) {
            self.check(self.save(state))?;
            self.saved = Instant::now();
            self.notify(TrainEvent::Checkpoint(&self.files.checkpoint))?;
        }
        let seen = (n_tasks - self.n_tasks_before) as f64;
        let tasks_per_second = seen / self.begun.elapsed().as_secs_f64();
        self.notify(TrainEvent::Step { report, n_tasks, tasks_per_second })
    }

    /// After a validation, with its loss and, if there is one, that of what is not trained.
    pub(super) fn after_validation(
        &mut self,
        validation: V,
        (loss, untrained): (f32, Option<f32>),
        state: &R::State,
    ) -> ControlFlow<()> {
        let point = TrainingPoint {
            valid_loss: Some(digits(loss)),
            untrained_loss: untrained.map(digits),
            ..self.point(state)
        };
        let is_finite = loss.is_finite();
        if is_finite {
            self.check(self.training.save_trained(self.files, state))?;
        }
        // The line says that all of a validation is done.
        self.check(self.append(&point))?;
        self.validated = Some(point.step);
        self.diverged = !is_finite;
        self.notify(TrainEvent::Validation(validation))?;
        if is_finite { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn finish(mut self, state: &R::State) -> Result<(TrainingState, f64), TrainError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.save(state)?;
        let last = self.training.last_step();
        let is_whole = self.training.progress(state).0 == last && self.validated == Some(last);
        let reached = match (self.diverged, is_whole) {
            (true, _) => TrainingState::Diverged,
            (false, true) => TrainingState::Finished,
            (false, false) => TrainingState::Stopped,
        };
        Ok((reached, self.begun.elapsed().as_secs_f64()))
    }
}
