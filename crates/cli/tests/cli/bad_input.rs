//! Each kind of bad input gets exit code 2 and one line that says what is wrong, and leaves no file behind.

use crate::run::{Place, classes};

/// `generate` and `compare` refuse the table, and nothing is written.
fn check_table(table: impl AsRef<[u8]>, expected: &str) {
    let place = Place::new();
    place.write("t.csv", table);
    place.refuse("generate --data t.csv --target y --out w.safetensors", expected);
    place.refuse("compare --data t.csv --target y --out w.safetensors --report r.html", expected);
    assert_eq!(place.files(), ["t.csv"]);
}

#[test]
fn tables_that_nothing_can_be_learned_from() {
    check_table("", "t.csv is empty");
    check_table("a,y\n", "has a header but no rows");
    check_table("a,y\n1,x\n2,x\n3,x\n4,x\n5,x\n6,x\n7,x\n", "every row has the class \"x\"");
    check_table("a,y\n1,0.5\n2,0.5\n3,0.5\n4,0.5\n5,0.5\n6,0.5\n", "is 0.5 in every row");
    check_table("y\n1\n2\n", "no column besides the target");
    check_table("a,z\n1,x\n", "no column \"y\" to use as the target");
    check_table("a,y\n1,x\n2,y\n3,x\n4,\n5,x\n6,y\n", "line 5: no value");
}

#[test]
fn files_that_are_no_tables() {
    check_table("a,y\n1,x\n2,y,3\n", "line 3: 3 fields where the header has 2");
    check_table(b"a,y\n1,caf\xe9\n2,b\n", "line 2: not UTF-8");
    check_table(b"a\0,y\n1,2\n", "NUL byte");
    check_table("a,y\n1,\"x\n", "a quote is opened and never closed");
    check_table("a,a,y\n1,2,x\n1,2,z\n", "both called \"a\"");
    check_table("a,y\ninf,x\n2,z\n3,x\n4,z\n5,x\n6,z\n", "infinite");
    let place = Place::new();
    place.refuse("generate --data no.csv --target y --out w.safetensors", "cannot read no.csv");
    place.refuse("generate --data . --target y --out w.safetensors", "cannot read .");
    place.refuse(
        "generate --data sample:nothing --out w.safetensors",
        "no built-in sample is called \"nothing\"",
    );
}

#[test]
fn too_few_rows() {
    let place = Place::new();
    place.write("few.csv", "a,y\n1,x\n2,z\n3,x\n");
    place.refuse(
        "generate --data few.csv --target y --out w.safetensors",
        "3 labelled rows are too few; at least 4 are needed",
    );
    place.refuse("compare --data few.csv --target y --out w.safetensors", "few.csv has 3 rows; 6 are needed");
    place.write("t.csv", classes(40));
    place.refuse("compare --data t.csv --target y --support 3", "3 support rows are too few; at least 4");
    place.write("rare.csv", format!("a,y\n{}9,z\n", "1,x\n2,x\n".repeat(40)));
    place.refuse("compare --data rare.csv --target y --support 4 --splits 1", "of one class");
}

#[test]
fn rows_that_do_not_fit_the_model() {
    let place = Place::new();
    place.write("t.csv", classes(40));
    place.succeed("generate --data t.csv --target y --out w.safetensors");
    let check = |table: &str, expected: &str| {
        place.write("new.csv", table);
        place.refuse("predict --weights w.safetensors --data new.csv --out p.csv", expected);
    };
    check("a,b,colour\n1,many,red\n", "line 2: \"many\" in column \"b\" is not a number");
    check("a,b,colour\n1,1e999,red\n", "is infinite");
    check("a,colour\n1,red\n", "lacks 1 of the columns the model was made for: \"b\"");
    check("a,b,colour\n", "no rows");
    check("a,b,colour\n1,2\n", "line 2: 2 fields");
    assert_eq!(place.files(), ["new.csv", "t.csv", "w.safetensors"]);
}

#[test]
fn files_that_are_no_weights() {
    let place = Place::new();
    place.write("t.csv", classes(40));
    place.succeed("generate --data t.csv --target y --out w.safetensors");
    let whole = std::fs::read(place.path("w.safetensors")).unwrap();
    let check = |bytes: &[u8], expected: &str| {
        place.write("bad.safetensors", bytes);
        place.refuse("predict --weights bad.safetensors --data t.csv --out p.csv", expected);
        place.refuse("inspect bad.safetensors", expected);
    };
    check(&whole[..whole.len() - 3], "truncated");
    check(b"", "bad.safetensors");
    check(b"not weights at all, but some text", "bad.safetensors");
    check(&u64::MAX.to_le_bytes(), "the header claims");
    let replaced = |from: &str, to: &str| {
        let at = whole.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&whole[..at], to.as_bytes(), &whole[at + from.len()..]].concat()
    };
    check(&replaced("weightsmith-base-model", "another-base-model-xxx"), "not of a weightsmith base model");
    check(&replaced("\"format_version\":\"2\"", "\"format_version\":\"9\""), "format version \"9\"");
    let other_level = replaced("\"level\":\"0\"", "\"level\":\"1\"");
    place.write("above.safetensors", other_level);
    place.refuse("predict --weights above.safetensors --data t.csv --out p.csv", "of level 1 where level 0");
    place.refuse("predict --weights no.safetensors --data t.csv --out p.csv", "no.safetensors");
    assert!(!place.files().contains(&"p.csv".to_string()));
}

#[test]
fn what_is_typed_wrongly() {
    let place = Place::new();
    place.write("t.csv", classes(40));
    for arguments in [
        "",
        "fly",
        "generate",
        "generate --data t.csv --target y --out w.safetensors --task guess",
        "inspect",
    ] {
        let ended = place.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments}");
    }
    place.refuse("generate --data t.csv --out w.safetensors", "needs a target");
    place
        .refuse("generate --data t.csv --target y --out w.safetensors --metamodel no", "no metamodel \"no\"");
    place.refuse("generate --data t.csv --target y --out w.safetensors --metamodel t.csv", "t.csv");
    place.refuse(
        "generate --data t.csv --target y --out w.safetensors --metamodel regression-3",
        "regression",
    );
    place.refuse(
        "generate --data t.csv --target y --out w.safetensors --device gpu",
        "unknown device \"gpu\"",
    );
    let many: String = (0..150).map(|i| format!("{i},k{i}\n")).collect();
    place.write("many.csv", format!("x,y\n{many}"));
    place.refuse("generate --data many.csv --target y --out w.safetensors", "150 classes; at most 100");
    place.refuse("compare --data many.csv --target y", "many.csv: 150 classes; at most 100");
    if cfg!(not(feature = "cuda")) {
        place.refuse(
            "generate --data t.csv --target y --out w.safetensors --device cuda:0",
            "no CUDA support",
        );
    }
    place.refuse("compare --data t.csv --target y --report r.pdf", "neither .html nor .svg");
    assert_eq!(place.files(), ["many.csv", "t.csv"]);
}
