//! Runs in files for other programs: CSV or Parquet with the curves in a second file, or JSON with all in one.

use super::RunRow;
use crate::error::ReportError;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use weightsmith_evaluation::{ParquetColumn, ParquetValues, parquet_bytes};
use weightsmith_ledger::{Named, Value};
use weightsmith_runtime::{check_output, write_output};

/// What a file of runs is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RunsFormat {
    /// Text; numbers in the shortest digits that give them again.
    Csv,
    /// Columns with their types.
    Parquet,
    /// An array of objects, each with its curve.
    Json,
}

impl RunsFormat {
    /// By the extension of the file.
    ///
    /// # Errors
    /// Any other extension.
    pub fn of(path: &Path) -> Result<Self, ReportError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            Some("json") => Ok(Self::Json),
            _ => Err(ReportError::RunsFormat { path: path.into() }),
        }
    }
}

/// The files that runs were written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedRuns {
    /// A row a run.
    pub runs: PathBuf,
    /// A row a look at a run, with its `uid`: `NAME-curves` beside `NAME`. None for JSON.
    pub curves: Option<PathBuf>,
}

impl ExportedRuns {
    /// The files for runs that go to `path`.
    ///
    /// # Errors
    /// An extension that is no file's of runs, places that cannot be written.
    pub fn at(path: &Path) -> Result<Self, ReportError> {
        let curves = match RunsFormat::of(path)? {
            RunsFormat::Json => None,
            RunsFormat::Csv | RunsFormat::Parquet => {
                let [stem, extension] = [path.file_stem(), path.extension()]
                    .map(|part| part.unwrap_or_default().to_string_lossy());
                Some(path.with_file_name(format!("{stem}-curves.{extension}")))
            }
        };
        check_output(path)?;
        curves.as_deref().map_or(Ok(()), check_output)?;
        Ok(Self { runs: path.into(), curves })
    }
}

/// Writes runs to a file of the format that its extension names, and their curves to a second one.
///
/// # Errors
/// An extension that is no file's of runs, a system that refuses.
///
/// # Panics
/// Never: columns have names of their own, and files are built in memory.
pub fn write_runs(path: &Path, runs: &[RunRow]) -> Result<ExportedRuns, ReportError> {
    let files = ExportedRuns::at(path)?;
    let bytes = |columns: &[ParquetColumn]| match RunsFormat::of(path) {
        Ok(RunsFormat::Parquet) => parquet_bytes(columns).expect("the columns have names of their own"),
        _ => csv_bytes(columns),
    };
    match &files.curves {
        None => {
            let mut json = serde_json::to_vec(runs).expect("runs are plain data");
            json.push(b'\n');
            write_output(path, &json)?;
        }
        Some(curves) => {
            write_output(curves, &bytes(&curve_columns(runs)))?;
            write_output(path, &bytes(&run_columns(runs)))?;
        }
    }
    Ok(files)
}

