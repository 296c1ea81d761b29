//! Claim: weights come in milliseconds from 128 rows and 16 columns, sooner than from any optimiser, and predicting
//! with them costs next to nothing.

use burn::tensor::Device;
use criterion::{Criterion, SamplingMode, Throughput};
use std::hint::black_box;
use weightsmith_benches::{criterion, load, metamodel_file, task};
use weightsmith_metamodel::{GenerateOptions, generate_base_model, untrained_base_model};
use weightsmith_tasks::{Seed, TaskType};
use weightsmith_training::{Optimiser, Recipe, fit_linear, grid, train_base_model, tune_base_model};

const TASK_TYPES: [TaskType; 2] = [TaskType::Classification, TaskType::Regression];

/// From a table in memory to a whole base model, all views joined; the metamodel is loaded before.
fn generate(criterion: &mut Criterion) {
    for task_type in TASK_TYPES {
        let pretrained = load(&metamodel_file(task_type));
        let task = task(task_type, 128, 1, 16);
        for (n_views, n_threads) in [(1, 1), (8, 1), (8, 2)] {
            let options = GenerateOptions { n_views, n_threads, ..Default::default() };
            let name = format!("generate/{task_type} 128x16, {n_views} views, {n_threads} threads");
            criterion.bench_function(&name, |bencher| {
                bencher.iter(|| generate_base_model(&pretrained, black_box(task.support()), options));
            });
        }
        criterion.bench_function(&format!("untrained/{task_type} 128x16"), |bencher| {
            bencher.iter(|| untrained_base_model(black_box(task.support()), &Device::flex()));
        });
    }
}

/// The same rows by the optimisers of a comparison.
fn optimise(criterion: &mut Criterion) {
    let device = Device::flex();
    let mut group = criterion.benchmark_group("optimise");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for task_type in TASK_TYPES {
        let task = task(task_type, 128, 1, 16);
        let support = task.support();
        group.bench_function(format!("linear-tuned {task_type} 128x16"), |bencher| {
            bencher.iter(|| fit_linear(black_box(support), Seed(1)));
        });
        group.bench_function(format!("adam {task_type} 128x16"), |bencher| {
            bencher.iter(|| train_base_model(black_box(support), &Recipe::default(), Seed(1), &device));
        });
        let recipes = grid(Optimiser::Adam, task_type);
        group.bench_function(format!("adam-tuned {task_type} 128x16"), |bencher| {
            bencher.iter(|| tune_base_model(black_box(support), &recipes, Seed(1), &device, &mut |_| {}));
        });
    }
    group.finish();
}

/// What a start of the binary pays before the first table: reading the parameters and building the layers.
fn start(criterion: &mut Criterion) {
    let file = metamodel_file(TaskType::Classification);
    criterion.bench_function("load a metamodel of the shipped shape", |bencher| {
        bencher.iter(|| load(black_box(&file)));
    });
}

fn predict(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("predict");
    for task_type in TASK_TYPES {
        let task = task(task_type, 128, 1000, 16);
        let (model, _) = generate_base_model(
            &load(&metamodel_file(task_type)),
            task.support(),
            GenerateOptions::default(),
        )
        .expect("a task is a table");
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
    optimise(&mut criterion);
    start(&mut criterion);
    predict(&mut criterion);
    criterion.final_summary();
}
