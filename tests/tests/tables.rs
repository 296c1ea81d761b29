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

/// A column of dates whose weekday is the target, and another way to write the same dates.
fn dated(range: std::ops::Range<usize>, write: impl Fn(usize, usize, usize) -> String) -> String {
    let mut text = "sold,noise,y\n".to_string();
    for row in range {
        // The year 2023 began on a Sunday.
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (mut day, mut month) = (row, 0);
        while day >= lengths[month] {
            day -= lengths[month];
            month += 1;
        }
        let y = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0][row % 7];
        writeln!(text, "{},{},{y}", write(2023, month + 1, day + 1), noise(row, 0)).expect("text takes it");
    }
    text
}

#[test]
fn a_date_is_its_weekday_too_in_whatever_order_it_is_written() {
    let place = workplace();
    type Write = fn(usize, usize, usize) -> String;
    let orders: [(&str, Write); 3] = [
        ("", |year, month, day| format!("{year}-{month:02}-{day:02}")),
        ("day first", |year, month, day| format!("{day}.{month}.{year}")),
        ("month first", |year, month, day| format!("{month}/{day}/{year}")),
    ];
    for (order, write) in orders {
        place.write("train.csv", dated(0..128, write));
        // Few rows, in which days and months could be taken for each other.
        place.write("new.csv", dated(212..219, write));
        let generate = ["generate", "--data", "train.csv", "--target", "y", "--out", "w.safetensors"];
        let ran = place.run(&generate).done();
        assert!(ran.stderr.contains("dates or times") && ran.stderr.contains(order), "{}", ran.stderr);
        place.run(&["predict", "--weights", "w.safetensors", "--data", "new.csv", "--out", "p.csv"]).done();
        let (_, predicted) = place.read_csv("p.csv");
        let found: Vec<f64> = predicted.iter().map(|fields| fields[0].parse().unwrap_or(f64::NAN)).collect();
        let wanted: Vec<f64> = (212..219).map(|row| [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0][row % 7]).collect();
        let mean = wanted.iter().sum::<f64>() / 7.0;
        let squares = |of: &dyn Fn(usize) -> f64| (0..7).map(|row| of(row).powi(2)).sum::<f64>();
        let r2 = 1.0 - squares(&|row| found[row] - wanted[row]) / squares(&|row| wanted[row] - mean);
        assert!(r2 > 0.9, "{order}: R² {r2}");
    }
}

#[test]
fn networks_are_exported_and_the_program_describes_itself() {
    let place = workplace();
    place.run(&["generate", "--data", "sample:penguins", "--out", "w.safetensors"]).done();
    let export = ["export", "--weights", "w.safetensors", "--onnx", "m.onnx", "--json"];
    let ran = place.run(&export).done();
    assert_eq!(ran.json()["task"], "classification");
    let bytes = place.read("m.onnx");
    assert_eq!(ran.json()["n_bytes"], bytes.len());
    assert!(bytes.windows(13).any(|part| part == b"probabilities"));
    // Its own file may be replaced, the weights may not.
    place.run(&export).done();
    let over = place.run(&["export", "--weights", "w.safetensors", "--onnx", "w.safetensors"]);
    assert!(over.stderr.contains("what is read"), "{}", over.stderr);
    for shell in ["bash", "zsh", "fish"] {
        let ran = place.run(&["completions", shell]).done();
        assert!(ran.stdout.contains("--support"), "{shell}");
    }
    place.run(&["man", "--out", "man"]).done();
    let page = String::from_utf8(place.read("man/weightsmith-generate.1")).expect("text");
    assert!(page.contains("\\-\\-target"), "{page}");
}
