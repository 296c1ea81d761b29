use super::*;
use weightsmith_base_model::{Activation, EncodingLimits};
use weightsmith_tasks::{ColumnValues, Support, Target};

const N_COLUMNS_OF_TABLE: usize = 4;

/// Numbers that are uniform in -2..2.
fn table(n_rows: usize, rng: &mut ChaCha8Rng) -> Table {
    let column = |name: usize, rng: &mut ChaCha8Rng| Column {
        name: format!("x{name}"),
        values: ColumnValues::Numeric((0..n_rows).map(|_| rng.random_range(-2.0..2.0)).collect()),
    };
    let columns = (0..N_COLUMNS_OF_TABLE).map(|name| column(name, rng)).collect();
    Table::new(n_rows, columns).unwrap()
}

/// A step along two columns at once, which a linear model cannot follow, from -1 to 1.
fn score(table: &Table, row: usize) -> f64 {
    let value = |column: usize| match &table.columns()[column].values {
        ColumnValues::Numeric(values) => values[row],
        ColumnValues::Categorical { .. } => unreachable!("all columns are numbers"),
    };
    if (value(0) > 0.3) == (value(1) > -0.4) { 1.0 } else { -1.0 }
}

/// All that a data borrows.
struct Fixture {
    table: Table,
    encoding: Encoding,
    rows: Rows,
    labels: Labels,
    columns: Vec<usize>,
    order: Vec<usize>,
}

impl Fixture {
    fn new(n_rows: usize, is_classes: bool, rng: &mut ChaCha8Rng) -> Self {
        let table = table(n_rows, rng);
        let scores: Vec<f64> = (0..n_rows).map(|row| score(&table, row)).collect();
        let support: Support = Support::new(table.clone(), Target::Values(scores.clone())).unwrap();
        let encoding = Encoding::fit(&support, &EncodingLimits::default()).unwrap().standard;
        let rows = encoding.encode(&table).unwrap();
        let labels = if is_classes {
            Labels::Classes { labels: scores.iter().map(|s| usize::from(*s > 0.0)).collect(), n_classes: 2 }
        } else {
            Labels::Values(scores.iter().map(|s| *s as f32).collect())
        };
        let columns = views::content_columns(&rows, &labels);
        let order = views::content_order(&rows, &labels, &columns);
        Self { table, encoding, rows, labels, columns, order }
    }

    fn teacher(&self, n_trees: usize) -> Teacher<'_> {
        let Self { table, encoding, rows, labels, columns, order } = self;
        Teacher::new(DistillationData { table, encoding, rows, labels, columns, order }, n_trees, Seed(0))
    }
}

/// A network with a few hidden units drawn at random and small outputs: it knows nothing of the target.
fn ignorant(n_inputs: usize, n_outputs: usize, rng: &mut ChaCha8Rng) -> HostWeights {
    let n_units = 5;
    let mut numbers = |n: usize, scale: f32| (0..n).map(|_| scale * normal(rng)).collect::<Vec<f32>>();
    HostWeights {
        hidden: vec![HostLayer {
            weight: Matrix::new(n_units, n_inputs, numbers(n_units * n_inputs, 0.5)),
            bias: numbers(n_units, 0.5),
        }],
        skip: Some(Matrix::new(n_outputs, n_inputs, numbers(n_outputs * n_inputs, 0.1))),
        output: Some(Matrix::new(n_outputs, n_units, numbers(n_outputs * n_units, 0.1))),
        output_bias: numbers(n_outputs, 0.1),
        activation: Activation::Relu,
    }
}

fn outputs(weights: &HostWeights, rows: &Rows) -> Vec<f32> {
    let device = Device::flex();
    let x = TensorData::new(rows.values.clone(), [1, rows.n_rows, rows.n_columns]);
    let found = predict(&Weights::<Base>::from_host(weights, &device), Tensor::<3>::from_data(x, &device));
    read(found.reshape([rows.n_rows, weights.output_bias.len()]))
}

/// The mean square of what a network's outputs, as values or class shares, lack to those of the forest.
fn distance(teacher: &Teacher<'_>, weights: &HostWeights, rows: &Rows) -> f32 {
    let labels = teacher.data.labels;
    let told = teacher.forest.predict(&reorder(rows, teacher.data.columns));
    let own = outputs(weights, rows);
    let own = own.chunks_exact(labels.n_outputs()).flat_map(|row| shares(labels, row.to_vec()));
    own.zip(&told).map(|(own, told)| (own - told).powi(2)).sum::<f32>() / told.len() as f32
}

