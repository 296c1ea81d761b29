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

#[test]
fn a_class_nobody_foresaw_is_ordered_by_chance() {
    // The last class is never foreseen, the first two are told apart; a third of the pairs knows nothing of either.
    let rows = [0.9f32, 0.1, 0.0, 0.2, 0.8, 0.0, 0.6, 0.4, 0.0].map(f64::from);
    let scores = classification_scores(&rows, 3, &[0, 1, 2]);
    // Pairs: (0, 1) 1; (0, 2) of 0.9 over 0.6 and a tie, (1 + 0.5) / 2; (1, 2) of 0.8 over 0.4 and a tie.
    close(scores.get(Metric::Auc).unwrap(), (1.0 + 0.75 + 0.75) / 3.0);
}
