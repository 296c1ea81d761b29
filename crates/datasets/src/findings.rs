//! What columns of one kind have in common that a person should know: dates, running text, row numbers, constants.

use crate::columns::is_missing_code;
use crate::dates::DateOrder;
use crate::notes::{Example, Note};
use std::collections::HashSet;
use weightsmith_tasks::{ColumnValues, Table};

/// With fewer values than this, that they all differ says nothing.
pub(crate) const MIN_VALUES: usize = 20;
/// The share of different values from which a name tells rows apart.
const NEARLY_ALL: f64 = 0.9;
/// Words of a text from which it is running text.
const MIN_WORDS: f64 = 3.0;

/// Columns by what they look like.
#[derive(Default)]
pub(crate) struct Findings {
    /// A group for each order that days are written in.
    dates: Vec<(DateOrder, Group)>,
    free_text: Group,
    distinct_names: Group,
    row_numbers: Group,
    identifiers: Group,
    constant: Group,
    of_words: Vec<Note>,
}

#[derive(Default)]
struct Group {
    columns: Vec<String>,
    example: Option<Example>,
}

impl Group {
    fn add(&mut self, column: &str, example: Option<(u64, &str)>) {
        self.columns.push(column.to_string());
        let shown = example.map(|(line, text)| Example { text: text.to_string(), line });
        self.example = self.example.take().or(shown);
    }
}

impl Findings {
    /// Takes note of a column of dates in this order.
    pub(crate) fn dates(&mut self, column: &str, order: DateOrder, example: Option<(u64, &str)>) {
        if !self.dates.iter().any(|(known, _)| *known == order) {
            self.dates.push((order, Group::default()));
        }
        let of_order = self.dates.iter_mut().filter(|(known, _)| *known == order);
        of_order.for_each(|(_, group)| group.add(column, example));
    }

    /// Takes note of a column that names the rows and is left out.
    pub(crate) fn identifier(&mut self, column: &str) {
        self.identifiers.add(column, None);
    }

    /// Looks at a column of features; `fields` are its fields with their lines.
    pub(crate) fn look<'a>(
        &mut self,
        column: &str,
        values: &ColumnValues,
        fields: impl Iterator<Item = (u64, &'a str)> + Clone,
    ) {
        if is_constant(values) {
            self.constant.add(column, None);
            return;
        }
        match values {
            ColumnValues::Numeric(numbers) => {
                if numbers_rows(column, numbers) {
                    self.row_numbers.add(column, None);
                }
            }
            ColumnValues::Categorical { levels, codes } => {
                let present = || fields.clone().filter(|(_, text)| !text.is_empty());
                let n = codes.iter().flatten().count();
                self.look_at_words(column, levels, codes);
                if n < MIN_VALUES {
                    return;
                }
                let share = |n_some: usize| n_some as f64 / n as f64;
                let first = present().next();
                if share(levels.len()) >= NEARLY_ALL {
                    let is_text = is_free_text(values);
                    let group = if is_text { &mut self.free_text } else { &mut self.distinct_names };
                    group.add(column, first);
                }
            }
        }
    }

    fn look_at_words(&mut self, column: &str, levels: &[String], codes: &[Option<u32>]) {
        for (code, word) in (0..).zip(levels) {
            if is_missing_code(word) {
                let n_rows = codes.iter().filter(|own| **own == Some(code)).count();
                let (column, word) = (column.to_string(), word.clone());
                self.of_words.push(Note::MissingWordName { column, word, n_rows });
            }
        }
    }

    /// What was found, a note a kind.
    pub(crate) fn notes(self) -> Vec<Note> {
        let Self { dates, free_text, distinct_names, row_numbers, identifiers, constant, of_words } = self;
        let mut notes = of_words;
        for (order, dates) in dates {
            if let Some(example) = dates.example {
                notes.push(Note::Dates { columns: dates.columns, example, order: order.in_words() });
            }
        }
        if let Some(example) = free_text.example {
            notes.push(Note::FreeText { columns: free_text.columns, example });
        }
        let mut push = |group: Group, note: fn(Vec<String>) -> Note| {
            if !group.columns.is_empty() {
                notes.push(note(group.columns));
            }
        };
        push(distinct_names, |columns| Note::DistinctNames { columns });
        push(row_numbers, |columns| Note::RowNumbers { columns });
        push(identifiers, |columns| Note::Identifiers { columns });
        push(constant, |columns| Note::Constant { columns });
        notes
    }
}

/// The names of the columns that hold running text: another one in nearly every row, of three words or more on average, in 20
/// rows or more.
pub fn free_text_columns(table: &Table) -> Vec<String> {
    let columns = table.columns().iter().filter(|column| is_free_text(&column.values));
    columns.map(|column| column.name.clone()).collect()
}

fn is_free_text(values: &ColumnValues) -> bool {
    let ColumnValues::Categorical { levels, codes } = values else { return false };
    let mut n_of = vec![0usize; levels.len()];
    codes.iter().flatten().for_each(|code| n_of[*code as usize] += 1);
    let n: usize = n_of.iter().sum();
    let n_distinct = n_of.iter().filter(|n_rows| **n_rows > 0).count();
    let words = levels.iter().zip(&n_of).map(|(text, n_rows)| text.split_whitespace().count() * n_rows);
    n >= MIN_VALUES
        && n_distinct as f64 >= NEARLY_ALL * n as f64
        && words.sum::<usize>() as f64 >= MIN_WORDS * n as f64
}

