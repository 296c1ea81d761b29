//! `select`, and `generate --select`.

use crate::run::Place;
use serde_json::Value;
use std::fs;

/// Rows of two classes that the first column tells, with three labels wrong: rows 5, 20 and 33.
fn impure() -> String {
    let mut text = "name,a,b,site,y\n".to_string();
    for row in 1..=60 {
        let class = if [5, 20, 33].contains(&row) { row % 2 == 0 } else { row % 2 == 1 };
        let a = f64::from(row % 2) * 4.0 + f64::from(row * 7 % 11) / 10.0;
        text += &format!("r{row},{a},{},{},{}\n", row * 13 % 17, row % 3, if class { "yes" } else { "no" });
    }
    text
}

/// Three classes around the corners of a triangle, every fourth label the next class's.
fn noisy() -> String {
    let mut state = 1u32;
    let mut noise = || {
        let uniform = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24) - 0.5
        };
        0.8 * (0..12).map(uniform).sum::<f64>()
    };
    let mut text = "a,b,c,y\n".to_string();
    for row in 0..300 {
        let class = row * 7 % 3;
        let label = if row % 4 == 3 { (class + 1) % 3 } else { class };
        let centre = [(0.0, 0.0), (3.0, 0.0), (0.0, 3.0)][class];
        let (a, b, c) = (centre.0 + noise(), centre.1 + noise(), noise());
        text += &format!("{a:.3},{b:.3},{c:.3},{}\n", ["p", "q", "r"][label]);
    }
    text
}

#[test]
fn rows_are_judged_and_the_table_is_written_without_those_that_are_dropped() {
    let place = Place::new();
    place.write("t.csv", impure());
    let told = place.succeed("select --data t.csv --target y --id name --out kept.csv --report page.html");
    assert!(told.stdout.starts_with("60 rows: ") && told.stdout.contains("most worth a look:"), "{told:?}");
    for name in ["r5 ", "r20", "r33"] {
        assert!(told.stdout.contains(name), "{name}: {told:?}");
    }
    let json = place.succeed("select --data t.csv --target y --id name --group site --json");
    let found: Value = serde_json::from_str(&json.stdout).unwrap();
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 60);
    // What models say that have not seen them is clearest for the three.
    let contradiction = |row: usize| rows[row - 1]["contradiction"].as_f64().unwrap();
    let highest = (1..=60).filter(|row| ![5, 20, 33].contains(row)).map(contradiction).fold(0.0, f64::max);
    for row in [5, 20, 33] {
        assert!(
            contradiction(row) > highest.max(0.4),
            "row {row}: {}, others up to {highest}",
            contradiction(row)
        );
        assert_ne!(rows[row - 1]["standing"], "kept");
    }
    // The rows that stay are those of the file, to the letter.
    let (before, after) = (place.read("t.csv"), place.read("kept.csv"));
    let lines: Vec<&str> = before.lines().collect();
    assert_eq!(after.lines().next(), Some(lines[0]));
    let n_dropped = (lines.len() - after.lines().count()) as u64;
    assert!(after.lines().all(|line| lines.contains(&line)));
    let judged = place.succeed("select --data t.csv --target y --id name --json");
    let judged: Value = serde_json::from_str(&judged.stdout).unwrap();
    assert_eq!(judged["n_dropped"], n_dropped);
    let page = place.read("page.html");
    assert!(page.contains("Which of these rows should be learned from?") && page.contains("looks like"));
    let figures: Value = serde_json::from_str(&place.read("page.json")).unwrap();
    assert_eq!(figures["selection"]["rows"].as_array().unwrap().len(), 60);
}

#[test]
fn clean_rows_are_read_as_the_table_is() {
    let place = Place::new();
    place.write("t.csv", impure());
    let clean: String =
        impure().lines().take(1).chain(impure().lines().skip(41)).map(|line| format!("{line}\n")).collect();
    place.write("clean.csv", clean);
    let told = place.succeed("select --data t.csv --target y --id name --clean clean.csv");
    assert!(told.stdout.contains("judged with 20 rows known to be clean"), "{told:?}");
    place.write("other.csv", "name,a,b,site,y\nq,1,2,0,maybe\n");
    place.refuse("select --data t.csv --target y --id name --clean other.csv", "the class \"maybe\"");
    place.write("without.csv", "name,a,b,site\nq,1,2,0\n");
    place.refuse("select --data t.csv --target y --id name --clean without.csv", "no column \"y\"");
    place.refuse("select --data t.csv --target y --group nowhere", "nowhere");
    place.refuse("select --data t.csv --target y --out t.csv", "it is also what is read");
}

