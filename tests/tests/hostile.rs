//! Bad input from outside: a clear error with exit code 2 and nothing lost, or the documented handling; never a panic,
//! never half a file.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde_json::json;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use weightsmith_tests::{Workplace, header, sample, with_header};

const GOOD: &str = "x,c,y\n1,a,no\n2,b,yes\n3,a,no\n4,b,yes\n5,a,no\n6,b,yes\n";
const GENERATE: [&str; 7] = ["generate", "--data", "t.csv", "--target", "y", "--out", "o.safetensors"];
const PREDICT: [&str; 7] = ["predict", "--weights", "w.safetensors", "--data", "t.csv", "--out", "o.csv"];
const COMPARE: [&str; 9] = [
    "compare",
    "--data",
    "t.csv",
    "--target",
    "y",
    "--methods",
    "generated,untrained",
    "--out",
    "o.safetensors",
];
const OLD: &[u8] = b"what was there before";

fn workplace() -> Workplace {
    Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"))
}

/// A folder with `t.csv`, and weights made from [`GOOD`] in `w.safetensors`.
fn with_table(content: impl AsRef<[u8]>) -> Workplace {
    let place = workplace();
    place.write("t.csv", GOOD);
    let arguments = ["generate", "--data", "t.csv", "--target", "y", "--out", "w.safetensors"];
    place.run(&arguments).done();
    place.write("t.csv", content);
    place
}

/// What a run is to write.
fn output<'a>(arguments: &[&'a str]) -> &'a str {
    let at = arguments.iter().position(|argument| *argument == "--out").unwrap();
    arguments[at + 1]
}

/// The run is refused for the reasons given, and its output is not there, or still what it was; no other file appears.
fn check_refused(place: &Workplace, arguments: &[&str], expected: &[&str]) {
    let out = output(arguments);
    if out == "." || out.contains('/') {
        return place.run(arguments).refused(out, expected);
    }
    let _ = fs::remove_file(place.path(out));
    let before = place.names();
    let what = arguments.join(" ");
    place.run(arguments).refused(&what, expected);
    assert_eq!(place.names(), before, "{what}");
    place.write(out, OLD);
    place.run(arguments).refused(&what, expected);
    assert_eq!(place.read(out), OLD, "{what}: the old file is gone");
    fs::remove_file(place.path(out)).unwrap();
    assert_eq!(place.names(), before, "{what}");
}

/// A table that neither `generate` nor `compare` can learn from.
fn check_table(content: impl AsRef<[u8]>, expected: &[&str]) {
    let place = workplace();
    place.write("t.csv", content);
    check_refused(&place, &GENERATE, expected);
    check_refused(&place, &COMPARE, expected);
}

/// A table that weights are generated from and then predict every row of.
fn check_handled(what: &str, content: impl AsRef<[u8]>, more: &[&str]) -> (Vec<String>, Vec<Vec<String>>) {
    let place = workplace();
    place.write("t.csv", content);
    place.run(&[GENERATE.as_slice(), more].concat()).done();
    let arguments = ["predict", "--weights", "o.safetensors", "--data", "t.csv", "--out", "p.csv"];
    place.run(&arguments).done();
    let (header, rows) = place.read_csv("p.csv");
    let first = usize::from(header[1] != "std");
    for row in &rows {
        let numbers: Vec<f64> = row[first..].iter().map(|field| field.parse().unwrap()).collect();
        assert!(numbers.iter().all(|number| number.is_finite()), "{what}: {row:?}");
    }
    (header, rows)
}

/// `n_rows` rows with one number and `label(row)`.
fn labelled<T: std::fmt::Display>(n_rows: usize, label: impl Fn(usize) -> T) -> String {
    let mut text = "x,y\n".to_string();
    (0..n_rows).for_each(|row| writeln!(text, "{},{}", row * 7 % 13, label(row)).unwrap());
    text
}

