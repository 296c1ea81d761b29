//! Columns and scores from the nodes of a random causal graph.

use crate::draw::Draw;
use crate::math;

/// What hangs together in a table of a causal graph: the columns' hidden values and the scores.
pub(crate) struct CausalWorld {
    pub(crate) latents: Vec<Vec<f32>>,
    pub(crate) scores: Vec<Vec<f32>>,
}

/// A node's function of the weighted sum of its parents.
#[derive(Copy, Clone)]
pub(crate) enum Activation {
    Identity,
    Tanh,
    Relu,
    Leaky,
    Sine,
    Square,
    Absolute,
    Step,
    Bump,
    Swish,
}

impl Activation {
    const ALL: [Self; 10] = [
        Self::Identity,
        Self::Tanh,
        Self::Relu,
        Self::Leaky,
        Self::Sine,
        Self::Square,
        Self::Absolute,
        Self::Step,
        Self::Bump,
        Self::Swish,
    ];

    /// Any but the identity; the tame ones more often.
    pub(crate) fn nonlinear(draw: &mut Draw<'_>) -> Self {
        Self::ALL[draw.weighted(&[0.0, 4.0, 3.0, 1.0, 1.0, 0.6, 1.0, 0.6, 0.6, 2.0])]
    }

    /// Applies the function to every value.
    pub(crate) fn apply(self, values: &mut [f32]) {
        let each =
            |values: &mut [f32], f: fn(f32) -> f32| values.iter_mut().for_each(|value| *value = f(*value));
        match self {
            Self::Identity => {}
            Self::Tanh => values.iter_mut().for_each(|value| *value = math::tanh(*value)),
            Self::Relu => each(values, |x| x.max(0.0)),
            Self::Leaky => each(values, |x| if x > 0.0 { x } else { 0.2 * x }),
            Self::Sine => values.iter_mut().for_each(|value| *value = math::sin(1.5 * *value)),
            Self::Square => each(values, |x| x.clamp(-3.0, 3.0) * x.clamp(-3.0, 3.0)),
            Self::Absolute => each(values, f32::abs),
            Self::Step => each(values, |x| if x > 0.0 { 1.0 } else { 0.0 }),
            Self::Bump => values.iter_mut().for_each(|value| *value = math::exp(-*value * *value)),
            Self::Swish => values.iter_mut().for_each(|value| *value *= math::sigmoid(2.0 * *value)),
        }
    }
}

/// A graph whose scores can be told, at least a little, from one of the columns; after three trials, any.
pub(crate) fn draw_world(
    n_columns: usize,
    n_scores: usize,
    n_rows: usize,
    draw: &mut Draw<'_>,
) -> CausalWorld {
    let mut world = draw_graph(n_columns, n_scores, n_rows, draw);
    for _ in 0..3 {
        let best = world.latents.iter().map(|column| math::squared_correlation(column, &world.scores[0]));
        if best.fold(0.0, f32::max) > 0.06 {
            break;
        }
        world = draw_graph(n_columns, n_scores, n_rows, draw);
    }
    world
}

fn draw_graph(n_columns: usize, n_scores: usize, n_rows: usize, draw: &mut Draw<'_>) -> CausalWorld {
    let n_shown = n_columns + n_scores;
    let n_nodes = n_shown + draw.below(n_columns.min(24) + 5);
    let n_roots = draw.between(1, n_nodes.div_ceil(3)).max(2).min(n_nodes);
    let n_parents_most = draw.between(1, 6);
    // A short window gives long chains of causes, a wide one a shallow graph.
    let window = draw.between(3, n_nodes.max(3));
    let activations: Vec<Activation> = (0..draw.between(1, 3)).map(|_| Activation::nonlinear(draw)).collect();
    let linear_share = f64::from(draw.uniform(0.1, 1.0));
    let noise = draw.log_uniform(0.05, 1.0);
    let gain = draw.log_uniform(0.5, 2.5);

    let mut nodes: Vec<Vec<f32>> = Vec::with_capacity(n_nodes);
    let mut parents_of: Vec<Vec<usize>> = Vec::with_capacity(n_nodes);
    for node in 0..n_nodes {
        let mut values = draw.normals(n_rows);
        let mut parents = Vec::new();
        if node >= n_roots {
            let own = noise * math::exp(0.5 * draw.normal());
            let mut sum = vec![0.0; n_rows];
            let mut square = 0.0;
            for _ in 0..draw.between(1, n_parents_most) {
                let parent = node - 1 - draw.below(window.min(node));
                let weight = draw.normal();
                square += weight * weight;
                math::add_scaled(&mut sum, weight, &nodes[parent]);
                parents.push(parent);
            }
            let scale = gain / square.sqrt().max(1e-3);
            let shift = 0.5 * draw.normal();
            sum.iter_mut().for_each(|value| *value = *value * scale + shift);
            let activation =
                if draw.chance(linear_share) { Activation::Identity } else { draw.pick(&activations) };
            activation.apply(&mut sum);
            math::standardise(&mut sum);
            values.iter_mut().zip(&sum).for_each(|(value, signal)| *value = signal + own * *value);
        } else if draw.chance(0.2) {
            activations[0].apply(&mut values);
        }
        math::standardise(&mut values);
        nodes.push(values);
        parents_of.push(parents);
    }

    let target = draw.between(n_roots.min(n_nodes - 1), n_nodes - 1);
    let near = |node: usize| parents_of[target].contains(&node) || parents_of[node].contains(&target);
    let mut order: Vec<usize> =
        draw.permutation(n_nodes).into_iter().filter(|&node| node != target).collect();
    // Two neighbours of the target are always columns, or the table might say nothing about it.
    let mut front = 0;
    for place in 0..order.len() {
        if front < 2.min(n_columns) && near(order[place]) {
            order.swap(front, place);
            front += 1;
        }
    }
    let scores = std::iter::once(target).chain(order[n_columns..].iter().copied().take(n_scores - 1));
    let scores: Vec<Vec<f32>> = scores.map(|node| nodes[node].clone()).collect();
    let latents = order[..n_columns].iter().map(|&node| std::mem::take(&mut nodes[node])).collect();
    CausalWorld { latents, scores }
}
