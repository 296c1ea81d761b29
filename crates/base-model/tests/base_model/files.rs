//! Saving, loading, describing.

use crate::models;
use safetensors::SafeTensors;
use std::path::Path;
use weightsmith_base_model::{BaseModel, FileError, ModelError, Precision, SupportInfo, TargetUnit, inspect};
use weightsmith_tasks::{Column, ColumnValues, Support, Table, Target};

#[test]
fn save_and_load_are_equal() {
    let folder = tempfile::tempdir().unwrap();
    for (position, model) in models::all().into_iter().enumerate() {
        let path = folder.path().join(format!("{position}.safetensors"));
        model.save(&path, Precision::F32).unwrap();
        let loaded = BaseModel::load(&path).unwrap();
        assert_eq!(loaded, model);
        assert_eq!(loaded.predict(&models::table()), model.predict(&models::table()));
        // The same model, the same bytes; nothing else is left in the folder.
        assert_eq!(std::fs::read(&path).unwrap(), loaded.to_bytes(Precision::F32).unwrap());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 6);
}

#[test]
fn half_precision_rounds_once() {
    let model = models::classifier();
    for (precision, tolerance) in [(Precision::F16, 2f32.powi(-11)), (Precision::Bf16, 2f32.powi(-8))] {
        let bytes = model.to_bytes(precision).unwrap();
        let loaded: BaseModel = BaseModel::from_bytes(&bytes).unwrap();
        for ((name, _, found), (_, _, expected)) in loaded.weights.named().iter().zip(model.weights.named()) {
            // Small and sensitive tensors lose nothing.
            let is_exact = name.ends_with(".bias") || name == "skip.weight";
            assert_eq!(*found == expected, is_exact, "{name}");
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() <= tolerance * expected.abs() + 1e-7, "{found} {expected}");
            }
        }
        assert_eq!(loaded.to_bytes(precision).unwrap(), bytes);
    }
    let mut large = models::regressor();
    large.weights.output.as_mut().unwrap().values[0] = 70_000.0;
    let error = large.to_bytes(Precision::F16).unwrap_err();
    assert!(
        matches!(&error, FileError::NotRepresentable { tensor, .. } if tensor == "output.weight"),
        "{error}"
    );
    assert!(error.to_string().contains("use bf16 or f32"), "{error}");
    assert!(large.to_bytes(Precision::Bf16).is_ok());
    large.weights.output.as_mut().unwrap().values[0] = f32::MAX;
    assert!(matches!(large.to_bytes(Precision::Bf16), Err(FileError::NotRepresentable { .. })));
    assert!(large.to_bytes(Precision::F32).is_ok());
}

#[test]
fn any_reader_of_the_format_opens_it() {
    let model = models::classifier();
    let bytes = model.to_bytes(Precision::F32).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.names().len(), 5);
    let tensor = file.tensor("hidden.weight").unwrap();
    assert_eq!(tensor.shape(), [6, 8]);
    let first = model.weights.hidden[0].weight.values[0];
    assert_eq!(tensor.data()[..4], first.to_le_bytes());
    // Tensors start at a multiple of 8, as readers that map the file want it.
    assert_eq!(u64::from_le_bytes(bytes[..8].try_into().unwrap()) % 8, 0);
}

#[test]
fn a_refused_write_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    std::fs::write(&path, "precious").unwrap();
    let mut bad = models::classifier();
    bad.weights.output_bias[1] = f32::NAN;
    let error = bad.save(&path, Precision::F32).unwrap_err();
    assert!(matches!(&error, FileError::Model(ModelError::NotFinite { tensor }) if tensor == "output.bias"));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    let good = models::classifier();
    assert!(matches!(good.save(folder.path(), Precision::F32), Err(FileError::Io { action: "write", .. })));
    let nowhere = folder.path().join("none").join("w.safetensors");
    assert!(matches!(good.save(&nowhere, Precision::F32), Err(FileError::Io { .. })));
    assert!(matches!(BaseModel::<weightsmith_tasks::Base>::load(&nowhere), Err(FileError::Io { .. })));
    good.save(&path, Precision::F32).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let check = |change: fn(&mut BaseModel), expected: &str| {
        let mut model = models::classifier();
        change(&mut model);
        let error = model.validate().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(|m| m.architecture.n_inputs += 1, "8 columns and the network 9 inputs");
    check(|m| drop(m.class_names.pop()), "2 class names and 3 outputs");
    check(|m| m.class_names[1] = m.class_names[0].clone(), "two classes");
    check(|m| m.architecture.hidden[0] += 1, "shapes of the architecture");
    check(|m| m.weights.hidden[0].bias.truncate(3), "shapes of the architecture");
    check(|m| m.architecture.hidden.clear(), "shapes of the architecture");
    check(|m| m.task_type = weightsmith_tasks::TaskType::Regression, "do not make a regression");
    check(|m| m.target_unit = Some(TargetUnit { centre: 0.0, scale: 1.0 }), "unit of the target");
    check(|m| m.expected.as_mut().unwrap().high = f32::INFINITY, "not finite");
    check(|m| m.expected.as_mut().unwrap().residual_std = Some(-1.0), "negative");
}

