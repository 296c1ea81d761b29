//! What is said of tables as people write them: no word of a plain one, one line of what is not.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use std::fmt::Display;
use std::io::{Read, Write};
use weightsmith_datasets::{Labelled, Note, Source, read_labelled, read_rows};
use weightsmith_tasks::{ColumnType, ColumnValues, TaskType};

const N: usize = 200;

fn file(text: &str) -> (tempfile::NamedTempFile, Source) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let source = Source::File(file.path().into());
    (file, source)
}

fn read(text: &str) -> Labelled {
    read_labelled(&file(text).1, "y", None).unwrap()
}

/// Some number of a row that looks like no other's.
fn measure(row: usize) -> f64 {
    (row * 7919 % 1009) as f64 / 8.0
}

/// A table with a plain column, the column `a` made of the row, and a class that follows neither.
fn table(a: impl Fn(usize) -> String) -> String {
    let line = |row: usize| format!("{},{},{}\n", measure(row), a(row), ["no", "yes"][row * 31 % 7 % 2]);
    format!("x,a,y\n{}", (0..N).map(line).collect::<String>())
}

/// A table like [`table`] with a target made of the row.
fn target(y: impl Fn(usize) -> String) -> String {
    let line = |row: usize| format!("{},{}\n", measure(row), y(row));
    format!("x,y\n{}", (0..N).map(line).collect::<String>())
}

/// The lines of the notes of a table, and the type of its column `a`.
fn notes(text: &str) -> Vec<String> {
    read(text).notes.iter().map(ToString::to_string).collect()
}

fn check(text: &str, expected: &str) {
    let found = notes(text);
    assert!(found.len() == 1 && found[0].contains(expected), "{found:?} is not {expected}");
    assert!(!found[0].contains('\n') && found[0].len() < 400, "{found:?}");
}

fn values_of(text: &str, column: &str) -> Vec<f64> {
    match &read(text).table.column(column).unwrap().values {
        ColumnValues::Numeric(values) => values.clone(),
        ColumnValues::Categorical { .. } => panic!("names in {column}"),
    }
}

fn type_of_a(text: &str) -> ColumnType {
    read(text).table.column("a").unwrap().values.column_type()
}

fn with(row: usize, text: &'static str, other: impl Fn(usize) -> String) -> impl Fn(usize) -> String {
    move |at| if at == row { text.to_string() } else { other(at) }
}

fn plain(row: usize) -> String {
    measure(row + 3).to_string()
}

#[test]
fn a_plain_table_says_nothing() {
    assert_eq!(notes(&table(plain)), [""; 0]);
    assert_eq!(notes(&table(|row| ["red", "green", ""][row % 3].into())), [""; 0]);
    assert_eq!(notes(&table(with(7, "NA", plain))), [""; 0]);
    assert_eq!(notes(&target(plain)), [""; 0]);
}

#[test]
fn one_stray_cell_leaves_a_column_numeric() {
    for stray in ["4o.2", "-", "50%", "n.a.", "1,23,4", "12:30"] {
        let text = table(with(7, if stray.contains(',') { "\"1,23,4\"" } else { stray }, plain));
        assert_eq!(type_of_a(&text), ColumnType::Numeric, "{stray}");
        check(&text, &format!("column \"a\": 199 numbers and 1 text ({stray:?}, line 9)"));
        let values = values_of(&text, "a");
        assert!(values[7].is_nan() && values.iter().filter(|value| value.is_nan()).count() == 1);
    }
}

#[test]
fn one_number_written_otherwise_is_a_number() {
    for (written, number) in
        [("$50", 50.0), ("\"1,234.5\"", 1234.5), ("\u{2212}3.5", -3.5), ("\"1,234\"", 1234.0), ("5 €", 5.0)]
    {
        let text = table(move |row| if row == 7 { written.to_string() } else { plain(row) });
        let values = values_of(&text, "a");
        assert_eq!(values[7], number, "{written}");
        check(&text, &format!("1 field written like {:?} (line 9)", written.trim_matches('"')));
    }
    check(&table(|row| format!("{}%", measure(row + 3))), "200 fields written like");
    let german = table(|row| format!("\"{}\"", plain(row).replace('.', ",")));
    check(&german, "read as numbers with a decimal comma");
    let values = values_of(&german, "a");
    assert_eq!(values[5], measure(8));
}

