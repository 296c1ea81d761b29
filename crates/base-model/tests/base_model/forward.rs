//! Tensors against the naive loop, and a gradient that must pass through.

use crate::models;
use burn::tensor::{Device, Tensor, TensorData};
use weightsmith_base_model::{
    Activation, Architecture, HiddenLayer, HostLayer, HostWeights, Matrix, Rows, Weights, predict,
};
use weightsmith_tasks::Base;

fn rows(n_rows: usize, n_columns: usize) -> Rows {
    let values = (0..n_rows * n_columns).map(|place| (place as f32 * 0.7).sin() * 3.0).collect();
    Rows { n_rows, n_columns, values }
}

fn on(device: &Device, rows: &Rows) -> Tensor<3> {
    Tensor::from_data(TensorData::new(rows.values.clone(), [1, rows.n_rows, rows.n_columns]), device)
}

fn numbers(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().try_into_vec::<f32>().unwrap()
}

fn architectures() -> Vec<Architecture> {
    let mut all = vec![Architecture::linear(4, 3)];
    for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu] {
        for hidden in [vec![8], vec![5, 6, 3]] {
            for skip in [true, false] {
                all.push(Architecture {
                    n_inputs: 4,
                    hidden: hidden.clone(),
                    n_outputs: 3,
                    activation,
                    skip,
                });
            }
        }
    }
    all
}

#[test]
fn tensors_and_the_naive_loop_agree() {
    let device = Device::flex();
    for (seed, architecture) in architectures().into_iter().enumerate() {
        let host = models::random_weights(&architecture, seed as u64);
        let weights: Weights<Base> = Weights::from_host(&host, &device);
        assert_eq!(
            (weights.architecture(), host.architecture()),
            (architecture.clone(), architecture.clone())
        );
        assert_eq!(weights.to_host(0), host);
        let rows = rows(9, 4);
        let found = predict(&weights, on(&device, &rows));
        assert_eq!(found.dims(), [1, 9, 3]);
        for (found, expected) in numbers(found).into_iter().zip(host.predict(&rows)) {
            // f32 sums of at most 15 terms of size 10 against f64 sums.
            assert!((found - expected).abs() < 1e-5, "{architecture:?}: {found} {expected}");
        }
    }
}

#[test]
fn a_network_small_enough_to_work_out() {
    let host = HostWeights {
        hidden: vec![HostLayer { weight: Matrix::new(2, 1, vec![2.0, -1.0]), bias: vec![-1.0, 0.0] }],
        skip: Some(Matrix::new(1, 1, vec![10.0])),
        output: Some(Matrix::new(1, 2, vec![100.0, 1000.0])),
        output_bias: vec![0.5],
        activation: Activation::Relu,
    };
    // At 3: 0.5 + 30 + 100·5 + 1000·0; at −1: 0.5 − 10 + 100·0 + 1000·1.
    let rows = Rows { n_rows: 2, n_columns: 1, values: vec![3.0, -1.0] };
    assert_eq!(host.predict(&rows), [530.5, 990.5]);
}

#[test]
fn tasks_in_a_batch_do_not_touch() {
    let device = Device::flex();
    let architecture = &architectures()[1];
    let hosts = [models::random_weights(architecture, 1), models::random_weights(architecture, 2)];
    let singles = hosts.clone().map(|host| Weights::<Base>::from_host(&host, &device));
    let pair = |get: &dyn Fn(&Weights) -> Tensor<3>| Tensor::cat(singles.iter().map(get).collect(), 0);
    let pair2 = |get: &dyn Fn(&Weights) -> Tensor<2>| Tensor::cat(singles.iter().map(get).collect(), 0);
    let batch: Weights = Weights {
        hidden: vec![HiddenLayer {
            weight: pair(&|w| w.hidden[0].weight.clone()),
            bias: pair2(&|w| w.hidden[0].bias.clone()),
        }],
        skip: Some(pair(&|w| w.skip.clone().unwrap())),
        output: Some(pair(&|w| w.output.clone().unwrap())),
        output_bias: pair2(&|w| w.output_bias.clone()),
        ..singles[0].clone()
    };
    assert_eq!(batch.n_tasks(), 2);
    let rows = on(&device, &rows(5, 4));
    let both = numbers(predict(&batch, rows.clone().repeat_dim(0, 2)));
    for (task_idx, host) in hosts.iter().enumerate() {
        assert_eq!(batch.to_host(task_idx), *host);
        let alone = numbers(predict(&singles[task_idx], rows.clone()));
        for (found, expected) in both[task_idx * 15..].iter().zip(alone) {
            assert!((found - expected).abs() < 1e-5);
        }
    }
}

#[test]
fn the_gradient_reaches_the_weights() {
    let device = Device::flex().autodiff();
    let architecture = Architecture { activation: Activation::Tanh, ..architectures()[1].clone() };
    let mut host = models::random_weights(&architecture, 4);
    let rows = rows(3, 4);
    let mut weights: Weights = Weights::from_host(&host, &device);
    let leaf = weights.hidden[0].weight.clone().require_grad();
    weights.hidden[0].weight = leaf.clone() * 1.0;
    let gradients = predict(&weights, on(&device, &rows)).sum().backward();
    let gradient = leaf.grad(&gradients).unwrap().into_data().try_into_vec::<f32>().unwrap();
    let step = 1e-2;
    let mut sum_at = |place: usize, shift: f32| -> f64 {
        host.hidden[0].weight.values[place] += shift;
        let sum = host.predict(&rows).iter().map(|value| f64::from(*value)).sum();
        host.hidden[0].weight.values[place] -= shift;
        sum
    };
    for (place, found) in gradient.into_iter().enumerate() {
        let expected = (sum_at(place, step) - sum_at(place, -step)) / f64::from(2.0 * step);
        // Central differences at a step of 0.01 err by some 1e-4 times the third derivative.
        assert!((f64::from(found) - expected).abs() < 1e-2, "{place}: {found} {expected}");
    }
}
