//! Pages and pictures of what was measured, and lists of recorded runs.
//!
//! A page is one HTML file that needs nothing but itself; beside it goes a JSON file with every figure. Text is escaped
//! by the templates, never by hand. This crate measures nothing.

mod charts;
mod error;
mod page;
mod pages;
mod runs;
mod words;

pub use charts::Chart;
pub use error::ReportError;
pub use page::{Page, ReportFormat, html, write};
pub use pages::{EvaluationReport, ScoreReport, SelectionReport};
pub use runs::{
    CurveRow, ExportedRuns, ParentRow, RunLevel, RunList, RunQuery, RunRow, RunsFormat, list_runs, show_run,
    write_runs,
};