#[test]
fn files_that_are_no_table() {
    check_table("", &["t.csv", "empty"]);
    check_table("\n\n", &["t.csv", "empty"]);
    check_table("x,c,y\n", &["t.csv", "no rows"]);
    check_table("x,y\n1,a\n2,b,c\n3,a\n", &["t.csv, line 3", "3 fields", "2"]);
    check_table("x,y\n1,a\n2\n", &["t.csv, line 3", "1 field"]);
    check_table(b"x,y\n1,a\n2,\xff\n", &["t.csv, line 3", "UTF-8"]);
    check_table(b"x,y\n1,a\0\n", &["t.csv, line 2", "NUL"]);
    check_table("x,y\n1,\"a\n2,b\n", &["t.csv, line 2", "quote"]);
    check_table("x,x,y\n1,2,a\n3,4,b\n", &["t.csv", "\"x\"", "1", "2"]);
    check_table(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", &["t.csv"]);
    let wide = |n: usize| {
        let names: Vec<String> = (0..n).map(|column| format!("x{column}")).collect();
        let row = vec!["1"; n].join(",");
        format!("{},y\n{row},a\n{row},b\n{row},a\n{row},b\n", names.join(","))
    };
    check_table(wide(100_000), &["t.csv", "20000 columns"]);
}

#[test]
fn targets_that_nothing_can_be_learnt_from() {
    check_table("x,z\n1,a\n2,b\n", &["t.csv", "\"y\"", "\"z\""]);
    check_table("y\na\nb\n", &["t.csv", "nothing to predict from"]);
    check_table(labelled(12, |_| "same"), &["t.csv", "\"same\"", "two classes"]);
    check_table(labelled(12, |_| 2.5), &["t.csv", "2.5", "every row"]);
    check_table("x,y\n1,a\n2,\n3,b\n4,\n", &["t.csv, line 3", "\"y\"", "2 such rows"]);
    check_table("x,y\n1,1.5\n2,inf\n3,2.5\n4,7.5\n", &["t.csv, line 3", "\"inf\""]);
    check_table("x,y\n1,a\n2,b\n3,a\n", &["3", "needed"]);
    let place = workplace();
    // A comparison reads a part of the rows, which has fewer classes.
    place.write("t.csv", labelled(101 * 3, |row| format!("class {}", row % 101)));
    check_refused(&place, &GENERATE, &["101 classes", "at most 100"]);
    place.write("t.csv", GOOD);
    let regression = [GENERATE.as_slice(), &["--task", "regression"]].concat();
    check_refused(&place, &regression, &["t.csv, line 2", "\"no\"", "not a number"]);
    check_refused(&place, &["generate", "--data", "t.csv", "--out", "o.safetensors"], &["t.csv", "--target"]);
}

#[test]
fn columns_that_hold_something_else() {
    check_table("x,y\n1,a\n-Inf,b\n3,a\n4,b\n", &["t.csv, line 3", "\"-Inf\"", "\"x\"", "infinite"]);
    check_table("x,y\n1,a\n1e999,b\n3,a\n4,b\n", &["t.csv, line 3", "\"1e999\"", "infinite"]);
}

#[test]
fn arguments_that_name_nothing() {
    let place = with_table(GOOD);
    let check = |arguments: &[&str], expected: &[&str]| check_refused(&place, arguments, expected);
    let with = |base: &[&'static str], from: &str, to: &'static str| -> Vec<&'static str> {
        assert!(base.contains(&from), "{from}");
        base.iter().map(|argument| if *argument == from { to } else { argument }).collect()
    };
    for base in [GENERATE.as_slice(), &PREDICT, &COMPARE] {
        check(&with(base, "t.csv", "no.csv"), &["no.csv"]);
        check(&with(base, "t.csv", "."), &["cannot read"]);
        check(&with(base, "t.csv", "sample:irises"), &["irises", "iris"]);
        check(&with(base, output(base), "no/out"), &["no/out", "does not exist"]);
        check(&with(base, output(base), "."), &["folder"]);
    }
    for base in [GENERATE.as_slice(), &COMPARE] {
        check(&[base, &["--device", "gpu"]].concat(), &["\"gpu\"", "cpu"]);
        check(&[base, &["--device", "cuda:0"]].concat(), &["CUDA", "--device cpu"]);
        check(&[base, &["--metamodel", "nobody"]].concat(), &["nobody", "classification-3"]);
        check(&[base, &["--metamodel", "t.csv"]].concat(), &["t.csv", "safetensors"]);
        check(&[base, &["--metamodel", "w.safetensors"]].concat(), &["w.safetensors", "not a metamodel"]);
    }
    check(
        &[GENERATE.as_slice(), &["--metamodel", "regression-3"]].concat(),
        &["regression", "classification"],
    );
    check(&with(&PREDICT, "w.safetensors", "no.safetensors"), &["no.safetensors"]);
    check(&with(&PREDICT, "w.safetensors", "t.csv"), &["t.csv", "safetensors"]);
    let report = |path: &'static str| [COMPARE.as_slice(), &["--report", path]].concat();
    check(&report("report.pdf"), &["report.pdf", ".html"]);
    check(&report("no/report.html"), &["no/report.html", "does not exist"]);
}

#[test]
fn a_full_disk() {
    if !Path::new("/dev/full").exists() {
        println!("skipped: this system has no /dev/full");
        return;
    }
    let place = with_table(GOOD);
    let before = place.names();
    for base in [GENERATE.as_slice(), &PREDICT] {
        let arguments: Vec<&str> =
            base.iter().map(|a| if *a == output(base) { "/dev/full" } else { a }).collect();
        place.run(&arguments).refused("full disk", &["/dev/full", "No space left"]);
    }
    // Standard output can be full as well.
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [["inspect", "w.safetensors"].as_slice(), &["samples"]] {
        let output = place.command(arguments).stdout(full()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.starts_with("error: "), "{told}");
        assert!(!told.contains("panicked"));
    }
    assert_eq!(place.names(), before);
}

#[cfg(unix)]
#[test]
fn a_file_size_limit_leaves_the_old_file() {
    // The closest to a disk that fills up while the file is written: no file may grow beyond 512 bytes.
    let place = with_table(GOOD);
    place.write("o.safetensors", OLD);
    let limited = |arguments: &[&str]| {
        let command = place.command(arguments);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"]).arg(command.get_program());
        shell.args(command.get_args()).current_dir(place.path(""));
        weightsmith_tests::Ran::new(shell.output().unwrap())
    };
    let before = place.names();
    limited(&GENERATE).refused("a file too large", &["cannot write o.safetensors"]);
    assert_eq!((place.read("o.safetensors").as_slice(), place.names()), (OLD, before));
}

#[test]
fn weights_that_are_damaged() {
    let place = with_table(GOOD);
    let good = place.read("w.safetensors");
    let check = |bytes: &[u8], expected: &[&str]| {
        place.write("w.safetensors", bytes);
        check_refused(&place, &PREDICT, &[&["w.safetensors"], expected].concat());
        let ran = place.run(&["inspect", "w.safetensors"]);
        // A file of another level can be inspected, nothing else.
        if !expected.contains(&"level 1") {
            ran.refused("inspect", &["w.safetensors"]);
        }
    };
    check(b"", &["truncated"]);
    check(&good[..7], &["truncated"]);
    check(&good[..good.len() / 2], &["truncated"]);
    check(&good[..good.len() - 1], &["truncated"]);
    check(&[good.as_slice(), b"x"].concat(), &["bytes too many"]);
    let mut huge = good.clone();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    check(&huge, &["header claims"]);
    let metadata = |key: &'static str, value: &str| {
        with_header(&good, |header| header["__metadata__"][key] = json!(value))
    };
    check(&metadata("level", "1"), &["level 1", "level 0"]);
    check(&metadata("format", "pt"), &["not of a weightsmith base model", "pt"]);
    check(&metadata("format_version", "99"), &["99"]);
    check(&metadata("class_names", "[\"a\",\"b\",\"c\"]"), &["3 class names"]);
    check(&metadata("encoding", "{}"), &["encoding"]);
    check(&with_header(&good, |header| header["__metadata__"] = json!(null)), &[]);
    let (_, start) = header(&good);
    let mut infinite = good.clone();
    infinite[start..start + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    check(&infinite, &["not finite"]);
    // The shipped metamodel is a safetensors file too.
    let metamodel = weightsmith_tests::root().join("models/classification-3/metamodel.safetensors");
    check(&fs::read(metamodel).unwrap(), &["not of a weightsmith base model"]);
}

#[test]
fn rows_that_do_not_fit_the_weights() {
    let check = |content: &str, expected: &[&str]| check_refused(&with_table(content), &PREDICT, expected);
    check("x\n1\n", &["t.csv", "\"c\""]);
    check("x,c\n1,a\ntwo,b\n", &["t.csv, line 3", "\"two\"", "\"x\""]);
    check("x,c\n1,a\ninf,b\n", &["t.csv, line 3", "\"inf\"", "infinite"]);
    check("x,c\n1,a\n2\n", &["t.csv, line 3", "1 field"]);
    check("x,c,x\n1,a,2\n", &["t.csv", "\"x\""]);
    check("x,c\n", &["t.csv", "no rows"]);
    check("", &["t.csv", "empty"]);
}

#[test]
fn rows_that_are_unlike_the_support() {
    let predict = |content: &str| {
        let place = with_table(content);
        place.run(&PREDICT).done();
        place.read_csv("o.csv")
    };
    let plain = predict("x,c\n1,a\n2,b\n");
    // Other columns, another order, the target, a byte-order mark, CRLF, empty lines: all the same.
    assert_eq!(predict("c,more,y,x\na,?,no,1\nb,?,?,2\n"), plain);
    assert_eq!(predict("\u{feff}x,c\r\n\r\n1,a\r\n2,b\r\n"), plain);
    // A level that was never seen, missing cells, numbers far outside.
    let (_, rows) = predict("x,c\n3,never seen\n,\nNA,a\n1e300,b\n-1e300,b\n3,a\n");
    assert_eq!(rows.len(), 6);
    for row in rows {
        let probabilities: f64 = row[1..].iter().map(|field| field.parse::<f64>().unwrap()).sum();
        assert!((probabilities - 1.0).abs() < 1e-5, "{row:?}");
    }
}

#[test]
fn tables_that_are_odd_but_fine() {
    let columns = |content: &str| check_handled(content, content, &[]).1.len();
    assert_eq!(columns("x,k,m,y\n1,5,,a\n2,5,,b\n3,5,,a\n4,5,,b\n5,5,,a\n"), 5);
    assert_eq!(columns("k,y\n5,a\n5,b\n5,a\n5,b\n"), 4);
    assert_eq!(columns("m,y\n,a\n,b\n,a\n,b\n"), 4);
    assert_eq!(columns(",y\n1,a\n2,b\n3,a\n4,b\n"), 4);
    let (header, rows) =
        check_handled("a numeric target", labelled(30, |row| row * 3 % 17), &["--task", "regression"]);
    assert_eq!((header.join(","), rows.len()), ("prediction,std".to_string(), 30));
    let (header, _) = check_handled("two numbers", labelled(30, |row| row % 2), &[]);
    assert_eq!(header, ["prediction", "probability_0", "probability_1"]);
    // A class with one row.
    let (header, _) =
        check_handled("rare", labelled(30, |row| if row == 4 { "rare" } else { ["a", "b"][row % 2] }), &[]);
    assert_eq!(header.len(), 4);
    let rows = check_handled("huge", labelled(40, |row| format!("{}", (row * 3 % 17) as f64 * 1e30)), &[]).1;
    assert_eq!(rows.len(), 40);
}

#[test]
fn many_classes_and_columns() {
    let (header, rows) =
        check_handled("20 classes", labelled(200, |row| format!("class {}", row * 3 % 20)), &[]);
    assert_eq!((header.len(), rows.len()), (21, 200));
    let mut wide = (0..5000).map(|column| format!("x{column}")).collect::<Vec<_>>().join(",") + ",y\n";
    for row in 0..12 {
        let fields: Vec<String> = (0..5000).map(|column| (row * column % 7).to_string()).collect();
        writeln!(wide, "{},{}", fields.join(","), ["a", "b"][row % 2]).unwrap();
    }
    assert_eq!(check_handled("5000 columns", wide, &[]).1.len(), 12);
}

#[test]
fn class_names_come_back_as_they_were() {
    let names = ["a,b", "say \"yes\"", "🦀 crab", " padded ", "line\nbreak", "=1+1", "é", "prediction"];
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let content = labelled(64, |row| quoted(names[row % names.len()]));
    let (header, rows) = check_handled("names", content, &[]);
    assert_eq!(header[0], "prediction");
    let mut found: Vec<&str> =
        header[1..].iter().map(|name| name.strip_prefix("probability_").unwrap()).collect();
    found.sort_unstable();
    let mut expected = names;
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(rows.iter().all(|row| names.contains(&row[0].as_str())));
}

#[test]
fn numbers_of_any_size_in_half_precision() {
    let place = workplace();
    for scale in [1e-30, 1e9, 1e30] {
        place.write("t.csv", labelled(40, |row| format!("{:e}", (row * 7 % 13) as f64 * scale)));
        for precision in ["f16", "bf16"] {
            place.run(&[GENERATE.as_slice(), &["--precision", precision]].concat()).done();
            place.run(&["predict", "--weights", "o.safetensors", "--data", "t.csv", "--out", "p.csv"]).done();
            let (_, rows) = place.read_csv("p.csv");
            for (row, fields) in rows.iter().enumerate() {
                let (found, wanted) = (fields[0].parse::<f64>().unwrap(), (row * 7 % 13) as f64 * scale);
                assert!((found - wanted).abs() < scale, "{scale:e} {precision}: {found:e}, not {wanted:e}");
            }
        }
    }
}

#[test]
fn comparisons_that_cannot_be_made() {
    let place = workplace();
    place.write("t.csv", labelled(30, |row| ["a", "b"][row % 2]));
    check_refused(
        &place,
        &[COMPARE.as_slice(), &["--support", "3"]].concat(),
        &["3 support rows", "at least 4"],
    );
    place.write("t.csv", GOOD);
    place.write("u.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n");
    let small = ["compare", "--data", "u.csv", "--target", "y", "--out", "o.safetensors"];
    check_refused(&place, &small, &["4 rows", "needed"]);
    // One row of another class among 30: support rows of one class in most splits.
    place.write("t.csv", labelled(30, |row| if row == 7 { "b" } else { "a" }));
    let arguments = [COMPARE.as_slice(), &["--support", "4", "--splits", "1"]].concat();
    let ran = place.run(&arguments);
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    if ran.code != Some(0) {
        ran.refused("one class", &["one class"]);
    }
    place.write("iris.csv", sample("iris"));
    let more =
        ["compare", "--data", "iris.csv", "--target", "species", "--splits", "1", "--methods", "generated"];
    let compared = place.run(&[more.as_slice(), &["--support", "100000", "--json"]].concat()).done().json();
    // More than there is: 70 % of 150 rows.
    assert_eq!(compared["n_support"], 105);
}
