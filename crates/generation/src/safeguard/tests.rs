use super::*;
use weightsmith_base_model::{Activation, EncodingLimits, HostLayer};
use weightsmith_tasks::{Base, Column, ColumnValues, Support};

const N_ROWS: usize = 60;

/// A column, and classes or numbers that follow it.
fn support(is_class: bool) -> Support<Base> {
    let x: Vec<f64> = (0..N_ROWS).map(|row| ((row * 37) % N_ROWS) as f64 / 30.0 - 1.0).collect();
    let column = Column { name: "x".into(), values: ColumnValues::Numeric(x.clone()) };
    let table = Table::new(N_ROWS, vec![column]).unwrap();
    let target = if is_class {
        let labels = x.iter().map(|x| usize::from(*x > 0.0)).collect();
        Target::Classes { class_names: vec!["no".into(), "yes".into()], labels }
    } else {
        Target::Values(x.iter().map(|x| 100.0 + 10.0 * x).collect())
    };
    Support::new(table, target).unwrap()
}

/// A linear model of some slope, whose left-out outputs are those of another slope: both are what is promised and what
/// is done.
fn candidate(support: &Support<Base>, done: f32, promised: f32) -> Candidate {
    let encoding = Encoding::fit(support, &EncodingLimits::default()).unwrap().standard;
    let outputs = match support.target() {
        Target::Classes { .. } => (vec![-1.0, 1.0], vec![0.0, 0.0]),
        Target::Values(_) => (vec![1.0], vec![100.0]),
    };
    let weights = |slope: f32| HostWeights {
        hidden: vec![],
        skip: Some(Matrix::new(outputs.0.len(), 1, outputs.0.iter().map(|sign| sign * slope).collect())),
        output: None,
        output_bias: outputs.1.clone(),
        activation: Activation::Relu,
    };
    let left_out = weights(promised).predict(&encoding.encode(support.table()).unwrap());
    Candidate { encoding, weights: weights(done), left_out }
}

fn chosen(support: &Support<Base>, generated: Candidate, linear: Candidate) -> (Candidate, Option<Fallback>) {
    let order: Vec<usize> = (0..N_ROWS).collect();
    let judge = Judge { table: support.table(), target: support.target(), order: &order, is_usual: true };
    judge.choose(generated, linear).unwrap()
}

#[test]
fn the_network_is_kept_unless_the_linear_model_is_clearly_better() {
    for is_class in [true, false] {
        let support = support(is_class);
        let of = |slope: f32| candidate(&support, slope, slope);
        assert_eq!(chosen(&support, of(4.0), of(4.0)).1, None);
        assert_eq!(chosen(&support, of(4.0), of(3.99)).1, None);
        let (written, fallback) = chosen(&support, of(-4.0), of(4.0));
        assert_eq!(fallback, Some(Fallback::Linear));
        assert_eq!(written.weights, of(4.0).weights);
    }
}

#[test]
fn the_base_rate_is_written_where_both_are_worse() {
    for is_class in [true, false] {
        let support = support(is_class);
        let of = |slope: f32| candidate(&support, slope, slope);
        let (written, fallback) = chosen(&support, of(-4.0), of(-3.0));
        assert_eq!(fallback, Some(Fallback::BaseRate));
        let outputs = written.weights.predict(&written.encoding.encode(support.table()).unwrap());
        match support.target() {
            Target::Classes { labels, .. } => {
                let yes = labels.iter().sum::<usize>() as f32 + 0.5;
                let expected = (yes / (N_ROWS as f32 + 1.0)).ln();
                assert!((outputs[1] - expected).abs() < 1e-6, "{} where {expected} is due", outputs[1]);
            }
            Target::Values(values) => assert!((f64::from(outputs[0]) - mean(values)).abs() < 1e-4),
        }
    }
}

