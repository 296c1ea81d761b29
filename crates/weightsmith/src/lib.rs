//! Small networks for small tables: generate their weights, save and load them, and predict.

mod error;
mod files;
mod generation;

pub use error::Error;
pub use files::{predict_rows, read_base_model, write_base_model};
pub use generation::{Generation, Refining, Writer, Writing, generate};