#[test]
fn many_texts_are_names_and_said_so() {
    let mixed = table(|row| if row % 10 == 0 { format!("t{row}") } else { plain(row) });
    assert_eq!(type_of_a(&mixed), ColumnType::Categorical);
    check(&mixed, "column \"a\": 180 numbers and 20 texts (\"t0\", line 2): read as names");
    // Codes that are partly letters are names, and nobody needs to be told.
    assert_eq!(notes(&table(|row| ["1", "2", "A"][row % 3].into())), [""; 0]);
}

#[test]
fn columns_are_told_for_what_they_were_taken() {
    let date = |row: usize| format!("2024-{:02}-{:02}", 1 + row % 12, 1 + row % 27);
    check(&table(date), "column \"a\": dates or times (\"2024-01-01\", line 2)");
    check(&table(|row| format!("it was row {row} of all")), "running text");
    check(&table(|row| format!("K-{row}")), "another name in nearly every row");
    check(&table(|row| (1000 + row).to_string()), "column \"a\": whole numbers that count the rows");
    check(&table(|_| "7".into()), "column \"a\": the same in every row: not used");
    check(&table(|_| String::new()), "column \"a\": the same in every row: not used");
    check(
        &table(|row| ["NA", "red", "blue"][row % 3].into()),
        "column \"a\": \"NA\" in 67 rows is read as a name",
    );
    let two = table(|_| "7".into()).replace("x,a,y", "a,b,y").replace('\n', ",1\n").replace("y,1", "y,c");
    assert!(notes(&two).iter().any(|note| note.starts_with("columns \"b\", \"c\"")), "{:?}", notes(&two));
}

#[test]
fn targets_are_told_for_what_they_were_taken() {
    check(
        &target(|row| (1 + row * 31 % 7 % 5).to_string()),
        "5 different whole numbers, taken as classes; --task",
    );
    check(&target(|row| ["NA", "a", "b"][row * 31 % 7 % 3].into()), "\"NA\" is a class");
    check(
        &target(|row| if row == 50 { "rare".into() } else { ["a", "b"][row * 31 % 7 % 2].into() }),
        "\"rare\" 1 row",
    );
    check(&target(|row| (row * 3).to_string()), "another value in every row");
    check(&target(|row| format!("name {row}")), "another value in every row");
    check(&target(|row| format!("${}", plain(row))), "target \"y\"".replace("target", "column").as_str());
    // Two numbers are classes for everybody.
    assert_eq!(notes(&target(|row| (row * 31 % 7 % 2).to_string())), [""; 0]);
}

#[test]
fn text_among_the_numbers_of_a_target_is_refused() {
    let refused =
        |text: &str, task_type| read_labelled(&file(text).1, "y", task_type).unwrap_err().to_string();
    let text = target(with(7, "4o.2", plain));
    let error = refused(&text, None);
    assert!(error.contains("line 9: \"4o.2\"") && error.contains("199 numbers and 1 text(s)"), "{error}");
    assert!(read_labelled(&file(&text).1, "y", Some(TaskType::Classification)).is_ok());
    assert!(refused(&text, Some(TaskType::Regression)).contains("is not a number"));
}

#[test]
fn columns_that_tell_the_target_are_warned_of() {
    let with_target = |y: fn(usize) -> String, a: fn(usize) -> String| {
        let line = |row: usize| format!("{},{},{}\n", measure(row), a(row), y(row));
        format!("x,a,y\n{}", (0..N).map(line).collect::<String>())
    };
    check(&with_target(plain, plain), "column \"a\" has the values of the target \"y\"");
    check(&with_target(plain, |row| (3.0 * measure(row + 3) - 7.0).to_string()), "lies on a straight line");
    let class = |row: usize| ["no", "yes"][row * 31 % 7 % 2].to_string();
    check(&with_target(class, |row| (row * 31 % 7 % 2).to_string()), "column \"a\" alone determines");
    for text in [with_target(plain, plain), with_target(class, class)] {
        assert!(read(&text).notes.iter().all(Note::is_warning));
    }
}

