//! The files of a training: its checkpoint, from which it goes on to the bit, and the metamodel.

use super::{Experiment, TrainError, io_error};
use crate::history::CURVE_FILE;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use weightsmith_base_model::Precision;
use weightsmith_metamodel::{Checkpoint, TRAINING_PREFIX};
use weightsmith_runtime::write_atomically;
use weightsmith_training::{CoolDown, Moments, TrainState};

/// The files of a training.
pub(crate) struct Files {
    pub(crate) config: PathBuf,
    pub(crate) checkpoint: PathBuf,
    pub(crate) curve: PathBuf,
    pub(crate) metamodel: PathBuf,
}

impl Files {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            config: folder.join("config.toml"),
            checkpoint: folder.join("checkpoint.safetensors"),
            curve: folder.join(CURVE_FILE),
            metamodel: folder.join("metamodel.safetensors"),
        }
    }

    pub(super) fn write(&self, action: &'static str, path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
        write_atomically(path, bytes).map_err(|source| io_error(action, path, source))
    }

    pub(super) fn save(&self, experiment: &Experiment, state: &TrainState) -> Result<(), TrainError> {
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

    pub(super) fn save_averaged(
        &self,
        experiment: &Experiment,
        state: &TrainState,
    ) -> Result<(), TrainError> {
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

    /// Writes the averaged metamodel of a validated state again if its file is missing or damaged.
    pub(crate) fn restore_averaged(
        &self,
        experiment: &Experiment,
        state: &TrainState,
    ) -> Result<(), TrainError> {
        let is_whole = fs::read(&self.metamodel).is_ok_and(|bytes| Checkpoint::from_bytes(&bytes).is_ok());
        if is_whole { Ok(()) } else { self.save_averaged(experiment, state) }
    }

    pub(crate) fn load(&self, experiment: &Experiment) -> Result<TrainState, TrainError> {
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
pub(crate) fn fingerprint(experiment: &Experiment) -> String {
    let mut training = experiment.training.clone();
    training.optimiser.cool_down = None;
    let text = toml::to_string(&training).expect("a configuration is plain data");
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
