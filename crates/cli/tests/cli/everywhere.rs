//! What holds for every subcommand: choosing columns, naming rows, saying more or less, ending early.

use crate::run::{Place, classes};
use serde_json::Value;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Rows with a name each, and a column that tells the target.
fn named(n_rows: usize) -> String {
    let table = classes(n_rows);
    let mut lines = table.lines();
    let header = format!("who,\"a,b\",{}\n", lines.next().unwrap());
    let line = |(row, line): (usize, &str)| {
        let leak = if line.ends_with("high") { 7 } else { 3 };
        format!("row {row},{leak},{line}\n")
    };
    header + &lines.enumerate().map(line).collect::<String>()
}

fn inputs(place: &Place, weights: &str) -> Vec<String> {
    let told = place.succeed(&format!("inspect {weights} --json")).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    let inputs = told["inputs"].as_array().unwrap();
    inputs.iter().map(|input| input["name"].as_str().unwrap().to_string()).collect()
}

#[test]
fn columns_are_chosen_alike_everywhere() {
    let place = Place::new();
    place.write("t.csv", named(60));
    let data = "--data t.csv --target y --id who";
    let generate = |more: &str| {
        let options = "--views 1 --trees 0 --steps 0 --out w.safetensors";
        place.succeed(&format!("generate {data} {options} {more}"));
        inputs(&place, "w.safetensors")
    };
    assert_eq!(generate(""), ["a,b", "a", "b", "colour"]);
    assert_eq!(generate("--drop \"a,b\",colour"), ["a", "b"]);
    assert_eq!(generate("--drop colour --drop a"), ["a,b", "b"]);
    assert_eq!(generate("--columns b,a,y"), ["a", "b"]);
    for command in ["generate --out w.safetensors", "compare --splits 1 --methods untrained", "plan"] {
        let refuse = |more: &str, expected: &str| place.refuse(&format!("{command} {data} {more}"), expected);
        refuse("--drop b,nothing", "no column \"nothing\", which --drop names");
        refuse("--columns colours", "no column \"colours\", which --columns names");
        refuse("--drop y", "\"y\" is the target");
        refuse("--drop a --columns a,b", "\"a\" is asked for by --columns and left out");
        refuse("--columns y", "no column besides the target");
        let bad_id = format!("{command} --data t.csv --target y --id whom");
        place.refuse(&bad_id, "no column \"whom\", which --id names");
    }
    let dropped = |command: &str| {
        let told = place.succeed(&format!("{command} {data} --drop \"a,b\" --json"));
        assert!(!told.stderr.contains("a,b") && !told.stderr.contains("who"), "{told:?}");
        serde_json::from_str::<Value>(&told.stdout).unwrap()
    };
    assert_eq!(dropped("compare --splits 1 --methods untrained")["n_columns"], 3);
    dropped("plan");
}

#[test]
fn a_column_comes_along_to_the_predictions() {
    let place = Place::new();
    place.write("t.csv", named(60));
    place.succeed("generate --data t.csv --target y --id who --out w.safetensors");
    let predict = "predict --weights w.safetensors --data t.csv";
    place.succeed(&format!("{predict} --out plain.csv"));
    // Twice: what was written is known again.
    place.succeed(&format!("{predict} --id who --out p.csv"));
    place.succeed(&format!("{predict} --id who --out p.csv"));
    let expected = |(row, line): (usize, &str)| {
        if row == 0 { format!("who,{line}\n") } else { format!("row {},{line}\n", row - 1) }
    };
    let expected: String = place.read("plain.csv").lines().enumerate().map(expected).collect();
    assert_eq!(place.read("p.csv"), expected);
    place.refuse(&format!("{predict} --id whom --out p.csv"), "no column \"whom\", which --id names");

    // On standard output nothing but the predictions, and in JSON the rest beside it.
    let told = place.succeed(&format!("{predict} --id who --out -"));
    assert_eq!((told.stdout, told.stderr), (expected.clone(), String::new()));
    let told = place.succeed(&format!("{predict} --id who --out - --json"));
    assert_eq!(told.stdout, expected);
    assert_eq!(serde_json::from_str::<Value>(&told.stderr).unwrap()["n_rows"], 60);
    assert!(!place.files().contains(&"-".to_string()));
}

#[test]
fn as_much_is_said_as_is_asked_for() {
    let place = Place::new();
    place.write("t.csv", named(60));
    let generate = "generate --data t.csv --target y --views 1 --trees 0 --steps 0 --out w.safetensors";
    let usual = place.succeed(generate);
    let quiet = place.succeed(&format!("{generate} --quiet"));
    let verbose = place.succeed(&format!("{generate} --verbose"));
    assert!(usual.stderr.contains("warning: column \"a,b\""), "{usual:?}");
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.starts_with("w.safetensors: classification"), "{quiet:?}");
    assert!(verbose.stderr.contains("read: 60 rows of 5 columns") && verbose.stderr.contains("warning: "));
    // Errors are said all the same.
    place.refuse("generate --quiet --data no.csv --target y --out w.safetensors", "no.csv");
    let both = place.run(&format!("{generate} --quiet --verbose"));
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let place = Place::new();
    for (arguments, expected) in [
        ("predict --weights no.safetensors --data t.csv --out p.csv --json", "no.safetensors"),
        ("--json generate --data no.csv --target y --out w.safetensors", "no.csv"),
        ("generate --data t.csv --target y --out w.csv --json", "call it w.safetensors"),
        ("plan collect --recipes 0 --json", "--recipes"),
        ("forge --json", "forge"),
        ("generate --json", "--data"),
    ] {
        let told = place.run(arguments);
        assert_eq!((told.code, told.stdout.as_str()), (Some(2), ""), "{arguments}");
        let object: Value = serde_json::from_str(&told.stderr).unwrap();
        assert_eq!(object["error"]["exit_code"], 2);
        let message = object["error"]["message"].as_str().unwrap();
        assert!(message.contains(expected) && !message.contains('\n'), "{arguments}: {message}");
    }
}

