//! What is printed and written: JSON, pipes, disks, reports.

use crate::run::{Place, classes};

#[test]
fn json_is_one_object_and_nothing_else() {
    let place = Place::new();
    place.write("t.csv", classes(60));
    for (arguments, key) in [
        ("generate --data t.csv --target y --out w.safetensors --json", "\"metric\":\"log_loss\""),
        ("predict --weights w.safetensors --data t.csv --out p.csv --json", "\"n_rows\":60"),
        ("inspect --weights w.safetensors --json", "\"task_type\":\"classification\""),
        ("samples --json", "\"data\":\"sample:iris\""),
        (
            "compare --data t.csv --target y --support 20 --splits 2 --methods generated,linear --json",
            "\"speed_up\":null",
        ),
    ] {
        let told = place.succeed(arguments);
        assert!(told.stdout.lines().count() == 1 && told.stderr.is_empty(), "{told:?}");
        let value: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        assert!(value.is_object() && told.stdout.contains(key), "{arguments}: {told:?}");
    }
    let refused = place.run("predict --weights no --data t.csv --out p.csv --json");
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let place = Place::new();
    let ended =
        place.shell("set -o pipefail; for i in 1 2 3; do \"$W\" samples; done | true; \"$W\" samples | true");
    assert!(!ended.stderr.contains("panic") && !ended.stderr.contains("error"), "{ended:?}");
    let ended = place.shell("\"$W\" samples > /dev/full");
    assert!(ended.code == Some(2) && ended.stderr.starts_with("error: "), "{ended:?}");
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let place = Place::new();
    place.write("t.csv", classes(60)).write("w.safetensors", "old");
    place.refuse("generate --data t.csv --target y --out /dev/full", "cannot write /dev/full");
    // A limit on the size of files stands for a disk without room.
    let limited = |arguments: &str| place.shell(&format!("trap '' XFSZ; ulimit -f 1; \"$W\" {arguments}"));
    let ended = limited("generate --data t.csv --target y --out w.safetensors");
    assert!(ended.code == Some(2) && ended.stderr.contains("cannot write w.safetensors"), "{ended:?}");
    assert_eq!((place.read("w.safetensors").as_str(), place.files().len()), ("old", 2));

    place.succeed("generate --data t.csv --target y --out w.safetensors");
    place.write("p.csv", "old");
    let ended = limited("predict --weights w.safetensors --data t.csv --out p.csv");
    assert!(ended.code == Some(2) && ended.stderr.contains("cannot write p.csv"), "{ended:?}");
    assert_eq!((place.read("p.csv").as_str(), place.files().len()), ("old", 3));
    let ended = limited("compare --data t.csv --target y --splits 1 --methods untrained --report r.html");
    assert!(ended.code == Some(2) && ended.stderr.contains("cannot write r.html"), "{ended:?}");
    assert_eq!(place.files().len(), 3);
}

#[test]
fn places_that_cannot_be_written_are_told_before_the_work() {
    let place = Place::new();
    // The table does not exist either: the output is looked at first.
    place.refuse("generate --data no.csv --target y --out no/w.safetensors", "the folder no does not exist");
    place.refuse("predict --weights no --data no.csv --out no/p.csv", "the folder no does not exist");
    place.refuse("compare --data no.csv --target y --report no/r.html", "the folder no does not exist");
    place.refuse("compare --data no.csv --target y --out no/w.safetensors", "the folder no does not exist");
    place.refuse("evaluate --suite no --out no/r.csv", "the folder no does not exist");
    place.refuse("generate --data no.csv --target y --out .", "is a folder");
}

#[test]
fn predictions_can_be_piped() {
    let place = Place::new();
    place.write("t.csv", classes(30));
    place.succeed("generate --data t.csv --target y --out w.safetensors --precision bf16");
    let told = place.succeed("predict --weights w.safetensors --data t.csv --out /dev/stdout");
    assert_eq!(told.stdout.lines().count(), 31);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let place = Place::new();
    place.write("t.csv", classes(80));
    place.succeed("generate --data t.csv --target y --out a.safetensors");
    place.succeed("generate --data t.csv --target y --out b.safetensors");
    let bytes = |name: &str| std::fs::read(place.path(name)).unwrap();
    assert_eq!(bytes("a.safetensors"), bytes("b.safetensors"));
}

#[test]
fn reports_need_nothing_but_themselves() {
    let place = Place::new();
    let table = classes(80).replace("colour", "<script>alert(1)</script>");
    place.write("t&t.csv", table);
    let arguments =
        "compare --data t&t.csv --target y --support 30 --splits 2 --methods generated,untrained,linear";
    place.succeed(&format!("{arguments} --report r.html --out w.safetensors"));
    let page = place.read("r.html");
    assert!(page.contains("How good is the generated network on rows it has not seen"));
    assert!(
        page.contains("prefers-color-scheme: dark") && page.contains("<svg ") && page.contains("t&amp;t")
    );
    assert_eq!(page.matches("<script").count(), 1, "the page's own script and no other");
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        let found = page.replace("http://www.w3.org/2000/svg", "").contains(outside);
        assert!(!found, "the page refers to {outside}");
    }
    place.succeed("predict --weights w.safetensors --data t&t.csv --out p.csv");
    place.succeed(&format!("{arguments} --report r.svg"));
    let picture = place.read("r.svg");
    assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"));
}
