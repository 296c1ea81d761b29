//! A training that is killed and resumed ends in the same bytes as one that was left alone, at any number of threads,
//! and a killed evaluation in the same scores.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use serde_json::Value;
use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;
use weightsmith_tests::{Ran, Workplace, header, tiny_experiment};

const N_STEPS: u64 = 40;
const CHECKPOINT: &str = "run/checkpoint.safetensors";
const METAMODEL: &str = "run/metamodel.safetensors";

fn experiment(task_type: &str, seed: u32) -> String {
    tiny_experiment(task_type, seed, N_STEPS)
}

fn workplace(experiment: &str) -> Workplace {
    let place = Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"));
    place.write("train.toml", experiment);
    place
}

const TRAIN: [&str; 5] = ["train", "--config", "train.toml", "--threads", "1"];
const RESUME: [&str; 6] = ["train", "--config", "train.toml", "--threads", "1", "--resume"];

/// Steps done, as the checkpoint says; 0 where there is none.
fn step(place: &Workplace) -> u64 {
    let Ok(bytes) = fs::read(place.path(CHECKPOINT)) else { return 0 };
    let (header, start) = header(&bytes);
    let at = |end: usize| start + header["training.counters"]["data_offsets"][end].as_u64().unwrap() as usize;
    let counters = bytes[at(0)..at(1)].as_chunks().0;
    // Four pieces of 16 bits, the lowest first.
    (0..4).map(|piece| (f32::from_le_bytes(counters[piece]) as u64) << (16 * piece)).sum()
}

