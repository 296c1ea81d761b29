//! The numbers of one base model as plain arrays on the host, and a forward pass that needs no tensor library.

use crate::architecture::{Activation, Architecture, hidden_name};
use crate::encoding::Rows;
use multiversion::multiversion;

/// A matrix, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Outputs of the map.
    pub n_rows: usize,
    /// Inputs of the map.
    pub n_columns: usize,
    /// `n_rows * n_columns` numbers.
    pub values: Vec<f32>,
}

impl Matrix {
    /// A matrix of its numbers.
    ///
    /// # Panics
    /// If there are not `n_rows * n_columns` of them.
    pub fn new(n_rows: usize, n_columns: usize, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), n_rows * n_columns, "a matrix needs as many numbers as it has places");
        Self { n_rows, n_columns, values }
    }

    /// Adds the product with `x` to `sums`. Sums are f64, so that this is the reference of the tensor version.
    fn add_product(&self, x: &[f64], sums: &mut [f64]) {
        add_product(&self.values, x, sums);
    }
}

/// Largest magnitude of what reaches a hidden unit. Products with f32 weights and their sums stay finite below it, so
/// that no two infinities make a NaN.
const LARGEST: f64 = 1e200;

/// Partial sums of a row, so that the compiler finds vector instructions; the same ones on every machine.
const N_LANES: usize = 8;

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn add_product(values: &[f32], x: &[f64], sums: &mut [f64]) {
    let (xs, x_rest) = x.as_chunks::<N_LANES>();
    for (sum, row) in sums.iter_mut().zip(values.chunks_exact(x.len())) {
        let (weights, rest) = row.as_chunks::<N_LANES>();
        let mut lanes = [0.0; N_LANES];
        for (weights, x) in weights.iter().zip(xs) {
            // Through references the sums would stay scalar.
            let (weights, x) = (*weights, *x);
            for lane in 0..N_LANES {
                lanes[lane] += f64::from(weights[lane]) * x[lane];
            }
        }
        let rest: f64 = rest.iter().zip(x_rest).map(|(weight, x)| f64::from(*weight) * x).sum();
        *sum += lanes.iter().sum::<f64>() + rest;
    }
}

/// One hidden layer.
#[derive(Clone, Debug, PartialEq)]
pub struct HostLayer {
    /// `[units, inputs]`.
    pub weight: Matrix,
    /// `[units]`.
    pub bias: Vec<f32>,
}

/// The numbers of one base model, in the layout of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct HostWeights {
    /// The hidden layers, from the inputs on; none for a linear model.
    pub hidden: Vec<HostLayer>,
    /// The direct path, `[outputs, inputs]`.
    pub skip: Option<Matrix>,
    /// From the last hidden layer, `[outputs, units]`; none for a linear model.
    pub output: Option<Matrix>,
    /// `[outputs]`.
    pub output_bias: Vec<f32>,
    /// The function of every hidden unit.
    pub activation: Activation,
}

/// A tensor's name, shape and numbers.
pub(crate) type NamedTensor<'a> = (String, Vec<usize>, &'a [f32]);

impl HostWeights {
    /// The shape of the base model.
    ///
    /// # Panics
    /// If there is neither a hidden layer nor a skip path.
    pub fn architecture(&self) -> Architecture {
        let first = self.hidden.first().map(|layer| &layer.weight).or(self.skip.as_ref());
        Architecture {
            n_inputs: first.expect("a hidden layer or the skip path reads the inputs").n_columns,
            hidden: self.hidden.iter().map(|layer| layer.weight.n_rows).collect(),
            n_outputs: self.output_bias.len(),
            activation: self.activation,
            skip: self.skip.is_some(),
        }
    }

