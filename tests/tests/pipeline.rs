//! The main job from outside: generate weights, inspect them, predict with them, compare them.

use serde_json::Value;
use std::fs;
use std::process::Command;
use weightsmith_tests::{Workplace, root, sample};

fn workplace() -> Workplace {
    Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"))
}

/// Probabilities are written as f32 and read as f64.
const ROUNDING: f64 = 1e-5;

fn numbers(fields: &[String]) -> Vec<f64> {
    fields.iter().map(|field| field.parse().unwrap_or_else(|_| panic!("{field} is not a number"))).collect()
}

/// The numbers of all rows of predictions: the probabilities, or value and standard deviation.
fn predicted(place: &Workplace, name: &str) -> Vec<Vec<f64>> {
    let (header, rows) = place.read_csv(name);
    let first = usize::from(header[1] != "std");
    rows.iter().map(|row| numbers(&row[first..])).collect()
}

fn largest_difference(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b).flat_map(|(a, b)| a.iter().zip(b));
    pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

#[test]
fn classification_from_a_sample() {
    let place = workplace();
    let ran = place.run(&["generate", "--data", "sample:penguins", "--out", "w.safetensors"]).done();
    assert!(ran.stdout.contains("w.safetensors") && ran.stdout.contains("classification"), "{}", ran.stdout);
    let told = place.run(&["inspect", "w.safetensors"]).done().stdout;
    for part in ["classification", "Adelie", "Chinstrap", "Gentoo", "bill_length_mm", "output.bias"] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    place
        .run(&["predict", "--weights", "w.safetensors", "--data", "sample:penguins", "--out", "p.csv"])
        .done();
    let text = String::from_utf8(place.read("p.csv")).unwrap();
    let header = "prediction,probability_Adelie,probability_Chinstrap,probability_Gentoo\n";
    assert!(text.starts_with(header), "{}", text.lines().next().unwrap());

    let (_, rows) = place.read_csv("p.csv");
    let truth = sample("penguins");
    let truth: Vec<&str> = truth.lines().skip(1).map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(rows.len(), truth.len());
    let classes = ["Adelie", "Chinstrap", "Gentoo"];
    let mut n_right = 0;
    for (row, truth) in rows.iter().zip(&truth) {
        let probabilities = numbers(&row[1..]);
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < ROUNDING, "{row:?}");
        assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{row:?}");
        let best = (0..3).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b])).unwrap();
        assert_eq!(row[0], classes[best]);
        n_right += usize::from(row[0] == *truth);
    }
    // The rows that the weights were made from, and an easy table: a network that has learned anything gets these.
    assert!(n_right * 100 >= truth.len() * 95, "{n_right} of {} right", truth.len());
    assert_eq!(place.names(), ["p.csv", "w.safetensors"], "nothing else is left behind");
}

#[test]
fn regression_from_a_file() {
    let place = workplace();
    place.write("cars.csv", sample("cars"));
    place
        .run(&["generate", "--data", "cars.csv", "--target", "price_dollars", "--out", "w.safetensors"])
        .done();
    place.run(&["predict", "--weights", "w.safetensors", "--data", "cars.csv", "--out", "p.csv"]).done();
    let (header, rows) = place.read_csv("p.csv");
    assert_eq!(header, ["prediction", "std"]);
    let (columns, truth) = place.read_csv("cars.csv");
    let price = columns.iter().position(|name| name == "price_dollars").unwrap();
    let truth: Vec<f64> = truth.iter().map(|row| row[price].parse().unwrap()).collect();
    assert_eq!(rows.len(), truth.len());
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let (mut left, mut total) = (0.0, 0.0);
    for (row, truth) in rows.iter().zip(&truth) {
        let row = numbers(row);
        assert!(row[0].is_finite() && row[1] > 0.0 && row[1].is_finite(), "{row:?}");
        left += (truth - row[0]).powi(2);
        total += (truth - mean).powi(2);
    }
    // On the rows that were read; the price follows from size and power.
    assert!(1.0 - left / total > 0.7, "R² {}", 1.0 - left / total);
}

#[test]
fn a_file_of_a_sample_gives_the_same_weights() {
    let place = workplace();
    place.write("iris.csv", sample("iris"));
    place.run(&["generate", "--data", "sample:iris", "--out", "a.safetensors"]).done();
    place.run(&["generate", "--data", "iris.csv", "--target", "species", "--out", "b.safetensors"]).done();
    assert!(place.read("a.safetensors") == place.read("b.safetensors"));
    for threads in ["1", "2"] {
        let mut command = place.command(&["generate", "--data", "sample:iris", "--out", "c.safetensors"]);
        assert!(command.env("RAYON_NUM_THREADS", threads).status().unwrap().success());
        assert!(
            place.read("a.safetensors") == place.read("c.safetensors"),
            "{threads} threads gave other bytes"
        );
    }
}

