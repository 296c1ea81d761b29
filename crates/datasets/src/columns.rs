//! From the fields of one column to its type and values, and what to say of it.

use crate::error::DatasetError;
use crate::notes::{Example, Note};
use crate::style::NumberStyle;
use std::collections::{BTreeSet, HashMap};
use weightsmith_tasks::{ColumnType, ColumnValues};

/// Words that mean "missing" among numbers, in lower case.
const MISSING_WORDS: [&str; 8] = ["na", "n/a", "#n/a", "<na>", "nan", "null", "none", "?"];
/// Signs that stand where a number is missing.
const BLANK_SIGNS: [&str; 7] = ["-", "--", "---", "\u{2013}", "\u{2014}", ".", "*"];
/// The greatest share of text among numbers that counts as mistakes.
const MAX_STRAY_SHARE: f64 = 0.05;
/// The same where the numbers are so few different ones that they may be codes.
const MAX_STRAY_SHARE_OF_CODES: f64 = 0.01;
/// Up to so many different numbers may be codes.
const MAX_CODES: usize = 10;

/// What one field is, should its column be numeric.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Field {
    /// Nothing, or spaces alone.
    Blank,
    /// A word like `NA`.
    MissingWord,
    /// A finite number.
    Number(f64),
    /// An infinity by name, or a number beyond the range of an `f64`.
    Infinite,
    /// Anything else.
    Text,
}

impl Field {
    /// A field as programs write numbers.
    pub(crate) fn read(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Blank;
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Self::Number(number),
            Ok(number) if number.is_infinite() => Self::Infinite,
            Ok(_) => Self::MissingWord,
            Err(_) if is_missing_word(text) => Self::MissingWord,
            Err(_) => Self::Text,
        }
    }

    /// A field of a column whose numbers are written in a style.
    pub(crate) fn read_in(text: &str, style: &NumberStyle) -> Self {
        match Self::read(text) {
            Self::Number(_) | Self::Text => style.read(text).map_or(Self::Text, Self::Number),
            other => other,
        }
    }
}

/// Whether a text is a word that means "missing" among numbers.
fn is_missing_word(text: &str) -> bool {
    MISSING_WORDS.iter().any(|word| word.eq_ignore_ascii_case(text.trim()))
}

/// Whether a name is what programs write for a missing value. `none` is none: it may well be a name.
pub(crate) fn is_missing_code(text: &str) -> bool {
    is_missing_word(text) && !text.trim().eq_ignore_ascii_case("none")
}

fn is_blank_sign(text: &str) -> bool {
    BLANK_SIGNS.contains(&text.trim())
}

/// The fields of a column, counted by what they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) style: NumberStyle,
    pub(crate) n_numbers: usize,
    pub(crate) n_texts: usize,
    pub(crate) first_text: Option<Example>,
    n_words: usize,
    n_signs: usize,
    all_texts_alike: bool,
    n_distinct: usize,
    /// Numbers that no program writes so.
    n_written: usize,
    first_written: Option<(Example, f64)>,
}

impl Tally {
    /// Counts; the style is looked for only where there is text. `prefers_comma` is [`NumberStyle::of`]'s.
    pub(crate) fn of<'a>(fields: impl Iterator<Item = (u64, &'a str)> + Clone, prefers_comma: bool) -> Self {
        let mut tally = Self::default();
        if fields.clone().any(|(_, text)| Field::read(text) == Field::Text) {
            tally.style = NumberStyle::of(fields.clone().map(|(_, text)| text), prefers_comma);
        }
        let mut distinct: Vec<f64> = Vec::new();
        let example = |line: u64, text: &str| Example { text: text.to_string(), line };
        tally.all_texts_alike = true;
        for (line, text) in fields {
            match Field::read_in(text, &tally.style) {
                Field::Blank => {}
                Field::MissingWord => tally.n_words += 1,
                Field::Infinite => tally.n_numbers += 1,
                Field::Number(number) => {
                    tally.n_numbers += 1;
                    if distinct.len() <= MAX_CODES && !distinct.contains(&number) {
                        distinct.push(number);
                    }
                    if Field::read(text) != Field::Number(number) {
                        tally.n_written += 1;
                        tally.first_written.get_or_insert_with(|| (example(line, text), number));
                    }
                }
                Field::Text => {
                    tally.n_texts += 1;
                    tally.n_signs += usize::from(is_blank_sign(text));
                    let first = tally.first_text.get_or_insert_with(|| example(line, text));
                    tally.all_texts_alike &= first.text.trim() == text.trim();
                }
            }
        }
        tally.n_distinct = distinct.len();
        tally
    }

    /// The type of the column; see the crate's documentation.
    pub(crate) fn column_type(&self) -> ColumnType {
        if self.n_numbers == 0 {
            let nothing = self.n_words == 0 && self.n_texts == 0;
            return if nothing { ColumnType::Numeric } else { ColumnType::Categorical };
        }
        if self.n_texts == self.n_signs || self.has_strays() {
            ColumnType::Numeric
        } else {
            ColumnType::Categorical
        }
    }

    /// Whether there is text among numbers, so little of it, or so much alike, that it is no name.
    pub(crate) fn has_strays(&self) -> bool {
        let share = self.n_texts as f64 / (self.n_numbers + self.n_texts).max(1) as f64;
        let are_measures = self.n_distinct > MAX_CODES;
        let few = share <= if are_measures { MAX_STRAY_SHARE } else { MAX_STRAY_SHARE_OF_CODES };
        let one_word = are_measures && self.all_texts_alike && share <= 0.5;
        self.n_texts > 0 && (few || one_word)
    }

    /// Whether most of the column are numbers of many kinds, so that text among them is worth a word.
    fn looks_numeric(&self) -> bool {
        self.n_texts > 0 && self.n_numbers >= self.n_texts && self.n_distinct > MAX_CODES
    }

    /// What to say of the column, read as `column_type`.
    pub(crate) fn notes(&self, column: &str, column_type: ColumnType) -> Vec<Note> {
        let mut notes = Vec::new();
        let (n_numbers, n_texts) = (self.n_numbers, self.n_texts);
        let column = || column.to_string();
        if column_type == ColumnType::Categorical {
            if let Some(example) = self.first_text.clone().filter(|_| self.looks_numeric()) {
                notes.push(Note::MixedText { column: column(), n_numbers, n_texts, example });
            }
            return notes;
        }
        if let Some((example, number)) = self.first_written.clone() {
            let (n_written, style) = (self.n_written, self.style.in_words());
            notes.push(Note::Notation { column: column(), n_written, example, number, style });
        }
        if let Some(example) = self.first_text.clone() {
            notes.push(Note::StrayText { column: column(), n_numbers, n_texts, example });
        }
        notes
    }
}

