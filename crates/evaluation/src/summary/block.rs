//! One metric at one size, over tables.

use super::{ModelSummary, Paired, SummaryBlock, TableValues};
use crate::methods::Registry;
use crate::metrics::Metric;
use crate::results::ResultRow;
use crate::statistics::{Bootstrap, critical_difference, groups, median, mid_ranks};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// One metric over rows of one task type and size; none if no split has every model. A model without a single figure
/// does not count: an outside scorer may not measure everything.
pub(super) fn block(
    rows: &[&ResultRow],
    metric: Metric,
    lead: &str,
    registry: &Registry,
    bootstrap: &Bootstrap,
) -> Option<SummaryBlock> {
    let tables = Tables::new(rows, metric)?;
    let losses: Vec<Vec<f64>> =
        tables.values.iter().map(|row| row.iter().map(|value| metric.loss(*value)).collect()).collect();
    let ranks: Vec<Vec<f64>> = losses.iter().map(|row| mid_ranks(row)).collect();
    let mut models: Vec<(usize, ModelSummary)> = tables
        .models
        .iter()
        .enumerate()
        .map(|(idx, model)| (idx, summary(model, &column(&tables.values, idx), &column(&ranks, idx))))
        .collect();
    models.sort_by(|(_, a), (_, b)| a.mean_rank.total_cmp(&b.mean_rank));
    let (order, models): (Vec<usize>, Vec<ModelSummary>) = models.into_iter().unzip();

    let first = order.iter().copied().find(|&idx| tables.models[idx] == lead);
    let paired = first.map_or_else(Vec::new, |first| {
        let others: Vec<usize> = order.iter().copied().filter(|&idx| idx != first).collect();
        // The distance from the best coverage can be less or more; of all else the figures themselves are told.
        let told = if metric.higher_is_better().is_none() { &losses } else { &tables.values };
        let differences: Vec<Vec<f64>> =
            others.iter().map(|&other| told.iter().map(|row| row[first] - row[other]).collect()).collect();
        let intervals = bootstrap.intervals(&differences);
        let against = |((&other, differences), interval): ((&usize, &Vec<f64>), _)| {
            let count = |wanted: Ordering| {
                losses.iter().filter(|row| row[first].total_cmp(&row[other]) == wanted).count()
            };
            Paired {
                model: lead.to_string(),
                other: tables.models[other].to_string(),
                role: registry.find(tables.models[other]).ok().map(|method| method.role()),
                mean_difference: mean(differences),
                interval,
                wins: count(Ordering::Less),
                ties: count(Ordering::Equal),
                losses: count(Ordering::Greater),
            }
        };
        others.iter().zip(&differences).zip(intervals).map(against).collect()
    });

    let n_tables = tables.names.len();
    let critical_difference = critical_difference(models.len(), n_tables);
    let mean_ranks: Vec<f64> = models.iter().map(|model| model.mean_rank).collect();
    let (task, n_support) = (rows[0].task, rows[0].n_support);
    Some(SummaryBlock {
        task,
        n_support,
        metric,
        n_tables,
        n_splits: tables.n_splits,
        models,
        critical_difference,
        groups: critical_difference.map_or_else(Vec::new, |distance| groups(&mean_ranks, distance)),
        paired,
        tables: tables.in_order(&order),
    })
}

/// The means over splits of every table.
struct Tables<'a> {
    models: Vec<&'a str>,
    names: Vec<&'a str>,
    /// A row a table, a column a model.
    values: Vec<Vec<f64>>,
    n_splits: usize,
}

impl<'a> Tables<'a> {
    /// Of the splits on which every model has a figure; none if there is no such split.
    fn new(rows: &[&'a ResultRow], metric: Metric) -> Option<Self> {
        let mut models: BTreeSet<&str> = BTreeSet::new();
        let mut splits: BTreeMap<(&str, u32), BTreeMap<&str, f64>> = BTreeMap::new();
        for row in rows {
            if let Some(value) = row.get(metric) {
                models.insert(&row.model);
                splits.entry((&row.name, row.split)).or_default().insert(&row.model, value);
            }
        }
        let mut sums: BTreeMap<&str, (Vec<f64>, f64)> = BTreeMap::new();
        let mut n_splits = 0;
        for ((name, _), values) in splits.iter().filter(|(_, values)| values.len() == models.len()) {
            let (sum, n) = sums.entry(name).or_insert_with(|| (vec![0.0; models.len()], 0.0));
            sum.iter_mut().zip(values.values()).for_each(|(sum, value)| *sum += value);
            *n += 1.0;
            n_splits += 1;
        }
        let (names, values) = sums
            .into_iter()
            .map(|(name, (sum, n))| (name, sum.into_iter().map(|value| value / n).collect()))
            .unzip();
        let tables = Self { models: models.into_iter().collect(), names, values, n_splits };
        (n_splits > 0).then_some(tables)
    }

    /// Every table with its values by an order of the models.
    fn in_order(&self, order: &[usize]) -> Vec<TableValues> {
        let table = |(name, row): (&&str, &Vec<f64>)| TableValues {
            name: name.to_string(),
            values: order.iter().map(|&idx| row[idx]).collect(),
        };
        self.names.iter().zip(&self.values).map(table).collect()
    }
}

fn column(rows: &[Vec<f64>], idx: usize) -> Vec<f64> {
    rows.iter().map(|row| row[idx]).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn summary(model: &str, values: &[f64], ranks: &[f64]) -> ModelSummary {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    ModelSummary {
        model: model.to_string(),
        mean: mean(values),
        median: median(&sorted),
        mean_rank: mean(ranks),
    }
}
