//! Inner steps by variable projection: the head of a network is the solution of a penalised fit, whatever its hidden
//! units are, so that steps of a quasi-Newton method change the hidden units alone.
//!
//! What the steps lower is the logarithm of the leave-one-out error (PRESS) of a ridge head, which has a closed form, with
//! respect to the hidden weights, the biases, the widths of ramps and two strengths: one for the hidden units, one for the
//! direct path. Classes are fitted as centred one-hot targets meanwhile; their logistic head is solved at the end.
//!
//! The leave-one-out error knows nothing of how far the hidden units have adapted to the rows: within ten steps it says
//! more than is true. How many steps pay has to be told by rows that the steps have not seen.
//!
//! Source: Golub and Pereyra 1973, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
//! variables separate"; Allen 1974 for PRESS.

mod algebra;
mod press;
mod query;
mod through;
mod units;
mod wolfe;

use algebra::numbers;
use burn::tensor::{Device, Tensor, TensorData};
use press::{Features, Press};
pub use through::SteppedLoss;
use units::{Layout, Units};
use weightsmith_base_model::{Activation, HostLayer, HostWeights, Matrix, Rows};
use weightsmith_kernels::{HeadSystem, LogisticEffort, exact_logistic_head};

/// Logarithms of the strengths of hidden units, and of inputs, of which a start has the best, one after the other.
const LOG_UNIT_STRENGTHS: [f64; 5] = [0.0, 2.0, 4.0, 6.0, 8.0];
const LOG_INPUT_STRENGTHS: [f64; 3] = [-2.0, 0.5, 3.0];
/// Pairs of steps that L-BFGS remembers.
const N_PAIRS: usize = 20;
/// A ramp that has become so wide that its shoulder is beyond any number is a ReLU, whose second unit never says anything: its
/// bias is minus this.
const LARGEST_BIAS: f32 = 1e30;
/// Most steps of the logistic head, when they have converged, and the precision of its intercepts.
const MAX_LOGISTIC_STEPS: usize = 200;
const LOGISTIC_TOLERANCE: f64 = 1e-6;
const INTERCEPT_PRECISION: f32 = 1e-4;

/// What a network is to say of each row.
#[derive(Copy, Clone, Debug)]
pub enum Wanted<'a> {
    /// A value, `[n_rows]`.
    Values(&'a [f32]),
    /// A class.
    Classes {
        /// Of each row, below `n_classes`.
        labels: &'a [usize],
        /// How many there are, at least 2.
        n_classes: usize,
        /// Factor on the ridge head's strengths for the logistic head.
        strength: f64,
    },
}

impl Wanted<'_> {
    /// `[n_rows, n_outputs]`, row-major.
    fn targets(&self) -> Vec<f64> {
        match self {
            Self::Values(values) => values.iter().map(|value| f64::from(*value)).collect(),
            Self::Classes { labels, n_classes, .. } => {
                let mut targets = vec![0.0; labels.len() * n_classes];
                labels.iter().enumerate().for_each(|(row, label)| targets[row * n_classes + label] = 1.0);
                targets
            }
        }
    }
}

/// Logarithms of the strengths of a ridge head: of its hidden units and of its inputs, both standardised.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct LogStrengths {
    /// Of the hidden units.
    pub units: f64,
    /// Of the direct path.
    pub inputs: f64,
}

/// A network after some steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepped {
    /// Steps that were asked for; where no step improves any more, fewer were taken.
    pub n_steps: usize,
    /// Leave-one-out error of the ridge head: mean square a row, summed over outputs. Too low, the more so the more steps.
    pub leave_one_out: f64,
    /// The network, its head solved.
    pub weights: HostWeights,
}

/// Rows, what is wanted of them, and the hidden units that steps begin from.
pub struct VariableProjection<'a> {
    press: Press,
    wanted: Wanted<'a>,
    layout: Layout,
    start: Units,
}

