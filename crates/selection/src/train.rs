//! Training a selector: features and truth of thousands of impure synthetic tables, then regression.

use crate::error::SelectionError;
use crate::feature::{Feature, FeatureGroup};
use crate::features::{auc, mean, sigmoid};
use crate::linear_algebra::Matrix;
use crate::network::{Adam, Network};
use crate::selector::{Description, N_OUTPUTS, Selector, VALUE};
use crate::synthetic::{SyntheticTable, TableShares};
use crate::trials::Trials;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use weightsmith_tasks::Seed;

/// How a selector is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SelectorConfig {
    /// The seed of all.
    pub seed: u64,
    /// Tables to learn from.
    pub n_tables: u64,
    /// Tables that thresholds are tuned on, and nothing is learned from.
    pub n_tuning_tables: u64,
    /// Which tables.
    pub tables: TableShares,
    /// Passes through all rows.
    pub n_epochs: usize,
    /// Rows of a step.
    pub batch: usize,
    /// Adam's learning rate at the start; it falls to nothing along half a cosine.
    pub rate: f32,
    /// Decoupled weight decay.
    pub decay: f32,
    /// What the squared error of the value counts beside the two log-losses.
    pub value_share: f32,
    /// Groups of features that are read.
    pub groups: Vec<FeatureGroup>,
}

impl Default for SelectorConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            n_tables: 4000,
            n_tuning_tables: 400,
            tables: TableShares::default(),
            n_epochs: 6,
            batch: 256,
            rate: 2e-3,
            decay: 1e-3,
            value_share: 0.25,
            groups: vec![FeatureGroup::Position, FeatureGroup::Dynamics, FeatureGroup::Context],
        }
    }
}

/// The rows of a table with what is to be learned of each.
#[derive(Clone, Debug)]
pub struct LabelledFeatures {
    /// `[n_rows, Feature::ALL.len()]`, trusted rows left out.
    pub features: Matrix,
    /// For each row: 1 for a wrong label, 1 for another origin, 1 for either, the value.
    pub targets: Vec<[f32; N_OUTPUTS]>,
}

/// Figures of a selector on tables that it was not trained on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SelectorFigures {
    /// Area under the curve of telling wrong labels, the mean over tables that have any; without and with trusted rows.
    pub wrong_auc: [f64; 2],
    /// The same of rows of another origin.
    pub foreign_auc: [f64; 2],
    /// Correlation of predicted with exact values, the mean over tables.
    pub value_correlation: f64,
    /// Accuracy of solved heads on clean query rows: of all rows, of the rows that are kept, weighted by how clean they are, and of the
    /// clean rows alone; without and with trusted rows.
    pub accuracy: [[f64; 4]; 2],
    /// The same of rows of either kind.
    pub impure_auc: [f64; 2],
    /// Accuracy at each threshold that was tried.
    pub of_thresholds: [[f64; 10]; 2],
    /// Accuracy where rows are dropped by their predicted value instead, at 0.1, 0.25, 0.4, 0.6 and 0.8 standard deviations below 0.
    pub of_values: [[f64; 5]; 2],
}

impl LabelledFeatures {
    /// Of a synthetic table.
    pub fn of(table: &SyntheticTable) -> Self {
        let features = table.features();
        let values = table.values();
        let rows: Vec<usize> = (0..values.len()).filter(|&row| !table.rows.is_trusted[row]).collect();
        let target = |&row: &usize| {
            let truth = table.truth[row];
            let of = |is: bool| f32::from(u8::from(is));
            let (wrong, foreign) = (truth.is_wrong, truth.is_foreign);
            [of(wrong), of(foreign), of(wrong || foreign), values[row] as f32]
        };
        Self { features: features.select(&rows), targets: rows.iter().map(target).collect() }
    }
}

/// Carries out `work` for each position, on as many threads, and gives the results in order.
fn in_parallel<T: Send>(n: u64, n_threads: usize, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let n_threads = n_threads.max(1);
    std::thread::scope(|scope| {
        let work = &work;
        let of = |thread: usize| move || (thread as u64..n).step_by(n_threads).map(work).collect::<Vec<T>>();
        let threads: Vec<_> = (0..n_threads).map(|thread| scope.spawn(of(thread))).collect();
        let mut parts: Vec<_> = threads
            .into_iter()
            .map(|t| t.join().expect("drawing tables does not panic").into_iter())
            .collect();
        (0..n as usize).filter_map(|position| parts[position % n_threads].next()).collect()
    })
}

/// Rows to learn from. `tell` hears how many tables were drawn.
///
/// # Errors
/// None today.
pub fn draw_features(config: &SelectorConfig, n_threads: usize) -> Vec<LabelledFeatures> {
    let draw = |position| {
        let table = SyntheticTable::draw(&config.tables, Seed(config.seed), position).ok()?;
        Some(LabelledFeatures::of(&table))
    };
    in_parallel(config.n_tables, n_threads, draw).into_iter().flatten().collect()
}

