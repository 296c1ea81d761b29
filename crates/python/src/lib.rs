//! The compiled part of the Python package `weightsmith`, its module `weightsmith._core`.
//!
//! [`Rows`] are columns that came from Python, by the buffer protocol or as an Arrow stream; [`Network`] is a network of
//! small tables with what can be done with it. Work runs on a thread of its own with the interpreter's lock released, so
//! that other threads go on and Ctrl-C is heard. Every error is a `ValueError` with the engine's sentence; a panic of the
//! engine is a `RuntimeError` that asks for a report.
//!
//! What scikit-learn, pandas and notebooks ask for is in Python, in `python/weightsmith`. Nothing here decides anything
//! about models or scores.

mod comparison;
mod network;
mod rows;
mod worker;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::error::Error;
use weightsmith::Source;
use weightsmith_runtime::in_one_line;

pub use network::Network;
pub use rows::Rows;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The engine behind the package `weightsmith`; use the classes of the package itself.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    worker::keep_panics_quiet();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<Rows>()?;
    module.add_class::<Network>()?;
    module.add_function(wrap_pyfunction!(sample, module)?)?;
    module.add_function(wrap_pyfunction!(comparison::compare, module)?)?;
    module.add_function(wrap_pyfunction!(comparison::methods, module)?)?;
    Ok(())
}

/// The CSV text of a built-in table and the name of its target; without a name of one, the error has them all.
#[pyfunction]
fn sample(name: &str) -> PyResult<(&'static str, &'static str)> {
    match Source::Sample(name.to_string()).sample().map_err(refused)? {
        Some(sample) => Ok((sample.csv, sample.target)),
        None => unreachable!("a source of this kind is a sample or an error"),
    }
}

/// An error of the engine as Python has it: one sentence.
fn refused(error: impl Error) -> PyErr {
    PyValueError::new_err(in_one_line(&error))
}
