//! All numbers of a network in one row, as minimisers and pictures of the loss want them: the hidden layers from the inputs
//! on, weight before bias, then the direct path, the last layer and its bias.

use crate::architecture::Architecture;
use crate::host_weights::HostWeights;
use crate::weights::{HiddenLayer, Weights};
use burn::tensor::Tensor;
use std::marker::PhantomData;
use weightsmith_tasks::Level;

impl<L: Level> Weights<L> {
    /// The weights of every row of `numbers`, in the order of [`HostWeights::flatten`].
    ///
    /// # Shapes
    /// `numbers` is `[n_tasks, n_numbers]`.
    ///
    /// # Panics
    /// If a row does not have as many numbers as the architecture.
    pub fn from_numbers(numbers: &Tensor<2>, architecture: &Architecture) -> Self {
        let [n_tasks, n_numbers] = numbers.dims();
        assert_eq!(n_numbers, architecture.n_weights(), "a number for each place of the network");
        let mut from = 0;
        let mut vector = |length: usize| {
            let part = numbers.clone().narrow(1, from, length);
            from += length;
            part // [n_tasks, length]
        };
        let shape = |part: Tensor<2>, units: usize, inputs: usize| part.reshape([n_tasks, units, inputs]);
        let mut hidden = Vec::with_capacity(architecture.hidden.len());
        let mut width = architecture.n_inputs;
        for &units in &architecture.hidden {
            let weight = shape(vector(units * width), units, width);
            hidden.push(HiddenLayer { weight, bias: vector(units) });
            width = units;
        }
        let (n_inputs, n_outputs) = (architecture.n_inputs, architecture.n_outputs);
        let skip = architecture.skip.then(|| shape(vector(n_outputs * n_inputs), n_outputs, n_inputs));
        let has_units = !architecture.hidden.is_empty();
        let output = has_units.then(|| shape(vector(n_outputs * width), n_outputs, width));
        let output_bias = vector(n_outputs);
        let activation = architecture.activation;
        Self { hidden, skip, output, output_bias, activation, level: PhantomData }
    }
}

impl HostWeights {
    /// All numbers in one row: the hidden layers from the inputs on, weight before bias, then the direct path, the last
    /// layer and its bias.
    pub fn flatten(&self) -> Vec<f32> {
        let hidden = self.hidden.iter().flat_map(|layer| [&layer.weight.values, &layer.bias]);
        let last = self.skip.iter().chain(&self.output).map(|matrix| &matrix.values);
        hidden.chain(last).chain([&self.output_bias]).flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Activation;
    use burn::tensor::{Device, TensorData};
    use weightsmith_tasks::Base;

    #[test]
    fn numbers_come_back_as_they_went() {
        for (hidden, skip) in [(vec![], true), (vec![4], false), (vec![4, 3], true)] {
            let architecture =
                Architecture { n_inputs: 5, hidden, n_outputs: 2, activation: Activation::Tanh, skip };
            let n = architecture.n_weights();
            let numbers: Vec<f32> = (0..2 * n).map(|place| place as f32).collect();
            let tensor = Tensor::<2>::from_data(TensorData::new(numbers, [2, n]), &Device::flex());
            let weights = Weights::<Base>::from_numbers(&tensor, &architecture);
            assert_eq!(weights.architecture(), architecture);
            let second = weights.to_host(1).flatten();
            assert_eq!(second, (n..2 * n).map(|place| place as f32).collect::<Vec<f32>>());
        }
    }
}
