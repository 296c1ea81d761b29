use super::*;
use crate::splits::Split;
use weightsmith_base_model::Activation;
use weightsmith_datasets::Labelled;
use weightsmith_tasks::{Column, ColumnValues, Seed, Support, Table};
use weightsmith_training::train_base_model;

/// Two informative columns and three classes, or a value.
fn labelled(classes: bool) -> Labelled {
    let n_rows = 120;
    let column = |name: &str, factor: usize| Column {
        name: name.into(),
        values: ColumnValues::Numeric((0..n_rows).map(|row| (row * factor % 101) as f64).collect()),
    };
    let values: Vec<f64> =
        (0..n_rows).map(|row| 50.0 + (row * 37 % 101) as f64 - (row * 53 % 101) as f64).collect();
    let target = if classes {
        let labels =
            values.iter().map(|value| if *value < 20.0 { 0 } else { 1 + usize::from(*value > 80.0) });
        Target::Classes { class_names: ["a", "b", "c"].map(String::from).to_vec(), labels: labels.collect() }
    } else {
        Target::Values(values)
    };
    let table = Table::new(n_rows, vec![column("x", 37), column("y", 53)]).unwrap();
    Labelled { name: "t".into(), table, target, ids: vec![], notes: vec![] }
}

fn network(support: &Support, seed: u64) -> BaseModel {
    let recipe = Recipe { hidden: vec![6], skip: true, n_epochs: 40, ..Recipe::default() };
    train_base_model(support, &recipe, Seed(seed), &Device::flex()).unwrap().model
}

#[test]
fn a_permuted_and_rescaled_network_is_found_again() {
    for classes in [true, false] {
        let table = labelled(classes);
        let problem = Problem::new(&table, &Split::new(120, 60, 0)).unwrap();
        let model = network(problem.support(), 1);
        let frame = WeightFrame::new(&problem, &model, &Device::flex()).unwrap();
        assert_eq!(frame.architecture.activation, Activation::Relu);
        let own = frame.numbers(&model, true);
        let order = [3, 0, 5, 1, 4, 2];
        let mut other = model.clone();
        // Unit `u` of the other is unit `order[u]` of the first, twice as large inside and half as large outside.
        let HostWeights { hidden, output, .. } = &mut other.weights;
        let (layer, output) = (&mut hidden[0], output.as_mut().unwrap());
        let n_inputs = layer.weight.n_columns;
        for (unit, &from) in order.iter().enumerate() {
            let first = &model.weights.hidden[0];
            for input in 0..n_inputs {
                layer.weight.values[unit * n_inputs + input] =
                    2.0 * first.weight.values[from * n_inputs + input];
            }
            layer.bias[unit] = 2.0 * first.bias[from];
            for row in 0..output.n_rows {
                output.values[row * 6 + unit] =
                    0.5 * model.weights.output.as_ref().unwrap().values[row * 6 + from];
            }
        }
        let second = frame.numbers(&other, true);
        assert!(distance(&own, &second) > 0.1);
        let found = frame.matching(&own, &second);
        let matched = frame.permuted(&second, &found);
        assert!(distance(&own, &matched) < 1e-4, "{}", distance(&own, &matched));
        assert!((cosine(&own, &matched) - 1.0).abs() < 1e-6);
        // The function is the same, whichever way it is written: the model's own score, and that of the numbers.
        let losses = frame.losses(&[own, second, matched]);
        let count = problem.count_network(&model).unwrap();
        for loss in losses {
            assert!((loss - count.query.loss).abs() < 2e-4 * loss, "{loss} for {}", count.query.loss);
        }
    }
}

#[test]
fn a_barrier_is_what_rises_above_the_line() {
    assert!((barrier(&[1.0, 2.0, 3.0]) - 0.0).abs() < 1e-12);
    assert!((barrier(&[1.0, 2.5, 2.0]) - 1.0).abs() < 1e-12);
    assert!((barrier(&[1.0, 0.1, 2.0]) - 0.0).abs() < 1e-12);
}

#[test]
fn predictions_agree_by_class_or_by_correlation() {
    let classes = |logits: &[f32]| Predictions::from_logits(2, logits);
    let share = agreement(&classes(&[0.0, 1.0, 1.0, 0.0]), &classes(&[0.0, 3.0, 0.0, 1.0]));
    assert!((share - 0.5).abs() < 1e-12);
    let values = |values: &[f64]| Predictions::from_values(values.to_vec());
    assert!((agreement(&values(&[1.0, 2.0, 4.0]), &values(&[-2.0, -4.0, -8.0])) + 1.0).abs() < 1e-6);
    assert!(agreement(&values(&[1.0, 1.0]), &values(&[1.0, 2.0])).abs() < 1e-12);
}

#[test]
fn the_plane_holds_the_networks_that_span_it() {
    let table = labelled(true);
    let problem = Problem::new(&table, &Split::new(120, 60, 0)).unwrap();
    let models: Vec<BaseModel> = (1..4).map(|seed| network(problem.support(), seed)).collect();
    let frame = WeightFrame::new(&problem, &models[0], &Device::flex()).unwrap();
    let numbers: Vec<Vec<f32>> = models.iter().map(|model| frame.numbers(model, false)).collect();
    let steps = [(0, numbers[2].clone()), (9, numbers[1].clone())];
    let slice = Slice::through(&frame, &numbers[0], &numbers[1], &steps);
    // The trained network lies on the first axis at its distance, and is the last step.
    assert!(
        (slice.trained[0] - distance(&numbers[0], &numbers[1])).abs() < 1e-4 && slice.trained[1].abs() < 1e-4
    );
    assert!((slice.steps[1].x - slice.trained[0]).abs() < 1e-9 && slice.steps[1].n_steps == 9);
    // The random one lies in the plane: its distance from the origin is all there.
    let [x, y] = [slice.steps[0].x, slice.steps[0].y];
    assert!((x.hypot(y) - distance(&numbers[0], &numbers[2])).abs() < 1e-3);
    assert!(slice.xs[0] < x.min(0.0) && slice.ys[slice.ys.len() - 1] > y.max(0.0));
    assert!(
        slice.losses.iter().flatten().all(|loss| loss.is_finite()) && slice.losses.len() == slice.ys.len()
    );
}
