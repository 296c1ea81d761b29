//! Fitting a predictor to recorded runs.

use super::examples::{Example, PlannedRuns};
use crate::error::HarnessError;
use crate::workers::in_parallel;
use burn::tensor::Device;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_base_model::BaseModel;
use weightsmith_planner::{Calibration, LinearPredictor, Predictor};
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
pub(super) fn train_network(
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
pub(super) fn train_ensembles(
    runs: &PlannedRuns,
    groups: &[(Vec<Example>, BTreeSet<String>)],
    n_networks: usize,
    settings: &FitSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Vec<BaseModel<Above<Base>>>>, HarnessError> {
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
) -> Result<Predictor, HarnessError> {
    let n_roots = runs.roots().len();
    if n_roots < settings.n_folds {
        return Err(HarnessError::TooFewRoots { n_roots, n_needed: settings.n_folds });
    }
    let all: Vec<usize> = (0..runs.len()).collect();
    let examples = runs.examples(&all, settings.n_looks, settings.seed);
    let folds = runs.folds(settings.n_folds, settings.seed);
    let mut groups: Vec<(Vec<Example>, BTreeSet<String>)> = folds
        .iter()
        .map(|fold| {
            let held: BTreeSet<usize> = runs.of_roots(fold).into_iter().collect();
            (examples.iter().filter(|example| !held.contains(&example.run)).copied().collect(), fold.clone())
        })
        .collect();
    groups.push((examples.clone(), BTreeSet::new()));
    let mut ensembles = train_ensembles(runs, &groups, settings.n_networks, settings, device, listen)?;
    let networks = ensembles.pop().expect("the last group is everything");
    let mut errors: BTreeMap<(String, u64), Vec<(f64, f64)>> = BTreeMap::new();
    for (networks, fold) in ensembles.iter().zip(&folds) {
        let held: BTreeSet<usize> = runs.of_roots(fold).into_iter().collect();
        let examples: Vec<Example> =
            examples.iter().filter(|example| held.contains(&example.run)).copied().collect();
        for (example, (mean, variance)) in examples.iter().zip(said(runs, networks, &examples)?) {
            let record = &runs.runs[example.run].record;
            let task = (record.task.clone(), record.outcome.n_short);
            errors.entry(task).or_default().push((example.target - mean, variance));
        }
    }
    let calibration = Calibration::of_errors(&errors.into_values().collect::<Vec<_>>());
    let targets: Vec<f64> = examples.iter().map(|example| example.target).collect();
    let linear = LinearPredictor::fit(&runs.prospects(&examples), &targets, settings.strength, device);
    Ok(Predictor { linear, networks, calibration })
}

/// Mean and variance over networks of what they say of examples.
pub(super) fn said(
    runs: &PlannedRuns,
    networks: &[BaseModel<Above<Base>>],
    examples: &[Example],
) -> Result<Vec<(f64, f64)>, HarnessError> {
    let unsure = Calibration { noise: 0.0, quantile: 0.0 };
    let mut all = Vec::with_capacity(examples.len());
    for chunk in examples.chunks(8192) {
        let table = weightsmith_planner::prospect_table(&runs.prospects(chunk));
        let outputs =
            networks.iter().map(|network| Ok(network.weights.predict(&network.encoding.encode(&table)?)));
        let outputs = outputs.collect::<Result<Vec<Vec<f32>>, HarnessError>>()?;
        for row in 0..chunk.len() {
            let foresight = unsure.foresight(outputs.iter().map(|outputs| f64::from(outputs[row])));
            all.push((foresight.mean, foresight.disagreement.powi(2)));
        }
    }
    Ok(all)
}
