use super::*;
use weightsmith_base_model::{Activation, EncodingLimits};
use weightsmith_tasks::{Column, ColumnValues, Support, Table, Target};

/// Whole numbers that look random.
fn scattered(at: usize) -> usize {
    (at * 7919 + at * at * 31 + 17) % 1009
}

/// A table of numbers with a class or a value for each row.
fn support(n_rows: usize, n_columns: usize, target: Target) -> Support {
    let column = |name: usize| Column {
        name: format!("x{name}"),
        values: ColumnValues::Numeric(
            (0..n_rows).map(|row| scattered(row * n_columns + name) as f64).collect(),
        ),
    };
    let table = Table::new(n_rows, (0..n_columns).map(column).collect()).unwrap();
    Support::new(table, target).unwrap()
}

fn fitted(support: &Support) -> Fitted {
    Encoding::fit(support, &EncodingLimits::default()).unwrap()
}

/// A network whose numbers are different everywhere.
fn network(n_inputs: usize, n_units: usize, n_outputs: usize, salt: usize) -> HostWeights {
    let number = |at: usize| (scattered(at + 1000 * salt) as f32 - 504.0) / 504.0;
    let matrix = |n_rows: usize, n_columns: usize, salt: usize| {
        Matrix::new(n_rows, n_columns, (0..n_rows * n_columns).map(|at| number(at + 100 * salt)).collect())
    };
    HostWeights {
        hidden: vec![HostLayer { weight: matrix(n_units, n_inputs, 1), bias: matrix(1, n_units, 2).values }],
        skip: Some(matrix(n_outputs, n_inputs, 3)),
        output: Some(matrix(n_outputs, n_units, 4)),
        output_bias: matrix(1, n_outputs, 5).values,
        activation: Activation::Relu,
    }
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{found}, not {expected}");
    }
}

#[test]
fn a_joined_network_gives_the_mean_of_its_parts() {
    let support = support(30, 3, Target::Values((0..30).map(|row| scattered(row) as f64).collect()));
    let fitted = fitted(&support);
    let (plain, ranks) = (
        fitted.standard.encode(support.table()).unwrap(),
        fitted.gaussian_rank.encode(support.table()).unwrap(),
    );
    for kinds in [vec![false, true, false], vec![true], vec![false, false]] {
        let parts: Vec<ViewWeights> = kinds
            .iter()
            .enumerate()
            .map(|(salt, &gaussian_rank)| ViewWeights {
                gaussian_rank,
                weights: network(plain.n_columns, 2 + salt, 2, salt),
                left_out: Vec::new(),
            })
            .collect();
        let mut mean = vec![0.0f32; 60];
        for part in &parts {
            let seen = if part.gaussian_rank { &ranks } else { &plain };
            for (sum, output) in mean.iter_mut().zip(part.weights.predict(seen)) {
                *sum += output / parts.len() as f32;
            }
        }
        let n_units: usize = parts.iter().map(|part| part.weights.hidden[0].bias.len()).sum();
        let shares = vec![1.0 / parts.len() as f32; parts.len()];
        let (encoding, places, joined) = join(&fitted, parts, &shares);
        let rows = encoding.encode(support.table()).unwrap();
        assert_close(&joined.predict(&rows), &mean);
        assert_eq!(joined.hidden[0].bias.len(), n_units);
        // Where the standard columns lie.
        for (column, &place) in places.iter().enumerate() {
            assert!((0..30).all(|row| rows.row(row)[place] == plain.row(row)[column]));
        }
        assert_eq!(encoding == fitted.standard, !kinds.contains(&true));
    }
}

