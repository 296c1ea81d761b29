//! Which number of steps, and which shares of generated views, of views with steps, of the forest and of a smooth function
//! tell held-out rows best.

use crate::distil::Teacher;
use crate::smooth::{all_sharpened, sharpness};
use weightsmith_metamodel::Labels;
use weightsmith_training::LogStrengths;

/// Shares of the views with steps in the network; of the forest, and of the smooth function, in the outputs.
const STEPPED_SHARES: [f32; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];
const FOREST_SHARES: [f32; 8] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8];
const SMOOTH_SHARES: [f32; 9] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0];
/// The shares of views with steps, of generated views, of the forest and of the smooth function in the outputs that are picked
/// where the support does not tell, with and without the last, and how many rows it takes to tell: with so many, shares a
/// squared distance of 1 away are picked for half the loss.
const USUAL_SHARES: [f32; 4] = [0.15, 0.35, 0.25, 0.25];
const USUAL_SHARES_WITHOUT: [f32; 4] = [0.2, 0.5, 0.3, 0.0];
/// The same of so few rows that no steps are tried.
const USUAL_SHARES_OF_FEW_ROWS: [f32; 4] = [0.0, 0.5, 0.3, 0.2];
/// The same where columns are many for the rows: there steps and a smooth function take noise for a law more often.
const USUAL_SHARES_IF_WIDE: [f32; 4] = [0.05, 0.55, 0.3, 0.1];
const ROWS_TO_TELL: f32 = 50.0;
/// Least probability that is scored.
const LEAST_PROBABILITY: f32 = 1e-4;

/// What was decided about inner steps.
#[derive(Clone, Debug, PartialEq)]
pub struct StepsInfo {
    /// Steps that were taken; 0 where none pay.
    pub n_steps: usize,
    /// Numbers of steps that were tried; 0 where rows are too few for it.
    pub n_tried: usize,
    /// Views that took them; 0 where none did.
    pub n_views: usize,
    /// Share of the views with steps in the outputs.
    pub stepped_share: f32,
    /// Share of the views as generated.
    pub generated_share: f32,
    /// Share of the smooth function.
    pub smooth_share: f32,
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
    /// A smooth function: standardised values, or memberships in classes; none where none was fitted.
    pub(crate) smooth: Option<Vec<f32>>,
    /// Strengths of each view's head that its steps began with.
    pub(crate) strengths: Vec<LogStrengths>,
    /// Whether columns are many for the rows.
    pub(crate) is_wide: bool,
}

/// A smooth function's part in the outputs.
pub(crate) struct SmoothDecision {
    pub(crate) share: f32,
    /// How sharply memberships become class shares.
    pub(crate) sharpness: f32,
    /// What it says of rows held out, in class shares or standardised values: `[n_rows, n_outputs]`.
    pub(crate) left_out: Vec<f32>,
}

/// The number of steps and the shares that were picked.
pub(crate) struct Decision {
    /// Position among the numbers of steps.
    at: usize,
    /// Share of the views with steps in the network, the rest is that of the views as generated.
    pub(crate) stepped_share: f32,
    /// Share of the forest in the outputs.
    pub(crate) forest_share: f32,
    /// The smooth function, if it has a share.
    pub(crate) smooth: Option<SmoothDecision>,
    held_out_loss: f32,
    plain_loss: f32,
}

/// What is picked from.
#[derive(Copy, Clone)]
struct Choice {
    at: usize,
    stepped: f32,
    forest: f32,
    smooth: f32,
    loss: f32,
    /// The loss, higher the further the shares are from the usual ones.
    penalised: f32,
}

impl Choice {
    fn better(self, other: Option<Self>) -> Option<Self> {
        Some(other.filter(|other| other.penalised <= self.penalised).unwrap_or(self))
    }

    /// Squared distance of its shares from the usual ones.
    fn distance(&self, usual: &[f32; 4]) -> f32 {
        let network = network_share(self.forest, self.smooth);
        let shares = [network * self.stepped, network * (1.0 - self.stepped), self.forest, self.smooth];
        shares.iter().zip(usual).map(|(share, usual)| (share - usual).powi(2)).sum()
    }
}

