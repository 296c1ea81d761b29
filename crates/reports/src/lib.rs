//! Pages and pictures of what was measured, and lists of recorded runs.
//!
//! A page is one HTML file that needs nothing but itself; beside it goes a JSON file with every figure. This crate measures
//! nothing.

mod assessment;
mod axis;
mod bench;
mod comparison;
mod costs;
mod critical;
mod curves;
mod decisions;
mod dots;
mod error;
mod evaluation;
mod foreseen;
mod generations;
mod heat;
mod lines;
mod notes;
mod page;
mod picture;
mod plan;
mod runs;
mod scatter;
mod square;
mod tree;

pub use error::ReportError;
pub use runs::{
    CurveRow, ExportedRuns, ParentRow, RunLevel, RunList, RunQuery, RunRow, RunsFormat, list_runs, show_run,
    write_runs,
};

use serde::Serialize;
use std::path::Path;
use weightsmith_evaluation::{Comparison, EvaluateSettings, Skipped, Summary};
use weightsmith_experiments::Bench;
use weightsmith_planner::{Assessment, DecisionReport, StrategiesReport};
use weightsmith_runtime::write_output;
use weightsmith_self_application::SelfApplyReport;

/// What a report is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// A page with its pictures, without anything from outside.
    Html,
    /// The pictures alone.
    Svg,
}

impl ReportFormat {
    /// By the extension of the file.
    ///
    /// # Errors
    /// Any other extension.
    pub fn of(path: &Path) -> Result<Self, ReportError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("html" | "htm") => Ok(Self::Html),
            Some("svg") => Ok(Self::Svg),
            _ => Err(ReportError::ReportFormat { path: path.into() }),
        }
    }
}

/// Writes the report of a comparison; beside a page goes a file of the same name that ends in `.json`, with every figure.
///
/// # Errors
/// An extension that is no report's, a system that refuses.
pub fn write_comparison(comparison: &Comparison, path: &Path) -> Result<(), ReportError> {
    let text = match ReportFormat::of(path)? {
        ReportFormat::Html => comparison::html(comparison),
        ReportFormat::Svg => comparison::svg(comparison),
    };
    write_output(path, text.as_bytes())?;
    write_figures(comparison, path)
}

/// Writes every figure of a page as JSON beside it; a picture has none.
fn write_figures(figures: &impl Serialize, page: &Path) -> Result<(), ReportError> {
    if ReportFormat::of(page)? == ReportFormat::Svg {
        return Ok(());
    }
    let json = serde_json::to_vec_pretty(figures).expect("figures are plain data");
    Ok(write_output(&page.with_extension("json"), &json)?)
}

/// An evaluation as its page tells it; beside a page it is written as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationReport<'a> {
    /// Tables of the suite.
    pub n_tables: usize,
    /// What was scored on each.
    pub settings: &'a EvaluateSettings,
    /// Names and checksums.
    pub metamodels: Vec<(String, String)>,
    /// Splits that nobody could be scored on.
    pub skipped: &'a [Skipped],
    /// The figures.
    #[serde(flatten)]
    pub summary: &'a Summary,
}

/// Writes the report of an evaluation, and its figures beside a page as [`write_comparison`] does.
///
/// # Errors
/// An extension that is no report's, a system that refuses.
pub fn write_evaluation(report: &EvaluationReport<'_>, path: &Path) -> Result<(), ReportError> {
    let text = match ReportFormat::of(path)? {
        ReportFormat::Html => evaluation::html(report),
        ReportFormat::Svg => evaluation::svg(report.summary),
    };
    write_output(path, text.as_bytes())?;
    write_figures(report, path)
}

/// Writes the report of a bench, and its figures beside a page as [`write_comparison`] does.
///
/// # Errors
/// An extension that is no report's, a system that refuses.
pub fn write_bench(bench: &Bench, path: &Path) -> Result<(), ReportError> {
    let text = match ReportFormat::of(path)? {
        ReportFormat::Html => bench::html(bench),
        ReportFormat::Svg => bench::svg(bench),
    };
    write_output(path, text.as_bytes())?;
    write_figures(bench, path)
}

/// Writes the report of a plan, and its figures beside a page as [`write_comparison`] does.
///
/// # Errors
/// An extension that is no report's, a system that refuses.
pub fn write_plan(report: &DecisionReport, path: &Path) -> Result<(), ReportError> {
    let text = match ReportFormat::of(path)? {
        ReportFormat::Html => plan::html(report),
        ReportFormat::Svg => plan::svg(report),
    };
    write_output(path, text.as_bytes())?;
    write_figures(report, path)
}

/// Writes the report of an assessment, and its figures beside a page as [`write_comparison`] does.
///
/// # Errors
/// An extension that is no report's, a system that refuses.
pub fn write_assessment(report: &Assessment, path: &Path) -> Result<(), ReportError> {
    let text = match ReportFormat::of(path)? {
        ReportFormat::Html => assessment::html(report),
        ReportFormat::Svg => assessment::svg(report),
    };
    write_output(path, text.as_bytes())?;
    write_figures(report, path)
}

/// Writes the report of decisions, and its figures beside a page as [`write_comparison`] does.
///
/// # Errors
/// An extension that is no report's, a system that refuses.
pub fn write_decisions(report: &StrategiesReport, path: &Path) -> Result<(), ReportError> {
    let text = match ReportFormat::of(path)? {
        ReportFormat::Html => decisions::html(report),
        ReportFormat::Svg => decisions::svg(report),
    };
    write_output(path, text.as_bytes())?;
    write_figures(report, path)
}

/// Writes the report of generations, and its figures beside a page as [`write_comparison`] does.
///
/// # Errors
/// An extension that is no report's, a system that refuses.
pub fn write_generations(report: &SelfApplyReport, path: &Path) -> Result<(), ReportError> {
    let text = match ReportFormat::of(path)? {
        ReportFormat::Html => generations::html(report),
        ReportFormat::Svg => generations::svg(report),
    };
    write_output(path, text.as_bytes())?;
    write_figures(report, path)
}
