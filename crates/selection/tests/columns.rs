//! Columns that matter and columns that do not, of which it is known which are which.

#![expect(clippy::unwrap_used, reason = "tests")]

use rand::Rng;
use weightsmith_selection::{HeldOutWorth, JudgedColumns, SelectionError, judge_columns};
use weightsmith_tasks::{Column, ColumnValues, Seed, Support, Table, Target};

/// Uniform numbers, `n_noise` of them called noise; the first two columns are `a` and `b`, the third the names `c`.
fn table(n_rows: usize, n_noise: usize, seed: u64) -> (Table, Vec<Vec<f64>>) {
    let mut rng = Seed(seed).stream("testing.columns");
    let mut numbers = |_: usize| (0..n_rows).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f64>>();
    let values: Vec<Vec<f64>> = (0..n_noise + 3).map(&mut numbers).collect();
    let columns = values.iter().enumerate().map(|(at, values)| match at {
        2 => {
            let codes = values.iter().map(|value| Some(u32::from(*value > 0.0) + u32::from(*value > 0.6)));
            let levels = ["x", "y", "z"].map(String::from).to_vec();
            Column { name: "c".into(), values: ColumnValues::Categorical { levels, codes: codes.collect() } }
        }
        _ => {
            let name = if at < 2 { ["a", "b"][at].to_string() } else { format!("noise {at}") };
            Column { name, values: ColumnValues::Numeric(values.clone()) }
        }
    });
    (Table::new(n_rows, columns.collect()).unwrap(), values)
}

fn classes(is_one: impl Iterator<Item = bool>) -> Target {
    Target::Classes {
        class_names: ["no", "yes"].map(String::from).to_vec(),
        labels: is_one.map(usize::from).collect(),
    }
}

fn judged(table: &Table, target: Target) -> JudgedColumns {
    judge_columns(&Support::new(table.clone(), target).unwrap(), None, Seed(0)).unwrap()
}

fn names(judged: &JudgedColumns, level: f64) -> Vec<&str> {
    judged.kept(level).into_iter().map(|at| judged.columns[at].column.as_str()).collect()
}

#[test]
fn columns_that_tell_only_together_survive_among_fifty_that_say_nothing() {
    let (table, values) = table(128, 50, 1);
    let product = || values[0].iter().zip(&values[1]).map(|(a, b)| a * b);
    for target in [classes(product().map(|p| p > 0.0)), Target::Values(product().collect())] {
        let found = judged(&table, target);
        let [a, b] = [&found.columns[0], &found.columns[1]];
        // Neither has a univariate figure that chance would not make.
        assert!(a.alone > 0.05 && b.alone > 0.05 && a.without < 0.05, "{a:?} {b:?}");
        assert_eq!((a.partner.as_deref(), b.partner.as_deref()), (Some("b"), Some("a")));
        assert!(a.irrelevant < 0.2 && b.irrelevant < 0.2, "{a:?} {b:?}");
        assert!(a.reason.contains("together with \"b\""), "{}", a.reason);
        let kept = names(&found, 0.9);
        assert!(kept.contains(&"a") && kept.contains(&"b") && kept.len() < 30, "{kept:?}");
    }
}

#[test]
fn slopes_curvature_and_levels_are_seen_and_noise_is_not() {
    let (table, values) = table(128, 60, 2);
    let chosen = |of: &dyn Fn(usize) -> f64| {
        let found = judged(&table, Target::Values((0..128).map(of).collect()));
        names(&found, 0.5).into_iter().map(String::from).collect::<Vec<_>>()
    };
    let noise = |row: usize| 0.3 * values[10][row];
    assert!(chosen(&|row| values[0][row] + noise(row)).contains(&"a".to_string()));
    assert!(chosen(&|row| values[1][row].powi(2) + noise(row)).contains(&"b".to_string()));
    assert!(chosen(&|row| f64::from(u8::from(values[2][row] > 0.6)) + noise(row)).contains(&"c".to_string()));
    // Nothing but noise: over five draws next to nothing is kept, and never nothing.
    for seed in 0..5 {
        let (noise, values) = crate::table(128, 60, 100 + seed);
        let found =
            judged(&noise, classes(values[62].iter().map(|_| false).zip(0..).map(|(_, row)| row % 2 == 0)));
        let kept = found.kept(0.5).len();
        assert!((1..6).contains(&kept), "{kept} of 63 kept");
        assert!(found.irrelevant_share > 0.7, "{}", found.irrelevant_share);
    }
}

#[test]
fn worth_on_held_out_rows_counts_beside_the_rest() {
    let (table, values) = table(128, 40, 3);
    let target = classes(values[20].iter().map(|value| value.sin() * 1e3 % 1.0 > 0.0));
    let support = Support::new(table, target).unwrap();
    let nothing = HeldOutWorth { increase: 0.0, standard_error: 0.0 };
    let mut worth = vec![nothing; 43];
    worth[7] = HeldOutWorth { increase: 0.2, standard_error: 0.03 };
    let without = judge_columns(&support, None, Seed(0)).unwrap();
    let with = judge_columns(&support, Some(&worth), Seed(0)).unwrap();
    assert!(without.columns[7].irrelevant > 0.5 && with.columns[7].irrelevant < 0.1);
    assert!(with.columns[7].reason.starts_with("networks that read it"), "{}", with.columns[7].reason);
}

#[test]
fn the_order_of_columns_changes_only_theirs() {
    let (table, values) = table(96, 12, 4);
    let target = || classes(values[0].iter().zip(&values[1]).map(|(a, b)| a + 0.5 * b > 0.0));
    let turned: Vec<usize> = (0..15).rev().collect();
    let (found, other) = (judged(&table, target()), judged(&table.select_columns(&turned), target()));
    for (a, b) in found.columns.iter().zip(other.columns.iter().rev()) {
        assert_eq!(a.column, b.column);
        assert!(
            (a.irrelevant - b.irrelevant).abs() < 1e-6 && (a.without - b.without).abs() < 1e-9,
            "{a:?} {b:?}"
        );
    }
}

#[test]
fn columns_that_do_not_vary_and_tables_of_one_are_judged() {
    let same = Column { name: "same".into(), values: ColumnValues::Numeric(vec![3.0; 20]) };
    let line =
        Column { name: "line".into(), values: ColumnValues::Numeric((0..20).map(f64::from).collect()) };
    let table = Table::new(20, vec![same, line]).unwrap();
    let found = judged(&table, Target::Values((0..20).map(|row| f64::from(row * row)).collect()));
    assert_eq!((found.columns[0].reason.as_str(), found.kept(0.5)), ("it does not vary", vec![1]));
    let short = Support::new(table.select(&[0, 1, 2]), Target::Values(vec![1.0, 2.0, 3.0])).unwrap();
    assert!(matches!(judge_columns(&short, None, Seed(0)), Err(SelectionError::TooFewRows { .. })));
}
