//! Claim: the last layer is solved in closed form in a small part of the time that weights take: one task of 128 rows, at
//! the sizes of the shipped metamodels.

use burn::tensor::{Device, Tensor};
use std::hint::black_box;
use weightsmith_benches::{SHIPPED, Shipped, criterion, numbers};
use weightsmith_kernels::{cholesky_solve, logistic_head};
use weightsmith_tasks::TaskType;

const N_ROWS: usize = 128;
const N_COLUMNS: usize = 16;
const N_CLASSES: usize = 2;

/// One weighted solve of the system that the head makes of units, inputs and an intercept: its curvature, then ridge
/// regression or the steps of the logistic head.
fn solve(shipped: &Shipped, features: &Tensor<3>, targets: &Tensor<3>, head_steps: usize) -> Tensor<3> {
    let [n_tasks, n_rows, p] = features.dims();
    let device = features.device();
    let row_weights = Tensor::<2>::ones([n_tasks, n_rows], &device);
    let precision = Tensor::<2>::ones([n_tasks, p], &device);
    let weighted = features.clone() * row_weights.clone().reshape([n_tasks, n_rows, 1]);
    let gram = weighted.clone().transpose().matmul(features.clone()); // [n_tasks, p, p]
    let diagonal = Tensor::<2>::eye(p, &device).unsqueeze::<3>() * precision.clone().reshape([n_tasks, 1, p]);
    match shipped.task_type {
        TaskType::Classification => {
            let curvature = gram * 0.5 + diagonal;
            logistic_head(curvature, features.clone(), targets.clone(), row_weights, precision, head_steps)
        }
        TaskType::Regression => {
            let right = weighted.transpose().matmul(targets.clone()); // [n_tasks, p, 1]
            cholesky_solve(gram + diagonal, right).transpose()
        }
    }
}

fn main() {
    let mut criterion = criterion();
    let device = Device::flex();
    let mut group =
        criterion.benchmark_group("the head is solved, not trained: 1 task of 128 rows x 16 columns");
    for shipped in SHIPPED {
        let config = shipped.config();
        let p = config.n_units + N_COLUMNS + 1;
        let features = numbers("features", [1, N_ROWS, p], &device);
        let (targets, kind) = match shipped.task_type {
            TaskType::Classification => {
                let scores = numbers("scores", [1, N_ROWS, N_CLASSES], &device);
                let highest = scores.clone().max_dim(2);
                let kind = format!("logistic, {} steps", config.head_steps);
                (scores.greater_equal(highest).float(), kind)
            }
            TaskType::Regression => (numbers("values", [1, N_ROWS, 1], &device), "ridge".to_string()),
        };
        group.bench_function(format!("{}, {} units, {kind}", shipped.name, config.n_units), |bencher| {
            bencher.iter(|| solve(&shipped, black_box(&features), &targets, config.head_steps).into_data());
        });
    }
    group.finish();
    criterion.final_summary();
}