#[test]
fn generating_without_selection_writes_the_same_bytes_and_with_it_says_what_was_dropped() {
    let place = Place::new();
    place.write("t.csv", impure());
    place.write("n.csv", noisy());
    let generate =
        |rest: &str| place.succeed(&format!("generate --target y --views 1 --trees 0 --steps 0 {rest}"));
    generate("--data t.csv --out plain.safetensors");
    generate("--data t.csv --select off --out off.safetensors");
    let bytes = |name: &str| fs::read(place.path(name)).unwrap();
    assert_eq!(bytes("plain.safetensors"), bytes("off.safetensors"));
    let told = generate("--data n.csv --select on --out on.safetensors");
    let judged = place.succeed("select --data n.csv --target y --json");
    let judged: Value = serde_json::from_str(&judged.stdout).unwrap();
    let n_dropped = judged["n_dropped"].as_u64().unwrap();
    assert!(n_dropped > 0, "some of 75 wrong labels are dropped");
    let line = format!("selected {} of 300 rows; {n_dropped} dropped: ", 300 - n_dropped);
    assert!(told.stdout.contains(&line) && told.stdout.contains("`weightsmith select` says why"), "{told:?}");
    let told = generate("--data t.csv --select on --out all.safetensors");
    assert!(told.stdout.contains("selected all 60 rows"), "{told:?}");
    // The same as before there were columns to select.
    generate("--data n.csv --select rows --out rows.safetensors");
    assert_eq!(bytes("on.safetensors"), bytes("rows.safetensors"));
}

/// 120 numbers that the first two columns tell, all but those of these rows.
fn numbers(n_noise: usize, wrong_rows: &[usize]) -> String {
    let mut state = 7u32;
    let mut uniform = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24) - 0.5
    };
    let noise: Vec<String> = (0..n_noise).map(|at| format!("noise-{at}-")).collect();
    let mut text = format!("first,second,{},y\n", noise.join(","));
    for row in 1..=120 {
        let (a, b) = (uniform(), uniform());
        let wrong = if wrong_rows.contains(&row) { 40.0 } else { 0.0 };
        let rest: Vec<String> = (0..n_noise).map(|_| format!("{:.4}", uniform())).collect();
        text += &format!("{a:.4},{b:.4},{},{:.4}\n", rest.join(","), 20.0 * a - 10.0 * b + uniform() + wrong);
    }
    text
}

#[test]
fn rows_whose_target_is_a_number_are_judged_too() {
    let place = Place::new();
    place.write("t.csv", numbers(3, &[7, 50, 99]));
    let told = place.succeed("select --data t.csv --target y --out kept.csv --report page.html");
    assert!(told.stdout.contains("117 kept, 0 doubtful (kept too), 3 dropped"), "{told:?}");
    assert!(told.stdout.contains("models fitted without it say"), "{told:?}");
    assert_eq!(place.read("kept.csv").lines().count(), 118);
    let judged = place.succeed("select --data t.csv --target y --json");
    let judged: Value = serde_json::from_str(&judged.stdout).unwrap();
    for row in [7, 50, 99] {
        let row = &judged["rows"][row - 1];
        assert_eq!(row["standing"], "dropped");
        assert!(row["wrong"].as_f64().unwrap() > 0.99 && row["value"].as_f64().unwrap() < 0.0, "{row}");
    }
    let told = place.succeed("generate --data t.csv --target y --steps 0 --select rows --out w.safetensors");
    assert!(told.stdout.contains("selected 117 of 120 rows; 3 dropped: 7, 50, 99"), "{told:?}");
}

