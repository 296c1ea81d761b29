//! Base models by gradient steps from a learned start.

use super::InnerError;
use super::problem::{Labels, Origin, Problem, row_losses};
use super::{folds, split_off};
use crate::starts::{Canonical, LearnedStart, Loss, Mlp, one_against_rest};
use weightsmith_base_model::{Activation, BaseModel, HostLayer, HostWeights, Matrix};
use weightsmith_tasks::{Level, Seed, Support, TaskType};

/// Numbers of steps that are tried, rising.
const NUMBERS: [usize; 9] = [0, 1, 2, 5, 10, 20, 50, 100, 200];

/// Networks after numbers of gradient steps from a learned start, which rise: one network for each.
///
/// The support is brought to the start's shape as the tables that it was trained on were: columns in order of the strength of their
/// correlation with the target, the first so many of them, turned so that they correlate positively. Two classes are one
/// output; of more, each is told from the rest by a network of its own, and all are joined into one, whose outputs are their logits.
///
/// # Errors
/// A support that cannot be encoded, a start for the other kind of target, numbers that do not fit f32.
///
/// # Panics
/// If the numbers of steps do not rise.
pub fn steps_from_start<L: Level>(
    support: &Support<L>,
    start: &LearnedStart,
    n_steps: &[usize],
) -> Result<Vec<BaseModel<L>>, InnerError> {
    let problem = Problem::of(support)?;
    let (wanted, found) = (support.target().task_type(), task_type(start));
    if wanted != found {
        return Err(InnerError::OtherTarget { wanted, found });
    }
    let targets: Vec<Vec<f32>> = match &problem.labels {
        Labels::Binary { signs, .. } => {
            vec![signs.iter().map(|&sign| f32::from(u8::from(sign > 0.0))).collect()]
        }
        Labels::Classes { present, labels } => {
            (0..present.len()).map(|class| one_against_rest(labels, class)).collect()
        }
        Labels::Values { standardised, .. } => vec![standardised.clone()],
    };
    let outputs: Vec<(Canonical, Vec<Vec<f32>>)> = targets
        .into_iter()
        .map(|targets| {
            let canonical = Canonical::of(&problem.rows, &targets, start.mlp.n_inputs);
            let rows = canonical.batch(&problem.rows, targets);
            let path = start.adapt_along(&rows, n_steps);
            (canonical, path)
        })
        .collect();
    let model = |at: usize| {
        let networks: Vec<(&Canonical, &[f32])> =
            outputs.iter().map(|(canonical, path)| (canonical, path[at].as_slice())).collect();
        let weights = joined(&start.mlp, &networks, problem.rows.n_columns);
        let origin = Origin { name: start.algorithm.name().to_string(), expected: None };
        problem.export(&weights, support, origin)
    };
    (0..n_steps.len()).map(model).collect()
}

/// A network by as many steps from a learned start as 4-fold cross-validation inside the support picks, and their number.
///
/// # Errors
/// As [`steps_from_start`]; fewer than two rows.
pub fn decided_steps_from_start<L: Level>(
    support: &Support<L>,
    start: &LearnedStart,
    seed: Seed,
) -> Result<(BaseModel<L>, usize), InnerError> {
    let mut losses = [0.0; NUMBERS.len()];
    for fold in folds(support.target(), seed)? {
        let (rest, held) = split_off(support, &fold);
        for (loss, model) in losses.iter_mut().zip(steps_from_start(&rest, start, &NUMBERS)?) {
            *loss += row_losses(&model, held.table(), held.target())?.iter().sum::<f64>();
        }
    }
    let best = (0..NUMBERS.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0);
    let model = steps_from_start(support, start, &NUMBERS[best..=best])?.remove(0);
    Ok((model, NUMBERS[best]))
}

fn task_type(start: &LearnedStart) -> TaskType {
    match start.mlp.loss {
        Loss::Logistic => TaskType::Classification,
        Loss::SquaredError => TaskType::Regression,
    }
}

