//! Collecting runs from outside: what is recorded, stopped and gone on with.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::Duration;
use weightsmith_tests::{Workplace, sample};

const COLLECT: &str = "plan collect --synthetic 6 --recipes 3 --support 16,24 --steps 48 --json --ledger";

fn workplace() -> Workplace {
    Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"))
}

fn collect(ledger: &'static str) -> Vec<&'static str> {
    COLLECT.split(' ').chain([ledger]).collect()
}

/// Each run's outcome and last long loss by its name: what it cost is left out.
fn outcomes(place: &Workplace, ledger: &str) -> BTreeMap<String, (String, String)> {
    place.run(&["runs", "export", "--ledger", ledger, "--out", "runs.csv"]).done();
    let (header, rows) = place.read_csv("runs.csv");
    let column =
        |name: &str| header.iter().position(|own| own == name).unwrap_or_else(|| panic!("no {name}"));
    let (uid, value, steps) = (column("uid"), column("value"), column("n_steps"));
    rows.iter().map(|row| (row[uid].clone(), (row[value].clone(), row[steps].clone()))).collect()
}

#[test]
fn runs_are_collected_once_and_are_the_same_at_any_number_of_threads() {
    let place = workplace();
    let told = place.run(&[collect("a.ledger"), vec!["--threads", "2"]].concat()).done().json();
    assert_eq!(
        (&told["n_new"], &told["n_failed"], &told["n_left"]),
        (&36.into(), &0.into(), &0.into()),
        "{told}"
    );
    let again = place.run(&collect("a.ledger")).done().json();
    assert_eq!((&again["n_new"], &again["n_there"]), (&0.into(), &36.into()), "{again}");
    place.run(&[collect("b.ledger"), vec!["--threads", "1"]].concat()).done();
    let runs = outcomes(&place, "a.ledger");
    assert_eq!(runs.len(), 36);
    assert!(runs == outcomes(&place, "b.ledger"), "one thread gives other runs than two");
    // Recipes differ, so that outcomes do; some trainings diverge, which is an outcome without a value.
    let values: Vec<f64> = runs.values().filter_map(|(value, _)| value.parse().ok()).collect();
    let distinct: std::collections::BTreeSet<String> = values.iter().map(ToString::to_string).collect();
    assert!(values.len() > 24 && distinct.len() > 24, "{runs:?}");
    assert!(runs.values().all(|(_, steps)| steps.parse::<u64>().unwrap() <= 48), "{runs:?}");
}

#[test]
fn a_killed_collection_goes_on_where_it_stopped() {
    let place = workplace();
    let more = |ledger: &'static str| {
        let longer = COLLECT.replace("--steps 48", "--steps 400 --threads 1");
        longer.split(' ').chain([ledger]).map(str::to_string).collect::<Vec<_>>()
    };
    let mut child =
        place.command(&more("killed.ledger")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let listed = || place.run(&["runs", "list", "--ledger", "killed.ledger", "--json"]);
    let n_runs = || {
        let ran = listed();
        if ran.code == Some(0) { ran.json()["n_matching"].as_u64().unwrap_or(0) } else { 0 }
    };
    while n_runs() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "the collection ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = n_runs();
    assert!((1..36).contains(&before), "killed after {before} runs, too late to prove anything");
    let told = place.run(&more("killed.ledger")).done().json();
    assert_eq!(told["n_there"].as_u64(), Some(before), "{told}");
    place.run(&more("whole.ledger")).done();
    assert!(
        outcomes(&place, "killed.ledger") == outcomes(&place, "whole.ledger"),
        "other runs after the kill"
    );
}

#[test]
fn real_tables_are_collected_from_and_described() {
    let place = workplace();
    fs::create_dir(place.path("tables")).unwrap();
    let text = sample("iris");
    let (header, rows) = text.split_once('\n').unwrap();
    let (columns, _) = header.rsplit_once(',').unwrap();
    place.write("tables/iris.csv", format!("{columns},target\n{rows}"));
    let arguments = "plan collect --synthetic 0 --suite tables --recipes 4 --support 30 --steps 64 --json --ledger t.ledger";
    let told = place.run(&arguments.split(' ').collect::<Vec<_>>()).done().json();
    assert_eq!(told["n_new"], 4, "{told}");
    let list = place.run(&["runs", "list", "--ledger", "t.ledger", "--json"]).done().json();
    let uid = list["runs"][0]["uid"].as_str().unwrap().to_string();
    let run = place.run(&["runs", "show", &uid, "--ledger", "t.ledger", "--json"]).done().json();
    assert_eq!(
        (&run["task"], &run["split"], &run["metric"]),
        (&"iris".into(), &"meta-train".into(), &"log_loss".into())
    );
    let feature = |name: &str| run["features"][name].as_f64().unwrap_or_else(|| panic!("no {name} in {run}"));
    assert!(
        (feature("log2_rows") - 30f64.log2()).abs() < 1e-9 && (feature("log2_columns") - 2.0).abs() < 1e-9
    );
    assert!((feature("log2_classes") - 3f64.log2()).abs() < 1e-9 && feature("linear_accuracy") > 0.7);
    // The curve begins before the first step and ascends.
    let steps: Vec<u64> =
        run["curve"].as_array().unwrap().iter().map(|point| point["step"].as_u64().unwrap()).collect();
    assert!(steps[0] == 0 && steps.windows(2).all(|pair| pair[0] < pair[1]) && steps.len() > 3, "{steps:?}");
    place.run(&["plan", "collect", "--synthetic", "0", "--suite", "none"]).refused("no folder", &["none"]);
}
