//! `weightsmith runs` on a ledger that the crate made.

use crate::run::Place;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use weightsmith_ledger::{Cost, CurvePoint, Ledger, Named, Outcome, RunRecord, RunRole, Uid};
use weightsmith_tasks::{Above, Base, Level, TaskSplit};

fn run<L: Level>(uid: u128, task: &str) -> RunRecord<L> {
    RunRecord {
        uid: Uid(uid << 64),
        role: RunRole::BaseModel,
        task: task.to_string(),
        roots: BTreeSet::from([task.to_string()]),
        split: TaskSplit::MetaTrain,
        recipe: [("optimiser".to_string(), "adam".into()), ("learning_rate".to_string(), 3e-3.into())].into(),
        features: [("n_rows".to_string(), 64.0.into())].into(),
        probe: Named::new(),
        outcome: Outcome { metric: "log_loss".into(), value: Some(0.41234), n_short: 64, n_long: 200 },
        cost: Cost { cpu_s: 0.25, wall_s: 0.3 },
        seed: 7,
        code_version: "0.1.0".to_string(),
        device: "cpu".to_string(),
        n_steps: 100,
        parents: BTreeSet::new(),
        curve: vec![CurvePoint { step: 1, long_loss: Some(0.7), short_loss: None, cpu_s: 0.001 }],
        level: PhantomData,
    }
}

/// A folder with `runs.ledger`: 25 runs of level 0, one of level 1.
fn place() -> Place {
    let place = Place::new();
    let mut ledger = Ledger::open(&place.path("runs.ledger")).unwrap();
    for idx in 1..=25 {
        ledger.append(&run::<Base>(idx, ["wine", "iris"][idx as usize % 2])).unwrap();
    }
    ledger.append(&run::<Above<Base>>(0xabc << 40, "runs on \u{1b}[31mwine")).unwrap();
    place
}

#[test]
fn runs_are_listed() {
    let place = place();
    let told = place.succeed("runs list").stdout;
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!((lines.len(), lines[21]), (22, "the last 20 of 26 runs"), "{told}");
    assert!(
        lines[0].starts_with("run ") && lines[20].contains("  1  base-model  runs on  [31mwine  "),
        "{told}"
    );
    assert!(lines[1].contains("meta-train  log_loss  0.4123  250 ms  20"), "{told}");
    let told = place.succeed("runs list --ledger runs.ledger --level 0 --task iris --limit 5 --json").stdout;
    let list: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&list["n_matching"], list["runs"].as_array().unwrap().len()), (&13.into(), 5));
    assert_eq!((&list["runs"][4]["position"], &list["runs"][4]["task"]), (&25.into(), &"iris".into()));
    assert_eq!(place.succeed("runs list --level 2").stdout, "no runs\n");
}

#[test]
fn a_run_is_shown() {
    let place = place();
    let told = place.succeed(&format!("runs show {:016x}", 0x11)).stdout;
    for expected in [
        "level     0\n",
        "outcome   log_loss 0.4123 on 200 rows, learned from 64\n",
        "\nrecipe\n  learning_rate  0.003\n  optimiser      adam\n",
        "\nfeatures\n  n_rows  64\n",
        "\nstep  query loss  support loss    cost\n1         0.7000             -  1.0 ms\n",
    ] {
        assert!(told.contains(expected), "{expected:?} in {told}");
    }
    let told = place.succeed("runs show 000abc --json").stdout;
    let run: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&run["level"], &run["curve"][0]["long_loss"]), (&1.into(), &0.7.into()));
    place.refuse("runs show f", "there is no run f in runs.ledger");
    place.refuse("runs show 000", "26 runs have names that begin with");
}

#[test]
fn runs_are_exported() {
    let place = place();
    let told = place.succeed("runs export --out a.csv --level 0").stdout;
    assert_eq!(told, "a.csv: 25 runs; curves in a-curves.csv\n");
    assert_eq!((place.read("a.csv").lines().count(), place.read("a-curves.csv").lines().count()), (26, 26));
    assert!(
        place
            .read("a.csv")
            .lines()
            .next()
            .unwrap()
            .ends_with("recipe.learning_rate,recipe.optimiser,features.n_rows")
    );
    place.succeed("runs export --out a.json --limit 3");
    let runs: serde_json::Value = serde_json::from_str(&place.read("a.json")).unwrap();
    assert_eq!((runs.as_array().unwrap().len(), &runs[2]["level"]), (3, &1.into()));
    let told = place.succeed("runs export --out a.parquet --json").stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["n_runs"], &told["curves"]), (&26.into(), &"a-curves.parquet".into()));
    let bytes = std::fs::read(place.path("a.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
}

#[test]
fn bad_ledgers_and_outputs_are_told() {
    let place = place();
    place.write("t.csv", "a,b\n1,2\n");
    place.refuse("runs list --ledger no.ledger", "there is no ledger at no.ledger");
    place.refuse("runs show 1 --ledger t.csv", "t.csv is no ledger");
    place.refuse("runs export --ledger no.ledger --out a.txt", "neither .csv, .parquet nor .json");
    place.refuse("runs export --ledger no.ledger --out no/a.csv", "the folder no does not exist");
    for misuse in ["runs", "runs list --level 3", "runs show", "runs export"] {
        assert_eq!(place.run(misuse).code, Some(2), "{misuse}");
    }
    assert_eq!(place.read("t.csv"), "a,b\n1,2\n");
}
