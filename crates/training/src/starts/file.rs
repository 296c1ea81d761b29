//! The file of a learned start, and of a training of one: the one place that knows its format.
//!
//! A standard safetensors file. Tensors: for each layer of the network `layer.N.weight` `[inputs, outputs]` and `layer.N.bias`
//! `[outputs]`, from the inputs on; `rates`, one for each parameter in this order and then for the context, or, where the head is solved,
//! the logarithm of its penalty alone. A checkpoint has Adam's running means `training.first` and `training.second` too. All are f32.
//! The header's metadata has one entry, `weightsmith`, a JSON object:
//!
//! - `format`: `weightsmith-start`
//! - `format_version`: 1
//! - `config`: the [`StartConfig`]
//! - `iteration`: outer steps done

use super::config::{StartConfig, StartConfigError};
use super::start::LearnedStart;
use super::trainer::StartState;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const FORMAT: &str = "weightsmith-start";
const FORMAT_VERSION: u32 = 1;
const KEY: &str = "weightsmith";

/// What is wrong with a file of a start.
#[derive(Debug, thiserror::Error)]
pub enum StartFileError {
    /// Not a safetensors file, or a damaged one.
    #[error("not a readable safetensors file: {source}")]
    NotSafetensors {
        /// What the reader says.
        source: SafeTensorError,
    },
    /// A safetensors file of something else.
    #[error("not the file of a start")]
    NotAStart,
    /// Written by another version of this program.
    #[error("the file of a start of format version {found}; this program reads version {FORMAT_VERSION}")]
    WrongVersion {
        /// The version found.
        found: u32,
    },
    /// The header's description cannot be read.
    #[error("the description in the header is damaged: {source}")]
    Description {
        /// What the reader says.
        source: serde_json::Error,
    },
    /// A configuration that makes no training.
    #[error(transparent)]
    Config(#[from] StartConfigError),
    /// A tensor is missing, or of another shape or type, or holds a number that is not finite.
    #[error("tensor \"{name}\" is missing, has another shape or type, or holds a number that is not finite")]
    Tensor {
        /// The tensor's name.
        name: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Description {
    format: String,
    format_version: u32,
    config: StartConfig,
    iteration: u64,
}

/// What the file of a start holds.
#[derive(Clone, Debug, PartialEq)]
pub struct StartFile {
    /// How it was trained.
    pub config: StartConfig,
    /// Outer steps done.
    pub iteration: u64,
    /// The start.
    pub start: LearnedStart,
    /// Adam's two running means, in a checkpoint.
    pub moments: Option<(Vec<f32>, Vec<f32>)>,
}

impl StartFile {
    /// The start of a training, without what only the training needs.
    pub fn of_start(config: &StartConfig, state: &StartState) -> Self {
        Self { config: config.clone(), iteration: state.iteration, start: state.start.clone(), moments: None }
    }

    /// Everything that a training goes on from.
    pub fn of_training(config: &StartConfig, state: &StartState) -> Self {
        let moments = Some((state.first.clone(), state.second.clone()));
        Self { moments, ..Self::of_start(config, state) }
    }

    /// The training that a checkpoint goes on with; none where this is a start alone.
    pub fn into_state(self) -> Option<StartState> {
        let (first, second) = self.moments?;
        Some(StartState { iteration: self.iteration, start: self.start, first, second })
    }

    /// The bytes of the file; the same start gives the same bytes.
    ///
    /// # Panics
    /// If the numbers do not have the shapes of the network.
    pub fn to_bytes(&self) -> Vec<u8> {
        let description = Description {
            format: FORMAT.into(),
            format_version: FORMAT_VERSION,
            config: self.config.clone(),
            iteration: self.iteration,
        };
        let description = serde_json::to_string(&description).expect("a description is plain data");
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let mut stored: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (idx, layer) in self.start.mlp.layers().iter().enumerate() {
            let (weight, bias) = (layer.weight(&self.start.params), layer.bias(&self.start.params));
            let shape = vec![layer.n_inputs, layer.n_outputs];
            stored.push((format!("layer.{idx}.weight"), shape, bytes(weight)));
            stored.push((format!("layer.{idx}.bias"), vec![layer.n_outputs], bytes(bias)));
        }
        let mut list = |name: &str, values: &[f32]| {
            stored.push((name.to_string(), vec![values.len()], bytes(values)));
        };
        list("rates", &self.start.rates);
        if let Some((first, second)) = &self.moments {
            list("training.first", first);
            list("training.second", second);
        }
        let views = stored.iter().map(|(name, shape, bytes)| {
            (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("shapes are those of the bytes"))
        });
        let metadata = Some(HashMap::from([(KEY.to_string(), description)]));
        safetensors::serialize(views, metadata).expect("numbers fit the format")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Anything that is not as this module says.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StartFileError> {
        let failed = |source| StartFileError::NotSafetensors { source };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(failed)?;
        let description =
            header.metadata().as_ref().and_then(|map| map.get(KEY)).ok_or(StartFileError::NotAStart)?;
        let description: Description =
            serde_json::from_str(description).map_err(|source| StartFileError::Description { source })?;
        if description.format != FORMAT {
            return Err(StartFileError::NotAStart);
        }
        if description.format_version != FORMAT_VERSION {
            return Err(StartFileError::WrongVersion { found: description.format_version });
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(failed)?;
        let read = |name: &str, shape: &[usize]| {
            let wrong = || StartFileError::Tensor { name: name.to_string() };
            let view = tensors.tensor(name).map_err(|_| wrong())?;
            if view.dtype() != Dtype::F32 || view.shape() != shape {
                return Err(wrong());
            }
            let (numbers, _) = view.data().as_chunks::<4>();
            let values: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
            if values.iter().all(|value| value.is_finite()) { Ok(values) } else { Err(wrong()) }
        };
        let config = description.config;
        let mut state = StartState::new(&config)?;
        for (idx, layer) in state.start.mlp.layers().iter().enumerate() {
            let (weight, bias) = layer.both_mut(&mut state.start.params);
            let shape = [layer.n_inputs, layer.n_outputs];
            weight.copy_from_slice(&read(&format!("layer.{idx}.weight"), &shape)?);
            bias.copy_from_slice(&read(&format!("layer.{idx}.bias"), &shape[1..])?);
        }
        state.start.rates = read("rates", &[state.start.rates.len()])?;
        let n = state.first.len();
        let is_training = tensors.names().iter().any(|name| name.starts_with("training."));
        let moments = match is_training {
            true => Some((read("training.first", &[n])?, read("training.second", &[n])?)),
            false => None,
        };
        Ok(Self { config, iteration: description.iteration, start: state.start, moments })
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::{AdamConfig, InnerConfig};
    use super::super::family::FamilyConfig;
    use super::super::sinusoids::SinusoidFamily;
    use super::super::start::StartAlgorithm;
    use super::super::trainer::StartTrainer;
    use super::*;
    use weightsmith_tasks::Seed;

    fn config(algorithm: StartAlgorithm) -> StartConfig {
        StartConfig {
            seed: Seed(3),
            n_iterations: 9,
            tasks_per_iteration: 2,
            validate_every: 9,
            n_valid: 1,
            hidden: vec![4, 3],
            n_context: if algorithm == StartAlgorithm::Cavia { 2 } else { 0 },
            family: FamilyConfig::Sinusoids(SinusoidFamily::benchmark(5, 5)),
            inner: InnerConfig { algorithm, n_steps: 1, rate: 0.01, per_step_losses: 0.0 },
            optimiser: AdamConfig::default(),
        }
    }

    #[test]
    fn what_is_written_is_read_to_the_bit() {
        for algorithm in [StartAlgorithm::MetaSgd, StartAlgorithm::RidgeHead, StartAlgorithm::Cavia] {
            let config = config(algorithm);
            let mut state = StartState::new(&config).unwrap();
            StartTrainer::new(&config, 1).unwrap().step(&mut state);
            let file = StartFile::of_training(&config, &state);
            let read = StartFile::from_bytes(&file.to_bytes()).unwrap();
            assert_eq!(read, file);
            assert_eq!(read.into_state().unwrap(), state);
            let alone = StartFile::of_start(&config, &state);
            let read = StartFile::from_bytes(&alone.to_bytes()).unwrap();
            assert_eq!(read, alone);
            assert_eq!(read.into_state(), None);
        }
    }

    #[test]
    fn damaged_files_are_refused() {
        let config = config(StartAlgorithm::Maml);
        let mut state = StartState::new(&config).unwrap();
        let bytes = StartFile::of_start(&config, &state).to_bytes();
        for length in [0, 8, 100, bytes.len() - 1] {
            assert!(StartFile::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
        let replaced = |from: &str, to: &str| {
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            let mut bytes = bytes.clone();
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            StartFile::from_bytes(&bytes).unwrap_err().to_string()
        };
        assert_eq!(replaced("weightsmith-start", "weightsmith-other"), "not the file of a start");
        assert!(replaced("layer.1.bias", "layer.9.bias").starts_with("tensor \"layer.1.bias\" is missing"));
        assert!(replaced("\\\"n_valid\\\":1", "\\\"n_valid\\\":0").starts_with("n_valid must be"));
        state.start.params[0] = f32::NAN;
        let bytes = StartFile::of_start(&config, &state).to_bytes();
        assert!(matches!(StartFile::from_bytes(&bytes), Err(StartFileError::Tensor { .. })));
    }
}
