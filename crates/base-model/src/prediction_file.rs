//! The text of predictions: CSV with a row for each row that was predicted.

use crate::{BaseModel, Bounds, Predicted, Predictions};

/// Columns beside the predictions of a file.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Beside<'a> {
    /// A column that comes first: its name, and its field for each row.
    pub id: Option<(&'a str, &'a [String])>,
    /// What is promised of each row, in the last columns: `lower` and `upper`, or for each class `in_set_<class>`, 1 or 0.
    pub bounds: Option<&'a Bounds>,
}

/// The CSV text of predictions: `prediction`, then for a classification `probability_<class>` for every class in
/// the model's order, for a regression `std`, the standard deviation of its errors, one for all rows (empty if it is not
/// known).
///
/// # Panics
/// If the predictions are not the model's, or there is not a field for each row.
pub fn predictions_csv(model: &BaseModel, predictions: &Predictions, beside: &Beside<'_>) -> Vec<u8> {
    let std = model.expected.as_ref().and_then(|expected| expected.residual_std);
    let mut columns = columns(&model.class_names, std, predictions);
    match beside.bounds {
        None => {}
        Some(Bounds::Values(ends)) => {
            for (place, name) in ["lower", "upper"].into_iter().enumerate() {
                columns.push((name.to_string(), ends.iter().map(|ends| wide_number(ends[place])).collect()));
            }
        }
        Some(Bounds::Classes(in_set)) => {
            for (class, name) in model.class_names.iter().enumerate() {
                let of_class = in_set.iter().skip(class).step_by(model.class_names.len());
                let fields = of_class.map(|is_in| u8::from(*is_in).to_string());
                columns.push((format!("in_set_{name}"), fields.collect()));
            }
        }
    }
    if let Some((name, fields)) = beside.id {
        columns.insert(0, (name.to_string(), fields.to_vec()));
    }
    csv_of(&columns)
}

/// [`predictions_csv`] of predictions that need not be a base model's.
///
/// # Panics
/// If there is not a name for each class.
pub fn predictions_csv_of(names: &[String], std: Option<f32>, predictions: &Predictions) -> Vec<u8> {
    csv_of(&columns(names, std, predictions))
}

/// A name and a field for each row.
type Column = (String, Vec<String>);

fn columns(names: &[String], std: Option<f32>, predictions: &Predictions) -> Vec<Column> {
    match predictions.predicted() {
        Predicted::Probabilities { n_classes, values } => {
            assert_eq!(*n_classes, names.len(), "a probability for each class");
            let labels = predictions.labels().unwrap_or_default();
            let first = labels.into_iter().map(|label| names[label].clone()).collect();
            let of_class = |(class, name): (usize, &String)| {
                let fields = values.iter().skip(class).step_by(*n_classes).map(|value| number(*value));
                (format!("probability_{name}"), fields.collect())
            };
            std::iter::once(("prediction".to_string(), first))
                .chain(names.iter().enumerate().map(of_class))
                .collect()
        }
        Predicted::Values(values) => {
            let std = std.map_or(String::new(), number);
            vec![
                ("prediction".to_string(), values.iter().map(|value| wide_number(*value)).collect()),
                ("std".to_string(), vec![std; values.len()]),
            ]
        }
    }
}

fn csv_of(columns: &[Column]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let n_rows = columns.first().map_or(0, |(_, fields)| fields.len());
    assert!(columns.iter().all(|(_, fields)| fields.len() == n_rows), "a field for each row");
    writer.write_record(columns.iter().map(|(name, _)| name)).expect("memory takes every byte");
    for row in 0..n_rows {
        let fields = columns.iter().map(|(_, fields)| &fields[row]);
        writer.write_record(fields).expect("memory takes every byte");
    }
    writer.into_inner().expect("memory takes every byte")
}

/// The shortest text that reads back as the same number.
fn number(value: f32) -> String {
    let plain = value == 0.0 || (1e-4..1e9).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// [`number`] of a 64-bit number. Values have been rounded to what a network knows, so that this is short too.
fn wide_number(value: f64) -> String {
    let plain = value == 0.0 || (1e-4..1e16).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// The number that a reader of [`predictions_csv`] finds: the f64 nearest to the decimal text of `value`, which is not
/// always the f64 equal to it.
pub fn as_written(value: f32) -> f64 {
    number(value).parse().expect("a number's text is a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_are_quoted_as_csv_asks() {
        let names = ["a,b", "say \"hi\"", "🦀"].map(String::from);
        let logits: Vec<f32> = (0..36).map(|at| if at % 3 == at / 12 { 4.0 } else { 0.5 }).collect();
        let text = predictions_csv_of(&names, None, &Predictions::from_logits(3, &logits));
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let header: Vec<&str> = reader.headers().unwrap().iter().collect();
        assert_eq!(header, ["prediction", "probability_a,b", "probability_say \"hi\"", "probability_🦀"]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!((rows.len(), &rows[0][0], &rows[11][0]), (12, "a,b", "🦀"));
        let total: f64 = (1..4).map(|column| rows[5][column].parse::<f64>().unwrap()).sum();
        assert!((total - 1.0).abs() < 1e-6);
    }

    #[test]
    fn values_come_with_their_deviation() {
        let predictions = Predictions::from_values(vec![1.5, -2.0]);
        let text = |std: Option<f32>| String::from_utf8(predictions_csv_of(&[], std, &predictions)).unwrap();
        assert_eq!(text(Some(0.25)), "prediction,std\n1.5,0.25\n-2,0.25\n");
        assert_eq!(text(None), "prediction,std\n1.5,\n-2,\n");
    }

    #[test]
    fn numbers_are_short_and_exact() {
        for value in [0.0, 0.1, 1e-30, -2.5e12, 123456.79, f32::MIN_POSITIVE] {
            let text = number(value);
            assert!(text.len() < 14 && text.parse::<f32>().unwrap() == value, "{text}");
        }
        assert!(as_written(0.1) == 0.1 && as_written(0.1) != f64::from(0.1f32));
        assert!(as_written(f32::NAN).is_nan() && as_written(f32::INFINITY) == f64::INFINITY);
    }
}
