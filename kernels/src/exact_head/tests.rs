use super::*;
use crate::logistic_head::logistic_head;
use crate::testing::Numbers;

const N_CLASSES: usize = 3;

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

/// Rows of `n_columns` normal numbers and the intercept; the classes follow the first column, without noise if
/// `separable`.
fn system(n_rows: usize, n_columns: usize, separable: bool, seed: u64) -> HeadSystem {
    let mut numbers = Numbers::new(seed);
    let drawn = numbers.normal(&[n_rows, n_columns]).values;
    let noise = numbers.normal(&[n_rows]).values;
    let (mut features, mut targets) = (vec![], vec![]);
    for (row, noise) in drawn.chunks_exact(n_columns).zip(noise) {
        features.extend_from_slice(row);
        features.push(1.0);
        let score = row[0] + if separable { 0.0 } else { noise };
        let class = usize::from(score > -0.5) + usize::from(score > 0.5);
        targets.extend((0..N_CLASSES).map(|of| f32::from(u8::from(of == class))));
    }
    let p = n_columns + 1;
    HeadSystem {
        features: tensor(features, [1, n_rows, p]),
        targets: tensor(targets, [1, n_rows, N_CLASSES]),
        row_weights: tensor((0..n_rows).map(|row| 0.5 + (row % 3) as f32 / 2.0).collect(), [1, n_rows]),
        precision: tensor(vec![0.05; p], [1, p]),
    }
}

/// Rows whose columns are dependent: levels of names, one-hot and centred, whose columns add up to the intercept, twice.
fn dependent(n_rows: usize, n_names: usize, n_levels: usize) -> HeadSystem {
    let (mut features, mut targets) = (vec![], vec![]);
    for row in 0..n_rows {
        let level =
            |name: usize| (row * (7919 + 2 * name) + row / (3 + name)) % (n_levels + name % 3) % n_levels;
        for _copy in 0..2 {
            for name in 0..n_names {
                let share = 1.0 / n_levels as f32;
                let hit = |at: usize| f32::from(u8::from(at == level(name)));
                features.extend((0..n_levels).map(|at| (hit(at) - share) / 0.5));
            }
        }
        features.push(1.0);
        let class = (level(0) + level(1)) % N_CLASSES;
        targets.extend((0..N_CLASSES).map(|of| f32::from(u8::from(of == class))));
    }
    let p = 2 * n_names * n_levels + 1;
    HeadSystem {
        features: tensor(features, [1, n_rows, p]),
        targets: tensor(targets, [1, n_rows, N_CLASSES]),
        row_weights: Tensor::ones([1, n_rows], &Device::flex()),
        precision: tensor(vec![0.05; p], [1, p]),
    }
}

/// Minus the gradient of the penalised loss by a naive loop in f64, `[n_classes, p]`.
fn naive_slope(system: &HeadSystem, coefficients: &[f64]) -> Vec<f64> {
    let [_, n_rows, p] = system.features.dims();
    let (x, y) = (read(&system.features), read(&system.targets));
    let (weights, precision) = (read(&system.row_weights), read(&system.precision));
    let mut slope: Vec<f64> =
        (0..N_CLASSES * p).map(|at| -f64::from(precision[at % p]) * coefficients[at]).collect();
    for row in 0..n_rows {
        let value = |column: usize| f64::from(x[row * p + column]);
        let powers: Vec<f64> = (0..N_CLASSES)
            .map(|class| {
                (0..p).map(|column| value(column) * coefficients[class * p + column]).sum::<f64>().exp()
            })
            .collect();
        let total: f64 = powers.iter().sum();
        for class in 0..N_CLASSES {
            let rest = f64::from(y[row * N_CLASSES + class]) - powers[class] / total;
            for column in 0..p {
                slope[class * p + column] += f64::from(weights[row]) * rest * value(column);
            }
        }
    }
    slope
}