#[test]
fn a_description_tells_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let model = models::classifier();
    model.save(&path, Precision::Bf16).unwrap();
    let described = inspect(&path).unwrap();
    let text = described.to_string();
    for part in [
        "classification, level 0",
        "\"no, thanks\", \"\\\"maybe\\\"\", \"yes 👍\"",
        "8 > 6 > 3, relu, skip path, 99 weights",
        "tabby",
        "128 rows",
        "log-loss 0.4100, between 0.3100 and 0.5170",
        "Gaussian rank, 4 knots from -10.5 to 41",
        "any other level",
        "hidden.weight      [6, 8] bf16",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let json = serde_json::to_value(&described).unwrap();
    assert_eq!(json["tensors"][1]["name"], "hidden.weight");
    assert_eq!(json["tensors"][1]["precision"], "bf16");
    assert!(model.describe().contains("hidden.weight      [6, 8] f32"));
    assert!(inspect(Path::new("/nowhere")).is_err());
}

#[test]
fn a_support_has_a_checksum() {
    let support = |value: f64, level: Option<u32>| {
        let levels = vec!["u".to_string(), "v".to_string()];
        let columns = vec![
            Column { name: "a".into(), values: ColumnValues::Numeric(vec![1.0, value]) },
            Column {
                name: "c".into(),
                values: ColumnValues::Categorical { levels, codes: vec![Some(0), level] },
            },
        ];
        let table = Table::new(2, columns).unwrap();
        SupportInfo::of(&Support::new(table, Target::Values(vec![0.0, 1.0])).unwrap())
    };
    let first = support(2.0, None);
    assert_eq!((first.n_rows, first.checksum.len()), (2, 64));
    assert_eq!(first, support(2.0, None));
    assert_ne!(first, support(f64::NAN, None));
    assert_ne!(first, support(2.0, Some(0)));
    assert_ne!(support(2.0, Some(1)), support(2.0, Some(0)));
    assert_eq!(support(f64::NAN, None), support(-f64::NAN, None));
}

/// The older version says values, whatever else stands in the file.
#[test]
fn files_of_the_first_version_are_read() {
    let model = models::distant_regressor();
    let bytes = model.to_bytes(Precision::F32).unwrap();
    let replaced = |from: &str, to: &str| -> Vec<u8> {
        let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
    };
    let older = replaced("\"format_version\":\"2\"", "\"format_version\":\"1\"");
    let read: BaseModel = BaseModel::from_bytes(&older).unwrap();
    assert_eq!(read, BaseModel { target_unit: None, ..model.clone() });
    let outputs = read.weights.predict(&read.encoding.encode(&models::table()).unwrap());
    let predictions = read.predict(&models::table()).unwrap();
    for (value, output) in predictions.values().unwrap().iter().zip(&outputs) {
        assert_eq!(value.to_string(), output.to_string());
    }
    for unit in ["{\\\"centre\\\":1e999,", "{\\\"centre\\\":null, "] {
        let whole = "{\\\"centre\\\":2500000000000.0,";
        let bad = replaced(whole, &format!("{unit:<width$}", width = whole.len()));
        assert!(BaseModel::<weightsmith_tasks::Base>::from_bytes(&bad).is_err(), "{unit}");
    }
}

#[test]
fn a_table_has_texts_or_what_they_become() {
    let (model, table) = (models::text_classifier(), models::table());
    assert_eq!(
        model.encoding.schema().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["age, in years", "note, \"free\""]
    );
    let made = models::text().columns(&table.column("note, \"free\"").unwrap().values).unwrap();
    let age = table.column("age, in years").unwrap().clone();
    let others = weightsmith_tasks::Table::new(10, made.into_iter().chain([age.clone()]).collect()).unwrap();
    assert_eq!(model.predict(&others).unwrap(), model.predict(&table).unwrap());
    let without = weightsmith_tasks::Table::new(10, vec![age]).unwrap();
    let error = model.predict(&without).unwrap_err().to_string();
    assert!(error.starts_with("column \"note, \"free\"\" is missing"), "{error}");
    let told = model.describe();
    assert!(told.contains("raised by \"😀😀\"") && told.contains("7 words and pairs"), "{told}");
}
