//! From a summary to the hidden layer and the settings of the head.

use crate::config::MetamodelConfig;
use crate::encoder::Summary;
use crate::layers::{Attention, Linear, Mlp, Norm};
use crate::params::{Builder, Init};
use burn::tensor::{Tensor, activation};
use weightsmith_tasks::{Level, TaskType};

/// Masked features get this score before the softmax over features.
const MASKED: f32 = -1e9;

/// What the decoder says about each base model; the head turns it into weights.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Directions of the hidden units, of any length: `[n_tasks, n_units, n_columns]`.
    pub(crate) directions: Tensor<3>,
    /// Shift of each standardised pre-activation: `[n_tasks, n_units]`.
    pub(crate) shifts: Tensor<2>,
    /// Logarithm of each unit's precision, relative to the leave-one-out strength: `[n_tasks, n_units]`.
    pub(crate) unit_log_precision: Tensor<2>,
    /// The same for the skip inputs: `[n_tasks, n_columns]`.
    pub(crate) skip_log_precision: Tensor<2>,
    /// Weights of the rows, mean 1: `[n_tasks, n_rows]`.
    pub(crate) row_weights: Tensor<2>,
    /// Logarithm of the factor on the logits, or of the noise level: `[n_tasks, 1]`.
    pub(crate) log_scale: Tensor<2>,
}

struct Block {
    attention: Attention,
    among_norm: Norm,
    among: Attention,
    mlp: Mlp,
}

/// Unit queries that look at the summary, and the maps from tokens to numbers.
pub(crate) struct WeightDecoder {
    units: Tensor<2>,
    blocks: Vec<Block>,
    units_norm: Norm,
    unit_value: Linear,
    feature_value: Linear,
    unit_gate: Linear,
    feature_gate: Linear,
    unit_numbers: Linear,
    feature_number: Linear,
    row_number: Linear,
    global_up: Linear,
    global_numbers: Linear,
    first: FirstStrengths,
}

/// Where the logarithms of the precisions start, relative to the leave-one-out ridge strength.
struct FirstStrengths {
    unit: f32,
    skip: f32,
}

/// Where the precision of the skip inputs starts: a logistic fit has a fourth of the curvature of a ridge fit.
pub(crate) fn first_skip_log_precision(task_type: TaskType) -> f32 {
    match task_type {
        TaskType::Classification => -1.4,
        TaskType::Regression => 0.0,
    }
}

impl WeightDecoder {
    pub(crate) fn new(builder: &mut Builder, config: &MetamodelConfig) -> Self {
        let (d, rank) = (config.d_model, config.rank);
        let skip = first_skip_log_precision(config.task_type);
        Self {
            units: builder.param("units", [config.n_units, d], Init::Normal(1.0)),
            blocks: (0..config.n_decoder_blocks)
                .map(|idx| {
                    builder.scope(format!("block.{idx}"), |builder| Block {
                        attention: Attention::new(builder, "attention", d, config.n_heads),
                        among_norm: Norm::new(builder, "among_norm", d, 1.0),
                        among: Attention::new(builder, "among", d, config.n_heads),
                        mlp: Mlp::new(builder, "mlp", d, 2),
                    })
                })
                .collect(),
            units_norm: Norm::new(builder, "units_norm", d, 1.0),
            unit_value: Linear::new(builder, "unit_value", d, rank, 1.0),
            feature_value: Linear::new(builder, "feature_value", d, rank, 1.0),
            unit_gate: Linear::new(builder, "unit_gate", d, rank, 1.0),
            feature_gate: Linear::new(builder, "feature_gate", d, rank, 1.0),
            unit_numbers: Linear::new(builder, "unit_numbers", d, 2, 0.5),
            feature_number: Linear::new(builder, "feature_number", d, 1, 0.2),
            row_number: Linear::new(builder, "row_number", d, 1, 0.2),
            global_up: Linear::new(builder, "global_up", d, 2 * d, 1.4),
            global_numbers: Linear::new(builder, "global_numbers", 2 * d, 3, 0.2),
            // Hidden units start held back.
            first: FirstStrengths { unit: skip + 1.5, skip },
        }
    }

    pub(crate) fn forward<L: Level>(&self, summary: &Summary<L>, column_mask: Tensor<2>) -> Plan {
        let [n_tasks, n_columns, d_model] = summary.features.dims();
        let [_, n_rows, _] = summary.rows.dims();
        let [_, n_registers, _] = summary.registers.dims();
        let [n_units, _] = self.units.dims();
        let device = summary.features.device();

        let others = Tensor::cat(vec![summary.features.clone(), summary.registers.clone()], 1);
        let register_mask = Tensor::<2>::ones([n_tasks, n_registers], &device);
        let mask = Tensor::cat(vec![column_mask.clone(), register_mask], 1);
        let unit_mask = Tensor::<2>::ones([n_tasks, n_units], &device);
        let mut units = self.units.clone().unsqueeze::<3>().expand([n_tasks, n_units, d_model]);
        for block in &self.blocks {
            units = units.clone() + block.attention.forward(units, others.clone(), mask.clone());
            let seen = block.among_norm.forward(units.clone());
            units = units.clone() + block.among.forward(units, seen, unit_mask.clone());
            units = units.clone() + block.mlp.forward(units);
        }
        let units = self.units_norm.forward(units); // [n_tasks, n_units, d_model]

        let rank_scale = |x: &Linear| -> f32 { 1.0 / (x.d_out() as f32).sqrt() };
        let features = summary.features.clone();
        let pair = |of_units: &Linear, of_features: &Linear| {
            let products =
                of_units.forward(units.clone()).matmul(of_features.forward(features.clone()).transpose());
            products * rank_scale(of_units) // [n_tasks, n_units, n_columns]
        };
        let hidden_features = (column_mask.clone() - 1.0) * -MASKED;
        let gates =
            pair(&self.unit_gate, &self.feature_gate) + hidden_features.reshape([n_tasks, 1, n_columns]);
        let directions = pair(&self.unit_value, &self.feature_value) * activation::softmax(gates, 2);

        let unit_numbers = self.unit_numbers.forward(units); // [n_tasks, n_units, 2]
        let unit_number = |idx| unit_numbers.clone().narrow(2, idx, 1).reshape([n_tasks, n_units]);
        let feature_number = self.feature_number.forward(features).reshape([n_tasks, n_columns]);
        let row_number = self.row_number.forward(summary.rows.clone()).reshape([n_tasks, n_rows]);
        let pooled = summary.registers.clone().mean_dim(1); // [n_tasks, 1, d_model]
        let global = self.global_numbers.forward(activation::relu(self.global_up.forward(pooled)));
        let global = |idx| global.clone().narrow(2, idx, 1).reshape([n_tasks, 1]);

        let row_weights = activation::tanh(row_number).exp();
        Plan {
            directions,
            shifts: unit_number(0),
            unit_log_precision: unit_number(1) * 2.0 + global(0) * 2.0 + self.first.unit,
            skip_log_precision: feature_number * 2.0 + global(1) * 2.0 + self.first.skip,
            row_weights: row_weights.clone() / row_weights.mean_dim(1),
            log_scale: global(2),
        }
    }
}
