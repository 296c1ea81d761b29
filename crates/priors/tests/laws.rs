//! What every sampled task must satisfy, over many shapes and families.

use std::collections::HashSet;
use weightsmith_priors::{Family, Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{Base, ColumnValues, Seed, Target, Task, TaskType};

fn classification(n_support: usize, n_classes: usize, n_encoded: usize) -> TaskShape {
    TaskShape { task_type: TaskType::Classification, n_support, n_query: 40, n_classes, n_encoded }
}

fn regression(n_support: usize, n_encoded: usize) -> TaskShape {
    TaskShape { task_type: TaskType::Regression, n_support, n_query: 40, n_classes: 0, n_encoded }
}

/// Encoded inputs by the rule of the shape's documentation, as the support shows them.
fn n_encoded(task: &Task<Base>) -> usize {
    let column_cost = |values: &ColumnValues| match values {
        ColumnValues::Numeric(values) => {
            let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            let constant = known.iter().all(|value| *value == known[0]);
            usize::from(!constant) + usize::from(known.len() < values.len())
        }
        ColumnValues::Categorical { codes, .. } => {
            let n_levels = codes.iter().flatten().collect::<HashSet<_>>().len();
            match n_levels + usize::from(codes.contains(&None)) {
                0 | 1 => 0,
                2 if n_levels == 2 => 1,
                more => more,
            }
        }
    };
    task.support().table().columns().iter().map(|column| column_cost(&column.values)).sum()
}

fn check(task: &Task<Base>, shape: &TaskShape) {
    assert_eq!((task.support().n_rows(), task.query().n_rows()), (shape.n_support, shape.n_query));
    if shape.n_support >= 16 {
        assert_eq!(n_encoded(task), shape.n_encoded, "{shape:?}");
    }
    if let Target::Classes { class_names, labels } = task.support().target() {
        assert_eq!(class_names.len(), shape.n_classes);
        if shape.n_support >= shape.n_classes {
            assert_eq!(labels.iter().collect::<HashSet<_>>().len(), shape.n_classes, "{shape:?}");
        }
    }
    for table in [task.support().table(), task.query().table()] {
        for column in table.columns() {
            if let ColumnValues::Numeric(values) = &column.values {
                assert!(values.iter().all(|value| value.is_nan() || value.abs() < 1e12));
                assert!(!values.iter().all(|value| value.is_nan()) || values.len() < 8);
            }
        }
    }
}

/// Bytes of everything in a task; unlike `==` it holds NaN equal to NaN.
fn bytes(task: &Task<Base>) -> String {
    format!("{task:?}")
}

#[test]
fn rows_classes_and_the_budget_are_exact() {
    let prior = Prior::new(PriorConfig::default()).unwrap();
    for budget in 1..=100 {
        for (position, &n_support) in [16, 24, 50, 128, 512].iter().enumerate() {
            let n_classes = (2 + (budget + position) % 9).min(n_support / 2);
            for shape in [classification(n_support, n_classes, budget), regression(n_support, budget)] {
                let mut rng = Seed(5).indexed_stream("laws", &[budget as u64, n_support as u64]);
                let task = prior.sample(&shape, &mut rng);
                check(&task, &shape);
            }
        }
    }
}

#[test]
fn every_family_alone_gives_sound_tasks() {
    for family in Family::ALL {
        let prior = Prior::new(PriorConfig::of_family(family)).unwrap();
        for index in 0..60 {
            let n_classes = 2 + index as usize % 9;
            for shape in [
                classification(2 * n_classes + index as usize, n_classes, 1 + index as usize % 30),
                regression(16 + index as usize, 1 + index as usize % 30),
            ] {
                let task = prior.sample(&shape, &mut Seed(6).indexed_stream("families", &[index]));
                assert_eq!(task.name(), family.to_string());
                check(&task, &shape);
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let prior = Prior::new(PriorConfig::default()).unwrap();
    for index in 0..100 {
        for shape in [classification(40, 3, 17), regression(40, 17)] {
            let draw =
                |seed: u64| bytes(&prior.sample(&shape, &mut Seed(seed).indexed_stream("same", &[index])));
            assert_eq!(draw(1), draw(1));
            assert_ne!(draw(1), draw(2));
        }
    }
}

#[test]
fn tiny_shapes_do_not_fail() {
    let prior = Prior::new(PriorConfig::default()).unwrap();
    for index in 0..300 {
        for shape in [
            TaskShape { n_query: 0, ..classification(1, 3, 2) },
            TaskShape { n_query: 1, ..classification(2, 2, 1) },
            TaskShape { n_query: 0, ..regression(1, 1) },
            TaskShape { n_query: 2, ..regression(3, 60) },
        ] {
            let task = prior.sample(&shape, &mut Seed(7).indexed_stream("tiny", &[index]));
            assert_eq!((task.support().n_rows(), task.query().n_rows()), (shape.n_support, shape.n_query));
        }
    }
}

/// FNV-1a over every number of a task.
fn checksum(task: &Task<Base>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut eat = |number: u64| {
        for byte in number.to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for (table, target) in
        [(task.support().table(), task.support().target()), (task.query().table(), task.query().target())]
    {
        for column in table.columns() {
            match &column.values {
                // The sign and the payload of NaN may differ between machines.
                ColumnValues::Numeric(values) => {
                    values.iter().for_each(|x| eat(if x.is_nan() { 1 } else { x.to_bits() }));
                }
                ColumnValues::Categorical { codes, .. } => {
                    codes.iter().for_each(|code| eat(code.map_or(u64::MAX, u64::from)));
                }
            }
        }
        match target {
            Target::Classes { labels, .. } => labels.iter().for_each(|&label| eat(label as u64)),
            Target::Values(values) => values.iter().for_each(|y| eat(y.to_bits())),
        }
    }
    hash
}

/// Whoever changes what is drawn changes these sums, and with them every training that is repeated by seed.
#[test]
fn the_drawn_tables_are_the_same_on_every_machine() {
    let prior = Prior::new(PriorConfig::default()).unwrap();
    let sum = |shape: &TaskShape| {
        (0..200).fold(0u64, |sum, index| {
            let task = prior.sample(shape, &mut Seed(8).indexed_stream("golden", &[index]));
            sum.rotate_left(1) ^ checksum(&task)
        })
    };
    assert_eq!(sum(&classification(64, 4, 21)), 0xdf9c_82d3_0bab_5c14);
    assert_eq!(sum(&regression(64, 21)), 0x3b40_fa39_36e9_e92a);
}
