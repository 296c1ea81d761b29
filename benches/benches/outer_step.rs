//! Claim: how many tasks a second a metamodel learns from: drawn, encoded, read, solved, the gradient taken, and a step of
//! Muon.

use burn::tensor::Device;
use criterion::{BatchSize, Criterion, SamplingMode, Throughput};
use weightsmith_benches::{SHIPPED, Shipped, criterion};
use weightsmith_priors::PriorConfig;
use weightsmith_tasks::Seed;
use weightsmith_training::{OuterConfig, OuterOptimiser, Shapes, StepRule, TrainState, Trainer};

/// The first step of a training with two shards, over and over, so that the tasks are always the same.
fn outer_step(criterion: &mut Criterion, shipped: &Shipped) {
    let config = OuterConfig {
        seed: Seed(1),
        n_steps: 1000,
        n_shards: 2,
        shard_tokens: 1600,
        validate_every: 1000,
        n_valid: 1,
        metamodel: shipped.config(),
        shapes: Shapes { support: (128, 128), columns: (16, 16), ..Shapes::default() },
        optimiser: OuterOptimiser { rule: StepRule::Muon, ..OuterOptimiser::default() },
        prior: PriorConfig::default(),
        through_steps: None,
    };
    let start = TrainState::new(&config).expect("the configuration is valid");
    let mut group = criterion.benchmark_group("tasks a second in training: 128+96 rows x 16 columns");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for n_threads in [1, 2] {
        let trainer = Trainer::new(&config, &Device::flex(), n_threads).expect("the configuration is valid");
        let n_tasks = trainer.step(&mut start.clone()).n_tasks;
        group.throughput(Throughput::Elements(n_tasks as u64));
        group.bench_function(format!("{}, {n_tasks} tasks, {n_threads} threads", shipped.name), |bencher| {
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
    for shipped in &SHIPPED {
        outer_step(&mut criterion, shipped);
    }
    criterion.final_summary();
}
