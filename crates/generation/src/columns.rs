//! Which columns weights are generated from: judged by the rows and by networks on rows held out, and left out only as far as that pays.

use crate::error::GenerateError;
use crate::generate::{GenerateOptions, generate_base_model, untrained_base_model};
use crate::plan_steps::Steps;
use crate::shuffled::increases_when_shuffled;
use burn::tensor::Device;
use weightsmith_base_model::{BaseModel, EncodingError};
use weightsmith_metamodel::Pretrained;
use weightsmith_selection::{ChosenColumns, ColumnTrial, HeldOutWorth, JudgedColumns, judge_columns};
use weightsmith_tasks::{Query, Seed, Support, Table, Target};
use weightsmith_training::{folds, prediction_losses, split_off};

/// Fewest rows from which columns are left out: of fewer the folds tell nothing.
const LEAST_ROWS: usize = 48;
/// From which probability of no use on a column is left out, if leaving out pays.
const LEVEL: f64 = 0.5;
/// What the likelihood of held-out rows is the root of, before it is a weight.
const TEMPER: f64 = 3.0;
/// Smaller shares of a network are none.
const LEAST_SHARE: f64 = 0.05;
/// Standard errors by which held-out rows must find chosen columns better for these to be read alone.
const SURE_ERRORS: f64 = 2.0;
/// A squared error below this share of the variance is none.
const LEAST_LOSS: f64 = 1e-9;
/// A log-loss above this, of a probability of 1e-4, is this: no single row decides.
const MOST_LOSS: f64 = 9.21;
/// Views of the networks whose columns are shuffled.
const N_VIEWS: usize = 2;
/// Shuffles of a column, and rows that are predicted for one network at most beyond the fewest shuffles.
const SHUFFLES: (usize, usize) = (2, 8);
const MOST_PREDICTED: usize = 20_000;

/// What makes networks from rows.
#[derive(Copy, Clone)]
pub enum Maker<'a> {
    /// A metamodel.
    Metamodel(&'a Pretrained),
    /// The closed-form head alone, on a device.
    Untrained(&'a Device),
}

/// Judges every column by the support alone, and decides by four folds of rows held out, in each of which columns are judged and chosen
/// anew, how much a network from the columns that are not likely of no use counts beside one from all.
///
/// Its share is the weight that held-out rows give it, their likelihood to the power of a third: rows of one fold share a network, and a
/// whole likelihood would be too sure. Above 95 %, or where held-out rows find it better by two standard errors, the network from the likely
/// columns stands alone, below 5 % the other does: the mean of both is better wherever the rows do not tell.
///
/// Cost: where a column is likely of no use some 40 plain generations from three quarters of the rows, otherwise 4 of two views.
///
/// Source: Yao, Vehtari, Simpson and Gelman 2018, "Using stacking to average Bayesian predictive distributions", section 3.4 (pseudo-BMA).
///
/// # Errors
/// Rows that nothing can be told of: fewer than 12, one class, no column.
pub fn choose_columns(
    maker: Maker<'_>,
    support: &Support,
    seed: Seed,
) -> Result<ChosenColumns, GenerateError> {
    let judged = judge(maker, support, seed)?;
    let likely = judged.kept(LEVEL);
    let n_rows = support.n_rows();
    let is_all = likely.len() == judged.columns.len();
    let trial = if is_all || n_rows < LEAST_ROWS { None } else { try_folds(maker, support, seed) };
    let share = trial.map_or(0.0, |trial| share(&trial, support));
    Ok(ChosenColumns { judged, likely, level: LEVEL, share, trial })
}

/// The weight of networks from chosen columns beside networks from all.
fn share(trial: &ColumnTrial, support: &Support) -> f64 {
    let n = support.n_rows() as f64;
    let likelihood = match support.target() {
        Target::Classes { .. } => n * (trial.all - trial.chosen),
        Target::Values(_) => 0.5 * n * (trial.all.max(LEAST_LOSS) / trial.chosen.max(LEAST_LOSS)).ln(),
    };
    let share = 1.0 / (1.0 + (-likelihood / TEMPER).exp());
    let is_sure = trial.all - trial.chosen > SURE_ERRORS * trial.standard_error;
    match share {
        _ if share < LEAST_SHARE => 0.0,
        _ if share > 1.0 - LEAST_SHARE || is_sure => 1.0,
        share => share,
    }
}

/// The columns that are not likely of no use, without asking whether leaving the others out pays: for those who ask themselves.
///
/// # Errors
/// Those of [`choose_columns`].
pub fn likely_columns(maker: Maker<'_>, support: &Support, seed: Seed) -> Result<Vec<usize>, GenerateError> {
    Ok(judge(maker, support, seed)?.kept(LEVEL))
}

/// The rows with some of the columns.
///
/// # Panics
/// If a position is not a column.
pub fn with_columns(support: &Support, columns: &[usize]) -> Support {
    let table = support.table().select_columns(columns);
    Support::new(table, support.target().clone()).expect("as many valid labels as before")
}

fn judge(maker: Maker<'_>, support: &Support, seed: Seed) -> Result<JudgedColumns, GenerateError> {
    Ok(judge_columns(support, worth(maker, support, seed).as_deref(), seed)?)
}

impl Maker<'_> {
    /// A network of so many views and trees, without inner steps.
    fn make(self, support: &Support, n_views: usize, n_trees: usize) -> Result<BaseModel, GenerateError> {
        let options =
            GenerateOptions { n_views, n_trees, n_steps: Steps::Fixed(0), n_threads: 1, seed: Seed(0) };
        match self {
            Self::Metamodel(pretrained) => Ok(generate_base_model(pretrained, support, options)?.0),
            Self::Untrained(device) => untrained_base_model(support, device),
        }
    }
}

