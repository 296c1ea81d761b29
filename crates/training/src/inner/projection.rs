//! Base models by steps of variable projection: from a hidden layer that is there, or from random ones.

use super::problem::{Labels, Origin, Problem, row_losses};
use super::variable_projection::{VariableProjection, Wanted};
use super::{InnerError, folds, split_off};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use weightsmith_base_model::{Activation, BaseModel, HostLayer, HostWeights, Matrix};
use weightsmith_tasks::{Level, Seed, Support};

/// Numbers of steps that are tried from random hidden weights, rising.
const NUMBERS: [usize; 9] = [0, 1, 2, 3, 5, 8, 12, 20, 30];
/// Networks whose outputs are averaged, up to [`FEW_ROWS`] rows and beyond.
const N_NETWORKS: (usize, usize) = (2, 4);
const FEW_ROWS: usize = 256;
/// Ramps (clipped ReLUs) of a hidden layer, as many as a generated view has.
const N_RAMPS: usize = 64;
/// Multiplications and additions that all folds may cost; where that is not enough, fewer networks and fewer steps are tried.
const BUDGET: f64 = 3.6e10;

/// Networks on one support that begin with the hidden layer of `start` and take steps of variable projection: one network for each of
/// the numbers of steps, which rise; 0 is the start with its head solved anew.
///
/// The support is read through the encoding of `start`. Where only one class or one value occurs nothing can be fitted, and the
/// head is zero.
///
/// # Errors
/// A support that the encoding cannot read, numbers that do not fit f32.
///
/// # Panics
/// If `start` has no hidden layer.
pub fn project<L: Level>(
    support: &Support<L>,
    start: &BaseModel<L>,
    n_steps: &[usize],
) -> Result<Vec<BaseModel<L>>, InnerError> {
    let problem = Problem::encoded(support, start.encoding.clone())?;
    let hidden = start.weights.hidden.first().expect("the start has a hidden layer");
    let stepped = stepped(&problem, hidden, n_steps);
    stepped.iter().map(|weights| export(&problem, weights, support)).collect()
}

/// What came of steps from random hidden weights.
#[derive(Clone, Debug, PartialEq)]
pub struct FromRandom<L: Level> {
    /// The network: several, joined into one that says their mean.
    pub model: BaseModel<L>,
    /// Steps that were taken, as many as held-out rows ask for.
    pub n_steps: usize,
    /// Networks that were joined.
    pub n_networks: usize,
}

/// Steps of variable projection from random hidden weights, as many as 4-fold cross-validation inside the support picks: what the
/// decided steps of a generation are worth without the metamodel. Networks are as wide as generated views.
///
/// # Errors
/// Rows that cannot be encoded, fewer than two rows.
pub fn steps_from_random<L: Level>(support: &Support<L>, seed: Seed) -> Result<FromRandom<L>, InnerError> {
    let (n_networks, n_steps) = affordable(&Problem::of(support)?);
    let mut losses = vec![0.0; n_steps.len()];
    for fold in folds(support.target(), seed)? {
        let (rest, held) = split_off(support, &fold);
        for (loss, model) in losses.iter_mut().zip(several(&rest, n_networks, &n_steps, seed)?) {
            *loss += row_losses(&model, held.table(), held.target())?.iter().sum::<f64>();
        }
    }
    let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0);
    let model = several(support, n_networks, &n_steps[best..=best], seed)?.remove(0);
    Ok(FromRandom { model, n_steps: n_steps[best], n_networks })
}

/// One random hidden layer of the width of a generated view, with its head solved: a start for [`project`].
///
/// # Errors
/// Rows that cannot be encoded.
pub fn random_start<L: Level>(support: &Support<L>, seed: Seed) -> Result<BaseModel<L>, InnerError> {
    Ok(several(support, 1, &[0], seed)?.remove(0))
}

/// The mean of several random networks after each number of steps, as one network each.
fn several<L: Level>(
    support: &Support<L>,
    n_networks: usize,
    n_steps: &[usize],
    seed: Seed,
) -> Result<Vec<BaseModel<L>>, InnerError> {
    let problem = Problem::of(support)?;
    let all: Vec<Vec<HostWeights>> = (0..n_networks as u64)
        .map(|network| stepped(&problem, &random_layer(problem.rows.n_columns, seed, network), n_steps))
        .collect();
    let joined = |at: usize| mean_network(&all.iter().map(|of_one| &of_one[at]).collect::<Vec<_>>());
    (0..n_steps.len()).map(|at| export(&problem, &joined(at), support)).collect()
}

