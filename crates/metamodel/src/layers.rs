//! The few layers that encoder and decoder are made of.

use crate::params::{Builder, Init};
use burn::tensor::{Tensor, activation};
use weightsmith_kernels::{attention, layer_norm};

/// `x W + b` over the last dimension.
pub(crate) struct Linear {
    weight: Tensor<2>,
    bias: Tensor<1>,
}

impl Linear {
    /// A map drawn with standard deviation `scale / √d_in`, and no bias.
    pub(crate) fn new(builder: &mut Builder, name: &str, d_in: usize, d_out: usize, scale: f32) -> Self {
        builder.scope(name, |builder| Self {
            weight: builder.param("weight", [d_in, d_out], Init::Normal(scale / (d_in as f32).sqrt())),
            bias: builder.param("bias", [d_out], Init::Constant(0.0)),
        })
    }

    /// Width of the result.
    pub(crate) fn d_out(&self) -> usize {
        self.weight.dims()[1]
    }

    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [n_tasks, n_tokens, d_in] = x.dims();
        let d_out = self.d_out();
        let y =
            x.reshape([n_tasks * n_tokens, d_in]).matmul(self.weight.clone()) + self.bias.clone().unsqueeze();
        y.reshape([n_tasks, n_tokens, d_out])
    }
}

/// Layer normalisation with gain and bias.
pub(crate) struct Norm {
    gain: Tensor<1>,
    bias: Tensor<1>,
}

impl Norm {
    pub(crate) fn new(builder: &mut Builder, name: &str, d_model: usize, gain: f32) -> Self {
        builder.scope(name, |builder| Self {
            gain: builder.param("gain", [d_model], Init::Constant(gain)),
            bias: builder.param("bias", [d_model], Init::Constant(0.0)),
        })
    }

    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        layer_norm(x, self.gain.clone(), self.bias.clone())
    }
}

/// Pre-normalised attention from one set of tokens to another, as a change to be added.
pub(crate) struct Attention {
    norm: Norm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    n_heads: usize,
}

impl Attention {
    pub(crate) fn new(builder: &mut Builder, name: &str, d_model: usize, n_heads: usize) -> Self {
        builder.scope(name, |builder| Self {
            norm: Norm::new(builder, "norm", d_model, 1.0),
            query: Linear::new(builder, "query", d_model, d_model, 1.0),
            key: Linear::new(builder, "key", d_model, d_model, 1.0),
            value: Linear::new(builder, "value", d_model, d_model, 1.0),
            output: Linear::new(builder, "output", d_model, d_model, 0.5),
            n_heads,
        })
    }

    /// `tokens` look at `others` (already normalised), of which those with mask 0 are not seen.
    pub(crate) fn forward(&self, tokens: Tensor<3>, others: Tensor<3>, mask: Tensor<2>) -> Tensor<3> {
        let query = self.query.forward(self.norm.forward(tokens));
        let (key, value) = (self.key.forward(others.clone()), self.value.forward(others));
        self.output.forward(attention(query, key, value, mask, self.n_heads))
    }
}

/// Pre-normalised two-layer perceptron, as a change to be added.
pub(crate) struct Mlp {
    norm: Norm,
    up: Linear,
    down: Linear,
}

impl Mlp {
    pub(crate) fn new(builder: &mut Builder, name: &str, d_model: usize, expansion: usize) -> Self {
        builder.scope(name, |builder| Self {
            norm: Norm::new(builder, "norm", d_model, 1.0),
            up: Linear::new(builder, "up", d_model, d_model * expansion, 1.4),
            down: Linear::new(builder, "down", d_model * expansion, d_model, 0.5),
        })
    }

    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.down.forward(activation::relu(self.up.forward(self.norm.forward(x))))
    }
}
