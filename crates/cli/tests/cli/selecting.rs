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
    place.refuse("select --data sample:penguin-mass", "number");
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
    place.refuse(
        "generate --data sample:penguin-mass --select on --out n.safetensors",
        "no rows can be selected",
    );
}
