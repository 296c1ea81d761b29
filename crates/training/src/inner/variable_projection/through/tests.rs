use super::super::tests::problem;
use super::*;

/// Where the steps end if they begin elsewhere, with the lengths and the metric that they had.
fn walk_again(begun: &VariableProjection<'_>, start: &[f64], taken: &[Taken]) -> Vec<f64> {
    let mut point = start.to_vec();
    for step in taken {
        let mut gradient = vec![0.0; point.len()];
        begun.press.value(&begun.layout, &point, &mut gradient);
        let direction = step.memory.direction(&gradient);
        point.iter_mut().zip(direction).for_each(|(x, d)| *x += step.length * d);
    }
    point
}

#[test]
fn gradients_through_steps_agree_with_finite_differences_of_all_of_them() {
    for (seed, n_outputs, n_steps) in [(3, 1, 0), (3, 1, 1), (3, 1, 3), (5, 2, 3), (3, 1, 8)] {
        let (rows, layer, targets) = problem(seed, 40, n_outputs);
        let (query, _, query_targets) = problem(seed + 100, 20, n_outputs);
        let values: Vec<f32> = vec![0.0; 40];
        let mut begun = VariableProjection::new(&rows, Wanted::Values(&values), &layer);
        begun.press = super::super::Press::new(&rows, targets);
        let strengths = begun.first_strengths();
        let start = begun.layout.point(&begun.start, strengths);
        let query = begun.press.query(&query, query_targets);
        let (end, taken) = begun.walk(&start, n_steps, Order::Second);
        assert_eq!(taken.len(), n_steps);
        let (loss, found) = begun.back(&end, &taken, &query);
        let mut first = vec![0.0; end.len()];
        begun.press.query_loss(&query, &begun.layout, &end, &mut first);
        let mut ignored = first.clone();
        let mut loss_from = |start: &[f64]| {
            begun.press.query_loss(&query, &begun.layout, &walk_again(&begun, start, &taken), &mut ignored)
        };
        assert!((loss_from(&start) - loss).abs() < 1e-9);
        let reach = 1e-6;
        let slopes: Vec<f64> = (0..start.len())
            .map(|at| {
                let mut shifted = |by: f64| {
                    let mut start = start.clone();
                    start[at] += by;
                    loss_from(&start)
                };
                (shifted(reach) - shifted(-reach)) / (2.0 * reach)
            })
            .collect();
        let distance = |found: &[f64]| {
            let off: f64 = found.iter().zip(&slopes).map(|(found, slope)| (found - slope).powi(2)).sum();
            (off / dot(&slopes, &slopes)).sqrt()
        };
        let (off, first_off) = (distance(&found), distance(&first));
        assert!(off < 1e-3, "{n_steps} steps, {n_outputs} outputs: {off} (first order: {first_off})");
        // The first order is something else.
        assert!(n_steps == 0 || first_off > 0.1, "{n_steps} steps: {first_off}");
    }
}

#[test]
fn the_layers_gradient_is_that_of_its_numbers() {
    let (rows, layer, targets) = problem(3, 40, 1);
    let (query, _, query_targets) = problem(103, 20, 1);
    let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    let (targets, query_targets) = (single(&targets), single(&query_targets));
    let strengths = LogStrengths { units: 1.0, inputs: 0.5 };
    let scored = |layer: &HostLayer| {
        VariableProjection::new(&rows, Wanted::Values(&targets), layer).stepped_loss(
            strengths,
            0,
            Order::First,
            &query,
            Wanted::Values(&query_targets),
        )
    };
    let found = scored(&layer).gradient;
    let (m, d) = (layer.bias.len() / 2, rows.n_columns);
    let reach = 1.0 / 1024.0;
    let check = |found: f32, moved: &dyn Fn(f32) -> HostLayer, what: &str| {
        let slope = (scored(&moved(reach)).loss - scored(&moved(-reach)).loss) / (2.0 * f64::from(reach));
        assert!((slope - f64::from(found)).abs() < 1e-3 * (0.1 + slope.abs()), "{what}: {slope} and {found}");
    };
    for at in 0..2 * m {
        let moved = |by: f32| {
            let mut layer = layer.clone();
            layer.bias[at] += by;
            layer
        };
        check(found.bias[at], &moved, &format!("bias {at}"));
    }
    for at in 0..m * d {
        let moved = |by: f32| {
            let mut layer = layer.clone();
            layer.weight.values[at] += by;
            layer.weight.values[m * d + at] += by;
            layer
        };
        check(found.weight.values[at], &moved, &format!("weight {at}"));
        assert_eq!(found.weight.values[m * d + at], 0.0);
    }
    assert!(found.bias.iter().all(|slope| slope.abs() > 1e-5));
}
