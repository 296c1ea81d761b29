//! Bad files and bad requests: each is refused with a message that says what, where and what to do.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use std::error::Error;
use std::io::Write;
use weightsmith_datasets::{
    DatasetError, MAX_COLUMNS, MAX_FIELDS, MAX_ROWS, Source, read_labelled, read_rows,
};
use weightsmith_tasks::{ColumnType, TaskType};

/// The error without the file's path, which must begin or follow in it.
fn without_path(error: &DatasetError, path: &str) -> String {
    let message = error.to_string();
    assert!(message.contains(path), "{message}");
    assert!(!message.ends_with('.') && message.len() < 2500 && !message.contains('\n'), "{message}");
    message.replace(path, "FILE")
}

fn check_labelled_as(bytes: impl AsRef<[u8]>, task_type: Option<TaskType>, expected: &str) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes.as_ref()).unwrap();
    let error = read_labelled(&Source::File(file.path().into()), "y", task_type).unwrap_err();
    let message = without_path(&error, &file.path().display().to_string());
    assert!(message.contains(expected), "{message}");
}

fn check_labelled(bytes: impl AsRef<[u8]>, expected: &str) {
    check_labelled_as(bytes, None, expected);
}

fn check_rows(bytes: impl AsRef<[u8]>, expected: &str) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes.as_ref()).unwrap();
    let schema = vec![("a".to_string(), ColumnType::Numeric), ("b".to_string(), ColumnType::Categorical)];
    let error = read_rows(&Source::File(file.path().into()), &schema).unwrap_err();
    let message = without_path(&error, &file.path().display().to_string());
    assert!(message.contains(expected), "{message}");
}

#[test]
fn files_that_are_no_tables() {
    check_labelled("", "FILE is empty");
    check_labelled("\n", "FILE is empty");
    check_labelled("\u{feff}\r\n\r\n", "FILE is empty");
    check_labelled("x,y\n", "has a header but no rows");
    check_labelled("x,y\n1,2\n1,2,3\n", "FILE, line 3: 3 fields where the header has 2");
    check_labelled("x,y\n\"1\n1\",2\n\n3\n", "FILE, line 5: 1 fields where");
    check_labelled("x,y\r\n1,2\r\n3", "FILE, line 3: 1 fields where");
    check_labelled("x,y\n1,a\0b\n", "FILE, line 2: a NUL byte");
    check_labelled("x,y\n1,2\n1,\"abc\n2,3\n", "FILE, line 3: a quote is opened");
    check_labelled("\"", "FILE, line 1: a quote is opened");
    check_labelled(b"x,y\n1,\xff\n", "FILE, line 2: not UTF-8 (byte 7 of");
    check_labelled(b"\xff\xfex\0,\0y\0", "FILE, line 1: not UTF-8 (byte 1 of");
}

#[test]
fn files_over_a_limit() {
    check_labelled(vec![b','; 100_000], &format!("more than {MAX_COLUMNS} columns"));
    check_labelled(format!("x,y\n{}\n", ",".repeat(100_000)), "line 2: 20001 fields where the header has 2");
    let rows = "1,2\n".repeat(MAX_ROWS + 1);
    check_labelled(format!("x,y\n{rows}"), &format!("more than {MAX_ROWS} rows"));
    let wide = ",".repeat(MAX_COLUMNS - 1);
    let rows = format!("{wide}\n").repeat(MAX_FIELDS / MAX_COLUMNS + 1);
    check_labelled(rows.clone() + &rows[..MAX_COLUMNS], &format!("more than {MAX_FIELDS} fields"));
}

#[test]
fn headers_that_cannot_be_used() {
    check_labelled("x,z,x,y\n1,2,3,4\n", "columns 1 and 3 are both called \"x\"");
    check_labelled(",column_1,y\n1,2,3\n", "columns 1 and 2 are both called \"column_1\"");
    check_labelled("x,Y\n1,2\n", "has no column \"y\" to use as the target; it has \"x\", \"Y\"");
    check_labelled("y\n1\n2\n", "no column besides the target \"y\"");
    let header: String = (0..1000).map(|idx| format!("x{idx},")).collect();
    check_labelled(format!("{header}Y\n"), "has a header but no rows");
    check_labelled(format!("{header}Y\n{}\n", ",".repeat(1000)), "it has \"Y\", \"x0\"");
    check_labelled(format!("\"{}\n\",x\n1,2\n", "long ".repeat(10_000)), "\"…, \"x\"");
}

#[test]
fn targets_that_cannot_be_learnt() {
    let (classes, numbers) = (Some(TaskType::Classification), Some(TaskType::Regression));
    check_labelled(
        "x,y\n1,a\n2,\n3,b\n4,\n",
        "FILE, line 3: no value (\"\") in the target column \"y\", and 2 such",
    );
    check_labelled("x,y\n1,1\n2,NA\n3,2\n", "FILE, line 3: no value (\"NA\")");
    check_labelled("x,y\n1,\n2,\n", "FILE, line 2: no value");
    check_labelled_as("x,y\n1,\n2,\n", classes, "FILE, line 2: no value");
    check_labelled("x,y\n1,a\n2,a\n", "every row has the class \"a\" in column \"y\"");
    check_labelled("x,y\n1,a\n", "every row has the class");
    check_labelled_as("x,y\n1,3\n2,3\n", classes, "every row has the class \"3\"");
    check_labelled("x,y\n1,3\n2,3.0\n", "is 3 in every row");
    check_labelled_as(
        "x,y\n1,3\n2,b\n",
        numbers,
        "FILE, line 3: \"b\" in the target column \"y\" is not a number",
    );
    check_labelled("x,y\n1,3\n2,inf\n", "FILE, line 3: \"inf\" in column \"y\" is infinite");
}

