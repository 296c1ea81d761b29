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
    let wrong: Vec<f64> = [5, 20, 33].iter().map(|row| rows[row - 1]["wrong"].as_f64().unwrap()).collect();
    let others = rows.iter().filter(|row| ![5, 20, 33].contains(&row["row"].as_u64().unwrap()));
    let highest = others.map(|row| row["wrong"].as_f64().unwrap()).fold(0.0, f64::max);
    assert!(wrong.iter().all(|wrong| *wrong > highest), "{wrong:?}, others up to {highest}");
    // The rows that stay are those of the file, to the letter.
    let (before, after) = (place.read("t.csv"), place.read("kept.csv"));
    let lines: Vec<&str> = before.lines().collect();
    assert_eq!(after.lines().next(), Some(lines[0]));
    let n_dropped = lines.len() - after.lines().count();
    assert!(n_dropped >= 3 && after.lines().all(|line| lines.contains(&line)), "{n_dropped} dropped");
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
    let quick = "--views 1 --trees 0 --steps 0";
    place.succeed(&format!("generate --data t.csv --target y {quick} --out plain.safetensors"));
    place.succeed(&format!("generate --data t.csv --target y {quick} --select off --out off.safetensors"));
    assert_eq!(
        fs::read(place.path("plain.safetensors")).unwrap(),
        fs::read(place.path("off.safetensors")).unwrap()
    );
    let told =
        place.succeed(&format!("generate --data t.csv --target y {quick} --select on --out on.safetensors"));
    assert!(told.stdout.contains("of 60 rows;") && told.stdout.contains("dropped: "), "{told:?}");
    let kept = place.succeed("select --data t.csv --target y --out kept.csv --json");
    let found: Value = serde_json::from_str(&kept.stdout).unwrap();
    let n_kept = 60 - found["n_dropped"].as_u64().unwrap();
    assert!(told.stdout.contains(&format!("selected {n_kept} of 60 rows")), "{told:?}");
    place.refuse(
        "generate --data sample:penguin-mass --select on --out n.safetensors",
        "no rows can be selected",
    );
}