#[test]
fn half_precision() {
    let place = workplace();
    for (data, tolerances) in [("sample:penguins", [0.01, 0.1]), ("sample:penguin-mass", [0.005, 0.05])] {
        let generate = |out: &str, precision: &str| {
            let (out, predictions) = (&format!("{out}.safetensors"), format!("{out}.csv"));
            place.run(&["generate", "--data", data, "--out", out, "--precision", precision]).done();
            place.run(&["predict", "--weights", out, "--data", data, "--out", &predictions]).done();
            (place.read(out).len(), predicted(&place, &predictions))
        };
        let (full_size, full) = generate("f32", "f32");
        // 11 and 8 significant bits in some hundred weights; values relative to themselves.
        for (precision, tolerance) in ["f16", "bf16"].into_iter().zip(tolerances) {
            let (size, half) = generate(precision, precision);
            assert!(size < full_size * 3 / 4, "{precision}: {size} of {full_size} bytes");
            let difference = largest_difference(&half, &full);
            assert!(difference > 0.0 && difference < tolerance, "{data}, {precision}: {difference}");
            let told = place.run(&["inspect", &format!("{precision}.safetensors")]).done().stdout;
            assert!(told.contains(&format!(" {precision}, ")), "{told}");
        }
    }
}

/// A Python with NumPy: what `WEIGHTSMITH_PYTHON` names, or `python3`.
fn python() -> Option<String> {
    let named = std::env::var("WEIGHTSMITH_PYTHON").ok();
    named.into_iter().chain(["python3".to_string()]).find(|python| {
        let probe = Command::new(python).args(["-c", "import numpy"]).output();
        probe.is_ok_and(|output| output.status.success())
    })
}

#[test]
fn numpy_predicts_the_same() {
    let Some(python) = python() else {
        let required = std::env::var("WEIGHTSMITH_REQUIRE_PYTHON").is_ok_and(|value| value == "1");
        assert!(!required, "no Python with NumPy; name one in WEIGHTSMITH_PYTHON");
        println!("skipped: no Python with NumPy; name one in WEIGHTSMITH_PYTHON");
        return;
    };
    let place = workplace();
    let script = root().join("docs/predict.py");
    // Missing values, categories, two and more classes, numbers.
    for (name, target) in [
        ("election", "expected_vote"),
        ("penguins", "species"),
        ("penguins", "body_mass_g"),
        ("cars", "price_dollars"),
    ] {
        place.write("data.csv", sample(name));
        for precision in ["f32", "f16", "bf16"] {
            let table = ["generate", "--data", "data.csv", "--target", target, "--out", "w.safetensors"];
            place.run(&[table.as_slice(), &["--precision", precision]].concat()).done();
            place
                .run(&["predict", "--weights", "w.safetensors", "--data", "data.csv", "--out", "ours.csv"])
                .done();
            let files = ["w.safetensors", "data.csv", "numpy.csv"].map(|name| place.path(name));
            let ran = Command::new(&python).arg(&script).args(files).output().unwrap();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
            assert_eq!(place.read_csv("ours.csv").0, place.read_csv("numpy.csv").0);
            let difference =
                largest_difference(&predicted(&place, "numpy.csv"), &predicted(&place, "ours.csv"));
            assert!(difference < 1e-5, "{name}, {precision}: {difference}");
        }
    }
}

#[test]
fn comparison_with_a_report() {
    let place = workplace();
    let arguments = ["compare", "--data", "sample:iris", "--support", "32", "--splits", "1"];
    let files = ["--report", "report.html", "--out", "w.safetensors"];
    let ran = place.run(&[arguments.as_slice(), &files].concat()).done();
    for part in
        ["generated", "untrained", "adam-tuned", "adam", "linear-tuned", "AUC", "log-loss", "report.html"]
    {
        assert!(ran.stdout.to_lowercase().contains(&part.to_lowercase()), "no {part} in {}", ran.stdout);
    }
    let page = String::from_utf8(place.read("report.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") || page.starts_with("<!doctype html>"), "not a page");
    assert!(page.contains("<svg") && page.contains("generated") && page.trim_end().ends_with("</html>"));
    assert_eq!(external_references(&page), Vec::<String>::new());
    place.run(&["inspect", "w.safetensors"]).done();
    let arguments = ["compare", "--data", "sample:iris", "--splits", "1", "--methods", "generated,untrained"];
    place.run(&[arguments.as_slice(), &["--report", "report.svg"]].concat()).done();
    let picture = String::from_utf8(place.read("report.svg")).unwrap();
    assert!(picture.contains("<svg") && picture.trim_end().ends_with("</svg>"));
    assert_eq!(external_references(&picture), Vec::<String>::new());
}

