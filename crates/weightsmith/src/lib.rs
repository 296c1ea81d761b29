//! Small networks for small tables: generate their weights, save and load them, and predict.
//!
//! weightsmith reads a table of some ten to some thousand labelled rows and *generates* the weights of a small neural
//! network for it: a second network, trained beforehand on synthetic tables, writes them in one forward pass.
//!
//! ```
//! # fn main() -> Result<(), weightsmith::Error> {
//! # let folder = std::env::temp_dir();
//! # let path = folder.join(format!("penguins-{}.safetensors", std::process::id()));
//! use weightsmith::{Dataset, Network, generate};
//!
//! let data = Dataset::sample("penguins")?; // or Dataset::from_csv("train.csv", "target")?
//! let network = generate(&data)?;
//! network.save(&path)?;
//! let predictions = Network::load(&path)?.predict(data.table())?;
//! assert_eq!(predictions.n_rows(), data.table().n_rows());
//! # std::fs::remove_file(&path).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! Rows may come from a CSV file, from slices, or from Arrow record batches:
//!
//! ```
//! # fn main() -> Result<(), weightsmith::Error> {
//! use weightsmith::{Dataset, generate};
//!
//! let rows: Vec<[f64; 2]> = (0..40).map(|i| [f64::from(i), f64::from(i % 7)]).collect();
//! let prices: Vec<f64> = rows.iter().map(|row| 3.0 * row[0] - row[1]).collect();
//! let network = generate(&Dataset::regression(&["size", "age"], &rows, &prices)?)?;
//! let predicted = network.predict_rows(&[[20.0, 3.0]])?;
//! assert!((predicted.values().unwrap()[0] - 57.0).abs() < 3.0);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Generator`] has the choices: which metamodel, how many views and trees, whether an optimiser refines.
//! [`Network::expected_performance`] is an estimate from the labelled rows alone of how good the network will be on others.
//!
//! Comparing with other methods, training metamodels and deciding how to train are in the crates `weightsmith-evaluation`,
//! `weightsmith-experiments` and `weightsmith-planner`; this one has none of their dependencies.

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

mod dataset;
mod error;
mod generator;
mod network;
mod record_batches;
mod tables;

pub use dataset::{Dataset, TextColumns, table_of_rows};
pub use error::Error;
pub use generator::{Generated, Generator, Refining, generate};
pub use network::{Network, PredictedRows};
pub use record_batches::table_of_record_batches;
pub use tables::{conformed, with_date_parts};
pub use weightsmith_base_model::{
    Beside, Bounds, ExpectedMetric, ExpectedPerformance, HostWeights, Precision, Predicted, Predictions,
    TextColumn,
};
pub use weightsmith_datasets::{ColumnSelection, DateOrder, Note, Sample, Source, date_columns, samples};
pub use weightsmith_generation::{ChosenColumns, ColumnTrial, GenerateInfo, SelectMode, Steps, StepsInfo};
pub use weightsmith_selection::{
    HeldOutWorth, JudgedColumn, JudgedColumns, SelectedRow, Selection, SelectionError, Selector, Standing,
    select,
};
pub use weightsmith_tasks::{Column, ColumnType, ColumnValues, Schema, Table, Target, TaskType};
