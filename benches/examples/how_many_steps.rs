//! How many inner steps by variable projection pay, on synthetic tables and on real ones: the runs that a predictor of their number
//! learns from and is judged by. `cargo run --release --workspace --example how_many_steps OUT.csv synthetic FIRST COUNT` or
//! `... OUT.csv tables ROWS SPLITS FOLDER...` writes a line for each table; `benches/how_many_steps.py` learns and judges.
//!
//! Of one generated view without a forest: the loss on query rows after each number of steps, the same on rows held out by four
//! folds (with the standard error of the difference to no step), and the closed-form leave-one-out error after 0, 1 and 2 steps.
#![expect(clippy::print_stderr, reason = "an example tells how far it is")]

use burn::tensor::Device;
use rand::Rng;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use weightsmith_base_model::BaseModel;
use weightsmith_evaluation::{Part, Split, max_support, suite_tables};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model, load_metamodel};
use weightsmith_metamodel::Pretrained;
use weightsmith_priors::{Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{Seed, Support, Table, Target, TaskType};
use weightsmith_training::{VariableProjection, Wanted, folds, prediction_losses, project};

/// Numbers of steps: those that a generation tries, and none.
const NUMBERS: [usize; 9] = [0, 1, 2, 3, 5, 8, 12, 20, 30];
const N_QUERY: usize = 500;
/// Support rows of synthetic tables: from the first to the second, evenly on a logarithmic scale.
const SYNTHETIC_ROWS: (f64, f64) = (48.0, 1100.0);

struct Run<'a> {
    name: &'a str,
    support: &'a Support,
    query: (&'a Table, &'a Target),
}

struct Bench {
    classification: Pretrained,
    regression: Pretrained,
    out: File,
}

impl Bench {
    fn pretrained(&self, task_type: TaskType) -> &Pretrained {
        match task_type {
            TaskType::Classification => &self.classification,
            TaskType::Regression => &self.regression,
        }
    }

    /// One generated view; none where something simpler was written.
    fn view(&self, support: &Support) -> Result<Option<BaseModel>, Box<dyn Error>> {
        let options = GenerateOptions {
            n_steps: Steps::Fixed(0),
            n_views: 1,
            n_trees: 0,
            n_threads: 1,
            ..GenerateOptions::default()
        };
        let made = generate_base_model(self.pretrained(support.target().task_type()), support, options);
        Ok(made.ok().map(|(model, _)| model).filter(|model| !model.weights.hidden.is_empty()))
    }

    fn run(&mut self, run: &Run<'_>) -> Result<bool, Box<dyn Error>> {
        let Some(start) = self.view(run.support)? else { return Ok(false) };
        let losses = mean_losses(run.support, &start, run.query)?.mean;
        let Some(held_out) = self.held_out(run.support)? else { return Ok(false) };
        let rows = start.encoding.encode(run.support.table())?;
        let (values, labels, n_classes) = wanted(run.support.target());
        let wanted = match n_classes {
            0 => Wanted::Values(&values),
            _ => Wanted::Classes { labels: &labels, n_classes, strength: 1.0 },
        };
        let begun = VariableProjection::new(&rows, wanted, &start.weights.hidden[0]);
        let first = begun.steps(begun.first_strengths(), &[0, 1, 2], 0.0);
        let numbers = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        writeln!(
            self.out,
            "{},{},{},{},{n_classes},{},{},{},{}",
            run.name,
            run.support.target().task_type(),
            run.support.n_rows(),
            rows.n_columns,
            numbers(&losses),
            numbers(&held_out.means),
            numbers(&held_out.errors),
            numbers(&first.iter().map(|stepped| stepped.leave_one_out).collect::<Vec<_>>()),
        )?;
        Ok(true)
    }

    /// What four folds say; none where one leaves nothing to step from.
    fn held_out(&self, support: &Support) -> Result<Option<HeldOut>, Box<dyn Error>> {
        let mut all: Vec<Vec<f64>> = vec![Vec::new(); NUMBERS.len()];
        for held in folds(support.target(), Seed(0))? {
            let kept: Vec<usize> = (0..support.n_rows()).filter(|row| !held.contains(row)).collect();
            let rest = support.select(&kept);
            let Some(start) = self.view(&rest)? else { return Ok(None) };
            let (table, target) = (support.table().select(&held), support.target().select(&held));
            let losses = mean_losses(&rest, &start, (&table, &target))?;
            all.iter_mut().zip(losses.each).for_each(|(all, each)| all.extend(each));
        }
        let n = support.n_rows() as f64;
        let mean = |losses: &mut dyn Iterator<Item = f64>| losses.sum::<f64>() / n;
        let means: Vec<f64> = all.iter().map(|losses| mean(&mut losses.iter().copied())).collect();
        let error = |losses: &Vec<f64>| {
            let differences: Vec<f64> =
                losses.iter().zip(&all[0]).map(|(after, before)| after - before).collect();
            let middle = mean(&mut differences.iter().copied());
            (mean(&mut differences.iter().map(|own| (own - middle).powi(2))) / n).sqrt()
        };
        let errors = all.iter().map(error).collect();
        Ok(Some(HeldOut { means, errors }))
    }
}

