//! How well the losses of trainings are foreseen on data sets that a predictor has not seen.

use crate::collect::PROBE_STEPS;
use crate::error::PlannerError;
use crate::examples::{Example, PlannedRuns};
use crate::fit::{FitSettings, fit_to_examples, train_network};
use crate::{
    Decision, Foresight, PerformancePredictor, Prospect, mean_and_deviation, opinions_of_rows, prospect_table,
};
use burn::tensor::Device;
use rand::seq::index::sample;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_base_model::BaseModel;
use weightsmith_evaluation::statistics::{Spread, spearman};
use weightsmith_generation::{GenerateOptions, generate_base_model};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::in_parallel;
use weightsmith_runtime::{Cost, Stopwatch};
use weightsmith_tasks::{Above, Base, Seed, Support};
use weightsmith_training::{Optimiser, Recipe, fit_linear, grid, train_base_model, tune_base_model};

/// Rows about runs that the small predictors read.
const SMALL: [usize; 3] = [64, 256, 1024];

/// What learns to foresee losses.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Learner {
    Ensemble,
    Probed,
    Linear,
    Generated,
    Tuned,
    Trained,
    TunedLinear,
    Mean,
}

impl Learner {
    fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Tuned => "adam-tuned",
            Self::Trained => "adam",
            Self::TunedLinear => "linear-tuned",
            Self::Ensemble => "ensemble",
            Self::Probed => "ensemble with probes",
            Self::Linear => "linear",
            Self::Mean => "mean",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Ensemble => "the predictor's networks, trained on all rows about runs",
            Self::Probed => "the same networks, told what the first 32 steps showed, where more are foreseen",
            Self::Linear => "the predictor's ridge regression on products, on all rows",
            Self::Generated => "weights that the metamodel generated from some rows",
            Self::Tuned => "a network trained by Adam on the same rows, recipe by cross-validation",
            Self::Trained => "a network trained by Adam on the same rows, default recipe",
            Self::TunedLinear => "ridge regression on the same rows, strength by cross-validation",
            Self::Mean => "the mean of all rows",
        }
    }

    const SMALL: [Self; 4] = [Self::Generated, Self::Tuned, Self::Trained, Self::TunedLinear];
}

/// How well one learner foresaw the losses of one task's runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskReport {
    /// The task.
    pub task: String,
    /// Its short rows.
    pub n_short: u64,
    /// Runs of it.
    pub n_runs: usize,
    /// Spearman's, over recipes at their last looks; none where one side does not vary.
    pub rank_correlation: Option<f64>,
    /// The same over all looks.
    pub rank_correlation_of_looks: Option<f64>,
    /// The share of looks inside the 90% interval, where there is one.
    pub coverage: Option<f64>,
    /// Root mean square of the errors, in logarithms of losses.
    pub rmse: f64,
    /// The loss of generating above the best of all, as a share of the base loss, where that was recorded.
    pub regret_of_generating: Option<f64>,
    /// The loss of the recorded look that was foreseen to be best, above the best of all, as a share of the base loss.
    pub regret: f64,
}

/// One learner over tasks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LearnerReport {
    /// Its name, and the rows it read where these were some.
    pub name: String,
    /// What it is.
    pub about: &'static str,
    /// Over tasks: rank correlation over recipes.
    pub rank_correlation: Option<Spread>,
    /// Over tasks: rank correlation over all looks.
    pub rank_correlation_of_looks: Option<Spread>,
    /// Mean over tasks.
    pub coverage: Option<f64>,
    /// Mean over tasks.
    pub rmse: f64,
    /// 1 less the squared errors of all looks as a share of those of their mean.
    pub r2: f64,
    /// Mean over tasks.
    pub regret: f64,
    /// Processor seconds of learning, over folds.
    pub cpu_s: f64,
    /// Each task.
    pub tasks: Vec<TaskReport>,
}

/// Decisions among the recorded looks at each task's runs, with some caution.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct CautionReport {
    /// The caution.
    pub caution: f64,
    /// The share of tasks for which a training was chosen.
    pub share_trained: f64,
    /// Mean over tasks of the loss less that of generating, as a share of the base loss.
    pub change: f64,
}

