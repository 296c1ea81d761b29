//! Which number of steps, and which shares of generated views, of views with steps and of the forest, tell held-out rows best.

use crate::distil::Teacher;
use weightsmith_metamodel::Labels;
use weightsmith_training::LogStrengths;

/// Shares of the views with steps in the network, and of the forest in the outputs.
const STEPPED_SHARES: [f32; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
const FOREST_SHARES: [f32; 9] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
/// The shares of views with steps, of generated views and of the forest in the outputs that are picked where the support does
/// not tell, and how many rows it takes to tell: with so many, shares a squared distance of 1 away are picked for half the loss.
const USUAL_SHARES: [f32; 3] = [0.2, 0.5, 0.3];
const ROWS_TO_TELL: f32 = 50.0;
/// Least probability that is scored.
const LEAST_PROBABILITY: f32 = 1e-4;

/// What was decided about inner steps.
#[derive(Clone, Debug, PartialEq)]
pub struct StepsInfo {
    /// Steps that were taken; 0 where none pay.
    pub n_steps: usize,
    /// Views that took them; 0 where none did.
    pub n_views: usize,
    /// Share of the views with steps in the outputs.
    pub stepped_share: f32,
    /// Share of the views as generated.
    pub generated_share: f32,
    /// Mean loss of the outputs on rows held out: log-loss, or squared error as a share of the variance.
    pub held_out_loss: f32,
    /// The same loss of generated views and forest alone, at their best shares.
    pub plain_loss: f32,
}

/// What the folds of a support say of rows that were held out, `[n_rows, n_outputs]` each, in the table's classes or
/// in standard deviations.
pub(crate) struct HeldOut {
    /// The views as generated.
    pub(crate) generated: Vec<f32>,
    /// The views after each number of steps that was tried.
    pub(crate) stepped: Vec<Vec<f32>>,
    /// Strengths of each view's head that its steps began with.
    pub(crate) strengths: Vec<LogStrengths>,
}

/// The number of steps and the shares that were picked.
pub(crate) struct Decision {
    /// Position among the numbers of steps.
    at: usize,
    /// Share of the views with steps in the network, the rest is that of the views as generated.
    pub(crate) stepped_share: f32,
    /// Share of the forest in the outputs.
    pub(crate) forest_share: f32,
    held_out_loss: f32,
    plain_loss: f32,
}

impl Decision {
    /// The best by the rows held out; the forest is judged by its trees that have not seen a row. `places` are the
    /// outputs of the classes that have rows, in the order of `labels`.
    pub(crate) fn pick(
        held_out: &HeldOut,
        labels: &Labels,
        places: &[usize],
        teacher: Option<&Teacher<'_>>,
    ) -> Self {
        let n_rows = match labels {
            Labels::Classes { labels, .. } => labels.len(),
            Labels::Values(values) => values.len(),
        };
        let (rows, told) = match teacher {
            Some(teacher) => (teacher.grown().to_vec(), Some(teacher.left_out())),
            None => ((0..n_rows).collect(), None),
        };
        let width = held_out.generated.len() / n_rows;
        let seen = |all: &[f32]| -> Vec<f32> {
            rows.iter().flat_map(|&row| places.iter().map(move |&place| all[row * width + place])).collect()
        };
        let generated = seen(&held_out.generated);
        let judge = Judge { rows: &rows, labels, told };
        let forest_shares = if told.is_some() { &FOREST_SHARES[..] } else { &FOREST_SHARES[..1] };
        let strength = ROWS_TO_TELL / rows.len() as f32;
        let (mut best, mut plain) = ((f32::INFINITY, None), (f32::INFINITY, f32::INFINITY));
        for (at, stepped) in held_out.stepped.iter().enumerate() {
            let stepped = seen(stepped);
            for stepped_share in STEPPED_SHARES {
                // Without steps their number does not matter.
                if stepped_share == 0.0 && at > 0 {
                    continue;
                }
                let network: Vec<f32> = generated
                    .iter()
                    .zip(&stepped)
                    .map(|(generated, stepped)| generated + stepped_share * (stepped - generated))
                    .collect();
                for (&forest_share, loss) in forest_shares.iter().zip(judge.losses(network, forest_shares)) {
                    let penalised = loss * (1.0 + strength * distance(stepped_share, forest_share));
                    if penalised < best.0 {
                        let found =
                            Self { at, stepped_share, forest_share, held_out_loss: loss, plain_loss: 0.0 };
                        best = (penalised, Some(found));
                    }
                    if stepped_share == 0.0 && penalised < plain.0 {
                        plain = (penalised, loss);
                    }
                }
            }
        }
        let usual =
            Self { at: 0, stepped_share: 0.0, forest_share: 0.0, held_out_loss: 0.0, plain_loss: 0.0 };
        Self { plain_loss: plain.1, ..best.1.unwrap_or(usual) }
    }

    /// Position of the number of steps among those that were tried.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What the network says of rows held out, before the forest.
    pub(crate) fn network(&self, held_out: &HeldOut) -> Vec<f32> {
        let pairs = held_out.generated.iter().zip(&held_out.stepped[self.at]);
        pairs.map(|(generated, stepped)| generated + self.stepped_share * (stepped - generated)).collect()
    }

    /// For people. `n_steps` and `n_views` are those of the plan.
    pub(crate) fn info(&self, n_steps: &[usize], n_views: usize) -> StepsInfo {
        let is_taken = self.stepped_share > 0.0;
        let network_share = 1.0 - self.forest_share;
        StepsInfo {
            n_steps: if is_taken { n_steps[self.at] } else { 0 },
            n_views: if is_taken { n_views } else { 0 },
            stepped_share: network_share * self.stepped_share,
            generated_share: network_share * (1.0 - self.stepped_share),
            held_out_loss: self.held_out_loss,
            plain_loss: self.plain_loss,
        }
    }
}

/// Squared distance of shares from the usual ones.
fn distance(stepped_share: f32, forest_share: f32) -> f32 {
    let network_share = 1.0 - forest_share;
    let shares = [network_share * stepped_share, network_share * (1.0 - stepped_share), forest_share];
    shares.iter().zip(USUAL_SHARES).map(|(share, usual)| (share - usual).powi(2)).sum()
}

/// Rows that judge.
struct Judge<'a> {
    /// Positions in the support.
    rows: &'a [usize],
    labels: &'a Labels,
    /// Class shares or values of the forest's trees that have not seen a row, `[rows, n_outputs]`.
    told: Option<&'a [f32]>,
}

