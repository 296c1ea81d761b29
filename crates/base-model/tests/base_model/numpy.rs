//! `docs/predict.py`, an independent reader of the file, against the crate.

use crate::models;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use weightsmith_base_model::{BaseModel, Precision};
use weightsmith_tasks::{Base, ColumnValues, Table};

/// A Python with NumPy: `python3`, or what `WEIGHTSMITH_PYTHON` names.
fn python() -> Option<String> {
    let named = std::env::var("WEIGHTSMITH_PYTHON").ok();
    ["python3".to_string()].into_iter().chain(named).find(|python| {
        let probe = Command::new(python).args(["-c", "import numpy"]).output();
        probe.is_ok_and(|output| output.status.success())
    })
}

fn quoted(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

fn csv(table: &Table) -> String {
    let header: Vec<String> = table.columns().iter().map(|column| quoted(&column.name)).collect();
    let mut text = header.join(",") + ",\n";
    for row in 0..table.n_rows() {
        let fields: Vec<String> = table
            .columns()
            .iter()
            .map(|column| match &column.values {
                ColumnValues::Numeric(values) if values[row].is_nan() => {
                    ["", "NA", " nan "][row % 3].to_string()
                }
                ColumnValues::Numeric(values) => values[row].to_string(),
                ColumnValues::Categorical { levels, codes } => {
                    codes[row].map_or(String::new(), |code| quoted(&levels[code as usize]))
                }
            })
            .collect();
        // A column without a name, and an empty line: both are ignored.
        writeln!(text, "{},{row}\n", fields.join(",")).unwrap();
    }
    text
}

#[test]
fn numpy_predicts_the_same() {
    let Some(python) = python() else {
        let required = std::env::var("WEIGHTSMITH_REQUIRE_PYTHON").is_ok_and(|value| value == "1");
        assert!(!required, "no Python with NumPy; name one in WEIGHTSMITH_PYTHON");
        println!("skipped: no Python with NumPy; name one in WEIGHTSMITH_PYTHON");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/predict.py");
    let folder = tempfile::tempdir().unwrap();
    let [weights, data, out] = ["w.safetensors", "data.csv", "out.csv"].map(|name| folder.path().join(name));
    let table = models::table();
    std::fs::write(&data, csv(&table)).unwrap();
    for model in models::all() {
        for precision in [Precision::F32, Precision::F16, Precision::Bf16] {
            model.save(&weights, precision).unwrap();
            let run = Command::new(&python).arg(&script).args([&weights, &data, &out]).output().unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            compare(&BaseModel::load(&weights).unwrap(), &table, &std::fs::read_to_string(&out).unwrap());
        }
    }
}

fn compare(model: &BaseModel<Base>, table: &Table, written: &str) {
    let (header, body) = written.split_once('\n').unwrap();
    let predictions = model.predict(table).unwrap();
    let expected: Vec<Vec<f64>> = match (predictions.probabilities(), predictions.values()) {
        (Some(rows), _) => rows.map(|row| row.iter().map(|p| f64::from(*p)).collect()).collect(),
        (_, values) => {
            let std = model.expected.as_ref().unwrap().residual_std.unwrap();
            values.unwrap().iter().map(|value| vec![*value, f64::from(std)]).collect()
        }
    };
    if let Some(labels) = predictions.labels() {
        for (label, line) in labels.iter().zip(body.lines()) {
            let name = &model.class_names[*label];
            let bare = line.starts_with(name.as_str()) && !name.contains(['"', ',']);
            assert!(bare || line.starts_with(&quoted(name)), "{name} in {line}");
        }
        for name in &model.class_names {
            assert!(header.contains(&format!("probability_{}", name.replace('"', "\"\""))), "{header}");
        }
    } else {
        assert_eq!(header.trim_end(), "prediction,std");
    }
    assert_eq!(body.lines().count(), expected.len());
    for (line, expected) in body.lines().zip(expected) {
        // The numbers are the last fields of the line; names may hold commas.
        let fields: Vec<&str> = line.split(',').collect();
        for (field, expected) in fields[fields.len() - expected.len()..].iter().zip(expected) {
            let found: f64 = field.trim().parse().unwrap();
            // Beside a centre of 2.5e12 f64 has some 2e-4 left.
            let tolerance = 1e-5 * expected.abs().clamp(1.0, 1e3) + 4.0 * f64::EPSILON * expected.abs();
            assert!((found - expected).abs() < tolerance, "{found} {expected}");
        }
    }
}
