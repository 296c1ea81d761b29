//! Files that are not what they should be: each gets its own error, none a panic.

use crate::models;
use rand::Rng;
use serde_json::{Map, Value, json};
use weightsmith_base_model::{BaseModel, FileError, ModelError, Precision};
use weightsmith_tasks::{Above, Base, Seed};

fn good() -> Vec<u8> {
    models::classifier().to_bytes(Precision::F32).unwrap()
}

fn load(bytes: &[u8]) -> FileError {
    BaseModel::<Base>::from_bytes(bytes).unwrap_err()
}

/// The file with another header over the same tensors.
fn with_header(change: impl FnOnce(&mut Map<String, Value>)) -> Vec<u8> {
    let bytes = good();
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Map<String, Value> = serde_json::from_slice(&bytes[8..8 + size]).unwrap();
    change(&mut header);
    let header = serde_json::to_vec(&header).unwrap();
    [(header.len() as u64).to_le_bytes().as_slice(), &header, &bytes[8 + size..]].concat()
}

fn with_metadata(key: &str, value: Option<&str>) -> Vec<u8> {
    with_header(|header| {
        let metadata = header["__metadata__"].as_object_mut().unwrap();
        match value {
            Some(value) => drop(metadata.insert(key.to_string(), json!(value))),
            None => drop(metadata.remove(key).unwrap()),
        }
    })
}

#[test]
fn the_fixture_is_good_and_more_metadata_is_ignored() {
    let expected = BaseModel::<Base>::from_bytes(&good()).unwrap();
    assert_eq!(BaseModel::from_bytes(&with_header(|_| {})).unwrap(), expected);
    assert_eq!(BaseModel::from_bytes(&with_metadata("licence", Some("MIT"))).unwrap(), expected);
    let plain = BaseModel::<Base>::from_bytes(&with_metadata("expected_performance", None)).unwrap();
    assert_eq!(plain.expected, None);
}

#[test]
fn not_a_safetensors_file() {
    for bytes in [b"age,colour,y\n1,red,0\n2,blue,1\n".as_slice(), b"PK\x03\x04 and so on and so on"] {
        assert!(matches!(load(bytes), FileError::NotSafetensors { .. }));
    }
    let mut broken = good();
    broken[9] = b'}';
    assert!(matches!(load(&broken), FileError::NotSafetensors { .. }));
    let overlapping = with_header(|h| h["hidden.bias"]["data_offsets"] = json!([4, 28]));
    assert!(matches!(load(&overlapping), FileError::NotSafetensors { .. }));
    let overflowing = with_header(|h| h["hidden.bias"]["shape"] = json!([u64::MAX, u64::MAX]));
    assert!(matches!(load(&overflowing), FileError::NotSafetensors { .. }));
}

#[test]
fn cut_off_or_too_long() {
    let bytes = good();
    for length in [0, 5, 8, 9, 100, bytes.len() - 1] {
        assert!(matches!(load(&bytes[..length]), FileError::Truncated), "{length}");
    }
    assert!(matches!(load(&[bytes.as_slice(), &[0]].concat()), FileError::Truncated));
}

#[test]
fn a_header_too_large() {
    let mut bytes = good();
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(load(&bytes), FileError::HeaderTooLarge { size: u64::MAX, .. }));
}

#[test]
fn not_our_format_version_or_level() {
    let other = load(&with_metadata("format", Some("pt")));
    assert!(matches!(&other, FileError::NotOurFormat { found: Some(found) } if found == "pt"), "{other}");
    let nothing = load(&with_header(|header| drop(header.remove("__metadata__"))));
    assert!(matches!(nothing, FileError::NotOurFormat { found: None }));
    let newer = load(&with_metadata("format_version", Some("3")));
    assert!(matches!(newer, FileError::WrongVersion { expected: "2", found } if found == "3"));
    let raised = with_metadata("level", Some("1"));
    assert!(matches!(load(&raised), FileError::WrongLevel { expected: 0, found: 1 }));
    assert!(BaseModel::<Above<Base>>::from_bytes(&raised).is_ok());
    let base = BaseModel::<Above<Base>>::from_bytes(&good());
    assert!(matches!(base, Err(FileError::WrongLevel { expected: 1, found: 0 })));
    assert!(matches!(
        load(&with_metadata("level", Some("-1"))),
        FileError::InvalidMetadata { key: "level", .. }
    ));
}

#[test]
fn metadata_missing_or_not_understood() {
    for key in ["format_version", "level", "task_type", "class_names", "encoding", "architecture", "support"]
    {
        let error = load(&with_metadata(key, None));
        assert!(matches!(&error, FileError::MissingMetadata { key: found } if *found == key), "{error}");
    }
    for key in ["task_type", "class_names", "encoding", "architecture", "metamodel", "expected_performance"] {
        for value in ["", "nonsense", "{\"inputs\":[],\"columns\":[]}", &"[".repeat(100_000)] {
            let error = load(&with_metadata(key, Some(value)));
            assert!(
                matches!(&error, FileError::InvalidMetadata { key: found, .. } if *found == key),
                "{error}"
            );
        }
    }
}

