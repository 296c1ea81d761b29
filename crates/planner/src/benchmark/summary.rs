//! The results of strategies, summarised over tables.

use crate::benchmark::strategy::{Strategy, Trial};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_evaluation::statistics::{Bootstrap, Interval};
use weightsmith_tasks::Seed;

/// The results of one strategy, summarised over tables.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StrategySummary {
    /// The strategy.
    pub strategy: Strategy,
    /// A description in one line.
    pub about: String,
    /// The number of support rows.
    pub n_support: usize,
    /// The number of tables on which every strategy has a loss.
    pub n_tables: usize,
    /// The mean regret over tables.
    pub regret: f64,
    /// Its 95% bootstrap interval.
    pub interval: Option<Interval>,
    /// The share of the gap between always generating in one forward pass and the best in hindsight that it closes, and its 95%
    /// bootstrap interval; none without the former.
    pub gap_closed: Option<(f64, Option<Interval>)>,
    /// The mean over tables of the planner's regret less this one's, and its 95% bootstrap interval; none for the planner.
    pub planned_difference: Option<(f64, Option<Interval>)>,
    /// The number of tables on which the planner's loss is lower, the same, higher.
    pub planned_wins: [usize; 3],
    /// Mean processor seconds.
    pub cpu_s: f64,
    /// Mean processor seconds of trainings.
    pub training_s: f64,
    /// Mean number of trainings.
    pub n_trainings: f64,
}

/// All results, and their summaries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StrategiesReport {
    /// Every strategy at every number of support rows.
    pub strategies: Vec<StrategySummary>,
    /// Every result.
    pub trials: Vec<Trial>,
}

/// Summarises results over tables, for each number of support rows that was asked for. Only tables on which every strategy has a
/// loss count. `seed` is that of the bootstrap.
pub fn summarise_strategies(trials: &[Trial], seed: Seed) -> Vec<StrategySummary> {
    let sizes: BTreeSet<usize> = trials.iter().map(|trial| trial.n_support).collect();
    let strategies: BTreeSet<Strategy> = trials.iter().map(|trial| trial.strategy).collect();
    let mut summaries = Vec::new();
    for n_support in sizes {
        let mut tables: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
        let counted = trials.iter().filter(|trial| trial.n_support == n_support && trial.regret.is_some());
        counted.for_each(|trial| tables.entry(&trial.table).or_default().push(trial));
        tables.retain(|_, found| found.len() == strategies.len());
        let regrets = |strategy: Strategy| -> Vec<f64> {
            let of = |found: &Vec<&Trial>| {
                found.iter().find(|trial| trial.strategy == strategy).and_then(|trial| trial.regret)
            };
            tables.values().filter_map(of).collect()
        };
        let planned = strategies.contains(&Strategy::Planned).then(|| regrets(Strategy::Planned));
        let plain = strategies.contains(&Strategy::Plain).then(|| regrets(Strategy::Plain));
        for &strategy in &strategies {
            let own = regrets(strategy);
            let n = own.len().max(1) as f64;
            let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / n;
            let less = planned.as_ref().filter(|_| strategy != Strategy::Planned).map(|planned| {
                planned.iter().zip(&own).map(|(planned, own)| planned - own).collect::<Vec<f64>>()
            });
            let count = |fits: fn(&f64) -> bool| less.iter().flatten().filter(|less| fits(less)).count();
            let of_strategy = || tables.values().flatten().filter(|trial| trial.strategy == strategy);
            let bootstrap = Bootstrap { seed, stream: "planning.trials.bootstrap", ..Bootstrap::default() };
            let interval = |numbers: &Vec<f64>| bootstrap.intervals(std::slice::from_ref(numbers))[0];
            let closed = |means: &[f64]| 1.0 - means[0] / means[1];
            let gap_closed = plain.as_ref().map(|plain| {
                let share = closed(&[mean(&own), mean(plain)]);
                (share, bootstrap.interval_of(&[own.clone(), plain.clone()], closed))
            });
            summaries.push(StrategySummary {
                strategy,
                about: strategy.about(),
                n_support,
                n_tables: own.len(),
                regret: mean(&own),
                interval: interval(&own),
                gap_closed: gap_closed.filter(|(share, _)| share.is_finite()),
                planned_difference: less.as_ref().map(|less| (mean(less), interval(less))),
                planned_wins: [
                    count(|less| *less < -1e-9),
                    count(|less| less.abs() <= 1e-9),
                    count(|less| *less > 1e-9),
                ],
                cpu_s: of_strategy().map(|trial| trial.cpu_s).sum::<f64>() / n,
                training_s: of_strategy().map(|trial| trial.training_s).sum::<f64>() / n,
                n_trainings: of_strategy().map(|trial| trial.n_trainings as f64).sum::<f64>() / n,
            });
        }
    }
    summaries
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::TaskType;

    #[test]
    fn the_share_of_the_gap_is_one_less_the_ratio_of_mean_regrets() {
        let trial = |table: &str, strategy: Strategy, regret: f64| Trial {
            table: table.into(),
            task_type: TaskType::Regression,
            n_support: 32,
            strategy,
            loss: Some(regret),
            regret: Some(regret),
            predicted: None,
            cpu_s: 0.0,
            training_s: 0.0,
            n_trainings: 1,
            decision: String::new(),
        };
        let trials = [
            trial("a", Strategy::Planned, 0.1),
            trial("a", Strategy::Plain, 0.4),
            trial("b", Strategy::Planned, 0.0),
            trial("b", Strategy::Plain, 0.1),
        ];
        let found = summarise_strategies(&trials, Seed(0));
        let planned = found.iter().find(|summary| summary.strategy == Strategy::Planned).unwrap();
        let (share, interval) = planned.gap_closed.unwrap();
        let interval = interval.unwrap();
        // 1 - 0.1 / 0.5; of draws of one table alone 0.75 and 1.
        assert!((share - 0.8).abs() < 1e-12);
        assert!((interval.low - 0.75).abs() < 1e-12 && (interval.high - 1.0).abs() < 1e-12, "{interval:?}");
    }
}
