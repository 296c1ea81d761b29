//! Other ways to pick rows, to compare with.

use crate::basis::Bumps;
use crate::bilevel::SoftmaxModel;
use crate::features::{confident_margins, mean, sigmoid};
use crate::linear_algebra::{Matrix, squared_distances};
use crate::neighbours::Neighbours;
use crate::ridge::SolvedHead;
use crate::rows::{LabelledRows, margin};
use rand::Rng;
use rand::seq::SliceRandom;
use weightsmith_tasks::Seed;

/// A way to pick rows.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Baseline {
    /// A random part: this share is left out.
    Random(f64),
    /// This share of the rows, those with the highest loss when they are left out, is left out. It is told the true share of
    /// impure rows, which nobody knows in use.
    ///
    /// Source: the small-loss rule of Han et al. 2018, "Co-teaching", by one model.
    SmallLoss(f64),
    /// Rows whose likeliest class among those above their thresholds is not their own are left out.
    ///
    /// Source: Northcutt et al. 2021, "Confident learning"; cleanlab's rule `confident_learning`.
    ConfidentLearning,
    /// Rows whose Shapley value for the 5 nearest neighbours is below 0 are left out.
    ///
    /// Source: Jia et al. 2019.
    KnnShapley,
    /// Rows whose weight, the mean over the second half of the training, is below half of the even weight are left out. Needs rows known
    /// to be clean.
    ///
    /// Source: Ren et al. 2018, "Learning to reweight examples for robust deep learning" (L2RW).
    Reweighting,
    /// A network of one hidden layer of 100 that makes a weight of a row's loss alone, trained along with the model by batches of 32;
    /// rows with a weight below half of the mean are left out. Needs rows known to be clean.
    ///
    /// Source: Shu et al. 2019, "Meta-Weight-Net".
    MetaWeightNet,
}

impl Baseline {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random(_) => "random",
            Self::SmallLoss(_) => "small-loss",
            Self::ConfidentLearning => "confident-learning",
            Self::KnnShapley => "knn-shapley",
            Self::Reweighting => "l2rw",
            Self::MetaWeightNet => "meta-weight-net",
        }
    }

    /// How likely each row is clean, on a scale of the method's own, and whether it is kept. Trusted rows are kept.
    ///
    /// # Panics
    /// If the method needs rows known to be clean and there are none.
    pub fn pick(self, rows: &LabelledRows, seed: Seed) -> (Vec<f64>, Vec<bool>) {
        let n = rows.n_rows();
        let features = Bumps::new(&rows.inputs).features(&rows.inputs);
        let head = || SolvedHead::solve_best(&features, &rows.one_hot(), &vec![1.0; n]);
        let (scores, mut kept) = match self {
            Self::Random(share) => {
                let mut rng = seed.stream("baselines.random");
                let scores: Vec<f64> = (0..n).map(|_| rng.random()).collect();
                let kept = best_but(&scores, &rows.is_trusted, share);
                (scores, kept)
            }
            Self::SmallLoss(share) => {
                let head = head();
                let scores: Vec<f64> =
                    (0..n).map(|row| margin(head.left_out.row(row), rows.labels[row])).collect();
                let kept = best_but(&scores, &rows.is_trusted, share);
                (scores, kept)
            }
            Self::ConfidentLearning => {
                let head = head();
                let probabilities = as_probabilities(&head.left_out);
                let kept = confident(&probabilities, &rows.labels);
                (confident_margins(&probabilities, &rows.labels), kept)
            }
            Self::KnnShapley => {
                let neighbours = Neighbours::new(&squared_distances(&rows.inputs, &rows.inputs));
                let all: Vec<usize> = (0..n).collect();
                let trusted: Vec<usize> = (0..n).filter(|&row| rows.is_trusted[row]).collect();
                let scores =
                    neighbours.shapley(&rows.labels, if trusted.is_empty() { &all } else { &trusted });
                let kept = scores.iter().map(|score| *score >= 0.0).collect();
                (scores, kept)
            }
            Self::Reweighting => above_half(reweighted(rows, &features, seed)),
            Self::MetaWeightNet => above_half(loss_weighted(rows, &features, seed)),
        };
        kept.iter_mut().zip(&rows.is_trusted).for_each(|(kept, trusted)| *kept |= trusted);
        (scores, kept)
    }
}

/// All rows but this share of those that are not trusted, the lowest.
fn best_but(scores: &[f64], is_trusted: &[bool], share: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..scores.len()).filter(|&row| !is_trusted[row]).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let mut kept = vec![true; scores.len()];
    let n_dropped = (share * order.len() as f64).round() as usize;
    order[..n_dropped].iter().for_each(|&row| kept[row] = false);
    kept
}

fn above_half(weights: Vec<f64>) -> (Vec<f64>, Vec<bool>) {
    let half = 0.5 * mean(weights.iter().copied());
    let kept = weights.iter().map(|weight| *weight >= half).collect();
    (weights, kept)
}

/// Outputs of a least-squares head as probabilities: cut off at 0 and made to add up to 1.
fn as_probabilities(outputs: &Matrix) -> Matrix {
    let mut probabilities = outputs.clone();
    for row in 0..outputs.n_rows() {
        let own = probabilities.row_mut(row);
        own.iter_mut().for_each(|output| *output = output.clamp(1e-3, 1.0));
        let total: f64 = own.iter().sum();
        own.iter_mut().for_each(|output| *output /= total);
    }
    probabilities
}