/// Trains a selector on rows that were drawn. `told` hears the mean loss of each epoch.
///
/// # Panics
/// If there are no rows.
pub fn fit_selector(
    config: &SelectorConfig,
    tables: &[LabelledFeatures],
    told: &mut dyn FnMut(usize, f64),
) -> Selector {
    let n_features = Feature::ALL.len();
    let rows: Vec<(&[f64], &[f32; N_OUTPUTS])> =
        tables.iter().flat_map(|table| table.features.rows().zip(&table.targets)).collect();
    assert!(!rows.is_empty(), "a selector learns from rows");
    let centre = |at: usize| mean(rows.iter().map(|(row, _)| row[at]));
    let centres: Vec<f64> = (0..n_features).map(centre).collect();
    let spread =
        |at: usize| mean(rows.iter().map(|(row, _)| (row[at] - centres[at]).powi(2))).sqrt().max(1e-3);
    let scales: Vec<f64> = (0..n_features).map(spread).collect();
    let mut rng = Seed(config.seed).stream("selection.fit");
    let network = Network::new(n_features, N_OUTPUTS, &mut rng);
    let description = Description {
        features: Feature::ALL.iter().map(|feature| feature.name().to_string()).collect(),
        centres,
        scales,
        thresholds: [NEVER; 2],
        trained: serde_json::to_value(config).expect("a configuration is plain data"),
    };
    let mut selector = Selector::new(network, description, &config.groups);
    let inputs: Vec<Vec<f32>> = rows.iter().map(|(row, _)| selector.inputs(row)).collect();
    let mut adam = Adam::new(&selector.network);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut seen = selector.network.activations();
    let n_steps = config.n_epochs * rows.len().div_ceil(config.batch);
    let mut step = 0;
    for epoch in 0..config.n_epochs {
        order.shuffle(&mut rng);
        let mut total = 0.0;
        for batch in order.chunks(config.batch) {
            let mut gradient = selector.network.zeros();
            let share = 1.0 / batch.len() as f32;
            for &row in batch {
                selector.network.forward(&inputs[row], &mut seen);
                let target = rows[row].1;
                let mut pull = [0.0f32; N_OUTPUTS];
                for output in 0..VALUE {
                    let p = sigmoid(f64::from(seen.outputs[output])) as f32;
                    pull[output] = share * (p - target[output]);
                    let own = if target[output] > 0.5 { p } else { 1.0 - p };
                    total -= f64::from(own.max(1e-7).ln());
                }
                let error = seen.outputs[VALUE] - target[VALUE];
                pull[VALUE] = share * config.value_share * error;
                total += f64::from(0.5 * config.value_share * error * error);
                selector.network.backward(&inputs[row], &seen, &pull, &mut gradient);
            }
            let turn = std::f32::consts::PI * step as f32 / n_steps as f32;
            let rate = config.rate * 0.5 * (1.0 + turn.cos());
            adam.step(&mut selector.network, &gradient, rate, config.decay);
            step += 1;
        }
        told(epoch, total / rows.len() as f64);
    }
    selector
}

/// An accuracy that is less than another by no more than this is as good.
const AS_GOOD: f64 = 0.0007;
/// Thresholds that are tried; above 1 nothing is dropped.
const TRIED: [f64; 10] = [0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, NEVER];
/// Values, in standard deviations below 0, at which rows are dropped instead: tried, to compare with.
const TRIED_VALUES: [f64; 5] = [0.1, 0.25, 0.4, 0.6, 0.8];
const NEVER: f64 = 1.01;

/// What was found on one table.
struct Tried {
    has_trusted: bool,
    wrong: Option<f64>,
    foreign: Option<f64>,
    impure: Option<f64>,
    correlation: f64,
    /// Of all rows, weighted by how clean they are, of the clean rows alone.
    controls: [f64; 3],
    /// For each threshold.
    accuracies: Vec<f64>,
    of_values: Vec<f64>,
}

