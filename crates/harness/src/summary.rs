//! Many results in few figures: means, mean ranks and paired wins, as the outside scorer's summary has them.

use crate::metrics::Metric;
use crate::results::ResultRow;
use crate::statistics::median;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use weightsmith_tasks::TaskType;

/// What the names of an outside scorer's models begin with in a summary.
pub const BASELINE_PREFIX: &str = "baseline:";

/// One model over the tables of a block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelSummary {
    /// The arm, or a baseline.
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
    /// The first arm.
    pub model: String,
    /// Whom it is compared with.
    pub other: String,
    /// The mean over tables of the first minus the other.
    pub mean_difference: f64,
    /// The share of tables on which the first is better.
    pub better_share: f64,
}

/// One metric at one size: all tables and splits on which every model has a figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummaryBlock {
    /// What is predicted.
    pub task: TaskType,
    /// Support rows.
    pub short: usize,
    /// What is measured.
    pub metric: Metric,
    /// Tables.
    pub n_tables: usize,
    /// By mean rank, the best first.
    pub models: Vec<ModelSummary>,
    /// The first arm against every other model.
    pub paired: Vec<Paired>,
}

/// What results say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// By task type, size and metric.
    pub blocks: Vec<SummaryBlock>,
    /// Median processor seconds of each model at each size.
    pub seconds: BTreeMap<usize, BTreeMap<String, f64>>,
    /// Rows with an error.
    pub n_errors: usize,
    /// The first of them: table and what is wrong.
    pub first_error: Option<String>,
}

/// Summarises results; `baselines` are the outside scorer's and are told apart by [`BASELINE_PREFIX`]. Only tables and
/// splits of which `rows` has results count. `lead` is the model that is compared with all others.
pub fn summarise(rows: &[ResultRow], baselines: &[ResultRow], lead: &str) -> Summary {
    let scored: BTreeSet<(&str, usize, u32)> = rows.iter().map(place).collect();
    let renamed = baselines
        .iter()
        .filter(|row| scored.contains(&place(row)))
        .map(|row| ResultRow { model: format!("{BASELINE_PREFIX}{}", row.model), ..row.clone() });
    let all: Vec<ResultRow> = rows.iter().cloned().chain(renamed).collect();
    let (good, bad): (Vec<&ResultRow>, Vec<&ResultRow>) = all.iter().partition(|row| row.error.is_none());
    let mut blocks = Vec::new();
    for (task, metrics) in [
        (TaskType::Classification, [Metric::Auc, Metric::LogLoss, Metric::Accuracy].as_slice()),
        (TaskType::Regression, &[Metric::R2Clipped]),
    ] {
        let of_task: Vec<&ResultRow> = good.iter().copied().filter(|row| row.task == task).collect();
        let shorts: BTreeSet<usize> = of_task.iter().map(|row| row.short).collect();
        for short in shorts {
            let of_size: Vec<&ResultRow> = of_task.iter().copied().filter(|row| row.short == short).collect();
            blocks.extend(metrics.iter().filter_map(|&metric| block(&of_size, metric, lead)));
        }
    }
    let first_error = bad.first().map(|row| {
        let error = row.error.as_deref().unwrap_or_default();
        format!("{}, {} rows, {}: {error}", row.name, row.short, row.model)
    });
    Summary { blocks, seconds: seconds(&good), n_errors: bad.len(), first_error }
}

fn place(row: &ResultRow) -> (&str, usize, u32) {
    (&row.name, row.short, row.split)
}

fn seconds(rows: &[&ResultRow]) -> BTreeMap<usize, BTreeMap<String, f64>> {
    let mut times: BTreeMap<usize, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for row in rows {
        if let Some(seconds) = row.seconds {
            times.entry(row.short).or_default().entry(row.model.clone()).or_default().push(seconds);
        }
    }
    let medians = |mut times: Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        median(&times)
    };
    let of_size = |models: BTreeMap<String, Vec<f64>>| {
        models.into_iter().map(|(model, times)| (model, medians(times))).collect()
    };
    times.into_iter().map(|(short, models)| (short, of_size(models))).collect()
}

