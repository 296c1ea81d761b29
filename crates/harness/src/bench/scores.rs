//! Finished metamodels on real tables.

use super::plan::UNTRAINED;
use super::{BenchError, BenchEvaluation, BenchEvent, BenchRun, BenchSettings, Listener};
use crate::arms::Arm;
use crate::catalog::load_metamodel;
use crate::error::HarnessError;
use crate::evaluate::{Metamodels, evaluate};
use crate::metrics::Metric;
use crate::output::write_output;
use crate::results::{ResultRow, read_results, results_csv};
use crate::suite::SuiteTable;
use crate::train::Files;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use weightsmith_tasks::Seed;

/// The metamodel by itself, and its head without it.
pub(super) const ARMS: [Arm; 2] = [Arm::GeneratedAlone, Arm::Untrained];
/// Results are written at least this often, so that a killed bench loses little.
const WRITE_EVERY: Duration = Duration::from_secs(10);
const N_RESAMPLES: usize = 4000;

/// What a file of results is of; with anything else it is made anew.
#[derive(Serialize, Deserialize)]
struct ResultsOf {
    checksum: String,
    evaluation: BenchEvaluation,
    /// Whether every split has its result.
    is_whole: bool,
}

impl ResultsOf {
    fn read(run: &BenchRun) -> Option<Self> {
        toml::from_str(&fs::read_to_string(Self::path(run)).ok()?).ok()
    }

    fn write(&self, run: &BenchRun) -> Result<(), HarnessError> {
        let text = toml::to_string(self).expect("what results are of is plain data");
        write_output(&Self::path(run), text.as_bytes())
    }

    fn path(run: &BenchRun) -> PathBuf {
        run.experiment.folder.join("evaluation.toml")
    }
}

fn results_path(run: &BenchRun) -> PathBuf {
    run.experiment.folder.join("results.csv")
}

/// Scores a run's metamodel on every split that has no result yet; whether all have one now.
pub(super) fn score(
    run: &BenchRun,
    evaluation: &BenchEvaluation,
    tables: &[SuiteTable],
    settings: &BenchSettings<'_>,
    listen: &mut Listener<'_>,
) -> Result<bool, BenchError> {
    let path = Files::new(&run.experiment.folder).metamodel;
    let pretrained = load_metamodel(Some(&path.to_string_lossy()), run.task(), settings.device)
        .map_err(HarnessError::from)?;
    let (checksum, evaluation_now) = (pretrained.checksum.clone(), evaluation.clone());
    let mut of = ResultsOf { checksum, evaluation: evaluation_now, is_whole: false };
    let results = results_path(run);
    let before = match ResultsOf::read(run) {
        Some(before) if (&before.checksum, &before.evaluation) == (&of.checksum, &of.evaluation) => {
            if before.is_whole {
                return Ok(true);
            }
            read_results(&results)?
        }
        _ => {
            write_output(&results, &results_csv(&[]))?;
            of.write(run)?;
            Vec::new()
        }
    };
    let metamodels = Metamodels::of_loaded(vec![pretrained]);
    let mut written = Instant::now();
    let evaluate_settings = evaluation.settings(settings.n_threads);
    let evaluated = evaluate(tables, &metamodels, &evaluate_settings, before, &mut |progress| {
        let (n_done, n_all) = (progress.n_done, progress.n_all);
        let stops = listen(BenchEvent::Score { n_done, n_all }).is_break() && n_done < n_all;
        if stops || written.elapsed() > WRITE_EVERY {
            write_output(&results, &results_csv(progress.rows))?;
            written = Instant::now();
        }
        if stops { Err(HarnessError::Stopped) } else { Ok(()) }
    });
    match evaluated {
        Err(HarnessError::Stopped) => Ok(false),
        Err(error) => Err(error.into()),
        Ok(evaluated) => {
            write_output(&results, &results_csv(&evaluated.rows))?;
            of.is_whole = true;
            of.write(run)?;
            Ok(true)
        }
    }
}

/// The results of a run's metamodel under the run's name, and those of the closed-form head; none where not every split
/// is scored.
pub(super) fn results(
    run: &BenchRun,
    evaluation: &BenchEvaluation,
) -> Result<Option<Vec<ResultRow>>, HarnessError> {
    if !ResultsOf::read(run).is_some_and(|of| of.is_whole && of.evaluation == *evaluation) {
        return Ok(None);
    }
    let mut rows = read_results(&results_path(run))?;
    for row in &mut rows {
        let is_generated = row.model == Arm::GeneratedAlone.name();
        row.model = if is_generated { run.name.clone() } else { UNTRAINED.to_string() };
    }
    Ok(Some(rows))
}

/// The mean of `model` minus `other` over tables with its 95% interval, by drawing tables again with replacement; none
/// with fewer than two tables.
///
/// Source: Efron 1979, the percentile bootstrap.
pub(super) fn paired_interval(
    rows: &[ResultRow],
    metric: Metric,
    [model, other]: [&str; 2],
) -> Option<(f64, f64)> {
    let mut splits: BTreeMap<(&str, u32), [Option<f64>; 2]> = BTreeMap::new();
    for row in rows {
        let Some(side) = [model, other].iter().position(|name| *name == row.model) else { continue };
        splits.entry((&row.name, row.split)).or_default()[side] = row.get(metric);
    }
    let mut tables: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for ((table, _), values) in &splits {
        if let [Some(value), Some(of_other)] = values {
            let (sum, n) = tables.entry(table).or_default();
            *sum += value - of_other;
            *n += 1.0;
        }
    }
    let differences: Vec<f64> = tables.values().map(|(sum, n)| sum / n).collect();
    let n = differences.len();
    if n < 2 {
        return None;
    }
    let mut rng = Seed(0).stream("harness.bench.bootstrap");
    let mut means: Vec<f64> = (0..N_RESAMPLES)
        .map(|_| (0..n).map(|_| differences[rng.random_range(0..n)]).sum::<f64>() / n as f64)
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let quantile = |share: f64| means[(share * (N_RESAMPLES - 1) as f64).round() as usize];
    Some((quantile(0.025), quantile(0.975)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::TaskType;

    #[test]
    fn the_interval_is_that_of_the_mean_over_tables() {
        let row = |table: usize, model: &str, value: f64| ResultRow {
            name: table.to_string(),
            task: TaskType::Regression,
            short: 32,
            split: 0,
            model: model.to_string(),
            accuracy: None,
            auc: None,
            logloss: None,
            r2: None,
            r2_clipped: Some(value),
            seconds: None,
            error: None,
        };
        // Differences 0 and 0.02 in turn: mean 0.01, standard error 0.01 / sqrt(100).
        let rows: Vec<ResultRow> = (0..100)
            .flat_map(|table| {
                let value = table as f64 / 200.0;
                [row(table, "a", value + 0.02 * (table % 2) as f64), row(table, "b", value)]
            })
            .collect();
        let (low, high) = paired_interval(&rows, Metric::R2Clipped, ["a", "b"]).unwrap();
        assert!(
            (low - (0.01 - 1.96e-3)).abs() < 3e-4 && (high - (0.01 + 1.96e-3)).abs() < 3e-4,
            "{low} {high}"
        );
        assert_eq!(paired_interval(&rows[..2], Metric::R2Clipped, ["a", "b"]), None);
    }
}
