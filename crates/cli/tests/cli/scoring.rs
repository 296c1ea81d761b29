//! `score`, and what may be written over.

use crate::run::{Place, classes};

#[test]
fn a_network_is_scored_on_rows_that_it_has_not_seen() {
    let place = Place::new();
    let rows = classes(90);
    let (header, rows) = rows.split_once('\n').unwrap();
    let lines: Vec<&str> = rows.lines().collect();
    place.write("train.csv", format!("{header}\n{}\n", lines[..60].join("\n")));
    place.write("test.csv", format!("{header}\n{}\n", lines[60..].join("\n")));
    place.succeed("generate --data train.csv --target y --out w.safetensors");
    let told = place.succeed("score --weights w.safetensors --data test.csv --target y");
    assert!(told.stdout.starts_with("classification of 30 rows of test\n"), "{told:?}");
    assert!(told.stdout.contains("95 % interval") && told.stdout.contains("log-loss"), "{told:?}");
    assert!(!told.stdout.contains("was made from"), "{told:?}");
    let json = place.succeed("score --weights w.safetensors --data train.csv --target y --json");
    let score: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(score["are_its_own_rows"], true, "{score}");
    let accuracy = &score["metrics"][0];
    assert_eq!(accuracy["metric"], "accuracy");
    let number = |name: &str| accuracy["interval"][name].as_f64().unwrap();
    assert!(0.0 <= number("low") && number("low") <= number("high") && number("high") <= 1.0, "{score}");
    place.refuse("score --weights w.safetensors --data test.csv --target a", "column \"a\" is missing");
}

#[test]
fn inputs_are_never_written_over_and_tables_of_others_only_by_force() {
    let place = Place::new();
    let table = classes(60);
    place.write("train.csv", table.clone());
    for force in ["", " --force"] {
        place.refuse(
            &format!("generate --data train.csv --target y --out train.csv{force}"),
            "cannot write train.csv: it is also what is read",
        );
    }
    place.succeed("generate --data train.csv --target y --out w.safetensors");
    place.succeed("generate --data train.csv --target y --out w.safetensors");
    for out in ["w.safetensors", "train.csv"] {
        place.refuse(
            &format!("predict --weights w.safetensors --data train.csv --out {out}"),
            "it is also what is read",
        );
    }
    // What weightsmith wrote is known again, however long the header of the file is.
    let names: String =
        (0..5000).map(|row| format!("a name that only row {row} has,{}\n", row % 2)).collect();
    place.write("names.csv", format!("name,y\n{}", names.repeat(2)));
    let again = "generate --data names.csv --target y --views 1 --trees 0 --out w.safetensors";
    place.succeed(again);
    place.succeed(again);
    place.succeed("generate --data train.csv --target y --out w.safetensors");
    place.write("notes.csv", "a,b\n1,2\n");
    let arguments = "predict --weights w.safetensors --data train.csv --out notes.csv";
    place.refuse(arguments, "notes.csv exists and was not written by weightsmith");
    assert_eq!(place.read("notes.csv"), "a,b\n1,2\n");
    place.succeed(&format!("{arguments} --force"));
    place.succeed(arguments);
    assert_eq!(place.read("train.csv"), table);
}
