use super::*;

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} where {expected} is expected");
}

fn check(scores: &Scores, expected: &[(Metric, f64)]) {
    for (metric, value) in expected {
        close(scores.get(*metric).unwrap(), *value);
    }
}

/// Figures of the outside scorer's own functions (numpy 2.4.6, scipy 1.17.1) on the same numbers.
#[test]
fn classes_score_as_outside() {
    let two = [
        1.0, 0.0, 0.32, 0.68, 0.5, 0.5, 0.37, 0.63, 0.08, 0.92, 0.05, 0.95, 0.76, 0.24, 0.56, 0.44, 0.03,
        0.97,
    ];
    check(
        &classification_scores(&two, 2, &[1, 0, 0, 1, 1, 0, 0, 1, 0]),
        &[
            (Metric::Accuracy, 0.4444444444444444),
            (Metric::Auc, 0.3),
            (Metric::LogLoss, 2.6434686287659175),
            (Metric::Brier, 0.9045106666673335),
            (Metric::CalibrationError, 0.38333322222233335),
        ],
    );
    let four = [
        1.0, 0.0, 0.0, 0.0, 0.08, 0.58, 0.33, 0.01, 0.06, 0.15, 0.61, 0.19, 0.14, 0.14, 0.4, 0.32, 0.01,
        0.15, 0.32, 0.53, 0.28, 0.07, 0.32, 0.33, 0.48, 0.39, 0.11, 0.02, 0.32, 0.01, 0.41, 0.26, 0.25, 0.19,
        0.31, 0.26, 0.36, 0.08, 0.41, 0.15, 0.23, 0.51, 0.22, 0.05, 0.15, 0.68, 0.16, 0.01,
    ];
    check(
        &classification_scores(&four, 4, &[1, 0, 0, 0, 0, 0, 2, 2, 0, 0, 2, 2]),
        &[
            (Metric::Accuracy, 0.08333333333333333),
            (Metric::Auc, 0.24107142857142858),
            (Metric::LogLoss, 2.9910192331765013),
            (Metric::Brier, 1.0755492663494366),
            (Metric::CalibrationError, 0.43588258828457843),
        ],
    );
}

#[test]
fn values_score_as_outside() {
    let values = [-2.43, -1.67, -1.46, 0.96, 0.75, -1.89, -3.43];
    let predicted = [-3.84, -4.23, -0.57, 1.24, 2.02, -1.68, -3.16];
    check(
        &regression_scores(&predicted, Some(0.7), &values),
        &[
            (Metric::R2, 0.28730698870396176),
            (Metric::R2Clipped, 0.28730698870396176),
            (Metric::Rmse, 1.2616372582595092),
            (Metric::Coverage, 0.7142857142857143),
        ],
    );
    let bad = regression_scores(&[9.0, -9.0], None, &[0.0, 1.0]);
    check(&bad, &[(Metric::R2Clipped, -1.0)]);
    assert_eq!(bad.get(Metric::Coverage), None);
}

/// The area is the share of pairs of one positive and one negative row that are in the right order.
#[test]
fn the_area_counts_pairs() {
    let scores = [0.1, 0.4, 0.4, 0.8, 0.35, 0.4, 0.9, 0.1];
    let positive = [false, true, false, true, true, false, true, true];
    let (mut right, mut pairs) = (0.0, 0.0);
    for (i, a) in scores.iter().enumerate().filter(|(i, _)| positive[*i]) {
        for (j, b) in scores.iter().enumerate().filter(|(j, _)| !positive[*j]) {
            assert_ne!(i, j);
            right += if a > b { 1.0 } else { 0.5 * f64::from(u8::from(a == b)) };
            pairs += 1.0;
        }
    }
    close(binary_auc(scores.into_iter().zip(positive).collect()), right / pairs);
}

#[test]
fn an_area_needs_both_classes() {
    let scores = classification_scores(&[0.5, 0.5, 0.1, 0.9], 2, &[1, 1]);
    assert_eq!(scores.get(Metric::Auc), None);
    assert_eq!(scores.get(Metric::Accuracy), Some(0.5));
    assert_eq!(scores.metrics().count(), 5);
}

/// Areas of the outside scorer (numpy 2.4.6, scipy 1.17.1) on the same rows, in which the last class has probability 0:
/// its order is that of rounding errors, which differ from the equal ranks before the division, with probabilities
/// that are not those of the text, and, from 8 classes on, with another order of the sum.
#[test]
fn a_class_nobody_foresaw_is_ordered_as_outside() {
    for (n_classes, expected) in [(3, 0.4542409724070624), (8, 0.47428351446787875), (13, 0.472122993565544)]
    {
        let mut rows = Vec::new();
        let mut labels = Vec::new();
        for i in 0..120usize {
            let raw = |j: usize| ((i * 7919 + j * 104_729 + i * j * 31) % 997 + 1) as f64 / 1000.0;
            let mut row: Vec<f64> = (0..n_classes).map(raw).collect();
            row[n_classes - 1] = 0.0;
            let total = numpy_sum(&row);
            rows.extend(row.iter().map(|p| weightsmith_base_model::as_written((p / total) as f32)));
            labels.push((i * 5 + i / 7) % n_classes);
        }
        let scores = classification_scores(&rows, n_classes, &labels);
        close(scores.get(Metric::Auc).unwrap(), expected);
    }
}
