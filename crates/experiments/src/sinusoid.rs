//! The sinusoid benchmark: how well a few rows of a sine wave and a few gradient steps do from learned starts, beside what papers
//! published.
//!
//! Each start is trained beforehand. What is measured here: the mean squared error on a grid over all inputs, of tasks that no training
//! saw, after numbers of gradient steps on the first so many rows of each.

mod published;

pub use published::{PUBLISHED, Published, Reading};

use serde::Serialize;
use weightsmith_evaluation::{Estimate, Spread};
use weightsmith_tasks::Seed;
use weightsmith_training::{
    Batch, FamilyConfig, LARGEST_INPUT, LearnedStart, Sinusoid, SinusoidFamily, StartAlgorithm, StartFile,
};

/// Rows that are learned from.
pub const SHOTS: [usize; 3] = [5, 10, 20];
/// Gradient steps.
pub const STEPS: [usize; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 32];
/// Inputs that are scored, evenly from the least to the largest.
const N_GRID: usize = 100;
/// Rates that are tried where a training has none that belongs to single steps.
const RATES: [f32; 6] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05];
/// Tasks on which they are.
const N_RATE_TASKS: usize = 200;
/// A larger error is none, but a network whose steps diverge.
pub const DIVERGED: f64 = 1e4;
/// Waves whose curves are drawn.
const N_EXAMPLES: usize = 3;
/// Steps after which they are.
const EXAMPLE_STEPS: [usize; 3] = [0, 1, 10];
/// The rows that an example learns from.
const EXAMPLE_SHOTS: usize = 10;

/// What is measured.
#[derive(Copy, Clone, Debug)]
pub struct SinusoidSettings {
    /// Tasks.
    pub n_tasks: usize,
    /// Of the tasks; those of the trainings are others.
    pub seed: Seed,
}

/// The benchmark's figures.
#[derive(Clone, Debug, Serialize)]
pub struct SinusoidBenchmark {
    /// Tasks of each mean.
    pub n_tasks: usize,
    /// Their seed.
    pub seed: u64,
    /// A start each, in the order given.
    pub starts: Vec<SinusoidStart>,
    /// Waves with what some starts say of them.
    pub examples: Vec<SinusoidExample>,
    /// What papers published.
    pub published: &'static [Published],
}

/// One start.
#[derive(Clone, Debug, Serialize)]
pub struct SinusoidStart {
    /// Its name.
    pub name: String,
    /// How it was trained, in words.
    pub trained: String,
    /// Frequencies of the waves that it was trained and is tested on.
    pub frequencies: (f64, f64),
    /// A curve for each of [`SHOTS`].
    pub curves: Vec<SinusoidCurve>,
}

/// Errors against gradient steps.
#[derive(Clone, Debug, Serialize)]
pub struct SinusoidCurve {
    /// Rows that are learned from.
    pub n_shots: usize,
    /// The rate of a step, where it was chosen on tasks of its own; none where it belongs to the training.
    pub chosen_rate: Option<f32>,
    /// A point for each of [`STEPS`].
    pub points: Vec<SinusoidPoint>,
}

/// The error after a number of steps.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct SinusoidPoint {
    /// Gradient steps.
    pub n_steps: usize,
    /// The mean squared error, its mean over tasks with a 95 % interval; none where steps diverge on some task, so that its error is
    /// above [`DIVERGED`].
    pub error: Option<Estimate>,
    /// The median over tasks.
    pub median: Option<f64>,
}

/// One wave and what starts say of it.
#[derive(Clone, Debug, Serialize)]
pub struct SinusoidExample {
    /// The wave.
    pub wave: Sinusoid,
    /// The rows that are learned from, as inputs and values.
    pub rows: Vec<(f64, f64)>,
    /// Inputs of the curves.
    pub inputs: Vec<f64>,
    /// The wave at these.
    pub values: Vec<f64>,
    /// What a start says, for each number of steps.
    pub curves: Vec<ExampleCurve>,
}

/// What a start says of a wave after some steps.
#[derive(Clone, Debug, Serialize)]
pub struct ExampleCurve {
    /// Its name.
    pub name: String,
    /// Gradient steps.
    pub n_steps: usize,
    /// At each input.
    pub values: Vec<f64>,
}

/// One task: a wave, rows to learn from, and the grid.
struct TestTask {
    wave: Sinusoid,
    xs: Vec<f64>,
}

fn test_task(family: &SinusoidFamily, seed: Seed, stream: &str, task: usize) -> TestTask {
    use rand::Rng;
    let mut rng = seed.indexed_stream(stream, &[task as u64]);
    let wave = family.draw(&mut rng);
    let most = SHOTS[SHOTS.len() - 1];
    let xs = (0..most).map(|_| rng.random_range(-LARGEST_INPUT..LARGEST_INPUT)).collect();
    TestTask { wave, xs }
}

fn grid() -> Vec<f64> {
    let step = 2.0 * LARGEST_INPUT / (N_GRID - 1) as f64;
    (0..N_GRID).map(|idx| -LARGEST_INPUT + step * idx as f64).collect()
}

