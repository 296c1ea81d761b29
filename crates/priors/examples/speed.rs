//! Tables a second on one core, for each family and for the mixture.
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::Instant;
use weightsmith_priors::{Family, Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{Seed, TaskType};

fn main() {
    let configs = Family::ALL.map(|family| (family.to_string(), PriorConfig::of_family(family)));
    for (name, config) in configs.into_iter().chain([("mixture of all".to_string(), PriorConfig::default())])
    {
        let prior = Prior::new(config).expect("the defaults are valid");
        for (task_type, n_classes) in
            [(TaskType::Classification, 2), (TaskType::Classification, 10), (TaskType::Regression, 0)]
        {
            let shape = TaskShape { task_type, n_support: 128, n_query: 96, n_classes, n_encoded: 20 };
            let n_tables = 3000;
            #[expect(clippy::disallowed_methods, reason = "time is what it measures")]
            let start = Instant::now();
            for table in 0..n_tables {
                let task = prior.sample(&shape, &mut Seed(1).indexed_stream("speed", &[table]));
                std::hint::black_box(task);
            }
            let each = start.elapsed().as_secs_f64() / n_tables as f64;
            println!("{name:>20} {task_type:>15} {n_classes:>3} classes: {:7.0} tables/s", 1.0 / each);
        }
    }
}
