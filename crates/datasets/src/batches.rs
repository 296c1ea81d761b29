//! Parquet and Arrow files as records of fields, as if the same table had been written as CSV: one set of rules for types,
//! missing values and targets.

use crate::claims;
use crate::error::DatasetError;
use crate::records::{MAX_BYTES, MAX_COLUMNS, MAX_FIELDS, MAX_ROWS, Records};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_cast::{can_cast_types, cast};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, SchemaRef};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::borrow::Cow;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Formats that are tables of typed columns.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Parquet.
    Parquet,
    /// An Arrow file, also called Feather.
    ArrowFile,
    /// An Arrow stream.
    ArrowStream,
}

impl Format {
    /// By the first bytes; none for anything else.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let begins = |with: &[u8]| bytes.starts_with(with);
        if begins(b"PAR1") {
            Some(Self::Parquet)
        } else if begins(b"ARROW1") {
            Some(Self::ArrowFile)
        } else {
            begins(&[0xff; 4]).then_some(Self::ArrowStream)
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::ArrowFile => "Arrow",
            Self::ArrowStream => "Arrow stream",
        }
    }

    fn batches(self, bytes: &[u8]) -> Result<(SchemaRef, Batches<'_>), ArrowError> {
        Ok(match self {
            Self::Parquet => {
                // Parquet's reader shares pieces of the file; it is small beside what comes of it.
                let file = Bytes::copy_from_slice(bytes);
                let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.build()?;
                (arrow_array::RecordBatchReader::schema(&reader), Box::new(reader))
            }
            Self::ArrowFile => {
                refuse_unless(claims::file_is_small(bytes))?;
                let reader = FileReader::try_new(Cursor::new(bytes), None)?;
                (reader.schema(), Box::new(reader))
            }
            Self::ArrowStream => {
                refuse_unless(claims::stream_is_small(bytes))?;
                let reader = StreamReader::try_new(Cursor::new(bytes), None)?;
                (reader.schema(), Box::new(reader))
            }
        })
    }
}

/// Refuses what would take more memory than any file may.
fn refuse_unless(is_small: bool) -> Result<(), ArrowError> {
    if is_small {
        return Ok(());
    }
    Err(ArrowError::IpcError(format!("compressed buffers claim to hold more than {} MiB", MAX_BYTES >> 20)))
}

type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + 'a>;

/// The records of a table of typed columns. A row's line is the one it would have in a CSV file.
pub(crate) fn records(file: &str, bytes: &[u8], format: Format) -> Result<Records<'static>, DatasetError> {
    // Readers of others meet bytes of anybody here.
    let read = catch_unwind(AssertUnwindSafe(|| read(file, bytes, format)));
    read.unwrap_or_else(|_| Err(damaged(file, format, "its reader gave up")))
}

fn read(file: &str, bytes: &[u8], format: Format) -> Result<Records<'static>, DatasetError> {
    let too_large = |what, limit| DatasetError::TooLarge { file: file.into(), what, limit };
    let (schema, batches) = format.batches(bytes).map_err(|error| damaged(file, format, error))?;
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    if names.is_empty() {
        return Err(DatasetError::EmptyFile { file: file.into() });
    }
    if names.len() > MAX_COLUMNS {
        return Err(too_large("columns", MAX_COLUMNS));
    }
    for field in schema.fields() {
        let data_type = field.data_type();
        if data_type.is_nested() || !can_cast_types(data_type, &DataType::Utf8) {
            let (column, found) = (field.name().clone(), data_type.to_string());
            return Err(DatasetError::UnreadableColumn { file: file.into(), column, found });
        }
    }
    let mut fields: Vec<Cow<'static, str>> = Vec::new();
    let mut n_rows = 0;
    for batch in batches {
        let batch = batch.map_err(|error| damaged(file, format, error))?;
        n_rows += batch.num_rows();
        if n_rows > MAX_ROWS {
            return Err(too_large("rows", MAX_ROWS));
        }
        if n_rows * names.len() > MAX_FIELDS {
            return Err(too_large("fields (rows times columns)", MAX_FIELDS));
        }
        let texts = batch.columns().iter().map(|column| cast(column, &DataType::Utf8));
        let texts = texts.collect::<Result<Vec<_>, _>>().map_err(|error| damaged(file, format, error))?;
        for row in 0..batch.num_rows() {
            fields.extend(texts.iter().map(|column| {
                let text = if column.is_null(row) { "" } else { column.as_string::<i32>().value(row) };
                Cow::Owned(text.to_string())
            }));
        }
    }
    if n_rows == 0 {
        return Err(DatasetError::NoRows { file: file.into() });
    }
    let lines = (2..).take(n_rows).collect();
    Ok(Records::of_fields(names, fields, lines))
}

fn damaged(file: &str, format: Format, reason: impl ToString) -> DatasetError {
    // In one line and without a full stop, as errors are here, whoever words them.
    let reason = reason.to_string().replace(['\n', '\r'], " ").trim_end_matches(['.', ' ']).to_string();
    DatasetError::Damaged { file: file.into(), format: format.name(), reason }
}