/// What each column is worth to networks on the rows that they were not made from, each row in one of four folds. None where there are too
/// few rows, or none to generate from in a fold.
fn worth(maker: Maker<'_>, support: &Support, seed: Seed) -> Option<Vec<HeldOutWorth>> {
    let names: Vec<&str> = support.table().columns().iter().map(|column| column.name.as_str()).collect();
    let mut of_columns: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    let mut rng = seed.stream("generation.columns.shuffles");
    for fold in folds(support.target(), seed).ok()? {
        let (rest, held) = split_off(support, &fold);
        let model = maker.make(&rest, N_VIEWS, 0).ok()?;
        // Columns that the network does not read are worth nothing to it, whatever their values are.
        let is_read = |name: &&str| model.encoding.schema().iter().any(|(read, _)| read == name);
        let read: Vec<&str> = names.iter().copied().filter(is_read).collect();
        let n_shuffles = MOST_PREDICTED / (fold.len() * read.len()).max(1);
        let n_shuffles = n_shuffles.clamp(SHUFFLES.0, SHUFFLES.1);
        let losses = |table: &Table| -> Result<Vec<f64>, EncodingError> {
            Ok(prediction_losses(&model.predict(table)?, held.target()))
        };
        let increases = increases_when_shuffled(held.table(), &read, n_shuffles, &mut rng, losses).ok()?;
        let mut increases = read.iter().zip(increases).peekable();
        for (name, rows) in names.iter().zip(&mut of_columns) {
            match increases.next_if(|(read, _)| *read == name) {
                Some((_, of_rows)) => rows.extend(of_rows),
                None => rows.extend(vec![0.0; fold.len()]),
            }
        }
    }
    let worth = |rows: &Vec<f64>| {
        let (increase, standard_error) = mean_and_error(rows);
        HeldOutWorth { increase, standard_error }
    };
    Some(of_columns.iter().map(worth).collect())
}

/// Networks from all columns beside networks from chosen ones; none where a fold's other rows are too few to generate from.
fn try_folds(maker: Maker<'_>, support: &Support, seed: Seed) -> Option<ColumnTrial> {
    let usual = GenerateOptions::default();
    let losses = |model: &BaseModel, held: &Query| -> Option<Vec<f64>> {
        let mut losses = prediction_losses(&model.predict(held.table()).ok()?, held.target());
        if let Target::Classes { .. } = held.target() {
            losses.iter_mut().for_each(|loss| *loss = loss.min(MOST_LOSS));
        }
        Some(losses)
    };
    let (mut of_all, mut of_chosen) = (Vec::new(), Vec::new());
    for fold in folds(support.target(), seed).ok()? {
        let (rest, held) = split_off(support, &fold);
        let kept = likely_columns(maker, &rest, seed).ok()?;
        let make = |rows: &Support| maker.make(rows, usual.n_views, usual.n_trees).ok();
        let all = losses(&make(&rest)?, &held)?;
        let chosen = match kept.len() == support.table().columns().len() {
            true => all.clone(),
            false => losses(&make(&with_columns(&rest, &kept))?, &held)?,
        };
        of_all.extend(all);
        of_chosen.extend(chosen);
    }
    let unit = match support.target() {
        Target::Classes { .. } => 1.0,
        Target::Values(values) => {
            let (mean, _) = mean_and_error(values);
            values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
        }
    };
    let differences: Vec<f64> = of_all.iter().zip(&of_chosen).map(|(all, chosen)| all - chosen).collect();
    let (all, chosen) = (mean_and_error(&of_all).0 / unit, mean_and_error(&of_chosen).0 / unit);
    Some(ColumnTrial { all, chosen, standard_error: mean_and_error(&differences).1 / unit })
}

/// The mean and its standard error.
fn mean_and_error(numbers: &[f64]) -> (f64, f64) {
    let n = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}
