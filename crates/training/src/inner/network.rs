//! A base model's numbers as trainable parameters.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use std::marker::PhantomData;
use weightsmith_base_model::{Activation, Architecture, HiddenLayer, HostWeights, Weights};
use weightsmith_tasks::{Base, Level};

#[derive(Module, Debug)]
struct HiddenParams {
    weight: Param<Tensor<3>>, // [1, units, inputs]
    bias: Param<Tensor<2>>,   // [1, units]
}

/// The parameters behind the [`Weights`] of one base model.
#[derive(Module, Debug)]
pub(super) struct Network {
    hidden: Vec<HiddenParams>,
    skip: Option<Param<Tensor<3>>>,   // [1, outputs, inputs]
    output: Option<Param<Tensor<3>>>, // [1, outputs, units]
    output_bias: Param<Tensor<2>>,    // [1, outputs]
}

impl Network {
    /// Parameters drawn uniformly from ±√(6 / (inputs + outputs)) of each layer, biases too, as scikit-learn
    /// does.
    ///
    /// Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks,
    /// section 4.2.1.
    pub(super) fn init(architecture: &Architecture, random: &mut impl Rng, device: &Device) -> Self {
        let Architecture { n_inputs, n_outputs, .. } = *architecture;
        let mut uniform = |n: usize, fan: usize| -> Vec<f32> {
            let bound = (6.0 / fan as f32).sqrt();
            (0..n).map(|_| random.random_range(-bound..bound)).collect()
        };
        let mut matrix = |units: usize, inputs: usize| {
            let values = uniform(units * inputs, units + inputs);
            let bias = uniform(units, units + inputs);
            let weight = Tensor::from_data(TensorData::new(values, [1, units, inputs]), device);
            let bias = Tensor::from_data(TensorData::new(bias, [1, units]), device);
            (Param::from_tensor(weight), Param::from_tensor(bias))
        };
        let mut hidden = Vec::with_capacity(architecture.hidden.len());
        let mut width = n_inputs;
        for &units in &architecture.hidden {
            let (weight, bias) = matrix(units, width);
            hidden.push(HiddenParams { weight, bias });
            width = units;
        }
        let (last, output_bias) = matrix(n_outputs, width);
        if hidden.is_empty() {
            return Self { hidden, skip: Some(last), output: None, output_bias };
        }
        let skip = architecture.skip.then(|| matrix(n_outputs, n_inputs).0);
        Self { hidden, skip, output: Some(last), output_bias }
    }

    /// Parameters that begin with these numbers.
    pub(super) fn of(weights: &HostWeights, device: &Device) -> Self {
        let Weights::<Base> { hidden, skip, output, output_bias, .. } = Weights::from_host(weights, device);
        let layer = |layer: HiddenLayer| HiddenParams {
            weight: Param::from_tensor(layer.weight),
            bias: Param::from_tensor(layer.bias),
        };
        Self {
            hidden: hidden.into_iter().map(layer).collect(),
            skip: skip.map(Param::from_tensor),
            output: output.map(Param::from_tensor),
            output_bias: Param::from_tensor(output_bias),
        }
    }

    /// The numbers as the plain tensors that [`weightsmith_base_model::predict`] reads.
    pub(super) fn weights<L: Level>(&self, activation: Activation) -> Weights<L> {
        let layer = |layer: &HiddenParams| HiddenLayer { weight: layer.weight.val(), bias: layer.bias.val() };
        Weights {
            hidden: self.hidden.iter().map(layer).collect(),
            skip: self.skip.as_ref().map(Param::val),
            output: self.output.as_ref().map(Param::val),
            output_bias: self.output_bias.val(),
            activation,
            level: PhantomData,
        }
    }

    /// The parameters that no decay reaches.
    pub(super) fn biases(&self) -> Vec<ParamId> {
        self.hidden.iter().map(|layer| layer.bias.id).chain([self.output_bias.id]).collect()
    }
}