/// Whatever a browser would fetch: everything with a scheme, but for the names of formats.
fn external_references(page: &str) -> Vec<String> {
    let without_names =
        page.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "");
    let lines = without_names.lines().filter(|line| {
        ["http://", "https://", "src=\"//", "href=\"//", "@import"].iter().any(|load| line.contains(load))
    });
    lines.map(str::to_string).collect()
}

#[test]
fn a_loaded_reference_would_be_seen() {
    let page =
        "<svg xmlns=\"http://www.w3.org/2000/svg\">\n<script src=\"https://example.org/a.js\"></script>";
    assert_eq!(external_references(page).len(), 1);
}

#[test]
fn regression_comparison() {
    let place = workplace();
    let arguments =
        ["compare", "--data", "sample:penguin-mass", "--support", "64", "--splits", "2", "--json"];
    let compared =
        place.run(&[arguments.as_slice(), &["--methods", "generated,linear-tuned"]].concat()).done().json();
    assert_eq!((&compared["task"], &compared["n_support"]), (&Value::from("regression"), &Value::from(64)));
    let methods = compared["methods"].as_array().unwrap();
    assert_eq!(
        methods.iter().map(|method| method["method"].as_str().unwrap()).collect::<Vec<_>>(),
        // The controls come unasked.
        ["generated", "linear-tuned", "untrained", "noisy", "shuffled"]
    );
}

#[test]
fn json_wherever_a_result_is_printed() {
    let place = workplace();
    let generated =
        place.run(&["generate", "--data", "sample:wine", "--out", "w.safetensors", "--json"]).done().json();
    assert_eq!(
        (&generated["task"], &generated["n_rows"]),
        (&Value::from("classification"), &Value::from(178))
    );
    let arguments =
        ["predict", "--weights", "w.safetensors", "--data", "sample:wine", "--out", "p.csv", "--json"];
    assert_eq!(place.run(&arguments).done().json()["n_rows"], 178);
    let inspected = place.run(&["inspect", "w.safetensors", "--json"]).done().json();
    assert_eq!(inspected["level"], 0);
    assert_eq!(inspected["class_names"].as_array().unwrap().len(), 3);
    let arguments = ["compare", "--data", "sample:wine", "--splits", "1", "--methods", "generated", "--json"];
    assert_eq!(
        place.run(&arguments).done().json()["methods"].as_array().unwrap().len(),
        4,
        "and three controls"
    );
}

#[test]
fn evaluation_of_a_suite() {
    let place = workplace();
    fs::create_dir(place.path("classification")).unwrap();
    place.write("classification/iris.csv", sample("iris").replacen("species", "target", 1));
    place.write("classification/wine.csv", sample("wine").replacen("cultivar", "target", 1));
    let arguments =
        ["evaluate", "--suite", "classification", "--support", "32", "--splits", "2", "--out", "r.csv"];
    place.run(&arguments).done();
    let (header, rows) = place.read_csv("r.csv");
    assert_eq!(header[..5], ["name", "task", "short", "split", "model"]);
    // Two tables, two splits, generated and untrained.
    assert_eq!(rows.len(), 8);
    let error = header.iter().position(|name| name == "error").unwrap();
    assert!(rows.iter().all(|row| row[error].is_empty()), "{rows:?}");
}

#[test]
fn exit_codes() {
    let place = workplace();
    for arguments in [["--help"].as_slice(), &["--version"], &["generate", "--help"], &["help", "compare"]] {
        let ran = place.run(arguments).done();
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty());
    }
    for arguments in [
        [].as_slice(),
        &["forge"],
        &["generate"],
        &["generate", "--data", "sample:iris"],
        &["generate", "--data", "sample:iris", "--out", "w.safetensors", "--precision", "f64"],
        &["generate", "--data", "sample:iris", "--out", "w.safetensors", "--views", "0"],
        &["compare", "--data", "sample:iris", "--methods", "astrology"],
        &["compare", "--data", "sample:iris", "--support", "-3"],
        &["inspect"],
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty() && !ran.stderr.contains("panicked"));
    }
    assert!(place.names().is_empty());
}

#[test]
fn predictions_to_standard_output() {
    let place = workplace();
    place.run(&["generate", "--data", "sample:iris", "--out", "w.safetensors"]).done();
    let arguments = ["predict", "--weights", "w.safetensors", "--data", "sample:iris", "--out"];
    place.run(&[arguments.as_slice(), &["p.csv"]].concat()).done();
    let ran = place.run(&[arguments.as_slice(), &["/dev/stdout"]].concat()).done();
    assert_eq!(ran.stdout.as_bytes(), place.read("p.csv"));
}

