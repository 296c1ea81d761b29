//! From a summary to the hidden layer and the settings of the head.

use crate::config::MetamodelConfig;
use crate::encoder::Summary;
use crate::layers::{Attention, Linear, Mlp, Norm};
use crate::params::{Builder, Init};
use crate::units::ClippedRelus;
use burn::tensor::{Tensor, activation};
use weightsmith_tasks::{Level, TaskType};

/// Masked features get this score before the softmax over features.
const MASKED: f32 = -1e9;
/// What a unit sees of itself on the support.
const N_UNIT: usize = 6;
/// Where the logarithm of a clipped ReLU's width starts, and its bounds.
const FIRST_LOG_WIDTH: f32 = 1.0;
const LOG_WIDTH: (f32, f32) = (-3.0, 3.0);

/// What the decoder says about each base model; the head turns it into weights.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The hidden units.
    pub(crate) clipped_relus: ClippedRelus,
    /// Logarithm of each unit's precision, relative to the leave-one-out strength: `[n_tasks, n_units]`.
    pub(crate) unit_log_precision: Tensor<2>,
    /// The same for the skip inputs: `[n_tasks, n_columns]`.
    pub(crate) skip_log_precision: Tensor<2>,
    /// Weights of the rows, mean 1: `[n_tasks, n_rows]`.
    pub(crate) row_weights: Tensor<2>,
    /// Logarithm of the factor on the logits, or of the noise level: `[n_tasks, 1]`.
    pub(crate) log_scale: Tensor<2>,
}

/// Draws clipped ReLUs from unit tokens: a direction is a product of unit and feature tokens plus a weighted sum of the rows
/// themselves (as a step along a gradient would be), both through a gate over the features.
struct Drawing {
    unit_value: Linear,
    feature_value: Linear,
    unit_gate: Linear,
    feature_gate: Linear,
    unit_row: Linear,
    row_value: Linear,
    unit_numbers: Linear,
}

impl Drawing {
    fn new(builder: &mut Builder, config: &MetamodelConfig) -> Self {
        let (d, rank) = (config.d_model, config.rank);
        Self {
            unit_value: Linear::new(builder, "unit_value", d, rank, 1.0),
            feature_value: Linear::new(builder, "feature_value", d, rank, 1.0),
            unit_gate: Linear::new(builder, "unit_gate", d, rank, 1.0),
            feature_gate: Linear::new(builder, "feature_gate", d, rank, 1.0),
            unit_row: Linear::new(builder, "unit_row", d, rank, 1.0),
            row_value: Linear::new(builder, "row_value", d, rank, 1.0),
            unit_numbers: Linear::new(builder, "unit_numbers", d, 2, 0.5),
        }
    }

    fn forward<L: Level>(
        &self,
        units: &Tensor<3>,
        summary: &Summary<L>,
        column_mask: &Tensor<2>,
    ) -> ClippedRelus {
        let [n_tasks, n_units, _] = units.dims();
        let [_, n_rows, n_columns] = summary.values.dims();
        let pair = |of_units: &Linear, of_others: &Linear, others: &Tensor<3>| {
            let others = of_others.forward(others.clone());
            of_units.forward(units.clone()).matmul(others.transpose()) / (of_units.d_out() as f32).sqrt()
        };
        let hidden_features = ((column_mask.clone() - 1.0) * -MASKED).reshape([n_tasks, 1, n_columns]);
        let gates = pair(&self.unit_gate, &self.feature_gate, &summary.features) + hidden_features;
        let of_features = pair(&self.unit_value, &self.feature_value, &summary.features);
        let row_shares = pair(&self.unit_row, &self.row_value, &summary.rows); // [n_tasks, n_units, n_rows]
        let of_rows = row_shares.matmul(summary.values.clone()) / n_rows as f32;
        let numbers = self.unit_numbers.forward(units.clone()); // [n_tasks, n_units, 2]
        let number = |idx| numbers.clone().narrow(2, idx, 1).reshape([n_tasks, n_units]);
        let (low, high) = LOG_WIDTH;
        ClippedRelus {
            directions: (of_features + of_rows) * activation::softmax(gates, 2),
            shifts: number(0),
            widths: (number(1) + FIRST_LOG_WIDTH).clamp(low, high).exp(),
        }
    }
}

/// How units do on the support: each looks at the rows it switches on for, and at how well it tells what a linear
/// model leaves unexplained.
struct Look {
    rows: Linear,
    figures: Linear,
    norm: Norm,
}

impl Look {
    fn new(builder: &mut Builder, d_model: usize) -> Self {
        Self {
            rows: Linear::new(builder, "rows", d_model, d_model, 1.0),
            figures: Linear::new(builder, "figures", N_UNIT, d_model, 1.0),
            norm: Norm::new(builder, "norm", d_model, 0.5),
        }
    }

