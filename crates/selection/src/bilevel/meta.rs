//! The outer level: a network that weights rows, trained by the hypergradient of one look-ahead step.

use super::SoftmaxModel;
use crate::basis::Bumps;
use crate::feature::{Feature, FeatureGroup};
use crate::features::{mean, sigmoid, standardised};
use crate::linear_algebra::Matrix;
use crate::network::{Activations, Adam, Network, Numbers};
use crate::rows::LabelledRows;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use weightsmith_tasks::Seed;

/// Length of the finite difference's step, as a share of the length of the model's weights or 1.
const DIFFERENCE: f64 = 1e-3;

/// What the weighting network reads.
#[derive(Clone, Debug, PartialEq)]
pub enum MetaFeatures {
    /// The loss of the row by the model as it is now, and nothing else: what Meta-Weight-Net reads.
    Loss,
    /// The features of these groups, and the loss.
    Groups(Vec<FeatureGroup>),
}

/// How the slope of the look-ahead loss in a row's weight is found.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Hypergradient {
    /// By central difference: the rows' losses at the model moved both ways along the gradient on the clean rows. Two forward passes, no
    /// second derivatives.
    ///
    /// Source: Liu et al. 2019, "DARTS", section 2.3.
    CentralDifference,
    /// Exactly: products of the rows' gradients with that of the clean rows at the model one step ahead, which is what differentiating
    /// through the step gives.
    Exact,
}

/// How the weighting network is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct MetaConfig {
    /// What it reads.
    pub features: MetaFeatures,
    /// Rows of a step, drawn with replacement.
    pub batch: usize,
    /// Steps of both levels.
    pub n_steps: usize,
    /// Adam's learning rate of the network.
    pub rate: f32,
    /// How its gradient is found.
    pub hypergradient: Hypergradient,
    /// The seed of the network and of the batches.
    pub seed: Seed,
}

/// A weighting network in training on one table with trusted rows, and the model that is trained along.
///
/// The network has two hidden layers of 100; the weights are `σ(score)`, normalised over the batch. The step ahead is one of the
/// model's own optimiser, momentum included. Class and group are told by features (`ClassShare`, `ClassMargin`, `GroupMargin`,
/// `GroupTrust`) in place of embeddings, so that nothing is learned of a class anew on each table.
///
/// Source: Du, Zhao and Li 2026, "On the difficulty of learning a meta-network for training data selection"; Shu et al. 2019.
#[derive(Clone, Debug)]
pub struct MetaTrainer<'a> {
    rows: &'a LabelledRows,
    model: SoftmaxModel<'a>,
    network: Network,
    adam: Adam,
    inputs: Vec<Vec<f32>>,
    config: MetaConfig,
    others: Vec<usize>,
    trusted: Vec<usize>,
    rng: ChaCha8Rng,
}

/// Gradient signal-to-noise ratios: for each group of parameters the mean over parameters of `E[g]² / Var[g]` over batches.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Gsnr {
    /// Of the first and the second hidden layer, and the output layer.
    pub layers: [f64; 3],
}

/// What heads of the model are solved on; kept outside so that a trainer can borrow it.
pub fn model_features(rows: &LabelledRows) -> Matrix {
    Bumps::new(&rows.inputs).features(&rows.inputs)
}

impl<'a> MetaTrainer<'a> {
    /// A network that knows nothing yet. `model_features` are those of [`model_features`], `row_features` those of
    /// [`row_features`](crate::row_features).
    ///
    /// # Panics
    /// If there are no trusted rows, or no others.
    pub fn new(
        rows: &'a LabelledRows,
        model_features: &'a Matrix,
        row_features: &Matrix,
        config: MetaConfig,
    ) -> Self {
        let (trusted, others): (Vec<usize>, Vec<usize>) =
            (0..rows.n_rows()).partition(|&row| rows.is_trusted[row]);
        assert!(!trusted.is_empty() && !others.is_empty(), "there are trusted rows and others");
        let columns: Vec<Vec<f64>> = Feature::ALL
            .iter()
            .enumerate()
            .map(|(at, feature)| {
                let is_read = match &config.features {
                    MetaFeatures::Loss => false,
                    MetaFeatures::Groups(groups) => groups.contains(&feature.group()),
                };
                let values = row_features.rows().map(|row| row[at]).collect();
                if is_read { standardised(values) } else { vec![0.0; rows.n_rows()] }
            })
            .collect();
        // The last input is the loss of the moment.
        let input = |row: usize| {
            columns.iter().map(|column| column[row] as f32).chain(std::iter::once(0.0)).collect()
        };
        let mut rng = config.seed.stream("bilevel.meta");
        let network = Network::new(Feature::ALL.len() + 1, 1, &mut rng);
        Self {
            model: SoftmaxModel::new(model_features, &rows.labels, rows.n_classes),
            adam: Adam::new(&network),
            network,
            inputs: (0..rows.n_rows()).map(input).collect(),
            config,
            others,
            trusted,
            rng,
            rows,
        }
    }