fn try_table(selector: &Selector, config: &SelectorConfig, position: u64) -> Option<Tried> {
    // Beyond the positions that were learned from.
    let table = SyntheticTable::draw(&config.tables, Seed(config.seed), config.n_tables + position).ok()?;
    let verdicts = selector.judge(&table.rows);
    let others: Vec<usize> = (0..verdicts.len()).filter(|&row| !table.rows.is_trusted[row]).collect();
    let telling = |score: &dyn Fn(usize) -> f64, is_meant: &dyn Fn(usize) -> bool| {
        let meant: Vec<bool> = others.iter().map(|&row| is_meant(row)).collect();
        let scores: Vec<f64> = others.iter().map(|&row| score(row)).collect();
        meant.contains(&true).then(|| auc(&scores, &meant))
    };
    let values = table.values();
    let trials = Trials::new(&table.rows);
    let accuracy =
        |weights: &[f64]| trials.accuracy(&trials.heads(weights), &table.query, &table.query_labels);
    let clean: Vec<f64> = verdicts.iter().map(|verdict| (1.0 - verdict.wrong).max(1e-3)).collect();
    let oracle: Vec<f64> = table.truth.iter().map(|truth| f64::from(u8::from(!truth.is_touched))).collect();
    let of_threshold =
        |&threshold: &f64| accuracy(&trials.weights(&verdicts, |verdict| verdict.wrong >= threshold));
    let of_value = |&value: &f64| accuracy(&trials.weights(&verdicts, |verdict| verdict.value < -value));
    Some(Tried {
        has_trusted: table.rows.n_trusted() > 0,
        wrong: telling(&|row| verdicts[row].wrong, &|row| table.truth[row].is_wrong),
        foreign: telling(&|row| verdicts[row].foreign, &|row| table.truth[row].is_foreign),
        correlation: correlation(others.iter().map(|&row| (verdicts[row].value, values[row]))),
        controls: [accuracy(&vec![1.0; verdicts.len()]), accuracy(&clean), accuracy(&oracle)],
        impure: telling(&|row| verdicts[row].impure, &|row| {
            table.truth[row].is_wrong || table.truth[row].is_foreign
        }),
        accuracies: TRIED.iter().map(of_threshold).collect(),
        of_values: TRIED_VALUES.iter().map(of_value).collect(),
    })
}

/// Picks thresholds on tables that nothing was learned from, by the accuracy of solved heads on clean query rows, and gives figures of the
/// selector on the same tables.
pub fn tune(selector: &mut Selector, config: &SelectorConfig, n_threads: usize) -> SelectorFigures {
    let of_table = |position| try_table(selector, config, position);
    let tried: Vec<Tried> =
        in_parallel(config.n_tuning_tables, n_threads, of_table).into_iter().flatten().collect();
    let mut figures = SelectorFigures {
        wrong_auc: [0.0; 2],
        foreign_auc: [0.0; 2],
        value_correlation: mean(tried.iter().map(|table| table.correlation)),
        accuracy: [[0.0; 4]; 2],
        impure_auc: [0.0; 2],
        of_thresholds: [[0.0; TRIED.len()]; 2],
        of_values: [[0.0; TRIED_VALUES.len()]; 2],
    };
    for place in [0, 1] {
        let some: Vec<&Tried> =
            tried.iter().filter(|table| usize::from(table.has_trusted) == place).collect();
        let accuracy = |at: usize| mean(some.iter().map(|table| table.accuracies[at]));
        let control = |at: usize| mean(some.iter().map(|table| table.controls[at]));
        let highest = (0..TRIED.len()).map(accuracy).fold(0.0, f64::max);
        // Of thresholds that are as good as the best, the one that drops the fewest rows.
        let best = (0..TRIED.len())
            .rev()
            .find(|&at| accuracy(at) >= highest - AS_GOOD)
            .expect("there are thresholds");
        selector.description.thresholds[place] = TRIED[best];
        figures.wrong_auc[place] = mean(some.iter().filter_map(|table| table.wrong));
        figures.foreign_auc[place] = mean(some.iter().filter_map(|table| table.foreign));
        figures.accuracy[place] = [control(0), accuracy(best), control(1), control(2)];
        figures.impure_auc[place] = mean(some.iter().filter_map(|table| table.impure));
        figures.of_values[place] =
            std::array::from_fn(|at| mean(some.iter().map(|table| table.of_values[at])));
        figures.of_thresholds[place] = std::array::from_fn(accuracy);
    }
    figures
}

fn correlation(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let pairs: Vec<(f64, f64)> = pairs.collect();
    let (a, b) = (mean(pairs.iter().map(|p| p.0)), mean(pairs.iter().map(|p| p.1)));
    let product = mean(pairs.iter().map(|p| (p.0 - a) * (p.1 - b)));
    let squares =
        mean(pairs.iter().map(|p| (p.0 - a).powi(2))) * mean(pairs.iter().map(|p| (p.1 - b).powi(2)));
    product / squares.sqrt().max(1e-12)
}

/// Draws, trains and tunes.
///
/// # Errors
/// A configuration that draws no table.
pub fn train_selector(
    config: &SelectorConfig,
    n_threads: usize,
    told: &mut dyn FnMut(usize, f64),
) -> Result<(Selector, SelectorFigures), SelectionError> {
    let tables = draw_features(config, n_threads);
    if tables.is_empty() {
        return Err(SelectionError::Damaged { what: "its configuration draws no table".into() });
    }
    let mut selector = fit_selector(config, &tables, told);
    let figures = tune(&mut selector, config, n_threads);
    Ok((selector, figures))
}