#[test]
fn weights_learned_from_reflected_rows_expect_them_as_they_are() {
    let is_numeric = [true, false, true];
    let rows =
        Rows { n_rows: 4, n_columns: 3, values: (0..12).map(|at| scattered(at) as f32 / 500.0).collect() };
    let mut reflected = rows.clone();
    reflect(&mut reflected, &is_numeric);
    assert_eq!(reflected.row(1), [-rows.row(1)[0], rows.row(1)[1], -rows.row(1)[2]]);
    let weights = network(3, 4, 2, 0);
    let mut undone = weights.clone();
    reflect_weights(&mut undone, &is_numeric);
    assert_ne!(undone, weights);
    let of = |weights: &HostWeights, rows: &Rows| weights.predict(rows);
    assert_close(&of(&undone, &rows), &of(&weights, &reflected));
    let mut again = reflected;
    reflect(&mut again, &is_numeric);
    assert_eq!(again, rows);
}

#[test]
fn every_order_of_classes_is_undone_in_weights_and_left_out_outputs() {
    // Of five named classes two have no row; the others have 5, 3 and 2.
    let labels = [4, 4, 4, 4, 4, 1, 1, 1, 2, 2];
    let rows =
        Rows { n_rows: 10, n_columns: 2, values: (0..20).map(|at| scattered(at) as f32 / 500.0).collect() };
    let canonical = Canonical::of_classes(&rows, &labels, 5);
    assert_eq!((canonical.n_present(), canonical.outputs()), (3, vec![4, 1, 2]));
    let views = canonical.views(100, false, 3);
    assert_eq!(views.len(), 3);
    for view in &views {
        let Labels::Classes { labels: seen, n_classes } = canonical.labels(view) else { panic!("classes") };
        assert_eq!(n_classes, 3);
        // A network that tells which class it was shown, as the view numbers them.
        let mut weights = network(2, 3, 3, 1);
        weights.output_bias = vec![0.0, 1.0, 2.0];
        let left_out: Vec<f32> =
            seen.iter().flat_map(|&seen| [0, 1, 2].map(|c| f32::from(u8::from(c == seen)))).collect();
        let restored = canonical.restore(view, weights.clone(), left_out);
        for (row, &label) in labels.iter().enumerate() {
            let outputs = &restored.left_out[row * 5..(row + 1) * 5];
            let expected = [0, 1, 2, 3, 4].map(|class| match class {
                0 | 3 => ABSENT_LOGIT,
                class => f32::from(u8::from(class == label)),
            });
            assert_eq!(outputs, expected);
            // The bias of the row's class is the number under which the view saw it.
            assert_eq!(restored.weights.output_bias[label], seen[row] as f32);
            let own = |matrix: &Matrix, at: usize| {
                matrix.values[at * matrix.n_columns..(at + 1) * matrix.n_columns].to_vec()
            };
            let (before, after) = (weights.skip.as_ref().unwrap(), restored.weights.skip.as_ref().unwrap());
            assert_eq!(own(after, label), own(before, seen[row]));
        }
        for absent in [0, 3] {
            assert_eq!(restored.weights.output_bias[absent], ABSENT_LOGIT);
            let output = restored.weights.output.as_ref().unwrap();
            assert!(output.values[absent * 3..absent * 3 + 3].iter().all(|w| *w == 0.0));
        }
    }
}

#[test]
fn values_come_back_in_their_unit_and_with_their_sign() {
    let values: Vec<f64> = (0..20).map(|row| 1000.0 + scattered(row) as f64).collect();
    let canonical = Canonical::of_values(&values).unwrap();
    let rows =
        Rows { n_rows: 20, n_columns: 2, values: (0..40).map(|at| scattered(at) as f32 / 500.0).collect() };
    for view in canonical.views(8, false, 1) {
        let Labels::Values(seen) = canonical.labels(&view) else { panic!("values") };
        assert!((seen.iter().sum::<f32>() / 20.0).abs() < 1e-5);
        assert!((seen.iter().map(|v| v * v).sum::<f32>() / 20.0 - 1.0).abs() < 1e-5);
        let weights = network(2, 3, 1, 2);
        let standardised = weights.predict(&rows);
        let restored = canonical.restore(&view, weights, seen);
        let TargetUnit { centre, scale } = canonical.unit().unwrap();
        assert_close(
            &restored.left_out,
            &values.iter().map(|v| ((v - centre) / scale) as f32).collect::<Vec<_>>(),
        );
        let sign = if view.is_negated() { -1.0 } else { 1.0 };
        let expected: Vec<f32> = standardised.iter().map(|output| sign * output).collect();
        assert_close(&restored.weights.predict(&rows), &expected);
    }
    assert!(Canonical::of_values(&[3.0, 3.0, 3.0]).is_none());
    assert!(Canonical::of_values(&[1.0, f64::NAN]).is_none());
}

