//! Named columns in a Parquet file: text, numbers or whole numbers, each of which may be missing.
//!
//! What is read is what was written: a missing value is not NaN, an empty text not a missing one, and every bit of a
//! number is kept. Files of other writers are read as far as their columns are flat and of these three kinds. What the
//! columns mean is not known here.

use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::record::Field;
use parquet::schema::types::{Type, TypePtr};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// The values of a column, one a row.
#[derive(Clone, Debug, PartialEq)]
pub enum ParquetValues {
    /// Text.
    Text(Vec<Option<String>>),
    /// Numbers.
    Numbers(Vec<Option<f64>>),
    /// Whole numbers.
    Whole(Vec<Option<i64>>),
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct ParquetColumn {
    /// What it is called.
    pub name: String,
    /// One value a row.
    pub values: ParquetValues,
}

/// The bytes of a Parquet file with one row group, compressed by Snappy. The same columns give the same bytes.
///
/// # Errors
/// Two columns of one name.
///
/// # Panics
/// If the columns differ in length.
pub fn parquet_bytes(columns: &[ParquetColumn]) -> Result<Vec<u8>, ParquetError> {
    let n_rows = columns.first().map_or(0, |column| column.values.n_rows());
    assert!(columns.iter().all(|column| column.values.n_rows() == n_rows), "a value a row");
    let fields = columns.iter().map(field).collect::<Result<Vec<TypePtr>, _>>()?;
    let schema = Type::group_type_builder("rows").with_fields(fields).build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("weightsmith ", env!("CARGO_PKG_VERSION")).to_string())
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for column in columns {
        match &column.values {
            ParquetValues::Text(texts) => {
                write_column::<ByteArrayType, _>(&mut group, texts, |text| ByteArray::from(text.as_str()))?;
            }
            ParquetValues::Numbers(numbers) => {
                write_column::<DoubleType, _>(&mut group, numbers, |number| *number)?
            }
            ParquetValues::Whole(numbers) => {
                write_column::<Int64Type, _>(&mut group, numbers, |number| *number)?
            }
        }
    }
    group.close()?;
    writer.into_inner()
}

/// Reads every column of a file.
///
/// # Errors
/// A file that cannot be read or is damaged, columns that are not flat or of none of the three kinds.
pub fn read_parquet(path: &Path) -> Result<Vec<ParquetColumn>, ParquetError> {
    let file = File::open(path).map_err(|error| ParquetError::External(Box::new(error)))?;
    let reader = SerializedFileReader::new(file)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let mut columns = Vec::new();
    for column in schema.columns() {
        let values = match column.physical_type() {
            _ if column.path().parts().len() > 1 || column.max_rep_level() > 0 => None,
            PhysicalType::BYTE_ARRAY => Some(ParquetValues::Text(Vec::new())),
            PhysicalType::DOUBLE | PhysicalType::FLOAT => Some(ParquetValues::Numbers(Vec::new())),
            PhysicalType::INT32 | PhysicalType::INT64 => Some(ParquetValues::Whole(Vec::new())),
            _ => None,
        };
        let values = values.ok_or_else(|| unreadable(column.name()))?;
        columns.push(ParquetColumn { name: column.name().to_string(), values });
    }
    for row in reader.get_row_iter(None)? {
        for (column, (_, value)) in columns.iter_mut().zip(row?.into_columns()) {
            column.values.push(value).ok_or_else(|| unreadable(&column.name))?;
        }
    }
    Ok(columns)
}

impl ParquetValues {
    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Whole(values) => values.len(),
        }
    }

    /// Appends a value; none if it is of another kind.
    fn push(&mut self, value: Field) -> Option<()> {
        match (self, value) {
            (Self::Text(values), Field::Null) => values.push(None),
            (Self::Numbers(values), Field::Null) => values.push(None),
            (Self::Whole(values), Field::Null) => values.push(None),
            (Self::Text(values), Field::Str(text)) => values.push(Some(text)),
            (Self::Numbers(values), Field::Double(number)) => values.push(Some(number)),
            (Self::Numbers(values), Field::Float(number)) => values.push(Some(f64::from(number))),
            (Self::Whole(values), Field::Long(number)) => values.push(Some(number)),
            (Self::Whole(values), Field::Int(number)) => values.push(Some(i64::from(number))),
            (Self::Whole(values), Field::UInt(number)) => values.push(Some(i64::from(number))),
            _ => return None,
        }
        Some(())
    }
}

fn unreadable(name: &str) -> ParquetError {
    ParquetError::General(format!("column \"{name}\" holds neither text nor numbers"))
}

fn field(column: &ParquetColumn) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match column.values {
        ParquetValues::Text(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        ParquetValues::Numbers(_) => (PhysicalType::DOUBLE, None),
        ParquetValues::Whole(_) => (PhysicalType::INT64, None),
    };
    let built = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(built))
}

fn write_column<T: DataType, V>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[Option<V>],
    stored: impl Fn(&V) -> T::T,
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.expect("the schema has a field for every column");
    // A definition level of 1 where there is a value; the values follow without gaps.
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let present: Vec<T::T> = values.iter().flatten().map(stored).collect();
    column.typed::<T>().write_batch(&present, Some(&levels), None)?;
    column.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, values: ParquetValues) -> ParquetColumn {
        ParquetColumn { name: name.into(), values }
    }

    fn round_trip(columns: &[ParquetColumn]) -> Result<Vec<ParquetColumn>, ParquetError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        std::fs::write(&path, parquet_bytes(columns)?).unwrap();
        read_parquet(&path)
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let text = ["", "a, \"b\"\n", "🦀"].map(|text| Some(text.to_string()));
        let text = [text.to_vec(), vec![None, Some("NaN".into())]].concat();
        let numbers = vec![Some(0.1 + 0.2), None, Some(-0.0), Some(f64::NEG_INFINITY), Some(5e-324)];
        let whole = vec![Some(i64::MIN), None, Some(0), Some(i64::MAX), Some(7)];
        let columns = [
            column("odd name, \"quoted\"", ParquetValues::Text(text)),
            column("numbers", ParquetValues::Numbers(numbers)),
            column("whole", ParquetValues::Whole(whole)),
            column("nothing", ParquetValues::Numbers(vec![None; 5])),
        ];
        assert_eq!(round_trip(&columns).unwrap(), columns);
        assert_eq!(parquet_bytes(&columns).unwrap(), parquet_bytes(&columns).unwrap());
        let empty =
            [column("a", ParquetValues::Text(Vec::new())), column("b", ParquetValues::Whole(Vec::new()))];
        assert_eq!(round_trip(&empty).unwrap(), empty);
    }

    #[test]
    fn missing_is_not_nan() {
        let columns = [column("x", ParquetValues::Numbers(vec![Some(f64::NAN), None, Some(1.0)]))];
        let read = round_trip(&columns).unwrap();
        let [ParquetColumn { values: ParquetValues::Numbers(numbers), .. }] = &read[..] else {
            panic!("{read:?}")
        };
        assert!(numbers[0].is_some_and(f64::is_nan) && numbers[1].is_none(), "{numbers:?}");
    }

    #[test]
    fn damaged_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        let bytes =
            parquet_bytes(&[column("x", ParquetValues::Whole((0..1000).map(Some).collect()))]).unwrap();
        for damaged in [&bytes[..0], &bytes[..bytes.len() / 2], b"name,task\n", &bytes[4..]] {
            std::fs::write(&path, damaged).unwrap();
            assert!(read_parquet(&path).is_err(), "{} bytes", damaged.len());
        }
        assert!(read_parquet(&folder.path().join("no")).is_err());
    }
}
