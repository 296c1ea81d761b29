//! From support rows to a summary: messages both ways over the table.

use crate::config::{MetamodelConfig, N_CLASS_EMBEDDINGS};
use crate::figures::{N_CELL, N_COLUMN, N_GLOBAL, N_ROW};
use crate::layers::{Attention, Linear, Mlp, Norm};
use crate::params::{Builder, Init};
use crate::support::SupportBatch;
use burn::tensor::Tensor;
use std::marker::PhantomData;
use weightsmith_tasks::{Base, Level};

/// What the encoder makes of the support rows.
#[derive(Clone, Debug)]
pub struct Summary<L: Level = Base> {
    /// `[n_tasks, n_rows, d_model]`.
    pub(crate) rows: Tensor<3>,
    /// `[n_tasks, n_columns, d_model]`.
    pub(crate) features: Tensor<3>,
    /// `[n_tasks, n_registers, d_model]`.
    pub(crate) registers: Tensor<3>,
    /// The encoded rows themselves, `[n_tasks, n_rows, n_columns]`.
    pub(crate) values: Tensor<3>,
    /// What hidden units are held against, `[n_tasks, n_rows, 2 * n_outputs]`.
    pub(crate) contrasts: Tensor<3>,
    pub(crate) level: PhantomData<L>,
}

/// The tokens between two layers.
struct State {
    rows: Tensor<3>,
    features: Tensor<3>,
    registers: Tensor<3>,
}

/// Row, feature and register tokens and the layers between them.
///
/// A layer carries messages from features to rows over the cells of the table, lets registers look at everything
/// and rows at the registers, carries messages from rows to features, and lets features look at each other: n + d
/// tokens, and no pair of rows is ever compared directly. Equivariant to rows and columns.
pub(crate) struct SummaryEncoder {
    label: Linear,
    row_figures: Linear,
    column_figures: Linear,
    global_figures: Linear,
    registers: Tensor<2>,
    layers: Vec<Layer>,
    rows_norm: Norm,
    features_norm: Norm,
    registers_norm: Norm,
}

struct Layer {
    to_rows: Linear,
    to_rows_norm: Norm,
    others_norm: Norm,
    register_attention: Attention,
    register_mlp: Mlp,
    registers_norm: Norm,
    row_attention: Attention,
    row_mlp: Mlp,
    to_features: Linear,
    to_features_norm: Norm,
    features_norm: Norm,
    feature_attention: Attention,
    feature_mlp: Mlp,
}

impl Layer {
    fn new(builder: &mut Builder, config: &MetamodelConfig) -> Self {
        let (d, heads) = (config.d_model, config.n_heads);
        Self {
            to_rows: Linear::new(builder, "to_rows", d, d * N_CELL, 1.0),
            to_rows_norm: Norm::new(builder, "to_rows_norm", d, 0.5),
            others_norm: Norm::new(builder, "others_norm", d, 1.0),
            register_attention: Attention::new(builder, "register_attention", d, heads),
            register_mlp: Mlp::new(builder, "register_mlp", d, 4),
            registers_norm: Norm::new(builder, "registers_norm", d, 1.0),
            row_attention: Attention::new(builder, "row_attention", d, heads),
            row_mlp: Mlp::new(builder, "row_mlp", d, 2),
            to_features: Linear::new(builder, "to_features", d * N_CELL, d, 1.0),
            to_features_norm: Norm::new(builder, "to_features_norm", d, 0.5),
            features_norm: Norm::new(builder, "features_norm", d, 1.0),
            feature_attention: Attention::new(builder, "feature_attention", d, heads),
            feature_mlp: Mlp::new(builder, "feature_mlp", d, 4),
        }
    }

