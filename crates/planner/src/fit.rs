//! Fitting a predictor to recorded runs.

use crate::collect::VERSION;
use crate::error::PlannerError;
use crate::examples::{Example, PlannedRuns};
use crate::{Calibration, Decision, LinearPredictor, PerformancePredictor, mean_and_deviation, opinions};
use burn::tensor::Device;
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use weightsmith_base_model::BaseModel;
use weightsmith_ledger::{
    Ledger, LedgerError, Named, Outcome, Parent, ParentKind, RunRecord, RunRole, Uid, Value,
};
use weightsmith_runtime::in_parallel;
use weightsmith_runtime::{Cost, Stopwatch};
use weightsmith_tasks::{Above, Base, Seed, Support};
use weightsmith_training::{InnerError, Optimiser, Recipe, Start, Training};

/// How a predictor is fitted.
#[derive(Clone, Debug)]
pub struct FitSettings {
    /// Looks at each run.
    pub n_looks: usize,
    /// Networks of the ensemble.
    pub n_networks: usize,
    /// Folds by root for the calibration.
    pub n_folds: usize,
    /// The strength of the ridge.
    pub strength: f32,
    /// Of looks, folds and networks.
    pub seed: Seed,
    /// Trainings at once, one core each.
    pub n_threads: usize,
}

impl Default for FitSettings {
    fn default() -> Self {
        Self { n_looks: 4, n_networks: 5, n_folds: 5, strength: 3e-4, seed: Seed(0), n_threads: 1 }
    }
}

/// The networks' training: fast steps, then calmer ones.
const PHASES: [(f32, usize); 3] = [(3e-3, 5), (1e-3, 2), (3e-4, 2)];
const BATCH: usize = 256;
const HIDDEN: [usize; 2] = [64, 64];

/// A network trained on rows about runs.
pub(crate) fn train_network(
    support: &Support<Above<Base>>,
    seed: Seed,
    device: &Device,
) -> Result<BaseModel<Above<Base>>, InnerError> {
    let mut model: Option<BaseModel<Above<Base>>> = None;
    for (learning_rate, n_epochs) in PHASES {
        let recipe = &Recipe {
            hidden: HIDDEN.to_vec(),
            optimiser: Optimiser::AdamW,
            learning_rate,
            weight_decay: 0.25,
            n_epochs,
            batch_size: BATCH,
            ..Recipe::default()
        };
        let start = model.as_ref().map_or(Start::Random, Start::From);
        model = Some(Training { support, start, recipe, seed, device }.run(&mut |_| {})?.model);
    }
    Ok(model.expect("there is a phase"))
}