/// The number of networks, and the numbers of steps, that the budget allows.
fn affordable(problem: &Problem) -> (usize, Vec<usize>) {
    let (n, k) = (problem.rows.n_rows as f64, problem.labels.n_outputs() as f64);
    let p = (N_RAMPS + problem.rows.n_columns) as f64;
    let mut n_networks = if problem.rows.n_rows <= FEW_ROWS { N_NETWORKS.0 } else { N_NETWORKS.1 };
    let mut n_steps = NUMBERS.to_vec();
    let cost = |n_networks: usize, n_steps: usize| {
        4.0 * n_networks as f64 * (n_steps + 1) as f64 * (4.0 * n * p * p + p * p * p + 8.0 * n * p * k)
    };
    while cost(n_networks, n_steps[n_steps.len() - 1]) > BUDGET && n_steps.len() > 1 {
        if n_networks > 1 {
            n_networks /= 2;
        } else {
            n_steps.pop();
        }
    }
    (n_networks, n_steps)
}

/// Ramps of random directions whose feet and shoulders lie among the rows, which are standardised.
fn random_layer(n_columns: usize, seed: Seed, network: u64) -> HostLayer {
    let random = &mut seed.indexed_stream("projection.layer", &[network]);
    let scale = 1.0 / (n_columns.max(1) as f32).sqrt();
    let mut weight: Vec<f32> = (0..N_RAMPS * n_columns)
        .map(|_| {
            let value: f32 = StandardNormal.sample(random);
            scale * value
        })
        .collect();
    weight.extend_from_within(..);
    let feet: Vec<f32> = (0..N_RAMPS).map(|_| random.random_range(-1.0..2.0)).collect();
    let shoulders = feet.iter().map(|foot| foot - random.random_range(0.5f32..2.0)).collect::<Vec<f32>>();
    HostLayer {
        weight: Matrix::new(2 * N_RAMPS, n_columns, weight),
        bias: feet.iter().copied().chain(shoulders).collect(),
    }
}

/// The trained outputs after each number of steps from a hidden layer.
fn stepped(problem: &Problem, hidden: &HostLayer, n_steps: &[usize]) -> Vec<HostWeights> {
    let run = |wanted: Wanted<'_>| -> Vec<HostWeights> {
        let projection = VariableProjection::new(&problem.rows, wanted, hidden);
        let found = projection.steps(projection.first_strengths(), n_steps, 0.0);
        found.into_iter().map(|stepped| stepped.weights).collect()
    };
    match &problem.labels {
        Labels::Values { varies: true, standardised, .. } => run(Wanted::Values(standardised)),
        Labels::Binary { signs, .. } => {
            let labels: Vec<usize> = signs.iter().map(|sign| usize::from(*sign > 0.0)).collect();
            run(Wanted::Classes { labels: &labels, n_classes: 2, strength: 1.0 })
                .into_iter()
                .map(second_less_first)
                .collect()
        }
        Labels::Classes { present, labels } if present.len() > 1 => {
            run(Wanted::Classes { labels, n_classes: present.len(), strength: 1.0 })
        }
        _ => vec![nothing(hidden, problem.labels.n_outputs()); n_steps.len()],
    }
}

/// A head of zeros.
fn nothing(hidden: &HostLayer, n_outputs: usize) -> HostWeights {
    let (n_units, n_columns) = (hidden.bias.len(), hidden.weight.n_columns);
    HostWeights {
        hidden: vec![hidden.clone()],
        skip: Some(Matrix::new(n_outputs, n_columns, vec![0.0; n_outputs * n_columns])),
        output: Some(Matrix::new(n_outputs, n_units, vec![0.0; n_outputs * n_units])),
        output_bias: vec![0.0; n_outputs],
        activation: Activation::Relu,
    }
}

/// One logit in place of two.
fn second_less_first(weights: HostWeights) -> HostWeights {
    let less = |values: &[f32]| -> Vec<f32> {
        let (first, second) = values.split_at(values.len() / 2);
        first.iter().zip(second).map(|(first, second)| second - first).collect()
    };
    let matrix = |matrix: &Matrix| Matrix::new(1, matrix.n_columns, less(&matrix.values));
    HostWeights {
        skip: weights.skip.as_ref().map(matrix),
        output: weights.output.as_ref().map(matrix),
        output_bias: less(&weights.output_bias),
        ..weights
    }
}