/// Numbers, NaN where one is missing. Only for columns that are, or must be, numeric: text is missing where `tally` takes it
/// for a mistake.
pub(crate) fn numeric<'a>(
    file: &str,
    column: &str,
    fields: impl Iterator<Item = (u64, &'a str)>,
    tally: &Tally,
) -> Result<ColumnValues, DatasetError> {
    let has_strays = tally.has_strays();
    let number = |(line, text): (u64, &str)| {
        let (file, column, value) = (|| file.to_string(), || column.to_string(), || text.to_string());
        match Field::read_in(text, &tally.style) {
            Field::Number(number) => Ok(number),
            Field::Blank | Field::MissingWord => Ok(f64::NAN),
            Field::Infinite => {
                Err(DatasetError::InfiniteValue { file: file(), line, column: column(), value: value() })
            }
            Field::Text if has_strays || is_blank_sign(text) => Ok(f64::NAN),
            Field::Text => {
                Err(DatasetError::NotANumber { file: file(), line, column: column(), value: value() })
            }
        }
    };
    fields.map(number).collect::<Result<_, _>>().map(ColumnValues::Numeric)
}

/// Levels in the order of their text, each once; the empty field is missing.
pub(crate) fn categorical<'a>(fields: impl Iterator<Item = &'a str> + Clone) -> ColumnValues {
    let distinct: BTreeSet<&str> = fields.clone().filter(|field| !field.is_empty()).collect();
    let code_of: HashMap<&str, u32> = distinct.iter().copied().zip(0..).collect();
    let codes = fields.map(|field| code_of.get(field).copied()).collect();
    ColumnValues::Categorical { levels: distinct.into_iter().map(str::to_string).collect(), codes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(fields: &[&str]) -> Tally {
        Tally::of((2..).zip(fields.iter().copied()), false)
    }

    #[test]
    fn types_follow_the_fields() {
        let check = |fields: &[&str], expected: ColumnType| {
            assert_eq!(tally(fields).column_type(), expected, "{fields:?}");
        };
        check(&["1e5", "-3.2", "+4", " 7 ", ".5", "5."], ColumnType::Numeric);
        check(&["1", "", "NA", "nan", "?", "Null", "  "], ColumnType::Numeric);
        check(&["", "", ""], ColumnType::Numeric);
        check(&["1", "inf"], ColumnType::Numeric);
        check(&["1", "-", "--"], ColumnType::Numeric);
        check(&["1,5", "2"], ColumnType::Numeric);
        check(&["$1,234", "$50"], ColumnType::Numeric);
        check(&["1", "two"], ColumnType::Categorical);
        check(&["inf", "low"], ColumnType::Categorical);
        check(&["true", "false"], ColumnType::Categorical);
        check(&["NA", "NA"], ColumnType::Categorical);
        check(&["-", "+", "1"], ColumnType::Categorical);
        check(&["-", "-"], ColumnType::Categorical);
        check(&["0x10", "2"], ColumnType::Categorical);
        check(&["50%", "7"], ColumnType::Categorical);
    }

    /// Numbers 0 to `n_distinct` - 1 in turn, `n_numbers` of them, then the texts.
    fn with_texts(n_numbers: usize, n_distinct: usize, texts: &[&str]) -> Tally {
        let numbers: Vec<String> = (0..n_numbers).map(|row| (row % n_distinct).to_string()).collect();
        let fields: Vec<&str> = numbers.iter().map(String::as_str).chain(texts.iter().copied()).collect();
        tally(&fields)
    }

    #[test]
    fn a_little_text_among_measures_is_a_mistake() {
        let (number, name) = (ColumnType::Numeric, ColumnType::Categorical);
        let check =
            |found: Tally, expected: ColumnType| assert_eq!(found.column_type(), expected, "{found:?}");
        check(with_texts(199, 50, &["4o.2"]), number);
        check(with_texts(95, 50, &["a", "b", "c", "d", "e"]), number);
        check(with_texts(94, 50, &["a", "b", "c", "d", "e"]), name);
        // One word for "missing", however often.
        check(with_texts(50, 50, &["unknown"; 50]), number);
        check(with_texts(50, 50, &["unknown"; 51]), name);
        // Few different numbers may be codes, and a letter another.
        check(with_texts(98, 10, &["X", "X"]), name);
        check(with_texts(99, 10, &["X"]), number);
    }

    #[test]
    fn levels_are_sorted_and_exact() {
        let values = categorical(["b", "", "NA", " b", "b"].into_iter());
        let levels = [" b", "NA", "b"].map(str::to_string).to_vec();
        assert_eq!(
            values,
            ColumnValues::Categorical { levels, codes: vec![Some(2), None, Some(1), Some(0), Some(2)] }
        );
    }
}