impl Decision {
    /// The best by the rows held out; the forest is judged by its trees that have not seen a row. `places` are the
    /// outputs of the classes that have rows, in the order of `labels`. Without a teacher nothing is distilled, and the
    /// network has the whole output.
    pub(crate) fn pick(
        held_out: &HeldOut,
        labels: &Labels,
        places: &[usize],
        teacher: Option<&Teacher<'_>>,
    ) -> Self {
        let n_rows = labels.len();
        let rows = teacher.map_or_else(|| (0..n_rows).collect(), |teacher| teacher.grown().to_vec());
        let width = held_out.generated.len() / n_rows;
        let of = |rows: &[usize], all: &[f32]| -> Vec<f32> {
            rows.iter().flat_map(|&row| places.iter().map(move |&place| all[row * width + place])).collect()
        };
        let every: Vec<usize> = (0..n_rows).collect();
        let smooth = held_out.smooth.as_ref().filter(|_| teacher.is_some());
        let smooth = smooth.map(|told| calibrated(of(&every, told), labels));
        let usual = match smooth {
            _ if held_out.is_wide => &USUAL_SHARES_IF_WIDE,
            Some(_) if held_out.stepped.is_empty() => &USUAL_SHARES_OF_FEW_ROWS,
            Some(_) => &USUAL_SHARES,
            None => &USUAL_SHARES_WITHOUT,
        };
        let n_outputs = places.len();
        let smooth_told = smooth.as_ref().map(|(told, _)| -> Vec<f32> {
            rows.iter().flat_map(|&row| &told[row * n_outputs..(row + 1) * n_outputs]).copied().collect()
        });
        let judge = Judge {
            rows: &rows,
            labels,
            forest: teacher.map(Teacher::left_out),
            smooth: smooth_told.as_deref(),
        };
        let shares = judge.shares();
        let generated = of(&rows, &held_out.generated);
        let strength = ROWS_TO_TELL / rows.len() as f32;
        let (mut best, mut plain) = (None, None);
        let mut judged = |at: usize, stepped: f32, network: Vec<f32>| {
            for (&(forest, smooth), loss) in shares.iter().zip(judge.losses(network, &shares)) {
                // A network without a share takes no steps.
                if stepped > 0.0 && network_share(forest, smooth) == 0.0 {
                    continue;
                }
                let mut choice = Choice { at, stepped, forest, smooth, loss, penalised: loss };
                choice.penalised *= 1.0 + strength * choice.distance(usual);
                best = choice.better(best);
                if stepped == 0.0 && smooth == 0.0 {
                    plain = choice.better(plain);
                }
            }
        };
        judged(0, 0.0, generated.clone());
        for (at, stepped_views) in held_out.stepped.iter().enumerate() {
            let stepped_views = of(&rows, stepped_views);
            for stepped in STEPPED_SHARES {
                let pairs = generated.iter().zip(&stepped_views);
                let network = pairs.map(|(generated, after)| generated + stepped * (after - generated));
                judged(at, stepped, network.collect());
            }
        }
        let nothing =
            Choice { at: 0, stepped: 0.0, forest: 0.0, smooth: 0.0, loss: f32::NAN, penalised: f32::NAN };
        let (best, plain) = (best.unwrap_or(nothing), plain.unwrap_or(nothing));
        Self {
            at: best.at,
            stepped_share: best.stepped,
            forest_share: best.forest,
            smooth: smooth.filter(|_| best.smooth > 0.0).map(|(left_out, sharpness)| SmoothDecision {
                share: best.smooth,
                sharpness,
                left_out,
            }),
            held_out_loss: best.loss,
            plain_loss: plain.loss,
        }
    }

    /// Position of the number of steps among those that were tried.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// What the network says of rows held out, before the forest.
    pub(crate) fn network(&self, held_out: &HeldOut) -> Vec<f32> {
        if self.stepped_share == 0.0 {
            return held_out.generated.clone();
        }
        let pairs = held_out.generated.iter().zip(&held_out.stepped[self.at]);
        pairs.map(|(generated, stepped)| generated + self.stepped_share * (stepped - generated)).collect()
    }

    /// For people. `n_steps` and `n_views` are those of the plan.
    pub(crate) fn info(&self, n_steps: &[usize], n_views: usize) -> StepsInfo {
        let is_taken = self.stepped_share > 0.0;
        let smooth_share = self.smooth.as_ref().map_or(0.0, |smooth| smooth.share);
        let network_share = network_share(self.forest_share, smooth_share);
        StepsInfo {
            n_steps: if is_taken { n_steps[self.at] } else { 0 },
            n_tried: n_steps.len(),
            n_views: if is_taken { n_views } else { 0 },
            stepped_share: network_share * self.stepped_share,
            generated_share: network_share * (1.0 - self.stepped_share),
            smooth_share,
            held_out_loss: self.held_out_loss,
            plain_loss: self.plain_loss,
        }
    }
}

/// What forest and smooth function leave to the network.
fn network_share(forest: f32, smooth: f32) -> f32 {
    let share = 1.0 - forest - smooth;
    if share < 1e-6 { 0.0 } else { share }
}

/// What a smooth function says of rows held out, memberships as class shares, and how sharp these were made.
fn calibrated(told: Vec<f32>, labels: &Labels) -> (Vec<f32>, f32) {
    match labels {
        Labels::Values(_) => (told, 1.0),
        Labels::Classes { labels, n_classes } => {
            let sharpness = sharpness(&told, labels);
            (all_sharpened(&told, *n_classes, sharpness), sharpness)
        }
    }
}