#[test]
fn views_are_all_different_and_begin_with_the_support_as_it_is() {
    let labels: Vec<usize> = (0..21).map(|row| row % 7).collect();
    let rows = Rows { n_rows: 21, n_columns: 1, values: vec![0.5; 21] };
    let classes = Canonical::of_classes(&rows, &labels, 7);
    let values = Canonical::of_values(&[1.0, 2.0, 4.0]).unwrap();
    // Two transforms, four orders (or two signs), two reflections; without numbers the orders alone.
    for (canonical, n_outputs, numeric, n_views) in
        [(&classes, 7, true, 16), (&classes, 7, false, 4), (&values, 1, true, 8), (&values, 1, false, 2)]
    {
        let views = canonical.views(1000, numeric, n_outputs);
        assert_eq!(views.len(), n_views);
        assert!((0..n_views).all(|i| !views[..i].contains(&views[i])));
        assert_eq!(views[0], View::standard(n_outputs));
        for n in 1..n_views {
            assert_eq!(canonical.views(n, numeric, n_outputs), views[..n]);
        }
    }
}

#[test]
fn content_decides_the_order_whatever_order_rows_and_columns_come_in() {
    let (n, d) = (13, 4);
    let value = |row: usize, column: usize| scattered(row * d + column) as f32;
    let label = |row: usize| scattered(row + 5000) % 3;
    let sorted = |rows_in: &[usize], columns_in: &[usize]| {
        let values = rows_in.iter().flat_map(|&row| columns_in.iter().map(move |&column| value(row, column)));
        let rows = Rows { n_rows: n, n_columns: d, values: values.collect() };
        let labels =
            Labels::Classes { labels: rows_in.iter().map(|&row| label(row)).collect(), n_classes: 3 };
        let columns = content_columns(&rows, &labels);
        let order = content_order(&rows, &labels, &columns);
        let columns: Vec<usize> = columns.iter().map(|&at| columns_in[at]).collect();
        (order.iter().map(|&at| rows_in[at]).collect::<Vec<_>>(), columns)
    };
    let (rows, columns): (Vec<usize>, Vec<usize>) = ((0..n).collect(), (0..d).collect());
    let expected = sorted(&rows, &columns);
    assert!(expected.0.windows(2).all(|pair| label(pair[0]) <= label(pair[1])));
    for step in [2, 5, 7] {
        let rows: Vec<usize> = (0..n).map(|at| at * step % n).collect();
        let columns: Vec<usize> = (0..d).map(|at| (at * 3 + step) % d).collect();
        assert_eq!(sorted(&rows, &columns), expected);
    }
}

#[test]
fn folds_take_turns_and_a_spread_is_even() {
    let order: Vec<usize> = (0..23).rev().collect();
    let found = folds(&order);
    let sizes: Vec<usize> =
        (0..N_FOLDS).map(|fold| found.iter().filter(|&&own| own == fold).count()).collect();
    assert_eq!(sizes, [5, 5, 5, 4, 4]);
    // Neighbours in the order, which are of one label, are dealt to different folds.
    assert!(order.windows(2).all(|pair| found[pair[0]] != found[pair[1]]));
    assert_eq!(folds(&[1, 0, 2]), [1, 0, 2]);
    assert_eq!(spread(&order, 23), None);
    assert_eq!(spread(&(0..10).collect::<Vec<_>>(), 5), Some(vec![1, 3, 5, 7, 9]));
    assert_eq!(spread(&(0..9).collect::<Vec<_>>(), 1), Some(vec![4]));
}