/// Cautions that are reported.
const CAUTIONS: [f64; 7] = [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0];

/// How well losses are foreseen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment {
    /// Runs in all.
    pub n_runs: usize,
    /// Data sets in all.
    pub n_roots: usize,
    /// Folds of data sets that were held out in turn.
    pub n_folds: usize,
    /// Every learner.
    pub learners: Vec<LearnerReport>,
    /// What decisions among recorded looks come to, the more caution the later.
    pub cautions: Vec<CautionReport>,
    /// Some looks: what was foreseen with its interval, and what came.
    pub sample: Vec<[f64; 4]>,
}

/// Looks of the sample for a picture.
const N_SAMPLE: usize = 1500;

/// A task of a fold that is held out.
struct HeldTask {
    task: String,
    n_short: u64,
    n_runs: usize,
    /// The places of the looks at its runs, ascending.
    looks: Vec<usize>,
}

impl HeldTask {
    /// Those of the held-out runs, whose looks are in the order of the runs.
    fn all(runs: &PlannedRuns, held: &[usize], looks: &[Example]) -> Vec<Self> {
        let mut by_run: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        looks.iter().enumerate().for_each(|(at, look)| by_run.entry(look.run).or_default().push(at));
        let tasks = runs.by_task(held).into_iter().map(|((task, n_short), of_task)| Self {
            task,
            n_short,
            n_runs: of_task.len(),
            looks: of_task.iter().filter_map(|run| by_run.get(run)).flatten().copied().collect(),
        });
        tasks.collect()
    }
}

/// What a learner said of the looks of a fold.
struct Said {
    name: String,
    learner: Learner,
    values: Vec<f64>,
    intervals: Option<Vec<(f64, f64)>>,
    /// By what it would choose, lowest first; by the values where there is nothing else.
    bounds: Option<Vec<f64>>,
    /// Excess over generating, where networks disagree about it.
    excesses: Option<Vec<(f64, f64)>>,
    cpu_s: f64,
}

/// Holds out folds of data sets in turn, fits predictors to the runs of all others, and compares what they foresee with
/// what came. `metamodel` generates the weights of small predictors; it is one for numbers.
///
/// # Errors
/// Those of [`super::fit_predictor`].
pub fn assess(
    runs: &PlannedRuns,
    folds: &[BTreeSet<String>],
    metamodel: &Pretrained,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize, usize),
) -> Result<Assessment, PlannerError> {
    let mut learners: Vec<(Learner, LearnerReport, f64, f64)> = Vec::new();
    let mut pictured = Vec::new();
    let mut changes: [Vec<Option<f64>>; CAUTIONS.len()] = Default::default();
    for (fold_idx, fold) in folds.iter().enumerate() {
        let held = runs.of_roots(fold);
        let rest = runs.without(fold);
        let looks: Vec<Example> = held.iter().flat_map(|&run| runs.looks(run)).collect();
        let tasks = HeldTask::all(runs, &held, &looks);
        let said = say(runs, &rest, &looks, fold, metamodel, settings, device, &mut |n, all| {
            listen(fold_idx, n, all);
        })?;
        for said in said {
            if let Some(excesses) = &said.excesses {
                add_changes(runs, &tasks, &looks, excesses, &mut changes);
            }
            if let (Learner::Ensemble, Some(intervals)) = (said.learner, &said.intervals) {
                let ends = said.values.iter().zip(intervals).zip(&looks);
                pictured.extend(ends.map(|((mean, (low, high)), look)| [*mean, *low, *high, look.target]));
            }
            let at =
                learners.iter().position(|(_, report, ..)| report.name == said.name).unwrap_or_else(|| {
                    learners.push((said.learner, LearnerReport::new(&said), 0.0, 0.0));
                    learners.len() - 1
                });
            let (_, report, squares, total) = &mut learners[at];
            report.cpu_s += said.cpu_s;
            add(runs, &tasks, &looks, &said, report, squares, total);
        }
    }
    let random = &mut settings.seed.stream("planning.sample");
    let picked = sample(random, pictured.len(), N_SAMPLE.min(pictured.len()));
    Ok(Assessment {
        n_runs: runs.len(),
        n_roots: runs.roots().len(),
        n_folds: folds.len(),
        learners: learners
            .into_iter()
            .map(|(_, report, squares, total)| report.finished(squares, total))
            .collect(),
        cautions: CAUTIONS
            .iter()
            .zip(&changes)
            .map(|(caution, changes)| {
                let n = changes.len().max(1) as f64;
                CautionReport {
                    caution: *caution,
                    share_trained: changes.iter().flatten().count() as f64 / n,
                    change: changes.iter().flatten().sum::<f64>() / n,
                }
            })
            .collect(),
        sample: picked.into_iter().map(|at| pictured[at]).collect(),
    })
}