/// Before and after it was taught, with so large a share of the forest, on rows that nobody has seen.
fn distances(is_classes: bool, share: f32, seed: u64) -> (f32, f32) {
    let mut rng = Seed(seed).stream("test.distil");
    let fixture = Fixture::new(200, is_classes, &mut rng);
    let n_outputs = fixture.labels.n_outputs();
    let mut teacher = fixture.teacher(100);
    teacher.share = share;
    let mut weights = ignorant(fixture.encoding.n_columns(), n_outputs, &mut rng);
    let fresh = fixture.encoding.encode(&table(500, &mut rng)).unwrap();
    let before = distance(&teacher, &weights, &fresh);
    let places: Vec<usize> = (0..fixture.encoding.n_columns()).collect();
    let all: Vec<usize> = (0..n_outputs).collect();
    let student = Student { encoding: &fixture.encoding, places: &places, outputs: &all };
    teacher.distil_into(&student, &mut weights, &Device::flex()).unwrap();
    assert_eq!(weights.hidden[0].bias.len(), 5 + 300);
    (before, distance(&teacher, &weights, &fresh))
}

#[test]
fn a_network_comes_nearer_to_the_forest_on_rows_that_neither_has_seen() {
    // To move by a share s of the way leaves (1 - s)² of a squared distance: 0.16 for 0.6, 0.49 for 0.3. The bounds
    // leave room for what 300 random units cannot follow.
    for (is_classes, share, most) in
        [(false, 0.6, 0.3), (false, 0.3, 0.6), (true, 0.6, 0.3), (true, 0.3, 0.6)]
    {
        for seed in 0..8 {
            let (before, after) = distances(is_classes, share, seed);
            assert!(after < most * before, "classes {is_classes}, {share}, seed {seed}: {before} to {after}");
        }
    }
}

#[test]
fn a_share_of_nothing_changes_nothing() {
    let mut rng = Seed(1).stream("test.distil");
    let fixture = Fixture::new(60, false, &mut rng);
    let mut teacher = fixture.teacher(10);
    teacher.share = 0.0;
    let weights = ignorant(N_COLUMNS_OF_TABLE, 1, &mut rng);
    let mut taught = weights.clone();
    let student = Student { encoding: &fixture.encoding, places: &[0, 1, 2, 3], outputs: &[0] };
    teacher.distil_into(&student, &mut taught, &Device::flex()).unwrap();
    assert_eq!(taught, weights);
}

#[test]
fn the_share_is_the_larger_the_less_the_network_knows() {
    for (seed, is_classes) in [(0, false), (1, true), (2, false), (3, true)] {
        let mut rng = Seed(seed).stream("test.distil");
        let fixture = Fixture::new(200, is_classes, &mut rng);
        let n_outputs = fixture.labels.n_outputs();
        let mut teacher = fixture.teacher(100);
        // One that knows every label is right beside any forest.
        let targets = fixture.labels.targets();
        let factor = if is_classes { 12.0 } else { 1.0 };
        let known = |row: usize| -> Vec<f32> {
            targets[row * n_outputs..(row + 1) * n_outputs].iter().map(|t| factor * t).collect()
        };
        teacher.pick_share(known);
        let beside_truth = teacher.share();
        teacher.pick_share(|_| vec![0.0; n_outputs]);
        assert_eq!((beside_truth, teacher.share()), (0.0, 0.6), "seed {seed}");
    }
}

/// The solution of a square system by Gaussian elimination with pivoting, in f64.
fn eliminate(mut a: Vec<Vec<f64>>) -> Vec<f64> {
    let n = a.len();
    for pivot in 0..n {
        let best = (pivot..n).max_by(|&i, &j| a[i][pivot].abs().total_cmp(&a[j][pivot].abs())).unwrap();
        a.swap(pivot, best);
        let row = a[pivot].clone();
        for (at, other) in a.iter_mut().enumerate().filter(|(at, _)| *at != pivot) {
            let factor = other[pivot] / row[pivot];
            assert!(at < n && factor.is_finite());
            other.iter_mut().zip(&row).skip(pivot).for_each(|(other, own)| *other -= factor * own);
        }
    }
    (0..n).map(|i| a[i][n] / a[i][i]).collect()
}

