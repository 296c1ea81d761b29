//! Columns from Python as a table: contiguous buffers of numbers and codes, or an Arrow stream.

use crate::network::Network;
use crate::refused;
use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_pyarrow::PyArrowType;
use arrow_schema::{ArrowError, Field, Schema};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::sync::Arc;
use weightsmith::{
    Column, ColumnType, ColumnValues, DateOrder, Table, conformed, date_columns, table_of_record_batches,
    with_date_parts,
};

/// Rows of named columns, each of numbers or of categories.
#[pyclass(frozen, module = "weightsmith._core")]
pub struct Rows {
    pub(crate) table: Arc<Table>,
}

impl From<Table> for Rows {
    fn from(table: Table) -> Self {
        Self { table: Arc::new(table) }
    }
}

/// A column as Python gives it: its name, then numbers, or codes with the names of the levels, where a negative code is a
/// missing value, or seconds since 1970 with the word "moments", where NaN is.
#[derive(FromPyObject)]
enum Given<'py> {
    Categories(String, Bound<'py, PyAny>, Vec<String>),
    Moments(String, Bound<'py, PyAny>, String),
    Numbers(String, Bound<'py, PyAny>),
}

#[pymethods]
impl Rows {
    /// Rows of columns: `(name, float64 array)`, `(name, int64 array of codes, list of levels)`, or `(name, float64 array of
    /// seconds since 1970, "moments")` each.
    #[staticmethod]
    fn from_columns(py: Python<'_>, n_rows: usize, columns: Vec<Given<'_>>) -> PyResult<Self> {
        let column = |given: Given<'_>| {
            let one = |name, values| vec![Column { name, values }];
            Ok(match given {
                Given::Numbers(name, values) => one(name, ColumnValues::Numeric(numbers(py, &values)?)),
                Given::Categories(name, codes, levels) => {
                    let codes = whole_numbers(py, &codes)?.into_iter().map(|code| u32::try_from(code).ok());
                    one(name, ColumnValues::Categorical { levels, codes: codes.collect() })
                }
                Given::Moments(name, _, what) if what != "moments" => {
                    return Err(PyValueError::new_err(format!("column \"{name}\" is of no kind \"{what}\"")));
                }
                Given::Moments(name, seconds, _) => {
                    let seconds = numbers(py, &seconds)?.into_iter();
                    let moments: Vec<Option<f64>> =
                        seconds.map(|moment| moment.is_finite().then_some(moment)).collect();
                    date_columns(&name, &moments, DateOrder::YearFirst)
                }
            })
        };
        let columns = columns.into_iter().map(column).collect::<PyResult<Vec<Vec<Column>>>>()?;
        let columns = columns.into_iter().flatten().collect();
        Ok(Table::new(n_rows, columns).map_err(refused)?.into())
    }

    /// Rows of a contiguous float64 matrix, whose columns have these names.
    #[staticmethod]
    fn from_matrix(py: Python<'_>, names: Vec<String>, matrix: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (values, width) = (numbers(py, matrix)?, names.len());
        let n_rows = values.len().checked_div(width).unwrap_or(0);
        if n_rows * width != values.len() {
            let found = values.len();
            return Err(PyValueError::new_err(format!("{found} numbers are no rows of {width} columns")));
        }
        let column = |(at, name)| Column {
            name,
            values: ColumnValues::Numeric(values.iter().skip(at).step_by(width).copied().collect()),
        };
        let columns = names.into_iter().enumerate().map(column).collect();
        Ok(Table::new(n_rows, columns).map_err(refused)?.into())
    }

    /// Rows of anything with `__arrow_c_stream__`, whose columns are called `names` in place of their own names.
    #[staticmethod]
    #[pyo3(signature = (stream, names=None))]
    fn from_arrow(stream: &Bound<'_, PyAny>, names: Option<Vec<String>>) -> PyResult<Self> {
        let reader: PyArrowType<RecordBatchStreamReader> = stream.extract()?;
        let schema = reader.0.schema();
        let batches: Result<Vec<RecordBatch>, _> = reader.0.collect();
        let mut batches = batches.map_err(refused)?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        if let Some(names) = names {
            batches = batches
                .iter()
                .map(|batch| renamed(batch, &names))
                .collect::<Result<_, _>>()
                .map_err(refused)?;
        }
        Ok(table_of_record_batches(&batches).map_err(refused)?.into())
    }

    /// The same rows to learn from: columns of dates, written as text, are their parts.
    fn with_date_parts(&self) -> PyResult<Self> {
        Ok(with_date_parts(&self.table).map_err(refused)?.into())
    }

    /// The same rows with the columns that a network reads, found by name, as the kinds that it reads.
    fn conformed(&self, network: &Network) -> PyResult<Self> {
        Ok(conformed(&self.table, network.inner().inputs()).map_err(refused)?.into())
    }

    /// Names and kinds of the columns.
    fn columns(&self) -> Vec<(String, &'static str)> {
        self.table.schema().into_iter().map(|(name, of)| (name, kind_of(of))).collect()
    }

    fn __len__(&self) -> usize {
        self.table.n_rows()
    }
}

/// A batch whose columns have other names.
fn renamed(batch: &RecordBatch, names: &[String]) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let fields =
        schema.fields().iter().zip(names).map(|(field, name)| field.as_ref().clone().with_name(name));
    let schema = Schema::new(fields.collect::<Vec<Field>>());
    RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec())
}

/// What Python calls a type of column.
pub(crate) fn kind_of(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Numeric => "numeric",
        ColumnType::Categorical => "categorical",
    }
}

/// The numbers of a contiguous float64 buffer.
pub(crate) fn numbers(py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    PyBuffer::<f64>::get(buffer)?.to_vec(py)
}

/// The numbers of a contiguous int64 buffer.
pub(crate) fn whole_numbers(py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    PyBuffer::<i64>::get(buffer)?.to_vec(py)
}