/// What every learner that learned from `rest` says of looks at runs of the data sets that are held out.
#[expect(clippy::too_many_arguments, reason = "one call, of what `assess` is given and a fold of it")]
fn say(
    runs: &PlannedRuns,
    rest: &PlannedRuns,
    looks: &[Example],
    fold: &BTreeSet<String>,
    metamodel: &Pretrained,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Said>, PlannerError> {
    let prospects = runs.prospects(looks);
    let stopwatch = Stopwatch::of_process(Cost::default());
    let all: Vec<usize> = (0..rest.len()).collect();
    let examples = rest.examples(&all, settings.n_looks, settings.seed);
    let predictor = fit_to_examples(rest, &examples, settings, device, listen)?.predictor;
    let cpu_s = stopwatch.cost().cpu_s;
    let foreseen = predictor.foresee(&prospects)?;
    let excesses = excesses(runs, looks, &predictor)?;
    let bounds = excesses.iter().map(|excess| predictor.calibration.bound(*excess)).collect();
    let mut said = vec![
        Said {
            name: Learner::Ensemble.name().into(),
            learner: Learner::Ensemble,
            values: foreseen.iter().map(|foresight| foresight.mean).collect(),
            intervals: Some(foreseen.iter().map(|foresight| (foresight.low, foresight.high)).collect()),
            bounds: Some(bounds),
            excesses: Some(excesses),
            cpu_s,
        },
        Said {
            name: Learner::Linear.name().into(),
            learner: Learner::Linear,
            values: prospects.iter().map(|prospect| predictor.linear.predict(prospect)).collect(),
            intervals: None,
            bounds: None,
            excesses: None,
            cpu_s: 0.0,
        },
    ];
    said.push(probed(runs, rest, looks, fold, &examples, &foreseen, settings, device)?);
    let mean = examples.iter().map(|example| example.target).sum::<f64>() / examples.len() as f64;
    said.push(Said {
        name: Learner::Mean.name().into(),
        learner: Learner::Mean,
        values: vec![mean; looks.len()],
        intervals: None,
        bounds: None,
        excesses: None,
        cpu_s: 0.0,
    });
    let table = prospect_table(&prospects);
    for n_rows in SMALL.into_iter().filter(|n_rows| *n_rows <= examples.len()) {
        let random = &mut settings.seed.indexed_stream("planning.small", &[n_rows as u64]);
        let some: Vec<Example> =
            sample(random, examples.len(), n_rows).into_iter().map(|at| examples[at]).collect();
        let support = rest.lifted(&some, fold)?.support;
        for learner in Learner::SMALL {
            let stopwatch = Stopwatch::of_thread();
            let model = small(learner, &support, metamodel, settings.seed, device)?;
            let cpu_s = stopwatch.cost().cpu_s;
            let predictions = model.predict(&table)?;
            let values = predictions.values().expect("the target of rows about runs is a number");
            said.push(Said {
                name: format!("{} from {n_rows} rows", learner.name()),
                learner,
                values: values.iter().map(|value| f64::from(*value)).collect(),
                intervals: None,
                bounds: None,
                excesses: None,
                cpu_s,
            });
        }
    }
    Ok(said)
}

/// What networks foresee that are told what the first steps of a run showed; of looks at these steps, and of generations, what
/// was foreseen without.
#[expect(clippy::too_many_arguments, reason = "a part of `say`, with what that has made so far")]
fn probed(
    runs: &PlannedRuns,
    rest: &PlannedRuns,
    looks: &[Example],
    fold: &BTreeSet<String>,
    examples: &[Example],
    foreseen: &[Foresight],
    settings: &FitSettings,
    device: &Device,
) -> Result<Said, PlannerError> {
    let is_later = |look: &Example| look.n_steps > PROBE_STEPS;
    let later: Vec<Example> = examples.iter().filter(|example| is_later(example)).copied().collect();
    let stopwatch = Stopwatch::of_process(Cost::default());
    let support = rest.lifted_with_probes(&later, fold)?.support;
    let seeds: Vec<u64> =
        (0..settings.n_networks as u64).map(|at| settings.seed.0.wrapping_add(at)).collect();
    let train = |seed: u64| train_network(&support, Seed(seed), device);
    let networks = in_parallel(seeds, settings.n_threads, train, &mut |_| {});
    let networks = networks.into_iter().collect::<Result<Vec<_>, _>>()?;
    let cpu_s = stopwatch.cost().cpu_s;
    let mut values: Vec<f64> = foreseen.iter().map(|foresight| foresight.mean).collect();
    let places: Vec<usize> = (0..looks.len()).filter(|&at| is_later(&looks[at])).collect();
    for places in places.chunks(8192) {
        let here: Vec<Example> = places.iter().map(|&at| looks[at]).collect();
        let opinions = opinions_of_rows(&networks, &runs.probed(&here))?;
        for (row, &at) in places.iter().enumerate() {
            values[at] = mean_and_deviation(opinions.iter().map(|said| said[row])).0;
        }
    }
    Ok(Said {
        name: Learner::Probed.name().into(),
        learner: Learner::Probed,
        values,
        intervals: None,
        bounds: None,
        excesses: None,
        cpu_s,
    })
}

/// How much worse than generating for its own task each look is foreseen to be.
fn excesses(
    runs: &PlannedRuns,
    looks: &[Example],
    predictor: &PerformancePredictor,
) -> Result<Vec<(f64, f64)>, PlannerError> {
    let generated: Vec<Prospect<'_>> = looks
        .iter()
        .map(|look| Prospect {
            decision: Decision::Generate,
            n_steps: 0,
            features: &runs.runs[look.run].features,
        })
        .collect();
    let of_generated = predictor.opinions(&generated)?;
    let of_looks = predictor.opinions(&runs.prospects(looks))?;
    let of = |at: usize| {
        mean_and_deviation(
            of_looks.iter().zip(&of_generated).map(|(look, generated)| look[at] - generated[at]),
        )
    };
    Ok((0..looks.len()).map(of).collect())
}

/// Adds to each caution what it does to the loss of every task: none where it generates.
fn add_changes(
    runs: &PlannedRuns,
    tasks: &[HeldTask],
    looks: &[Example],
    excesses: &[(f64, f64)],
    changes: &mut [Vec<Option<f64>>; CAUTIONS.len()],
) {
    for HeldTask { looks: here, .. } in tasks {
        let is_generated = |at: &&usize| runs.runs[looks[**at].run].decision == Decision::Generate;
        let Some(&generated) = here.iter().find(is_generated) else { continue };
        for (caution, changes) in CAUTIONS.iter().zip(&mut *changes) {
            let bound = |at: usize| excesses[at].0 + caution * excesses[at].1;
            let best = here.iter().copied().min_by(|&a, &b| bound(a).total_cmp(&bound(b)));
            let chosen = best.filter(|&at| bound(at) < 0.0);
            changes.push(chosen.map(|at| looks[at].target.exp() - looks[generated].target.exp()));
        }
    }
}

/// A predictor learned from few rows.
fn small(
    learner: Learner,
    support: &Support<Above<Base>>,
    metamodel: &Pretrained,
    seed: Seed,
    device: &Device,
) -> Result<BaseModel<Above<Base>>, PlannerError> {
    Ok(match learner {
        Learner::Generated => {
            let options = GenerateOptions { n_threads: 1, ..GenerateOptions::default() };
            generate_base_model(metamodel, support, options)?.0
        }
        Learner::Tuned => {
            let recipes = grid(Optimiser::Adam, support.target().task_type());
            tune_base_model(support, &recipes, seed, device, &mut |_| {})?.trained.model
        }
        Learner::Trained => train_base_model(support, &Recipe::default(), seed, device)?.model,
        _ => fit_linear(support, seed)?,
    })
}

/// Adds a fold to a report.
fn add(
    runs: &PlannedRuns,
    tasks: &[HeldTask],
    looks: &[Example],
    said: &Said,
    report: &mut LearnerReport,
    squares: &mut f64,
    total: &mut f64,
) {
    let mean = looks.iter().map(|look| look.target).sum::<f64>() / looks.len().max(1) as f64;
    for (look, value) in looks.iter().zip(&said.values) {
        *squares += (look.target - value).powi(2);
        *total += (look.target - mean).powi(2);
    }
    for HeldTask { task, n_short, n_runs, looks: here } in tasks {
        let pick = |places: &[usize]| -> (Vec<f64>, Vec<f64>) {
            places.iter().map(|&at| (said.values[at], looks[at].target)).unzip()
        };
        // The looks at a run follow one another.
        let is_last = |at: &usize| looks.get(at + 1).is_none_or(|next| next.run != looks[*at].run);
        let last: Vec<usize> = here.iter().copied().filter(is_last).collect();
        let (foreseen, came) = pick(here);
        let (foreseen_last, came_last) = pick(&last);
        let n = here.len().max(1) as f64;
        let errors = foreseen.iter().zip(&came).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let bounds = said.bounds.as_ref().unwrap_or(&said.values);
        let lowest = (0..here.len()).min_by(|&a, &b| bounds[here[a]].total_cmp(&bounds[here[b]]));
        let Some(chosen) = lowest else { continue };
        let best = came.iter().copied().fold(f64::INFINITY, f64::min);
        report.tasks.push(TaskReport {
            task: task.clone(),
            n_short: *n_short,
            n_runs: *n_runs,
            rank_correlation: spearman(&foreseen_last, &came_last),
            rank_correlation_of_looks: spearman(&foreseen, &came),
            coverage: said.intervals.as_ref().map(|intervals| {
                let inside =
                    |at: &&usize| (intervals[**at].0..=intervals[**at].1).contains(&looks[**at].target);
                here.iter().filter(inside).count() as f64 / n
            }),
            rmse: (errors / n).sqrt(),
            regret_of_generating: here
                .iter()
                .position(|&at| runs.runs[looks[at].run].decision == Decision::Generate)
                .map(|generated| came[generated].exp() - best.exp()),
            regret: came[chosen].exp() - best.exp(),
        });
    }
}

impl LearnerReport {
    fn new(said: &Said) -> Self {
        Self {
            name: said.name.clone(),
            about: said.learner.about(),
            rank_correlation: None,
            rank_correlation_of_looks: None,
            coverage: None,
            rmse: f64::NAN,
            r2: f64::NAN,
            regret: f64::NAN,
            cpu_s: 0.0,
            tasks: Vec::new(),
        }
    }

    fn finished(mut self, squares: f64, total: f64) -> Self {
        let over = |pick: &dyn Fn(&TaskReport) -> Option<f64>| -> Vec<f64> {
            self.tasks.iter().filter_map(pick).collect()
        };
        let mean = |numbers: Vec<f64>| numbers.iter().sum::<f64>() / numbers.len().max(1) as f64;
        let covered = over(&|task| task.coverage);
        self.rank_correlation = Spread::of(&over(&|task| task.rank_correlation));
        self.rank_correlation_of_looks = Spread::of(&over(&|task| task.rank_correlation_of_looks));
        self.coverage = (!covered.is_empty()).then(|| mean(covered));
        self.rmse = mean(over(&|task| Some(task.rmse)));
        self.regret = mean(over(&|task| Some(task.regret)));
        self.r2 = 1.0 - squares / total;
        self
    }
}
