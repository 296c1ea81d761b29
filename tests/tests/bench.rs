//! A bench that is killed and goes on ends in the same bytes as one that was left alone; its page and its JSON say the
//! same; files that make no bench are refused.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde_json::Value;
use std::fs;
use std::process::Stdio;
use std::time::Duration;
use weightsmith_tests::{Ran, Workplace, sample, tiny_experiment};

const PLAN: &str = "folder = \"runs\"
base = \"base/train.toml\"

[[run]]
name = \"adamw\"

[[run]]
name = \"muon\"
set.training.optimiser.rule = \"muon\"

[evaluation]
support = [16, 32]
splits = 2
views = 1
";

const BENCH: [&str; 4] = ["bench", "rules.toml", "--threads", "1"];
const RESUME: [&str; 5] = ["bench", "rules.toml", "--threads", "1", "--resume"];
const RUNS: [&str; 2] = ["adamw", "muon"];

fn workplace(plan: &str) -> Workplace {
    let place = Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"));
    fs::create_dir(place.path("base")).unwrap();
    place.write("base/train.toml", tiny_experiment("classification", 3, 30));
    place.write("rules.toml", plan);
    place
}

/// Lines of a run's curve; its checkpoint is written with every line but the first.
fn n_lines(place: &Workplace, run: &str) -> usize {
    fs::read_to_string(place.path(&format!("runs/{run}/metrics.csv"))).map_or(0, |text| text.lines().count())
}

/// What must be the same however often a bench was stopped.
fn bytes(place: &Workplace) -> Vec<Vec<u8>> {
    let files = ["metamodel.safetensors", "checkpoint.safetensors"];
    RUNS.iter().flat_map(|run| files.map(|file| place.read(&format!("runs/{run}/{file}")))).collect()
}

/// The validations of a run without their times.
fn losses(place: &Workplace, run: &str) -> Vec<[String; 4]> {
    let (header, rows) = place.read_csv(&format!("runs/{run}/metrics.csv"));
    let column = |name: &str| header.iter().position(|other| other == name).unwrap();
    let columns = ["step", "n_tasks", "valid_loss", "untrained_loss"].map(column);
    let validations = rows.iter().filter(|row| !row[columns[2]].is_empty());
    validations.map(|row| columns.map(|column| row[column].clone())).collect()
}

#[test]
fn killed_and_resumed_ends_in_the_same_bytes() {
    let left_alone = workplace(PLAN);
    left_alone.run(&BENCH).done();
    let place = workplace(PLAN);
    let mut arguments = BENCH.as_slice();
    for (run, until) in [("adamw", 5), ("adamw", 22), ("muon", 12)] {
        let mut child = place.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while n_lines(&place, run) < until {
            assert!(child.try_wait().unwrap().is_none(), "the bench ended before {run} had {until} lines");
            std::thread::sleep(Duration::from_millis(1));
        }
        // SIGKILL: nothing in the process can react.
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "the bench ended, which proves nothing");
        arguments = &RESUME;
    }
    let adamw = place.read("runs/adamw/metrics.csv");
    place.run(&BENCH).refused("runs are there", &["runs/adamw holds a training", "--resume"]);
    place.run(&RESUME).done();
    assert!(bytes(&place) == bytes(&left_alone), "another end than that of a bench left alone");
    assert!(place.read("runs/adamw/metrics.csv") == adamw, "a finished run was repeated");
    for run in RUNS {
        assert_eq!(losses(&place, run), losses(&left_alone, run));
        let (_, rows) = place.read_csv(&format!("runs/{run}/metrics.csv"));
        let figure =
            |column: usize| rows.iter().map(|row| row[column].parse().unwrap()).collect::<Vec<f64>>();
        for (column, what) in [(0, "steps"), (2, "seconds"), (3, "processor seconds")] {
            assert!(figure(column).is_sorted(), "{what} of {run} fall at a resume");
        }
    }
    let before = bytes(&place);
    place.run(&RESUME).done();
    assert!(bytes(&place) == before, "a finished bench changed");
}

