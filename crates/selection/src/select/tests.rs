use super::*;
use crate::impurity::Impurity;
use rand::Rng;
use weightsmith_tasks::{Column, ColumnValues, Seed, Table};

/// Two classes around (1.5, 0) and (-1.5, 0), and a column of noise.
fn blobs(n: usize, seed: u64) -> Support {
    let mut rng = Seed(seed).stream("blobs");
    let labels: Vec<usize> = (0..n).map(|row| row % 2).collect();
    let mut noise = || (0..6).map(|_| rng.random_range(-0.7..0.7)).sum::<f64>();
    let x: Vec<f64> = labels.iter().map(|&label| 3.0 * label as f64 - 1.5 + noise()).collect();
    let columns =
        [("x", x), ("y", (0..n).map(|_| noise()).collect()), ("z", (0..n).map(|_| noise()).collect())];
    let columns =
        columns.map(|(name, values)| Column { name: name.into(), values: ColumnValues::Numeric(values) });
    let table = Table::new(n, columns.to_vec()).unwrap();
    Support::new(table, Target::Classes { class_names: vec!["a".into(), "b".into()], labels }).unwrap()
}

fn flipped(support: &Support, rows: &[usize]) -> Support {
    let Target::Classes { class_names, labels } = support.target() else { panic!("classes") };
    let mut labels = labels.clone();
    rows.iter().for_each(|&row| labels[row] = 1 - labels[row]);
    let target = Target::Classes { class_names: class_names.clone(), labels };
    Support::new(support.table().clone(), target).unwrap()
}

#[test]
fn wrong_labels_are_dropped_and_clean_tables_keep_nearly_all() {
    let (mut n_found, mut n_false, mut n_lost) = (0, 0, 0);
    for seed in 0..5 {
        let clean = blobs(160, seed);
        let planted: Vec<usize> = (0..20).map(|at| 7 * at + 3).collect();
        let selection = select(&Selector::shipped(), &flipped(&clean, &planted), None, &[]).unwrap();
        for row in &selection.rows {
            if row.standing != Standing::Kept {
                assert!(!row.reasons.is_empty() && row.reasons.len() <= MOST_REASONS, "{row:?}");
                match planted.contains(&(row.row - 1)) {
                    true => n_found += 1,
                    false if row.standing == Standing::Dropped => n_false += 1,
                    false => {}
                }
            }
        }
        n_lost += select(&Selector::shipped(), &clean, None, &[]).unwrap().count(Standing::Dropped);
    }
    // Some 3 % of the rows lie on the other side of the boundary: their labels cannot be told from wrong ones.
    assert!(n_found >= 75, "{n_found} of 100 wrong labels found");
    assert!(n_false <= 24 && n_lost <= 40, "{n_false} of 700 and {n_lost} of 800 right rows dropped");
}

#[test]
fn weights_are_0_where_rows_are_dropped_and_1_in_the_mean_elsewhere() {
    let table = flipped(&blobs(120, 9), &[1, 8, 15, 40, 77, 90]);
    let selection = select(&Selector::shipped(), &table, Some(&blobs(30, 10)), &[]).unwrap();
    assert_eq!((selection.rows.len(), selection.n_clean), (120, 30));
    let kept = selection.kept();
    let sum: f64 = selection.rows.iter().map(|row| row.weight).sum();
    assert!((sum - kept.len() as f64).abs() < 1e-9 && kept.len() < 120, "{sum} over {}", kept.len());
    for row in &selection.rows {
        assert_eq!(row.weight == 0.0, row.standing == Standing::Dropped);
        assert_eq!(kept.contains(&(row.row - 1)), row.standing != Standing::Dropped);
    }
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let table =
        Impurity::RandomLabels(0.2).apply(&blobs(80, 3), &mut Seed(1).stream("order")).unwrap().support;
    let order: Vec<usize> = (0..80).map(|row| (row * 37 + 11) % 80).collect();
    let first = select(&Selector::shipped(), &table, None, &[]).unwrap();
    let second = select(&Selector::shipped(), &table.select(&order), None, &[]).unwrap();
    for (place, &row) in order.iter().enumerate() {
        let (a, b) = (&first.rows[row], &second.rows[place]);
        assert!((a.wrong - b.wrong).abs() < 1e-5 && (a.value - b.value).abs() < 1e-4, "{a:?} {b:?}");
        assert_eq!(a.standing, b.standing);
    }
}

#[test]
fn rows_of_a_bad_source_are_told_by_their_group() {
    let clean = blobs(160, 21);
    let groups: Vec<usize> = (0..160).map(|row| usize::from(row >= 80)).collect();
    // In the second source four in ten labels are wrong.
    let planted: Vec<usize> = (80..160).filter(|row| row * 7 % 10 < 4).collect();
    let table = flipped(&clean, &planted);
    let mean_wrong = |groups: &[usize]| {
        let found = select(&Selector::shipped(), &table, None, groups).unwrap();
        let right = (80..160).filter(|row| !planted.contains(row));
        right.map(|row| found.rows[row].wrong).sum::<f64>()
    };
    assert!(
        mean_wrong(&groups) > mean_wrong(&[]),
        "right rows of a bad source are doubted more where the source is known"
    );
}

#[test]
fn what_cannot_be_selected_from_is_refused() {
    let selector = Selector::shipped();
    let error = |table: &Support, clean: Option<&Support>| {
        select(&selector, table, clean, &[]).unwrap_err().to_string()
    };
    assert!(error(&blobs(8, 1), None).contains("at least 12"));
    let one = blobs(40, 1).select(&(0..40).step_by(2).collect::<Vec<_>>());
    assert!(error(&one, None).contains("same label"));
    let values = Support::new(blobs(20, 1).table().clone(), Target::Values(vec![0.5; 20])).unwrap();
    assert!(error(&values, None).contains("same label"));
    let other = Table::new(4, vec![Column { name: "w".into(), values: ColumnValues::Numeric(vec![0.0; 4]) }])
        .unwrap();
    let target = Target::Classes { class_names: vec!["a".into(), "b".into()], labels: vec![0, 1, 0, 1] };
    assert!(
        error(&blobs(40, 1), Some(&Support::new(other, target).unwrap())).contains("column \"x\" is missing")
    );
}

#[test]
fn a_selector_is_the_same_after_it_was_saved_and_damaged_files_are_refused() {
    let selector = Selector::shipped();
    let bytes = selector.to_bytes();
    assert_eq!(Selector::from_bytes(&bytes).unwrap(), selector);
    for cut in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(Selector::from_bytes(&bytes[..cut]).is_err(), "{cut} bytes");
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let place = text.find("OwnSimilarity").unwrap();
    let mut other = bytes.clone();
    other[place] = b'X';
    assert!(Selector::from_bytes(&other).unwrap_err().to_string().contains("other features"));
    let mut infinite = bytes.clone();
    let last = infinite.len();
    infinite[last - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    assert!(Selector::from_bytes(&infinite).unwrap_err().to_string().contains("not finite"));
}
