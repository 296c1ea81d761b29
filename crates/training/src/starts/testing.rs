//! A small network and rows for tests.

use super::mlp::{Batch, Loss, Mlp};
use rand::Rng;
use rand_distr::StandardNormal;
use weightsmith_tasks::Seed;

/// A network with everything: two hidden layers, two outputs, a context.
pub(super) fn mlp(loss: Loss) -> Mlp {
    Mlp { n_inputs: 3, n_context: 2, hidden: vec![5, 4], n_outputs: 2, loss }
}

/// Normal numbers for every parameter.
pub(super) fn draw_params(mlp: &Mlp, seed: u64) -> Vec<f64> {
    let mut rng = Seed(seed).stream("test.params");
    (0..mlp.n_params()).map(|_| rng.sample::<f64, _>(StandardNormal) * 0.7).collect()
}

/// Normal rows; targets are normal, or 0 and 1.
pub(super) fn batch(mlp: &Mlp, n_rows: usize, seed: u64) -> Batch<f64> {
    let mut rng = Seed(seed).stream("test.batch");
    let inputs = (0..n_rows * mlp.n_inputs).map(|_| rng.sample(StandardNormal)).collect();
    let targets = (0..n_rows * mlp.n_outputs)
        .map(|_| {
            let value: f64 = rng.sample(StandardNormal);
            match mlp.loss {
                Loss::SquaredError => value,
                Loss::Logistic => f64::from(u8::from(value > 0.0)),
            }
        })
        .collect();
    Batch { inputs, targets }
}