/// Trains an ensemble on each of several groups of examples, every network on a core of its own; `held_out` are data sets
/// that none of a group's runs may come from.
pub(crate) fn train_ensembles(
    runs: &PlannedRuns,
    groups: &[(Vec<Example>, BTreeSet<String>)],
    n_networks: usize,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Vec<BaseModel<Above<Base>>>>, PlannerError> {
    let lifted = groups.iter().map(|(examples, held_out)| runs.lifted(examples, held_out));
    let lifted = lifted.collect::<Result<Vec<_>, _>>()?;
    let jobs: Vec<(usize, u64)> =
        (0..groups.len()).flat_map(|group| (0..n_networks as u64).map(move |at| (group, at))).collect();
    let n_jobs = jobs.len();
    let work = |(group, at): (usize, u64)| {
        let seed = Seed(settings.seed.0.wrapping_add(at));
        (group, train_network(&lifted[group].support, seed, device))
    };
    let trained = in_parallel(jobs, settings.n_threads, work, &mut |n| listen(n, n_jobs));
    let mut ensembles = vec![Vec::new(); groups.len()];
    for (group, network) in trained {
        ensembles[group].push(network?);
    }
    Ok(ensembles)
}

/// Fits a predictor to runs. Its networks are calibrated by others that were trained without a fold of the data sets.
/// `listen` hears how many of the networks are trained.
///
/// # Errors
/// Runs of several splits or of too few data sets, a training that diverges.
pub fn fit_predictor(
    runs: &PlannedRuns,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<PerformancePredictor, PlannerError> {
    let all: Vec<usize> = (0..runs.len()).collect();
    let examples = runs.examples(&all, settings.n_looks, settings.seed);
    Ok(fit_to_examples(runs, &examples, settings, device, listen)?.predictor)
}

/// [`fit_predictor`], recorded in the ledger that the runs come from, at the level of its rows.
///
/// # Errors
/// Those of [`fit_predictor`], a ledger that cannot be written.
pub fn fit_and_record(
    ledger: &mut Ledger,
    runs: &PlannedRuns,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<PerformancePredictor, PlannerError> {
    let stopwatch = Stopwatch::of_process(Cost::default());
    let all: Vec<usize> = (0..runs.len()).collect();
    let examples = runs.examples(&all, settings.n_looks, settings.seed);
    let fitted = fit_to_examples(runs, &examples, settings, device, listen)?;
    let cost = stopwatch.cost();
    let number = |value: f64| Value::Number(value);
    let recipe = [
        ("made", "trained".into()),
        ("n_looks", number(settings.n_looks as f64)),
        ("n_networks", number(settings.n_networks as f64)),
        ("n_folds", number(settings.n_folds as f64)),
        ("strength", number(settings.strength.into())),
    ];
    let [seed, n_looks, n_networks] =
        [settings.seed.0, settings.n_looks as u64, settings.n_networks as u64].map(|n| n.to_string());
    let learner = runs.learner_uid();
    let split = runs.runs[0].record.split;
    let record: RunRecord<Above<Base>> = RunRecord {
        uid: Uid::derived(&["plan fit", &learner.to_string(), &seed, &n_looks, &n_networks]),
        role: RunRole::Predictor,
        task: "planned runs".into(),
        roots: runs.roots(),
        split,
        recipe: recipe.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
        features: Named::new(),
        probe: Named::new(),
        outcome: Outcome {
            metric: "held_out_rmse".into(),
            value: Some(fitted.held_out_rmse).filter(|rmse| rmse.is_finite()),
            n_short: examples.len() as u64,
            n_long: fitted.n_held_out as u64,
        },
        cost: weightsmith_ledger::Cost { cpu_s: cost.cpu_s, wall_s: cost.wall_s },
        seed: settings.seed.0,
        code_version: VERSION.into(),
        device: "cpu".into(),
        n_steps: 0,
        parents: runs.runs.iter().map(|run| Parent { uid: run.record.uid, kind: ParentKind::Data }).collect(),
        curve: Vec::new(),
        level: PhantomData,
    };
    match ledger.append(&record) {
        // The same was fitted before, in other time.
        Ok(_) | Err(LedgerError::OtherContent { .. }) => Ok(fitted.predictor),
        Err(error) => Err(error.into()),
    }
}

/// A predictor, and how far others like it were from what came on data sets that they had not seen.
pub(crate) struct Fitted {
    pub(crate) predictor: PerformancePredictor,
    /// Over all looks, of natural logarithms of losses.
    held_out_rmse: f64,
    n_held_out: usize,
}

/// [`fit_predictor`] to these looks at the runs.
pub(crate) fn fit_to_examples(
    runs: &PlannedRuns,
    examples: &[Example],
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<Fitted, PlannerError> {
    let n_roots = runs.roots().len();
    if n_roots < settings.n_folds {
        return Err(PlannerError::TooFewRoots { n_roots, n_needed: settings.n_folds });
    }
    let folds = runs.folds(settings.n_folds, settings.seed);
    let mut groups: Vec<(Vec<Example>, BTreeSet<String>)> = folds
        .iter()
        .map(|fold| {
            let held: BTreeSet<usize> = runs.of_roots(fold).into_iter().collect();
            (examples.iter().filter(|example| !held.contains(&example.run)).copied().collect(), fold.clone())
        })
        .collect();
    groups.push((examples.to_vec(), BTreeSet::new()));
    let mut ensembles = train_ensembles(runs, &groups, settings.n_networks, settings, device, listen)?;
    let networks = ensembles.pop().expect("the last group is everything");
    let mut errors: BTreeMap<(String, u64), Vec<(f64, f64)>> = BTreeMap::new();
    let mut choices = Vec::new();
    for (networks, fold) in ensembles.into_iter().zip(&folds) {
        let held = runs.of_roots(fold);
        for (task, of_task) in runs.by_task(&held) {
            let looks: Vec<Example> = of_task.iter().flat_map(|&run| runs.looks(run)).collect();
            let opinions = opinions(&networks, &runs.prospects(&looks))?;
            let error = |at: usize| {
                let (mean, deviation) = mean_and_deviation(opinions.iter().map(|said| said[at]));
                (looks[at].target - mean, deviation.powi(2))
            };
            errors.insert(task, (0..looks.len()).map(error).collect());
            let is_generated = |look: &Example| runs.runs[look.run].decision == Decision::Generate;
            if let Some(generated) = looks.iter().position(is_generated) {
                let of = |at: usize| Choice {
                    excess: mean_and_deviation(opinions.iter().map(|said| said[at] - said[generated])),
                    loss: looks[at].target.exp(),
                };
                choices.push((0..looks.len()).map(of).collect());
            }
        }
    }
    let n_held_out = errors.values().map(Vec::len).sum::<usize>();
    let squares: f64 = errors.values().flatten().map(|(error, _)| error * error).sum();
    let held_out_rmse = (squares / n_held_out as f64).sqrt();
    let calibration =
        Calibration::of_errors(&errors.into_values().collect::<Vec<_>>(), least_caution(&choices));
    let targets: Vec<f64> = examples.iter().map(|example| example.target).collect();
    let linear = LinearPredictor::fit(&runs.prospects(examples), &targets, settings.strength, device);
    let predictor = PerformancePredictor { linear, networks, calibration };
    Ok(Fitted { predictor, held_out_rmse, n_held_out })
}

/// Cautions that are tried. On data sets of the kind that the networks learned from, 1 to 2 would do; what is decided for is of
/// another kind, see `ARCHITECTURE.md`.
const CAUTIONS: [f64; 4] = [4.0, 5.0, 6.0, 8.0];

/// A look at a run of a data set that the networks had not seen.
struct Choice {
    excess: (f64, f64),
    loss: f64,
}

/// The caution with which choices among the looks at each task's runs lose least.
fn least_caution(tasks: &[Vec<Choice>]) -> f64 {
    let loss = |caution: &f64| -> f64 {
        let calibration = Calibration { noise: 0.0, quantile: 0.0, caution: *caution };
        let bound = |choice: &&Choice| calibration.bound(choice.excess);
        let chosen = tasks.iter().filter_map(|task| task.iter().min_by(|a, b| bound(a).total_cmp(&bound(b))));
        chosen.map(|choice| choice.loss).sum()
    };
    let best = CAUTIONS.into_iter().min_by(|a, b| loss(a).total_cmp(&loss(b)));
    best.expect("some cautions are tried")
}