    fn forward<L: Level>(&self, batch: &SupportBatch<L>, state: State) -> State {
        let State { mut rows, mut features, mut registers } = state;
        let [n_tasks, n_rows, n_columns] = batch.dims();
        let [_, n_registers, d_model] = registers.dims();
        let device = rows.device();
        let row_mask = Tensor::<2>::ones([n_tasks, n_rows], &device);
        let register_mask = Tensor::<2>::ones([n_tasks, n_registers], &device);

        let values = self.to_rows.forward(features.clone()); // [n_tasks, n_columns, N_CELL * d_model]
        let values = values.reshape([n_tasks, n_columns * N_CELL, d_model]);
        let message = batch.cells.clone().matmul(values) / (n_columns as f32 * N_CELL as f32).sqrt();
        rows = rows + self.to_rows_norm.forward(message);

        let others = self.others_norm.forward(Tensor::cat(vec![rows.clone(), features.clone()], 1));
        let mask = Tensor::cat(vec![row_mask, batch.head.column_mask.clone()], 1);
        registers = registers.clone() + self.register_attention.forward(registers, others, mask);
        registers = registers.clone() + self.register_mlp.forward(registers);
        let seen = self.registers_norm.forward(registers.clone());
        rows = rows.clone() + self.row_attention.forward(rows, seen.clone(), register_mask.clone());
        rows = rows.clone() + self.row_mlp.forward(rows);

        let message = batch.cells_by_column.clone().matmul(rows.clone()) / n_rows as f32;
        let message = self.to_features.forward(message.reshape([n_tasks, n_columns, N_CELL * d_model]));
        features = features + self.to_features_norm.forward(message);
        let others = Tensor::cat(vec![self.features_norm.forward(features.clone()), seen], 1);
        let mask = Tensor::cat(vec![batch.head.column_mask.clone(), register_mask], 1);
        features = features.clone() + self.feature_attention.forward(features, others, mask);
        features = features.clone() + self.feature_mlp.forward(features);
        State { rows, features, registers }
    }
}

impl SummaryEncoder {
    pub(crate) fn new(builder: &mut Builder, config: &MetamodelConfig) -> Self {
        let d = config.d_model;
        Self {
            label: Linear::new(builder, "label", N_CLASS_EMBEDDINGS, d, 1.5),
            row_figures: Linear::new(builder, "row_figures", N_ROW, d, 0.7),
            column_figures: Linear::new(builder, "column_figures", N_COLUMN, d, 1.0),
            global_figures: Linear::new(builder, "global_figures", N_GLOBAL, d, 1.0),
            registers: builder.param("registers", [config.n_registers, d], Init::Normal(1.0)),
            layers: (0..config.n_layers)
                .map(|idx| builder.scope(format!("layer.{idx}"), |builder| Layer::new(builder, config)))
                .collect(),
            rows_norm: Norm::new(builder, "rows_norm", d, 1.0),
            features_norm: Norm::new(builder, "features_norm", d, 1.0),
            registers_norm: Norm::new(builder, "registers_norm", d, 1.0),
        }
    }

    pub(crate) fn forward<L: Level>(&self, batch: &SupportBatch<L>) -> Summary<L> {
        let global = self.global_figures.forward(batch.globals.clone()); // [n_tasks, 1, d_model]
        let rows = self.label.forward(batch.label_figures.clone())
            + self.row_figures.forward(batch.row_figures.clone()); // [n_tasks, n_rows, d_model]
        let features = self.column_figures.forward(batch.column_figures.clone()) + global.clone();
        let registers = self.registers.clone().unsqueeze::<3>() + global; // [n_tasks, n_registers, d_model]
        let mut state = State { rows, features, registers };
        for layer in &self.layers {
            state = layer.forward(batch, state);
        }
        Summary {
            rows: self.rows_norm.forward(state.rows),
            features: self.features_norm.forward(state.features),
            registers: self.registers_norm.forward(state.registers),
            values: batch.head.rows.clone(),
            contrasts: batch.contrasts.clone(),
            level: PhantomData,
        }
    }
}