#[test]
fn files_are_called_what_they_hold() {
    let place = Place::new();
    place.write("t.csv", classes(60));
    let data = "--data t.csv --target y";
    for (arguments, expected) in [
        ("generate --out w.csv", "weights are a .safetensors file; call it w.safetensors"),
        ("compare --out w.json", "call it w.safetensors"),
        ("compare --results r.html", "neither .csv nor .parquet"),
        ("compare --report r.pdf", ".html"),
        ("plan --run --out w", "call it w.safetensors"),
        ("plan --report p.txt", ".html"),
    ] {
        place.refuse(&format!("{arguments} {data}"), expected);
    }
    place.refuse("predict --weights w.safetensors --data t.csv --out p.parquet", "call it p.csv");
    assert_eq!(place.files(), ["t.csv"]);
}

#[test]
fn another_seed_is_another_draw_and_the_same_the_same() {
    let place = Place::new();
    place.write("t.csv", classes(80));
    let json = |arguments: &str| {
        let told = place.succeed(&format!("{arguments} --json"));
        serde_json::from_str::<Value>(&told.stdout).unwrap()
    };
    let compare = |seed: &str| {
        let data = "--data t.csv --target y --support 30 --splits 2 --methods untrained";
        json(&format!("compare {data} {seed}"))["methods"][0]["metrics"][0]["estimate"].clone()
    };
    assert_eq!(compare(""), compare("--seed 0"));
    assert_ne!(compare(""), compare("--seed 1"));
    let generate = |seed: &str| {
        json(&format!("generate --data sample:iris --steps 0 --out w.safetensors {seed}"));
        std::fs::read(place.path("w.safetensors")).unwrap()
    };
    assert_eq!(generate(""), generate("--seed 0"));
    assert_ne!(generate(""), generate("--seed 1"));
    let score = |seed: &str| {
        json(&format!("score --weights w.safetensors --data sample:iris {seed}"))["metrics"].clone()
    };
    assert_eq!(score("--seed 3"), score("--seed 3"));
    assert_ne!(score(""), score("--seed 3"));
}

#[test]
fn a_reader_of_predictions_that_leaves_is_no_error() {
    let place = Place::new();
    place.write("t.csv", classes(3000));
    place.succeed("generate --data t.csv --target y --views 1 --trees 0 --steps 0 --out w.safetensors");
    for out in ["-", "/dev/stdout"] {
        let predict = format!("\"$W\" predict --weights w.safetensors --data t.csv --out {out}");
        let ended = place.shell(&format!("{predict} | head -1; echo ${{PIPESTATUS[0]}}"));
        let lines: Vec<&str> = ended.stdout.lines().collect();
        assert!(lines.len() == 2 && lines[1] == "0" && ended.stderr.is_empty(), "{out}: {ended:?}");
    }
}

/// Sends Ctrl-C once a command has begun, and gives the exit code and what it said.
fn interrupted(place: &Place, arguments: &str) -> (Option<i32>, String) {
    let mut command = place.command();
    command.args(arguments.split(' ')).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(600));
    let pid = child.id().to_string();
    #[expect(clippy::disallowed_methods, reason = "a command must end soon after Ctrl-C")]
    let begun = Instant::now();
    assert!(
        std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success(),
        "{arguments}"
    );
    let code = child.wait().unwrap().code();
    assert!(begun.elapsed() < Duration::from_secs(30), "{arguments} goes on");
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    (code, told)
}

#[test]
fn ctrl_c_ends_every_command_with_exit_code_1() {
    let place = Place::new();
    place.write("t.csv", classes(2000));
    std::fs::create_dir(place.path("suite")).unwrap();
    let of_targets = classes(300).replacen(",y\n", ",target\n", 1);
    place.write("suite/one.csv", of_targets);
    let before = place.files();
    for arguments in [
        "compare --data t.csv --target y --support 1000 --splits 50",
        "generate --data t.csv --target y --views 64 --trees 1000 --steps 1000 --out w.safetensors",
        "plan collect --synthetic 1000 --recipes 100 --steps 100000 --ledger l.ledger --threads 1",
    ] {
        let (code, told) = interrupted(&place, arguments);
        assert_eq!(code, Some(1), "{arguments}: {told}");
    }
    assert!(place.files().iter().all(|name| before.contains(name) || name.starts_with("l.ledger")));
    // What is done is kept, and gone on with.
    let evaluate =
        "evaluate --suite suite --methods adam-tuned --support 32 --splits 400 --threads 1 --out r.csv";
    let (code, told) = interrupted(&place, evaluate);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.ends_with("go on with --resume\n") && place.read("r.csv").lines().count() > 1, "{told}");
}