#[test]
fn the_gradient_vanishes_at_the_solution() {
    for (n_rows, n_columns, separable) in [(300, 5, false), (2100, 20, false), (40, 60, true)] {
        let system = system(n_rows, n_columns, separable, 7);
        let (coefficients, info) = exact_logistic_head(&system, LogisticEffort::exact(400));
        assert_eq!((info.n_unconverged, info.n_raised_pivots), (0, 0), "{n_rows} rows: {info:?}");
        let coefficients: Vec<f64> = read(&coefficients).into_iter().map(f64::from).collect();
        let slope = naive_slope(&system, &coefficients);
        let start = naive_slope(&system, &vec![0.0; coefficients.len()]);
        let length = |slope: &[f64]| slope.iter().map(|s| s * s).sum::<f64>().sqrt();
        // A step that promises 1e-7 of a row's loss a row is left: a slope of some thousandths of the first one.
        assert!(
            length(&slope) < 5e-3 * length(&start),
            "{n_rows} rows: {} of {}",
            length(&slope),
            length(&start)
        );
    }
}

/// The classes of a system as two: the first, and the others.
fn of_two(system: &HeadSystem) -> HeadSystem {
    let [_, n_rows, _] = system.features.dims();
    let targets = read(&system.targets);
    let targets = targets.chunks_exact(N_CLASSES).flat_map(|row| [row[0], 1.0 - row[0]]).collect();
    HeadSystem { targets: tensor(targets, [1, n_rows, 2]), ..system.clone() }
}

/// The gradient of the loss of two classes, each with its own coefficients, at the solution.
#[test]
fn the_gradient_of_two_classes_vanishes_too() {
    let system = of_two(&system(300, 5, false, 10));
    let [_, _, p] = system.features.dims();
    let (coefficients, info) = exact_logistic_head(&system, LogisticEffort::exact(400));
    assert_eq!(info.n_unconverged, 0, "{info:?}");
    let found: Vec<f64> = read(&coefficients).into_iter().map(f64::from).collect();
    assert!(found[..p].iter().zip(&found[p..]).all(|(first, second)| *first == -*second));
    let (x, y) = (read(&system.features), read(&system.targets));
    let (weights, precision) = (read(&system.row_weights), read(&system.precision));
    let slope_at = |coefficients: &[f64]| {
        let mut slope: Vec<f64> =
            (0..p).map(|column| -f64::from(precision[column]) * coefficients[column]).collect();
        for (row, weight) in weights.iter().enumerate() {
            let x = &x[row * p..(row + 1) * p];
            let score = |class: usize| -> f64 {
                x.iter().zip(&coefficients[class * p..]).map(|(x, c)| f64::from(*x) * c).sum()
            };
            let share = 1.0 / (1.0 + (score(1) - score(0)).exp());
            let rest = f64::from(*weight) * (f64::from(y[2 * row]) - share);
            slope.iter_mut().zip(x).for_each(|(sum, x)| *sum += rest * f64::from(*x));
        }
        slope.iter().map(|slope| slope * slope).sum::<f64>().sqrt()
    };
    assert!(slope_at(&found) < 5e-3 * slope_at(&vec![0.0; 2 * p]), "{}", slope_at(&found));
}

#[test]
fn a_start_near_the_solution_leads_to_the_same_in_fewer_steps() {
    let three = system(300, 20, false, 11);
    for system in [of_two(&three), three] {
        let (exact, _) = exact_logistic_head(&system, LogisticEffort::exact(400));
        let exact = read(&exact);
        let near: Vec<f32> = exact.iter().map(|value| 1.02 * value).collect();
        let few = |start| LogisticEffort { start, max_steps: 6, tolerance: 1e-5 };
        let (_, without) = exact_logistic_head(&system, few(None));
        let (found, with) = exact_logistic_head(&system, few(Some(&near)));
        assert_eq!((without.n_unconverged, with.n_unconverged), (1, 0));
        for (found, exact) in read(&found).into_iter().zip(exact) {
            assert!((found - exact).abs() < 0.05, "{found} against {exact}");
        }
    }
}

