//! Planning from outside: collecting runs, learning from them, deciding, and how well that goes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

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

/// Each run's outcome and last loss on query rows by its name: what it cost is left out.
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
    let printed = place.run(&[collect("a.ledger"), vec!["--threads", "2"]].concat()).done().json();
    assert_eq!(
        (&printed["n_new"], &printed["n_failed"], &printed["n_left"]),
        (&36.into(), &0.into(), &0.into()),
        "{printed}"
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
    let printed = place.run(&more("killed.ledger")).done().json();
    assert_eq!(printed["n_there"].as_u64(), Some(before), "{printed}");
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
    let printed = place.run(&arguments.split(' ').collect::<Vec<_>>()).done().json();
    assert_eq!(printed["n_new"], 4, "{printed}");
    let list = place.run(&["runs", "list", "--ledger", "t.ledger", "--json"]).done().json();
    // One of the trainings: threads decide which run is recorded first, and a generation has no steps.
    let shown = list["runs"].as_array().unwrap().iter().map(|listed| {
        let uid = listed["uid"].as_str().unwrap();
        place.run(&["runs", "show", uid, "--ledger", "t.ledger", "--json"]).done().json()
    });
    let run = shown.into_iter().find(|run| run["n_steps"].as_u64() > Some(0)).unwrap();
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

fn text_of(place: &Workplace, name: &str) -> String {
    String::from_utf8(place.read(name)).unwrap()
}

/// The mean over all penguins of minus the logarithm of what a file of predictions gives to the species.
fn penguins_log_loss(place: &Workplace, predictions: &str) -> f64 {
    place.write("penguins.csv", sample("penguins"));
    let (truth_names, truth) = place.read_csv("penguins.csv");
    let (names, rows) = place.read_csv(predictions);
    assert_eq!((rows.len(), truth.len()), (342, 342));
    let species = truth_names.iter().position(|name| name == "species").unwrap();
    let loss = |(row, truth): (&Vec<String>, &Vec<String>)| {
        let own = format!("probability_{}", truth[species]);
        let column = names.iter().position(|name| *name == own).unwrap();
        -row[column].parse::<f64>().unwrap().max(1e-6).ln()
    };
    rows.iter().zip(&truth).map(loss).sum::<f64>() / 342.0
}

/// A ledger of a few trainings on ten synthetic tasks.
fn with_ledger() -> Workplace {
    let place = workplace();
    let arguments =
        "plan collect --synthetic 10 --recipes 12 --support 24,48 --steps 64 --json --ledger runs.ledger";
    let printed = place.run(&arguments.split(' ').collect::<Vec<_>>()).done().json();
    assert_eq!(printed["n_failed"], 0, "{printed}");
    place
}

#[test]
fn a_predictor_learns_from_a_ledger_and_plans_for_a_table() {
    let place = with_ledger();
    let run = |arguments: &str| place.run(&arguments.split(' ').collect::<Vec<_>>());
    let fitted = run("plan fit --ledger runs.ledger --out predictor --json").done().json();
    assert_eq!(fitted["n_roots"], 10, "{fitted}");
    // The predictor is a run of the level above, with all it learned from.
    let above = run("runs list --ledger runs.ledger --level 1 --json").done().json();
    assert_eq!((&above["n_matching"], &above["runs"][0]["role"]), (&1.into(), &"predictor".into()));
    let uid = above["runs"][0]["uid"].as_str().unwrap();
    let shown = run(&format!("runs show {uid} --ledger runs.ledger --json")).done().json();
    assert_eq!(shown["parents"].as_array().unwrap().len() as u64, fitted["n_runs"].as_u64().unwrap());
    assert!(shown["value"].as_f64().unwrap() > 0.0 && shown["metric"] == "held_out_rmse", "{shown}");
    let plan = "plan --data sample:penguins --support 48 --predictor predictor --run --tries 1 --out w.safetensors \
                --report plan.html --json";
    let printed = run(plan).done().json();
    // Of all plans those with at most 64 steps, as many as were recorded.
    assert!(printed["n_scored"].as_u64().unwrap() > 300_000_000, "{printed}");
    assert_eq!((&printed["n_support"], &printed["metric"]), (&48.into(), &"log_loss".into()));
    let number = |pointer: &str| {
        printed.pointer(pointer).and_then(|v| v.as_f64()).unwrap_or_else(|| panic!("no {pointer}"))
    };
    assert!(
        number("/chosen/low") < number("/chosen/loss") && number("/chosen/loss") < number("/chosen/high")
    );
    let inside = (number("/chosen/low")..=number("/chosen/high")).contains(&number("/observed/loss"));
    assert_eq!(printed["observed"]["is_inside"], inside, "{printed}");
    let all: Vec<&serde_json::Value> =
        [&printed["chosen"]].into_iter().chain(printed["alternatives"].as_array().unwrap()).collect();
    assert_eq!(all.iter().filter(|decision| decision["action"] == "generate").count(), 1, "{printed}");
    // The network is one like any other, and its predictions have the loss that was printed. The table has 48 support rows and
    // 294 query ones; which is which is not printed, but the support rows, which it was made from, cost less than the others and
    // more than nothing.
    run("predict --weights w.safetensors --data sample:penguins --out all.csv").done();
    let (all, query) = (penguins_log_loss(&place, "all.csv"), number("/observed/loss"));
    assert!(all < query && all > query * 294.0 / 342.0, "{all} over all rows, {query} over the query rows");
    // The page has the figures of the JSON file beside it.
    let beside: serde_json::Value = serde_json::from_slice(&place.read("plan.json")).unwrap();
    assert_eq!(beside["chosen"], printed["chosen"]);
    assert!(text_of(&place, "plan.html").contains("data-pointer=\"/chosen/loss\""));
    // The same plan again, from the ledger instead of the folder: the same figures.
    let again = run("plan --data sample:penguins --support 48 --ledger runs.ledger --tries 1 --run --json")
        .done()
        .json();
    assert_eq!(again["chosen"]["recipe"], printed["chosen"]["recipe"]);
    // Numbers of the folder went through a text, which may cost the last digit.
    for pointer in ["/chosen/loss", "/chosen/high", "/reasons/0/contribution"] {
        let (a, b) = (number(pointer), again.pointer(pointer).and_then(|v| v.as_f64()).unwrap());
        assert!((a - b).abs() <= 1e-9 * a.abs(), "{pointer}: {a} {b}");
    }
    run("plan --data sample:penguins --predictor nothing").refused("no predictor", &["nothing", "plan fit"]);
    fs::write(place.path("predictor/network-1.safetensors"), "x").unwrap();
    run("plan --data sample:penguins --predictor predictor").refused("a damaged network", &["predictor"]);
    assert_eq!(run("plan").code, Some(2), "without a table there is nothing to plan for");
}

#[test]
fn predictions_are_assessed_on_data_sets_that_are_held_out() {
    let place = with_ledger();
    let run = |arguments: &str| place.run(&arguments.split(' ').collect::<Vec<_>>());
    let printed = run("plan assess --ledger runs.ledger --folds 2 --report page.html --json").done().json();
    assert_eq!((&printed["n_roots"], &printed["n_folds"]), (&10.into(), &2.into()));
    let learners = printed["learners"].as_array().unwrap();
    let named =
        |name: &str| learners.iter().find(|own| own["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    for name in
        ["ensemble", "ensemble with probes", "linear", "generated from 64 rows", "adam-tuned from 64 rows"]
    {
        // Every task of every fold was predicted, none twice.
        assert_eq!(named(name)["tasks"].as_array().unwrap().len(), 20, "{name}");
    }
    // Five data sets are too few for an error below that of the mean, but enough for an order of the runs, which the mean
    // has none of.
    let order = |name: &str| named(name)["rank_correlation"]["median"].as_f64();
    assert!(order("ensemble").is_some_and(|median| median > 0.3), "{printed}");
    assert_eq!(order("mean"), None, "{printed}");
    let coverage = named("ensemble")["coverage"].as_f64().unwrap();
    assert!((0.5..1.0).contains(&coverage), "{coverage}");
    assert!(text_of(&place, "page.html").contains("data-pointer=\"/learners/0/coverage\""));
    let few = "plan collect --synthetic 2 --recipes 2 --support 24 --steps 8 --ledger few.ledger";
    run(few).done();
    run("plan fit --ledger few.ledger --out p")
        .refused("too few data sets", &["2 data sets", "plan collect"]);
}

#[test]
fn strategies_are_compared() {
    let place = with_ledger();
    let run = |arguments: &str| place.run(&arguments.split(' ').collect::<Vec<_>>());
    fs::create_dir(place.path("tables")).unwrap();
    let text = sample("iris");
    let (header, rows) = text.split_once('\n').unwrap();
    let (columns, _) = header.rsplit_once(',').unwrap();
    place.write("tables/iris.csv", format!("{columns},target\n{rows}"));
    run("plan collect --synthetic 0 --suite tables --recipes 3 --support 30 --steps 64 --ledger iris.ledger")
        .done();
    let trial = "plan trial --suite tables --ledger runs.ledger --tested iris.ledger --support 30 --report page.html --json";
    let printed = run(trial).done().json();
    let trials = printed["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 12, "{printed}");
    // The best in hindsight is that of all losses of strategies here and of runs of the ledger on their way.
    let list = run("runs list --ledger iris.ledger --json").done().json();
    let mut losses: Vec<f64> = trials.iter().map(|trial| trial["loss"].as_f64().unwrap()).collect();
    for listed in list["runs"].as_array().unwrap() {
        let uid = listed["uid"].as_str().unwrap();
        let shown = run(&format!("runs show {uid} --ledger iris.ledger --json")).done().json();
        let base = shown["features"]["base_loss"].as_f64().unwrap();
        let curve = shown["curve"].as_array().unwrap();
        assert!(!curve.is_empty(), "{shown}");
        losses.extend(curve.iter().filter_map(|point| Some(point["long_loss"].as_f64()? / base)));
    }
    let best = losses.into_iter().fold(f64::INFINITY, f64::min);
    for trial in trials {
        let (loss, regret) = (trial["loss"].as_f64().unwrap(), trial["regret"].as_f64().unwrap());
        assert!((loss - best - regret).abs() < 1e-9, "{trial}, best {best}");
    }
    assert_eq!(printed["strategies"].as_array().unwrap().len(), 12);
    let n = |name: &str| {
        trials.iter().find(|trial| trial["strategy"] == name).unwrap()["n_trainings"].as_u64().unwrap()
    };
    assert_eq!((n("generated"), n("early-stopping"), n("random-search"), n("tpe")), (1, 5, 33, 33));
    assert!(text_of(&place, "page.html").contains("data-pointer=\"/strategies/0/regret\""));
    let unknown = run("plan trial --suite tables --tested iris.ledger --strategies best");
    assert!(unknown.code == Some(2) && unknown.stderr.contains("adam-tuned"), "{}", unknown.stderr);
}

#[test]
fn a_targeted_collection_trains_what_is_predicted_to_be_good() {
    let place = with_ledger();
    let run = |arguments: &str| place.run(&arguments.split(' ').collect::<Vec<_>>());
    let targeted = "plan collect --synthetic 1 --recipes 1 --support 24 --steps 64 --targeted --json --ledger runs.ledger";
    let printed = run(targeted).done().json();
    assert!((1..=5).contains(&printed["n_new"].as_u64().unwrap()), "{printed}");
    let list = run("runs list --ledger runs.ledger --task synthetic-0.0 --json").done().json();
    // A generation and eleven drawn plans with 24 support rows and with 48, fewer where the same plan was drawn twice.
    let before = list["n_matching"].as_u64().unwrap() - printed["n_new"].as_u64().unwrap();
    assert!((20..=24).contains(&before), "{list}");
}

/// Every decision of a printed plan, the chosen one first.
fn decisions(printed: &serde_json::Value) -> Vec<&serde_json::Value> {
    [&printed["chosen"]].into_iter().chain(printed["alternatives"].as_array().unwrap()).collect()
}

#[test]
fn a_given_shape_is_trained_and_nothing_is_generated() {
    let place = with_ledger();
    let run = |arguments: &str| place.run(&arguments.split(' ').collect::<Vec<_>>());
    run("plan fit --ledger runs.ledger --out predictor").done();
    let plan = "plan --data sample:penguins --support 48 --predictor predictor --run --tries 1 --json --out";
    let printed = run(&format!("{plan} t.safetensors --train-only")).done().json();
    for decision in decisions(&printed) {
        assert_eq!((&decision["action"], &decision["recipe"]["start"]), (&"train".into(), &"random".into()));
    }
    place.write("shape.toml", "hidden = [10, 6]\nactivation = \"tanh\"\n");
    run(&format!("{plan} w.safetensors --shape shape.toml")).done();
    let shape = |file: &str| {
        let inspected = run(&format!("inspect {file} --json")).done().json();
        (inspected["architecture"]["hidden"].clone(), inspected["architecture"]["activation"].clone())
    };
    assert_eq!(shape("w.safetensors"), (serde_json::json!([10, 6]), "tanh".into()));
    // The shape of a file of weights, and not its numbers.
    let again = run(&format!("{plan} v.safetensors --shape w.safetensors --seed 1")).done().json();
    assert_eq!(shape("v.safetensors"), shape("w.safetensors"));
    assert_ne!(place.read("v.safetensors"), place.read("w.safetensors"));
    assert!(decisions(&again).iter().all(|decision| decision["action"] == "train"), "{again}");
    assert_eq!(again["shape"], serde_json::json!({"hidden": [10, 6], "activation": "tanh", "skip": false}));
    place.write("bad.toml", "units = 10\n");
    run("plan --data sample:iris --shape bad.toml").refused("no shape", &["bad.toml", "hidden = [64]"]);
}

#[test]
fn methods_are_collected_and_planned_with() {
    let place = workplace();
    let run = |arguments: &str| place.run(&arguments.split(' ').collect::<Vec<_>>());
    let collected = run("plan collect --methods --synthetic 20 --support 12,16 --json --ledger runs.ledger")
        .done()
        .json();
    // Twelve methods, and to generate in one forward pass.
    assert_eq!((&collected["n_new"], &collected["n_failed"]), (&520.into(), &0.into()), "{collected}");
    run("plan collect --synthetic 20 --recipes 4 --support 12,16 --steps 32 --ledger runs.ledger").done();
    run("plan fit --ledger runs.ledger --out predictor").done();
    let plan = "plan --data sample:penguins --support 48 --predictor predictor --run --json";
    let printed = run(plan).done().json();
    let all = decisions(&printed);
    let methods = all.iter().filter(|decision| decision["recipe"]["method"].is_string()).count();
    assert!(methods > 0, "{printed}");
    let tried: Vec<_> = all.iter().filter(|decision| !decision["tried"].is_null()).collect();
    assert!(!tried.is_empty() && tried.len() <= 4, "{printed}");
    for decision in tried {
        // Between the prediction and the measurement, and surer than either.
        let at = |pointer: &str| decision.pointer(pointer).unwrap().as_f64().unwrap();
        let (prior, measured, both) =
            (at("/improvement"), at("/tried/measured/mean"), at("/tried/posterior/mean"));
        assert!(prior.min(measured) - 1e-9 <= both && both <= prior.max(measured) + 1e-9, "{decision}");
        assert!(at("/tried/posterior/deviation") <= at("/tried/measured/deviation"), "{decision}");
    }
    // Nothing is considered that takes longer than there is time, if anything does not.
    let short = run(&format!("{plan} --seconds 0.5")).done().json();
    for decision in decisions(&short) {
        assert!(decision["seconds"].as_f64().is_none_or(|seconds| seconds < 0.5), "{short}");
    }
    assert_eq!(short["seconds"], 0.5);
    // A file is asked for: what is chosen is a network.
    run(&format!("{plan} --out w.safetensors")).done();
    run("predict --weights w.safetensors --data sample:penguins --out all.csv").done();
}

#[test]
fn every_number_has_a_range_that_its_help_names() {
    let place = workplace();
    let cases = [
        ("plan --data sample:iris", "--support", &["3", "-1", "1000001", "nan"][..], "4 to 1000000"),
        ("plan --data sample:iris", "--tries", &["7", "-1"], "0 to 6"),
        ("plan --data sample:iris", "--seconds", &["0.001", "nan", "-1", "1e7"], "0.01 to 1000000"),
        ("plan --data sample:iris", "--seed", &["-1", "18446744073709551616"], "below 2^64"),
        ("plan collect", "--minutes", &["nan", "inf", "1e18", "-1", "100001"], "0 to 100000"),
        ("plan collect", "--synthetic", &["100001", "-1"], "0 to 100000"),
        ("plan collect", "--support", &["32,3", "0", "1000001"], "4 to 1000000"),
        ("plan collect", "--recipes", &["0", "10001"], "1 to 10000"),
        ("plan collect", "--steps", &["0", "1000001"], "1 to 1000000"),
        ("plan collect", "--threads", &["0", "1025"], "1 to 1024"),
        ("plan collect", "--seed", &["-1"], "below 2^64"),
        ("plan fit --out p", "--threads", &["0", "1025"], "1 to 1024"),
        ("plan fit --out p", "--seed", &["-1"], "below 2^64"),
        ("plan assess", "--folds", &["0", "1001"], "1 to 1000"),
        ("plan trial --suite s --tested t", "--folds", &["0", "1001"], "1 to 1000"),
        ("plan trial --suite s --tested t", "--support", &["3", "1000001"], "4 to 1000000"),
    ];
    for (command, option, outside, range) in cases {
        let typed: Vec<&str> = command.split(' ').collect();
        let subcommand: Vec<&str> =
            typed.iter().copied().take_while(|word| !word.starts_with("--")).collect();
        let help = place.run(&[subcommand, vec!["-h"]].concat()).done().stdout;
        // From the option to the next one, without the breaks of lines.
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, from) =
            words.split_once(&format!(" {option} <")).unwrap_or_else(|| panic!("no {option}: {help}"));
        let described = from.split(" --").next().unwrap_or(from);
        assert!(described.contains(range), "{command} {option}: {described}");
        for value in outside {
            let typed_value = format!("{option}={value}");
            let ran = place.run(&[typed.clone(), vec![typed_value.as_str()]].concat());
            let refused = value.rsplit(',').next().unwrap_or(value);
            let names_it = ran.stderr.contains(&format!("'{refused}'")) && ran.stderr.contains(option);
            assert!(ran.code == Some(2) && names_it, "{command} {option} {value}: {}", ran.stderr);
        }
    }
}
