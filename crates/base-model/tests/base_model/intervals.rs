//! What is promised of single rows, and its place in the file.

use crate::models;
use weightsmith_base_model::{
    BaseModel, Beside, Bounds, FileError, HeldOutErrors, IntervalError, ModelError, Precision, Predictions,
    TargetUnit, predictions_csv,
};
use weightsmith_tasks::Base;

fn with_errors(model: BaseModel, errors: &[f64]) -> BaseModel {
    BaseModel { held_out: HeldOutErrors::of(errors.to_vec()), ..model }
}

#[test]
fn values_lie_between_ends_in_the_targets_unit() {
    let errors: Vec<f64> = (1..=19).map(|rank| f64::from(rank) / 8.0).collect();
    let predictions = Predictions::from_values(vec![10.0, -2.0]);
    let plain = with_errors(models::regressor(), &errors);
    // The 18th of 19 errors holds 18 of 20.
    let expected = Bounds::Values(vec![[7.75, 12.25], [-4.25, 0.25]]);
    assert_eq!(plain.bounds(&predictions, 0.9), Ok(expected));
    let unit = TargetUnit { centre: 1e9, scale: 4.0 };
    let distant = BaseModel { target_unit: Some(unit), ..plain.clone() };
    let ends = distant.bounds(&Predictions::from_values(vec![1e9 + 8.0]), 0.9);
    assert_eq!(ends, Ok(Bounds::Values(vec![[1e9 - 1.0, 1e9 + 17.0]])));
    // Half of the rows is half of the errors, and 19 rows cannot promise 96 %.
    assert_eq!(plain.bounds(&predictions, 0.5), Ok(Bounds::Values(vec![[8.75, 11.25], [-3.25, -0.75]])));
    let refused = plain.bounds(&predictions, 0.96).unwrap_err();
    assert!(refused.to_string().contains("19 that were held out; the most is 0.950"), "{refused}");
    let unknown = BaseModel { held_out: None, ..plain };
    assert_eq!(unknown.bounds(&predictions, 0.9), Err(IntervalError::NotKnown));
}

#[test]
fn sets_hold_every_class_that_is_as_probable_as_true_ones_were() {
    let errors: Vec<f64> = (0..19).map(|rank| f64::from(rank) / 20.0).collect();
    let model = with_errors(models::classifier(), &errors);
    // The 18th error is 0.85: classes of a probability of 0.15 or more.
    let shares = [0.5, 0.35, 0.15, 0.9, 0.06, 0.04, 0.1, 0.2, 0.7];
    let predictions = Predictions::from_shares(3, &shares);
    let expected = [true, true, true, true, false, false, false, true, true];
    assert_eq!(model.bounds(&predictions, 0.9), Ok(Bounds::Classes(expected.to_vec())));
    // No set is empty: the most probable class is in every one.
    let sure = with_errors(models::classifier(), &[0.0; 19]);
    let expected = [true, false, false, true, false, false, false, false, true];
    assert_eq!(sure.bounds(&predictions, 0.9), Ok(Bounds::Classes(expected.to_vec())));
    let bounds = model.bounds(&predictions, 0.9).unwrap();
    let beside = Beside { id: Some(("row", &["a", "b", "c"].map(String::from))), bounds: Some(&bounds) };
    let text = String::from_utf8(predictions_csv(&model, &predictions, &beside)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("row,prediction,") && lines[0].ends_with(",in_set_yes 👍"), "{text}");
    assert!(lines[2].starts_with("b,\"no, thanks\",0.9,") && lines[2].ends_with(",1,0,0"), "{text}");
}

#[test]
fn errors_are_in_the_file_and_checked() {
    let model = with_errors(models::distant_regressor(), &[0.5, 0.25]);
    let bytes = model.to_bytes(Precision::F32).unwrap();
    assert_eq!(BaseModel::<Base>::from_bytes(&bytes).unwrap(), model);
    let replaced = |from: &str, to: &str| -> Vec<u8> {
        let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        [&bytes[..at], format!("{to:<width$}", width = from.len()).as_bytes(), &bytes[at + from.len()..]]
            .concat()
    };
    let whole = "{\\\"n_rows\\\":2,\\\"errors\\\":[0.25,0.5]}";
    for bad in ["0.5,0.25", "0.5", "-1,0.5", "null,1", "1,1e99"] {
        let bad = replaced(whole, &whole.replace("0.25,0.5", bad));
        let refused = BaseModel::<Base>::from_bytes(&bad).unwrap_err();
        let is_told = matches!(
            refused,
            FileError::Model(ModelError::BadErrors)
                | FileError::InvalidMetadata { key: "held_out_errors", .. }
        );
        assert!(is_told, "{refused}");
    }
    // A file from before says nothing of errors, and is read.
    let older = replaced("\"held_out_errors\"", "\"held_out_xxxxxx\"");
    assert_eq!(BaseModel::<Base>::from_bytes(&older).unwrap(), BaseModel { held_out: None, ..model });
}

#[test]
fn rounded_weights_promise_wider_intervals() {
    let rows = models::table();
    for model in [models::regressor(), models::classifier()] {
        let errors = |model: &BaseModel| model.held_out.clone().unwrap().errors;
        let rounded = model.stored(Precision::Bf16, &rows).unwrap();
        let wider = errors(&rounded)[0] - errors(&model)[0];
        assert!(wider > 0.0 && wider < 0.1, "{wider}");
        let gaps = errors(&rounded).into_iter().zip(errors(&model)).map(|(rounded, exact)| rounded - exact);
        assert!(gaps.into_iter().all(|gap| (gap - wider).abs() < 1e-6));
        assert_eq!(model.stored(Precision::F32, &rows).unwrap().held_out, model.held_out);
    }
}