#[test]
fn agrees_with_the_steps_that_metamodels_are_trained_with_once_both_have_converged() {
    let system = system(200, 4, false, 8);
    let [_, _, p] = system.features.dims();
    let weighted = system.features.clone() * system.row_weights.clone().reshape([1, 200, 1]);
    let diagonal =
        Tensor::<2>::eye(p, &Device::flex()).unsqueeze::<3>() * system.precision.clone().reshape([1, 1, p]);
    let curvature = weighted.transpose().matmul(system.features.clone()) * 0.5 + diagonal;
    let unrolled = logistic_head(
        curvature,
        system.features.clone(),
        system.targets.clone(),
        system.row_weights.clone(),
        system.precision.clone(),
        300,
    );
    let (exact, _) = exact_logistic_head(&system, LogisticEffort::exact(300));
    for (a, b) in read(&exact).into_iter().zip(read(&unrolled)) {
        // Coefficients reach 4; the exact steps stop 1e-7 of the loss above the minimum.
        assert!((a - b).abs() < 2e-2, "{a} against {b}");
    }
}

#[test]
fn dependent_columns_of_many_rows_converge() {
    for n_rows in [2048, 20_000] {
        let system = dependent(n_rows, 6, 8);
        let (coefficients, info) = exact_logistic_head(&system, LogisticEffort::exact(200));
        let coefficients = read(&coefficients);
        let largest = coefficients.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        assert!(largest < 50.0, "{n_rows} rows: a coefficient of {largest}");
        assert_eq!((info.n_shortened_steps, info.n_raised_pivots), (0, 0), "{info:?}");
    }
}

#[test]
fn ridge_and_leverages_are_those_of_a_hand_solved_system() {
    // One column, rows 1, 2, 3 and weights 1: Σx² + λ = 14 + 2, Σxy = 1 + 6 + 15.
    let system = HeadSystem {
        features: tensor(vec![1.0, 2.0, 3.0], [1, 3, 1]),
        targets: tensor(vec![1.0, 3.0, 5.0], [1, 3, 1]),
        row_weights: Tensor::ones([1, 3], &Device::flex()),
        precision: tensor(vec![2.0], [1, 1]),
    };
    let (coefficients, info) = exact_ridge_head(&system);
    assert_eq!(read(&coefficients), [22.0 / 16.0]);
    assert_eq!(info, SolveInfo { n_systems: 1, ..SolveInfo::default() });
    assert_eq!(read(&exact_leverages(&system)), [1.0 / 16.0, 4.0 / 16.0, 9.0 / 16.0]);
}

#[test]
fn a_bound_that_does_not_hold_is_met_by_shorter_steps() {
    let system = system(300, 5, false, 9);
    let [_, _, p] = system.features.dims();
    let (features, targets) = (read(&system.features), read(&system.targets));
    let (row_weights, precision) = (read(&system.row_weights), read(&system.precision));
    let task =
        Task { features: &features, targets: &targets, row_weights: &row_weights, precision: &precision };
    let sizes = Sizes { p, n_outputs: N_CLASSES };
    let mut info = SolveInfo::default();
    // A curvature 100 times too small: plain steps are 100 times too long.
    let weaker: Vec<f32> = precision.iter().map(|precision| precision / 100.0).collect();
    let factor = curvature_factor(&Task { precision: &weaker, ..task }, sizes, 0.005, &mut info);
    let found = logistic(&task, sizes, &factor, LogisticEffort::exact(400), &mut info);
    assert!(info.n_shortened_steps > 0, "{info:?}");
    let mut slope = vec![0.0; found.len()];
    let loss = loss_and_slope(&task, sizes, &found, &mut slope);
    let (exact, _) = exact_logistic_head(&system, LogisticEffort::exact(400));
    let exact: Vec<f64> = read(&exact).into_iter().map(f64::from).collect();
    let least = loss_and_slope(&task, sizes, &exact, &mut slope);
    assert!(loss < 1.01 * least, "{loss} where {least} can be reached");
}
