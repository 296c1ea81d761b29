//! Tables as a network reads them: the columns that it names, as the types that it has.

use crate::error::Error;
use std::collections::HashMap;
use weightsmith_base_model::EncodingError;
use weightsmith_datasets::{DateOrder, date_columns, date_part_of, without_constant_parts};
use weightsmith_tasks::{Column, ColumnType, ColumnValues, Schema, Table};

/// A table whose columns of dates, written as text, are their year, month, weekday, hour and days, as those of a CSV file
/// are, as far as they vary. What is a date is in the documentation of `weightsmith-datasets`.
///
/// # Errors
/// None today; names that repeat keep a column as it is.
pub fn with_date_parts(table: &Table) -> Result<Table, Error> {
    let mut columns = Vec::with_capacity(table.columns().len());
    for column in table.columns() {
        let parts = dates(&column.values)
            .map(|order| date_columns(&column.name, &moments(&column.values, order), order));
        match parts {
            Some(parts) if parts.iter().all(|part| table.column(&part.name).is_none()) => {
                columns.extend(parts)
            }
            _ => columns.push(column.clone()),
        }
    }
    Ok(Table::new(table.n_rows(), without_constant_parts(columns))?)
}

/// The columns of a schema, found by name, as its types: numbers are names where names are wanted, texts that are numbers
/// are numbers where numbers are, and a part of a date comes of the date.
///
/// # Errors
/// A column that is not there, text where numbers are wanted.
pub fn conformed(table: &Table, schema: &Schema) -> Result<Table, Error> {
    let column = |(name, wanted): &(String, ColumnType)| {
        let values = match (table.column(name), date_part_of(name)) {
            (Some(column), _) => of_type(name, &column.values, *wanted)?,
            (None, Some((date, part, order))) => {
                let column = table.column(date).ok_or_else(|| missing(date))?;
                part.of(&moments(&column.values, order))
            }
            (None, None) => return Err(missing(name)),
        };
        Ok(Column { name: name.clone(), values })
    };
    let columns = schema.iter().map(column).collect::<Result<Vec<Column>, Error>>()?;
    Ok(Table::new(table.n_rows(), columns)?)
}

fn missing(name: &str) -> Error {
    Error::Rows(EncodingError::MissingColumn { name: name.to_string() })
}

/// How a column of texts writes dates; none if it holds none, or one and the same.
fn dates(values: &ColumnValues) -> Option<DateOrder> {
    let ColumnValues::Categorical { levels, codes } = values else { return None };
    if codes.windows(2).all(|pair| pair[0] == pair[1]) {
        return None;
    }
    DateOrder::of(codes.iter().flatten().map(|code| levels[*code as usize].as_str()))
}

/// The seconds since 1970 of texts; none of those that are no dates, and of numbers.
fn moments(values: &ColumnValues, order: DateOrder) -> Vec<Option<f64>> {
    match values {
        ColumnValues::Numeric(numbers) => vec![None; numbers.len()],
        ColumnValues::Categorical { levels, codes } => {
            let read: Vec<Option<f64>> = levels.iter().map(|level| order.read(level)).collect();
            codes.iter().map(|code| code.and_then(|code| read[code as usize])).collect()
        }
    }
}

fn of_type(name: &str, values: &ColumnValues, wanted: ColumnType) -> Result<ColumnValues, Error> {
    Ok(match (values, wanted) {
        (ColumnValues::Categorical { levels, codes }, ColumnType::Numeric) => {
            let number = |level: &String| level.trim().parse().ok().filter(|number: &f64| number.is_finite());
            let numbers: Option<Vec<f64>> = levels.iter().map(number).collect();
            let Some(numbers) = numbers else {
                let problem = "text where numbers are expected".to_string();
                return Err(Error::RecordBatch { column: name.to_string(), problem });
            };
            let value = |code: &Option<u32>| code.map_or(f64::NAN, |code| numbers[code as usize]);
            ColumnValues::Numeric(codes.iter().map(value).collect())
        }
        (ColumnValues::Numeric(numbers), ColumnType::Categorical) => {
            let (mut levels, mut places) = (Vec::new(), HashMap::new());
            let code = |number: &f64| {
                let text = (!number.is_nan()).then(|| number.to_string())?;
                Some(*places.entry(text.clone()).or_insert_with(|| {
                    levels.push(text);
                    levels.len() as u32 - 1
                }))
            };
            let codes = numbers.iter().map(code).collect();
            ColumnValues::Categorical { levels, codes }
        }
        (values, _) => values.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(name: &str, fields: &[&str]) -> Column {
        let mut levels: Vec<String> = fields.iter().map(ToString::to_string).collect();
        levels.sort_unstable();
        levels.dedup();
        let codes =
            fields.iter().map(|field| levels.binary_search(&field.to_string()).ok().map(|code| code as u32));
        Column { name: name.into(), values: ColumnValues::Categorical { codes: codes.collect(), levels } }
    }

    #[test]
    fn columns_become_the_types_that_are_wanted() {
        let numbers = Column { name: "n".into(), values: ColumnValues::Numeric(vec![1.0, f64::NAN, 2.5]) };
        let table = Table::new(3, vec![texts("t", &["7", "-1.5", "7"]), numbers]).unwrap();
        let schema = vec![("n".to_string(), ColumnType::Categorical), ("t".to_string(), ColumnType::Numeric)];
        let conformed = conformed(&table, &schema).unwrap();
        assert_eq!(conformed.columns()[1].values, ColumnValues::Numeric(vec![7.0, -1.5, 7.0]));
        let ColumnValues::Categorical { levels, codes } = &conformed.columns()[0].values else {
            panic!("no names")
        };
        assert_eq!(
            (levels.join(" "), codes.as_slice()),
            ("1 2.5".into(), [Some(0), None, Some(1)].as_slice())
        );
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let table = Table::new(2, vec![texts("t", &["7", "seven"])]).unwrap();
        let error = |name: &str| {
            conformed(&table, &vec![(name.to_string(), ColumnType::Numeric)]).unwrap_err().to_string()
        };
        assert_eq!(error("t"), "column \"t\": text where numbers are expected");
        assert!(error("other").starts_with("column \"other\" is missing"));
        assert!(error("other (hour)").starts_with("column \"other\" is missing"));
    }

    #[test]
    fn dates_become_their_parts_when_learned_from_and_when_predicted() {
        let fields: Vec<String> = (1..=24).map(|day| format!("{day}.3.2024")).collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let learned = with_date_parts(&Table::new(24, vec![texts("d", &fields)]).unwrap()).unwrap();
        let names: Vec<&str> = learned.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["d (weekday, day first)", "d (days, day first)"]);
        // One row alone is read in the same order.
        let new = Table::new(1, vec![texts("d", &["2.3.2024"])]).unwrap();
        let conformed = conformed(&new, &learned.schema()).unwrap();
        assert_eq!(
            conformed.column("d (days, day first)").unwrap().values,
            ColumnValues::Numeric(vec![19_784.0])
        );
    }
}