/// Losses after each number of steps.
struct Losses {
    mean: Vec<f64>,
    /// Every row's.
    each: Vec<Vec<f64>>,
}

/// Losses on rows held out.
struct HeldOut {
    means: Vec<f64>,
    /// Standard errors of the differences to no step.
    errors: Vec<f64>,
}

/// The losses of the network on some rows: log-loss, or the squared error as a share of the support's variance.
fn mean_losses(
    support: &Support,
    start: &BaseModel,
    (table, target): (&Table, &Target),
) -> Result<Losses, Box<dyn Error>> {
    let mut each = Vec::with_capacity(NUMBERS.len());
    for model in project(support, start, &NUMBERS)? {
        each.push(prediction_losses(&model.predict(table)?, target));
    }
    if let Target::Values(values) = support.target() {
        let (_, std) = mean_and_std(values);
        each.iter_mut().flatten().for_each(|loss| *loss /= std * std);
    }
    let mean = |losses: &Vec<f64>| losses.iter().sum::<f64>() / losses.len() as f64;
    Ok(Losses { mean: each.iter().map(mean).collect(), each })
}

/// Standardised values, or labels and the number of classes.
fn wanted(target: &Target) -> (Vec<f32>, Vec<usize>, usize) {
    match target {
        Target::Classes { class_names, labels } => (Vec::new(), labels.clone(), class_names.len()),
        Target::Values(values) => {
            let (mean, std) = mean_and_std(values);
            (values.iter().map(|value| ((value - mean) / std) as f32).collect(), Vec::new(), 0)
        }
    }
}

fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let load = |task_type| load_metamodel(None, task_type, &Device::flex());
    let [out, kind, first, second, folders @ ..] = arguments.as_slice() else {
        return Err("OUT.csv synthetic FIRST COUNT, or OUT.csv tables ROWS SPLITS FOLDER...".into());
    };
    let out = File::options().create(true).append(true).open(out)?;
    let mut bench = Bench {
        classification: load(TaskType::Classification)?,
        regression: load(TaskType::Regression)?,
        out,
    };
    if kind == "synthetic" {
        let prior = Prior::new(PriorConfig::default())?;
        for idx in first.parse()?..first.parse::<u64>()? + second.parse::<u64>()? {
            let random = &mut Seed(15).indexed_stream("bench.steps.task", &[idx]);
            let task_type = if idx % 2 == 0 { TaskType::Regression } else { TaskType::Classification };
            let (least, most) = SYNTHETIC_ROWS;
            let n_support = (least * (most / least).powf(random.random_range(0.0..1.0))) as usize;
            let n_classes = [2, 2, 2, 3, 4, 6][random.random_range(0..6)];
            let n_encoded = random.random_range(2..32);
            let shape = TaskShape { task_type, n_support, n_query: N_QUERY, n_classes, n_encoded };
            let task = prior.sample(&shape, random);
            let query = task.query();
            let name = format!("synthetic-{idx}");
            let run = Run { name: &name, support: task.support(), query: (query.table(), query.target()) };
            if !bench.run(&run)? {
                eprintln!("{name}: left out");
            }
        }
        return Ok(());
    }
    let n_support: usize = first.parse()?;
    let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    for table in suite_tables(&folders, Part::default())? {
        let labelled = table.read("target")?;
        let n_rows = labelled.table.n_rows();
        if max_support(n_rows) < n_support {
            continue;
        }
        for split in 0..second.parse()? {
            let Split { support, query } = Split::new(n_rows, n_support, split);
            let part = |rows: &[usize]| (labelled.table.select(rows), labelled.target.select(rows));
            let (support_table, support_target) = part(&support);
            let (query_table, query_target) = part(&query);
            let support = Support::new(support_table, support_target)?;
            let name = format!("{}-{split}", table.name);
            let run = Run { name: &name, support: &support, query: (&query_table, &query_target) };
            if !bench.run(&run)? {
                eprintln!("{name}: left out");
            }
        }
    }
    Ok(())
}