#[test]
fn tensors_that_do_not_fit() {
    let missing = with_header(|header| {
        // Its bytes are claimed by a stranger, or the file would count as truncated.
        let entry = header.remove("skip.weight").unwrap();
        header.insert("stranger".to_string(), entry);
    });
    assert!(matches!(load(&missing), FileError::ExtraTensor { name } if name == "stranger"));
    let mut wide = models::classifier().architecture;
    wide.hidden = vec![6, 6];
    let deeper = with_metadata("architecture", Some(&serde_json::to_string(&wide).unwrap()));
    assert!(matches!(load(&deeper), FileError::ExtraTensor { name } if name == "hidden.bias"));

    let mut without = models::classifier();
    without.architecture.skip = false;
    without.weights.skip = None;
    let text = String::from_utf8_lossy(&without.to_bytes(Precision::F32).unwrap()).into_owned();
    assert!(!text.contains("skip.weight"));
    let mut bytes = without.to_bytes(Precision::F32).unwrap();
    let place = bytes.windows(14).position(|window| window == br#"\"skip\":false"#).unwrap();
    bytes[place..place + 14].copy_from_slice(br#"\"skip\":true "#);
    assert!(matches!(load(&bytes), FileError::MissingTensor { name } if name == "skip.weight"));

    let turned = with_header(|header| header["hidden.weight"]["shape"] = json!([8, 6]));
    assert!(matches!(load(&turned), FileError::WrongShape { found, .. } if found == [8, 6]));
    let integers = with_header(|header| header["hidden.weight"]["dtype"] = json!("I32"));
    assert!(matches!(load(&integers), FileError::WrongType { found, .. } if found == "I32"));
}

#[test]
fn contradictions() {
    let mut bytes = good();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(
        matches!(load(&bytes), FileError::Model(ModelError::NotFinite { tensor }) if tensor == "skip.weight")
    );
    let encoding = r#"{"inputs":[["a","numeric"]],"columns":[{"source":0,"transform":"constant"}]}"#;
    assert!(matches!(
        load(&with_metadata("encoding", Some(encoding))),
        FileError::Model(ModelError::EncodingWidth { n_columns: 1, n_inputs: 8 })
    ));
    assert!(matches!(
        load(&with_metadata("class_names", Some(r#"["a","b"]"#))),
        FileError::Model(ModelError::ClassCount { n_classes: 2, n_outputs: 3, .. })
    ));
    assert!(matches!(
        load(&with_metadata("class_names", Some(r#"["a","b","a"]"#))),
        FileError::Model(ModelError::RepeatedClass { .. })
    ));
    let huge = r#"{"n_inputs":8,"hidden":[9007199254740993],"n_outputs":3,"activation":"relu","skip":true}"#;
    assert!(matches!(
        load(&with_metadata("architecture", Some(huge))),
        FileError::Model(ModelError::Architecture(_))
    ));
}

/// The error of a file whose column of text is changed.
fn with_text(change: impl FnOnce(&mut Value)) -> String {
    let mut encoding = serde_json::to_value(models::text_encoding()).unwrap();
    change(&mut encoding);
    load(&with_metadata("encoding", Some(&encoding.to_string()))).to_string()
}

#[test]
fn texts_that_contradict_themselves() {
    let check = |change: fn(&mut Value), expected: &str| {
        let error = with_text(change);
        assert!(error.contains(expected) && !error.contains('\n'), "{error} instead of {expected}");
    };
    let other_width = "the encoding has 4 columns";
    check(|_| {}, other_width);
    check(|encoding| drop(encoding.as_object_mut().unwrap().remove("texts")), other_width);
    check(|encoding| encoding["texts"] = json!([]), other_width);
    check(|encoding| encoding["texts"][0]["words"]["texts"][0] = json!(8), "at most in all");
    check(|encoding| encoding["texts"][0]["words"]["texts"][0] = json!(0), "at least one text");
    check(|encoding| encoding["texts"][0]["words"]["texts"] = json!([1, 2]), "not one count");
    check(|encoding| encoding["texts"][0]["pieces"]["weights"][1] = json!([]), "not one count");
    check(|encoding| encoding["texts"][0]["pieces"]["weights"] = json!([]), "not one count");
    check(|encoding| encoding["texts"][0]["pieces"]["weights"][0][0] = json!(1e300), "must be finite");
    check(|encoding| encoding["texts"][0]["words"]["ngrams"][1] = json!("50"), "must ascend");
    check(|encoding| encoding["texts"][0]["scores"] = json!([]), "no input is made");
    check(|encoding| encoding["texts"][0]["scores"][0] = json!("score b"), "one name twice");
    check(|encoding| encoding["texts"][0]["column"] = json!("age, in years"), "is read twice");
    check(|encoding| encoding["texts"][0]["n_texts"] = json!(-1), "is not valid");
    check(|encoding| encoding["texts"][0]["more"] = json!(1), "is not valid");
    check(
        |encoding| {
            let mut other = encoding["texts"][0].clone();
            other["column"] = json!("other");
            encoding["texts"].as_array_mut().unwrap().push(other);
        },
        "made of two columns of text",
    );
    check(
        |encoding| encoding["texts"][0]["scores"] = json!(["p", "q"]),
        "no input is made of a column of text",
    );
}

#[test]
fn no_flipped_byte_makes_it_panic() {
    let models = [good(), models::text_classifier().to_bytes(Precision::F32).unwrap()];
    let mut rng = Seed(11).stream("flips");
    for turn in 0..6000 {
        let mut bytes = models[turn % 2].clone();
        for _ in 0..rng.random_range(1..4) {
            let place = rng.random_range(0..bytes.len());
            bytes[place] = rng.random();
        }
        // Whatever is accepted must also be usable.
        if let Ok(model) = BaseModel::<Base>::from_bytes(&bytes) {
            model.validate().unwrap();
            let _ = model.predict(&models::table());
            assert!(!model.describe().is_empty());
        }
    }
}