    /// Rows of a step.
    fn draw(&mut self) -> Vec<usize> {
        let n = self.others.len();
        (0..self.config.batch).map(|_| self.others[self.rng.random_range(0..n)]).collect()
    }

    fn input(&self, row: usize) -> Vec<f32> {
        let mut input = self.inputs[row].clone();
        let last = input.len() - 1;
        input[last] = (self.model.loss(row) - 1.0) as f32;
        input
    }

    /// The gradient of the clean rows' loss one step ahead in the numbers of the network, for a batch.
    fn gradient(&self, batch: &[usize]) -> Numbers {
        let inputs: Vec<Vec<f32>> = batch.iter().map(|&row| self.input(row)).collect();
        let mut seen: Vec<Activations> = Vec::with_capacity(batch.len());
        for input in &inputs {
            let mut activations = self.network.activations();
            self.network.forward(input, &mut activations);
            seen.push(activations);
        }
        let raw: Vec<f64> = seen.iter().map(|seen| sigmoid(f64::from(seen.outputs[0]))).collect();
        let total: f64 = raw.iter().sum();
        let weights: Vec<f64> = raw.iter().map(|raw| raw / total).collect();
        let slopes = self.slopes(batch, &weights);
        // Through the normalisation and the sigmoid.
        let along: f64 = slopes.iter().zip(&weights).map(|(slope, weight)| slope * weight).sum();
        let mut gradient = self.network.zeros();
        for (row, input) in inputs.iter().enumerate() {
            let pull = (slopes[row] - along) / total * raw[row] * (1.0 - raw[row]);
            self.network.backward(input, &seen[row], &[pull as f32], &mut gradient);
        }
        gradient
    }

    /// Slopes of the clean rows' loss one step ahead in the weights of the batch's rows.
    pub(crate) fn slopes(&self, batch: &[usize], weights: &[f64]) -> Vec<f64> {
        let ahead = self.model.ahead(&self.model.gradient(batch, weights));
        let share = vec![1.0 / self.trusted.len() as f64; self.trusted.len()];
        let wanted = ahead.gradient(&self.trusted, &share);
        match self.config.hypergradient {
            Hypergradient::Exact => {
                batch.iter().map(|&row| -self.model.rate() * self.model.common(row, &wanted)).collect()
            }
            Hypergradient::CentralDifference => {
                let length = |matrix: &Matrix| matrix.rows().flatten().map(|x| x * x).sum::<f64>().sqrt();
                let step = DIFFERENCE * length(&self.model.weights).max(1.0) / length(&wanted).max(1e-12);
                let (above, below) = (self.model.moved(&wanted, step), self.model.moved(&wanted, -step));
                let slope =
                    |&row: &usize| -self.model.rate() * (above.loss(row) - below.loss(row)) / (2.0 * step);
                batch.iter().map(slope).collect()
            }
        }
    }

    /// One step of the network, then one of the model with the new weights.
    pub fn step(&mut self) {
        let batch = self.draw();
        let gradient = self.gradient(&batch);
        self.adam.step(&mut self.network, &gradient, self.config.rate, 0.0);
        let scores = self.scores_of(&batch);
        let total: f64 = scores.iter().map(|score| sigmoid(*score)).sum();
        let weights: Vec<f64> = scores.iter().map(|score| sigmoid(*score) / total).collect();
        let gradient = self.model.gradient(&batch, &weights);
        self.model.step(&gradient);
    }

    /// All steps of the configuration.
    pub fn run(&mut self) {
        (0..self.config.n_steps).for_each(|_| self.step());
    }

    fn scores_of(&self, rows: &[usize]) -> Vec<f64> {
        let mut seen = self.network.activations();
        let score = |&row: &usize| {
            self.network.forward(&self.input(row), &mut seen);
            f64::from(seen.outputs[0])
        };
        rows.iter().map(score).collect()
    }

    /// The score of every row: the higher, the more it weighs.
    pub fn scores(&self) -> Vec<f64> {
        self.scores_of(&(0..self.rows.n_rows()).collect::<Vec<_>>())
    }

