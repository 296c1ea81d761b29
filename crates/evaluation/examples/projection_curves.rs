//! Losses on query rows after 0 to 30 steps of variable projection from random, learned and generated hidden layers, over folders of
//! real tables.
//!
//! `cargo run --release --workspace --example projection_curves -- FOLDER... [NAME=FILE...] [rows=32,128,512] [splits=1] [part=0/1]` prints
//! a line a start, table, number of support rows, split and number of steps: the log-loss, or one less R² (at most 2). A `FILE` is a
//! metamodel or a learned start as `train` writes them, for one kind of target; without one, the default metamodels and the starts
//! that are shipped for tables are taken. The head is solved after every number of steps, 0 included; of a learned start the first
//! layer is stepped, with the direct path beside it.

#![expect(clippy::print_stdout, reason = "its lines are what it is for")]
#![expect(clippy::expect_used, reason = "what it is given is readable tables and files")]

use burn::tensor::Device;
use std::path::PathBuf;
use weightsmith_base_model::BaseModel;
use weightsmith_evaluation::{Metric, Part, Predictor, Problem, Split, max_support, suite_tables};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model, load_metamodel, table_start};
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::{Seed, TaskType};
use weightsmith_training::{
    LearnedStart, Loss, StartAlgorithm, StartFile, project, random_start, steps_from_start,
};

const STEPS: [usize; 9] = [0, 1, 2, 3, 5, 8, 12, 20, 30];
const TYPES: [TaskType; 2] = [TaskType::Classification, TaskType::Regression];

/// What steps begin from.
enum Origin {
    Random,
    Generated(Box<Pretrained>),
    Learned(LearnedStart),
}

struct Start {
    name: String,
    task_type: TaskType,
    origin: Origin,
}

fn main() {
    let device = Device::flex();
    let (mut folders, mut starts) = (Vec::new(), Vec::new());
    let (mut supports, mut n_splits, mut part) = (vec![32, 128, 512], 1, Part::default());
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            None => folders.push(PathBuf::from(argument)),
            Some(("rows", rows)) => {
                supports = rows.split(',').map(|rows| rows.parse().expect("a number of rows")).collect();
            }
            Some(("splits", splits)) => n_splits = splits.parse().expect("a number of splits"),
            Some(("part", text)) => {
                let (index, of) = text.split_once('/').expect("a part, as 0/2");
                let number = |text: &str| text.parse().expect("a number of parts");
                part = Part { index: number(index), of: number(of) };
            }
            Some((name, file)) => starts.push(read(name, file, &device)),
        }
    }
    if starts.is_empty() {
        starts = TYPES.into_iter().flat_map(|task_type| shipped(task_type, &device)).collect();
    }
    for task_type in TYPES {
        if starts.iter().any(|start| start.task_type == task_type) {
            starts.push(Start { name: "random".to_string(), task_type, origin: Origin::Random });
        }
    }
    println!("start,table,target,support,split,steps,loss");
    for table in suite_tables(&folders, part).expect("folders of tables") {
        let Ok(labelled) = table.read("target") else { continue };
        let n_rows = labelled.target.len();
        for n_support in supports.iter().copied().filter(|&n| n <= max_support(n_rows)) {
            for split in 0..n_splits {
                let Some(problem) = Problem::new(&labelled, &Split::new(n_rows, n_support, split)) else {
                    continue;
                };
                for start in starts.iter().filter(|start| start.task_type == table.task_type) {
                    let losses = curve(&problem, start);
                    for (n_steps, loss) in STEPS.iter().zip(losses) {
                        let target =
                            if start.task_type == TaskType::Regression { "values" } else { "classes" };
                        println!(
                            "{},{},{target},{n_support},{split},{n_steps},{loss:.6}",
                            start.name, table.name
                        );
                    }
                }
            }
        }
    }
}

/// A metamodel or a learned start from a file.
fn read(name: &str, file: &str, device: &Device) -> Start {
    let bytes = std::fs::read(file).expect("the file can be read");
    if let Ok(start) = StartFile::from_bytes(&bytes) {
        return learned(name, start.start);
    }
    // The type of a path is that of the file.
    let pretrained =
        load_metamodel(Some(file), TaskType::Regression, device).expect("a metamodel or a start");
    let task_type = pretrained.metamodel.config().task_type;
    Start { name: name.to_string(), task_type, origin: Origin::Generated(Box::new(pretrained)) }
}

fn learned(name: &str, start: LearnedStart) -> Start {
    let task_type = match start.mlp.loss {
        Loss::Logistic => TaskType::Classification,
        Loss::SquaredError => TaskType::Regression,
    };
    Start { name: name.to_string(), task_type, origin: Origin::Learned(start) }
}

/// The default metamodel and the starts that are shipped for tables of a type.
fn shipped(task_type: TaskType, device: &Device) -> Vec<Start> {
    let pretrained = load_metamodel(None, task_type, device).expect("the default is shipped");
    let origin = Origin::Generated(Box::new(pretrained));
    let mut starts = vec![Start { name: "generated".to_string(), task_type, origin }];
    for algorithm in [StartAlgorithm::Maml, StartAlgorithm::Reptile, StartAlgorithm::Anil] {
        starts.push(learned(algorithm.name(), table_start(algorithm, task_type).read().start));
    }
    starts
}

/// The losses after each number of steps.
fn curve(problem: &Problem, start: &Start) -> Vec<f64> {
    let support = problem.support();
    let first = match &start.origin {
        Origin::Random => random_start(support, Seed(0)).ok(),
        Origin::Generated(pretrained) => {
            let options = GenerateOptions {
                n_views: 1,
                n_threads: 1,
                n_trees: 0,
                n_steps: Steps::Fixed(0),
                seed: Seed(0),
            };
            generate_base_model(pretrained, support, options).ok().map(|(model, _)| model)
        }
        Origin::Learned(start) => {
            steps_from_start(support, start, &[0]).ok().and_then(|mut models| models.pop())
        }
    };
    let Some(first) = first else { return vec![worst(start.task_type); STEPS.len()] };
    let models = if first.weights.hidden.is_empty() {
        // Something simpler was better than the generated layer.
        vec![first; STEPS.len()]
    } else {
        project(support, &first, &STEPS).unwrap_or_default()
    };
    let mut losses: Vec<f64> =
        models.into_iter().map(|model| loss(problem, model, start.task_type)).collect();
    losses.resize(STEPS.len(), worst(start.task_type));
    losses
}

fn worst(task_type: TaskType) -> f64 {
    match task_type {
        TaskType::Classification => 20.0,
        TaskType::Regression => 2.0,
    }
}

fn loss(problem: &Problem, model: BaseModel, task_type: TaskType) -> f64 {
    let worst = worst(task_type);
    let Ok(scores) = problem.score(&Predictor::Network(Box::new(model))) else { return worst };
    let found = match task_type {
        TaskType::Classification => scores.get(Metric::LogLoss),
        TaskType::Regression => scores.get(Metric::R2).map(|r2| 1.0 - r2),
    };
    found.filter(|loss| loss.is_finite()).map_or(worst, |loss| loss.min(worst))
}
