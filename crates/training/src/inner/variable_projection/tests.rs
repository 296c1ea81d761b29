use super::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn uniform(rng: &mut ChaCha8Rng, n: usize) -> Vec<f64> {
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

#[test]
fn the_gradient_agrees_with_finite_differences() {
    for (is_ramp, n_outputs) in [(false, 1), (true, 1), (true, 3)] {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (n, d, m) = (30, 3, 4);
        let values = uniform(&mut rng, n * d).iter().map(|v| 2.0 * *v as f32).collect();
        let rows = Rows { n_rows: n, n_columns: d, values };
        let targets = uniform(&mut rng, n * n_outputs);
        let press = Press::new(&rows, targets);
        let layout = Layout { n_units: m, n_columns: d, is_ramp };
        let width = is_ramp.then(|| vec![0.7, 1.0, 0.4, 2.0]);
        let units = Units { weight: uniform(&mut rng, m * d), bias: uniform(&mut rng, m), width };
        let point = layout.point(&units, LogStrengths { units: 0.3, inputs: -0.5 });
        let mut gradient = vec![0.0; point.len()];
        press.value(&layout, &point, &mut gradient);
        let mut ignored = gradient.clone();
        for (at, &found) in gradient.iter().enumerate() {
            let mut shifted = |by: f64| {
                let mut point = point.clone();
                point[at] += by;
                press.value(&layout, &point, &mut ignored)
            };
            let slope = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
            assert!(
                (slope - found).abs() < 1e-6 * (1.0 + slope.abs()),
                "ramps {is_ramp}, outputs {n_outputs}, number {at}: {slope} and {found}"
            );
        }
    }
}

/// Ramps on rows, and targets that go with them.
pub(super) fn problem(seed: u64, n: usize, n_outputs: usize) -> (Rows, HostLayer, Vec<f64>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (d, m) = (3, 5);
    let values: Vec<f32> = uniform(&mut rng, n * d).iter().map(|value| 2.0 * *value as f32).collect();
    let single = |values: Vec<f64>| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    let mut weight = single(uniform(&mut rng, m * d));
    let mut bias = single(uniform(&mut rng, m));
    weight.extend_from_within(..);
    bias.extend(bias.clone().iter().map(|foot| foot - 0.8));
    let wave = |row: &[f32], output: usize| f64::from((row[output % d] * 1.5).sin() + 0.5 * row[0] * row[1]);
    let mut targets = Vec::new();
    for row in values.chunks_exact(d) {
        targets.extend((0..n_outputs).map(|output| wave(row, output)));
    }
    targets.iter_mut().zip(uniform(&mut rng, n * n_outputs)).for_each(|(value, noise)| *value += 0.2 * noise);
    let layer = HostLayer { weight: Matrix::new(2 * m, d, weight), bias };
    (Rows { n_rows: n, n_columns: d, values }, layer, targets)
}

#[test]
fn the_closed_form_is_what_leaving_every_row_out_in_turn_comes_to() {
    // Features and targets are standardised once, on all rows; then each row is left out of a fit of its own, with an
    // intercept.
    let (rows, layer, targets) = problem(3, 24, 2);
    let strengths = LogStrengths { units: 0.4, inputs: -1.0 };
    let press = Press::new(&rows, targets.clone());
    let units = Units::of(&layer);
    assert!(units.width.is_some());
    let features = press.features(&units, None);
    let found = press.solve(&features, &press.gram(&features), strengths).error;
    let (n, p, k) = (rows.n_rows, features.width(), 2);
    let penalties = press.penalties(units.n_units(), strengths);
    let mut sum = 0.0;
    for left_out in 0..n {
        // Normal equations with a free intercept, by elimination.
        let width = p + 1;
        let mut system = vec![vec![0.0; width + k]; width];
        for row in (0..n).filter(|row| *row != left_out) {
            let mut z = features.values[row * p..(row + 1) * p].to_vec();
            z.push(1.0);
            for (equation, own) in system.iter_mut().zip(&z) {
                let products = z.iter().chain(&targets[row * k..(row + 1) * k]);
                equation.iter_mut().zip(products).for_each(|(sum, other)| *sum += own * other);
            }
        }
        penalties.iter().enumerate().for_each(|(at, penalty)| system[at][at] += penalty);
        for pivot in 0..width {
            let row = system[pivot].clone();
            for (_, other) in system.iter_mut().enumerate().filter(|(at, _)| *at != pivot) {
                let factor = other[pivot] / row[pivot];
                other.iter_mut().zip(&row).for_each(|(value, own)| *value -= factor * own);
            }
        }
        for output in 0..k {
            let of = |at: usize| system[at][width + output] / system[at][at];
            let z = &features.values[left_out * p..(left_out + 1) * p];
            let said = of(p) + z.iter().enumerate().map(|(at, value)| value * of(at)).sum::<f64>();
            sum += (targets[left_out * k + output] - said).powi(2);
        }
    }
    assert!((found / (sum / n as f64) - 1.0).abs() < 1e-8, "{found} and {}", sum / n as f64);
}

/// What a network says of a row.
fn said(weights: &HostWeights, row: &[f32]) -> Vec<f64> {
    let product =
        |weights: &[f32], x: &[f64]| weights.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum::<f64>();
    let x: Vec<f64> = row.iter().map(|value| f64::from(*value)).collect();
    let layer = &weights.hidden[0];
    let before = layer.weight.values.chunks_exact(x.len()).zip(&layer.bias);
    let hidden: Vec<f64> = before.map(|(w, bias)| (product(w, &x) + f64::from(*bias)).max(0.0)).collect();
    let (output, skip) = (weights.output.as_ref().unwrap(), weights.skip.as_ref().unwrap());
    let rows = output.values.chunks_exact(hidden.len()).zip(skip.values.chunks_exact(x.len()));
    rows.zip(&weights.output_bias)
        .map(|((o, s), b)| product(o, &hidden) + product(s, &x) + f64::from(*b))
        .collect()
}

#[test]
fn no_step_keeps_the_hidden_units_and_steps_lower_the_error_of_other_rows() {
    let (rows, layer, targets) = problem(8, 400, 1);
    let (few, many) = (60 * rows.n_columns, 60);
    let short = Rows { n_rows: many, n_columns: rows.n_columns, values: rows.values[..few].to_vec() };
    let values: Vec<f32> = targets[..many].iter().map(|value| *value as f32).collect();
    let begun = VariableProjection::new(&short, Wanted::Values(&values), &layer);
    let found = begun.steps(begun.first_strengths(), &[0, 5], 0.0);
    assert_eq!(found[0].weights.hidden[0].weight, layer.weight);
    let error = |weights: &HostWeights| {
        let rest = rows.values[few..].chunks_exact(rows.n_columns).zip(&targets[many..]);
        rest.map(|(row, wanted)| (said(weights, row)[0] - wanted).powi(2)).sum::<f64>() / 340.0
    };
    let (before, after) = (error(&found[0].weights), error(&found[1].weights));
    assert!(after < 0.8 * before, "{before} to {after}");
    assert!(found[1].leave_one_out < found[0].leave_one_out);
}

#[test]
fn a_strong_pull_holds_the_units_at_the_start() {
    let (rows, layer, targets) = problem(4, 50, 1);
    let values: Vec<f32> = targets.iter().map(|value| *value as f32).collect();
    let begun = VariableProjection::new(&rows, Wanted::Values(&values), &layer);
    let moved = |pull: f64| {
        let found = begun.steps(begun.first_strengths(), &[6], pull).remove(0);
        let pairs = found.weights.hidden[0].weight.values.iter().zip(&layer.weight.values);
        pairs.map(|(new, old)| f64::from(new - old).powi(2)).sum::<f64>().sqrt()
    };
    let (free, held) = (moved(0.0), moved(100.0));
    assert!(held < 0.1 * free, "{held} of {free}");
}

#[test]
fn the_logistic_head_is_where_the_penalised_loss_has_no_slope() {
    let (rows, layer, targets) = problem(6, 90, 3);
    let labels: Vec<usize> = targets
        .chunks_exact(3)
        .map(|row| (0..3).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap())
        .collect();
    let press = Press::new(&rows, targets);
    let features = press.features(&Units::of(&layer), None);
    let (p, k) = (features.width(), 3);
    let penalties: Vec<f64> = (0..p).map(|at| 0.5 + 0.1 * at as f64).collect();
    let (mut found, intercepts) = logistic_head(&features, &labels, k, &penalties, &mut vec![]);
    found.extend(intercepts);
    let mut slopes = vec![0.0; (p + 1) * k];
    for (row, &label) in features.values.chunks_exact(p).zip(&labels) {
        let mut z = row.to_vec();
        z.push(1.0);
        let logit = |class: usize| z.iter().enumerate().map(|(at, z)| z * found[at * k + class]).sum::<f64>();
        let odds: Vec<f64> = (0..k).map(|class| logit(class).exp()).collect();
        let total: f64 = odds.iter().sum();
        for (at, z) in z.iter().enumerate() {
            for class in 0..k {
                slopes[at * k + class] += z * (odds[class] / total - f64::from(u8::from(class == label)));
            }
        }
    }
    let penalised = slopes.iter_mut().zip(&found).take(p * k).enumerate();
    penalised.for_each(|(at, (slope, value))| *slope += penalties[at / k] * value);
    // A plain step takes off at least a slope's square over its own curvature, which is below half the rows and the penalty,
    // and no more than the tolerance a row is left to take.
    let allowed = (LOGISTIC_TOLERANCE * 90.0 * (0.5 * 90.0 + penalties[p - 1])).sqrt();
    assert!(slopes.iter().all(|slope| slope.abs() < allowed), "{slopes:?}, {allowed} allowed");
}

#[test]
fn a_ramp_that_widens_without_end_leaves_finite_numbers() {
    let (rows, layer, targets) = problem(3, 40, 1);
    let values: Vec<f32> = targets.iter().map(|target| *target as f32).collect();
    let projection = VariableProjection::new(&rows, Wanted::Values(&values), &layer);
    let strengths = projection.first_strengths();
    let with_width = |width: f64| {
        let mut units = projection.start.clone();
        units.width.as_mut().expect("the layer is of ramps")[0] = width;
        projection.finish(1, &projection.layout.point(&units, strengths), &mut vec![])
    };
    let (found, same) = (with_width(1e60), with_width(1e20));
    assert!(found.weights.named().iter().all(|(.., values)| values.iter().all(|value| value.is_finite())));
    assert_eq!(found.weights.predict(&rows), same.weights.predict(&rows));
}
