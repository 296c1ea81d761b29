//! Wrong targets, copied rows and columns of noise: where they are, and that nothing else moves.

use weightsmith_priors::{ColumnShares, Family, ImpurityShares, Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{Base, ColumnValues, Seed, Target, Task, TaskType};

fn shape(task_type: TaskType, n_encoded: usize) -> TaskShape {
    TaskShape { task_type, n_support: 100, n_query: 300, n_classes: 3, n_encoded }
}

fn tasks(config: PriorConfig, shape: TaskShape) -> Vec<Task<Base>> {
    let prior = Prior::new(config).expect("the shares are valid");
    (0..100).map(|index| prior.sample(&shape, &mut Seed(3).indexed_stream("impure", &[index]))).collect()
}

fn impure(systematic: f64) -> PriorConfig {
    let impurities = ImpurityShares { tables: 1.0, most: 0.5, systematic, repeated_tables: 0.0 };
    PriorConfig { impurities, ..PriorConfig::default() }
}

/// The share of targets that two supports have different.
fn changed(a: &Task<Base>, b: &Task<Base>) -> f64 {
    let n = a.support().n_rows() as f64;
    match (a.support().target(), b.support().target()) {
        (Target::Classes { labels: a, .. }, Target::Classes { labels: b, .. }) => {
            a.iter().zip(b).filter(|(a, b)| a != b).count() as f64 / n
        }
        (Target::Values(a), Target::Values(b)) => a.iter().zip(b).filter(|(a, b)| a != b).count() as f64 / n,
        _ => panic!("targets of one type expected"),
    }
}

#[test]
fn wrong_targets_are_in_the_support_alone() {
    for task_type in [TaskType::Classification, TaskType::Regression] {
        let clean = tasks(PriorConfig::default(), shape(task_type, 12));
        for systematic in [0.0, 1.0] {
            let spoilt = tasks(impure(systematic), shape(task_type, 12));
            let shares: Vec<f64> = clean.iter().zip(&spoilt).map(|(a, b)| changed(a, b)).collect();
            let mean = shares.iter().sum::<f64>() / shares.len() as f64;
            assert!((0.08..0.30).contains(&mean), "{task_type:?}, systematic {systematic}: {mean}");
            for (a, b) in clean.iter().zip(&spoilt) {
                assert_eq!(format!("{:?}", a.query()), format!("{:?}", b.query()));
                assert_eq!(format!("{:?}", a.support().table()), format!("{:?}", b.support().table()));
            }
        }
    }
}

#[test]
fn copied_rows_are_copies_and_every_class_is_left() {
    let impurities = ImpurityShares { repeated_tables: 1.0, ..ImpurityShares::default() };
    let config = PriorConfig { impurities, ..PriorConfig::default() };
    let repeated = |task: &Task<Base>| {
        let support = task.support();
        let rows: Vec<String> =
            (0..support.n_rows()).map(|row| format!("{:?}", support.table().select(&[row]))).collect();
        let distinct: std::collections::HashSet<&String> = rows.iter().collect();
        let Target::Classes { class_names, labels } = support.target() else { panic!("classes expected") };
        assert!((0..class_names.len()).all(|class| labels.contains(&class)));
        rows.len() - distinct.len()
    };
    let copies: usize = tasks(config, shape(TaskType::Classification, 12)).iter().map(repeated).sum();
    let by_chance: usize =
        tasks(PriorConfig::default(), shape(TaskType::Classification, 12)).iter().map(repeated).sum();
    assert!(copies > by_chance + 1000, "{copies} copies, {by_chance} without");
}

/// The largest share of a column's order that the target has, as a rank-free correlation, squared.
fn strongest(task: &Task<Base>) -> Vec<f64> {
    let Target::Values(target) = task.query().target() else { panic!("values expected") };
    let columns = task.query().table().columns().iter();
    columns
        .filter_map(|column| match &column.values {
            ColumnValues::Numeric(values) if values.iter().all(|value| value.is_finite()) => {
                Some(correlation(values, target).powi(2))
            }
            _ => None,
        })
        .collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
    let covariance = sum(&|i| (a[i] - mean_a) * (b[i] - mean_b));
    let variance = sum(&|i| (a[i] - mean_a).powi(2)) * sum(&|i| (b[i] - mean_b).powi(2));
    if variance > 0.0 { covariance / variance.sqrt() } else { 0.0 }
}

#[test]
fn columns_of_noise_say_nothing_about_the_target() {
    let silent = |noise_tables: f64| {
        let columns = ColumnShares {
            noise_tables,
            irrelevant_tables: 0.0,
            spread: [0.0, 0.1],
            ..ColumnShares::default()
        };
        let config = PriorConfig { columns, ..PriorConfig::of_family(Family::Linear) };
        let found = tasks(config, shape(TaskType::Regression, 40));
        assert!(found.iter().all(|task| task.support().table().columns().len() > 2));
        // Under independence 95 % of the squares of correlations over 300 rows lie below 0.013.
        let all: Vec<f64> = found.iter().flat_map(strongest).collect();
        all.iter().filter(|&&square| square < 0.013).count() as f64 / all.len() as f64
    };
    let (with, without) = (silent(1.0), silent(0.0));
    assert!(with > 0.75 && without < 0.55, "silent columns: {with} with noise, {without} without");
}
