//! Trial and error: no gradient, only networks that are drawn, counted and kept.

use super::network::Network;
use super::penalty::squared_norm;
use super::recipe::N_TRIES;
use super::rows::RowTensors;
use super::train::{Job, TrainInfo, Watch};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use weightsmith_base_model::{HostWeights, Weights, predict};
use weightsmith_tasks::Level;

/// The standard deviation of an evolution strategy's samples.
const SPREAD: f32 = 0.05;
/// Random networks have layers this many times smaller or larger than usual.
const SCALES: [f32; 2] = [0.3, 3.0];

/// Scores whole populations of networks on the support.
struct Judge<'a> {
    job: &'a Job<'a>,
    rows: RowTensors,
    device: Device,
}

/// What is known of one network: rows that it gets right, its loss with the penalty.
#[derive(Copy, Clone, Debug, PartialEq)]
struct Score {
    n_right: f32,
    loss: f32,
}

impl<'a> Judge<'a> {
    fn new(job: &'a Job<'a>) -> Self {
        let device = job.device.clone().inner();
        Self { rows: RowTensors::new(&job.begun.problem, job.recipe.weighting, &device), device, job }
    }

    /// The score of each row of numbers.
    fn scores<L: Level>(&self, numbers: &[f32]) -> Vec<Score> {
        let architecture = &self.job.begun.architecture;
        let width = architecture.n_weights();
        let n_tasks = numbers.len() / width;
        let data = TensorData::new(numbers.to_vec(), [n_tasks, width]);
        let weights = Weights::<L>::from_numbers(&Tensor::from_data(data, &self.device), architecture);
        let all = &self.rows.all;
        let [_, n_rows, n_inputs] = all.inputs.dims();
        let inputs = all.inputs.clone().expand([n_tasks, n_rows, n_inputs]);
        let outputs = predict(&weights, inputs); // [n_tasks, n_rows, n_outputs]
        let n_outputs = outputs.dims()[2];
        let wanted = all.wanted.clone().expand([n_tasks, n_rows, n_outputs]);
        let n_right = self.rows.kind.n_right(outputs.clone(), wanted);
        let strength = self.job.recipe.weight_decay / (2.0 * n_rows as f32);
        let loss = self.rows.kind.mean_loss(outputs, all, self.job.recipe.label_smoothing)
            + squared_norm(&weights).mul_scalar(strength);
        let read = |tensor: Tensor<1>| {
            tensor.into_data_as::<f32>().try_into_vec::<f32>().expect("the data was converted to f32")
        };
        let pairs = read(n_right).into_iter().zip(read(loss));
        pairs.map(|(n_right, loss)| Score { n_right, loss }).collect()
    }

    /// Numbers as an optimiser would begin with.
    fn draw<L: Level>(&self, random: &mut impl Rng) -> Vec<f32> {
        let architecture = &self.job.begun.architecture;
        let network = Network::init(architecture, random, &self.device);
        network.weights::<L>(architecture.activation).to_host(0).flatten()
    }

    fn host<L: Level>(&self, numbers: &[f32]) -> HostWeights {
        let data = TensorData::new(numbers.to_vec(), [1, numbers.len()]);
        Weights::<L>::from_numbers(&Tensor::from_data(data, &self.device), &self.job.begun.architecture)
            .to_host(0)
    }
}

