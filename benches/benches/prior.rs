//! Claim: the prior draws a table of 224 rows and 20 columns in less than a millisecond on one core.

use criterion::Throughput;
use weightsmith_benches::criterion;
use weightsmith_priors::{Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{Seed, TaskType};

fn main() {
    let mut criterion = criterion();
    let prior = Prior::new(PriorConfig::default()).expect("the defaults are valid");
    let mut group =
        criterion.benchmark_group("a table in less than a millisecond: 128+96 rows x 20 columns, 1 thread");
    group.throughput(Throughput::Elements(1));
    for (task_type, n_classes) in
        [(TaskType::Classification, 2), (TaskType::Classification, 10), (TaskType::Regression, 0)]
    {
        let shape = TaskShape { task_type, n_support: 128, n_query: 96, n_classes, n_encoded: 20 };
        let mut table = 0;
        let classes = if n_classes == 0 { String::new() } else { format!(", {n_classes} classes") };
        group.bench_function(format!("{task_type}{classes}"), |bencher| {
            bencher.iter(|| {
                table += 1;
                prior.sample(&shape, &mut Seed(1).indexed_stream("benches.prior", &[table]))
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
