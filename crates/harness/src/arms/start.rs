//! Weights that a training starts from.

use super::ArmError;
use burn::tensor::Device;
use weightsmith_base_model::{BaseModel, HostWeights, Matrix};
use weightsmith_tasks::{Seed, Support};
use weightsmith_training::{Recipe, train_base_model};

/// Weights that a training starts from.
#[derive(Clone, Debug)]
pub enum StartWeights {
    /// Those of a base model, which knows how to read rows.
    Model(Box<BaseModel>),
    /// Numbers alone. The inputs are taken to be the columns of the encoding that is fitted on the support, the outputs
    /// the classes in ascending order (or the second of two), or the value.
    Bare(HostWeights),
}

impl StartWeights {
    /// The base model that these are for a support.
    pub(super) fn model(&self, support: &Support) -> Result<BaseModel, ArmError> {
        let weights = match self {
            Self::Model(model) => return Ok(BaseModel::clone(model)),
            Self::Bare(weights) => weights,
        };
        let mut model = fit_linear_like(support)?;
        let (found, wanted) = (weights.architecture(), model.architecture.clone());
        let one_of_two = found.n_outputs == 1 && wanted.n_outputs == 2;
        if found.n_inputs != wanted.n_inputs || found.n_outputs != wanted.n_outputs && !one_of_two {
            return Err(ArmError::OtherShape {
                n_inputs: found.n_inputs,
                n_outputs: found.n_outputs,
                n_columns: wanted.n_inputs,
                n_wanted: wanted.n_outputs,
            });
        }
        model.weights = if one_of_two { both_outputs(weights) } else { weights.clone() };
        model.architecture = model.weights.architecture();
        Ok(model)
    }
}

/// A base model of this support's encoding and classes; its numbers are to be replaced.
fn fit_linear_like(support: &Support) -> Result<BaseModel, ArmError> {
    let weightless = Recipe { hidden: Vec::new(), skip: true, n_epochs: 1, ..Recipe::default() };
    Ok(train_base_model(support, &weightless, Seed(0), &Device::flex())?.model)
}

/// The logit of the second of two classes as two outputs.
fn both_outputs(weights: &HostWeights) -> HostWeights {
    let both = |matrix: &Matrix| {
        let halves = [-0.5, 0.5].iter().flat_map(|half| matrix.values.iter().map(move |value| half * value));
        Matrix::new(2, matrix.n_columns, halves.collect())
    };
    let bias = weights.output_bias[0];
    HostWeights {
        skip: weights.skip.as_ref().map(both),
        output: weights.output.as_ref().map(both),
        output_bias: vec![-0.5 * bias, 0.5 * bias],
        ..weights.clone()
    }
}
