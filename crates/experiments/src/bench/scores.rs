//! Finished metamodels on real tables.

use super::plan::UNTRAINED;
use super::{BenchError, BenchEvaluation, BenchEvent, BenchRun, BenchSettings, Listener};
use crate::train::Files;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use weightsmith_evaluation::methods::GENERATED_ALONE;
use weightsmith_evaluation::{
    EvaluationError, Metamodels, ResultRow, SuiteTable, evaluate, read_results, write_results,
};
use weightsmith_generation::load_metamodel;
use weightsmith_runtime::write_output;

/// Results are written at least this often, so that a killed bench loses little.
const WRITE_EVERY: Duration = Duration::from_secs(10);

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

    fn write(&self, run: &BenchRun) -> Result<(), EvaluationError> {
        let text = toml::to_string(self).expect("what results are of is plain data");
        Ok(write_output(&Self::path(run), text.as_bytes())?)
    }

    fn path(run: &BenchRun) -> PathBuf {
        run.experiment.folder.join("evaluation.toml")
    }
}

fn results_path(run: &BenchRun) -> PathBuf {
    run.experiment.folder.join("results.csv")
}

/// Scores a run's metamodel on every split that has no result yet; whether all have one now.
#[expect(clippy::disallowed_methods, reason = "results are written now and then")]
pub(super) fn score(
    run: &BenchRun,
    evaluation: &BenchEvaluation,
    tables: &[SuiteTable],
    settings: &BenchSettings<'_>,
    listen: &mut Listener<'_>,
) -> Result<bool, BenchError> {
    let path = Files::new(&run.experiment.folder).metamodel;
    let pretrained = load_metamodel(Some(&path.to_string_lossy()), run.task(), settings.device)
        .map_err(EvaluationError::from)?;
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
            write_results(&results, &[])?;
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
            write_results(&results, progress.rows)?;
            written = Instant::now();
        }
        if stops { Err(EvaluationError::Stopped) } else { Ok(()) }
    });
    match evaluated {
        Err(EvaluationError::Stopped) => Ok(false),
        Err(error) => Err(error.into()),
        Ok(evaluated) => {
            write_results(&results, &evaluated.rows)?;
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
) -> Result<Option<Vec<ResultRow>>, EvaluationError> {
    if !ResultsOf::read(run).is_some_and(|of| of.is_whole && of.evaluation == *evaluation) {
        return Ok(None);
    }
    let mut rows = read_results(&results_path(run))?;
    for row in &mut rows {
        let is_generated = row.model == GENERATED_ALONE.name();
        row.model = if is_generated { run.name.clone() } else { UNTRAINED.to_string() };
    }
    Ok(Some(rows))
}
