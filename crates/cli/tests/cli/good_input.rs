//! Input that is unusual and all the same understood.

use crate::run::{Place, classes};

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn the_main_road() {
    let place = Place::new();
    place.write("t.csv", classes(60));
    let told = place.succeed("generate --data t.csv --target y --out w.safetensors");
    assert!(
        told.stdout.contains("classification of \"y\"") && told.stdout.contains("expected log-loss"),
        "{told:?}"
    );
    // Other columns, another order, an unseen category, missing values.
    place.write("new.csv", "colour,id,b,a\nred,1,9,9\nviolet,2,,1\n,3,0.1,NA\n");
    place.succeed("predict --weights w.safetensors --data new.csv --out p.csv");
    let predictions = place.read("p.csv");
    assert_eq!(lines(&predictions)[0], "prediction,probability_high,probability_low");
    assert_eq!(lines(&predictions).len(), 4);
    assert!(lines(&predictions)[1].starts_with("high,"), "{predictions}");
    for line in &lines(&predictions)[1..] {
        let fields: Vec<f64> = line.split(',').skip(1).map(|field| field.parse().unwrap()).collect();
        assert!((fields.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{line}");
    }
}

#[test]
fn numbers_come_with_a_deviation() {
    let place = Place::new();
    place.succeed("generate --data sample:penguin-mass --out w.safetensors --json");
    place.succeed("predict --weights w.safetensors --data sample:penguin-mass --out p.csv");
    let predictions = place.read("p.csv");
    let first: Vec<f64> = lines(&predictions)[1].split(',').map(|field| field.parse().unwrap()).collect();
    assert_eq!((lines(&predictions)[0], lines(&predictions).len()), ("prediction,std", 343));
    assert!((2500.0..6500.0).contains(&first[0]) && (100.0..1000.0).contains(&first[1]), "{first:?}");
}

#[test]
fn columns_that_say_nothing_are_left_out() {
    let place = Place::new();
    let table = classes(40).lines().enumerate().fold(String::new(), |text, (i, line)| {
        text + &if i == 0 { format!("same,none,{line}\n") } else { format!("7,,{line}\n") }
    });
    place.write("t.csv", table);
    place.succeed("generate --data t.csv --target y --out w.safetensors");
    // They are not needed at prediction either, and may hold anything.
    place.write("new.csv", "a,b,colour,same\n1,2,red,other\n");
    place.succeed("predict --weights w.safetensors --data new.csv --out p.csv");
    place.write("empty.csv", format!("none,y\n{}", ",p\n,q\n".repeat(10)));
    place.succeed("generate --data empty.csv --target y --out e.safetensors");
}

#[test]
fn classes_with_any_name_and_of_one_row() {
    let place = Place::new();
    let names = ["\"a, b\"", "\"say \"\"hi\"\"\"", "🦀 crab"];
    let rows: String = (0..30).map(|i| format!("{},{}\n", i % 3 * 10 + i / 3, names[i % 3])).collect();
    place.write("t.csv", format!("x,y\n{rows}99,alone\n"));
    place.succeed("generate --data t.csv --target y --out w.safetensors");
    place.succeed("predict --weights w.safetensors --data t.csv --out p.csv");
    let predictions = place.read("p.csv");
    let header = "prediction,\"probability_a, b\",probability_alone,\"probability_say \"\"hi\"\"\",probability_🦀 crab";
    assert_eq!(lines(&predictions)[0], header);
    assert!(lines(&predictions)[1].starts_with("\"a, b\","), "{predictions}");
    place.succeed("inspect w.safetensors");
    let report = place.succeed(
        "compare --data t.csv --target y --support 16 --splits 2 --report r.html --methods untrained",
    );
    assert!(report.stdout.contains("report: r.html"));
}

#[test]
fn very_wide_tables_are_read_and_wider_ones_refused() {
    let wide = |n_columns: usize| {
        let names: Vec<String> = (0..n_columns).map(|i| format!("c{i}")).collect();
        let mut table = format!("{},y\n", names.join(","));
        for row in 0..12usize {
            let fields: Vec<String> =
                (0..n_columns).map(|i| ((row * 31 + i * 17) % 11).to_string()).collect();
            table += &format!("{},{}\n", fields.join(","), ["p", "q"][row % 2]);
        }
        table
    };
    let place = Place::new();
    place.write("t.csv", wide(10_000));
    let told = place.succeed("generate --data t.csv --target y --out w.safetensors --views 1 --json");
    assert!(told.stdout.contains("\"n_inputs\":256"), "{told:?}");
    place.succeed("predict --weights w.safetensors --data t.csv --out p.csv");
    assert_eq!(lines(&place.read("p.csv")).len(), 13);
    place.write("wider.csv", wide(100_000));
    place.refuse("generate --data wider.csv --target y --out v.safetensors", "more than 20000 columns");
    place.refuse("predict --weights w.safetensors --data wider.csv --out q.csv", "more than 20000 columns");
}

#[test]
fn the_task_can_be_told() {
    let place = Place::new();
    let rows: String = (0..40).map(|i| format!("{i},{}\n", i % 4)).collect();
    place.write("t.csv", format!("x,y\n{rows}"));
    let told = |task: &str| {
        let arguments = format!("generate --data t.csv --target y --out w.safetensors --json --task {task}");
        place.succeed(&arguments).stdout
    };
    assert!(told("auto").contains("\"task\":\"classification\""));
    assert!(told("regression").contains("\"task\":\"regression\""));
    assert!(told("classification").contains("\"classes\":[\"0\",\"1\",\"2\",\"3\"]"));
}

/// Messages of two kinds, another one in each row, a number, and what kind each is.
fn messages(n_rows: usize) -> String {
    (0..n_rows).fold("message,size,kind\n".to_string(), |text, row| {
        let (message, kind) = match row % 2 {
            0 => (format!("the prize number {row} is yours, call now"), "spam"),
            _ => (format!("see you at home for lunch at {row}"), "ham"),
        };
        text + &format!("\"{message}\",{},{kind}\n", row * 7 % 10)
    })
}

#[test]
fn running_text_is_read_by_its_words() {
    let place = Place::new();
    place.write("t.csv", messages(50));
    let blind = place.succeed("generate --data t.csv --target kind --out blind.safetensors");
    assert!(blind.stderr.contains("generate --text reads it"), "{blind:?}");
    let told = place.succeed("generate --data t.csv --target kind --text --out w.safetensors");
    assert!(told.stdout.contains("text \"message\": ") && !told.stderr.contains("ignored"), "{told:?}");
    place.succeed("generate --data t.csv --target kind --text message --out named.safetensors");
    assert_eq!(
        std::fs::read(place.path("w.safetensors")).unwrap(),
        std::fs::read(place.path("named.safetensors")).unwrap()
    );
    place.write("new.csv", "size,message\n1,is the prize mine?\n1,home at last\n1,\n");
    place.succeed("predict --weights w.safetensors --data new.csv --out p.csv");
    let predictions = place.read("p.csv");
    let said: Vec<&str> =
        lines(&predictions)[1..3].iter().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(said, ["spam", "ham"]);
    let inspected = place.succeed("inspect w.safetensors --data t.csv --target kind").stdout;
    assert!(inspected.contains("raised by") && inspected.contains("\"prize\""), "{inspected}");
    assert!(inspected.contains("these are the rows that the network was made from"), "{inspected}");
    let importance = inspected.lines().find(|line| line.trim_start().starts_with("\"message\" "));
    assert!(importance.is_some(), "what the text itself is worth: {inspected}");
    let scored = place.succeed("score --weights w.safetensors --data t.csv --target kind");
    assert!(!scored.stderr.contains("ignored"), "{scored:?}");
    place.refuse("export --weights w.safetensors --onnx w.onnx", "is read as text, and ONNX");
    place.refuse("predict --weights w.safetensors --data p.csv --out q.csv", "message");
    place.refuse("generate --data t.csv --target kind --text size --out x.safetensors", "it holds numbers");
    place.refuse("generate --data t.csv --target kind --text other --out x.safetensors", "no such column");
    place.refuse("generate --data sample:iris --text --out x.safetensors", "no column holds running text");
}
