//! The numbers of base models as tensors, and their forward pass.

use crate::architecture::{Activation, Architecture};
use crate::host_weights::{HostLayer, HostWeights, Matrix};
use burn::tensor::{Device, Tensor, TensorData, activation};
use std::marker::PhantomData;
use weightsmith_tasks::{Base, Level};

/// One hidden layer of `n_tasks` base models.
#[derive(Clone, Debug)]
pub struct HiddenLayer {
    /// `[n_tasks, units, inputs]`.
    pub weight: Tensor<3>,
    /// `[n_tasks, units]`.
    pub bias: Tensor<2>,
}

/// Weights of `n_tasks` base models of one architecture: plain tensors, so that gradients flow through them to
/// whatever made them.
#[derive(Clone, Debug)]
pub struct Weights<L: Level = Base> {
    /// The hidden layers, from the inputs on; none for a linear model.
    pub hidden: Vec<HiddenLayer>,
    /// The direct path, `[n_tasks, outputs, inputs]`.
    pub skip: Option<Tensor<3>>,
    /// From the last hidden layer, `[n_tasks, outputs, units]`; none for a linear model.
    pub output: Option<Tensor<3>>,
    /// `[n_tasks, outputs]`.
    pub output_bias: Tensor<2>,
    /// The function of every hidden unit.
    pub activation: Activation,
    /// What the rows are about.
    pub level: PhantomData<L>,
}

impl<L: Level> Weights<L> {
    /// The number of base models.
    pub fn n_tasks(&self) -> usize {
        self.output_bias.dims()[0]
    }

    /// The shape of each of the base models.
    ///
    /// # Panics
    /// If there is neither a hidden layer nor a skip path.
    pub fn architecture(&self) -> Architecture {
        let [_, n_outputs] = self.output_bias.dims();
        let first = self.hidden.first().map(|layer| &layer.weight).or(self.skip.as_ref());
        let [_, _, n_inputs] = first.expect("a hidden layer or the skip path reads the inputs").dims();
        Architecture {
            n_inputs,
            hidden: self.hidden.iter().map(|layer| layer.bias.dims()[1]).collect(),
            n_outputs,
            activation: self.activation,
            skip: self.skip.is_some(),
        }
    }

    /// The numbers of one base model on a device, `n_tasks` = 1.
    pub fn from_host(host: &HostWeights, device: &Device) -> Self {
        let vector = |values: &[f32]| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [1, values.len()]), device)
        };
        let matrix = |matrix: &Matrix| {
            let shape = [1, matrix.n_rows, matrix.n_columns];
            Tensor::<3>::from_data(TensorData::new(matrix.values.clone(), shape), device)
        };
        let layer =
            |layer: &HostLayer| HiddenLayer { weight: matrix(&layer.weight), bias: vector(&layer.bias) };
        Self {
            hidden: host.hidden.iter().map(layer).collect(),
            skip: host.skip.as_ref().map(matrix),
            output: host.output.as_ref().map(matrix),
            output_bias: vector(&host.output_bias),
            activation: host.activation,
            level: PhantomData,
        }
    }

    /// Reads the numbers of one base model back to the host.
    ///
    /// # Panics
    /// If `task_idx` is not below [`Weights::n_tasks`].
    pub fn to_host(&self, task_idx: usize) -> HostWeights {
        let vector = |tensor: &Tensor<2>| read(tensor.clone().narrow(0, task_idx, 1));
        let matrix = |tensor: &Tensor<3>| {
            let [_, n_rows, n_columns] = tensor.dims();
            Matrix { n_rows, n_columns, values: read(tensor.clone().narrow(0, task_idx, 1)) }
        };
        let layer =
            |layer: &HiddenLayer| HostLayer { weight: matrix(&layer.weight), bias: vector(&layer.bias) };
        HostWeights {
            hidden: self.hidden.iter().map(layer).collect(),
            skip: self.skip.as_ref().map(matrix),
            output: self.output.as_ref().map(matrix),
            output_bias: vector(&self.output_bias),
            activation: self.activation,
        }
    }
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data_as::<f32>().try_into_vec::<f32>().expect("the data was converted to f32")
}

/// Logits of the classes, or values, of every row.
///
/// # Shapes
/// `rows` is `[n_tasks, n_rows, n_inputs]`; the result is `[n_tasks, n_rows, n_outputs]`.
///
/// # Panics
/// If the shapes do not fit the weights.
pub fn predict<L: Level>(weights: &Weights<L>, rows: Tensor<3>) -> Tensor<3> {
    let bias = |bias: &Tensor<2>| bias.clone().unsqueeze_dim::<3>(1); // [n_tasks, 1, units]
    let linear = |x: Tensor<3>, weight: &Tensor<3>| x.matmul(weight.clone().swap_dims(1, 2));
    let mut outputs = bias(&weights.output_bias); // [n_tasks, 1, n_outputs]
    if let Some(skip) = &weights.skip {
        outputs = linear(rows.clone(), skip) + outputs; // [n_tasks, n_rows, n_outputs]
    }
    if let Some(output) = &weights.output {
        let mut units = rows;
        for layer in &weights.hidden {
            let before = linear(units, &layer.weight) + bias(&layer.bias); // [n_tasks, n_rows, units]
            units = match weights.activation {
                Activation::Relu => activation::relu(before),
                Activation::Tanh => activation::tanh(before),
                Activation::Gelu => activation::gelu(before),
            };
        }
        outputs = linear(units, output) + outputs; // [n_tasks, n_rows, n_outputs]
    }
    outputs
}
