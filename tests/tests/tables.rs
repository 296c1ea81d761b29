//! Tables as people have them, from outside: what is said of them, targets far from 0, standard input.

use std::fmt::Write as _;
use std::io::Write;
use std::process::Stdio;
use weightsmith_tests::{Ran, Workplace, sample};

fn workplace() -> Workplace {
    Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"))
}

/// Nearly normal numbers that are the same on every machine.
fn noise(row: usize, column: usize) -> f64 {
    let part =
        |k: usize| (((row * 7919 + column * 104_729 + k * 1299) * (k + 31)) % 10_007) as f64 / 10_007.0;
    (0..12).map(part).sum::<f64>() - 6.0
}

/// A number that four columns tell, with a standard deviation of about 1.
fn value(row: usize) -> f64 {
    let x = |column| noise(row, column);
    0.75 * (x(0) + 0.6 * x(1) * x(2).signum() - 0.4 * x(3)) + 0.1 * noise(row, 4)
}

fn rows(range: std::ops::Range<usize>, y: impl Fn(usize) -> String) -> String {
    let mut text = "a,b,c,d,y\n".to_string();
    for row in range {
        (0..4).for_each(|column| write!(text, "{},", noise(row, column)).expect("text takes every number"));
        writeln!(text, "{}", y(row)).expect("text takes every number");
    }
    text
}

#[test]
fn a_target_far_from_zero_is_told_as_well_in_every_precision() {
    let place = workplace();
    let error = |offset: f64, precision: &str| -> (f64, f64) {
        place.write("train.csv", rows(0..150, |row| (value(row) + offset).to_string()));
        place.write("new.csv", rows(150..400, |row| (value(row) + offset).to_string()));
        let generate =
            ["generate", "--data", "train.csv", "--target", "y", "--out", "w.safetensors", "--json"];
        let ran = place.run(&[generate.as_slice(), &["--precision", precision]].concat()).done();
        place.run(&["predict", "--weights", "w.safetensors", "--data", "new.csv", "--out", "p.csv"]).done();
        let (_, predicted) = place.read_csv("p.csv");
        let squares = (150..400).zip(&predicted).map(|(row, fields)| {
            let found: f64 = fields[0].parse().unwrap_or(f64::NAN);
            (found - (value(row) + offset)).powi(2)
        });
        let realised = (squares.sum::<f64>() / 250.0).sqrt();
        (realised, ran.json()["expected"]["value"].as_f64().unwrap_or(f64::NAN))
    };
    let (wanted, promised) = error(0.0, "f32");
    assert!(wanted < 0.7, "the table can be learned: {wanted}");
    for offset in [1e4, 1e8, 1e12] {
        for precision in ["f32", "f16", "bf16"] {
            let (found, expected) = error(offset, precision);
            // At 1e12 the text of the values is rounded to 1e-4, which may tip a decision about steps or shares.
            let most = if offset < 1e12 { 0.03 } else { 0.08 };
            assert!(found < (1.0 + most) * wanted, "{offset:e} {precision}: {found}, not {wanted}");
            assert!(
                (expected / promised - 1.0).abs() < most,
                "{offset:e} {precision}: {expected}, not {promised}"
            );
        }
    }
}

/// 200 rows with one cell that is no number, and rows of a column of dates.
fn untidy() -> String {
    let mut lines: Vec<String> =
        rows(0..200, |row| if value(row) > 0.0 { "yes".into() } else { "no".into() })
            .lines()
            .map(String::from)
            .collect();
    lines[7] = lines[7].split_once(',').map_or(String::new(), |(_, rest)| format!("4o.2,{rest}"));
    let day = |at: usize| if at == 0 { "day,".to_string() } else { format!("2024-01-{:02},", 1 + at % 28) };
    lines.iter().enumerate().map(|(at, line)| day(at) + line + "\n").collect()
}

const STRAY: &str = "column \"a\": 199 numbers and 1 text (\"4o.2\", line 8): the text counts as missing";

fn kinds(ran: &Ran) -> Vec<String> {
    let json = ran.json();
    let notes = json["notes"].as_array().cloned().unwrap_or_default();
    notes.iter().filter_map(|note| note["kind"].as_str().map(String::from)).collect()
}

#[test]
fn what_was_taken_for_what_is_said_where_tables_are_read() {
    let place = workplace();
    place.write("t.csv", untidy());
    let generate = ["generate", "--data", "t.csv", "--target", "y", "--out", "w.safetensors"];
    let ran = place.run(&generate).done();
    assert!(ran.stderr.contains(&format!("note: {STRAY}")), "{}", ran.stderr);
    assert!(ran.stderr.contains("note: column \"day\": dates or times"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("4o.2"), "results alone are on standard output: {}", ran.stdout);
    assert_eq!(
        kinds(&place.run(&[generate.as_slice(), &["--json"]].concat()).done()),
        ["stray-text", "dates"]
    );
    let predict = ["predict", "--weights", "w.safetensors", "--data", "t.csv", "--out", "p.csv"];
    assert!(place.run(&predict).done().stderr.contains(STRAY));
    let compare =
        ["compare", "--data", "t.csv", "--target", "y", "--methods", "linear-tuned", "--splits", "1"];
    let ran = place
        .run(&[compare.as_slice(), &["--json", "--report", "r.html", "--support", "32"]].concat())
        .done();
    assert_eq!(kinds(&ran), ["stray-text", "dates"]);
    let page = String::from_utf8_lossy(&place.read("r.html")).into_owned();
    assert!(
        page.contains("How the table was read") && page.contains("199 numbers and 1 text"),
        "no notes on the page"
    );
    let ran = place.run(&["plan", "--data", "t.csv", "--target", "y", "--json"]).done();
    assert_eq!(kinds(&ran), ["stray-text", "dates"]);
}

#[test]
fn weights_of_the_rows_they_are_scored_on_are_warned_of() {
    let place = workplace();
    place.run(&["generate", "--data", "sample:iris", "--out", "w.safetensors"]).done();
    let compare = |data: &str| {
        let options = ["--target", "species", "--from", "w.safetensors", "--support", "32", "--splits", "1"];
        let methods = ["--methods", "linear-tuned", "--json"];
        place.run(&[["compare", "--data", data].as_slice(), &options, &methods].concat()).done()
    };
    assert!(kinds(&compare("sample:iris")).contains(&"weights-of-these-rows".to_string()));
    let half: Vec<String> = sample("iris").lines().step_by(2).map(String::from).collect();
    place.write("half.csv", half.join("\n"));
    assert!(!kinds(&compare("half.csv")).contains(&"weights-of-these-rows".to_string()));
}

#[test]
fn standard_input_gives_the_bytes_of_the_file() {
    let place = workplace();
    place.write("t.csv", sample("wine"));
    place.run(&["generate", "--data", "t.csv", "--target", "cultivar", "--out", "file.safetensors"]).done();
    let mut command =
        place.command(&["generate", "--data", "-", "--target", "cultivar", "--out", "in.safetensors"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary can be started");
    let mut pipe = child.stdin.take().expect("standard input is a pipe");
    pipe.write_all(sample("wine").as_bytes()).expect("the binary reads");
    drop(pipe);
    Ran::new(child.wait_with_output().expect("the binary ends")).done();
    assert!(place.read("file.safetensors") == place.read("in.safetensors"), "other bytes of weights");
}
