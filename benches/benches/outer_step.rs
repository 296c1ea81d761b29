//! Claim: how many tasks a second a metamodel learns from: drawn, encoded, read, solved, and the gradient taken.

use burn::tensor::Device;
use criterion::{BatchSize, Criterion, SamplingMode, Throughput};
use weightsmith_benches::criterion;
use weightsmith_metamodel::MetamodelConfig;
use weightsmith_priors::PriorConfig;
use weightsmith_tasks::{Seed, TaskType};
use weightsmith_training::{OuterConfig, OuterOptimiser, Shapes, TrainState, Trainer};

/// The first step of a training with two shards, over and over, so that the tasks are always the same.
fn outer_step(criterion: &mut Criterion, name: &str, metamodel: MetamodelConfig) {
    let config = OuterConfig {
        seed: Seed(1),
        n_steps: 1000,
        n_shards: 2,
        shard_tokens: 1600,
        validate_every: 1000,
        n_valid: 1,
        metamodel,
        shapes: Shapes { support: (128, 128), columns: (16, 16), ..Shapes::default() },
        optimiser: OuterOptimiser::default(),
        prior: PriorConfig::default(),
    };
    let start = TrainState::new(&config).expect("the configuration is valid");
    let mut group = criterion.benchmark_group("outer step");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for n_threads in [1, 2] {
        let trainer = Trainer::new(&config, &Device::flex(), n_threads).expect("the configuration is valid");
        let n_tasks = trainer.step(&mut start.clone()).n_tasks;
        group.throughput(Throughput::Elements(n_tasks as u64));
        group.bench_function(format!("{name} 128+96x16, {n_tasks} tasks, {n_threads} threads"), |bencher| {
            bencher.iter_batched(
                || start.clone(),
                |mut state| trainer.step(&mut state),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = criterion();
    outer_step(&mut criterion, "tiny classification", MetamodelConfig::tiny(TaskType::Classification));
    outer_step(
        &mut criterion,
        "standard classification",
        MetamodelConfig::standard(TaskType::Classification),
    );
    outer_step(&mut criterion, "standard regression", MetamodelConfig::standard(TaskType::Regression));
    criterion.final_summary();
}
