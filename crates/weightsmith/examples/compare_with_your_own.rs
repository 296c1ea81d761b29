//! Sets a model of one's own beside generated weights and the other methods, on the same splits of a table.
//!
//! `cargo run --release --example compare_with_your_own`

#![expect(clippy::print_stdout, reason = "an example tells what it found")]

use std::error::Error;
use weightsmith_base_model::open_device;
use weightsmith_datasets::{Source, read_table};
use weightsmith_evaluation::methods::{GENERATED, LINEAR_TUNED};
use weightsmith_evaluation::{
    CompareSettings, Made, Method, MethodError, MethodRef, MethodSettings, Role, Shape, compare, metric_text,
};
use weightsmith_generation::{SelectMode, load_metamodel};
use weightsmith_tasks::Support;
use weightsmith_training::{Moment, Optimiser, Recipe, Start, Training};

/// A network of 8 hidden units, trained for 50 epochs by Adam.
struct MyOwn;

impl Method for MyOwn {
    fn name(&self) -> &'static str {
        "my-own"
    }

    fn about(&self) -> String {
        "8 hidden units, 50 epochs of Adam".into()
    }

    fn role(&self) -> Role {
        Role::Optimised
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let recipe = &Recipe { hidden: vec![8], n_epochs: 50, ..Recipe::of(Optimiser::Adam) };
        let device = &settings.pretrained.metamodel.device();
        let seed = settings.seed;
        let trained = Training { support, start: Start::Random, recipe, seed, device }.run(watch)?;
        Ok(Made::trained(trained, String::new()))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let table = read_table(&Source::Sample("penguin-mass".into()), None, None)?;
    let device = open_device("cpu")?;
    let pretrained = load_metamodel(None, table.labelled.target.task_type(), &device)?;
    let settings = CompareSettings {
        pretrained: &pretrained,
        n_views: 8,
        n_support: Some(64),
        n_splits: 3,
        first_split: 0,
        methods: &[MethodRef(&MyOwn), GENERATED, LINEAR_TUNED],
        select: SelectMode::Off,
        shape: Shape::default(),
        from: None,
        weight_space: false,
        n_threads: 1,
    };
    let compared = compare(&table, &settings, &mut |_, _| {})?;
    for report in &compared.comparison.methods {
        let figures = report.metrics.iter().map(|found| {
            format!("{} {}", found.metric.label(), metric_text(found.metric, found.estimate.mean))
        });
        println!("{}: {}", report.method, figures.collect::<Vec<_>>().join(", "));
    }
    Ok(())
}
