//! The self-application loop from outside: what it resumes, records, compares and refuses.

use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use weightsmith_tests::Workplace;

/// Trainings of a second, on as little as there can be.
const TINY: &str = "--cost 1 2 --data-sets 4 --acceptance 16 --folder own --json";

fn run(place: &Workplace, arguments: &str) -> weightsmith_tests::Ran {
    place.run(&format!("self-apply {arguments} {TINY}").split_whitespace().collect::<Vec<_>>())
}

fn iterations(told: &Value, search: &str) -> Vec<Value> {
    let loops = told["figures"]["loops"].as_array().expect("the loops are told");
    let of_search = loops.iter().find(|own| own["search"] == search);
    of_search.map(|own| own["iterations"].as_array().expect("they are listed").clone()).unwrap_or_default()
}

fn number_of(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The runs of a level in the ledger, whole.
fn runs_of(place: &Workplace, level: &str) -> Vec<Value> {
    let list =
        ["runs", "list", "--ledger", "own/runs.ledger", "--level", level, "--limit", "100000", "--json"];
    let list = place.run(&list).done().json();
    let uids =
        list["runs"].as_array().expect("runs are listed").iter().filter(|run| run["role"] != "base-model");
    uids.map(|run| {
        let uid = run["uid"].as_str().expect("a run has a name");
        place.run(&["runs", "show", uid, "--ledger", "own/runs.ledger", "--json"]).done().json()
    })
    .collect()
}

#[test]
fn a_loop_goes_on_where_it_stopped_and_records_what_learned_from_what() {
    let place = Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"));
    let stopped = run(&place, "--iterations 3");
    assert_eq!(iterations(&stopped.done().json(), "planner").len(), 3);
    // Nine and not eight: the ninth is the first that is predicted.
    let told = run(&place, "--iterations 9").done().json();
    let all = iterations(&told, "planner");
    assert_eq!((all.len(), &told["finished"]), (9, &true.into()));
    let choices: Vec<&Value> = all.iter().map(|iteration| &iteration["choice"]).collect();
    assert_eq!(
        (choices[0], choices[1], choices[8]),
        (&"by-hand".into(), &"random".into(), &"predicted".into())
    );
    assert!(all[8]["predicted"].is_number() && all[7]["predicted"].is_null(), "{told}");
    assert!(all[8]["n_scored"].as_u64() > Some(1000), "{told}");
    // The first was accepted, and every other was compared with the incumbent of its time.
    assert!(all[0]["accepted"] == true && all[0]["verdict"] == "first");
    for pair in all.windows(2) {
        let incumbent = if pair[0]["accepted"] == true { &pair[0]["uid"] } else { &pair[0]["parent"] };
        assert_eq!(pair[1]["parent"], *incumbent);
        let end = |name: &str| pair[1]["difference"][name].as_f64().expect("every iteration was compared");
        assert!(end("low") < end("mean") && end("mean") < end("high"), "{}", pair[1]);
        // Better is what has its whole interval below 0, and it is accepted.
        let is_better = end("high") < 0.0;
        assert_eq!(pair[1]["verdict"] == "better", is_better, "{}", pair[1]);
        assert!(!is_better || pair[1]["accepted"] == true, "{}", pair[1]);
    }
    // Levels follow from what was learned from.
    let (base, above) = (runs_of(&place, "0"), runs_of(&place, "1"));
    let metamodels = |runs: &[Value]| runs.iter().filter(|run| run["role"] == "metamodel").count();
    assert_eq!(metamodels(&base) + metamodels(&above), 9);
    assert!(metamodels(&base) > 0 && metamodels(&above) > 0, "both with and without tasks about runs");
    for run in &base {
        assert_eq!(run["parents"], Value::Array(vec![]), "{run}");
    }
    for run in above.iter().filter(|run| run["role"] == "metamodel") {
        let parents = run["parents"].as_array().expect("parents are listed");
        assert!(!parents.is_empty() && parents.iter().all(|parent| parent["kind"] == "data"));
        assert!(run["recipe"]["snapshot"].as_str().is_some_and(|checksum| checksum.len() == 64), "{run}");
        let number = |name: &str| run["features"][name].as_f64().expect("tasks are counted");
        assert!(number("n_auxiliary") > 0.0 && 5.0 * number("n_auxiliary") <= number("n_tasks"), "{run}");
        // One data set in four is held out for tasks about runs that no iteration has seen.
        let roots = run["roots"].as_array().expect("roots are listed");
        assert!(!roots.contains(&"synthetic-0.3".into()) && roots.contains(&"synthetic-0.0".into()), "{run}");
    }
    // The generated predictor is a run one level above what it learned from, and the metamodel wrote it.
    let trained: Vec<Value> = [base.as_slice(), &above].concat();
    let predictors: Vec<Value> = [above, runs_of(&place, "2")].concat();
    let predictors: Vec<&Value> = predictors.iter().filter(|run| run["role"] == "predictor").collect();
    let [predictor] = predictors[..] else { panic!("{} predictors", predictors.len()) };
    let parents = predictor["parents"].as_array().expect("parents are listed");
    let kinds = |kind: &str| parents.iter().filter(|parent| parent["kind"] == kind).count();
    assert_eq!((predictor["level"].as_u64(), kinds("data"), kinds("model")), (Some(2), 8, 1));
    assert!(
        parents.iter().all(|parent| parent["uid"] != all[8]["uid"]),
        "the ninth is no example for itself"
    );
    // It was off by what the ledger has of the ninth less what was predicted before; one that ends worse than it would be
    // untrained counts as untrained.
    let ninth = trained.iter().find(|run| run["uid"] == all[8]["uid"]).expect("the ninth is in the ledger");
    let (measured, untrained) = (number_of(&ninth["value"]), number_of(&all[8]["untrained"]));
    let observed = if measured < untrained { measured } else { untrained };
    assert!(
        (number_of(&predictor["value"]) - (observed - number_of(&all[8]["predicted"])).abs()).abs() < 1e-9
    );
    // Nothing is done twice.
    let again = run(&place, "--iterations 9").done().json();
    assert_eq!(iterations(&again, "planner"), all);
    let page = String::from_utf8(place.read("own/report.html")).expect("a page is text");
    assert!(page.contains("data-pointer=\"/loops/0/iterations/8/predicted\""));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_loop_that_the_same_command_goes_on_with() {
    let place = Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"));
    let arguments: Vec<String> =
        format!("self-apply --iterations 1 {TINY}").split_whitespace().map(String::from).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = place.command(&arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary is there");
    while !place.path("own/runs.ledger").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("there is a command kill").success());
    let ran = weightsmith_tests::Ran::new(child.wait_with_output().expect("it ends"));
    assert_eq!((ran.code, &ran.json()["finished"]), (Some(1), &false.into()), "{ran:?}");
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    let first = iterations(&ran.json(), "planner");
    assert!(first.is_empty(), "stopped too late to prove anything");
    let left_alone = Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"));
    let [told, expected] = [&place, &left_alone].map(|place| run(place, "--iterations 1").done().json());
    let observed = |told: &Value| -> Vec<[Value; 3]> {
        let of = |iteration: Value| ["recipe", "acceptance", "verdict"].map(|key| iteration[key].clone());
        iterations(told, "planner").into_iter().map(of).collect()
    };
    assert_eq!(observed(&told).len(), 1);
    assert_eq!(observed(&told), observed(&expected), "another end than that of a loop left alone");
}

#[test]
fn searches_share_what_they_can_and_controls_differ_in_one_thing() {
    let place = Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"));
    run(&place, "--iterations 3 --recipes random").done();
    let n_before = runs_of(&place, "0").len() + runs_of(&place, "1").len();
    let told = run(&place, "--iterations 3 --controls 1 --confirm 2").done().json();
    let uids = |search: &str| {
        iterations(&told, search).iter().map(|iteration| iteration["uid"].clone()).collect::<Vec<_>>()
    };
    // The first recipes are drawn alike: no training is done again.
    assert_eq!(uids("planner"), uids("random"));
    let controls = told["figures"]["controls"].as_array().expect("controls are told");
    let modes: Vec<&str> = controls.iter().map(|control| control["mode"].as_str().expect("a name")).collect();
    assert_eq!(modes, ["lifted", "shuffled", "extra-base", "none"]);
    assert!(controls[3]["differences"].is_null());
    let lifted = |at: usize| controls[at]["means"]["lifted"].as_f64().expect("measured");
    let distinct: std::collections::BTreeSet<u64> = (0..4).map(|at| lifted(at).to_bits()).collect();
    assert_eq!(distinct.len(), 4, "four trainings");
    // Planner and random have one best recipe here, so its two repeats serve both.
    assert_eq!(told["figures"]["noise"]["n"], 2, "{}", told["figures"]["noise"]);
    assert_eq!(runs_of(&place, "0").len() + runs_of(&place, "1").len(), n_before + 4 + 2);
    let hand = run(&place, "--iterations 2 --recipes hand").done().json();
    let hand = iterations(&hand, "hand");
    let recipes = [&hand[0]["recipe"], &hand[1]["recipe"]].map(|recipe| recipe.as_object().expect("factors"));
    let changed = recipes[0].iter().filter(|(name, value)| recipes[1][*name] != **value).count();
    assert_eq!((hand[1]["choice"].as_str(), changed), (Some("one-changed"), 1));
}

#[test]
fn loops_that_do_not_compare_are_refused() {
    let place = Workplace::new(env!("CARGO_BIN_EXE_weightsmith-under-test"));
    run(&place, "--iterations 1 --budget 0");
    let other = ["self-apply", "--folder", "own", "--cost", "5", "9", "--budget", "0"];
    place.run(&other).refused("other costs", &["own", "another folder"]);
    place.run(&["self-apply", "--folder", "new", "--cost", "5", "6"]).refused("a narrow range", &["--cost"]);
    // Misuse that is found while arguments are read has a hint on a line of its own.
    let misused = |arguments: &str, option: &str| {
        let ran = place.run(&arguments.split(' ').collect::<Vec<_>>());
        assert!(ran.code == Some(2) && ran.stderr.contains(option), "{arguments}: {ran:?}");
        assert!(!ran.stderr.contains("panicked"), "{arguments}: {ran:?}");
    };
    for cost in ["inf inf", "nan nan", "0 5", "1 1e18"] {
        misused(&format!("self-apply --folder new --cost {cost}"), "--cost");
    }
    for number in ["nan", "inf", "1e18", "-1"] {
        misused(&format!("self-apply --folder new --budget={number}"), "--budget");
        misused(&format!("plan collect --minutes={number}"), "--minutes");
    }
    assert!(!place.path("new").exists() && !place.path("runs.ledger").exists());
    let cheap = ["self-apply", "--folder", "new", "--cost", "0.1", "0.2", "--data-sets", "4"];
    place.run(&cheap).refused("a range without a recipe", &["no recipe"]);
    place.write("own/planner-0.jsonl", "{\"method\": 3}\n");
    let in_words: Vec<&str> = TINY.split_whitespace().filter(|argument| *argument != "--json").collect();
    let again = ["self-apply", "--iterations", "1"];
    place.run(&[&again[..], &in_words].concat()).refused("a damaged journal", &["planner-0.jsonl"]);
}
