//! L-BFGS on a network.

use super::lbfgs::minimise;
use super::network::Network;
use super::penalty::squared_norm;
use super::rows::RowTensors;
use super::train::{Job, TrainInfo, Watch};
use burn::tensor::{Tensor, TensorData};
use weightsmith_base_model::{HostWeights, Weights, predict};
use weightsmith_tasks::Level;

/// The network that L-BFGS ends in; an epoch is an iteration.
pub(super) fn quasi_newton<L: Level>(job: &Job<'_>, watch: Watch<'_>) -> (HostWeights, TrainInfo) {
    let device = job.device.clone().inner();
    let tracked = device.clone().autodiff();
    let rows = RowTensors::new(&job.begun.problem, job.recipe.weighting, &tracked);
    let architecture = &job.begun.architecture;
    let start = job.begun.weights.clone().unwrap_or_else(|| {
        let network = Network::init(architecture, &mut job.seed.stream("inner.init"), &device);
        network.weights::<L>(architecture.activation).to_host(0)
    });
    let n_rows = job.begun.problem.rows.n_rows as f32;
    let strength = job.recipe.weight_decay / (2.0 * n_rows);
    let objective = |point: &[f64], gradient: &mut [f64]| {
        let numbers: Vec<f32> = point.iter().map(|number| *number as f32).collect();
        let data = TensorData::new(numbers, [1, point.len()]);
        let leaf = Tensor::<2>::from_data(data, &tracked).require_grad();
        let weights = Weights::<L>::from_numbers(&leaf, architecture);
        let penalty = squared_norm(&weights).mul_scalar(strength);
        let outputs = predict(&weights, rows.all.inputs.clone());
        let loss = rows.kind.mean_loss(outputs, &rows.all, job.recipe.label_smoothing) + penalty;
        let gradients = loss.backward();
        let slopes = leaf.grad(&gradients).expect("every number reaches the loss").into_data_as::<f32>();
        let slopes = slopes.try_into_vec::<f32>().expect("the data was converted to f32");
        gradient.iter_mut().zip(slopes).for_each(|(own, slope)| *own = f64::from(slope));
        f64::from(loss.into_scalar::<f32>())
    };
    let host = |point: &[f64]| {
        let numbers: Vec<f32> = point.iter().map(|number| *number as f32).collect();
        let tensor = Tensor::<2>::from_data(TensorData::new(numbers, [1, point.len()]), &device);
        Weights::<L>::from_numbers(&tensor, architecture).to_host(0)
    };
    watch(0, &|| start.clone());
    let mut info = TrainInfo::default();
    let first: Vec<f64> = start.flatten().into_iter().map(f64::from).collect();
    let most = job.recipe.max_steps.unwrap_or(usize::MAX).min(job.recipe.n_epochs);
    let found = minimise(objective, first, most, |point, value| {
        info.n_steps += 1;
        info.epoch_losses.push(value as f32);
        watch(info.n_steps, &|| host(point));
    });
    info.converged = info.n_steps < most;
    (host(&found), info)
}