impl<'a> VariableProjection<'a> {
    /// Begins at a hidden layer on `rows`. Pairs of units that make ramps, as in generated layers, stay ramps.
    ///
    /// # Panics
    /// If rows, labels and the layer's inputs do not go together, or there is no row.
    pub fn new(rows: &Rows, wanted: Wanted<'a>, start: &HostLayer) -> Self {
        assert_eq!(rows.n_columns, start.weight.n_columns, "the layer reads these rows");
        let start = Units::of(start);
        let layout =
            Layout { n_units: start.n_units(), n_columns: rows.n_columns, is_ramp: start.width.is_some() };
        Self { press: Press::new(rows, wanted.targets()), wanted, layout, start }
    }

    /// Strengths at the start with the least leave-one-out error: first of the units, then of the inputs.
    pub fn first_strengths(&self) -> LogStrengths {
        let features = self.press.features(&self.start, None);
        let gram = self.press.gram(&features);
        let error = |strengths: LogStrengths| self.press.solve(&features, &gram, strengths).error;
        let best = |all: &[f64], strengths: &dyn Fn(f64) -> LogStrengths| {
            let errors = all.iter().map(|log| (strengths(*log), error(strengths(*log))));
            errors.min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are strengths to try").0
        };
        let found =
            best(&LOG_UNIT_STRENGTHS, &|units| LogStrengths { units, inputs: LOG_INPUT_STRENGTHS[1] });
        best(&LOG_INPUT_STRENGTHS, &|inputs| LogStrengths { inputs, ..found })
    }

    /// The networks after the given numbers of steps, which rise; 0 is the start with its head solved anew. `pull` is the
    /// weight of half the squared distance to the start, beside the logarithm of the error; 0 for none.
    pub fn steps(&self, strengths: LogStrengths, n_steps: &[usize], pull: f64) -> Vec<Stepped> {
        let start = self.layout.point(&self.start, strengths);
        let objective = |point: &[f64], gradient: &mut [f64]| {
            let mut value = self.press.value(&self.layout, point, gradient);
            if pull > 0.0 {
                for ((slope, here), start) in gradient.iter_mut().zip(point).zip(&start) {
                    value += 0.5 * pull * (here - start) * (here - start);
                    *slope += pull * (here - start);
                }
            }
            value
        };
        let most = n_steps.last().copied().unwrap_or(0);
        let mut asked = n_steps.iter().copied().peekable();
        let mut stepped = Vec::with_capacity(n_steps.len());
        let mut last = start.clone();
        let mut head = Vec::new();
        while let Some(n_steps) = asked.next_if_eq(&0) {
            stepped.push(self.finish(n_steps, &start, &mut head));
        }
        wolfe::descend(objective, start.clone(), N_PAIRS, most, |step| {
            while let Some(n_steps) = asked.next_if_eq(&step.number) {
                stepped.push(self.finish(n_steps, step.to, &mut head));
            }
            last.copy_from_slice(step.to);
        });
        stepped.extend(asked.map(|n_steps| self.finish(n_steps, &last, &mut head)));
        stepped
    }

    /// The network at a point. `head` has the logistic head of a point before it, if there was one, and gets that of this
    /// one.
    fn finish(&self, n_steps: usize, point: &[f64], head: &mut Vec<f32>) -> Stepped {
        let (units, strengths) = self.layout.read(point);
        let features = self.press.features(&units, None);
        let solved = self.press.solve(&features, &self.press.gram(&features), strengths);
        let weights = match self.wanted {
            Wanted::Values(_) => {
                fold(&units, &features, &numbers(solved.coefficients), &self.press.target_mean)
            }
            Wanted::Classes { labels, n_classes, strength } => {
                let penalties = self.press.penalties(units.n_units(), strengths);
                let penalties: Vec<f64> = penalties.iter().map(|penalty| strength * penalty).collect();
                let (coefficients, intercepts) =
                    logistic_head(&features, labels, n_classes, &penalties, head);
                fold(&units, &features, &coefficients, &intercepts)
            }
        };
        Stepped { n_steps, leave_one_out: solved.error, weights }
    }
}