/// One network that says the mean of several with one hidden layer and a direct path.
fn mean_network(parts: &[&HostWeights]) -> HostWeights {
    let share = 1.0 / parts.len() as f32;
    let n_columns = parts[0].hidden[0].weight.n_columns;
    let n_outputs = parts[0].output_bias.len();
    let layers = || parts.iter().map(|part| &part.hidden[0]);
    let weight: Vec<f32> = layers().flat_map(|layer| layer.weight.values.iter().copied()).collect();
    let bias: Vec<f32> = layers().flat_map(|layer| layer.bias.iter().copied()).collect();
    let mean = |of: &dyn Fn(&HostWeights) -> Vec<f32>| -> Vec<f32> {
        let all: Vec<Vec<f32>> = parts.iter().map(|part| of(part)).collect();
        (0..all[0].len()).map(|at| all.iter().map(|values| share * values[at]).sum()).collect()
    };
    let values = |matrix: &Option<Matrix>| matrix.as_ref().map_or(Vec::new(), |matrix| matrix.values.clone());
    let row = |part: &HostWeights, output: usize| -> Vec<f32> {
        let matrix = part.output.as_ref().expect("a network with a hidden layer has an output matrix");
        let from = output * matrix.n_columns;
        matrix.values[from..from + matrix.n_columns].iter().map(|value| share * value).collect()
    };
    let output: Vec<f32> =
        (0..n_outputs).flat_map(|output| parts.iter().flat_map(move |part| row(part, output))).collect();
    HostWeights {
        output: Some(Matrix::new(n_outputs, bias.len(), output)),
        hidden: vec![HostLayer { weight: Matrix::new(bias.len(), n_columns, weight), bias }],
        skip: Some(Matrix::new(n_outputs, n_columns, mean(&|part| values(&part.skip)))),
        output_bias: mean(&|part| part.output_bias.clone()),
        activation: Activation::Relu,
    }
}

fn export<L: Level>(
    problem: &Problem,
    weights: &HostWeights,
    support: &Support<L>,
) -> Result<BaseModel<L>, InnerError> {
    let name = "variable-projection".to_string();
    problem.export(weights, support, Origin { name, expected: None })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{accuracy, blobs, linear_values, r2, xor};
    use super::*;
    use weightsmith_tasks::Target;

    #[test]
    fn steps_find_what_no_line_tells() {
        let (train, test) = (xor(160, 1), xor(400, 2));
        let found = steps_from_random(&train, Seed(0)).unwrap();
        assert!(accuracy(&found.model, &test) > 0.93, "{}", accuracy(&found.model, &test));
        assert_eq!(found.model.architecture.hidden, vec![2 * N_RAMPS * found.n_networks]);
        let (train, test) = (blobs(90, 3, 1), blobs(300, 3, 2));
        let found = steps_from_random(&train, Seed(0)).unwrap();
        assert!(accuracy(&found.model, &test) > 0.9, "{}", accuracy(&found.model, &test));
        let (train, test) = (linear_values(80, 4, 1), linear_values(400, 4, 2));
        let found = steps_from_random(&train, Seed(0)).unwrap();
        assert!(r2(&found.model, &test) > 0.95, "{}", r2(&found.model, &test));
    }

    #[test]
    fn few_rows_leave_finite_numbers() {
        // From so few rows steps may widen a ramp without end.
        for seed in 0..12 {
            let rows = linear_values(12, 3, seed);
            let found = steps_from_random(&rows, Seed(seed)).unwrap();
            assert!(r2(&found.model, &linear_values(200, 3, seed)).is_finite());
            let start = random_start(&rows, Seed(seed)).unwrap();
            assert_eq!(project(&rows, &start, &[30]).unwrap().len(), 1, "seed {seed}");
        }
    }

    #[test]
    fn a_joined_network_says_the_mean_of_its_parts() {
        let rows = blobs(60, 3, 3);
        let problem = Problem::of(&rows).unwrap();
        let part = |network: u64| {
            stepped(&problem, &random_layer(problem.rows.n_columns, Seed(4), network), &[2]).remove(0)
        };
        let parts = [part(0), part(1)];
        let joined = mean_network(&parts.iter().collect::<Vec<_>>());
        let [a, b] = parts.each_ref().map(|part| part.predict(&problem.rows));
        for ((a, b), mean) in a.iter().zip(&b).zip(joined.predict(&problem.rows)) {
            // Sums in single precision, of some hundred terms.
            assert!((0.5 * (a + b) - mean).abs() < 1e-3 * (1.0 + mean.abs()), "{a} {b} {mean}");
        }
    }

    #[test]
    fn one_class_leaves_nothing_to_fit() {
        let rows = blobs(20, 2, 5);
        let Target::Classes { labels, .. } = rows.target() else { panic!() };
        let same: Vec<usize> = (0..20).filter(|&row| labels[row] == 1).collect();
        let model = random_start(&rows.select(&same), Seed(0)).unwrap();
        assert!((accuracy(&model, &rows.select(&same)) - 1.0).abs() < 1e-12);
        let again = project(&rows, &random_start(&rows, Seed(0)).unwrap(), &[0, 3]).unwrap();
        assert_eq!(again.len(), 2);
        assert_ne!(again[0].weights, again[1].weights);
    }
}
