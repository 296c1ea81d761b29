//! Claims: weights come in milliseconds from 128 rows and 16 columns, sooner than from a tuned optimiser; tens of thousands
//! of rows a second are predicted with them; a start, which loads a metamodel, costs next to nothing.

use burn::tensor::Device;
use criterion::{Criterion, SamplingMode, Throughput};
use std::hint::black_box;
use weightsmith_benches::{DEFAULT, SHIPPED, criterion, task};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model, untrained_base_model};
use weightsmith_tasks::{Seed, TaskType};
use weightsmith_training::{Optimiser, Recipe, fit_linear, grid, train_base_model, tune_base_model};

/// From a table in memory to a whole base model, all views joined; the metamodel is loaded before.
fn generate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("weights in milliseconds: 128 rows x 16 columns");
    for shipped in SHIPPED {
        let pretrained = shipped.load();
        let task = task(shipped.task_type, 128, 1, 16);
        let all = [(8, 1, 100), (8, 2, 100), (8, 1, 0), (1, 1, 0)];
        // The small ones are used for trials, one thread each.
        let used =
            if DEFAULT.iter().any(|default| default.name == shipped.name) { &all[..] } else { &all[..1] };
        for &(n_views, n_threads, n_trees) in used {
            let options =
                GenerateOptions { n_views, n_threads, n_trees, n_steps: Steps::Fixed(0), seed: Seed(0) };
            let name = format!("{}, {n_views} views, {n_trees} trees, {n_threads} threads", shipped.name);
            group.bench_function(&name, |bencher| {
                bencher.iter(|| generate_base_model(&pretrained, black_box(task.support()), options));
            });
        }
    }
    for task_type in [TaskType::Classification, TaskType::Regression] {
        let task = task(task_type, 128, 1, 16);
        group.bench_function(format!("untrained head alone, {task_type}"), |bencher| {
            bencher.iter(|| untrained_base_model(black_box(task.support()), &Device::flex()));
        });
    }
    group.finish();
}

/// The same rows by the optimisers of a comparison; one training by a recipe that nobody tuned is sooner.
fn optimise(criterion: &mut Criterion) {
    let device = Device::flex();
    let mut group =
        criterion.benchmark_group("sooner than a tuned optimiser: 128 rows x 16 columns, 1 thread");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for task_type in [TaskType::Classification, TaskType::Regression] {
        let task = task(task_type, 128, 1, 16);
        let support = task.support();
        group.bench_function(format!("linear-tuned, {task_type}"), |bencher| {
            bencher.iter(|| fit_linear(black_box(support), Seed(1)));
        });
        group.bench_function(format!("adam, {task_type}"), |bencher| {
            bencher.iter(|| train_base_model(black_box(support), &Recipe::default(), Seed(1), &device));
        });
        let recipes = grid(Optimiser::Adam, task_type);
        group.bench_function(format!("adam-tuned, {task_type}"), |bencher| {
            bencher.iter(|| tune_base_model(black_box(support), &recipes, Seed(1), &device, &mut |_| {}));
        });
    }
    group.finish();
}

/// Rows a second through a whole base model: read as a table, encoded, predicted.
fn predict(criterion: &mut Criterion) {
    let mut group =
        criterion.benchmark_group("tens of thousands of rows a second are predicted: 1000 rows x 16 columns");
    group.throughput(Throughput::Elements(1000));
    for shipped in DEFAULT {
        let task = task(shipped.task_type, 128, 1000, 16);
        let options = GenerateOptions::default();
        let (model, _) =
            generate_base_model(&shipped.load(), task.support(), options).expect("a task is a table");
        let n_units = model.architecture.hidden.first().copied().unwrap_or(0);
        group.bench_function(format!("{}, 8 views, {n_units} units", shipped.name), |bencher| {
            bencher.iter(|| model.predict(black_box(task.query().table())));
        });
    }
    group.finish();
}

/// What a start of the binary pays before the first table: reading the parameters and building the layers.
fn start(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a start costs next to nothing: loading a metamodel");
    for shipped in SHIPPED {
        group.bench_function(shipped.name, |bencher| bencher.iter(|| black_box(&shipped).load()));
    }
    group.finish();
}

fn main() {
    let mut criterion = criterion();
    generate(&mut criterion);
    optimise(&mut criterion);
    predict(&mut criterion);
    start(&mut criterion);
    criterion.final_summary();
}
