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

/// A number that follows `a`, and a column of noise.
fn numbers(n_rows: usize, from: usize) -> String {
    let row = |row: usize| {
        let at = row + from;
        let (a, noise) = (at * 7919 % 1009, at * 104_729 % 997);
        format!("r{at},{a},{noise},{}\n", 3 * a + at * 31 % 211)
    };
    format!("who,a,noise,y\n{}", (0..n_rows).map(row).collect::<String>())
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn intervals_hold_as_many_true_values_as_they_promise() {
    let place = Place::new();
    place.write("train.csv", numbers(150, 0)).write("new.csv", numbers(400, 150));
    let generate = "generate --data train.csv --target y --id who --views 2 --trees 0 --steps 0";
    place.succeed(&format!("{generate} --out w.safetensors"));
    let predict = "predict --weights w.safetensors --data new.csv --id who --out p.csv";
    for (level, least, most) in [("0.5", 0.4, 0.6), ("0.9", 0.84, 0.96)] {
        place.succeed(&format!("{predict} --interval {level}"));
        let predictions = place.read("p.csv");
        let mut lines = predictions.lines();
        assert_eq!(lines.next(), Some("who,prediction,std,lower,upper"));
        let new = place.read("new.csv");
        let is_inside = |(line, row): (&str, &str)| {
            let fields: Vec<f64> = line.split(',').skip(1).map(|field| field.parse().unwrap()).collect();
            assert!(fields[2] < fields[0] && fields[0] < fields[3], "{line}");
            let truth: f64 = row.rsplit(',').next().unwrap().parse().unwrap();
            fields[2] <= truth && truth <= fields[3]
        };
        let n_inside = lines.zip(new.lines().skip(1)).filter(|pair| is_inside(*pair)).count();
        let share = n_inside as f64 / 400.0;
        assert!(least < share && share < most, "{level}: {share}");
    }
    place.refuse(&format!("{predict} --interval 0.999"), "the most is 0.993");
    assert_eq!(place.run(&format!("{predict} --interval 1.5")).code, Some(2));
    // Classes have sets.
    place.write("classes.csv", classes(80));
    place.succeed("generate --data classes.csv --target y --views 1 --trees 0 --steps 0 --out c.safetensors");
    place.succeed("predict --weights c.safetensors --data classes.csv --interval 0.8 --out c.csv");
    let header = "prediction,probability_high,probability_low,in_set_high,in_set_low";
    assert!(place.read("c.csv").starts_with(header), "{}", place.read("c.csv"));
}

#[test]
fn what_columns_are_worth_is_told() {
    let place = Place::new();
    place.write("train.csv", numbers(150, 0)).write("new.csv", numbers(200, 150));
    let generate = "generate --data train.csv --target y --id who --views 2 --trees 0 --steps 0";
    place.succeed(&format!("{generate} --out w.safetensors"));
    let inspect = "inspect w.safetensors --data new.csv --target y";
    let told = place.succeed(inspect);
    assert!(told.stdout.contains("R² falls by") && told.stdout.contains("95 % interval"), "{told:?}");
    assert!(!told.stdout.contains("was made from"), "{told:?}");
    let found = json(&place.succeed(&format!("{inspect} --json")).stdout);
    let columns = found["importance"]["columns"].as_array().unwrap();
    let first = &columns[0];
    assert!(columns.len() == 2 && first["column"] == "a" && columns[1]["column"] == "noise", "{found}");
    assert!(first["interval"]["low"].as_f64().unwrap() > 1.0, "{first}");
    assert!(columns[1]["increase"].as_f64().unwrap().abs() < 0.1, "{found}");
    let own = place.succeed("inspect w.safetensors --data train.csv --target y --id who");
    assert!(own.stdout.contains("rows that the network was made from"), "{own:?}");
    assert!(json(&place.succeed("inspect w.safetensors --json").stdout).get("importance").is_none());
}

#[test]
fn a_score_has_a_page_whose_figures_are_in_its_json() {
    let place = Place::new();
    place.write("train.csv", numbers(150, 0)).write("new.csv", numbers(200, 150));
    let generate = "generate --data train.csv --target y --id who --views 2 --trees 0 --steps 0";
    place.succeed(&format!("{generate} --out w.safetensors"));
    let score = "score --weights w.safetensors --data new.csv --target y --id who";
    let told = place.succeed(&format!("{score} --report s.html"));
    assert!(told.stdout.ends_with("report: s.html\n"), "{told:?}");
    let (page, figures) = (place.read("s.html"), json(&place.read("s.json")));
    for part in ["How good is this network on these rows?", "Which columns matter", "predicts worst"] {
        assert!(page.contains(part), "{part}");
    }
    let mut n_checked = 0;
    for part in page.split("<data value=\"").skip(1) {
        let (value, rest) = part.split_once('"').unwrap();
        let pointer = rest.split("data-pointer=\"").nth(1).unwrap().split('"').next().unwrap();
        let found = figures.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap();
        let value: f64 = value.parse().unwrap();
        // serde_json reads the last digit of a number in its faster way.
        assert!((found - value).abs() <= 1e-15 * value.abs(), "{pointer}: {found}, not {value}");
        n_checked += 1;
    }
    assert!(n_checked > 30, "{n_checked}");
    // The worst row is that with the largest error, by its name.
    let worst = &figures["worst"][0];
    assert!(worst["id"].as_str().unwrap().starts_with('r'), "{worst}");
    let errors: Vec<f64> = figures["worst"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["figure"].as_f64().unwrap().abs())
        .collect();
    assert!(errors.is_sorted_by(|a, b| a >= b) && errors.len() == 10);
    place.refuse(&format!("{score} --report s.pdf"), ".html");
}