/// Whether the likeliest class among those above their threshold, the mean over the class's own rows, is the row's own or none.
fn confident(probabilities: &Matrix, labels: &[usize]) -> Vec<bool> {
    let threshold = |class: usize| {
        let of_class = (0..labels.len()).filter(|&row| labels[row] == class);
        mean(of_class.map(|row| probabilities.row(row)[class]))
    };
    let thresholds: Vec<f64> = (0..probabilities.n_columns()).map(threshold).collect();
    let is_kept = |row: usize| {
        let told = probabilities.row(row);
        let sure =
            (0..told.len()).filter(|&class| thresholds[class] > 0.0 && told[class] >= thresholds[class]);
        sure.max_by(|&a, &b| told[a].total_cmp(&told[b])).is_none_or(|class| class == labels[row])
    };
    (0..labels.len()).map(is_kept).collect()
}

const N_EPOCHS: usize = 30;
const BATCH: usize = 32;

/// Shuffled batches of the rows that are not trusted, for each epoch.
fn batches(rows: &LabelledRows, seed: Seed, mut each: impl FnMut(usize, &[usize])) {
    let mut rng = seed.stream("baselines.batches");
    let mut order: Vec<usize> = (0..rows.n_rows()).filter(|&row| !rows.is_trusted[row]).collect();
    for epoch in 0..N_EPOCHS {
        order.shuffle(&mut rng);
        order.chunks(BATCH).for_each(|batch| each(epoch, batch));
    }
}

fn trusted_rows(rows: &LabelledRows) -> Vec<usize> {
    let trusted: Vec<usize> = (0..rows.n_rows()).filter(|&row| rows.is_trusted[row]).collect();
    assert!(!trusted.is_empty(), "the method needs rows known to be clean");
    trusted
}

/// Mean weights of the second half of a training in which a row weighs what its gradient has in common with that of the trusted rows.
fn reweighted(rows: &LabelledRows, features: &Matrix, seed: Seed) -> Vec<f64> {
    let trusted = trusted_rows(rows);
    let mut model = SoftmaxModel::new(features, &rows.labels, rows.n_classes);
    let mut sums = vec![0.0; rows.n_rows()];
    batches(rows, seed, |epoch, batch| {
        let wanted = model.gradient(&trusted, &vec![1.0 / trusted.len() as f64; trusted.len()]);
        let common: Vec<f64> = batch.iter().map(|&row| model.common(row, &wanted).max(0.0)).collect();
        let total: f64 = common.iter().sum();
        let weights: Vec<f64> =
            common.iter().map(|common| if total > 0.0 { common / total } else { 0.0 }).collect();
        if epoch >= N_EPOCHS / 2 {
            batch.iter().zip(&weights).for_each(|(&row, weight)| sums[row] += weight * batch.len() as f64);
        }
        let gradient = model.gradient(batch, &weights);
        model.step(&gradient);
    });
    sums
}

/// The weights that a network of the loss gives at the end of a training along with the model.
fn loss_weighted(rows: &LabelledRows, features: &Matrix, seed: Seed) -> Vec<f64> {
    let trusted = trusted_rows(rows);
    let mut model = SoftmaxModel::new(features, &rows.labels, rows.n_classes);
    let mut net = LossNet::new(seed);
    batches(rows, seed, |_, batch| {
        let losses: Vec<f64> = batch.iter().map(|&row| model.loss(row)).collect();
        let share = 1.0 / batch.len() as f64;
        let weights: Vec<f64> = losses.iter().map(|&loss| share * net.weight(loss)).collect();
        let ahead = model.ahead(&model.gradient(batch, &weights));
        let wanted = ahead.gradient(&trusted, &vec![1.0 / trusted.len() as f64; trusted.len()]);
        let pulls: Vec<f64> =
            batch.iter().map(|&row| -model.rate() * share * model.common(row, &wanted)).collect();
        net.learn(&losses, &pulls);
        let weights: Vec<f64> = losses.iter().map(|&loss| share * net.weight(loss)).collect();
        let gradient = model.gradient(batch, &weights);
        model.step(&gradient);
    });
    (0..rows.n_rows()).map(|row| net.weight(model.loss(row))).collect()
}

/// A weight of a loss: one hidden layer of 100 rectified units.
struct LossNet {
    /// Weight, bias and output weight of each unit.
    units: Vec<[f64; 3]>,
    bias: f64,
}

impl LossNet {
    const RATE: f64 = 0.05;

    fn new(seed: Seed) -> Self {
        let mut rng = seed.stream("baselines.loss-net");
        let mut unit =
            || [rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), rng.random_range(-0.1..0.1)];
        Self { units: (0..100).map(|_| unit()).collect(), bias: 0.0 }
    }

    fn weight(&self, loss: f64) -> f64 {
        sigmoid(self.bias + self.units.iter().map(|[w, b, v]| v * (w * loss + b).max(0.0)).sum::<f64>())
    }

    /// A step down the slopes of the loss on trusted rows in the weights.
    fn learn(&mut self, losses: &[f64], pulls: &[f64]) {
        let rate = Self::RATE / mean(pulls.iter().map(|pull| pull.abs())).max(1e-12) / losses.len() as f64;
        let slopes: Vec<f64> = losses
            .iter()
            .zip(pulls)
            .map(|(&loss, pull)| {
                let weight = self.weight(loss);
                pull * weight * (1.0 - weight)
            })
            .collect();
        for [w, b, v] in &mut self.units {
            let (mut dw, mut db, mut dv) = (0.0, 0.0, 0.0);
            for (loss, slope) in losses.iter().zip(&slopes) {
                let value = *w * loss + *b;
                if value > 0.0 {
                    (dw, db, dv) = (dw + slope * *v * loss, db + slope * *v, dv + slope * value);
                }
            }
            (*w, *b, *v) = (*w - rate * dw, *b - rate * db, *v - rate * dv);
        }
        self.bias -= rate * slopes.iter().sum::<f64>();
    }
}
