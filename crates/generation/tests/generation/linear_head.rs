//! The untrained metamodel is ridge regression at the strength that leave-one-out picks.

use crate::models;
use crate::tables::{self, Sizes};
use burn::tensor::Device;
use weightsmith_generation::untrained_base_model;
use weightsmith_metamodel::{EncodedSupport, Labels};
use weightsmith_tasks::{Base, Target};

/// Of the target's standard deviation: f32 against f64 through systems with condition numbers up to 1e4.
const TOLERANCE: f64 = 1e-3;
/// Precision of the intercept, and the bounds of the logarithm of a precision, as the head documents them.
const INTERCEPT_PRECISION: f64 = 0.02;
const LOG_PRECISION: (f64, f64) = (-3.0, 9.0);

/// Solves a symmetric positive definite system by elimination.
fn eliminate(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let p = system.len();
    for pivot in 0..p {
        let row = system[pivot].clone();
        for (position, other) in system.iter_mut().enumerate() {
            if position != pivot {
                let factor = other[pivot] / row[pivot];
                other.iter_mut().zip(&row).for_each(|(value, of_pivot)| *value -= factor * of_pivot);
            }
        }
    }
    (0..p).map(|position| system[position][p] / system[position][position]).collect()
}

/// Ridge regression on encoded rows by the normal equations: coefficients and, last, the intercept.
fn ridge(rows: &[Vec<f64>], values: &[f64], strength: f64) -> Vec<f64> {
    let p = rows[0].len();
    let mut system = vec![vec![0.0; p + 1]; p];
    for (row, value) in rows.iter().zip(values) {
        for i in 0..p {
            for j in 0..p {
                system[i][j] += row[i] * row[j];
            }
            system[i][p] += row[i] * value;
        }
    }
    for (position, equation) in system.iter_mut().enumerate() {
        equation[position] += if position == p - 1 { INTERCEPT_PRECISION } else { strength };
    }
    eliminate(system)
}

fn check(sizes: Sizes) {
    let (support, query) = models::split(sizes, sizes.n_rows - 20);
    let Target::Values(values) = support.target() else { panic!("a numeric target") };
    let (mean, std) = tables::moments(values);
    let (encoding, rows, labels, is_numeric) = tables::encoded(&support);
    let Labels::Values(standardised) = &labels else { panic!("a numeric target") };
    let standardised: Vec<f64> = standardised.iter().map(|value| f64::from(*value)).collect();
    let with_one = |row: &[f32]| row.iter().map(|x| f64::from(*x)).chain([1.0]).collect::<Vec<f64>>();
    let design: Vec<Vec<f64>> = (0..rows.n_rows).map(|row| with_one(rows.row(row))).collect();
    let encoded = EncodedSupport::<Base>::new(rows, labels.clone(), &is_numeric);
    let log_strength = f64::from(encoded.log_strength()).clamp(LOG_PRECISION.0, LOG_PRECISION.1);
    let coefficients = ridge(&design, &standardised, log_strength.exp());

    let model = untrained_base_model(&support, &Device::flex()).unwrap();
    let encoded_query = encoding.encode(&query).unwrap();
    let predicted = model.predict(&query).unwrap();
    for (row, found) in predicted.values().unwrap().iter().enumerate() {
        let x = with_one(encoded_query.row(row));
        let expected = mean + std * x.iter().zip(&coefficients).map(|(x, c)| x * c).sum::<f64>();
        let difference = (found - expected) / std;
        assert!(difference.abs() < TOLERANCE, "{sizes:?}, row {row}: {found} where ridge gives {expected}");
    }
}

#[test]
fn equals_ridge_by_brute_force() {
    let tall = Sizes { n_rows: 80, n_numeric: 4, n_categorical: 2, n_classes: 0, seed: 41 };
    check(tall);
    check(Sizes { n_rows: 40, n_numeric: 30, seed: 42, ..tall });
    check(Sizes { n_numeric: 0, n_categorical: 4, seed: 43, ..tall });
    check(Sizes { n_rows: 300, n_numeric: 1, n_categorical: 0, seed: 44, ..tall });
}
