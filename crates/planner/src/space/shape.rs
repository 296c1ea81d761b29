//! The architecture that a network is to have, whatever else is decided about it.

use crate::space::{ACTIVATION_AT, ACTIVATIONS, LAYERS, LAYERS_AT, Plan, SKIP_AT, UNITS, UNITS_AT};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use weightsmith_base_model::{Activation, Architecture, ArchitectureError};
use weightsmith_evaluation::{EvaluationError, StartWeights, read_start};

/// The ending of a file of weights.
const WEIGHTS: &str = "safetensors";

/// Hidden layers, activation and direct path of a network; its inputs and outputs are those of the table.
///
/// As a file it is TOML:
///
/// ```toml
/// hidden = [64, 32]      # units of each hidden layer, from the inputs on; [] for a linear model
/// activation = "relu"    # or "tanh", "gelu"; "relu" if it is left out
/// skip = false           # whether the inputs also reach the outputs directly; false if it is left out
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkShape {
    /// Units of each hidden layer, from the inputs on.
    pub hidden: Vec<usize>,
    /// The function of every hidden unit.
    #[serde(default)]
    pub activation: Activation,
    /// Whether the inputs also reach the outputs directly.
    #[serde(default)]
    pub skip: bool,
}

/// Why a file says no shape.
#[derive(Debug, thiserror::Error)]
pub enum ShapeError {
    /// The file cannot be read.
    #[error("{}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no TOML of this form.
    #[error("{} says no shape; write hidden = [64], activation = \"relu\" and skip = false, or name a .safetensors file", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// No network has this shape.
    #[error("{}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ArchitectureError,
    },
    /// A file of weights that cannot be read.
    #[error(transparent)]
    Weights(#[from] EvaluationError),
}

impl NetworkShape {
    /// Reads a shape: a TOML file, or a file of weights (`.safetensors`), whose shape is taken and whose numbers are not.
    ///
    /// # Errors
    /// A file that is neither, widths of which there is no network.
    pub fn read(path: &Path) -> Result<Self, ShapeError> {
        if path.extension().is_some_and(|ending| ending == WEIGHTS) {
            return Ok(match read_start(path)? {
                StartWeights::Model(model) => Self::of(&model.architecture),
                StartWeights::Bare(weights) => Self::of(&weights.architecture()),
            });
        }
        let text =
            std::fs::read_to_string(path).map_err(|source| ShapeError::Read { path: path.into(), source })?;
        let shape: Self = toml::from_str(&text)
            .map_err(|source| ShapeError::Form { path: path.into(), source: Box::new(source) })?;
        let whole = Architecture {
            n_inputs: 1,
            hidden: shape.hidden.clone(),
            n_outputs: 1,
            activation: shape.activation,
            skip: shape.skip,
        };
        whole.validate().map_err(|source| ShapeError::Shape { path: path.into(), source })?;
        Ok(shape)
    }

    fn of(architecture: &Architecture) -> Self {
        let Architecture { hidden, activation, skip, .. } = architecture;
        Self { hidden: hidden.clone(), activation: *activation, skip: *skip }
    }

    /// A plan of the space whose network is most like it: predictions are made for that one.
    pub(crate) fn nearest(&self) -> Plan {
        let mut levels = Plan::usual_adam().levels();
        let place = |found: Option<usize>| found.unwrap_or(0) as u8;
        let most_layers = LAYERS.iter().copied().max().unwrap_or(1);
        let n_layers = self.hidden.len().min(most_layers);
        levels[LAYERS_AT] = place(LAYERS.iter().position(|layers| *layers == n_layers));
        let units = self.hidden.iter().copied().max().unwrap_or(1);
        let distance = |own: usize| (own as f64 / units as f64).ln().abs();
        let nearest = (0..UNITS.len()).min_by(|&a, &b| distance(UNITS[a]).total_cmp(&distance(UNITS[b])));
        levels[UNITS_AT] = place(nearest);
        levels[SKIP_AT] = u8::from(self.skip);
        levels[ACTIVATION_AT] = place(ACTIVATIONS.iter().position(|own| *own == self.activation));
        Plan::new(levels).expect("every level is there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_read_and_has_a_nearest_plan() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shape.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            NetworkShape::read(&path)
        };
        let shape = read("hidden = [60, 60]\nactivation = \"tanh\"\nskip = true\n").unwrap();
        let recipe = shape.nearest().recipe();
        assert_eq!((recipe.hidden, recipe.skip, recipe.activation), (vec![64, 64], true, Activation::Tanh));
        let linear = read("hidden = []\nskip = true\n").unwrap().nearest().recipe();
        assert!(linear.hidden.is_empty() && linear.skip);
        assert!(matches!(read("hidden = []\n"), Err(ShapeError::Shape { .. })));
        assert!(matches!(read("hidden = [0]\n"), Err(ShapeError::Shape { .. })));
        assert!(matches!(read("layers = 2\n"), Err(ShapeError::Form { .. })));
        assert!(matches!(NetworkShape::read(&folder.path().join("no.toml")), Err(ShapeError::Read { .. })));
    }
}
