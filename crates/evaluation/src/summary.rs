//! Many results in few figures: means, mean ranks and paired differences, as the outside scorer's summary has them, and
//! how sure they are.

mod block;
mod text;

use crate::methods::{Registry, Role};
use crate::metrics::Metric;
use crate::results::ResultRow;
use crate::statistics::{Bootstrap, Interval, median};
use block::block;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_tasks::TaskType;

/// What the names of an outside scorer's models begin with in a summary.
pub const BASELINE_PREFIX: &str = "baseline:";

/// The metrics that are averaged over tables. The RMSE is not: its unit differs from table to table.
const SUMMARISED: [(TaskType, &[Metric]); 2] = [
    (
        TaskType::Classification,
        &[Metric::Auc, Metric::LogLoss, Metric::Accuracy, Metric::Brier, Metric::CalibrationError],
    ),
    (TaskType::Regression, &[Metric::R2Clipped, Metric::Coverage]),
];

/// One model over the tables of a block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelSummary {
    /// The method, or a baseline.
    pub model: String,
    /// The mean over tables of the mean over splits.
    pub mean: f64,
    /// The median over tables.
    pub median: f64,
    /// The mean over tables of its rank among the models, 1 for the best.
    pub mean_rank: f64,
}

/// Two models over the tables of a block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// The first method.
    pub model: String,
    /// Whom it is compared with.
    pub other: String,
    /// What the other is for; none of a baseline.
    pub role: Option<Role>,
    /// The mean over tables of the first minus the other; of the coverage, of the distances from 0.95.
    pub mean_difference: f64,
    /// The interval of that mean over other tables of this kind; none for one table.
    pub interval: Option<Interval>,
    /// Tables on which the first is better.
    pub wins: usize,
    /// Tables on which both are the same.
    pub ties: usize,
    /// Tables on which the other is better.
    pub losses: usize,
}

/// One table of a block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableValues {
    /// The table.
    pub name: String,
    /// The mean over splits of every model, in the order of [`SummaryBlock::models`].
    pub values: Vec<f64>,
}

/// One metric at one size: all tables and splits on which every model has a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummaryBlock {
    /// What is predicted.
    pub task: TaskType,
    /// Support rows.
    pub n_support: usize,
    /// What is measured.
    pub metric: Metric,
    /// Tables.
    pub n_tables: usize,
    /// Splits of all of them.
    pub n_splits: usize,
    /// By mean rank, the best first.
    pub models: Vec<ModelSummary>,
    /// How far apart two mean ranks must be so that it is not by chance at 5% (Nemenyi's test).
    pub critical_difference: Option<f64>,
    /// Models that this test cannot tell apart: first and last place in `models` of each group.
    pub groups: Vec<(usize, usize)>,
    /// The first method against every other model, the best of them first.
    pub paired: Vec<Paired>,
    /// The figures of every table.
    pub tables: Vec<TableValues>,
}

impl SummaryBlock {
    /// The lead against its strongest opponent by mean rank; weights that the metamodel wrote and controls are no
    /// opponents, unless there is nobody else.
    pub fn rival(&self) -> Option<&Paired> {
        let is_opponent =
            |paired: &&Paired| !matches!(paired.role, Some(Role::Generated | Role::Planned | Role::Control));
        self.paired.iter().find(is_opponent).or(self.paired.first())
    }
}

/// What results say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// By task type, size and metric.
    pub blocks: Vec<SummaryBlock>,
    /// How the intervals were made.
    pub bootstrap: Bootstrap,
    /// Median processor seconds of each model at each size.
    pub seconds: BTreeMap<usize, BTreeMap<String, f64>>,
    /// Rows with an error.
    pub n_errors: usize,
    /// The first of them: table and what is wrong.
    pub first_error: Option<String>,
}

/// Summarises results; `baselines` are the outside scorer's and are told apart by [`BASELINE_PREFIX`]. Only tables and
/// splits of which `rows` has results count. `lead` is the model that is compared with all others; `registry` tells what each of them is for.
pub fn summarise(rows: &[ResultRow], baselines: &[ResultRow], lead: &str, registry: &Registry) -> Summary {
    let scored: BTreeSet<(&str, usize, u32)> = rows.iter().map(place).collect();
    let renamed = baselines
        .iter()
        .filter(|row| scored.contains(&place(row)))
        .map(|row| ResultRow { model: format!("{BASELINE_PREFIX}{}", row.model), ..row.clone() });
    let all: Vec<ResultRow> = rows.iter().cloned().chain(renamed).collect();
    let (good, bad): (Vec<&ResultRow>, Vec<&ResultRow>) = all.iter().partition(|row| row.error.is_none());
    let bootstrap = Bootstrap::default();
    let mut blocks = Vec::new();
    for (task, metrics) in SUMMARISED {
        let of_task: Vec<&ResultRow> = good.iter().copied().filter(|row| row.task == task).collect();
        let sizes: BTreeSet<usize> = of_task.iter().map(|row| row.n_support).collect();
        for n_support in sizes {
            let of_size: Vec<&ResultRow> =
                of_task.iter().copied().filter(|row| row.n_support == n_support).collect();
            blocks.extend(
                metrics.iter().filter_map(|&metric| block(&of_size, metric, lead, registry, &bootstrap)),
            );
        }
    }
    let first_error = bad.first().map(|row| {
        let error = row.error.as_deref().unwrap_or_default();
        format!("{}, {} rows, {}: {error}", row.name, row.n_support, row.model)
    });
    Summary { blocks, bootstrap, seconds: seconds(&good), n_errors: bad.len(), first_error }
}

fn place(row: &ResultRow) -> (&str, usize, u32) {
    (&row.name, row.n_support, row.split)
}

fn seconds(rows: &[&ResultRow]) -> BTreeMap<usize, BTreeMap<String, f64>> {
    let mut times: BTreeMap<usize, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for row in rows {
        if let Some(seconds) = row.seconds {
            times.entry(row.n_support).or_default().entry(row.model.clone()).or_default().push(seconds);
        }
    }
    let medians = |mut times: Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        median(&times)
    };
    let of_size = |models: BTreeMap<String, Vec<f64>>| {
        models.into_iter().map(|(model, times)| (model, medians(times))).collect()
    };
    times.into_iter().map(|(n_support, models)| (n_support, of_size(models))).collect()
}

#[cfg(test)]
mod tests;
