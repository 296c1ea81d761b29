//! Claim: a billion recipes, every pair of two lists, are scored in a second on two cores, and the lowest found exactly.

use burn::tensor::Device;
use criterion::{SamplingMode, Throughput};
use rayon::ThreadPoolBuilder;
use std::hint::black_box;
use weightsmith_benches::{criterion, numbers};
use weightsmith_kernels::{Tower, lowest_pairs};

const RANK: usize = 12;
/// The least number whose square reaches a billion.
const N_ENTRIES: usize = 31_623;
const N_LOWEST: usize = 100_000;

fn tower(name: &str) -> Tower {
    let values = |part: &str, n: usize| {
        let numbers = numbers(&format!("{name}.{part}"), [n], &Device::flex());
        numbers.into_data().try_to_vec::<f32>().expect("they are made as f32")
    };
    Tower::new(RANK, values("offsets", N_ENTRIES), values("vectors", N_ENTRIES * RANK))
}

fn main() {
    let mut criterion = criterion();
    let (left, right) = (tower("left"), tower("right"));
    let pool = ThreadPoolBuilder::new().num_threads(2).build().expect("two threads can be started");
    let mut group = criterion.benchmark_group("a billion recipes a second: 10^9 recipes, rank 12, 2 threads");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    group.throughput(Throughput::Elements((N_ENTRIES * N_ENTRIES) as u64));
    group.bench_function(format!("lowest_pairs, the {N_LOWEST} lowest"), |bencher| {
        bencher.iter(|| pool.install(|| lowest_pairs(black_box(&left), black_box(&right), N_LOWEST)));
    });
    group.finish();
    criterion.final_summary();
}