    /// A change of the unit tokens.
    fn forward<L: Level>(&self, clipped_relus: &ClippedRelus, summary: &Summary<L>) -> Tensor<3> {
        let [n_tasks, n_rows, _] = summary.values.dims();
        let [_, n_units] = clipped_relus.shifts.dims();
        let units = clipped_relus.on(summary.values.clone()).units; // [n_tasks, n_rows, n_units]
        let (active, spread) = (units.mean / units.scale.clone(), units.scale);
        let units = units.values.transpose(); // [n_tasks, n_units, n_rows]
        let message = units.clone().matmul(summary.rows.clone()) / n_rows as f32;

        // Correlations that by chance alone are about 1, whatever the number of rows.
        let contrasts = units.matmul(summary.contrasts.clone()); // [n_tasks, n_units, 2 * n_outputs]
        let [_, _, n_contrasts] = contrasts.dims();
        let square = contrasts.clone() * contrasts;
        let part = |from| square.clone().narrow(2, from * n_contrasts / 2, n_contrasts / 2);
        let level = |x: Tensor<3>| (x + 0.1).log() * 0.5;
        let figures = [part(0), part(1)].into_iter().flat_map(|square| {
            let peak = ((square.clone() * square.clone()).mean_dim(2) + 1e-4).sqrt();
            [level(square.mean_dim(2)), level(peak)]
        });
        let by_unit = |x: Tensor<3>| x.reshape([n_tasks, n_units, 1]);
        let figures = figures.chain([by_unit(active), by_unit(level(spread))]);
        let figures = self.figures.forward(Tensor::cat(figures.collect(), 2));
        self.norm.forward(self.rows.forward(message) + figures)
    }
}

struct Block {
    attention: Attention,
    among_norm: Norm,
    among: Attention,
    mlp: Mlp,
    units_norm: Norm,
    drawing: Drawing,
    look: Look,
}

impl Block {
    fn new(builder: &mut Builder, config: &MetamodelConfig) -> Self {
        let (d, heads) = (config.d_model, config.n_heads);
        Self {
            attention: Attention::new(builder, "attention", d, heads),
            among_norm: Norm::new(builder, "among_norm", d, 1.0),
            among: Attention::new(builder, "among", d, heads),
            mlp: Mlp::new(builder, "mlp", d, 2),
            units_norm: Norm::new(builder, "units_norm", d, 1.0),
            drawing: builder.scope("drawing", |builder| Drawing::new(builder, config)),
            look: builder.scope("look", |builder| Look::new(builder, d)),
        }
    }
}

/// Unit queries that look at the summary, and the maps from tokens to numbers.
///
/// A block ends with clipped ReLUs, drawn and tried on the support; what a unit sees of itself there is what the next block
/// improves on. The last block's clipped ReLUs are the hidden layer.
pub(crate) struct WeightDecoder {
    units: Tensor<2>,
    blocks: Vec<Block>,
    verdict: Mlp,
    units_norm: Norm,
    unit_number: Linear,
    feature_number: Linear,
    row_number: Linear,
    row_weight_range: f32,
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
        let d = config.d_model;
        let skip = first_skip_log_precision(config.task_type);
        Self {
            units: builder.param("units", [config.n_units, d], Init::Normal(1.0)),
            blocks: (0..config.n_decoder_blocks)
                .map(|idx| builder.scope(format!("block.{idx}"), |builder| Block::new(builder, config)))
                .collect(),
            verdict: Mlp::new(builder, "verdict", d, 2),
            units_norm: Norm::new(builder, "units_norm", d, 1.0),
            unit_number: Linear::new(builder, "unit_number", d, 1, 0.5),
            feature_number: Linear::new(builder, "feature_number", d, 1, 0.2),
            row_number: Linear::new(builder, "row_number", d, 1, 0.2),
            global_up: Linear::new(builder, "global_up", d, 2 * d, 1.4),
            global_numbers: Linear::new(builder, "global_numbers", 2 * d, 3, 0.2),
            row_weight_range: config.row_weight_range,
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
        let mut clipped_relus = None;
        for block in &self.blocks {
            units = units.clone() + block.attention.forward(units, others.clone(), mask.clone());
            let seen = block.among_norm.forward(units.clone());
            units = units.clone() + block.among.forward(units, seen, unit_mask.clone());
            units = units.clone() + block.mlp.forward(units);
            let drawn =
                block.drawing.forward(&block.units_norm.forward(units.clone()), summary, &column_mask);
            units = units + block.look.forward(&drawn, summary);
            clipped_relus = Some(drawn);
        }
        let clipped_relus = clipped_relus.expect("a checked configuration has a block");
        units = units.clone() + self.verdict.forward(units);
        let units = self.units_norm.forward(units); // [n_tasks, n_units, d_model]

        let unit_number = self.unit_number.forward(units).reshape([n_tasks, n_units]);
        let feature_number =
            self.feature_number.forward(summary.features.clone()).reshape([n_tasks, n_columns]);
        let row_number = self.row_number.forward(summary.rows.clone()).reshape([n_tasks, n_rows]);
        let pooled = summary.registers.clone().mean_dim(1); // [n_tasks, 1, d_model]
        let global = self.global_numbers.forward(activation::relu(self.global_up.forward(pooled)));
        let global = |idx| global.clone().narrow(2, idx, 1).reshape([n_tasks, 1]);

        let row_weights =
            (activation::tanh(row_number / self.row_weight_range) * self.row_weight_range).exp();
        Plan {
            clipped_relus,
            unit_log_precision: unit_number * 2.0 + global(0) * 2.0 + self.first.unit,
            skip_log_precision: feature_number * 2.0 + global(1) * 2.0 + self.first.skip,
            row_weights: row_weights.clone() / row_weights.mean_dim(1),
            log_scale: global(2),
        }
    }
}