    /// Signal-to-noise ratios of the network's gradient as it is now, over so many batches of another size.
    pub fn gsnr(&mut self, batch: usize, n_batches: usize) -> Gsnr {
        let own = std::mem::replace(&mut self.config.batch, batch);
        let zeros = || self.network.zeros().map(|numbers| vec![0.0f64; numbers.len()]);
        let (mut sums, mut squares) = (zeros(), zeros());
        for _ in 0..n_batches {
            let rows = self.draw();
            let gradient = self.gradient(&rows);
            for layer in 0..3 {
                let totals = sums[layer].iter_mut().zip(&mut squares[layer]).zip(&gradient[layer]);
                totals.for_each(|((sum, square), &g)| {
                    *sum += f64::from(g);
                    *square += f64::from(g) * f64::from(g);
                });
            }
        }
        self.config.batch = own;
        let n = n_batches as f64;
        let ratio = |(sum, square): (&f64, &f64)| {
            let middle = sum / n;
            let variance = (square / n - middle * middle) * n / (n - 1.0);
            // The mean of n draws has the square of the expectation and a share of the variance in its square.
            (variance > 0.0).then(|| (middle * middle - variance / n) / variance)
        };
        let layers = [0, 1, 2].map(|layer| {
            let ratios: Vec<f64> = sums[layer].iter().zip(&squares[layer]).filter_map(ratio).collect();
            mean(ratios.into_iter())
        });
        Gsnr { layers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::row_features;
    use crate::testing::random_matrix;

    fn rows() -> LabelledRows {
        let inputs = random_matrix(40, 4, 11);
        let labels =
            (0..40).map(|row| usize::from(inputs.row(row)[1] + 0.3 * inputs.row(row)[2] > 0.0)).collect();
        let is_trusted = (0..40).map(|row| row % 4 == 0).collect();
        LabelledRows { inputs, labels, n_classes: 2, is_trusted, groups: vec![] }
    }

    fn config(hypergradient: Hypergradient) -> MetaConfig {
        let groups = vec![FeatureGroup::Position, FeatureGroup::Dynamics];
        let features = MetaFeatures::Groups(groups);
        MetaConfig { features, batch: 16, n_steps: 5, rate: 1e-2, hypergradient, seed: Seed(3) }
    }

    #[test]
    fn slopes_are_those_of_the_loss_one_step_ahead() {
        let rows = rows();
        let (basis, features) = (model_features(&rows), row_features(&rows));
        let mut exact = MetaTrainer::new(&rows, &basis, &features, config(Hypergradient::Exact));
        // After some steps the momentum is not 0.
        exact.run();
        let batch = exact.draw();
        let weights: Vec<f64> = (0..16).map(|at| (1.0 + f64::from(at)) / 136.0).collect();
        let loss = |weights: &[f64]| {
            let ahead = exact.model.ahead(&exact.model.gradient(&batch, weights));
            mean(exact.trusted.iter().map(|&row| ahead.loss(row)))
        };
        let slopes = exact.slopes(&batch, &weights);
        let mut rough = exact.clone();
        rough.config.hypergradient = Hypergradient::CentralDifference;
        let rough = rough.slopes(&batch, &weights);
        let scale = slopes.iter().map(|slope| slope.abs()).fold(0.0, f64::max);
        for row in 0..16 {
            let moved = |by: f64| {
                let mut weights = weights.clone();
                weights[row] += by;
                loss(&weights)
            };
            // Differences of the whole step, which know nothing of either formula.
            let slope = (moved(1e-4) - moved(-1e-4)) / 2e-4;
            assert!((slope - slopes[row]).abs() < 1e-6 * scale.max(1.0), "{slope} and {}", slopes[row]);
            assert!((slope - rough[row]).abs() < 1e-4 * scale, "{slope} and {}", rough[row]);
        }
    }

    #[test]
    fn the_gradient_of_the_network_is_that_of_differences() {
        let rows = rows();
        let (basis, features) = (model_features(&rows), row_features(&rows));
        let mut trainer = MetaTrainer::new(&rows, &basis, &features, config(Hypergradient::Exact));
        trainer.run();
        let batch = trainer.draw();
        let gradient = trainer.gradient(&batch);
        let loss = |trainer: &MetaTrainer<'_>| {
            let scores = trainer.scores_of(&batch);
            let total: f64 = scores.iter().map(|score| sigmoid(*score)).sum();
            let weights: Vec<f64> = scores.iter().map(|score| sigmoid(*score) / total).collect();
            let ahead = trainer.model.ahead(&trainer.model.gradient(&batch, &weights));
            mean(trainer.trusted.iter().map(|&row| ahead.loss(row)))
        };
        // The biases of the last two layers and some weights of the output: numbers that every row moves.
        let last = gradient[2].len() - 1;
        let mut largest = 0.0f64;
        for (layer, number) in
            [(2, last), (2, 3), (2, 40), (1, gradient[1].len() - 5), (1, gradient[1].len() - 60)]
        {
            let step = 2e-2f32;
            let mut moved = trainer.clone();
            moved.network.layers[layer].numbers[number] += step;
            let above = loss(&moved);
            moved.network.layers[layer].numbers[number] -= 2.0 * step;
            let slope = (above - loss(&moved)) / (2.0 * f64::from(step));
            let found = f64::from(gradient[layer][number]);
            largest = largest.max(found.abs());
            assert!(
                (slope - found).abs() < 0.02 * found.abs() + 2e-6,
                "{layer} {number}: {slope} and {found}"
            );
        }
        assert!(largest > 1e-5, "some slope is not 0: {largest}");
    }
}