#[test]
fn columns_of_no_use_are_left_out_and_need_not_be_there() {
    let place = Place::new();
    place.write("t.csv", numbers(50, &[]));
    let generate =
        |rest: &str| place.succeed(&format!("generate --data t.csv --target y --steps 0 --trees 0 {rest}"));
    let told = generate("--select columns --out w.safetensors --json");
    let found: Value = serde_json::from_str(&told.stdout).unwrap();
    let left_out = found["columns"]["left_out"].as_array().unwrap();
    let n_kept = found["columns"]["n_kept"].as_u64().unwrap() as usize;
    assert!(left_out.len() > 30 && n_kept + left_out.len() == 52, "{found}");
    let trial = &found["columns"]["trial"];
    assert!(trial["chosen"].as_f64().unwrap() < trial["all"].as_f64().unwrap(), "{trial}");
    assert!(!left_out.iter().any(|name| name == "first" || name == "second"));
    let words = generate("--select columns --out again.safetensors");
    assert!(
        words.stdout.contains(&format!("selected {n_kept} of 52 columns; {} left out", left_out.len())),
        "{words:?}"
    );
    let bytes = |name: &str| fs::read(place.path(name)).unwrap();
    assert_eq!(bytes("w.safetensors"), bytes("again.safetensors"));
    let known = place.succeed("inspect w.safetensors");
    let first = left_out[0].as_str().unwrap();
    assert!(
        known.stdout.contains("\"first\"") && !known.stdout.contains(&format!("\"{first}\"")),
        "{known:?}"
    );
    // A table without them is predicted and scored alike, to the letter.
    let left_out: Vec<&str> = left_out.iter().filter_map(Value::as_str).collect();
    let text = numbers(50, &[]);
    let names: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let narrow = |line: &str| {
        let fields = line.split(',').zip(&names).filter(|(_, name)| !left_out.contains(name));
        fields.map(|(field, _)| field).collect::<Vec<_>>().join(",") + "\n"
    };
    place.write("narrow.csv", text.lines().map(narrow).collect::<String>());
    for (data, out) in [("t.csv", "wide.out.csv"), ("narrow.csv", "narrow.out.csv")] {
        place.succeed(&format!("predict --weights w.safetensors --data {data} --out {out}"));
    }
    assert_eq!(place.read("wide.out.csv"), place.read("narrow.out.csv"));
    let scored =
        |data: &str| place.succeed(&format!("score --weights w.safetensors --data {data} --target y --json"));
    let metrics = |text: String| serde_json::from_str::<Value>(&text).unwrap()["metrics"].clone();
    assert_eq!(metrics(scored("t.csv").stdout), metrics(scored("narrow.csv").stdout));
    place.succeed("export --weights w.safetensors --onnx w.onnx");
    let onnx = bytes("w.onnx");
    let names_onnx = |name: &str| onnx.windows(name.len()).any(|window| window == name.as_bytes());
    assert!(names_onnx("first") && !names_onnx(first), "the model has no input \"{first}\"");
    // Where every column says something all are read, and that is said.
    place.write("few.csv", numbers(1, &[7, 50, 99]));
    let told =
        place.succeed("generate --data few.csv --target y --steps 0 --select both --out f.safetensors");
    assert!(
        told.stdout.contains(" of 3 columns") || told.stdout.contains("selected all 3 columns"),
        "{told:?}"
    );
    assert!(told.stdout.contains("of 120 rows; 3 dropped"), "{told:?}");
}

#[test]
fn comparisons_and_plans_learn_from_what_is_selected_of_each_split() {
    let place = Place::new();
    place.write("t.csv", numbers(3, &[7, 50, 99]));
    let run =
        "compare --data t.csv --target y --support 80 --splits 2 --methods linear-tuned,forest --select both";
    let json = place.succeed(&format!("{run} --json --report page.html"));
    let found: Value = serde_json::from_str(&json.stdout).unwrap();
    let splits = found["selection"]["splits"].as_array().unwrap();
    assert_eq!((splits.len(), &found["selection"]["mode"]), (2, &Value::from("both")));
    // Of three wrong numbers two are among 80 of 120 rows, more or less; each split has rows of its own.
    let n_left_out: usize = splits.iter().map(|split| split["rows"].as_array().unwrap().len()).sum();
    assert!((2..=6).contains(&n_left_out), "{splits:?}");
    assert_ne!(splits[0]["rows"], splits[1]["rows"]);
    for split in splits {
        assert!(!split["columns"].as_array().unwrap().iter().any(|name| name == "first"), "{split}");
    }
    assert!(place.read("page.html").contains("chosen by the support rows of each split alone"));
    let plain = place.succeed(&run.replace("--select both", "--json"));
    assert!(!plain.stdout.contains("\"selection\""));
    let told = place.succeed(run);
    assert!(told.stdout.contains("left out of the support rows of a split in the mean: "), "{told:?}");
    let told = place.succeed("plan --data t.csv --target y --tries 0 --select rows");
    assert!(
        told.stdout.contains("left out before anything was learned: 3 rows (7, 50, 99), no column"),
        "{told:?}"
    );
}