/// Measures starts that were trained on sine waves; a name each. None for one that was trained on something else.
///
/// `listen` is told how many of the starts are measured.
pub fn sinusoid_benchmark(
    starts: &[(String, StartFile)],
    settings: &SinusoidSettings,
    listen: &mut dyn FnMut(usize),
) -> Option<SinusoidBenchmark> {
    let mut measured = Vec::with_capacity(starts.len());
    for (name, file) in starts {
        let FamilyConfig::Sinusoids(family) = &file.config.family else { return None };
        measured.push(measure(name, file, family, settings));
        listen(measured.len());
    }
    let shown: Vec<_> = starts
        .iter()
        .filter(|(_, file)| {
            let is_simple = matches!(&file.config.family, FamilyConfig::Sinusoids(family)
                if family.frequencies == (1.0, 1.0) && !family.is_told);
            is_simple
                && matches!(file.start.algorithm, StartAlgorithm::Maml | StartAlgorithm::Pretrained)
                && file.config.inner.n_steps <= 1
        })
        .collect();
    let examples = (0..N_EXAMPLES).map(|task| example(&shown, &measured, settings.seed, task)).collect();
    Some(SinusoidBenchmark {
        n_tasks: settings.n_tasks,
        seed: settings.seed.0,
        starts: measured,
        examples,
        published: &PUBLISHED,
    })
}

fn measure(
    name: &str,
    file: &StartFile,
    family: &SinusoidFamily,
    settings: &SinusoidSettings,
) -> SinusoidStart {
    // A training that goes through single steps has a rate that belongs to them.
    let has_rate = !matches!(file.start.algorithm, StartAlgorithm::Pretrained | StartAlgorithm::Reptile);
    let curve = |&n_shots: &usize| {
        let chosen_rate = (!has_rate).then(|| best_rate(&file.start, family, settings.seed, n_shots));
        let start = chosen_rate.map_or_else(|| file.start.clone(), |rate| file.start.with_rate(rate));
        let errors =
            errors_of(&start, family, settings.seed, "sinusoid.tasks", settings.n_tasks, n_shots, &STEPS);
        let point = |(at, &n_steps): (usize, &usize)| {
            let mut each: Vec<f64> = errors.iter().map(|errors| errors[at]).collect();
            let error =
                Estimate::of(&each).filter(|_| each.iter().all(|error| (0.0..=DIVERGED).contains(error)));
            // What is not a number is the largest of all.
            each.iter_mut().filter(|error| !error.is_finite()).for_each(|error| *error = f64::INFINITY);
            let median = Spread::of(&each).map(|spread| spread.median).filter(|median| median.is_finite());
            SinusoidPoint { n_steps, error, median }
        };
        SinusoidCurve { n_shots, chosen_rate, points: STEPS.iter().enumerate().map(point).collect() }
    };
    let (config, inner) = (&file.config, &file.config.inner);
    let trained = format!(
        "{}, {} outer steps of {} tasks of {} rows, {} inner steps at rate {}, seed {}",
        inner.algorithm.name(),
        file.iteration,
        config.tasks_per_iteration,
        family.n_support,
        inner.n_steps,
        inner.rate,
        config.seed.0
    );
    SinusoidStart {
        name: name.to_string(),
        trained,
        frequencies: family.frequencies,
        curves: SHOTS.iter().map(curve).collect(),
    }
}

/// The rate with the lowest mean error over 1, 5 and 10 steps, on tasks of its own.
fn best_rate(start: &LearnedStart, family: &SinusoidFamily, seed: Seed, n_shots: usize) -> f32 {
    let mean = |rate: f32| {
        let start = start.with_rate(rate);
        let errors = errors_of(&start, family, seed, "sinusoid.rates", N_RATE_TASKS, n_shots, &[1, 5, 10]);
        let sum = errors.iter().flatten().sum::<f64>();
        // What is not a number has a sign, and would be the least of all.
        if sum.is_finite() { sum } else { f64::INFINITY }
    };
    let means: Vec<(f64, f32)> = RATES.iter().map(|&rate| (mean(rate), rate)).collect();
    means.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map_or(RATES[0], |best| best.1)
}

/// For each task the mean squared errors on the grid after numbers of steps.
fn errors_of(
    start: &LearnedStart,
    family: &SinusoidFamily,
    seed: Seed,
    stream: &str,
    n_tasks: usize,
    n_shots: usize,
    n_steps: &[usize],
) -> Vec<Vec<f64>> {
    let grid = grid();
    let of_task = |task: usize| {
        let TestTask { wave, xs } = test_task(family, seed, stream, task);
        let (support, query) = (family.rows(&wave, &xs[..n_shots]), family.rows(&wave, &grid));
        let path = start.adapt_along(&support, n_steps);
        path.iter().map(|params| start.mlp.mean_loss(params, &query)).collect()
    };
    (0..n_tasks).map(of_task).collect()
}

