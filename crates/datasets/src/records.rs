//! The text of a CSV file as records of fields, with the line each record begins on.
//!
//! The splitting is done here because messages need the line that an editor shows, whatever ends the lines, and
//! because a quote that is never closed must be an error; a test compares the fields with those of the `csv`
//! crate.

use crate::error::DatasetError;
use crate::notes::Note;
use std::borrow::Cow;

/// The longest file that is read: 512 MiB.
pub const MAX_BYTES: usize = 512 << 20;
/// The most rows, without the header.
pub const MAX_ROWS: usize = 100_000;
/// The most columns.
pub const MAX_COLUMNS: usize = 20_000;
/// The most fields (rows times columns).
pub const MAX_FIELDS: usize = 20_000_000;

/// What separates fields.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Delimiter {
    Comma,
    Semicolon,
    Tab,
}

impl Delimiter {
    fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    /// The one that the header has most of; commas of equals.
    fn of(text: &str) -> Self {
        let n_fields = |delimiter: Self| {
            let mut fields = Vec::new();
            // A quote that is never closed is told by whoever reads on.
            let _ = Splitter::new(text, delimiter).next(&mut fields, MAX_COLUMNS);
            fields.len()
        };
        [Self::Semicolon, Self::Tab]
            .into_iter()
            .fold(Self::Comma, |best, other| if n_fields(other) > n_fields(best) { other } else { best })
    }
}

/// A file's header and fields, before columns have types.
pub(crate) struct Records<'a> {
    pub(crate) names: Vec<String>,
    /// Row after row, each as long as `names`.
    fields: Vec<Cow<'a, str>>,
    /// The line of the file that each row begins on, counted from 1.
    pub(crate) lines: Vec<u64>,
    delimiter: Delimiter,
}

impl<'a> Records<'a> {
    /// Splits the bytes of `file`, which is only named in errors.
    pub(crate) fn parse(file: &str, bytes: &'a [u8]) -> Result<Self, DatasetError> {
        let too_large = |what, limit| DatasetError::TooLarge { file: file.into(), what, limit };
        if bytes.len() > MAX_BYTES {
            return Err(too_large("bytes", MAX_BYTES));
        }
        let text = text_of(file, bytes)?;
        let delimiter = Delimiter::of(text);
        let mut splitter = Splitter::new(text, delimiter);
        let unclosed = |line| DatasetError::UnclosedQuote { file: file.into(), line };

        let mut names = Vec::new();
        if splitter.next(&mut names, MAX_COLUMNS).map_err(unclosed)?.is_none() {
            return Err(DatasetError::EmptyFile { file: file.into() });
        }
        if names.len() > MAX_COLUMNS {
            return Err(too_large("columns", MAX_COLUMNS));
        }
        let names: Vec<String> = names
            .into_iter()
            .enumerate()
            .map(
                |(idx, name)| if name.is_empty() { format!("column_{}", idx + 1) } else { name.into_owned() },
            )
            .collect();

        let (mut fields, mut lines) = (Vec::new(), Vec::new());
        let mut row = Vec::with_capacity(names.len());
        while let Some(line) = splitter.next(&mut row, MAX_COLUMNS).map_err(unclosed)? {
            if row.len() != names.len() {
                let (expected, found) = (names.len(), row.len());
                return Err(DatasetError::Ragged { file: file.into(), line, expected, found });
            }
            if lines.len() == MAX_ROWS {
                return Err(too_large("rows", MAX_ROWS));
            }
            if fields.len() + row.len() > MAX_FIELDS {
                return Err(too_large("fields (rows times columns)", MAX_FIELDS));
            }
            fields.append(&mut row);
            lines.push(line);
        }
        if lines.is_empty() {
            return Err(DatasetError::NoRows { file: file.into() });
        }
        Ok(Self { names, fields, lines, delimiter })
    }

    /// Records that were split elsewhere: names of the columns, fields row after row, and the line of each row.
    #[cfg(feature = "parquet")]
    pub(crate) fn of_fields(names: Vec<String>, fields: Vec<Cow<'a, str>>, lines: Vec<u64>) -> Self {
        let named =
            |(idx, name): (usize, String)| if name.is_empty() { format!("column_{}", idx + 1) } else { name };
        let names = names.into_iter().enumerate().map(named).collect();
        Self { names, fields, lines, delimiter: Delimiter::Comma }
    }

    /// Whether `1,234` is more likely a decimal comma than a separator of thousands.
    pub(crate) fn prefers_comma(&self) -> bool {
        self.delimiter == Delimiter::Semicolon
    }

    /// What to say of the delimiter, if it is not the usual one.
    pub(crate) fn delimiter_note(&self) -> Option<Note> {
        let what = match self.delimiter {
            Delimiter::Comma => return None,
            Delimiter::Semicolon => "semicolons",
            Delimiter::Tab => "tabs",
        };
        Some(Note::Delimiter { what })
    }

    /// The fields of one column, with the line of each.
    pub(crate) fn column(&self, column_idx: usize) -> impl Iterator<Item = (u64, &str)> + Clone {
        let fields = self.fields.iter().skip(column_idx).step_by(self.names.len());
        self.lines.iter().copied().zip(fields.map(AsRef::as_ref))
    }
}

