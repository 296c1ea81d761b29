//! Fitting a predictor to recorded runs.

use crate::error::PlannerError;
use crate::predictor::calibration::{Calibration, Estimate};
use crate::predictor::costs::CostModel;
use crate::predictor::ensemble::{PerformancePredictor, member_predictions};
use crate::predictor::gains::fit_gains;
use crate::predictor::linear::LinearPredictor;
use crate::runs::{Example, RecordedRuns, VERSION};
use crate::space::decision::Decision;
use burn::tensor::Device;
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use weightsmith_base_model::BaseModel;
use weightsmith_ledger::{Ledger, Named, Outcome, Parent, ParentKind, RunRecord, RunRole, Uid, Value};
use weightsmith_runtime::{Cost, Stopwatch, in_parallel};
use weightsmith_tasks::{Above, Base, Seed, Support};
use weightsmith_training::{InnerError, Optimiser, Recipe, Start, Training};

/// How a predictor is fitted.
#[derive(Clone, Debug)]
pub struct FitSettings {
    /// Evaluation points of each run, at most.
    pub n_points: usize,
    /// Members of the ensemble.
    pub n_networks: usize,
    /// Folds of data sets for the calibration.
    pub n_folds: usize,
    /// The ridge penalty of the linear predictor.
    pub strength: f32,
    /// The seed of evaluation points, folds and networks.
    pub seed: Seed,
    /// Trainings at once, one core each.
    pub n_threads: usize,
}

impl Default for FitSettings {
    fn default() -> Self {
        Self { n_points: 4, n_networks: 5, n_folds: 5, strength: 3e-4, seed: Seed(0), n_threads: 1 }
    }
}

/// The training of a network in phases: a learning rate and a number of epochs each.
const PHASES: [(f32, usize); 3] = [(3e-3, 5), (1e-3, 2), (3e-4, 2)];
const BATCH: usize = 256;
const HIDDEN: [usize; 2] = [64, 64];

/// Trains one network on rows about runs.
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