    /// Name, shape and numbers of every tensor, sorted by name.
    pub fn named(&self) -> Vec<NamedTensor<'_>> {
        fn matrix<'a>(name: &str, matrix: &'a Matrix) -> NamedTensor<'a> {
            (format!("{name}.weight"), vec![matrix.n_rows, matrix.n_columns], &matrix.values)
        }
        fn vector<'a>(name: &str, values: &'a [f32]) -> NamedTensor<'a> {
            (format!("{name}.bias"), vec![values.len()], values)
        }
        let mut named = Vec::new();
        for (position, layer) in self.hidden.iter().enumerate() {
            let name = hidden_name(position, self.hidden.len());
            named.push(matrix(&name, &layer.weight));
            named.push(vector(&name, &layer.bias));
        }
        named.extend(self.skip.iter().map(|skip| matrix("skip", skip)));
        named.extend(self.output.iter().map(|output| matrix("output", output)));
        named.push(vector("output", &self.output_bias));
        named.sort_by(|a, b| a.0.cmp(&b.0));
        named
    }

    /// Name and numbers of every tensor, to be changed.
    pub(crate) fn named_mut(&mut self) -> Vec<(String, &mut Vec<f32>)> {
        let n_layers = self.hidden.len();
        let mut named = Vec::new();
        for (position, layer) in self.hidden.iter_mut().enumerate() {
            let name = hidden_name(position, n_layers);
            named.push((format!("{name}.weight"), &mut layer.weight.values));
            named.push((format!("{name}.bias"), &mut layer.bias));
        }
        named.extend(self.skip.iter_mut().map(|skip| ("skip.weight".to_string(), &mut skip.values)));
        named.extend(self.output.iter_mut().map(|output| ("output.weight".to_string(), &mut output.values)));
        named.push(("output.bias".to_string(), &mut self.output_bias));
        named
    }

    /// The weights of an architecture from its tensors: `take` gives the numbers of each name and shape of
    /// [`Architecture::tensors`].
    ///
    /// # Errors
    /// Whatever `take` returns.
    ///
    /// # Panics
    /// If `take` gives another number of values than the shape holds.
    pub fn from_named<E>(
        architecture: &Architecture,
        mut take: impl FnMut(&str, &[usize]) -> Result<Vec<f32>, E>,
    ) -> Result<Self, E> {
        let mut matrix = |name: &str, n_rows: usize, n_columns: usize| {
            Ok(Matrix::new(n_rows, n_columns, take(&format!("{name}.weight"), &[n_rows, n_columns])?))
        };
        let n_layers = architecture.hidden.len();
        let mut width = architecture.n_inputs;
        let mut layers = Vec::with_capacity(n_layers);
        for (position, &units) in architecture.hidden.iter().enumerate() {
            layers.push(matrix(&hidden_name(position, n_layers), units, width)?);
            width = units;
        }
        let (n_inputs, n_outputs) = (architecture.n_inputs, architecture.n_outputs);
        let skip = architecture.skip.then(|| matrix("skip", n_outputs, n_inputs)).transpose()?;
        let output = (n_layers > 0).then(|| matrix("output", n_outputs, width)).transpose()?;
        let mut vector = |name: &str, length: usize| {
            let values = take(&format!("{name}.bias"), &[length])?;
            assert_eq!(values.len(), length, "a bias needs as many numbers as there are units");
            Ok(values)
        };
        let mut hidden = Vec::with_capacity(n_layers);
        for (position, weight) in layers.into_iter().enumerate() {
            let bias = vector(&hidden_name(position, n_layers), weight.n_rows)?;
            hidden.push(HostLayer { weight, bias });
        }
        let output_bias = vector("output", n_outputs)?;
        Ok(Self { hidden, skip, output, output_bias, activation: architecture.activation })
    }

    /// Logits of the classes, or values, of every row: `n_rows * n_outputs` numbers, row-major. Meant for small
    /// inputs, and as the reference of [`crate::predict`]. Finite weights give finite outputs: one beyond the range of
    /// f32 is the largest number of its sign.
    ///
    /// # Panics
    /// If the rows have another number of columns than the network has inputs.
    pub fn predict(&self, rows: &Rows) -> Vec<f32> {
        assert_eq!(rows.n_columns, self.architecture().n_inputs, "the rows do not fit the network");
        let widen = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();
        let mut predicted = Vec::with_capacity(rows.n_rows * self.output_bias.len());
        for row in 0..rows.n_rows {
            let x = widen(rows.row(row));
            let mut outputs = widen(&self.output_bias);
            if let Some(skip) = &self.skip {
                skip.add_product(&x, &mut outputs);
            }
            if let Some(output) = &self.output {
                let mut units = x;
                for layer in &self.hidden {
                    let mut sums = widen(&layer.bias);
                    layer.weight.add_product(&units, &mut sums);
                    let bounded = sums.into_iter().map(|sum| sum.clamp(-LARGEST, LARGEST));
                    units = bounded.map(|sum| activate(self.activation, sum)).collect();
                }
                output.add_product(&units, &mut outputs);
            }
            let range = (f64::from(f32::MIN), f64::from(f32::MAX));
            predicted.extend(outputs.into_iter().map(|value| value.clamp(range.0, range.1) as f32));
        }
        predicted
    }
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
    }
}

/// The error function: the Maclaurin series near 0, else the continued fraction of its complement.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6 and 7.1.14.
fn erf(x: f64) -> f64 {
    let magnitude = x.abs();
    let value = if magnitude < 2.5 {
        let mut term = magnitude;
        let mut sum = magnitude;
        for k in 1..60 {
            term *= 2.0 * magnitude * magnitude / (2.0 * f64::from(k) + 1.0);
            sum += term;
        }
        2.0 / std::f64::consts::PI.sqrt() * (-magnitude * magnitude).exp() * sum
    } else {
        let mut fraction = 0.0;
        for k in (1..60).rev() {
            fraction = f64::from(k) / 2.0 / (magnitude + fraction);
        }
        1.0 - (-magnitude * magnitude).exp() / (std::f64::consts::PI.sqrt() * (magnitude + fraction))
    };
    value.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_weights_give_the_largest_numbers_and_no_nan() {
        let layer =
            || HostLayer { weight: Matrix::new(2, 2, vec![3e38, 3e38, -3e38, 3e38]), bias: vec![3e38; 2] };
        for (n_layers, activation) in [(1, Activation::Relu), (9, Activation::Relu), (3, Activation::Gelu)] {
            let weights = HostWeights {
                hidden: (0..n_layers).map(|_| layer()).collect(),
                skip: Some(Matrix::new(2, 2, vec![-3e38, -3e38, 3e38, 3e38])),
                output: Some(Matrix::new(2, 2, vec![3e38, -3e38, -3e38, 3e38])),
                output_bias: vec![-3e38, 3e38],
                activation,
            };
            let rows = Rows { n_rows: 2, n_columns: 2, values: vec![4.0, 4.0, -4.0, 3.0] };
            let outputs = weights.predict(&rows);
            assert!(outputs.iter().all(|output| output.is_finite()), "{n_layers} layers: {outputs:?}");
            let logits: crate::Predictions = crate::Predictions::from_logits(2, &outputs);
            for row in logits.probabilities().expect("classes") {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{n_layers} layers: {row:?}");
            }
        }
    }
}
