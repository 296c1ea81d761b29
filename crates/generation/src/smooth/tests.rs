use super::*;
use rand::Rng;
use weightsmith_tasks::{Column, ColumnValues, Seed, Support, Table, Target};

/// A table of uniform columns of which the first two matter, one wave along both.
fn wave(n_rows: usize, seed: u64) -> (Table, Vec<f64>) {
    let rng = &mut Seed(seed).stream("test.smooth");
    let mut column = |name: &str| {
        let values: Vec<f64> = (0..n_rows).map(|_| rng.random_range(-1.0..1.0)).collect();
        (Column { name: name.into(), values: ColumnValues::Numeric(values.clone()) }, values)
    };
    let ((a, first), (b, second), (c, _)) = (column("a"), column("b"), column("c"));
    let values = first.iter().zip(&second).map(|(x, y)| (3.0 * x).sin() * y).collect();
    (Table::new(n_rows, vec![a, b, c]).unwrap(), values)
}

fn target(values: &[f64], n_classes: usize) -> Target {
    match n_classes {
        0 => Target::Values(values.to_vec()),
        _ => Target::Classes {
            class_names: (0..n_classes).map(|class| format!("class {class}")).collect(),
            labels: values
                .iter()
                .map(|value| (((value + 0.5) * n_classes as f64) as usize).min(n_classes - 1))
                .collect(),
        },
    }
}

#[test]
fn a_wave_is_told_in_rows_that_were_not_seen() {
    let ((table, values), (fresh, wanted)) = (wave(150, 0), wave(300, 1));
    let support: Support = Support::new(table, target(&values, 0)).unwrap();
    let read = Reading::new(&support).unwrap();
    let told = Smooth::fit(&read).unwrap().told(&read.fitted.standard.encode(&fresh).unwrap());
    let unit = read.canonical.unit().unwrap();
    let missed: f64 = wanted.iter().zip(told).map(|(w, t)| (w - unit.value(t)).powi(2)).sum();
    let spread: f64 = wanted.iter().map(|value| value * value).sum();
    assert!(missed < 0.02 * spread, "{missed} of {spread}");
}

#[test]
fn memberships_add_up_to_one_and_the_class_of_a_row_has_the_largest() {
    for n_classes in [2, 3, 5] {
        let ((table, values), (fresh, wanted)) = (wave(250, 2), wave(300, 3));
        let support: Support = Support::new(table, target(&values, n_classes)).unwrap();
        let read = Reading::new(&support).unwrap();
        let told = Smooth::fit(&read).unwrap().told(&read.fitted.standard.encode(&fresh).unwrap());
        let Target::Classes { labels, .. } = target(&wanted, n_classes) else { unreachable!() };
        let mut n_right = 0;
        for (row, label) in told.chunks_exact(n_classes).zip(labels) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{row:?}");
            let top = (0..n_classes).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
            n_right += usize::from(read.canonical.outputs()[top] == label);
        }
        assert!(n_right > 240, "{n_classes} classes: {n_right} of 300");
    }
}

#[test]
fn contrasts_are_orthonormal_and_ignore_what_all_classes_share() {
    let all = contrasts(5);
    for (i, one) in all.iter().enumerate() {
        assert!(one.iter().sum::<f64>().abs() < 1e-12);
        for (j, other) in all.iter().enumerate() {
            let product: f64 = one.iter().zip(other).map(|(a, b)| a * b).sum();
            assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
        }
    }
}

#[test]
fn the_order_of_rows_and_columns_changes_nothing_but_rounding() {
    let (table, values) = wave(80, 4);
    let (fresh, _) = wave(20, 5);
    let told = |table: &Table, values: &[f64], fresh: &Table| {
        let support: Support = Support::new(table.clone(), target(values, 0)).unwrap();
        let read = Reading::new(&support).unwrap();
        Smooth::fit(&read).unwrap().told(&read.fitted.standard.encode(fresh).unwrap())
    };
    let rows: Vec<usize> = (0..80).rev().collect();
    let turned = |table: &Table, rows: &[usize]| {
        let columns: Vec<Column> = table.select(rows).columns().iter().rev().cloned().collect();
        Table::new(rows.len(), columns).unwrap()
    };
    let moved: Vec<f64> = rows.iter().map(|&row| values[row]).collect();
    let every: Vec<usize> = (0..20).collect();
    let other = told(&turned(&table, &rows), &moved, &turned(&fresh, &every));
    for (one, other) in told(&table, &values, &fresh).iter().zip(other) {
        assert!((one - other).abs() < 1e-4, "{one}, {other}");
    }
}

#[test]
fn the_sharpness_is_the_higher_the_more_memberships_are_worth() {
    let labels: Vec<usize> = (0..400).map(|row| row % 2).collect();
    // Both classes' memberships are the same distance from a half; they are right in every tenth row but one, or in six of ten.
    let memberships = |n_right: usize| -> Vec<f32> {
        let row = |row: usize| {
            let class = if row / 2 % 10 < n_right { row % 2 } else { 1 - row % 2 };
            if class == 0 { [0.7, 0.3] } else { [0.3, 0.7] }
        };
        (0..400).flat_map(row).collect()
    };
    let (sure, unsure) = (sharpness(&memberships(9), &labels), sharpness(&memberships(6), &labels));
    // A membership 0.4 above the other is right as often as softmax says: ln 9 / 0.4 and ln 1.5 / 0.4.
    assert!((sure / 5.49).ln().abs() < 0.25 && (unsure / 1.01).ln().abs() < 0.4, "{sure}, {unsure}");
    let shares = sharpened(&[0.7, 0.3], sure);
    assert!((shares[0] + shares[1] - 1.0).abs() < 1e-6 && shares[0] > 0.85);
}