impl Judge<'_> {
    /// Mean loss of a network's logits or standardised values beside each share of the forest.
    fn losses(&self, mut network: Vec<f32>, shares: &[f32]) -> Vec<f32> {
        let n_outputs = self.labels.n_outputs();
        if let Labels::Classes { .. } = self.labels {
            network.chunks_exact_mut(n_outputs).for_each(softmax);
        }
        let mut sums = vec![0.0f64; shares.len()];
        for (at, &row) in self.rows.iter().enumerate() {
            let output = match self.labels {
                Labels::Classes { labels, .. } => at * n_outputs + labels[row],
                Labels::Values(_) => at,
            };
            let own = network[output];
            let told = self.told.map_or(own, |told| told[output]);
            for (sum, share) in sums.iter_mut().zip(shares) {
                let both = own + share * (told - own);
                *sum += f64::from(match self.labels {
                    Labels::Classes { .. } => -both.max(LEAST_PROBABILITY).ln(),
                    Labels::Values(values) => (both - values[row]).powi(2),
                });
            }
        }
        sums.into_iter().map(|sum| (sum / self.rows.len() as f64) as f32).collect()
    }
}

fn softmax(logits: &mut [f32]) {
    let top = logits.iter().copied().fold(f32::MIN, f32::max);
    logits.iter_mut().for_each(|logit| *logit = (*logit - top).exp());
    let total: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|share| *share /= total);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of a wave, and outputs that miss them by `generated` and `stepped`, with alternating signs.
    fn wave(n_rows: usize, generated: f32, stepped: [f32; 2]) -> (HeldOut, Labels) {
        let values: Vec<f32> = (0..n_rows).map(|row| 1.4 * (row as f32).sin()).collect();
        let missed = |by: f32, every: usize| -> Vec<f32> {
            let sign = |row: usize| if (row / every).is_multiple_of(2) { by } else { -by };
            values.iter().enumerate().map(|(row, value)| value + sign(row)).collect()
        };
        let held_out = HeldOut {
            generated: missed(generated, 1),
            stepped: vec![missed(stepped[0], 2), missed(stepped[1], 4)],
            strengths: vec![],
        };
        (held_out, Labels::Values(values))
    }

    fn picked(n_rows: usize, generated: f32, stepped: [f32; 2]) -> StepsInfo {
        let (held_out, labels) = wave(n_rows, generated, stepped);
        Decision::pick(&held_out, &labels, &[0], None).info(&[2, 5], 4)
    }

    #[test]
    fn the_number_of_steps_that_tells_held_out_rows_best_is_taken() {
        let first = picked(400, 0.9, [0.1, 0.8]);
        assert_eq!((first.n_steps, first.n_views), (2, 4));
        let second = picked(400, 0.9, [0.8, 0.1]);
        assert_eq!(second.n_steps, 5);
        assert!(second.stepped_share > 0.9, "{second:?}");
        assert!((second.plain_loss - 0.81).abs() < 1e-4 && second.held_out_loss < 0.02, "{second:?}");
    }

    #[test]
    fn no_step_is_taken_where_none_pays() {
        let found = picked(400, 0.1, [1.5, 1.4]);
        assert_eq!((found.n_steps, found.n_views, found.stepped_share), (0, 0, 0.0));
        assert_eq!(found.held_out_loss, found.plain_loss);
    }

    #[test]
    fn few_rows_move_the_shares_less_from_the_usual_ones_than_many() {
        let (few, many) = (picked(12, 0.7, [0.5, 0.9]), picked(4000, 0.7, [0.5, 0.9]));
        assert!(few.stepped_share < many.stepped_share, "{few:?}, {many:?}");
    }

    #[test]
    fn log_loss_judges_classes() {
        // The views as generated are sure of the wrong class in every tenth row.
        let labels: Vec<usize> = (0..300).map(|row| row % 3).collect();
        let logits = |is_wrong: &dyn Fn(usize) -> bool| -> Vec<f32> {
            let said = |row: usize| if is_wrong(row) { (row + 1) % 3 } else { row % 3 };
            (0..300)
                .flat_map(|row| (0..3).map(move |class| if class == said(row) { 6.0 } else { 0.0 }))
                .collect()
        };
        let held_out = HeldOut {
            generated: logits(&|row| row % 10 == 0),
            stepped: vec![logits(&|_| false)],
            strengths: vec![],
        };
        let labels = Labels::Classes { labels, n_classes: 3 };
        let found = Decision::pick(&held_out, &labels, &[0, 1, 2], None).info(&[3], 1);
        assert_eq!(found.n_steps, 3);
        assert!((found.plain_loss - 0.605).abs() < 0.01, "{found:?}");
        assert!(found.held_out_loss < 0.01, "{found:?}");
    }
}
