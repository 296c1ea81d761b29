//! The support's rows on a device, and the loss of outputs on them.

use super::Weighting;
use super::problem::{Labels, Problem};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use rand::Rng;
use rand::seq::SliceRandom;

/// A value counts as right within this many standard deviations of the support rows' target.
pub const RIGHT_WITHIN: f32 = 0.5;

/// How outputs are compared with what is wanted.
#[derive(Copy, Clone, Debug)]
pub(super) enum LossKind {
    Logistic,
    Softmax,
    Squared,
}

impl LossKind {
    /// The mean loss of each network, each row by its weight.
    ///
    /// # Shapes
    /// `outputs` is `[n_tasks, n_rows, n_outputs]`; the rows' tensors too, or with 1 in place of `n_tasks`, or
    /// `[1, n_rows, 1]` for the weights; the result is `[n_tasks]`.
    pub(super) fn mean_loss(self, outputs: Tensor<3>, rows: &Batch, smoothing: f32) -> Tensor<1> {
        let [n_tasks, n_rows, n_outputs] = outputs.dims();
        let wanted = rows.wanted.clone();
        let (each, factor) = match self {
            Self::Logistic => {
                let margins = outputs * wanted;
                let right = activation::log_sigmoid(margins.clone());
                let each = if smoothing > 0.0 {
                    right * (1.0 - smoothing / 2.0) + activation::log_sigmoid(-margins) * (smoothing / 2.0)
                } else {
                    right
                };
                (each, -1.0)
            }
            Self::Softmax => {
                let wanted = if smoothing > 0.0 {
                    wanted * (1.0 - smoothing) + smoothing / n_outputs as f32
                } else {
                    wanted
                };
                (activation::log_softmax(outputs, 2) * wanted, -1.0)
            }
            Self::Squared => ((outputs - wanted).square(), 0.5),
        };
        let each = match &rows.weights {
            Some(weights) => each * weights.clone(),
            None => each,
        };
        each.reshape([n_tasks, n_rows * n_outputs])
            .sum_dim(1)
            .reshape([n_tasks])
            .mul_scalar(factor / n_rows as f32)
    }

    /// How many rows each network gets right: the most probable class, or a value within half a standard deviation.
    ///
    /// # Shapes
    /// As [`LossKind::mean_loss`].
    pub(super) fn n_right(self, outputs: Tensor<3>, wanted: Tensor<3>) -> Tensor<1> {
        let [n_tasks, n_rows, _] = outputs.dims();
        let right = match self {
            Self::Logistic => (outputs * wanted).greater_elem(0.0), // [n_tasks, n_rows, 1]
            Self::Squared => (outputs - wanted).abs().lower_equal_elem(RIGHT_WITHIN),
            Self::Softmax => {
                let own = (outputs.clone() * wanted).sum_dim(2); // [n_tasks, n_rows, 1]
                outputs.max_dim(2).lower_equal(own)
            }
        };
        right.float().reshape([n_tasks, n_rows]).sum_dim(1).reshape([n_tasks])
    }
}

/// Inputs `[1, n_rows, n_inputs]`, what is wanted of them, `[1, n_rows, n_outputs]`, and how much each counts,
/// `[1, n_rows, 1]`, if not all the same.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) inputs: Tensor<3>,
    pub(super) wanted: Tensor<3>,
    pub(super) weights: Option<Tensor<3>>,
}

/// All rows on the device.
pub(super) struct RowTensors {
    pub(super) all: Batch,
    pub(super) kind: LossKind,
}

impl RowTensors {
    pub(super) fn new(problem: &Problem, weighting: Weighting, device: &Device) -> Self {
        let (n_rows, n_outputs) = (problem.rows.n_rows, problem.labels.n_outputs());
        let tensor = |values: Vec<f32>, width: usize| {
            Tensor::<3>::from_data(TensorData::new(values, [1, n_rows, width]), device)
        };
        let (kind, wanted) = match &problem.labels {
            Labels::Binary { signs, .. } => (LossKind::Logistic, signs.clone()),
            Labels::Values { standardised, .. } => (LossKind::Squared, standardised.clone()),
            Labels::Classes { labels, .. } => {
                let mut one_hot = vec![0.0; n_rows * n_outputs];
                labels.iter().enumerate().for_each(|(row, label)| one_hot[row * n_outputs + label] = 1.0);
                (LossKind::Softmax, one_hot)
            }
        };
        let inputs = tensor(problem.rows.values.clone(), problem.rows.n_columns);
        let weights = match weighting {
            Weighting::Rows => None,
            Weighting::Classes => problem.labels.balanced().map(|weights| tensor(weights, 1)),
        };
        Self { all: Batch { inputs, wanted: tensor(wanted, n_outputs), weights }, kind }
    }

    /// The rows of one epoch in a new random order, the last batch as large as what is left; or all at once.
    pub(super) fn batches(&self, batch_size: usize, random: &mut impl Rng) -> Vec<Batch> {
        let (inputs, wanted) = (&self.all.inputs, &self.all.wanted);
        let [_, n_rows, _] = inputs.dims();
        if batch_size == n_rows {
            return vec![self.all.clone()];
        }
        let mut order: Vec<i64> = (0..n_rows as i64).collect();
        order.shuffle(random);
        let pick = |rows: &[i64]| {
            let places = TensorData::new(rows.to_vec(), [rows.len()]);
            let places = Tensor::<1, Int>::from_data(places, &inputs.device());
            Batch {
                inputs: inputs.clone().select(1, places.clone()),
                wanted: wanted.clone().select(1, places.clone()),
                weights: self.all.weights.as_ref().map(|weights| weights.clone().select(1, places)),
            }
        };
        order.chunks(batch_size).map(pick).collect()
    }
}