fn text_of<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, DatasetError> {
    let line_at = |offset: usize| 1 + line_ends(&bytes[..offset]);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        DatasetError::NotUtf8 { file: file.into(), line: line_at(offset), byte: offset + 1 }
    })?;
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        return Err(DatasetError::NulByte { file: file.into(), line: line_at(offset) });
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// How many lines end in `bytes`: by LF, CRLF or CR.
fn line_ends(bytes: &[u8]) -> u64 {
    let mut ends = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        ends += u64::from(byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
    }
    ends
}

/// Walks over the text; `at` is always on the boundary of a character, for it only ever stops at ASCII.
struct Splitter<'a> {
    text: &'a str,
    delimiter: u8,
    at: usize,
    line: u64,
}

impl<'a> Splitter<'a> {
    fn new(text: &'a str, delimiter: Delimiter) -> Self {
        Self { text, delimiter: delimiter.byte(), at: 0, line: 1 }
    }

    /// Fills `fields` with the next record and gives the line it begins on; `None` at the end. Stops after
    /// `max_fields` + 1 fields. The error is the line of a quote that is never closed.
    fn next(&mut self, fields: &mut Vec<Cow<'a, str>>, max_fields: usize) -> Result<Option<u64>, u64> {
        fields.clear();
        while self.end_line() {}
        if self.peek().is_none() {
            return Ok(None);
        }
        let line = self.line;
        loop {
            let field = if self.peek() == Some(b'"') { self.quoted_field()? } else { self.bare().into() };
            fields.push(field);
            match self.peek() {
                Some(byte) if byte == self.delimiter && fields.len() <= max_fields => self.at += 1,
                None => return Ok(Some(line)),
                Some(byte) if byte == self.delimiter => return Ok(Some(line)),
                Some(_) => {
                    self.end_line();
                    return Ok(Some(line));
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over one line end, if there is one here.
    fn end_line(&mut self) -> bool {
        let length = match (self.peek(), self.text.as_bytes().get(self.at + 1)) {
            (Some(b'\r'), Some(b'\n')) => 2,
            (Some(b'\r' | b'\n'), _) => 1,
            _ => return false,
        };
        self.at += length;
        self.line += 1;
        true
    }

    /// What stands here up to a delimiter or the end of the line.
    fn bare(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest
            .bytes()
            .position(|byte| byte == self.delimiter || matches!(byte, b'\r' | b'\n'))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn quoted_field(&mut self) -> Result<Cow<'a, str>, u64> {
        let opened_on = self.line;
        self.at += 1;
        let mut field = Cow::Borrowed("");
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.bytes().position(|byte| byte == b'"') else { return Err(opened_on) };
            // A CRLF cannot be cut here, for `end` stands before a quote.
            self.line += line_ends(&rest.as_bytes()[..end]);
            self.at += end + 1;
            let doubled = self.peek() == Some(b'"');
            if doubled {
                self.at += 1;
                field += &rest[..=end];
            } else {
                field += &rest[..end];
                let after = self.bare();
                field += after;
                return Ok(field);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Split = Result<Vec<(u64, Vec<String>)>, u64>;

    fn split(text: &str) -> Split {
        let (mut splitter, mut fields, mut records) =
            (Splitter::new(text, Delimiter::Comma), Vec::new(), Vec::new());
        while let Some(line) = splitter.next(&mut fields, 100)? {
            records.push((line, fields.iter().map(|field| field.to_string()).collect()));
        }
        Ok(records)
    }

    #[test]
    fn records_know_their_line() {
        let check = |text: &str, expected: &[(u64, &[&str])]| {
            let expected = expected.iter().map(|(line, fields)| {
                (*line, fields.iter().map(|field| field.to_string()).collect::<Vec<_>>())
            });
            assert_eq!(split(text), Ok(expected.collect()), "{text:?}");
        };
        check("", &[]);
        check("\r\n\n\r", &[]);
        check("a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("\n\na\r\nb\rc\n\nd", &[(3, &["a"]), (4, &["b"]), (5, &["c"]), (7, &["d"])]);
        check("\"x\r\ny\",\"\"\"z\"\"\"\n,", &[(1, &["x\r\ny", "\"z\""]), (3, &["", ""])]);
        check("\"\"\n\"a\"b,c\"d\n", &[(1, &[""]), (2, &["ab", "c\"d"])]);
        assert_eq!(split("a\nb,\"c\nd"), Err(2));
    }

    /// All texts of up to seven characters that matter, against another program.
    #[test]
    fn fields_are_those_of_the_csv_crate() {
        let alphabet = b"a,\"\n\r";
        let mut n_checked = 0;
        for length in 0..=7_u32 {
            for number in 0..alphabet.len().pow(length) {
                let digit = |place| number / alphabet.len().pow(place) % alphabet.len();
                let text: String = (0..length).map(|place| char::from(alphabet[digit(place)])).collect();
                let Ok(ours) = split(&text) else { continue };
                let theirs: Vec<Vec<String>> = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .flexible(true)
                    .from_reader(text.as_bytes())
                    .records()
                    .map(|record| record.unwrap().iter().map(str::to_string).collect())
                    .collect();
                let ours: Vec<Vec<String>> = ours.into_iter().map(|(_, fields)| fields).collect();
                assert_eq!(ours, theirs, "{text:?}");
                n_checked += 1;
            }
        }
        assert!(n_checked > 50_000, "{n_checked}");
    }
}
