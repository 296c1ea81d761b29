//! Claim: weights come in milliseconds from 128 rows and 16 columns, and predicting with them costs next to nothing.

use criterion::{Criterion, Throughput};
use std::hint::black_box;
use weightsmith_benches::{criterion, pretrained, task};
use weightsmith_metamodel::generate_base_model;
use weightsmith_tasks::TaskType;

const TASK_TYPES: [TaskType; 2] = [TaskType::Classification, TaskType::Regression];

/// From a table in memory to a whole base model, all views joined; the metamodel is loaded before.
fn generate(criterion: &mut Criterion) {
    for task_type in TASK_TYPES {
        let pretrained = pretrained(task_type);
        let task = task(task_type, 128, 1, 16);
        for n_views in [1, 8] {
            criterion.bench_function(&format!("generate/{task_type} 128x16, {n_views} views"), |bencher| {
                bencher.iter(|| generate_base_model(&pretrained, black_box(task.support()), n_views));
            });
        }
    }
}

/// What a start of the binary pays before the first table: reading the parameters and building the layers.
fn load(criterion: &mut Criterion) {
    criterion.bench_function("load a metamodel of the shipped shape", |bencher| {
        bencher.iter(|| pretrained(TaskType::Classification));
    });
}

fn predict(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("predict");
    for task_type in TASK_TYPES {
        let task = task(task_type, 128, 1000, 16);
        let (model, _) =
            generate_base_model(&pretrained(task_type), task.support(), 8).expect("a task is a table");
        group.throughput(Throughput::Elements(1000));
        group.bench_function(format!("{task_type} 1000x16, 8 views"), |bencher| {
            bencher.iter(|| model.predict(black_box(task.query().table())));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = criterion();
    generate(&mut criterion);
    load(&mut criterion);
    predict(&mut criterion);
    criterion.final_summary();
}