#[test]
fn rows_to_predict_are_read_as_those_to_learn_from() {
    let schema = vec![("a".to_string(), ColumnType::Numeric)];
    let rows = |fields: &[&str]| {
        let text: String = fields.iter().map(|field| format!("\"{field}\"\n")).collect();
        read_rows(&file(&format!("a\n{text}")).1, &schema)
    };
    let value = |fields: &[&str]| {
        let table = rows(fields).unwrap().table;
        let ColumnValues::Numeric(values) = &table.columns()[0].values else { panic!() };
        values[0]
    };
    assert_eq!(value(&["$1,234.5"]), 1234.5);
    assert_eq!(value(&["\u{2212}5"]), -5.0);
    assert!(value(&["-"]).is_nan());
    assert!(rows(&["4o.2"]).is_err());
    let many: Vec<String> = (0..99).map(|row| row.to_string()).chain(["4o.2".to_string()]).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let read = rows(&many).unwrap();
    assert!(read.notes.len() == 1 && read.notes[0].kind() == "stray-text", "{:?}", read.notes);
}

#[test]
fn semicolons_and_tabs_separate_fields() {
    let text = "x;a;y\n1,5;2;no\n2,5;3;yes\n0,125;4;no\n3;5;yes\n";
    let read = read(text);
    let ColumnValues::Numeric(values) = &read.table.column("x").unwrap().values else { panic!() };
    assert_eq!(values, &[1.5, 2.5, 0.125, 3.0]);
    let lines: Vec<String> = read.notes.iter().map(ToString::to_string).collect();
    assert!(
        lines[0].contains("semicolons") && lines[1].contains("decimal comma") && lines.len() == 2,
        "{lines:?}"
    );
    let tabs = self::read("x\ta, b\ty\n1\t2\tno\n2\t\"3\"\tyes\n");
    assert_eq!(tabs.table.columns()[1].name, "a, b");
    // A comma that is there wins over as many others.
    assert_eq!(self::read("x;1,y\n1;2,no\n2;1,yes\n").table.columns()[0].name, "x;1");
}

#[test]
fn a_note_is_data_too() {
    let show = |note: &dyn Display| note.to_string();
    let read = read(&table(with(7, "4o.2", plain)));
    let note = &read.notes[0];
    let json = serde_json::to_value(note).unwrap();
    assert_eq!(json["kind"], "stray-text");
    assert_eq!(json["warning"], false);
    assert_eq!(json["columns"], serde_json::json!(["a"]));
    assert_eq!(json["text"], show(note));
}

#[test]
fn a_compressed_file_is_read_like_a_plain_one() {
    let text = table(plain);
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let of = |bytes: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read_labelled(&Source::File(file.path().into()), "y", None)
    };
    let (head, tail) = text.as_bytes().split_at(1000);
    let whole = of(text.as_bytes()).unwrap();
    for bytes in [packed(text.as_bytes()), [packed(head), packed(tail)].concat()] {
        let read = of(&bytes).unwrap();
        assert_eq!((&read.table, &read.target), (&whole.table, &whole.target));
        let cut = of(&bytes[..bytes.len() - 9]).unwrap_err();
        assert!(cut.to_string().starts_with("cannot read"), "{cut}");
    }
    // A megabyte that unpacks to more than is read.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut ones = std::io::repeat(b'1').take(weightsmith_datasets::MAX_BYTES as u64 + 1);
    std::io::copy(&mut ones, &mut encoder).unwrap();
    let large = encoder.finish().unwrap();
    assert!(of(&large).unwrap_err().to_string().contains("the most that is read"));
}

#[test]
fn identifiers_are_left_out_aloud() {
    let with_id = |id: &str| {
        let rows = (0..40).map(|row| format!("{},{},{}\n", 100 + row * 7919 % 1009, measure(row), row % 2));
        format!("{id},a,y\n{}", rows.collect::<String>())
    };
    let names = |read: &Labelled| -> Vec<String> {
        read.table.columns().iter().map(|column| column.name.clone()).collect()
    };
    let found = read(&with_id("customer_id"));
    assert_eq!(names(&found), ["a"]);
    assert!(found.notes.iter().any(|note| note.kind() == "identifiers" && note.columns() == ["customer_id"]));
    assert_eq!(names(&read(&with_id("customers"))), ["customers", "a"]);
    // Nothing else is there to learn from.
    let alone = (0..40).map(|row| format!("{row},{}\n", row % 2)).collect::<String>();
    assert_eq!(names(&read(&format!("id,y\n{alone}"))), ["id"]);
}