/// Rows that judge.
struct Judge<'a> {
    /// Positions in the support.
    rows: &'a [usize],
    labels: &'a Labels,
    /// Class shares or values of the forest's trees that have not seen a row, `[rows, n_outputs]`.
    forest: Option<&'a [f32]>,
    /// The same of the smooth function.
    smooth: Option<&'a [f32]>,
}

impl Judge<'_> {
    /// The shares of forest and smooth function that are tried.
    fn shares(&self) -> Vec<(f32, f32)> {
        let forest = if self.forest.is_some() { &FOREST_SHARES[..] } else { &FOREST_SHARES[..1] };
        let smooth = if self.smooth.is_some() { &SMOOTH_SHARES[..] } else { &SMOOTH_SHARES[..1] };
        let pairs = forest.iter().flat_map(|&forest| smooth.iter().map(move |&smooth| (forest, smooth)));
        pairs.filter(|(forest, smooth)| forest + smooth < 1.0 + 1e-6).collect()
    }

    /// Mean loss of a network's logits or standardised values beside each share of forest and smooth function.
    fn losses(&self, mut network: Vec<f32>, shares: &[(f32, f32)]) -> Vec<f32> {
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
            let [forest, smooth] =
                [self.forest, self.smooth].map(|told| told.map_or(0.0, |told| told[output] - own));
            for (sum, (forest_share, smooth_share)) in sums.iter_mut().zip(shares) {
                let all = own + forest_share * forest + smooth_share * smooth;
                *sum += f64::from(match self.labels {
                    Labels::Classes { .. } => -all.max(LEAST_PROBABILITY).ln(),
                    Labels::Values(values) => (all - values[row]).powi(2),
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
    use crate::distil::DistillationData;
    use weightsmith_base_model::{Encoding, EncodingLimits};
    use weightsmith_tasks::{Column, ColumnValues, Seed, Support, Table, Target};

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
            smooth: None,
            strengths: vec![],
            is_wide: false,
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
    fn a_smooth_function_shares_the_output_where_it_tells_held_out_rows_best() {
        for (n_rows, missed, least, most) in
            [(400, 0.0, 1.0, 1.0), (400, 0.1, 0.75, 1.0), (400, 3.0, 0.0, 0.0), (12, 0.4, 0.05, 0.8)]
        {
            let (mut held_out, labels) = wave(n_rows, 0.8, [0.7, 0.9]);
            let Labels::Values(values) = &labels else { unreachable!() };
            let off = |row: usize| if (row / 8).is_multiple_of(2) { missed } else { -missed };
            held_out.smooth = Some(values.iter().enumerate().map(|(row, value)| value + off(row)).collect());
            let noise = (0..n_rows).map(|row| (row * 7919 % 101) as f64).collect();
            let column = Column { name: "x".into(), values: ColumnValues::Numeric(noise) };
            let table = Table::new(n_rows, vec![column]).unwrap();
            let target = Target::Values(values.iter().map(|value| f64::from(*value)).collect());
            let support: Support = Support::new(table.clone(), target).unwrap();
            let encoding = Encoding::fit(&support, &EncodingLimits::default()).unwrap().standard;
            let rows = encoding.encode(&table).unwrap();
            let order: Vec<usize> = (0..n_rows).collect();
            let data = DistillationData {
                table: &table,
                encoding: &encoding,
                rows: &rows,
                labels: &labels,
                columns: &[0],
                order: &order,
            };
            // A forest that sees nothing but noise.
            let teacher = Teacher::new(data, 3, Seed(0));
            let decision = Decision::pick(&held_out, &labels, &[0], Some(&teacher));
            let info = decision.info(&[2, 5], 4);
            assert!((least..=most).contains(&info.smooth_share), "{n_rows}, {missed}: {info:?}");
            assert_eq!(info.smooth_share > 0.0, decision.smooth.is_some());
            // A network without a share takes no steps.
            assert!(info.smooth_share < 1.0 || info.n_steps == 0, "{info:?}");
        }
    }

    #[test]
    fn what_is_left_to_a_network_is_never_below_0() {
        for (forest, smooth) in [(0.8, 0.2), (0.4, 0.6), (0.0, 1.0)] {
            let share = network_share(forest, smooth);
            assert!(share == 0.0 && share.is_sign_positive(), "{forest}, {smooth}: {share}");
        }
        assert!((network_share(0.5, 0.4) - 0.1).abs() < 1e-6);
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
            smooth: None,
            strengths: vec![],
            is_wide: false,
        };
        let labels = Labels::Classes { labels, n_classes: 3 };
        let found = Decision::pick(&held_out, &labels, &[0, 1, 2], None).info(&[3], 1);
        assert_eq!(found.n_steps, 3);
        assert!((found.plain_loss - 0.605).abs() < 0.01, "{found:?}");
        assert!(found.held_out_loss < 0.01, "{found:?}");
    }
}