#[test]
fn a_network_that_breaks_its_promise_is_not_written() {
    for is_class in [true, false] {
        let support = support(is_class);
        let linear = || candidate(&support, 2.0, 2.0);
        assert_eq!(chosen(&support, candidate(&support, 4.0, 4.0), linear()).1, None);
        assert_eq!(chosen(&support, candidate(&support, -4e6, 4.0), linear()).1, Some(Fallback::Linear));
        assert_eq!(chosen(&support, candidate(&support, f32::NAN, 4.0), linear()).1, Some(Fallback::Linear));
        assert_eq!(chosen(&support, candidate(&support, 4.0, f32::NAN), linear()).1, Some(Fallback::Linear));
        let broken = || candidate(&support, f32::INFINITY, 4.0);
        assert_eq!(chosen(&support, broken(), broken()).1, Some(Fallback::BaseRate));
    }
}

#[test]
fn a_network_that_does_less_than_promised_and_more_than_the_linear_model_promises_that() {
    for is_class in [true, false] {
        let support = support(is_class);
        // Slopes of logits, or of values, of which 5.8 is all but right.
        let (promised, done, next_to_linear, slope) =
            if is_class { (20.0, 1.0, 0.15, 0.1) } else { (5.8, 3.0, 0.6, 0.5) };
        let linear = || candidate(&support, slope, slope);
        let (written, fallback) = chosen(&support, candidate(&support, done, promised), linear());
        assert_eq!(fallback, None);
        assert_eq!(written.left_out, candidate(&support, done, done).left_out);
        // Where what is done is no clear gain, the linear model is written.
        let (_, fallback) = chosen(&support, candidate(&support, next_to_linear, promised), linear());
        assert_eq!(fallback, Some(Fallback::Linear));
    }
}

#[test]
fn a_network_with_a_number_that_is_none_is_not_written_however_good_it_looks() {
    for is_class in [true, false] {
        let support = support(is_class);
        let mut broken = candidate(&support, 4.0, 5.0);
        // A unit that never says anything.
        broken.weights.hidden =
            vec![HostLayer { weight: Matrix::new(1, 1, vec![1.0]), bias: vec![f32::NEG_INFINITY] }];
        let n_outputs = broken.weights.output_bias.len();
        broken.weights.output = Some(Matrix::new(n_outputs, 1, vec![1.0; n_outputs]));
        let (written, fallback) = chosen(&support, broken, candidate(&support, 0.5, 0.5));
        assert_eq!(fallback, Some(Fallback::Linear));
        assert!(written.is_finite());
    }
}

#[test]
fn a_class_without_rows_stays_next_to_impossible() {
    let target =
        Target::Classes { class_names: vec!["a".into(), "b".into(), "c".into()], labels: vec![0, 2, 2, 0] };
    let support = support(true);
    let base = base_rate(&target, &candidate(&support, 1.0, 1.0));
    assert_eq!(base.weights.output_bias[1], views::ABSENT_LOGIT);
    // Left-out shares of a row's own class count the others only: ln(1.5 / 4) beside ln(2.5 / 4).
    let losses = row_losses(&target, &base.left_out);
    assert!(losses.iter().all(|loss| (loss + (1.5f64 / 4.0).ln()).abs() < 1e-5), "{losses:?}");
}

#[test]
fn a_network_that_is_wild_where_there_is_no_row_is_not_written() {
    let support = support(false);
    // A hidden unit that is silent on all rows, and steep to the left of them.
    let with_unit = |slope: f32| {
        let mut candidate = candidate(&support, 4.0, 4.0);
        let layer = HostLayer { weight: Matrix::new(1, 1, vec![-slope]), bias: vec![-2.0 * slope] };
        candidate.weights.hidden.push(layer);
        candidate.weights.output = Some(Matrix::new(1, 1, vec![1.0]));
        candidate
    };
    let rows = candidate(&support, 4.0, 4.0).encoding.encode(support.table()).unwrap();
    assert_eq!(with_unit(1e4).weights.predict(&rows), candidate(&support, 4.0, 4.0).weights.predict(&rows));
    let linear = || candidate(&support, 3.9, 3.9);
    // The labels reach to 110, and five times as far is wild.
    assert_eq!(chosen(&support, with_unit(100.0), linear()).1, None);
    assert_eq!(chosen(&support, with_unit(1e3), linear()).1, Some(Fallback::Linear));
    assert_eq!(chosen(&support, with_unit(1e3), with_unit(1e3)).1, Some(Fallback::BaseRate));
}
