//! Arrow record batches in: columns of numbers, booleans, text and dictionaries, each with missing values.

use crate::dataset::Dataset;
use crate::error::Error;
use crate::network::Network;
use crate::tables::{conformed, with_date_parts};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use std::collections::BTreeMap;
use weightsmith_base_model::Predictions;
use weightsmith_datasets::{DateOrder, date_columns};
use weightsmith_tasks::{Column, ColumnType, ColumnValues, Table, Target, TaskType};

impl Dataset {
    /// The rows of record batches that share a schema; `target` is the name of the column to predict. Numbers of any width
    /// are numeric columns; booleans, text and dictionaries of text are categories; nulls and empty texts
    /// are missing. Without a
    /// `task_type` text and booleans are classes and numbers are values.
    ///
    /// # Errors
    /// No batch, a column of another type, a target with nulls or that is not there.
    pub fn from_record_batches(
        batches: &[RecordBatch],
        target: &str,
        task_type: Option<TaskType>,
    ) -> Result<Self, Error> {
        let wrong = |problem: &str| Error::RecordBatch { column: target.into(), problem: problem.into() };
        let first = batches.first().ok_or_else(|| wrong("there is no record batch"))?;
        if first.schema().index_of(target).is_err() {
            return Err(wrong("the target is not among the columns"));
        }
        let is_feature = |name: &str| name != target;
        let table = with_date_parts(&table_of_batches(batches, is_feature)?)?;
        let as_classes = match task_type {
            Some(task_type) => task_type == TaskType::Classification,
            None => column_type(&arrays(batches, target)?) == Some(ColumnType::Categorical),
        };
        let labels = if as_classes {
            let ColumnValues::Categorical { levels, codes } = categories(target, &arrays(batches, target)?)?
            else {
                unreachable!("categories are categorical")
            };
            let labels: Option<Vec<usize>> =
                codes.iter().map(|code| code.map(|code| code as usize)).collect();
            Target::Classes {
                class_names: levels,
                labels: labels.ok_or_else(|| wrong("a row has no label"))?,
            }
        } else {
            let values = numbers(target, &arrays(batches, target)?)?;
            if values.iter().any(|value| !value.is_finite()) {
                return Err(wrong("a row has no label, or an infinite one"));
            }
            Target::Values(values)
        };
        Self::from_table(table, labels)
    }
}

impl Network {
    /// Predictions for the rows of record batches that share a schema; columns are found by name, others are ignored.
    ///
    /// # Errors
    /// A missing column, text that is no number where the network reads numbers.
    pub fn predict_record_batches(&self, batches: &[RecordBatch]) -> Result<Predictions, Error> {
        self.predict(&conformed(&table_of_record_batches(batches)?, self.inputs())?)
    }
}

/// The columns of record batches that share a schema, as a table: of the types that [`Dataset::from_record_batches`] gives
/// them, but for dates that are written as text.
///
/// # Errors
/// No batch, a column of another type, names that repeat, infinite numbers.
pub fn table_of_record_batches(batches: &[RecordBatch]) -> Result<Table, Error> {
    table_of_batches(batches, |_| true)
}

/// The columns of record batches that `is_wanted`, as a table.
fn table_of_batches(batches: &[RecordBatch], is_wanted: impl Fn(&str) -> bool) -> Result<Table, Error> {
    let schema = batches.first().map(RecordBatch::schema);
    let names = schema.iter().flat_map(|schema| schema.fields().iter().map(|field| field.name().clone()));
    let column = |name: String| {
        let arrays = arrays(batches, &name)?;
        if arrays.first().is_some_and(|array| is_moment(array.data_type())) {
            return Ok(date_columns(&name, &moments(&name, &arrays)?, DateOrder::YearFirst));
        }
        let values = match column_type(&arrays) {
            Some(ColumnType::Numeric) => ColumnValues::Numeric(numbers(&name, &arrays)?),
            Some(ColumnType::Categorical) => categories(&name, &arrays)?,
            None => {
                let problem = format!("a column of type {} cannot be read", arrays[0].data_type());
                return Err(Error::RecordBatch { column: name, problem });
            }
        };
        Ok(vec![Column { name, values }])
    };
    let columns: Vec<Vec<Column>> =
        names.filter(|name| is_wanted(name)).map(column).collect::<Result<_, Error>>()?;
    let columns = columns.into_iter().flatten().collect();
    Ok(Table::new(batches.iter().map(RecordBatch::num_rows).sum(), columns)?)
}

/// One column of every batch.
fn arrays(batches: &[RecordBatch], name: &str) -> Result<Vec<ArrayRef>, Error> {
    let missing = || Error::RecordBatch { column: name.into(), problem: "a record batch lacks it".into() };
    batches.iter().map(|batch| batch.column_by_name(name).cloned().ok_or_else(missing)).collect()
}