fn example(
    shown: &[&(String, StartFile)],
    measured: &[SinusoidStart],
    seed: Seed,
    task: usize,
) -> SinusoidExample {
    let family = SinusoidFamily::benchmark(EXAMPLE_SHOTS, 1);
    let TestTask { wave, xs } = test_task(&family, seed, "sinusoid.examples", task);
    let xs = &xs[..EXAMPLE_SHOTS];
    let inputs = grid();
    let support: Batch<f32> = family.rows(&wave, xs);
    let query: Batch<f32> = family.rows(&wave, &inputs);
    let mut curves = Vec::new();
    for (name, file) in shown {
        let curve = measured
            .iter()
            .find(|start| start.name == *name)
            .and_then(|start| start.curves.iter().find(|curve| curve.n_shots == EXAMPLE_SHOTS));
        let rate = curve.and_then(|curve| curve.chosen_rate);
        let start = rate.map_or_else(|| file.start.clone(), |rate| file.start.with_rate(rate));
        for (params, n_steps) in start.adapt_along(&support, &EXAMPLE_STEPS).iter().zip(EXAMPLE_STEPS) {
            let outputs = start.mlp.outputs(params, &query.inputs);
            let values = outputs.iter().map(|&value| f64::from(value)).collect();
            curves.push(ExampleCurve { name: name.clone(), n_steps, values });
        }
    }
    let values = inputs.iter().map(|&x| wave.at(x)).collect();
    let rows = xs.iter().map(|&x| (x, wave.at(x))).collect();
    SinusoidExample { wave, rows, inputs, values, curves }
}

impl SinusoidBenchmark {
    /// The start of a name.
    pub fn start(&self, name: &str) -> Option<&SinusoidStart> {
        self.starts.iter().find(|start| start.name == name)
    }
}

impl SinusoidStart {
    /// The error after some steps on some rows, if that was measured and no step diverged.
    pub fn error(&self, n_shots: usize, n_steps: usize) -> Option<Estimate> {
        let curve = self.curves.iter().find(|curve| curve.n_shots == n_shots)?;
        curve.points.iter().find(|point| point.n_steps == n_steps)?.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_training::{AdamConfig, InnerConfig, StartConfig, StartState};

    fn file(algorithm: StartAlgorithm, n_steps: usize) -> StartFile {
        let config = StartConfig {
            seed: Seed(1),
            n_iterations: 1,
            tasks_per_iteration: 1,
            validate_every: 1,
            n_valid: 1,
            hidden: vec![8],
            n_context: 0,
            family: FamilyConfig::Sinusoids(SinusoidFamily::benchmark(10, 10)),
            inner: InnerConfig { algorithm, n_steps, rate: 0.01, per_step_losses: 0.0 },
            optimiser: AdamConfig::default(),
        };
        StartFile::of_start(&config, &StartState::new(&config).unwrap())
    }

    #[test]
    fn errors_are_those_of_the_waves() {
        // A network of zeros says 0 everywhere: its error is the mean square of the waves, whose mean is E[A²] / 2 = 4.25 with A
        // uniform from 0.1 to 5, but for the part of a period that the inputs cut off; 600 tasks have a standard error of about 0.15.
        let mut zeros = file(StartAlgorithm::Pretrained, 0);
        zeros.start.params.fill(0.0);
        let settings = SinusoidSettings { n_tasks: 600, seed: Seed(0) };
        let maml = file(StartAlgorithm::Maml, 1);
        let starts = [("zeros".to_string(), zeros), ("maml".to_string(), maml)];
        let mut told = Vec::new();
        let found = sinusoid_benchmark(&starts, &settings, &mut |n| told.push(n)).unwrap();
        assert_eq!(told, [1, 2]);
        let error = found.start("zeros").unwrap().error(10, 0).unwrap();
        assert!((error.mean - 4.25).abs() < 0.6, "{error:?}");
        assert_eq!(error.n, 600);
        assert!(error.high.unwrap() - error.low.unwrap() < 1.0);
        // With more rows nothing changes before a step, and a rate is chosen where none belongs to the training.
        let zeros = found.start("zeros").unwrap();
        assert_eq!(zeros.error(5, 0), zeros.error(20, 0));
        assert_eq!(zeros.curves[0].points[0].median, zeros.curves[2].points[0].median);
        let chosen = |name: &str| found.start(name).unwrap().curves[0].chosen_rate.is_some();
        assert_eq!((chosen("zeros"), chosen("maml")), (true, false));
        // Numbers that run away are told from errors.
        let mut wild = file(StartAlgorithm::Maml, 1);
        wild.start.rates.fill(50.0);
        let wild = sinusoid_benchmark(&[("wild".to_string(), wild)], &settings, &mut |_| ())
            .unwrap()
            .starts
            .remove(0);
        assert!(wild.error(10, 0).is_some() && wild.error(10, 10).is_none());
        assert_eq!(found.examples.len(), 3);
        assert_eq!(found.examples[0].curves.len(), 6);
    }
}
