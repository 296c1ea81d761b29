//! Two networks of the same rows as one wider network that says their weighted mean.

use crate::views::scattered;
use std::marker::PhantomData;
use weightsmith_base_model::{
    Architecture, BaseModel, ExpectedPerformance, HeldOutErrors, HostLayer, HostWeights, Matrix,
};

/// One network whose outputs are those of both, `share` of the second and the rest of the first: of classes the mean of logits, which is
/// the geometric mean of probabilities.
///
/// It reads what either reads. What it expects of itself is the mean of what both do, since a mean of predictions has at most the mean
/// loss; errors of held-out rows are the larger ones of both at each rank.
///
/// # Panics
/// If the networks are not of the same target, or have more than one hidden layer or another activation than a ReLU.
pub fn averaged(first: &BaseModel, second: &BaseModel, share: f32) -> BaseModel {
    assert_eq!(first.class_names, second.class_names, "networks of the same classes");
    assert_eq!(first.target_unit, second.target_unit, "networks of the same values");
    let joined = first.encoding.join(&second.encoding);
    let n_inputs = joined.encoding.n_columns();
    let parts = [(&first.weights, &joined.left, 1.0 - share), (&second.weights, &joined.right, share)];
    let n_outputs = first.weights.output_bias.len();
    let (mut hidden, mut bias, mut output) = (Vec::new(), Vec::new(), vec![Vec::new(); n_outputs]);
    let mut skip = vec![0.0; n_outputs * n_inputs];
    let mut output_bias = vec![0.0; n_outputs];
    for (weights, places, share) in parts {
        assert!(weights.hidden.len() <= 1, "generated networks have one hidden layer");
        for layer in &weights.hidden {
            hidden.extend(scattered(&layer.weight, places, n_inputs));
            bias.extend_from_slice(&layer.bias);
        }
        if let Some(own) = &weights.output {
            for (row, values) in output.iter_mut().zip(own.values.chunks_exact(own.n_columns.max(1))) {
                row.extend(values.iter().map(|value| value * share));
            }
        }
        if let Some(own) = &weights.skip {
            let own = scattered(own, places, n_inputs);
            skip.iter_mut().zip(own).for_each(|(sum, value)| *sum += share * value);
        }
        output_bias.iter_mut().zip(&weights.output_bias).for_each(|(sum, value)| *sum += share * value);
    }
    let n_units = bias.len();
    let hidden_layers = if n_units == 0 { vec![] } else { vec![n_units] };
    let architecture =
        Architecture { n_inputs, hidden: hidden_layers, n_outputs, skip: true, ..first.architecture.clone() };
    let layer = || HostLayer { weight: Matrix::new(n_units, n_inputs, hidden), bias };
    let weights = HostWeights {
        hidden: if n_units == 0 { vec![] } else { vec![layer()] },
        skip: Some(Matrix::new(n_outputs, n_inputs, skip)),
        output: (n_units > 0).then(|| Matrix::new(n_outputs, n_units, output.concat())),
        output_bias,
        activation: first.weights.activation,
    };
    BaseModel {
        encoding: joined.encoding,
        architecture,
        task_type: first.task_type,
        class_names: first.class_names.clone(),
        weights,
        target_unit: first.target_unit,
        provenance: first.provenance.clone(),
        support: first.support.clone(),
        expected: expected(first, second, share),
        held_out: held_out(first, second),
        level: PhantomData,
    }
}

fn expected(first: &BaseModel, second: &BaseModel, share: f32) -> Option<ExpectedPerformance> {
    let (a, b) = (first.expected.as_ref()?, second.expected.as_ref()?);
    let mean = |a: f32, b: f32| a + share * (b - a);
    Some(ExpectedPerformance {
        metric: a.metric,
        value: mean(a.value, b.value),
        low: mean(a.low, b.low),
        high: mean(a.high, b.high),
        residual_std: a.residual_std.zip(b.residual_std).map(|(a, b)| mean(a, b)),
    })
}

fn held_out(first: &BaseModel, second: &BaseModel) -> Option<HeldOutErrors> {
    let (a, b) = (first.held_out.as_ref()?, second.held_out.as_ref()?);
    if a.n_rows != b.n_rows || a.errors.len() != b.errors.len() {
        return None;
    }
    let errors = a.errors.iter().zip(&b.errors).map(|(a, b)| a.max(*b)).collect();
    Some(HeldOutErrors { n_rows: a.n_rows, errors })
}