/// One metric over rows of one task type and size; none if no split has every model.
fn block(rows: &[&ResultRow], metric: Metric, lead: &str) -> Option<SummaryBlock> {
    let models: BTreeSet<&str> = rows.iter().map(|row| row.model.as_str()).collect();
    let mut splits: BTreeMap<(&str, u32), BTreeMap<&str, f64>> = BTreeMap::new();
    for row in rows {
        if let Some(value) = row.get(metric) {
            splits.entry((&row.name, row.split)).or_default().insert(&row.model, value);
        }
    }
    let mut sums: BTreeMap<&str, (Vec<f64>, f64)> = BTreeMap::new();
    for ((name, _), values) in splits.iter().filter(|(_, values)| values.len() == models.len()) {
        let (sum, n) = sums.entry(name).or_insert_with(|| (vec![0.0; models.len()], 0.0));
        sum.iter_mut().zip(values.values()).for_each(|(sum, value)| *sum += value);
        *n += 1.0;
    }
    // A row a table, a column a model.
    let tables: Vec<Vec<f64>> =
        sums.values().map(|(sum, n)| sum.iter().map(|value| value / n).collect()).collect();
    let n_tables = tables.len();
    if n_tables == 0 {
        return None;
    }
    let higher = metric.higher_is_better().unwrap_or(true);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n_tables as f64;
    let column = |model: usize| tables.iter().map(|row| row[model]).collect::<Vec<f64>>();
    let ranks: Vec<Vec<f64>> = tables.iter().map(|row| mid_ranks(row, higher)).collect();
    let mut summaries: Vec<ModelSummary> = models
        .iter()
        .enumerate()
        .map(|(idx, model)| {
            let mut values = column(idx);
            let own_ranks: Vec<f64> = ranks.iter().map(|row| row[idx]).collect();
            let mean_value = mean(&values);
            values.sort_unstable_by(f64::total_cmp);
            ModelSummary {
                model: model.to_string(),
                mean: mean_value,
                median: median(&values),
                mean_rank: mean(&own_ranks),
            }
        })
        .collect();
    summaries.sort_by(|a, b| a.mean_rank.total_cmp(&b.mean_rank));
    let paired = models.iter().position(|model| *model == lead).map_or_else(Vec::new, |first| {
        let against = |(idx, other): (usize, &&str)| {
            let differences: Vec<f64> = tables.iter().map(|row| row[first] - row[idx]).collect();
            let better = differences.iter().filter(|d| if higher { **d > 0.0 } else { **d < 0.0 }).count();
            Paired {
                model: lead.to_string(),
                other: other.to_string(),
                mean_difference: mean(&differences),
                better_share: better as f64 / n_tables as f64,
            }
        };
        models.iter().enumerate().filter(|(idx, _)| *idx != first).map(against).collect()
    });
    let (task, short) = (rows[0].task, rows[0].short);
    Some(SummaryBlock { task, short, metric, n_tables, models: summaries, paired })
}

/// Ranks from 1 for the best; equal values share the mean of theirs.
fn mid_ranks(values: &[f64], higher_is_better: bool) -> Vec<f64> {
    let rank = |value: &f64| {
        let better = values.iter().filter(|v| if higher_is_better { *v > value } else { *v < value }).count();
        let equal = values.iter().filter(|v| *v == value).count();
        better as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_tables = |n: usize| if n == 1 { "1 table".to_string() } else { format!("{n} tables") };
        if let Some(first) = &self.first_error {
            writeln!(f, "{} rows with an error, the first: {first}\n", self.n_errors)?;
        }
        for block in &self.blocks {
            let SummaryBlock { task, short, metric, .. } = block;
            writeln!(f, "{task}, {short} support rows, {}, {}", metric.label(), n_tables(block.n_tables))?;
            let lead = block.paired.first();
            let against = lead.map_or_else(String::new, |paired| format!("   {} against it", paired.model));
            writeln!(f, "  {:<26} {:>8} {:>8} {:>10}{against}", "", "mean", "median", "mean rank")?;
            for model in &block.models {
                let ModelSummary { model, mean, median, mean_rank } = model;
                write!(f, "  {model:<26} {mean:>8.4} {median:>8.4} {mean_rank:>10.2}")?;
                match block.paired.iter().find(|paired| paired.other == *model) {
                    Some(Paired { mean_difference, better_share, .. }) => {
                        writeln!(f, "   {mean_difference:+.4}, better on {:.0}%", 100.0 * better_share)?;
                    }
                    None => writeln!(f)?,
                }
            }
            writeln!(f)?;
        }
        writeln!(f, "median processor seconds from rows to weights")?;
        for (short, models) in &self.seconds {
            let times: Vec<String> = models.iter().map(|(model, s)| format!("{model} {s:.4}")).collect();
            writeln!(f, "  {short:>4} rows: {}", times.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