/// What a column is read as; none if it cannot be read.
fn column_type(arrays: &[ArrayRef]) -> Option<ColumnType> {
    let of = |data_type: &DataType| match data_type {
        t if t.is_numeric() || *t == DataType::Null => Some(ColumnType::Numeric),
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Some(ColumnType::Categorical)
        }
        _ => None,
    };
    match arrays.first()?.data_type() {
        DataType::Dictionary(_, values) => of(values),
        other => of(other),
    }
}

/// Whether a type is one of dates or moments.
fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

/// Seconds since the beginning of 1970.
fn moments(name: &str, arrays: &[ArrayRef]) -> Result<Vec<Option<f64>>, Error> {
    let mut moments = Vec::new();
    for array in arrays {
        let array = converted(name, array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        let micros = array.as_primitive::<TimestampMicrosecondType>();
        moments.extend(micros.iter().map(|moment| moment.map(|moment| moment as f64 / 1e6)));
    }
    Ok(moments)
}

fn converted(name: &str, array: &ArrayRef, to: &DataType) -> Result<ArrayRef, Error> {
    let failed = |error| Error::RecordBatch { column: name.into(), problem: format!("{error}") };
    cast(array, to).map_err(failed)
}

/// Numbers; a null is NaN.
fn numbers(name: &str, arrays: &[ArrayRef]) -> Result<Vec<f64>, Error> {
    let mut values = Vec::new();
    for array in arrays {
        let is_text = column_type(std::slice::from_ref(array)) == Some(ColumnType::Categorical);
        if is_text && *array.data_type() != DataType::Boolean {
            let problem = "text where numbers are expected".into();
            return Err(Error::RecordBatch { column: name.into(), problem });
        }
        let array = converted(name, array, &DataType::Float64)?;
        values.extend(array.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)));
    }
    Ok(values)
}

/// Levels in the order of their text, each once; a null is missing, and so is the empty text, as in a CSV file.
fn categories(name: &str, arrays: &[ArrayRef]) -> Result<ColumnValues, Error> {
    let texts = arrays
        .iter()
        .map(|array| converted(name, array, &DataType::Utf8))
        .collect::<Result<Vec<ArrayRef>, Error>>()?;
    let rows = || texts.iter().flat_map(|array| array.as_string::<i32>().iter());
    let rows = || rows().map(|text| text.filter(|text| !text.is_empty()));
    let mut codes: BTreeMap<&str, u32> = rows().flatten().map(|text| (text, 0)).collect();
    codes.values_mut().zip(0..).for_each(|(code, place)| *code = place);
    Ok(ColumnValues::Categorical {
        levels: codes.keys().map(|level| level.to_string()).collect(),
        codes: rows().map(|text| text.map(|text| codes[text])).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{BooleanArray, DictionaryArray, Float32Array, Int32Array, StringArray};
    use arrow_schema::{Field, Schema};
    use std::sync::Arc;

    fn batch(rows: std::ops::Range<i32>) -> RecordBatch {
        let whole: Int32Array = rows.clone().map(|row| (row % 7 != 3).then_some(row)).collect();
        let real: Float32Array = rows.clone().map(|row| Some(row as f32 / 2.0)).collect();
        let flag: BooleanArray = rows.clone().map(|row| Some(row % 2 == 0)).collect();
        let text: DictionaryArray<arrow_array::types::Int8Type> =
            rows.clone().map(|row| ["red", "green", "blue"][row as usize % 3]).collect();
        let label: StringArray = rows.map(|row| Some(if row % 2 == 0 { "even" } else { "odd" })).collect();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("whole", Arc::new(whole)),
            ("real", Arc::new(real)),
            ("flag", Arc::new(flag)),
            ("text", Arc::new(text)),
            ("label", Arc::new(label)),
        ];
        let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<Field>>());
        RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
    }

    #[test]
    fn batches_are_read_as_csv_of_the_same_rows_is() {
        let data = Dataset::from_record_batches(&[batch(0..10), batch(10..24)], "label", None).unwrap();
        let path = tempfile::tempdir().unwrap();
        let path = path.path().join("a.csv");
        let row = |row: i32| {
            let whole = if row % 7 == 3 { String::new() } else { row.to_string() };
            let colour = ["red", "green", "blue"][row as usize % 3];
            let label = if row % 2 == 0 { "even" } else { "odd" };
            format!("{whole},{},{},{colour},{label}\n", f64::from(row) / 2.0, row % 2 == 0)
        };
        let text = (0..24).map(row).collect::<String>();
        std::fs::write(&path, format!("whole,real,flag,text,label\n{text}")).unwrap();
        let read = Dataset::from_csv(&path, "label").unwrap();
        assert_eq!(format!("{:?}", data.table()), format!("{:?}", read.table()));
        assert_eq!(data.target(), read.target());
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let check = |target: &str, expected: &str| {
            let error = Dataset::from_record_batches(&[batch(0..8)], target, None).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check("nothing", "not among the columns");
        check("whole", "no label");
        assert!(Dataset::from_record_batches(&[], "label", None).is_err());
    }
}
