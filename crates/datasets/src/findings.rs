//! What columns of one kind have in common that a person should know: dates, running text, row numbers, constants.

use crate::columns::is_missing_code;
use crate::notes::{Example, Note};
use std::collections::HashSet;
use weightsmith_tasks::ColumnValues;

/// With fewer values than this, that they all differ says nothing.
const MIN_VALUES: usize = 20;
/// The share of different values from which a name tells rows apart, and of dates from which a column holds dates.
const NEARLY_ALL: f64 = 0.9;
/// Words of a text from which it is running text.
const MIN_WORDS: f64 = 3.0;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Columns by what they look like.
#[derive(Default)]
pub(crate) struct Findings {
    dates: Group,
    free_text: Group,
    distinct_names: Group,
    row_numbers: Group,
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
                if share(present().filter(|(_, text)| is_date(text)).count()) >= NEARLY_ALL {
                    self.dates.add(column, first);
                } else if share(levels.len()) >= NEARLY_ALL {
                    let n_words = present().map(|(_, text)| text.split_whitespace().count()).sum();
                    let is_text = share(n_words) >= MIN_WORDS;
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
        let Self { dates, free_text, distinct_names, row_numbers, constant, of_words } = self;
        let mut notes = of_words;
        if let Some(example) = dates.example {
            notes.push(Note::Dates { columns: dates.columns, example });
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
        push(constant, |columns| Note::Constant { columns });
        notes
    }
}

/// Whether a column does not vary, missing values included.
fn is_constant(values: &ColumnValues) -> bool {
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
    let name = column.to_lowercase();
    let is_id = name == "id" || name.ends_with("_id") || name.ends_with(" id") || column.ends_with("Id");
    high - low == (numbers.len() - 1) as f64 || in_order || is_id
}

/// Whether a text is a date, a time of day, or both.
fn is_date(text: &str) -> bool {
    let text = text.trim();
    let (date, time) = text.split_once([' ', 'T']).map_or((text, None), |(date, time)| (date, Some(time)));
    match time {
        None => is_day(date) || is_time(date),
        Some(time) => is_day(date) && is_time(time),
    }
}

fn is_time(text: &str) -> bool {
    let text = text.trim_end_matches(['Z', 'z']);
    let parts: Vec<&str> = text.split(':').collect();
    let fits = |part: &str, limit: f64| {
        part.len() >= 2 && part.as_bytes()[0].is_ascii_digit() && part.parse().is_ok_and(|n: f64| n < limit)
    };
    (2..=3).contains(&parts.len()) && fits(parts[0], 24.0) && parts[1..].iter().all(|part| fits(part, 61.0))
}

fn is_day(text: &str) -> bool {
    let Some(mark) = text.chars().find(|c| ['-', '/', '.'].contains(c)) else { return false };
    let parts: Vec<&str> = text.split(mark).collect();
    let [first, middle, last] = parts[..] else { return false };
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten();
    let small =
        |part: &str, most: u32| part.len() <= 2 && number(part).is_some_and(|n: u32| (1..=most).contains(&n));
    let month = |part: &str| small(part, 12) || MONTHS.contains(&part.to_lowercase().as_str());
    let year = |part: &str| matches!(part.len(), 2 | 4) && number(part).is_some();
    let long_year = |part: &str| part.len() == 4 && year(part);
    long_year(first) && month(middle) && small(last, 31)
        || year(last) && (small(first, 31) && month(middle) || month(first) && small(middle, 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_from_numbers_and_versions() {
        for text in [
            "2020-01-31",
            "2020/1/3",
            "31.12.99",
            "12/31/2020",
            "5-Jan-2020",
            "2020-01-31 23:59:59",
            "23:59",
            "2020-01-31T10:00:00.5Z",
            "07:05:01",
        ] {
            assert!(is_date(text), "{text}");
        }
        for text in
            ["2020", "1.5", "1.2.3.4", "2020-13-01", "32/13/2020", "25:00", "a-b-c", "", "-", "3-4", "T", ":"]
        {
            assert!(!is_date(text), "{text}");
        }
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