/// Coefficients `[p, n_classes]` and intercepts of multinomial logistic regression on standardised features, with
/// penalties `[p]`: `Σ log-loss + ½ Σ penalty · coefficient²`. The solution goes into `head`, after what it held served as
/// the start.
fn logistic_head(
    features: &Features,
    labels: &[usize],
    n_classes: usize,
    penalties: &[f64],
    head: &mut Vec<f32>,
) -> (Vec<f64>, Vec<f64>) {
    let (n, p) = (labels.len(), features.width() + 1);
    let single = |values: Vec<f32>, shape: [usize; 3]| {
        Tensor::<3>::from_data(TensorData::new(values, shape), &Device::flex())
    };
    let mut values = Vec::with_capacity(n * p);
    for row in features.values.chunks_exact(p - 1) {
        values.extend(row.iter().map(|value| *value as f32));
        values.push(1.0);
    }
    let mut targets = vec![0.0; n * n_classes];
    labels.iter().enumerate().for_each(|(row, label)| targets[row * n_classes + label] = 1.0);
    let precision = penalties.iter().map(|penalty| *penalty as f32).chain([INTERCEPT_PRECISION]).collect();
    let system = HeadSystem {
        features: single(values, [1, n, p]),
        targets: single(targets, [1, n, n_classes]),
        row_weights: Tensor::ones([1, n], &Device::flex()),
        precision: single(precision, [1, 1, p]).reshape([1, p]),
    };
    let start = Some(head.as_slice()).filter(|head| !head.is_empty());
    let effort = LogisticEffort { start, max_steps: MAX_LOGISTIC_STEPS, tolerance: LOGISTIC_TOLERANCE };
    let (found, _) = exact_logistic_head(&system, effort);
    let found = found.into_data_as::<f32>().try_into_vec::<f32>().expect("the data was converted to f32");
    let mut coefficients = vec![0.0; (p - 1) * n_classes];
    let mut intercepts = Vec::with_capacity(n_classes);
    for (class, row) in found.chunks_exact(p).enumerate() {
        for (feature, value) in row[..p - 1].iter().enumerate() {
            coefficients[feature * n_classes + class] = f64::from(*value);
        }
        intercepts.push(f64::from(row[p - 1]));
    }
    *head = found;
    (coefficients, intercepts)
}

/// Plain weights from a head on standardised features: coefficients `[p, n_outputs]`, and what it says of mean features.
fn fold(units: &Units, features: &Features, coefficients: &[f64], middle: &[f64]) -> HostWeights {
    let (m, p, k) = (units.n_units(), features.width(), middle.len());
    let d = p - m;
    let mut bias = middle.to_vec();
    let mut plain = vec![0.0; k * p]; // [k, p]
    for feature in 0..p {
        for output in 0..k {
            let own = coefficients[feature * k + output] / features.scale[feature];
            plain[output * p + feature] = own;
            bias[output] -= own * features.mean[feature];
        }
    }
    let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    let (mut weight, mut hidden_bias) = (single(&units.weight), single(&units.bias));
    let mut output: Vec<f32> = Vec::with_capacity(2 * k * m);
    for row in plain.chunks_exact(p) {
        output.extend(row[..m].iter().map(|value| *value as f32));
        if units.width.is_some() {
            output.extend(row[..m].iter().map(|value| -*value as f32));
        }
    }
    if let Some(width) = &units.width {
        weight.extend_from_within(..);
        let shoulder = |(foot, width): (&f64, &f64)| ((foot - width) as f32).max(-LARGEST_BIAS);
        hidden_bias.extend(units.bias.iter().zip(width).map(shoulder));
    }
    let n_units = hidden_bias.len();
    let skip = plain.chunks_exact(p).flat_map(|row| single(&row[m..])).collect();
    HostWeights {
        hidden: vec![HostLayer { weight: Matrix::new(n_units, d, weight), bias: hidden_bias }],
        skip: Some(Matrix::new(k, d, skip)),
        output: Some(Matrix::new(k, n_units, output)),
        output_bias: single(&bias),
        activation: Activation::Relu,
    }
}

#[cfg(test)]
mod tests;