#[cfg(unix)]
#[test]
fn interrupted_it_tells_how_far_it_is() {
    let place = workplace(PLAN);
    let mut command = place.command(&[&BENCH[..], &["--json"]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while n_lines(&place, "muon") < 8 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let ran = Ran::new(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let figures = ran.json();
    let state = |run: usize| figures["runs"][run]["state"].as_str().unwrap().to_string();
    assert_eq!([state(0), state(1)], ["finished", "stopped"]);
    assert_eq!(figures["finished"], false);
    let page = String::from_utf8(place.read("runs/report.html")).unwrap();
    assert!(page.contains("Only 1 of 2 runs are finished") && page.contains("<td>stopped</td>"));
    let told = place.run(&RESUME).done();
    assert!(told.stdout.contains("report: runs/report.html"), "{told:?}");
}

/// Every figure of the page, its pointer and its value.
fn figures_of_page(page: &str) -> Vec<(String, f64)> {
    let attribute = |tag: &str, name: &str| {
        let start = tag.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
        tag[start..].split('"').next().unwrap().to_string()
    };
    page.split("<data ")
        .skip(1)
        .map(|tag| (attribute(tag, "data-pointer"), attribute(tag, "value").parse().unwrap()))
        .collect()
}

#[test]
fn real_tables_are_scored_once_and_the_page_says_what_the_json_says() {
    let place = workplace(PLAN);
    fs::create_dir(place.path("suite")).unwrap();
    for (name, target) in [("iris", "species"), ("penguins", "species"), ("wine", "cultivar")] {
        place.write(&format!("suite/{name}.csv"), sample(name).replacen(target, "target", 1));
    }
    let arguments = [&BENCH[..], &["--suite", "suite", "--json"]].concat();
    let printed = place.run(&arguments).done().json();
    let page = String::from_utf8(place.read("runs/report.html")).unwrap();
    let json: Value = serde_json::from_slice(&place.read("runs/report.json")).unwrap();
    let figures = figures_of_page(&page);
    assert!(figures.len() > 50, "{} figures", figures.len());
    for (pointer, value) in figures {
        for source in [&json, &printed] {
            let found = source.pointer(&pointer).and_then(Value::as_f64).unwrap();
            // The reader of JSON may miss the last bit.
            assert!((found - value).abs() <= 1e-15 * value.abs(), "{pointer}: {found} and {value}");
        }
    }
    let scores = json["runs"][1]["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 6, "three metrics at two sizes: {scores:?}");
    for score in scores {
        assert_eq!(score["n_tables"], 3);
        let [low, high] = [0, 1].map(|end| score["interval"][end].as_f64().unwrap());
        let difference = score["minus_first"].as_f64().unwrap();
        assert!(low <= difference && difference <= high && low < high, "{score}");
    }

    // What is scored is not scored again; with other settings it is.
    let results = place.read("runs/muon/results.csv");
    place.run(&[&RESUME[..], &["--suite", "suite"]].concat()).done();
    assert!(place.read("runs/muon/results.csv") == results);
    place.write("rules.toml", PLAN.replace("splits = 2", "splits = 1"));
    place.run(&[&RESUME[..], &["--suite", "suite"]].concat()).done();
    let n_rows = |csv: &[u8]| csv.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(2 * (n_rows(&place.read("runs/muon/results.csv")) - 1), n_rows(&results) - 1);
}

#[test]
fn files_that_make_no_bench() {
    let check = |from: &str, to: &str, expected: &[&str]| {
        assert!(PLAN.contains(from), "{from}");
        let place = workplace(&PLAN.replace(from, to));
        place.run(&BENCH).refused(to, expected);
        assert_eq!(place.names(), ["base", "rules.toml"], "{to}");
    };
    check("name = \"muon\"", "name = \"adamw\"", &["rules.toml", "two runs are called \"adamw\""]);
    check("splits = 2", "splitz = 2", &["rules.toml", "splitz"]);
    check("base/train.toml", "base/no.toml", &["run \"adamw\"", "no.toml"]);
    check("optimiser.rule", "optimizer.rule", &["run \"muon\"", "optimizer"]);
    check("rule = \"muon\"", "rule = \"moon\"", &["run \"muon\"", "moon"]);
    check("rule = \"muon\"", "rule = \"adamw\"", &["\"adamw\" and \"muon\" are the same training"]);
    check("[[run]]", "[[run]", &["rules.toml"]);
    let place = workplace(PLAN);
    place.run(&["bench", "no.toml"]).refused("no file", &["no.toml"]);
    place.run(&["bench", "rules.toml", "--report", "no/r.html"]).refused("no folder", &["no"]);
    place.run(&["bench", "rules.toml", "--suite", "nowhere"]).refused("no suite", &["nowhere"]);
    place.run(&BENCH).done();
    place.write("rules.toml", PLAN.replace("rule = \"muon\"", "learning_rate = 1e-4"));
    place.run(&RESUME).refused("another training", &["run \"muon\"", "another configuration"]);
}

#[test]
fn a_run_that_diverges_is_marked_and_the_others_go_on() {
    let wild = "[[run]]
name = \"wild\"
set.training.optimiser = { learning_rate = 1000.0, weight_decay = 1000.0, warm_up = 0.0, average = 0.0 }

[[run]]
name = \"muon\"";
    let place = workplace(&PLAN.replace("[[run]]\nname = \"muon\"", wild));
    for arguments in [&BENCH[..], &RESUME] {
        let ran = place.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let figures = ran.json();
        let states = [0, 1, 2].map(|run| figures["runs"][run]["state"].as_str().unwrap().to_string());
        assert_eq!(states, ["finished", "diverged", "finished"]);
        assert_eq!(figures["finished"], true);
        assert!(figures["runs"][1]["step"].as_u64() < Some(30), "{figures}");
        let page = String::from_utf8(place.read("runs/report.html")).unwrap();
        assert!(page.contains("diverged") && !page.contains("NaN"));
    }
}

#[test]
fn a_metamodel_that_was_lost_is_written_again() {
    let place = workplace(PLAN);
    place.run(&BENCH).done();
    let before = bytes(&place);
    fs::remove_file(place.path("runs/adamw/metamodel.safetensors")).unwrap();
    place.write("runs/muon/metamodel.safetensors", "");
    place.run(&RESUME).done();
    assert!(bytes(&place) == before);
}