fn start(place: &Workplace, arguments: &[&str]) -> Child {
    place.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Starts a training and waits until its checkpoint is at `until` or beyond.
fn start_until(place: &Workplace, arguments: &[&str], until: u64) -> Child {
    let mut child = start(place, arguments);
    while step(place) < until {
        assert!(child.try_wait().unwrap().is_none(), "the training ended before step {until}");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

/// The files that a training left alone ends in.
fn undisturbed(experiment: &str, threads: &str) -> [Vec<u8>; 2] {
    let place = workplace(experiment);
    place.run(&["train", "--config", "train.toml", "--threads", threads]).done();
    assert_eq!(step(&place), N_STEPS);
    [place.read(METAMODEL), place.read(CHECKPOINT)]
}

fn assert_same(place: &Workplace, expected: &[Vec<u8>; 2]) {
    assert_eq!(step(place), N_STEPS);
    assert!(place.read(METAMODEL) == expected[0], "the metamodel has other bytes");
    assert!(place.read(CHECKPOINT) == expected[1], "the checkpoint has other bytes");
}

#[test]
fn killed_and_resumed_ends_in_the_same_bytes() {
    for task_type in ["classification", "regression"] {
        let experiment = experiment(task_type, 3);
        let expected = undisturbed(&experiment, "1");
        let place = workplace(&experiment);
        for (arguments, until) in [(TRAIN.as_slice(), 3), (&RESUME, 12), (&RESUME, 21)] {
            let mut child = start_until(&place, arguments, until);
            // SIGKILL: nothing in the process can react.
            child.kill().unwrap();
            assert!(!child.wait().unwrap().success());
            let killed_at = step(&place);
            assert!(
                (until..N_STEPS).contains(&killed_at),
                "killed at step {killed_at}, too late to prove anything"
            );
        }
        place.run(&RESUME).done();
        assert_same(&place, &expected);
        // The training is one run, however often it was stopped.
        let listed = place.run(&["runs", "list", "--ledger", "run/runs.ledger", "--json"]).done().json();
        assert_eq!(listed["n_matching"], 1, "{listed}");
        let (run, uid) = (&listed["runs"][0], listed["runs"][0]["uid"].as_str().unwrap());
        assert_eq!((&run["level"], &run["role"]), (&0.into(), &"metamodel".into()));
        let shown = place.run(&["runs", "show", uid, "--ledger", "run/runs.ledger", "--json"]).done().json();
        assert_eq!(
            (&shown["metric"], &shown["recipe"]["seed"]),
            (&"acceptance_loss".into(), &3.0.into()),
            "{shown}"
        );
        assert_eq!(shown["n_steps"], N_STEPS);
        assert!(shown["value"].is_number() && !shown["curve"].as_array().unwrap().is_empty(), "{shown}");
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    for task_type in ["classification", "regression"] {
        let experiment = experiment(task_type, 4);
        assert!(undisturbed(&experiment, "1") == undisturbed(&experiment, "2"), "{task_type}");
    }
    // A comparison that cannot tell trainings apart would prove nothing.
    let [other, _] = undisturbed(&experiment("classification", 5), "1");
    assert!(undisturbed(&experiment("classification", 4), "1")[0] != other);
}

#[cfg(unix)]
#[test]
fn interrupted_and_resumed_with_more_threads() {
    let experiment = experiment("classification", 6);
    let expected = undisturbed(&experiment, "1");
    let place = workplace(&experiment);
    let mut command = place.command(&TRAIN);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while step(&place) < 5 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let ran = Ran::new(child.wait_with_output().unwrap());
    // A training that was stopped is whole and says how to go on.
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("--resume") && !ran.stderr.contains("panicked"), "{ran:?}");
    assert!((5..N_STEPS).contains(&step(&place)));
    place.run(&["train", "--config", "train.toml", "--threads", "2", "--resume"]).done();
    assert_same(&place, &expected);
}

/// A start that is quickly learned, with a checkpoint after every outer step.
const START: &str = "folder = \"run\"
checkpoint_seconds = 0

[start]
seed = 7
n_iterations = 1500
tasks_per_iteration = 4
validate_every = 500
n_valid = 20
hidden = [16, 16]

[start.family.sinusoids]
n_support = 5
n_query = 5

[start.inner]
algorithm = \"maml\"
n_steps = 1
rate = 0.01
";

#[test]
fn a_killed_training_of_a_start_ends_in_the_same_bytes() {
    let whole = workplace(START);
    whole.run(&TRAIN).done();
    let place = workplace(START);
    let mut child = start(&place, &TRAIN);
    while !place.path(CHECKPOINT).exists() {
        assert!(child.try_wait().unwrap().is_none(), "the training ended before it wrote anything");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "killed too late to prove anything");
    let before = place.read(CHECKPOINT);
    place.run(&["train", "--config", "train.toml", "--threads", "2", "--resume"]).done();
    for name in [CHECKPOINT, "run/start.safetensors"] {
        assert!(place.read(name) == whole.read(name), "{name} has other bytes");
    }
    assert!(place.read(CHECKPOINT) != before);
    let ran = place.run(&["runs", "list", "--ledger", "run/runs.ledger", "--json"]).done();
    assert!(ran.stdout.contains("starts on sinusoids"), "{ran:?}");
}

/// The rows of a file of results without their seconds, which differ from run to run.
fn scores(place: &Workplace, name: &str) -> Vec<String> {
    let text = String::from_utf8(place.read(name)).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let is_score = |(idx, _): &(usize, &str)| !header[*idx].ends_with("seconds");
    let line = |line: &str| {
        let cells: Vec<&str> = line.split(',').enumerate().filter(is_score).map(|(_, cell)| cell).collect();
        cells.join(",")
    };
    text.lines().map(line).collect()
}

#[test]
fn a_killed_evaluation_goes_on_where_it_stopped() {
    let place = Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"));
    fs::create_dir(place.path("suite")).unwrap();
    let row = |i: usize| {
        format!("{},{},{}\n", i * 37 % 101, i * 53 % 97, if i.is_multiple_of(3) { "a" } else { "b" })
    };
    place.write("suite/t.csv", format!("p,q,target\n{}", (0..90).map(row).collect::<String>()));
    let evaluate = |out: &'static str| {
        "evaluate --suite suite --support 32 --splits 60 --methods generated --threads 1 --out"
            .split(' ')
            .chain([out])
            .collect::<Vec<_>>()
    };
    place.run(&evaluate("whole.csv")).done();
    let mut child = start(&place, &evaluate("killed.csv"));
    while !place.path("killed.csv").exists() {
        assert!(child.try_wait().unwrap().is_none(), "the evaluation ended before it wrote anything");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let before = place.read("killed.csv");
    let n_before = scores(&place, "killed.csv").len() - 1;
    assert!((1..60).contains(&n_before), "killed after {n_before} splits, too late to prove anything");
    let other = [evaluate("killed.csv"), vec!["--resume", "--views", "2"]].concat();
    place.run(&other).refused("results of other views", &["x8", "x2", "another file"]);
    place.run(&[evaluate("killed.csv"), vec!["--resume"]].concat()).done();
    assert_eq!(scores(&place, "killed.csv"), scores(&place, "whole.csv"));
    let kept = String::from_utf8(before).unwrap();
    let text = String::from_utf8(place.read("killed.csv")).unwrap();
    assert!(kept.lines().all(|line| text.contains(line)), "rows that were there are not made again");
}

#[test]
fn nothing_is_overwritten_or_mixed_up() {
    let good = experiment("classification", 7);
    let place = workplace(&good);
    place.run(&RESUME).refused("nothing to resume", &["run", "no checkpoint"]);
    place.run(&TRAIN).done();
    let checkpoint = place.read(CHECKPOINT);
    place.run(&TRAIN).refused("a training is there", &["run", "--resume"]);
    place.write("train.toml", good.replace("seed = 7", "seed = 8"));
    place.run(&RESUME).refused("another seed", &["another configuration"]);
    place.write("train.toml", &good);
    assert!(place.read(CHECKPOINT) == checkpoint, "a refused training changed the checkpoint");
    place.run(&RESUME).done();
    assert!(place.read(CHECKPOINT) == checkpoint, "resuming a finished training changed it");
    place.write(CHECKPOINT, &checkpoint[..checkpoint.len() / 2]);
    place.run(&RESUME).refused("a truncated checkpoint", &["checkpoint.safetensors"]);
    place.write(CHECKPOINT, place.read(METAMODEL));
    place.run(&RESUME).refused("a metamodel as checkpoint", &["configuration"]);
}

#[test]
fn configurations_that_make_no_training() {
    let good = experiment("classification", 9);
    let check = |from: &str, to: &str, expected: &[&str]| {
        assert!(good.contains(from), "{from}");
        let place = workplace(&good.replace(from, to));
        place.run(&TRAIN).refused(to, expected);
        assert_eq!(place.names(), ["train.toml"], "{to}");
    };
    check("seed = 9", "sead = 9", &["train.toml", "sead"]);
    check("n_steps = 40", "n_steps = 0", &["n_steps"]);
    check("n_steps = 40", "n_steps = \"many\"", &["train.toml"]);
    check("d_model = 16", "d_model = 15", &["n_heads", "d_model"]);
    check("support = [16, 32]", "support = [32, 16]", &["shapes.support"]);
    check("support = [16, 32]", "support = [16, 100000000000]", &["shapes.support", "10,000"]);
    check("n_valid = 10", "n_valid = 1000000000", &["n_valid", "100,000"]);
    check("checkpoint_seconds = 0", "checkpoint_seconds = 86401", &["checkpoint_seconds", "86,400"]);
    check("task_type = \"classification\"", "task_type = \"clustering\"", &["clustering"]);
    check("[training.shapes]", "[training.shapes", &["train.toml"]);
    let place = workplace(&good);
    place.run(&["train", "--config", "no.toml"]).refused("no file", &["no.toml"]);
    place.run(&["train", "--config", "train.toml", "--device", "cuda:0"]).refused("no GPU", &["CUDA"]);
}

#[test]
fn a_training_that_diverges_ends_early_with_exit_code_1() {
    let wild = "[training.optimiser]
learning_rate = 1000.0
weight_decay = 1000.0
warm_up = 0.0
average = 0.0
";
    let place = workplace(&format!("{}\n{wild}", experiment("classification", 8)));
    for arguments in [&TRAIN[..], &RESUME] {
        let ran = place.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let told = ran.json();
        assert_eq!((&told["state"], &told["finished"]), (&"diverged".into(), &false.into()));
        assert!(told["step"].as_u64() < Some(N_STEPS), "{told}");
    }
    let ran = place.run(&RESUME);
    assert!(ran.code == Some(1) && ran.stdout.starts_with("diverged"), "{ran:?}");
    // It is a run of the ledger, without an outcome.
    let listed = place.run(&["runs", "list", "--ledger", "run/runs.ledger", "--json"]).done().json();
    assert_eq!(
        (listed["n_matching"].as_u64(), &listed["runs"][0]["value"]),
        (Some(1), &Value::Null),
        "{listed}"
    );
}
