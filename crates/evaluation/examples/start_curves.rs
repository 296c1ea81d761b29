//! Losses on query rows after 0 to 50 gradient steps from random, learned and generated starts, over folders of real tables.
//!
//! `cargo run --release --workspace --example start_curves -- FOLDER...` prints a line a start, kind of target, number of support rows and
//! number of steps: the mean over tables of the log-loss, or of one less R² (at most 2), with its 95 % interval. Random and generated
//! weights are stepped at several rates, since none belongs to them.

#![expect(clippy::print_stdout, reason = "its lines are what it is for")]
#![expect(clippy::expect_used, reason = "what it is given is the shipped models and readable tables")]

use burn::tensor::Device;
use std::collections::BTreeMap;
use std::path::PathBuf;
use weightsmith_base_model::BaseModel;
use weightsmith_evaluation::{Estimate, Metric, Part, Predictor, Problem, Split, max_support, suite_tables};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model, load_metamodel, table_start};
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::{Seed, TaskType};
use weightsmith_training::{
    LearnedStart, Optimiser, Recipe, Start, StartAlgorithm, Training, steps_from_start,
};

const SUPPORTS: [usize; 3] = [32, 128, 512];
const STEPS: [usize; 6] = [0, 1, 2, 5, 10, 50];
const RATES: [f32; 3] = [0.01, 0.1, 0.5];

/// Losses by start, kind of target, support rows and steps; one a table.
type Losses = BTreeMap<(String, &'static str, usize, usize), Vec<f64>>;

fn main() {
    let folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let device = Device::flex();
    let load = |task_type| load_metamodel(None, task_type, &device).expect("the default is shipped");
    let pretrained = [load(TaskType::Classification), load(TaskType::Regression)];
    let mut losses = Losses::new();
    for table in suite_tables(&folders, Part::default()).expect("folders of tables") {
        let Ok(labelled) = table.read("target") else { continue };
        let of_type = usize::from(table.task_type == TaskType::Regression);
        for n_support in SUPPORTS.into_iter().filter(|&n| n <= max_support(labelled.target.len())) {
            let split = Split::new(labelled.target.len(), n_support, 0);
            let Some(problem) = Problem::new(&labelled, &split) else { continue };
            measure(&problem, table.task_type, &pretrained[of_type], &mut losses);
        }
    }
    println!("start,target,support,steps,loss,low,high,tables");
    for ((start, target, n_support, n_steps), each) in &losses {
        let Some(found) = Estimate::of(each) else { continue };
        let (low, high) = (found.low.unwrap_or(f64::NAN), found.high.unwrap_or(f64::NAN));
        println!("{start},{target},{n_support},{n_steps},{:.4},{low:.4},{high:.4},{}", found.mean, found.n);
    }
}

fn measure(problem: &Problem, task_type: TaskType, pretrained: &Pretrained, losses: &mut Losses) {
    let target = if task_type == TaskType::Regression { "values" } else { "classes" };
    let n_support = problem.support().n_rows();
    let mut note = |start: String, models: Vec<Option<BaseModel>>| {
        for (model, n_steps) in models.into_iter().zip(STEPS) {
            let loss = model.map_or(f64::INFINITY, |model| loss(problem, model, task_type));
            losses
                .entry((start.clone(), target, n_support, n_steps))
                .or_default()
                .push(loss.min(worst(task_type)));
        }
    };
    let learned = |start: &LearnedStart| -> Vec<Option<BaseModel>> {
        // Steps at too high a rate end in numbers that no model can hold.
        let each = |&n_steps: &usize| steps_from_start(problem.support(), start, &[n_steps]).ok()?.pop();
        STEPS.iter().map(each).collect()
    };
    for algorithm in [StartAlgorithm::Maml, StartAlgorithm::Reptile, StartAlgorithm::Anil] {
        let start = table_start(algorithm, task_type).read().start;
        note(algorithm.name().to_string(), learned(&start));
    }
    let shape = table_start(StartAlgorithm::Maml, task_type).read().start.mlp;
    for rate in RATES {
        let random = LearnedStart::draw(StartAlgorithm::Maml, &shape, rate, Seed(1));
        note(format!("random at {rate}"), learned(&random));
    }
    let options =
        GenerateOptions { n_views: 1, n_threads: 1, n_trees: 0, n_steps: Steps::Fixed(0), seed: Seed(0) };
    let generated = generate_base_model(pretrained, problem.support(), options).expect("enough rows").0;
    for rate in RATES {
        note(
            format!("generated at {rate}"),
            stepped(problem, &generated, rate, &pretrained.metamodel.device()),
        );
    }
}

/// Steps of gradient descent with momentum on all rows.
fn stepped(problem: &Problem, start: &BaseModel, rate: f32, device: &Device) -> Vec<Option<BaseModel>> {
    let last = STEPS[STEPS.len() - 1];
    let recipe = &Recipe {
        learning_rate: rate,
        weight_decay: 0.0,
        n_epochs: last,
        max_steps: Some(last),
        batch_size: usize::MAX,
        ..Recipe::of(Optimiser::Sgd)
    };
    let mut models: Vec<Option<BaseModel>> = vec![None; STEPS.len()];
    models[0] = Some(start.clone());
    let training =
        Training { support: problem.support(), start: Start::From(start), recipe, seed: Seed(0), device };
    let done = training.run(&mut |moment| {
        if let Some(at) = STEPS.iter().position(|&n| n == moment.n_steps).filter(|&at| at > 0) {
            models[at] = moment.model().ok();
        }
    });
    // One that has converged before stays where it is; one that failed has nothing more to say.
    if let Ok(trained) = done {
        models
            .iter_mut()
            .filter(|model| model.is_none())
            .for_each(|model| *model = Some(trained.model.clone()));
    }
    models
}

fn worst(task_type: TaskType) -> f64 {
    match task_type {
        TaskType::Classification => 20.0,
        TaskType::Regression => 2.0,
    }
}

fn loss(problem: &Problem, model: BaseModel, task_type: TaskType) -> f64 {
    let Ok(scores) = problem.score(&Predictor::Network(Box::new(model))) else { return f64::INFINITY };
    let found = match task_type {
        TaskType::Classification => scores.get(Metric::LogLoss),
        TaskType::Regression => scores.get(Metric::R2).map(|r2| 1.0 - r2),
    };
    found.filter(|loss| loss.is_finite()).unwrap_or(f64::INFINITY)
}
