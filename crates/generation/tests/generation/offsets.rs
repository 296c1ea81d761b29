//! Numeric targets far from 0: a constant added to every value changes the predictions by that constant and nothing else,
//! in every precision of the file.

use crate::tables::{self, Sizes};
use burn::tensor::Device;
use weightsmith_base_model::{BaseModel, Precision};
use weightsmith_generation::{GenerateOptions, generate_base_model, load_metamodel, untrained_base_model};
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::{ColumnValues, Support, Table, Target, TaskType};

const SIZES: Sizes = Sizes { n_rows: 260, n_numeric: 5, n_categorical: 1, n_classes: 0, seed: 31 };
const N_SUPPORT: usize = 120;

/// Rows to learn from, others, and their values, all moved by `offset` standard deviations.
fn moved(offset: f64) -> (Support, Table, Vec<f64>) {
    let (table, target) = tables::draw(SIZES);
    let Target::Values(mut values) = target else { panic!("a number") };
    let (_, std) = tables::moments(&values);
    // Bent, so that no linear model takes the network's place.
    let ColumnValues::Numeric(first) = &table.columns()[0].values else { panic!("numbers") };
    values.iter_mut().zip(first).for_each(|(value, x)| *value += 1.2 * std * x.abs());
    let values: Vec<f64> = values.iter().map(|value| value + offset * std).collect();
    let all = Support::new(table, Target::Values(values.clone())).unwrap();
    let (few, rest): (Vec<usize>, Vec<usize>) = (0..SIZES.n_rows).partition(|row| *row < N_SUPPORT);
    (all.select(&few), all.table().select(&rest), values[N_SUPPORT..].to_vec())
}

/// Root mean squared error in standard deviations of the values.
fn error(model: &BaseModel, table: &Table, values: &[f64]) -> f64 {
    let predictions = model.predict(table).unwrap();
    let predicted = predictions.values().unwrap();
    let squares: f64 = predicted.iter().zip(values).map(|(p, v)| (p - v).powi(2)).sum();
    (squares / values.len() as f64).sqrt() / tables::moments(values).1
}

/// A metamodel that has learned something: in place of what one drawn at random writes, something simpler is written.
fn learned() -> Pretrained {
    load_metamodel(Some("regression-2-small"), TaskType::Regression, &Device::flex()).unwrap()
}

fn generated(support: &Support) -> BaseModel {
    // One that has learned something: in place of what a metamodel drawn at random writes, something simpler is written.
    let pretrained =
        load_metamodel(Some("regression-2-small"), TaskType::Regression, &Device::flex()).unwrap();
    generate_base_model(&pretrained, support, GenerateOptions::default()).unwrap().0
}

#[test]
fn an_offset_costs_nothing_in_any_precision() {
    let untrained = |support: &Support| untrained_base_model(support, &Device::flex()).unwrap();
    for make in [generated, untrained] {
        let (support, table, values) = moved(0.0);
        let plain = make(&support);
        let wanted = error(&plain, &table, &values);
        assert!(wanted < 0.7, "the table can be learned: {wanted}");
        let promised = plain.expected.unwrap().value;
        for offset in [1e4, -1e6, 1e8, 1e10, 1e12] {
            let (support, table, values) = moved(offset);
            let model = make(&support);
            let expected = model.expected.clone().unwrap();
            // At 1e12 the values themselves are rounded to some 1e-4 of the deviation.
            assert!(
                (expected.value / promised - 1.0).abs() < 5e-3,
                "{offset:e}: {expected:?}, not {promised}"
            );
            for precision in [Precision::F32, Precision::F16, Precision::Bf16] {
                let bytes = model.to_bytes(precision).unwrap();
                let found = error(&BaseModel::from_bytes(&bytes).unwrap(), &table, &values);
                assert!(found < 1.01 * wanted + 1e-3, "{offset:e} {precision}: {found}, not {wanted}");
            }
        }
    }
}

#[test]
fn what_is_promised_is_what_is_written() {
    let (support, _, _) = moved(1e4);
    let model = generated(&support);
    let exact = model.predict(support.table()).unwrap();
    let mut last = model.expected.clone().unwrap().value;
    for precision in [Precision::F32, Precision::F16, Precision::Bf16] {
        let stored = model.stored(precision, support.table()).unwrap();
        // The file holds these numbers and no others.
        let read = BaseModel::from_bytes(&stored.to_bytes(precision).unwrap()).unwrap();
        assert_eq!(read, stored, "{precision}");
        let rounded = read.predict(support.table()).unwrap();
        let pairs = exact.values().unwrap().iter().zip(rounded.values().unwrap());
        let cost = pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>() / support.n_rows() as f64;
        let wanted = (f64::from(model.expected.as_ref().unwrap().value).powi(2) + cost).sqrt();
        let promised = read.expected.unwrap().value;
        assert!(
            (f64::from(promised) - wanted).abs() < 1e-6 * wanted,
            "{precision}: {promised}, not {wanted}"
        );
        assert!(promised >= last, "{precision}: rounding makes nothing better");
        assert_eq!(precision == Precision::F32, cost == 0.0, "{precision}: {cost}");
        last = promised;
    }
}

#[test]
fn a_target_that_hardly_varies_is_not_called_constant() {
    // The last places of 64 bits are rounding; a million of them are not.
    let of = |spread: f64| {
        let (table, target) = tables::draw(SIZES);
        let Target::Values(values) = target else { panic!("a number") };
        let support = Support::new(table, Target::Values(values.iter().map(|v| 1e6 + spread * v).collect()));
        generate_base_model(&learned(), &support.unwrap(), GenerateOptions::default())
    };
    assert!(of(1e-5).is_ok());
    let refused = of(1e-13).unwrap_err().to_string();
    assert!(refused.contains("up to the rounding of numbers"), "{refused}");
}