/// A column a field, and one for each name in any recipe (`recipe.NAME`), features or probe.
fn run_columns(runs: &[RunRow]) -> Vec<ParquetColumn> {
    let text = |name: &str, value: &dyn Fn(&RunRow) -> String| ParquetColumn {
        name: name.to_string(),
        values: ParquetValues::Text(runs.iter().map(|run| Some(value(run))).collect()),
    };
    let number = |name: &str, value: &dyn Fn(&RunRow) -> Option<f64>| ParquetColumn {
        name: name.to_string(),
        values: ParquetValues::Numbers(runs.iter().map(value).collect()),
    };
    let whole = |name: &str, value: &dyn Fn(&RunRow) -> u64| ParquetColumn {
        name: name.to_string(),
        values: ParquetValues::Whole(runs.iter().map(|run| Some(value(run).cast_signed())).collect()),
    };
    let list = |texts: &mut dyn Iterator<Item = &str>| -> String {
        serde_json::to_string(&texts.collect::<Vec<_>>()).expect("texts are JSON")
    };
    let parents = |run: &RunRow, kind: &str| {
        list(&mut run.parents.iter().filter(|parent| parent.kind == kind).map(|parent| parent.uid.as_str()))
    };
    let mut columns = vec![
        whole("position", &|run| run.position),
        text("uid", &|run| run.uid.clone()),
        whole("level", &|run| run.level.into()),
        text("role", &|run| run.role.to_string()),
        text("task", &|run| run.task.clone()),
        text("roots", &|run| list(&mut run.roots.iter().map(String::as_str))),
        text("split", &|run| run.split.to_string()),
        text("metric", &|run| run.metric.clone()),
        number("value", &|run| run.value),
        whole("n_short", &|run| run.n_short),
        whole("n_long", &|run| run.n_long),
        number("cpu_s", &|run| Some(run.cpu_s)),
        number("wall_s", &|run| Some(run.wall_s)),
        text("seed", &|run| run.seed.clone()),
        text("code_version", &|run| run.code_version.clone()),
        text("device", &|run| run.device.clone()),
        whole("n_steps", &|run| run.n_steps),
        text("data_parents", &|run| parents(run, "data")),
        text("model_parents", &|run| parents(run, "model")),
        text("appended_at", &|run| run.appended_at.clone()),
    ];
    columns.extend(named_columns("recipe", runs, |run| &run.recipe));
    columns.extend(named_columns("features", runs, |run| &run.features));
    columns.extend(named_columns("probe", runs, |run| &run.probe));
    columns
}

/// Numbers where all values of a name are numbers, else texts.
fn named_columns(part: &str, runs: &[RunRow], named: impl Fn(&RunRow) -> &Named) -> Vec<ParquetColumn> {
    let names: BTreeSet<&String> = runs.iter().flat_map(|run| named(run).keys()).collect();
    let column = |name: &String| {
        let values: Vec<Option<&Value>> = runs.iter().map(|run| named(run).get(name)).collect();
        let is_number = values.iter().flatten().all(|value| matches!(value, Value::Number(_)));
        let number = |value: &Value| match value {
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
        };
        let text = |value: &Value| match value {
            Value::Number(number) => number_text(*number),
            Value::Text(text) => text.clone(),
        };
        let values = if is_number {
            ParquetValues::Numbers(values.into_iter().map(|value| value.and_then(number)).collect())
        } else {
            ParquetValues::Text(values.into_iter().map(|value| value.map(text)).collect())
        };
        ParquetColumn { name: format!("{part}.{name}"), values }
    };
    names.into_iter().map(column).collect()
}

fn curve_columns(runs: &[RunRow]) -> Vec<ParquetColumn> {
    let points = || runs.iter().flat_map(|run| run.curve.iter().map(move |point| (run, point)));
    let column = |name: &str, values: ParquetValues| ParquetColumn { name: name.to_string(), values };
    vec![
        column("uid", ParquetValues::Text(points().map(|(run, _)| Some(run.uid.clone())).collect())),
        column(
            "step",
            ParquetValues::Whole(points().map(|(_, point)| Some(point.step.cast_signed())).collect()),
        ),
        column("long_loss", ParquetValues::Numbers(points().map(|(_, point)| point.long_loss).collect())),
        column("short_loss", ParquetValues::Numbers(points().map(|(_, point)| point.short_loss).collect())),
        column("cpu_s", ParquetValues::Numbers(points().map(|(_, point)| Some(point.cpu_s)).collect())),
    ]
}

fn csv_bytes(columns: &[ParquetColumn]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |fields: Vec<String>| writer.write_record(fields).expect("memory takes every row");
    write(columns.iter().map(|column| column.name.clone()).collect());
    let cell = |column: &ParquetColumn, row: usize| match &column.values {
        ParquetValues::Text(texts) => texts[row].clone(),
        ParquetValues::Numbers(numbers) => numbers[row].map(number_text),
        ParquetValues::Whole(numbers) => numbers[row].map(|number| number.to_string()),
    };
    let n_rows = columns.first().map_or(0, |column| column.values.n_rows());
    for row in 0..n_rows {
        write(columns.iter().map(|column| cell(column, row).unwrap_or_default()).collect());
    }
    writer.into_inner().expect("memory takes every byte")
}

/// The shortest digits that give the number again, with an exponent where it is very large or small.
fn number_text(number: f64) -> String {
    format!("{number:?}")
}