/// Trains an ensemble on each of several groups of examples, every network on a core of its own. With each group come the data
/// sets that none of its runs may come from.
pub(crate) fn train_ensembles(
    runs: &RecordedRuns,
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

/// Fits a predictor to runs. It is calibrated by the errors of other ensembles, each trained without a fold of the data sets, on
/// that fold. `listen` is called with the number of networks that are trained and the number of all.
///
/// # Errors
/// Runs of several splits or of too few data sets, a training that diverges.
pub fn fit_predictor(
    runs: &RecordedRuns,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<PerformancePredictor, PlannerError> {
    let all: Vec<usize> = (0..runs.len()).collect();
    let examples = runs.examples(&all, settings.n_points, settings.seed);
    let fitted = fit_to_examples(runs, &examples, settings, device, listen)?;
    Ok(fit_methods_of(fitted.predictor, runs, settings))
}

/// [`fit_predictor`], recorded in the ledger that the runs come from, at the level of its rows.
///
/// # Errors
/// Those of [`fit_predictor`], a ledger that cannot be written or that holds another outcome of the same fit.
pub fn fit_and_record(
    ledger: &mut Ledger,
    runs: &RecordedRuns,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<PerformancePredictor, PlannerError> {
    let stopwatch = Stopwatch::of_process(Cost::default());
    let all: Vec<usize> = (0..runs.len()).collect();
    let examples = runs.examples(&all, settings.n_points, settings.seed);
    let fitted = fit_to_examples(runs, &examples, settings, device, listen)?;
    let (held_out_rmse, n_held_out) = (fitted.held_out_rmse, fitted.n_held_out);
    let predictor = fit_methods_of(fitted.predictor, runs, settings);
    let cost = stopwatch.cost();
    let number = |value: f64| Value::Number(value);
    let recipe = [
        ("made", "trained".into()),
        ("n_points", number(settings.n_points as f64)),
        ("n_networks", number(settings.n_networks as f64)),
        ("n_folds", number(settings.n_folds as f64)),
        ("strength", number(settings.strength.into())),
    ];
    let [seed, n_points, n_networks] =
        [settings.seed.0, settings.n_points as u64, settings.n_networks as u64].map(|n| n.to_string());
    let learner = runs.learner_uid();
    let split = runs.runs[0].record.split;
    let record: RunRecord<Above<Base>> = RunRecord {
        uid: Uid::derived(&["plan fit", &learner.to_string(), &seed, &n_points, &n_networks]),
        role: RunRole::Predictor,
        task: "planned runs".into(),
        roots: runs.roots(),
        split,
        recipe: recipe.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
        features: Named::new(),
        probe: Named::new(),
        outcome: Outcome {
            metric: "held_out_rmse".into(),
            value: Some(held_out_rmse).filter(|rmse| rmse.is_finite()),
            n_short: examples.len() as u64,
            n_long: n_held_out as u64,
        },
        cost: weightsmith_ledger::Cost { cpu_s: cost.cpu_s, wall_s: cost.wall_s },
        seed: settings.seed.0,
        code_version: VERSION.into(),
        device: "cpu".into(),
        n_steps: 0,
        parents: runs
            .runs
            .iter()
            .chain(&runs.methods)
            .map(|run| Parent { uid: run.record.uid, kind: ParentKind::Data })
            .collect(),
        curve: Vec::new(),
        level: PhantomData,
    };
    // The same may have been fitted before, in other time.
    ledger.append_once(&record)?;
    Ok(predictor)
}

/// A predictor, and the error of others like it on data sets that they had not seen.
pub(crate) struct Fitted {
    pub(crate) predictor: PerformancePredictor,
    /// Over all evaluation points, of natural logarithms of losses.
    held_out_rmse: f64,
    n_held_out: usize,
}

/// A predictor with what these runs say of methods and of costs, in place of what it knew of them; what it knows of trainings stays.
pub fn fit_methods_of(
    predictor: PerformancePredictor,
    runs: &RecordedRuns,
    settings: &FitSettings,
) -> PerformancePredictor {
    let methods = fit_gains(runs, settings.n_folds, settings.seed);
    PerformancePredictor { methods, costs: CostModel::fit(runs), ..predictor }
}

/// [`fit_predictor`] to these examples, without methods and costs.
pub(crate) fn fit_to_examples(
    runs: &RecordedRuns,
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
            let points: Vec<Example> = of_task.iter().flat_map(|&run| runs.evaluation_points(run)).collect();
            let members = member_predictions(&networks, &runs.inputs(&points))?;
            let error = |at: usize| {
                let predicted = Estimate::over_members(members.iter().map(|member| member[at]));
                (points[at].target - predicted.mean, predicted.deviation.powi(2))
            };
            errors.insert(task, (0..points.len()).map(error).collect());
            let is_generated = |point: &Example| runs.runs[point.run].decision == Decision::Generate;
            if let Some(generated) = points.iter().position(is_generated) {
                let of = |at: usize| Choice {
                    improvement: Estimate::over_members(
                        members.iter().map(|member| member[generated] - member[at]),
                    ),
                    loss: points[at].target.exp(),
                };
                choices.push((0..points.len()).map(of).collect());
            }
        }
    }
    let n_held_out = errors.values().map(Vec::len).sum::<usize>();
    let squares: f64 = errors.values().flatten().map(|(error, _)| error * error).sum();
    let held_out_rmse = (squares / n_held_out as f64).sqrt();
    let calibration =
        Calibration::of_errors(&errors.into_values().collect::<Vec<_>>(), best_multiplier(&choices));
    let targets: Vec<f64> = examples.iter().map(|example| example.target).collect();
    let linear = LinearPredictor::fit(&runs.inputs(examples), &targets, settings.strength, device);
    let predictor = PerformancePredictor {
        linear,
        networks,
        calibration,
        methods: BTreeMap::new(),
        costs: CostModel::default(),
        most_steps: runs.most_steps(),
    };
    Ok(Fitted { predictor, held_out_rmse, n_held_out })
}

/// Confidence multipliers to choose from. On data sets of the kind that the networks learned from, 1 to 2 would do; decisions are
/// for data sets of another kind, see `docs/findings/what-decides-a-training.md`.
const MULTIPLIERS: [f64; 4] = [4.0, 5.0, 6.0, 8.0];

/// An evaluation point of a run on a data set that the networks had not seen.
struct Choice {
    /// The predicted improvement over generating.
    improvement: Estimate,
    /// The observed loss.
    loss: f64,
}

/// The confidence multiplier with which choices among the evaluation points of each task have the lowest loss.
fn best_multiplier(tasks: &[Vec<Choice>]) -> f64 {
    let loss = |multiplier: &f64| -> f64 {
        let calibration = Calibration { noise: 0.0, quantile: 0.0, confidence_multiplier: *multiplier };
        let bound = |choice: &&Choice| calibration.lower_bound(choice.improvement);
        // The first of the highest.
        let chosen = tasks.iter().filter_map(|task| task.iter().min_by(|a, b| bound(b).total_cmp(&bound(a))));
        chosen.map(|choice| choice.loss).sum()
    };
    let best = MULTIPLIERS.into_iter().min_by(|a, b| loss(a).total_cmp(&loss(b)));
    best.expect("there are multipliers to choose from")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collecting::{Collected, collect};
    use crate::testing;
    use std::ops::ControlFlow;
    use weightsmith_base_model::open_device;
    use weightsmith_evaluation::Metamodels;
    use weightsmith_ledger::{Filter, LedgerError};

    #[test]
    fn a_repeated_fit_is_the_same_run_and_another_outcome_of_it_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let device = &open_device("cpu").unwrap();
        let metamodels = Metamodels::for_all(device).unwrap();
        let open = |name: &str| Ledger::open(&folder.path().join(name)).unwrap();
        let mut first = open("first.ledger");
        let go_on = &mut |_: &Collected| ControlFlow::Continue(());
        collect(&mut first, &[], &metamodels, &testing::collect_settings(4, 4), None, go_on).unwrap();
        let runs = RecordedRuns::read(&first.snapshot().unwrap()).unwrap();
        let settings = FitSettings { n_networks: 1, n_folds: 2, ..FitSettings::default() };
        let fit = |ledger: &mut Ledger| fit_and_record(ledger, &runs, &settings, device, &mut |_, _| {});
        let predictor = fit(&mut first).unwrap();
        assert_eq!(fit(&mut first).unwrap(), predictor);
        let mut other = open("other.ledger");
        let snapshot = first.snapshot().unwrap();
        for entry in snapshot.runs::<Base>(&Filter::default()).unwrap() {
            other.append(&entry.unwrap().record).unwrap();
        }
        let fits: Vec<RunRecord<Above<Base>>> =
            snapshot.runs(&Filter::default()).unwrap().map(|entry| entry.unwrap().record).collect();
        let [mut record] = <[_; 1]>::try_from(fits).unwrap();
        record.outcome.value = record.outcome.value.map(|value| value + 0.5);
        other.append(&record).unwrap();
        let error = fit(&mut other).unwrap_err();
        let is_other =
            matches!(error, PlannerError::Ledger(LedgerError::OtherContent { part: "outcome", .. }));
        assert!(is_other, "{error}");
    }
}
