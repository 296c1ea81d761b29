//! Penalties on the size of weights and on their distance from where they began.

use burn::tensor::Tensor;
use weightsmith_base_model::Weights;
use weightsmith_tasks::Level;

/// ‖W‖² of each network over all weights, without the biases: `[n_tasks]`.
pub(super) fn squared_norm<L: Level>(weights: &Weights<L>) -> Tensor<1> {
    let matrices =
        weights.hidden.iter().map(|layer| &layer.weight).chain(&weights.skip).chain(&weights.output);
    let square = |weight: &Tensor<3>| {
        let [n_tasks, units, inputs] = weight.dims();
        weight.clone().square().reshape([n_tasks, units * inputs]).sum_dim(1).reshape([n_tasks])
    };
    let sum = matrices.map(square).reduce(|sum, square| sum + square);
    sum.expect("a network has a path from inputs to outputs")
}

/// ‖w - w₀‖² of each network over all numbers: `[n_tasks]`.
pub(super) fn squared_distance<L: Level>(weights: &Weights<L>, other: &Weights<L>) -> Tensor<1> {
    let numbers = |weights: &Weights<L>| {
        let flat = |matrix: &Tensor<3>| {
            let [n_tasks, units, inputs] = matrix.dims();
            matrix.clone().reshape([n_tasks, units * inputs])
        };
        let hidden = weights.hidden.iter().flat_map(|layer| [flat(&layer.weight), layer.bias.clone()]);
        let last = weights.skip.iter().chain(&weights.output).map(flat);
        hidden.chain(last).chain([weights.output_bias.clone()]).collect::<Vec<Tensor<2>>>()
    };
    let square = |(own, other): (Tensor<2>, Tensor<2>)| {
        let [n_tasks, _] = own.dims();
        (own - other).square().sum_dim(1).reshape([n_tasks])
    };
    let sum = numbers(weights).into_iter().zip(numbers(other)).map(square).reduce(|sum, square| sum + square);
    sum.expect("a network has an output bias")
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use burn::tensor::TensorData;
    use weightsmith_base_model::{Activation, Architecture};
    use weightsmith_tasks::Base;

    #[test]
    fn penalties_count_every_number_once() {
        let architecture = Architecture {
            n_inputs: 5,
            hidden: vec![4],
            n_outputs: 2,
            activation: Activation::Relu,
            skip: true,
        };
        let n = architecture.n_weights();
        let of = |number: f32| {
            let data = TensorData::new(vec![number; n], [1, n]);
            Weights::<Base>::from_numbers(&Tensor::from_data(data, &testing::device()), &architecture)
        };
        let distance = squared_distance(&of(1.0), &of(3.0)).into_scalar::<f32>();
        assert!((distance - 4.0 * n as f32).abs() < 1e-3, "{distance}");
        // All but the 4 + 2 biases.
        let norm = squared_norm(&of(2.0)).into_scalar::<f32>();
        assert!((norm - 4.0 * (n - 6) as f32).abs() < 1e-3, "{norm}");
    }
}
