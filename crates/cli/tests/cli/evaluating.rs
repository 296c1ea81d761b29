//! `evaluate` on small suites.

use crate::run::{Place, classes};

fn suite() -> Place {
    let place = Place::new();
    for folder in ["classification", "regression"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    place.write("classification/a.csv", classes(60).replace(",y\n", ",target\n"));
    place.write("classification/broken.csv", "a,target\n1,x\n2,y,3\n");
    let rows: String = (0..50).map(|i| format!("{i},{},{}\n", i % 7, i * 3 + i % 7)).collect();
    place.write("regression/b.csv", format!("p,q,target\n{rows}"));
    place
}

#[test]
fn a_table_that_fails_gives_rows_with_an_error_and_code_1() {
    let place = suite();
    let arguments =
        "evaluate --suite classification regression --support 16,32 --splits 2 --methods untrained,linear";
    let told = place.run(&format!("{arguments} --out r.csv --report r.html"));
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stdout.contains("8 rows with an error, the first: broken, 16 rows"), "{told:?}");
    let results = place.read("r.csv");
    let lines: Vec<&str> = results.lines().collect();
    let outside = "name,task,short,split,model,accuracy,auc,logloss,r2,r2_clipped,seconds,error";
    assert_eq!(lines[0], format!("{outside},brier,calibration_error,rmse,coverage,wall_seconds,metamodel"));
    assert_eq!(lines.len(), 1 + 3 * 2 * 2 * 2);
    assert!(lines[1].starts_with("a,classification,16,0,linear-tuned,"), "{}", lines[1]);
    assert!(lines.iter().any(|line| line.contains("b,regression,32,1,untrained,,,,0.9")), "{results}");
    assert!(
        place
            .read("r.html")
            .contains("Over many tables: how good is the generated network on rows it has not seen?")
    );
}

#[test]
fn results_do_not_depend_on_threads_and_are_continued() {
    let place = suite();
    std::fs::remove_file(place.path("classification/broken.csv")).unwrap();
    let arguments =
        "evaluate --suite classification regression --support 16 --splits 3 --methods untrained,adam";
    // Times differ from run to run; the scores must not.
    let scores = |name: &str| -> Vec<String> {
        let line = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            [&cells[..10], &cells[11..16]].concat().join(",")
        };
        place.read(name).lines().map(line).collect()
    };
    place.succeed(&format!("{arguments} --out one.csv --threads 1"));
    place.succeed(&format!("{arguments} --out two.csv --threads 2"));
    assert_eq!(scores("one.csv"), scores("two.csv"));

    place.refuse(&format!("{arguments} --out one.csv"), "one.csv exists; continue it with --resume");
    let part: Vec<String> = place.read("one.csv").lines().take(4).map(str::to_string).collect();
    place.write("part.csv", part.join("\n") + "\n");
    place.succeed(&format!("{arguments} --out part.csv --resume"));
    assert_eq!(scores("part.csv"), scores("one.csv"));
    assert!(place.read("part.csv").starts_with(&part.join("\n")), "finished rows are kept as they are");

    let told = place.succeed(&format!("{arguments} --part 1/2 --baselines one.csv --json"));
    let value: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((value["n_tables"].as_u64(), value["n_results"].as_u64()), (Some(1), Some(6)));
    let models = value["blocks"][0]["models"].as_array().unwrap();
    assert_eq!(models.len(), 4, "ours and the baselines: {models:?}");
}

/// Every figure on the page is in the JSON beside it, at the place that the page names.
#[test]
fn the_page_and_its_figures_agree() {
    let place = suite();
    std::fs::remove_file(place.path("classification/broken.csv")).unwrap();
    place.write("classification/c.csv", classes(80).replace(",y\n", ",target\n"));
    let arguments = "evaluate --suite classification regression --support 16,32 --splits 2";
    place.succeed(&format!("{arguments} --methods untrained,linear --out r.csv --report r.html"));
    let page = place.read("r.html");
    let figures: serde_json::Value = serde_json::from_str(&place.read("r.json")).unwrap();
    let mut n_figures = 0;
    for piece in page.split("<data value=\"").skip(1) {
        let (value, rest) = piece.split_once("\" data-pointer=\"").unwrap();
        let pointer = rest.split('"').next().unwrap();
        let found = figures.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap();
        let shown: f64 = value.parse().unwrap();
        // Reading JSON may miss the last bit of a number.
        assert!((found - shown).abs() <= 1e-15 * shown.abs(), "{pointer}: {found} and {shown}");
        n_figures += 1;
    }
    // 5 metrics of classes and 2 of numbers at 2 sizes: a mean and a rank for each of 2 models, 3 counts and a difference.
    assert!(n_figures > 7 * 2 * 8, "{n_figures} figures");
    for (pointer, expected) in [
        ("/n_tables", 3),
        ("/settings/n_splits", 2),
        ("/bootstrap/n_resamples", 10_000),
        ("/bootstrap/seed", 0),
        ("/blocks/0/n_splits", 4),
        ("/blocks/0/n_tables", 2),
    ] {
        assert_eq!(figures.pointer(pointer).and_then(serde_json::Value::as_u64), Some(expected), "{pointer}");
    }
    assert!(page.contains("10000 draws") && page.contains("seed 0") && page.contains("critical difference"));
    // Two kinds of tasks, the pictures of the main metrics: lines, tables, differences, and ranks at both sizes.
    assert_eq!(page.matches("<svg ").count(), 3 * (1 + 1 + 1 + 2));
    let told = place.succeed(&format!("{arguments} --methods untrained,linear --out s.csv --report s.svg"));
    assert!(told.stdout.contains("untrained against it") && told.stdout.contains(" to "), "{told:?}");
    assert!(place.read("s.svg").starts_with("<svg ") && !place.files().contains(&"s.json".to_string()));
}

#[test]
fn results_are_kept_and_continued_as_parquet() {
    let place = suite();
    let arguments = "evaluate --suite regression --support 16 --methods untrained";
    place.succeed(&format!("{arguments} --splits 1 --out r.parquet"));
    place.refuse(&format!("{arguments} --splits 2 --out r.parquet"), "continue it with --resume");
    let told = place.succeed(&format!("{arguments} --splits 2 --out r.parquet --resume --json"));
    let value: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(value["n_results"], 2);
    // Read back, the rows stand beside the same ones made anew.
    let told = place.succeed(&format!("{arguments} --splits 2 --baselines r.parquet --json"));
    let value: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let models = &value["blocks"][0]["models"];
    assert_eq!(models[0]["mean"], models[1]["mean"], "{models}");
    assert_eq!(models[1]["model"], "untrained");
    assert_eq!(models[0]["model"], "baseline:untrained");

    place.write("r.parquet", "no Parquet");
    place.refuse(&format!("{arguments} --out r.parquet --resume"), "cannot read the results in r.parquet");
    place.refuse(&format!("{arguments} --out r.json"), "r.json is neither .csv nor .parquet");
}

#[test]
fn suites_that_hold_nothing_are_refused() {
    let place = suite();
    place.refuse("evaluate --suite nowhere", "cannot read the folder nowhere");
    std::fs::create_dir(place.path("empty")).unwrap();
    place.refuse("evaluate --suite empty", "no CSV file to score in empty");
    place.refuse(
        "evaluate --suite regression --metamodel classification-3",
        "the suite has regression tables",
    );
    place.write("bad.csv", "x,y\n1,2\n");
    place.refuse("evaluate --suite regression --baselines bad.csv", "cannot read the results in bad.csv");
}
