//! The shape of a base model: widths and the activation, no numbers.

use serde::{Deserialize, Serialize};

/// An architecture with more numbers than this is refused.
pub const MAX_WEIGHTS: usize = 1 << 28;
/// An architecture with more hidden layers than this is refused.
const MAX_LAYERS: usize = 100;

/// The function of a hidden unit.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(x, 0).
    #[default]
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// x Φ(x) with the exact normal distribution function.
    Gelu,
}

/// Widths and activation of a base model. A plain linear model has no hidden layer and the skip path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Encoded columns.
    pub n_inputs: usize,
    /// Units of each hidden layer, from the inputs on.
    pub hidden: Vec<usize>,
    /// Classes, or 1 for regression.
    pub n_outputs: usize,
    /// The function of every hidden unit.
    pub activation: Activation,
    /// Whether the inputs also reach the outputs directly.
    pub skip: bool,
}

/// Why no network has this architecture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchitectureError {
    /// A width is 0.
    #[error("the architecture has {layer} of width 0")]
    ZeroWidth {
        /// Which layer.
        layer: String,
    },
    /// Neither a hidden layer nor the skip path leads to the outputs.
    #[error("without a hidden layer the skip path is needed")]
    NoPath,
    /// More numbers than [`MAX_WEIGHTS`], or more than 100 hidden layers.
    #[error("the architecture has more than {MAX_WEIGHTS} weights or {MAX_LAYERS} hidden layers")]
    TooLarge,
}

impl Architecture {
    /// A plain linear model.
    pub fn linear(n_inputs: usize, n_outputs: usize) -> Self {
        Self { n_inputs, hidden: Vec::new(), n_outputs, activation: Activation::Relu, skip: true }
    }

    /// Checks that a network of this shape can exist.
    ///
    /// # Errors
    /// A width of 0, no path from inputs to outputs, more than [`MAX_WEIGHTS`] numbers, more than 100 hidden
    /// layers.
    pub fn validate(&self) -> Result<(), ArchitectureError> {
        let zero = |layer: String| Err(ArchitectureError::ZeroWidth { layer });
        if self.n_inputs == 0 {
            return zero("inputs".to_string());
        }
        if self.n_outputs == 0 {
            return zero("outputs".to_string());
        }
        if let Some(layer) = self.hidden.iter().position(|&units| units == 0) {
            return zero(format!("hidden layer {layer}"));
        }
        if self.hidden.is_empty() && !self.skip {
            return Err(ArchitectureError::NoPath);
        }
        match self.checked_n_weights() {
            Some(n_weights) if n_weights <= MAX_WEIGHTS && self.hidden.len() <= MAX_LAYERS => Ok(()),
            _ => Err(ArchitectureError::TooLarge),
        }
    }

    /// Names and shapes of the tensors, sorted by name: PyTorch's layout, `[outputs, inputs]`.
    ///
    /// One hidden layer is called `hidden`, several `hidden.0`, `hidden.1` and so on.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let mut tensors = Vec::new();
        let mut width = self.n_inputs;
        for (layer, &units) in self.hidden.iter().enumerate() {
            let name = hidden_name(layer, self.hidden.len());
            tensors.push((format!("{name}.weight"), vec![units, width]));
            tensors.push((format!("{name}.bias"), vec![units]));
            width = units;
        }
        if self.skip {
            tensors.push(("skip.weight".to_string(), vec![self.n_outputs, self.n_inputs]));
        }
        if !self.hidden.is_empty() {
            tensors.push(("output.weight".to_string(), vec![self.n_outputs, width]));
        }
        tensors.push(("output.bias".to_string(), vec![self.n_outputs]));
        tensors.sort();
        tensors
    }

    /// The number of weights and biases.
    ///
    /// # Panics
    /// If it does not fit a `usize`; [`Architecture::validate`] tells before.
    pub fn n_weights(&self) -> usize {
        self.checked_n_weights().expect("the architecture was validated")
    }

    fn checked_n_weights(&self) -> Option<usize> {
        let (mut n_weights, mut width) = (self.n_outputs, self.n_inputs);
        for &units in &self.hidden {
            n_weights = n_weights.checked_add(units.checked_mul(width.checked_add(1)?)?)?;
            width = units;
        }
        if self.skip {
            n_weights = n_weights.checked_add(self.n_outputs.checked_mul(self.n_inputs)?)?;
        }
        if !self.hidden.is_empty() {
            n_weights = n_weights.checked_add(self.n_outputs.checked_mul(width)?)?;
        }
        Some(n_weights)
    }
}

/// What the tensors of hidden layer `layer` of `n_layers` begin with.
pub(crate) fn hidden_name(layer: usize, n_layers: usize) -> String {
    if n_layers == 1 { "hidden".to_string() } else { format!("hidden.{layer}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_layers() -> Architecture {
        let hidden = vec![5, 3];
        Architecture { n_inputs: 4, hidden, n_outputs: 2, activation: Activation::Tanh, skip: true }
    }

    #[test]
    fn tensors_add_up_to_the_count() {
        let one = Architecture { hidden: vec![6], ..two_layers() };
        for architecture in [two_layers(), one, Architecture::linear(7, 3)] {
            assert_eq!(architecture.validate(), Ok(()));
            let total: usize =
                architecture.tensors().iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
            assert_eq!(total, architecture.n_weights());
        }
        assert_eq!(two_layers().tensors()[3], ("hidden.1.weight".to_string(), vec![3, 5]));
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let check = |change: fn(&mut Architecture), expected: &str| {
            let mut architecture = two_layers();
            change(&mut architecture);
            let error = architecture.validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(|a| a.n_inputs = 0, "inputs of width 0");
        check(|a| a.n_outputs = 0, "outputs of width 0");
        check(|a| a.hidden[1] = 0, "hidden layer 1 of width 0");
        check(|a| (a.hidden, a.skip) = (vec![], false), "skip path");
        check(|a| a.hidden[0] = usize::MAX / 2, "more than");
        check(|a| a.hidden[0] = MAX_WEIGHTS, "more than");
        check(|a| a.hidden = vec![1; 101], "more than");
    }
}
