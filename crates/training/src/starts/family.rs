//! The families of tasks that starts are trained on.

use super::mlp::{Batch, Loss};
use super::sinusoids::SinusoidFamily;
use super::tables::{TableFamily, TableFamilyConfig};
use super::unrolled::Episode;
use serde::{Deserialize, Serialize};
use weightsmith_priors::PriorError;
use weightsmith_tasks::Seed;

/// A family of tasks, by its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FamilyConfig {
    /// Sine waves of one input.
    Sinusoids(SinusoidFamily),
    /// Synthetic tables, brought to one shape.
    Tables(Box<TableFamilyConfig>),
}

/// Draws tasks: task `task` of iteration `iteration` of a stream is the same whenever it is drawn.
#[derive(Clone, Debug)]
pub enum Family {
    /// Sine waves.
    Sinusoids(SinusoidFamily),
    /// Synthetic tables.
    Tables(Box<TableFamily>),
}

impl Family {
    /// The family of a configuration.
    ///
    /// # Errors
    /// A prior that makes no task family.
    pub fn new(config: &FamilyConfig) -> Result<Self, PriorError> {
        Ok(match config {
            FamilyConfig::Sinusoids(family) => Self::Sinusoids(*family),
            FamilyConfig::Tables(config) => Self::Tables(Box::new(TableFamily::new(config)?)),
        })
    }

    /// One task.
    pub fn episode(&self, seed: Seed, stream: &str, iteration: u64, task: u64) -> Episode<f32> {
        let mut rng = seed.indexed_stream(stream, &[iteration, task]);
        match self {
            Self::Sinusoids(family) => {
                let sinusoid = family.draw(&mut rng);
                family.episode(&sinusoid, &mut rng)
            }
            Self::Tables(family) => family.episode(&mut rng),
        }
    }
}

impl FamilyConfig {
    /// Inputs of a row.
    pub fn n_inputs(&self) -> usize {
        match self {
            Self::Sinusoids(family) => family.n_inputs(),
            Self::Tables(family) => family.n_inputs,
        }
    }

    /// What is minimised.
    pub fn loss(&self) -> Loss {
        match self {
            Self::Sinusoids(_) => Loss::SquaredError,
            Self::Tables(family) => family.loss(),
        }
    }
}

impl<N: Copy> Batch<N> {
    /// Rows of this batch and then of another, `n_rows` of them from `first` on, around the end.
    pub(super) fn rows_around(parts: [&Self; 2], first: usize, n_rows: usize, n_inputs: usize) -> Self {
        let n_all: usize = parts.iter().map(|part| part.targets.len()).sum();
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        for idx in first..first + n_rows {
            let idx = idx % n_all;
            let in_first = parts[0].targets.len();
            let (part, row) = if idx < in_first { (parts[0], idx) } else { (parts[1], idx - in_first) };
            inputs.extend_from_slice(&part.inputs[row * n_inputs..(row + 1) * n_inputs]);
            targets.push(part.targets[row]);
        }
        Self { inputs, targets }
    }
}