#[test]
fn the_move_is_the_ridge_regression_that_elimination_finds() {
    let (n, d, n_units, k) = (60, 3, 7, 2);
    let mut rng = Seed(5).stream("test.distil");
    let mut numbers = |n: usize| (0..n).map(|_| normal(&mut rng)).collect::<Vec<f32>>();
    let (x, wanted) = (numbers(n * d), numbers(n * k));
    let units = HostLayer { weight: Matrix::new(n_units, d, numbers(n_units * d)), bias: numbers(n_units) };
    let device = Device::flex();
    let tensor =
        |values: &[f32], m: usize| Tensor::<2>::from_data(TensorData::new(values.to_vec(), [n, m]), &device);
    let ridges: Vec<f32> = (0..n_units + d).map(|feature| 0.01 * (1 + feature % 4) as f32).collect();
    let found = Move::solve(tensor(&x, d), &units, ridges.clone(), tensor(&wanted, k));
    // The same by definition: features relu(units) and x, each with mean 0 and a variance of 1 less its floor's share.
    let features: Vec<Vec<f64>> = x
        .chunks_exact(d)
        .map(|row| {
            let unit = |unit: usize| -> f64 {
                let weights = &units.weight.values[unit * d..(unit + 1) * d];
                let sum: f64 = weights.iter().zip(row).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                (sum + f64::from(units.bias[unit])).max(0.0)
            };
            (0..n_units).map(unit).chain(row.iter().map(|x| f64::from(*x))).collect()
        })
        .collect();
    let p = n_units + d;
    let mean = |of: &dyn Fn(usize) -> f64| (0..n).map(of).sum::<f64>() / n as f64;
    let means: Vec<f64> = (0..p).map(|j| mean(&|row| features[row][j])).collect();
    let scales: Vec<f64> = (0..p)
        .map(|j| (mean(&|row| (features[row][j] - means[j]).powi(2)) + f64::from(UNIT_FLOOR)).sqrt())
        .collect();
    let z = |row: usize, j: usize| (features[row][j] - means[j]) / scales[j];
    for output in 0..k {
        let target = |row: usize| f64::from(wanted[row * k + output]);
        let middle = mean(&target);
        let system = (0..p)
            .map(|i| {
                let ridge = |j: usize| if i == j { f64::from(ridges[i]) } else { 0.0 };
                let gram = (0..p).map(|j| mean(&|row| z(row, i) * z(row, j)) + ridge(j));
                gram.chain([mean(&|row| z(row, i) * (target(row) - middle))]).collect()
            })
            .collect();
        let solved = eliminate(system);
        for (row, features) in features.iter().enumerate() {
            let expected = middle + (0..p).map(|j| z(row, j) * solved[j]).sum::<f64>();
            let change: f64 =
                (0..p).map(|j| f64::from(found.coefficients[j * k + output]) * features[j]).sum();
            let change = change + f64::from(found.intercept[output]);
            // Sums of 60 rows in f32, a system whose condition is below 1/0.01 times 10 columns.
            assert!((change - expected).abs() < 1e-4, "row {row}, output {output}: {change}, not {expected}");
        }
    }
}

#[test]
fn a_move_that_is_applied_is_added_to_the_outputs() {
    let (d, n_units) = (3, 4);
    let mut rng = Seed(6).stream("test.distil");
    let weights = ignorant(d, 3, &mut rng);
    let mut numbers = |n: usize| (0..n).map(|_| normal(&mut rng)).collect::<Vec<f32>>();
    let units = HostLayer { weight: Matrix::new(n_units, d, numbers(n_units * d)), bias: numbers(n_units) };
    // Of two of the three outputs, in another order.
    let (to, k) = ([2, 0], 2);
    let change = Move { coefficients: numbers((n_units + d) * k), intercept: numbers(k) };
    let rows = Rows { n_rows: 10, n_columns: d, values: numbers(10 * d) };
    let before = outputs(&weights, &rows);
    let mut moved = weights.clone();
    change.apply(&to, units.clone(), &mut moved);
    let after = outputs(&moved, &rows);
    for row in 0..rows.n_rows {
        let x = rows.row(row);
        let unit = |unit: usize| {
            let weights = &units.weight.values[unit * d..(unit + 1) * d];
            (weights.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + units.bias[unit]).max(0.0)
        };
        let features: Vec<f32> = (0..n_units).map(unit).chain(x.iter().copied()).collect();
        for output in 0..3 {
            let added = to.iter().position(|&at| at == output).map_or(0.0, |which| {
                let sum: f32 =
                    features.iter().enumerate().map(|(j, f)| f * change.coefficients[j * k + which]).sum();
                sum + change.intercept[which]
            });
            let (before, after) = (before[row * 3 + output], after[row * 3 + output]);
            assert!((after - before - added).abs() < 1e-4, "{before} + {added} is not {after}");
        }
    }
}

#[test]
fn a_change_of_logits_gives_the_average_of_both_in_class_shares() {
    let mut rng = Seed(7).stream("test.distil");
    let fixture = Fixture::new(40, true, &mut rng);
    let teacher = fixture.teacher(5);
    for (logits, told) in [([0.5, -1.0], [0.2, 0.8]), ([3.0, 2.0], [1.0, 0.0]), ([-2.0, 0.0], [0.12, 0.88])] {
        let change = teacher.change(0.4, &logits, &told);
        assert!(change.iter().sum::<f32>().abs() < 1e-5);
        let moved: Vec<f32> = logits.iter().zip(&change).map(|(l, c)| l + c).collect();
        let own = shares(teacher.data.labels, logits.to_vec());
        for ((moved, own), told) in shares(teacher.data.labels, moved).iter().zip(own).zip(told) {
            assert!((moved - (0.6 * own + 0.4 * told)).abs() < 1e-5);
        }
    }
}
