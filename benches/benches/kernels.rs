//! Claim: each fused operation beats its reference in plain tensor operations on the CPU, forward alone and with the
//! gradient.

use burn::tensor::{Device, Tensor};
use criterion::Criterion;
use weightsmith_benches::{criterion, numbers};
use weightsmith_kernels::{
    attention, attention_reference, cholesky_solve, cholesky_solve_reference, layer_norm,
    layer_norm_reference, logistic_head, logistic_head_reference,
};

const N_TASKS: usize = 8;

/// Times an operation of one tensor, forward alone and with the gradient of the sum of its squares.
fn compare(
    criterion: &mut Criterion,
    name: &str,
    input: &Tensor<3>,
    versions: [(&str, &dyn Fn(Tensor<3>) -> Tensor<3>); 2],
) {
    for (version, operation) in versions {
        criterion.bench_function(&format!("fused beats composed: {name}/forward/{version}"), |bencher| {
            bencher.iter(|| operation(input.clone()).into_data());
        });
        let data = input.clone().into_data();
        let device = Device::flex().autodiff();
        criterion.bench_function(&format!("fused beats composed: {name}/gradient/{version}"), |bencher| {
            bencher.iter(|| {
                let leaf = Tensor::<3>::from_data(data.clone(), &device).require_grad();
                let output = operation(leaf.clone());
                let grads = (output.clone() * output).sum().backward();
                leaf.grad(&grads).map(|grad| grad.into_data())
            });
        });
    }
}

/// `g gᵀ / p + I / 10`, well conditioned.
fn system(g: &Tensor<3>) -> Tensor<3> {
    let [_, p, _] = g.dims();
    let identity = Tensor::<2>::eye(p, &g.device()).unsqueeze::<3>();
    g.clone().matmul(g.clone().transpose()) / p as f32 + identity * 0.1
}

fn cholesky(criterion: &mut Criterion) {
    for (p, m) in [(17, 2), (81, 1)] {
        let a = system(&numbers("a", [N_TASKS, p, p], &Device::flex()));
        let b = numbers("b", [N_TASKS, p, m], &Device::flex());
        let on = |x: &Tensor<3>| Tensor::from_data(b.clone().into_data(), &x.device());
        let fused = |a: Tensor<3>| cholesky_solve(a.clone(), on(&a));
        let reference = |a: Tensor<3>| cholesky_solve_reference(a.clone(), on(&a));
        compare(
            criterion,
            &format!("cholesky_solve {N_TASKS}x{p}x{p}, {m} sides"),
            &a,
            [("fused", &fused), ("reference", &reference)],
        );
    }
}

fn logistic(criterion: &mut Criterion) {
    // 64 units, 16 inputs and the intercept, as the shipped classifier solves them.
    let (n_rows, p, n_classes, n_steps) = (128, 81, 2, 12);
    let features = numbers("features", [N_TASKS, n_rows, p], &Device::flex());
    let inputs = |x: &Tensor<3>| {
        let device = x.device();
        let labels = numbers("labels", [N_TASKS, n_rows, n_classes], &device);
        let highest = labels.clone().max_dim(2);
        let targets = labels.greater_equal(highest).float();
        let precision = Tensor::<2>::ones([N_TASKS, p], &device);
        let identity = Tensor::<2>::eye(p, &device).unsqueeze::<3>();
        let curvature = x.clone().transpose().matmul(x.clone()) * 0.5 + identity;
        (curvature, targets, Tensor::<2>::ones([N_TASKS, n_rows], &device), precision)
    };
    let fused = |x: Tensor<3>| {
        let (curvature, targets, row_weights, precision) = inputs(&x);
        logistic_head(curvature, x, targets, row_weights, precision, n_steps)
    };
    let reference = |x: Tensor<3>| {
        let (curvature, targets, row_weights, precision) = inputs(&x);
        logistic_head_reference(curvature, x, targets, row_weights, precision, n_steps)
    };
    let name = format!("logistic_head {N_TASKS}x{n_rows}x{p}, {n_classes} classes, {n_steps} steps");
    compare(criterion, &name, &features, [("fused", &fused), ("reference", &reference)]);
}

fn attending(criterion: &mut Criterion) {
    let (n_tokens, d_model, n_heads) = (128, 64, 4);
    let tokens = numbers("tokens", [N_TASKS, n_tokens, d_model], &Device::flex());
    let mask = |x: &Tensor<3>| Tensor::<2>::ones([N_TASKS, n_tokens], &x.device());
    let fused = |x: Tensor<3>| attention(x.clone(), x.clone(), x.clone(), mask(&x), n_heads);
    let reference = |x: Tensor<3>| attention_reference(x.clone(), x.clone(), x.clone(), mask(&x), n_heads);
    let name = format!("attention {N_TASKS}x{n_tokens}x{d_model}, {n_heads} heads");
    compare(criterion, &name, &tokens, [("fused", &fused), ("reference", &reference)]);
}

fn normalising(criterion: &mut Criterion) {
    let (n_tokens, d_model) = (128, 64);
    let tokens = numbers("tokens", [N_TASKS, n_tokens, d_model], &Device::flex());
    let parts = |x: &Tensor<3>| {
        (Tensor::<1>::ones([d_model], &x.device()), Tensor::<1>::zeros([d_model], &x.device()))
    };
    let fused = |x: Tensor<3>| {
        let (gain, bias) = parts(&x);
        layer_norm(x, gain, bias)
    };
    let reference = |x: Tensor<3>| {
        let (gain, bias) = parts(&x);
        layer_norm_reference(x, gain, bias)
    };
    let name = format!("layer_norm {N_TASKS}x{n_tokens}x{d_model}");
    compare(criterion, &name, &tokens, [("fused", &fused), ("reference", &reference)]);
}

fn main() {
    // The composed gradients are slow.
    let mut criterion = criterion().sample_size(10);
    cholesky(&mut criterion);
    logistic(&mut criterion);
    attending(&mut criterion);
    normalising(&mut criterion);
    criterion.final_summary();
}