/// Whether a column does not vary, missing values included.
pub(crate) fn is_constant(values: &ColumnValues) -> bool {
    match values {
        ColumnValues::Numeric(numbers) => {
            numbers.iter().all(|number| *number == numbers[0] || number.is_nan() && numbers[0].is_nan())
        }
        ColumnValues::Categorical { codes, .. } => codes.iter().all(|code| *code == codes[0]),
    }
}

/// Whether numbers only number their rows: whole, another in every row, and either without a gap, or in order, or called
/// an id.
pub(crate) fn numbers_rows(column: &str, numbers: &[f64]) -> bool {
    if numbers.len() < MIN_VALUES || numbers.iter().any(|number| number.fract() != 0.0 || number.is_nan()) {
        return false;
    }
    let distinct: HashSet<u64> = numbers.iter().map(|number| (number + 0.0).to_bits()).collect();
    if distinct.len() < numbers.len() {
        return false;
    }
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let in_order = numbers.is_sorted() || numbers.is_sorted_by(|a, b| a >= b);
    high - low == (numbers.len() - 1) as f64 || in_order || is_called_id(column)
}

/// Whether a column is called what identifiers are called.
fn is_called_id(column: &str) -> bool {
    let name = column.to_lowercase();
    name == "id" || name.ends_with("_id") || name.ends_with(" id") || column.ends_with("Id")
}

/// Whether a column only names its rows, by its name and its values: called an id, or what programs call an index that they
/// write, with another whole number or name in every row.
pub(crate) fn is_identifier(column: &str, values: &ColumnValues) -> bool {
    let is_index = column.starts_with("Unnamed: ")
        || column.starts_with("column_")
        || column.eq_ignore_ascii_case("index");
    match values {
        ColumnValues::Numeric(numbers) => {
            let counts = || numbers.windows(2).all(|pair| pair[1] - pair[0] == 1.0);
            numbers_rows(column, numbers) && (is_called_id(column) || is_index && counts())
        }
        ColumnValues::Categorical { levels, codes } => {
            codes.len() >= MIN_VALUES && levels.len() == codes.len() && is_called_id(column)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_called_so_and_differ_in_every_row() {
        let numbers = |of: fn(usize) -> f64| ColumnValues::Numeric((0..30).map(of).collect());
        assert!(is_identifier("customer_id", &numbers(|row| (row * 7919 % 1009) as f64)));
        assert!(is_identifier("Unnamed: 0", &numbers(|row| row as f64)));
        assert!(is_identifier("column_1", &numbers(|row| 1.0 + row as f64)));
        assert!(!is_identifier("column_1", &numbers(|row| 10.0 * row as f64)));
        // Of the year, say.
        assert!(!is_identifier("year", &numbers(|row| 1990.0 + row as f64)));
        assert!(!is_identifier("id", &numbers(|row| (row % 5) as f64)));
        let levels: Vec<String> = (0..30).map(|row| format!("k{row}")).collect();
        let names = |n: u32| ColumnValues::Categorical {
            levels: levels.clone(),
            codes: (0..30).map(|row| Some(row % n)).collect(),
        };
        assert!(is_identifier(
            "orderId",
            &ColumnValues::Categorical { levels: levels.clone(), codes: (0..30).map(Some).collect() }
        ));
        assert!(!is_identifier("name", &names(30)));
    }

    #[test]
    fn running_text_has_words_and_differs_from_row_to_row() {
        let table = |text: fn(usize) -> String, n_rows: usize| {
            let mut levels: Vec<String> = (0..n_rows).map(text).collect();
            levels.sort_unstable();
            levels.dedup();
            let codes = (0..n_rows).map(|row| levels.binary_search(&text(row)).ok().map(|at| at as u32));
            let values = ColumnValues::Categorical { codes: codes.collect(), levels };
            Table::new(n_rows, vec![weightsmith_tasks::Column { name: "m".into(), values }]).unwrap()
        };
        assert_eq!(free_text_columns(&table(|row| format!("message number {row}"), 20)), ["m"]);
        assert!(free_text_columns(&table(|row| format!("message number {row}"), 19)).is_empty());
        assert!(free_text_columns(&table(|row| format!("name {row}"), 20)).is_empty());
        assert!(free_text_columns(&table(|row| format!("one of a few {}", row % 10), 20)).is_empty());
    }

    #[test]
    fn row_numbers_are_whole_and_in_order() {
        let numbers = |of: fn(usize) -> f64| (0..30).map(of).collect::<Vec<f64>>();
        assert!(numbers_rows("x", &numbers(|row| row as f64)));
        assert!(numbers_rows("x", &numbers(|row| (row * 7 % 30) as f64)));
        assert!(numbers_rows("x", &numbers(|row| -(row as f64) * 10.0)));
        assert!(numbers_rows("customer_id", &numbers(|row| (row * 7919 % 1009) as f64)));
        assert!(!numbers_rows("x", &numbers(|row| (row * 7919 % 1009) as f64)));
        assert!(!numbers_rows("x", &numbers(|row| row as f64 / 2.0)));
        assert!(!numbers_rows("x", &numbers(|row| (row / 2) as f64)));
        assert!(!numbers_rows("x", &[1.0, 2.0, 3.0]));
        assert!(!numbers_rows("id", &[f64::NAN; 30]));
    }
}