#[test]
fn values_that_are_no_numbers() {
    check_labelled("x,y\n1,a\n-Infinity,b\n", "FILE, line 3: \"-Infinity\" in column \"x\" is infinite");
    check_labelled("x,y\n1,a\n1e400,b\n", "FILE, line 3: \"1e400\" in column \"x\" is infinite");
    check_rows("b,a\nx,1\n\nx,two\n", "FILE, line 4: \"two\" in column \"a\" is not a number");
    check_rows("b,a\nx,inf\n", "FILE, line 2: \"inf\" in column \"a\" is infinite");
}

#[test]
fn rows_without_what_the_model_needs() {
    check_rows(
        "B,c\n1,2\n",
        "lacks 2 of the columns the model was made for: \"a\", \"b\"; it has \"B\", \"c\"",
    );
    check_rows("a,b,a\n1,2,3\n", "columns 1 and 3 are both called \"a\"");
    check_rows("a,b\n", "has a header but no rows");
}

#[test]
fn sources_that_do_not_exist() {
    let error = read_labelled(&"no/such.csv".into(), "y", None).unwrap_err();
    assert_eq!(error.to_string(), "cannot read no/such.csv");
    assert!(error.source().is_some());
    let folder = tempfile::tempdir().unwrap();
    let error = read_labelled(&Source::File(folder.path().into()), "y", None).unwrap_err();
    assert!(matches!(error, DatasetError::Unreadable { .. }), "{error}");
    let error = read_labelled(&"sample:irises".into(), "y", None).unwrap_err().to_string();
    assert!(error.contains("no built-in sample is called \"irises\"; there are \"breast-cancer\", \"cars\""));
    let schema = vec![("mode".to_string(), ColumnType::Categorical); 2];
    let error = read_rows(&"sample:travel-mode".into(), &schema).unwrap_err();
    assert!(matches!(error, DatasetError::Table { .. }), "{error}");
}

/// Every prefix of a file with everything in it, and every file that lacks or repeats one byte, is read or
/// refused, never a panic.
#[test]
fn damaged_files_never_panic() {
    let whole = "\u{feff}x,\"k,\"\"1\",y\r\n1,é,a\n\"2\n\",🦀,b\r\n\r\n,NA,\"a\"\n".as_bytes();
    let schema = vec![("x".to_string(), ColumnType::Numeric), ("k,\"1".to_string(), ColumnType::Categorical)];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.csv");
    let source = Source::File(path.clone());
    let mut n_read = 0;
    for at in 0..=whole.len() {
        let (before, after) = whole.split_at(at);
        let damaged = [
            before.to_vec(),
            [before, after.get(1..).unwrap_or_default()].concat(),
            [before, before.last().map(std::slice::from_ref).unwrap_or_default(), after].concat(),
        ];
        for bytes in damaged {
            std::fs::write(&path, bytes).unwrap();
            n_read += usize::from(read_labelled(&source, "y", None).is_ok());
            n_read += usize::from(read_rows(&source, &schema).is_ok());
        }
    }
    assert!(n_read > 20, "{n_read}");
}

/// Mutations of a file with everything that is read in a style of its own, and of dates, words and signs: read or refused,
/// never a panic, and every note is one short line.
#[test]
fn mutated_styles_never_panic() {
    use rand::Rng;
    let pieces = [
        "$",
        "€",
        "%",
        ",",
        ".",
        ";",
        "\t",
        "-",
        "\u{2212}",
        "\u{a0}",
        "'",
        "1",
        "0",
        "9",
        "NA",
        "\"",
        "\n",
        "é",
        "e",
        "inf",
        "2024-01-31",
        "12:30",
        "1,234.5",
        "1.234,5",
        " ",
        "4o.2",
    ];
    let mut rng = weightsmith_tasks::Seed(5).stream("tests.styles");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("styles.csv");
    let source = Source::File(path.clone());
    let (mut n_read, mut n_notes) = (0, 0);
    for number in 0..2000 {
        // A quote or a line feed makes most tables none; half of them have neither.
        let breaks = number % 2 == 0;
        let mut text = "a,b,y\n".to_string();
        for row in 0..30 {
            for _ in 0..2 {
                if rng.random_bool(0.3) {
                    text += &row.to_string();
                } else {
                    let mut field = String::new();
                    (0..rng.random_range(0..4))
                        .for_each(|_| field += pieces[rng.random_range(0..pieces.len())]);
                    if !breaks {
                        field.retain(|c| !"\"\n".contains(c));
                        field = format!("\"{}\"", field.replace("inf", ""));
                    }
                    text += &field;
                }
                text.push(',');
            }
            text += ["u", "v"][row % 2];
            text.push('\n');
        }
        std::fs::write(&path, &text).unwrap();
        let Ok(read) = read_labelled(&source, "y", None) else { continue };
        n_read += 1;
        for note in &read.notes {
            let line = note.to_string();
            assert!(!line.contains('\n') && line.len() < 600, "{line}");
            n_notes += 1;
        }
    }
    assert!(n_read > 20 && n_notes > 20, "{n_read} {n_notes}");
}