#[test]
fn a_comparison_can_be_recomputed_with_numpy() {
    let Some(python) = python() else {
        let required = std::env::var_os("WEIGHTSMITH_REQUIRE_PYTHON").is_some();
        assert!(!required, "no Python with NumPy; name one in WEIGHTSMITH_PYTHON");
        println!("skipped: no Python with NumPy; name one in WEIGHTSMITH_PYTHON");
        return;
    };
    let place = workplace();
    let script = root().join("docs/recompute.py");
    let recompute = |folder: &str| {
        let output = Command::new(&python).arg(&script).arg(place.path(folder)).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let methods = "generated,refined,adam-tuned,lbfgs,evolution,linear-tuned,neighbours,forest,gp,boosting,average,\
                   untrained,noisy,shuffled";
    for (data, folder) in [("sample:iris", "a"), ("sample:penguin-mass", "b")] {
        let arguments = [
            "compare",
            "--data",
            data,
            "--support",
            "32",
            "--splits",
            "2",
            "--methods",
            methods,
            "--export",
            folder,
        ];
        place.run(&arguments).done();
        let (code, told) = recompute(folder);
        assert_eq!(code, Some(0), "{told}");
        // A figure that is a little off is found.
        let path = format!("{folder}/comparison.json");
        let mut figures: Value = serde_json::from_slice(&place.read(&path)).unwrap();
        let mean = figures.pointer_mut("/methods/3/metrics/0/estimate/mean").unwrap();
        *mean = Value::from(mean.as_f64().unwrap() + 2e-4);
        place.write(&path, serde_json::to_vec(&figures).unwrap());
        assert_eq!(recompute(folder).0, Some(1));
    }
}

#[test]
fn weights_from_pytorch_are_fine_tuned() {
    let place = workplace();
    place
        .run(&["generate", "--data", "sample:iris", "--views", "1", "--trees", "0", "--out", "w.safetensors"])
        .done();
    // As PyTorch writes them: the tensors, and no word about rows.
    let bare = weightsmith_tests::with_header(&place.read("w.safetensors"), |header| {
        header.as_object_mut().unwrap().remove("__metadata__");
    });
    place.write("bare.safetensors", bare);
    for file in ["w.safetensors", "bare.safetensors"] {
        let arguments = [
            "compare",
            "--data",
            "sample:iris",
            "--support",
            "60",
            "--splits",
            "2",
            "--methods",
            "adam,linear-tuned",
            "--from",
            file,
            "--json",
        ];
        let figures = place.run(&arguments).done().json();
        let method = &figures["methods"][2];
        assert_eq!(method["method"], "fine-tuned", "{method}");
        let start = &method["curve"][0];
        // These weights were made from all rows: they begin far above a coin, which a random start does not.
        assert!(start["n_steps"] == 0 && start["query_accuracy"].as_f64().unwrap() > 0.9, "{file}: {start}");
        let random = &figures["methods"][0]["curve"][0];
        assert!(random["query_accuracy"].as_f64().unwrap() < 0.8, "{random}");
    }
    let other = [
        "compare",
        "--data",
        "sample:penguins",
        "--support",
        "60",
        "--splits",
        "1",
        "--methods",
        "linear-tuned",
    ];
    let ran = place.run(&[other.as_slice(), &["--from", "bare.safetensors", "--json"]].concat());
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("have 4 inputs and 3 outputs"), "{}", ran.stdout);
}

#[test]
fn refining_is_told_and_never_silent() {
    let place = workplace();
    let refine = |data: &str, out: &str| {
        place.run(&["generate", "--data", data, "--refine", "--out", out, "--json"]).done().json()
    };
    // Nearly separable classes: the solver of the head stops early, so that steps pay.
    let taken = refine("sample:penguins", "taken.safetensors");
    assert!(taken["refine_steps"].as_u64().unwrap() > 0, "{taken}");
    let (gain, error) = (&taken["refine_gain"], &taken["refine_standard_error"]);
    assert!(gain.as_f64().unwrap() > error.as_f64().unwrap(), "{taken}");
    assert!(taken["metamodel"]["name"].as_str().unwrap().ends_with("-refined"), "{taken}");
    // Without being asked for, it is not done.
    let plain = ["generate", "--data", "sample:penguins", "--out", "plain.safetensors", "--json"];
    let plain = place.run(&plain).done().json();
    assert!(plain["refine_steps"].is_null(), "{plain}");
    assert_ne!(place.read("taken.safetensors"), place.read("plain.safetensors"));
    let rows: String =
        (0..12).map(|row| format!("{row},{}\n", if row == 0 { "rare" } else { "common" })).collect();
    place.write("rare.csv", format!("x,y\n{rows}"));
    let told = place
        .run(&["generate", "--data", "rare.csv", "--target", "y", "--refine", "--out", "r.safetensors"])
        .done();
    assert!(told.stdout.contains("not refined: too few rows"), "{}", told.stdout);
}
