//! The one place where the fused operations meet burn: a backend extension whose forward pass runs on slices of the
//! CPU backend and whose gradients are registered with autodiff.

use crate::{attention, cholesky, layer_norm, logistic_head};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

/// Forward passes. Shapes are those of the public functions of the same names.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait FusedOps: Backend {
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        key_mask: FloatTensor<Self>,
        n_heads: usize,
    ) -> FloatTensor<Self>;
    fn fused_cholesky_solve(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
    fn fused_logistic_head(
        curvature: FloatTensor<Self>,
        features: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        row_weights: FloatTensor<Self>,
        precision: FloatTensor<Self>,
        n_steps: usize,
    ) -> FloatTensor<Self>;
}

/// Gradients of the forward passes, one for each parent, given the parents, the output and its gradient.
pub(crate) trait FusedGrads: Backend {
    fn layer_norm_grad(
        parents: &[FloatTensor<Self>; 3],
        output: &FloatTensor<Self>,
        grad: FloatTensor<Self>,
        setting: usize,
    ) -> [FloatTensor<Self>; 3];
    fn attention_grad(
        parents: &[FloatTensor<Self>; 4],
        output: &FloatTensor<Self>,
        grad: FloatTensor<Self>,
        setting: usize,
    ) -> [FloatTensor<Self>; 4];
    fn cholesky_solve_grad(
        parents: &[FloatTensor<Self>; 2],
        output: &FloatTensor<Self>,
        grad: FloatTensor<Self>,
        setting: usize,
    ) -> [FloatTensor<Self>; 2];
    fn logistic_head_grad(
        parents: &[FloatTensor<Self>; 5],
        output: &FloatTensor<Self>,
        grad: FloatTensor<Self>,
        setting: usize,
    ) -> [FloatTensor<Self>; 5];
}

impl FusedOps for Flex {
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        layer_norm::forward(x, gain, bias)
    }
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        key_mask: FloatTensor<Self>,
        n_heads: usize,
    ) -> FloatTensor<Self> {
        attention::forward([query, key, value, key_mask], n_heads)
    }
    fn fused_cholesky_solve(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        cholesky::forward(a, b)
    }
    fn fused_logistic_head(
        curvature: FloatTensor<Self>,
        features: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        row_weights: FloatTensor<Self>,
        precision: FloatTensor<Self>,
        n_steps: usize,
    ) -> FloatTensor<Self> {
        logistic_head::forward([curvature, features, targets, row_weights, precision], n_steps)
    }
}

impl FusedGrads for Flex {
    fn layer_norm_grad(
        parents: &[FloatTensor<Self>; 3],
        _output: &FloatTensor<Self>,
        grad: FloatTensor<Self>,
        _setting: usize,
    ) -> [FloatTensor<Self>; 3] {
        layer_norm::backward(parents, grad)
    }
    fn attention_grad(
        parents: &[FloatTensor<Self>; 4],
        _output: &FloatTensor<Self>,
        grad: FloatTensor<Self>,
        n_heads: usize,
    ) -> [FloatTensor<Self>; 4] {
        attention::backward(parents, grad, n_heads)
    }
    fn cholesky_solve_grad(
        parents: &[FloatTensor<Self>; 2],
        output: &FloatTensor<Self>,
        grad: FloatTensor<Self>,
        _setting: usize,
    ) -> [FloatTensor<Self>; 2] {
        cholesky::backward(parents, output, grad)
    }
    fn logistic_head_grad(
        parents: &[FloatTensor<Self>; 5],
        _output: &FloatTensor<Self>,
        grad: FloatTensor<Self>,
        n_steps: usize,
    ) -> [FloatTensor<Self>; 5] {
        logistic_head::backward(parents, grad, n_steps)
    }
}

/// What a backward pass needs: the parents, the output, and the operation's setting.
type State<B, const N: usize> = ([FloatTensor<B>; N], FloatTensor<B>, usize);

fn register<B: Backend, const N: usize>(
    ops: Ops<State<B, N>, N>,
    grads: &mut Gradients,
    gradient: impl FnOnce(&[FloatTensor<B>; N], &FloatTensor<B>, FloatTensor<B>, usize) -> [FloatTensor<B>; N],
) {
    let grad = grads.consume::<B>(&ops.node);
    let (parents, output, setting) = ops.state;
    let parent_grads = gradient(&parents, &output, grad, setting);
    for (node, parent_grad) in ops.parents.into_iter().zip(parent_grads) {
        if let Some(node) = node {
            grads.register::<B>(node.id, parent_grad);
        }
    }
}

macro_rules! tracked {
    ($name:ident, $n:literal, $grad:ident, [$($parent:ident),+], $setting:expr, $forward:expr) => {{
        #[derive(Debug)]
        struct $name;
        impl<B: Backend + FusedOps + FusedGrads> Backward<B, $n> for $name {
            type State = State<B, $n>;
            fn backward(self, ops: Ops<Self::State, $n>, grads: &mut Gradients, _: &mut Checkpointer) {
                register::<B, $n>(ops, grads, B::$grad);
            }
        }
        let guards = [$($parent.node()),+];
        $(let $parent = $parent.into_primitive();)+
        let parents = [$($parent.clone()),+];
        let output: FloatTensor<B> = $forward;
        match $name.prepare::<C>(guards).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((parents, output.clone(), $setting), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }};
}

impl<B: Backend + FusedOps + FusedGrads, C: CheckpointStrategy> FusedOps for Autodiff<B, C> {
    fn fused_layer_norm(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        tracked!(LayerNorm, 3, layer_norm_grad, [x, gain, bias], 0, B::fused_layer_norm(x, gain, bias))
    }
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        key_mask: FloatTensor<Self>,
        n_heads: usize,
    ) -> FloatTensor<Self> {
        tracked!(
            Attention,
            4,
            attention_grad,
            [query, key, value, key_mask],
            n_heads,
            B::fused_attention(query, key, value, key_mask, n_heads)
        )
    }
    fn fused_cholesky_solve(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        tracked!(CholeskySolve, 2, cholesky_solve_grad, [a, b], 0, B::fused_cholesky_solve(a, b))
    }
    fn fused_logistic_head(
        curvature: FloatTensor<Self>,
        features: FloatTensor<Self>,
        targets: FloatTensor<Self>,
        row_weights: FloatTensor<Self>,
        precision: FloatTensor<Self>,
        n_steps: usize,
    ) -> FloatTensor<Self> {
        tracked!(
            LogisticHead,
            5,
            logistic_head_grad,
            [curvature, features, targets, row_weights, precision],
            n_steps,
            B::fused_logistic_head(curvature, features, targets, row_weights, precision, n_steps)
        )
    }
}
