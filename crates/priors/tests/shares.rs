//! What many sampled tables look like together, and that something can be learned from them.

use weightsmith_priors::{Family, Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{Base, ColumnValues, Seed, Table, Target, Task, TaskType};

fn tasks(config: PriorConfig, shape: TaskShape, n_tasks: u64) -> Vec<Task<Base>> {
    let prior = Prior::new(config).expect("the shares are valid");
    (0..n_tasks).map(|index| prior.sample(&shape, &mut Seed(11).indexed_stream("shares", &[index]))).collect()
}

fn shape(task_type: TaskType, n_classes: usize) -> TaskShape {
    TaskShape { task_type, n_support: 128, n_query: 96, n_classes, n_encoded: 12 }
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

fn majority(task: &Task<Base>) -> f64 {
    let Target::Classes { class_names, labels } = task.query().target() else { panic!("classes expected") };
    let count = |class: usize| labels.iter().filter(|&&label| label == class).count();
    (0..class_names.len()).map(count).max().expect("there are classes") as f64 / labels.len() as f64
}

fn share(tasks: &[Task<Base>], holds: impl Fn(&Table) -> bool) -> f64 {
    mean(tasks.iter().map(|task| f64::from(u8::from(holds(task.support().table())))))
}

fn has_missing(table: &Table) -> bool {
    table.columns().iter().any(|column| match &column.values {
        ColumnValues::Numeric(values) => values.iter().any(|value| value.is_nan()),
        ColumnValues::Categorical { codes, .. } => codes.contains(&None),
    })
}

fn has_categories(table: &Table) -> bool {
    table.columns().iter().any(|column| matches!(column.values, ColumnValues::Categorical { .. }))
}

#[test]
fn tables_look_as_the_design_says() {
    let binary = tasks(PriorConfig::default(), shape(TaskType::Classification, 2), 400);
    let mut majorities: Vec<f64> = binary.iter().map(majority).collect();
    majorities.sort_by(f64::total_cmp);
    let average = mean(majorities.iter().copied());
    // Open tables: mean 0.72, a tenth above 0.89.
    assert!((0.65..0.76).contains(&average), "majority share {average}");
    assert!((0.82..0.97).contains(&majorities[360]), "upper tenth {}", majorities[360]);
    // Three standard errors of a share of 0.55 in 400 tables are 0.075, of 0.12, 0.05.
    let categorical = share(&binary, has_categories);
    assert!((0.47..0.63).contains(&categorical), "tables with categories {categorical}");
    let missing = share(&binary, has_missing);
    assert!((0.05..0.18).contains(&missing), "tables with missing cells {missing}");
    let columns = mean(binary.iter().map(|task| task.support().table().columns().len() as f64));
    assert!((6.0..12.0).contains(&columns), "columns {columns}");

    let ten = tasks(PriorConfig::default(), shape(TaskType::Classification, 10), 400);
    let average = mean(ten.iter().map(majority));
    assert!((0.15..0.45).contains(&average), "majority share of ten classes {average}");
}

/// Standardised numeric columns (missing cells 0), 0/1 columns of the levels, and a constant.
fn encode(task: &Task<Base>) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let (support, query) = (task.support().table(), task.query().table());
    let mut rows = [vec![Vec::new(); support.n_rows()], vec![Vec::new(); query.n_rows()]];
    for (first, second) in support.columns().iter().zip(query.columns()) {
        match (&first.values, &second.values) {
            (ColumnValues::Numeric(a), ColumnValues::Numeric(b)) => {
                let known = || a.iter().copied().filter(|value| !value.is_nan());
                let centre = mean(known());
                let scale = mean(known().map(|value| (value - centre).powi(2))).sqrt().max(1e-9);
                for (part, values) in rows.iter_mut().zip([a, b]) {
                    for (row, value) in part.iter_mut().zip(values) {
                        let z = (value - centre) / scale;
                        row.push(if z.is_nan() { 0.0 } else { z.clamp(-4.0, 4.0) });
                    }
                }
            }
            (ColumnValues::Categorical { levels, codes: a }, ColumnValues::Categorical { codes: b, .. }) => {
                for (part, codes) in rows.iter_mut().zip([a, b]) {
                    for (row, code) in part.iter_mut().zip(codes) {
                        row.extend(
                            (0..levels.len()).map(|level| f64::from(u8::from(*code == Some(level as u32)))),
                        );
                    }
                }
            }
            _ => panic!("support and query have different columns"),
        }
    }
    rows.iter_mut().flatten().for_each(|row| row.push(1.0));
    let [support, query] = rows;
    (support, query)
}

/// Predictions for the query of a ridge regression with strength 1 on the support.
fn ridge(task: &Task<Base>, target: &[f64]) -> Vec<f64> {
    let (support, query) = encode(task);
    let width = support[0].len();
    let mut system = vec![vec![0.0; width + 1]; width];
    for (row, y) in support.iter().zip(target) {
        for i in 0..width {
            for j in 0..width {
                system[i][j] += row[i] * row[j];
            }
            system[i][width] += row[i] * y;
        }
    }
    for (i, equation) in system.iter_mut().enumerate() {
        equation[i] += 1.0;
    }
    for pivot in 0..width {
        for other in 0..width {
            if other != pivot {
                let factor = system[other][pivot] / system[pivot][pivot];
                let row = system[pivot].clone();
                system[other].iter_mut().zip(&row).for_each(|(value, above)| *value -= factor * above);
            }
        }
    }
    let weights: Vec<f64> = (0..width).map(|i| system[i][width] / system[i][i]).collect();
    query.iter().map(|row| row.iter().zip(&weights).map(|(x, w)| x * w).sum()).collect()
}

/// The share of the query's variance that ridge explains, at least -1.
fn explained(task: &Task<Base>) -> f64 {
    let (Target::Values(support), Target::Values(query)) = (task.support().target(), task.query().target())
    else {
        panic!("numbers expected")
    };
    let centre = mean(support.iter().copied());
    let centred: Vec<f64> = support.iter().map(|y| y - centre).collect();
    let predicted = ridge(task, &centred);
    let middle = mean(query.iter().copied());
    let error = mean(query.iter().zip(&predicted).map(|(y, p)| (y - centre - p).powi(2)));
    let variance = mean(query.iter().map(|y| (y - middle).powi(2)));
    (1.0 - error / variance.max(1e-300)).max(-1.0)
}

/// The area under the curve of class 1 against class 0, by a ridge regression on the label.
fn area(task: &Task<Base>) -> Option<f64> {
    let (Target::Classes { labels, .. }, Target::Classes { labels: query, .. }) =
        (task.support().target(), task.query().target())
    else {
        panic!("classes expected")
    };
    let centre = mean(labels.iter().map(|&label| label as f64));
    let predicted = ridge(task, &labels.iter().map(|&label| label as f64 - centre).collect::<Vec<_>>());
    let of = |class: usize| query.iter().zip(&predicted).filter(move |(label, _)| **label == class);
    let pairs = of(1).flat_map(|(_, p)| of(0).map(move |(_, q)| if p > q { 1.0 } else { 0.0 }));
    (of(0).count() > 0 && of(1).count() > 0).then(|| mean(pairs))
}

#[test]
fn linear_tables_can_be_learned_by_ridge() {
    let linear = tasks(PriorConfig::of_family(Family::Linear), shape(TaskType::Regression, 0), 200);
    let average = mean(linear.iter().map(explained));
    assert!(average > 0.5, "ridge explains {average}");
}

#[test]
fn the_mixture_is_neither_hopeless_nor_trivial_for_a_linear_model() {
    let config = PriorConfig::default;
    let values: Vec<f64> =
        tasks(config(), shape(TaskType::Regression, 0), 400).iter().map(explained).collect();
    let average = mean(values.iter().copied());
    // Open tables at 128 rows: mean 0.52.
    assert!((0.35..0.65).contains(&average), "ridge explains {average}");
    let areas: Vec<f64> =
        tasks(config(), shape(TaskType::Classification, 2), 400).iter().filter_map(area).collect();
    let average = mean(areas.iter().copied());
    // Open tables at 128 rows: mean 0.82.
    assert!((0.74..0.88).contains(&average), "mean area {average}");
    for family in Family::ALL {
        let shares = |task_type| tasks(PriorConfig::of_family(family), shape(task_type, 2), 200);
        let r2 = mean(shares(TaskType::Regression).iter().map(explained));
        let auc = mean(shares(TaskType::Classification).iter().filter_map(area));
        assert!(r2 > 0.2 && auc > 0.68, "{family}: explained {r2}, area {auc}");
    }
}