/// Search in its plainest form: networks drawn at random, the one that gets most examples right is kept, of
/// equals the one with the lower loss.
pub(super) fn random_search<L: Level>(job: &Job<'_>, watch: Watch<'_>) -> (HostWeights, TrainInfo) {
    let judge = Judge::new(job);
    let random = &mut job.seed.stream("inner.tries");
    let mut best = match &job.begun.weights {
        Some(weights) => weights.flatten(),
        None => judge.draw::<L>(random),
    };
    let mut score = judge.scores::<L>(&best)[0];
    let mut info = TrainInfo::default();
    watch(0, &|| judge.host::<L>(&best));
    for _ in 0..job.recipe.n_epochs {
        let mut numbers = Vec::new();
        for _ in 0..N_TRIES {
            let [low, high] = SCALES.map(f32::ln);
            let scale = random.random_range(low..high).exp();
            numbers.extend(judge.draw::<L>(random).into_iter().map(|number| scale * number));
        }
        let width = best.len();
        for (found, tried) in judge.scores::<L>(&numbers).into_iter().zip(numbers.chunks_exact(width)) {
            info.n_steps += 1;
            if (found.n_right, -found.loss) > (score.n_right, -score.loss) {
                (best, score) = (tried.to_vec(), found);
            }
            watch(info.n_steps, &|| judge.host::<L>(&best));
        }
        info.epoch_losses.push(score.loss);
    }
    (judge.host::<L>(&best), info)
}

/// An evolution strategy with mirrored samples, ranks for losses, and Adam for the steps of the mean.
///
/// Source: Salimans, Ho, Chen, Sidor and Sutskever (2017), Evolution Strategies as a Scalable Alternative to
/// Reinforcement Learning, section 2.
pub(super) fn evolution<L: Level>(job: &Job<'_>, watch: Watch<'_>) -> (HostWeights, TrainInfo) {
    let judge = Judge::new(job);
    let random = &mut job.seed.stream("inner.tries");
    let mut mean = match &job.begun.weights {
        Some(weights) => weights.flatten(),
        None => judge.draw::<L>(random),
    };
    let width = mean.len();
    let (mut first, mut second) = (vec![0.0f32; width], vec![0.0f32; width]);
    let mut info = TrainInfo::default();
    watch(0, &|| judge.host::<L>(&mean));
    for generation in 1..=job.recipe.n_epochs {
        let noise: Vec<f32> = StandardNormal.sample_iter(&mut *random).take(N_TRIES / 2 * width).collect();
        let mut numbers = Vec::with_capacity(N_TRIES * width);
        for sample in noise.chunks_exact(width) {
            for sign in [SPREAD, -SPREAD] {
                numbers.extend(mean.iter().zip(sample).map(|(mean, noise)| mean + sign * noise));
            }
        }
        let scores = judge.scores::<L>(&numbers);
        let merits = merits(&scores);
        let mut slopes = vec![0.0f32; width];
        for (sample, merit) in noise.chunks_exact(width).zip(merits.chunks_exact(2)) {
            let factor = (merit[1] - merit[0]) / (N_TRIES as f32 * SPREAD);
            slopes.iter_mut().zip(sample).for_each(|(slope, noise)| *slope += factor * noise);
        }
        let corrected = |decay: f32| 1.0 - decay.powi(generation as i32);
        for (place, slope) in slopes.into_iter().enumerate() {
            first[place] = 0.9 * first[place] + 0.1 * slope;
            second[place] = 0.999 * second[place] + 0.001 * slope * slope;
            let step = (first[place] / corrected(0.9)) / ((second[place] / corrected(0.999)).sqrt() + 1e-8);
            mean[place] -= job.recipe.learning_rate * step;
        }
        info.n_steps += N_TRIES;
        info.epoch_losses.push(scores.iter().map(|score| score.loss).sum::<f32>() / N_TRIES as f32);
        watch(info.n_steps, &|| judge.host::<L>(&mean));
    }
    (judge.host::<L>(&mean), info)
}

/// Ranks of the losses, from -½ for the greatest to ½ for the least.
fn merits(scores: &[Score]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].loss.total_cmp(&scores[a].loss));
    let mut merits = vec![0.0; scores.len()];
    let most = (scores.len() - 1) as f32;
    order.into_iter().enumerate().for_each(|(rank, idx)| merits[idx] = rank as f32 / most - 0.5);
    merits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_loss_has_the_greatest_merit() {
        let scores = [3.0, 1.0, 2.0].map(|loss| Score { n_right: 0.0, loss });
        assert_eq!(merits(&scores), [-0.5, 0.5, 0.0]);
    }
}
