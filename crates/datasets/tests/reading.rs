//! Files as people write them, read through the public interface.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use std::io::Write;
use weightsmith_datasets::{Labelled, Source, read_labelled, read_rows, samples};
use weightsmith_tasks::{ColumnType, ColumnValues, Support, Table, Target, TaskType};

fn labelled(text: &str, task_type: Option<TaskType>) -> Labelled {
    let mut file = tempfile::Builder::new().prefix("table").suffix(".csv").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    read_labelled(&Source::File(file.path().into()), "y", task_type).unwrap()
}

fn rows(text: &str, schema: &[(&str, ColumnType)]) -> Table {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let schema = schema.iter().map(|(name, column_type)| (name.to_string(), *column_type)).collect();
    read_rows(&Source::File(file.path().into()), &schema).unwrap().table
}

fn class_names(labelled: &Labelled) -> Vec<&str> {
    match &labelled.target {
        Target::Classes { class_names, .. } => class_names.iter().map(String::as_str).collect(),
        Target::Values(_) => panic!("a regression target"),
    }
}

/// Numbers with NaN as `None`, so that they compare.
fn numbers(table: &Table, column: &str) -> Vec<Option<f64>> {
    match &table.column(column).unwrap().values {
        ColumnValues::Numeric(values) => {
            values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect()
        }
        ColumnValues::Categorical { .. } => panic!("a categorical column"),
    }
}

fn texts(table: &Table, column: &str) -> Vec<Option<String>> {
    match &table.column(column).unwrap().values {
        ColumnValues::Categorical { levels, codes } => {
            codes.iter().map(|code| code.map(|code| levels[code as usize].clone())).collect()
        }
        ColumnValues::Numeric(_) => panic!("a numeric column"),
    }
}

#[test]
fn bom_crlf_and_unnamed_columns_are_understood() {
    let read = labelled("\u{feff}y,,city\r\nyes,1,\"Sao, Paulo\"\r\n\r\nno,NA,\r\n", None);
    assert_eq!(read.table.schema()[0], ("column_2".to_string(), ColumnType::Numeric));
    assert_eq!(numbers(&read.table, "column_2"), [Some(1.0), None]);
    assert_eq!(texts(&read.table, "city"), [Some("Sao, Paulo".to_string()), None]);
    assert_eq!(
        read.target,
        Target::Classes { class_names: vec!["no".into(), "yes".into()], labels: vec![1, 0] }
    );
    assert!(read.name.starts_with("table"));
}

#[test]
fn class_names_are_exactly_those_of_the_file() {
    let check = |fields: &[&str], task_type, expected: &[&str]| {
        let text: String = fields.iter().map(|field| format!("1,{field}\n")).collect();
        assert_eq!(class_names(&labelled(&format!("x,y\n{text}"), task_type)), expected);
    };
    let asked = Some(TaskType::Classification);
    check(
        &["\"a,b\"", "\"say \"\"hi\"\"\"", "🦀", "\"two\nlines\""],
        None,
        &["a,b", "say \"hi\"", "two\nlines", "🦀"],
    );
    check(&["10", "9", "-1"], asked, &["-1", "9", "10"]);
    check(&["10", "9", "x"], asked, &["10", "9", "x"]);
    check(&["1", "1.0", " 1"], asked, &[" 1", "1", "1.0"]);
    check(&["NA", "1", "2"], asked, &["1", "2", "NA"]);
    check(&["inf", "1"], asked, &["1", "inf"]);
    check(&["0.5", "1.5", "0.5"], None, &["0.5", "1.5"]);
}

#[test]
fn the_values_of_the_target_decide_the_task_type() {
    let check = |fields: &[&str], expected: TaskType| {
        let text: String = fields.iter().map(|field| format!("1,{field}\n")).collect();
        assert_eq!(labelled(&format!("x,y\n{text}"), None).target.task_type(), expected, "{fields:?}");
    };
    check(&["true", "false"], TaskType::Classification);
    check(&["1", "2"], TaskType::Classification);
    check(&["1", "2", "3"], TaskType::Regression);
    check(&["1", "2", "3"].repeat(5), TaskType::Classification);
    check(&["1", "2", "3.5"].repeat(5), TaskType::Regression);
    check(&["1", "2", "three"], TaskType::Classification);
    let eleven: Vec<String> = (0..11).map(|value| value.to_string()).collect();
    let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
    check(&eleven.repeat(20), TaskType::Regression);
    check(&eleven[..10].repeat(5), TaskType::Classification);
}

#[test]
fn rows_to_predict_follow_the_schema() {
    let schema = [("b", ColumnType::Categorical), ("a", ColumnType::Numeric)];
    let table = rows("extra,a,b,extra\nx,1,7,y\nx,?,,y\nx, -2e1 ,NA,y\n", &schema);
    assert_eq!(table.schema(), schema.map(|(name, column_type)| (name.to_string(), column_type)));
    assert_eq!(numbers(&table, "a"), [Some(1.0), None, Some(-20.0)]);
    assert_eq!(texts(&table, "b"), [Some("7".to_string()), None, Some("NA".to_string())]);
    assert_eq!(rows("a\n1\n2\n", &[]).n_rows(), 2);
}

#[test]
fn all_missing_columns_are_numeric() {
    let read = labelled("x,z,y\n,  ,a\n,,b\n", None);
    assert_eq!(numbers(&read.table, "x"), [None, None]);
    assert_eq!(numbers(&read.table, "z"), [None, None]);
}

#[test]
fn every_sample_is_as_described() {
    let check =
        |name: &str, n_rows: usize, n_numeric: usize, n_categorical: usize, n_classes: Option<usize>| {
            let source = Source::from(format!("sample:{name}").as_str());
            let sample = source.sample().unwrap().unwrap();
            assert!(sample.csv.len() < 100_000, "{name}");
            let Labelled { name: read_name, table, target, .. } =
                read_labelled(&source, sample.target, None).unwrap();
            let count =
                |wanted| table.schema().iter().filter(|(_, column_type)| *column_type == wanted).count();
            assert_eq!(read_name, name);
            let found = (table.n_rows(), count(ColumnType::Numeric), count(ColumnType::Categorical));
            assert_eq!(found, (n_rows, n_numeric, n_categorical), "{name}");
            let found = match &target {
                Target::Classes { class_names, .. } => Some(class_names.len()),
                Target::Values(_) => None,
            };
            assert_eq!(found, n_classes, "{name}");
            assert_eq!(read_rows(&source, &table.schema()).unwrap().table.schema(), table.schema());
            assert!(Support::new(table, target).is_ok());
        };
    check("breast-cancer", 569, 20, 0, Some(2));
    check("cars", 201, 15, 10, None);
    check("election", 944, 7, 2, Some(2));
    check("iris", 150, 4, 0, Some(3));
    check("penguin-mass", 342, 6, 4, None);
    check("penguins", 342, 7, 3, Some(3));
    check("travel-mode", 210, 17, 0, Some(4));
    check("wine", 178, 13, 0, Some(3));
    assert_eq!(samples().len(), 8);
    assert!(samples().is_sorted_by_key(|sample| sample.name));
}