/// Networks of one output each, side by side as one network of the encoded columns.
fn joined(mlp: &Mlp, networks: &[(&Canonical, &[f32])], n_columns: usize) -> HostWeights {
    let n = networks.len();
    let layers = mlp.layers();
    let mut hidden = Vec::new();
    for (idx, layer) in layers[..layers.len() - 1].iter().enumerate() {
        let width = if idx == 0 { n_columns } else { n * layer.n_inputs };
        let mut weight = vec![0.0; n * layer.n_outputs * width];
        let mut bias = Vec::with_capacity(n * layer.n_outputs);
        for (place, (canonical, params)) in networks.iter().enumerate() {
            let from = layer.weight(params); // [inputs, outputs]
            for unit in 0..layer.n_outputs {
                let row = &mut weight[(place * layer.n_outputs + unit) * width..][..width];
                if idx == 0 {
                    // A context, if there is one, is 0 before the inputs are read, and part of the bias after.
                    for (input, &(column, sign)) in canonical.inputs.iter().enumerate() {
                        row[column] = sign * from[input * layer.n_outputs + unit];
                    }
                } else {
                    for input in 0..layer.n_inputs {
                        row[place * layer.n_inputs + input] = from[input * layer.n_outputs + unit];
                    }
                }
            }
            bias.extend_from_slice(layer.bias(params));
            if idx == 0 {
                let own = &mut bias[place * layer.n_outputs..];
                for (number, context) in params[mlp.context()].iter().enumerate() {
                    let weights = &from[(mlp.n_inputs + number) * layer.n_outputs..][..layer.n_outputs];
                    own.iter_mut().zip(weights).for_each(|(bias, weight)| *bias += context * weight);
                }
            }
        }
        hidden.push(HostLayer { weight: Matrix::new(n * layer.n_outputs, width, weight), bias });
    }
    let last = layers[layers.len() - 1];
    let mut output = vec![0.0; n * n * last.n_inputs];
    let mut output_bias = Vec::with_capacity(n);
    for (place, (_, params)) in networks.iter().enumerate() {
        let row = &mut output[(place * n + place) * last.n_inputs..][..last.n_inputs];
        row.copy_from_slice(last.weight(params));
        output_bias.push(last.bias(params)[0]);
    }
    HostWeights {
        hidden,
        skip: None,
        output: Some(Matrix::new(n, n * last.n_inputs, output)),
        output_bias,
        activation: Activation::Relu,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::starts::StartAlgorithm;
    use weightsmith_tasks::Target;

    fn start(loss: Loss, algorithm: StartAlgorithm) -> LearnedStart {
        let n_context = if algorithm == StartAlgorithm::Cavia { 2 } else { 0 };
        let mlp = Mlp { n_inputs: 3, n_context, hidden: vec![6, 5], n_outputs: 1, loss };
        LearnedStart::draw(algorithm, &mlp, 0.1, Seed(1))
    }

    #[test]
    fn joined_networks_say_what_each_says_by_itself() {
        let support = testing::blobs(40, 3, 1);
        let Target::Classes { labels, .. } = support.target() else { panic!("the rows have classes") };
        for algorithm in [StartAlgorithm::Maml, StartAlgorithm::Cavia] {
            let start = start(Loss::Logistic, algorithm);
            let model = steps_from_start(&support, &start, &[0, 4]).unwrap().remove(1);
            let problem = Problem::of(&support).unwrap();
            let outputs = model.weights.predict(&problem.rows);
            for class in 0..3 {
                let targets = one_against_rest(labels, class);
                let canonical = Canonical::of(&problem.rows, &targets, 3);
                let rows = canonical.batch(&problem.rows, targets);
                let own = start.mlp.outputs(&start.adapt(&rows, 4), &rows.inputs);
                for (row, value) in own.iter().enumerate() {
                    assert!((outputs[row * 3 + class] - value).abs() < 1e-4, "{algorithm:?} {class} {row}");
                }
            }
        }
    }

    #[test]
    fn a_start_for_the_other_kind_of_target_is_refused() {
        let support = testing::blobs(40, 2, 1);
        let start = start(Loss::SquaredError, StartAlgorithm::Maml);
        assert!(matches!(steps_from_start(&support, &start, &[1]), Err(InnerError::OtherTarget { .. })));
    }

    #[test]
    fn steps_are_taken_where_they_pay() {
        let support = testing::blobs(120, 2, 1);
        let (model, n_steps) =
            decided_steps_from_start(&support, &start(Loss::Logistic, StartAlgorithm::Maml), Seed(1))
                .unwrap();
        assert!(n_steps >= 5, "a random start knows nothing: {n_steps}");
        assert_eq!(model.class_names.len(), 2);
    }
}
