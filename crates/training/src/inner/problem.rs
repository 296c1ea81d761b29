//! A support as an optimiser sees it: encoded rows and the outputs worth training; and the way back from
//! trained outputs to a base model that speaks of classes and of the target's unit.

use super::InnerError;
use super::cross_validation::{mean, standard_error};
use std::marker::PhantomData;
use weightsmith_base_model::{
    BaseModel, Encoding, EncodingLimits, ExpectedMetric, ExpectedPerformance, HostWeights, Matrix,
    Predictions, Provenance, Rows, SupportInfo, TargetUnit, View,
};
use weightsmith_tasks::{Level, Support, Table, Target, TaskType};

/// The logit of a class without a row: its probability is 0 beside any class that was trained.
const ABSENT_LOGIT: f32 = -100.0;

/// What the trained outputs are compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Labels {
    /// Two classes are present: one output, the logit of the second.
    Binary {
        /// The two classes, in the order of the class names.
        present: [usize; 2],
        /// 1 for the second class and -1 for the first, one a row.
        signs: Vec<f32>,
    },
    /// One class, or more than two: an output each.
    Classes {
        /// The classes that have rows, in the order of the class names.
        present: Vec<usize>,
        /// Positions in `present`, one a row.
        labels: Vec<usize>,
    },
    /// One output, the standardised value.
    Values {
        /// What an output counts; a scale of 1 where the target does not vary.
        unit: TargetUnit,
        /// Whether the target varies.
        varies: bool,
        /// The outputs wanted, one a row; 0 where the target does not vary.
        standardised: Vec<f32>,
    },
}

impl Labels {
    fn of(target: &Target) -> Self {
        match target {
            Target::Classes { class_names, labels } => {
                let mut position = vec![None; class_names.len()];
                labels.iter().for_each(|&label| position[label] = Some(0));
                let present: Vec<usize> =
                    (0..class_names.len()).filter(|&class| position[class].is_some()).collect();
                if let [first, second] = present[..] {
                    let sign = |&label: &usize| if label == second { 1.0 } else { -1.0 };
                    return Self::Binary {
                        present: [first, second],
                        signs: labels.iter().map(sign).collect(),
                    };
                }
                present.iter().enumerate().for_each(|(place, &class)| position[class] = Some(place));
                let labels = labels.iter().filter_map(|&label| position[label]).collect();
                Self::Classes { present, labels }
            }
            Target::Values(values) => {
                let found = TargetUnit::of(values);
                let centre = values.first().copied().unwrap_or(0.0);
                let unit = found.unwrap_or(TargetUnit { centre, scale: 1.0 });
                let varies = found.is_some();
                let standardise = |&value: &f64| if varies { unit.standardised(value) as f32 } else { 0.0 };
                Self::Values { unit, varies, standardised: values.iter().map(standardise).collect() }
            }
        }
    }

    /// Weights of the rows under which all classes count the same, 1 in the mean; none for values.
    pub(super) fn balanced(&self) -> Option<Vec<f32>> {
        let classes: Vec<usize> = match self {
            Self::Binary { signs, .. } => signs.iter().map(|sign| usize::from(*sign > 0.0)).collect(),
            Self::Classes { labels, .. } => labels.clone(),
            Self::Values { .. } => return None,
        };
        let n_classes = classes.iter().max().map_or(0, |last| last + 1);
        let mut counts = vec![0usize; n_classes];
        classes.iter().for_each(|&class| counts[class] += 1);
        let even = classes.len() as f32 / n_classes as f32;
        Some(classes.iter().map(|&class| even / counts[class] as f32).collect())
    }

    /// The number of outputs that are trained.
    pub(super) fn n_outputs(&self) -> usize {
        match self {
            Self::Binary { .. } | Self::Values { .. } => 1,
            Self::Classes { present, .. } => present.len(),
        }
    }
}

/// Encoded rows, and what to predict from them.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// Fitted on these rows alone.
    pub(super) encoding: Encoding,
    /// The inputs.
    pub(super) rows: Rows,
    /// The outputs wanted.
    pub(super) labels: Labels,
}

impl Problem {
    /// The problem of a support.
    ///
    /// # Errors
    /// A support without rows or columns.
    pub(super) fn of<L: Level>(support: &Support<L>) -> Result<Self, InnerError> {
        let encoding = Encoding::fit(support, &EncodingLimits::default())?.view(View::Standard).clone();
        Self::encoded(support, encoding)
    }

    /// The problem of a support, seen through an encoding that is there already.
    ///
    /// # Errors
    /// A support that the encoding cannot read.
    pub(super) fn encoded<L: Level>(support: &Support<L>, encoding: Encoding) -> Result<Self, InnerError> {
        let rows = encoding.encode(support.table())?;
        Ok(Self { encoding, rows, labels: Labels::of(support.target()) })
    }

    /// The trained outputs of a base model: [`Problem::export`] undone. A class that the model does not know begins with
    /// weights of 0.
    ///
    /// # Errors
    /// A model of the other kind of target, or one that knows none of the classes.
    pub(super) fn import<L: Level>(
        &self,
        model: &BaseModel<L>,
        support: &Support<L>,
    ) -> Result<HostWeights, InnerError> {
        let parts = self.parts(&model.class_names, support.target(), model.task_type)?;
        Ok(self.composed(&model.weights, &parts, model.target_unit))
    }

    /// The trained outputs of numbers that come without a base model: their outputs are all class names, the logit of the
    /// second of two, or the value.
    ///
    /// # Errors
    /// Numbers of another number of inputs or outputs.
    pub(super) fn import_bare<L: Level>(
        &self,
        weights: &HostWeights,
        support: &Support<L>,
    ) -> Result<HostWeights, InnerError> {
        let found = weights.architecture();
        let (class_names, n_wanted) = match support.target() {
            Target::Classes { class_names, .. } => (class_names.as_slice(), class_names.len()),
            Target::Values(_) => (&[] as &[String], 1),
        };
        let one_of_two = found.n_outputs == 1 && n_wanted == 2;
        if found.n_inputs != self.rows.n_columns || found.n_outputs != n_wanted && !one_of_two {
            return Err(InnerError::OtherShape {
                n_inputs: found.n_inputs,
                n_outputs: found.n_outputs,
                n_columns: self.rows.n_columns,
                n_wanted,
            });
        }
        let mut parts = self.parts(class_names, support.target(), support.target().task_type())?;
        if one_of_two {
            // The logit of the second, as halves of opposite sign.
            for (output, factor) in parts.iter_mut().flatten() {
                *factor *= if *output == 0 { -0.5 } else { 0.5 };
                *output = 0;
            }
        }
        Ok(self.composed(weights, &parts, None))
    }

    /// Weights whose outputs are sums of others', which count in `from`.
    fn composed(
        &self,
        weights: &HostWeights,
        parts: &[Vec<(usize, f64)>],
        from: Option<TargetUnit>,
    ) -> HostWeights {
        let from = from.unwrap_or(TargetUnit { centre: 0.0, scale: 1.0 });
        let (unit, shift) = match &self.labels {
            Labels::Values { unit, varies: true, .. } => {
                (from.scale / unit.scale, unit.standardised(from.centre))
            }
            Labels::Values { varies: false, .. } => (0.0, 0.0),
            _ => (1.0, 0.0),
        };
        let sums = |of: &dyn Fn(usize, usize) -> f64, width: usize, shift: f64| -> Vec<f32> {
            let value = |part: &Vec<(usize, f64)>, column: usize| {
                part.iter().map(|&(output, factor)| factor * unit * of(output, column)).sum::<f64>()
            };
            let place = |part, column| (value(part, column) + shift) as f32;
            parts.iter().flat_map(|part| (0..width).map(move |column| place(part, column))).collect()
        };
        let matrix = |matrix: &Matrix| {
            let width = matrix.n_columns;
            let of = |output: usize, column: usize| f64::from(matrix.values[output * width + column]);
            Matrix::new(parts.len(), width, sums(&of, width, 0.0))
        };
        let bias = |output: usize, _: usize| f64::from(weights.output_bias[output]);
        HostWeights {
            hidden: weights.hidden.clone(),
            skip: weights.skip.as_ref().map(matrix),
            output: weights.output.as_ref().map(matrix),
            output_bias: sums(&bias, 1, shift),
            activation: weights.activation,
        }
    }

    /// For each trained output the outputs of a model that it is made of, and their factors.
    fn parts(
        &self,
        known: &[String],
        target: &Target,
        task_type: TaskType,
    ) -> Result<Vec<Vec<(usize, f64)>>, InnerError> {
        if target.task_type() != task_type {
            return Err(InnerError::OtherTarget { wanted: target.task_type(), found: task_type });
        }
        let place = |class: &usize| match target {
            Target::Classes { class_names, .. } => known.iter().position(|name| *name == class_names[*class]),
            Target::Values(_) => None,
        };
        let (parts, n_known) = match &self.labels {
            Labels::Values { .. } => (vec![vec![(0, 1.0)]], 1),
            Labels::Binary { present, .. } => {
                let places = [place(&present[0]), place(&present[1])];
                let part = places.iter().zip([-1.0, 1.0]).filter_map(|(at, sign)| Some(((*at)?, sign)));
                (vec![part.collect()], places.iter().flatten().count())
            }
            Labels::Classes { present, .. } => {
                let places: Vec<Option<usize>> = present.iter().map(place).collect();
                let part = |at: &Option<usize>| at.map(|output| (output, 1.0)).into_iter().collect();
                (places.iter().map(part).collect(), places.iter().flatten().count())
            }
        };
        if n_known == 0 { Err(InnerError::OtherClasses { known: known.join(", ") }) } else { Ok(parts) }
    }

    /// The base model of trained outputs: an output for each class name, or the standardised value.
    ///
    /// # Errors
    /// Numbers that do not fit f32, class names that make no classification.
    pub(super) fn export<L: Level>(
        &self,
        trained: &HostWeights,
        support: &Support<L>,
        origin: Origin,
    ) -> Result<BaseModel<L>, InnerError> {
        let class_names = match support.target() {
            Target::Classes { class_names, .. } => class_names.clone(),
            Target::Values(_) => Vec::new(),
        };
        let sources = self.sources(class_names.len());
        let matrix = |matrix: &Matrix| {
            let row = |source: &Source| {
                let from = source.output * matrix.n_columns;
                let scale = |value: &f32| (f64::from(*value) * source.factor) as f32;
                matrix.values[from..from + matrix.n_columns].iter().map(scale).collect::<Vec<f32>>()
            };
            Matrix::new(sources.len(), matrix.n_columns, sources.iter().flat_map(row).collect())
        };
        let bias = |source: &Source| {
            (f64::from(trained.output_bias[source.output]) * source.factor + source.shift) as f32
        };
        let weights = HostWeights {
            hidden: trained.hidden.clone(),
            skip: trained.skip.as_ref().map(matrix),
            output: trained.output.as_ref().map(matrix),
            output_bias: sources.iter().map(bias).collect(),
            activation: trained.activation,
        };
        let model = BaseModel {
            encoding: self.encoding.clone(),
            architecture: weights.architecture(),
            task_type: support.target().task_type(),
            class_names,
            weights,
            target_unit: match &self.labels {
                Labels::Values { unit, .. } => Some(*unit),
                _ => None,
            },
            provenance: Provenance { name: origin.name, checksum: String::new() },
            support: SupportInfo::of(support),
            expected: origin.expected,
            held_out: None,
            level: PhantomData,
        };
        model.validate()?;
        Ok(model)
    }

    /// Where each output of the base model comes from.
    fn sources(&self, n_classes: usize) -> Vec<Source> {
        let absent = Source { output: 0, factor: 0.0, shift: f64::from(ABSENT_LOGIT) };
        let mut sources = vec![absent; n_classes];
        match &self.labels {
            // Halves of opposite sign: the softmax of two logits sees only their difference.
            Labels::Binary { present: [first, second], .. } => {
                sources[*first] = Source { output: 0, factor: -0.5, shift: 0.0 };
                sources[*second] = Source { output: 0, factor: 0.5, shift: 0.0 };
            }
            Labels::Classes { present, .. } => {
                for (output, &class) in present.iter().enumerate() {
                    sources[class] = Source { output, factor: 1.0, shift: 0.0 };
                }
            }
            Labels::Values { varies, .. } => {
                // Where the target does not vary, the centre is all there is to say.
                sources = vec![Source { output: 0, factor: f64::from(u8::from(*varies)), shift: 0.0 }];
            }
        }
        sources
    }
}

/// What a base model says about its making.
pub(super) struct Origin {
    /// The optimiser's name.
    pub(super) name: String,
    /// How good the model will be, where that was estimated.
    pub(super) expected: Option<ExpectedPerformance>,
}

/// An output of the base model as a multiple of a trained one.
#[derive(Copy, Clone)]
struct Source {
    output: usize,
    factor: f64,
    shift: f64,
}

/// [`prediction_losses`] of a base model.
///
/// # Errors
/// A table that the base model cannot read.
pub(super) fn row_losses<L: Level>(
    model: &BaseModel<L>,
    table: &Table,
    target: &Target,
) -> Result<Vec<f64>, InnerError> {
    Ok(prediction_losses(&model.predict(table)?, target))
}

/// The loss of each row's prediction: minus the logarithm of the label's probability, clipped at 1e-6, or the
/// squared error.
///
/// # Panics
/// If classes are predicted and values wanted, or the other way round.
pub fn prediction_losses<L: Level>(predictions: &Predictions<L>, target: &Target) -> Vec<f64> {
    match (target, predictions.probabilities(), predictions.values()) {
        (Target::Classes { labels, .. }, Some(rows), _) => {
            rows.zip(labels).map(|(row, &label)| -f64::from(row[label]).max(1e-6).ln()).collect()
        }
        (Target::Values(values), _, Some(predicted)) => {
            let squared = |(predicted, value): (&f64, &f64)| (predicted - value).powi(2);
            predicted.iter().zip(values).map(squared).collect()
        }
        _ => panic!("a model predicts what its support's target is"),
    }
}

/// What held-out losses, one a row, say of rows to come: the mean and its 95% interval; for a regression the
/// roots of these. The best of several candidates is expected a little too good.
pub(super) fn expected_performance(task_type: TaskType, losses: &[f64]) -> ExpectedPerformance {
    let mean = mean(losses);
    let half_width = 1.96 * standard_error(losses);
    let (low, high) = ((mean - half_width).max(0.0), mean + half_width);
    match task_type {
        TaskType::Classification => ExpectedPerformance {
            metric: ExpectedMetric::LogLoss,
            value: mean as f32,
            low: low as f32,
            high: high as f32,
            residual_std: None,
        },
        TaskType::Regression => ExpectedPerformance {
            metric: ExpectedMetric::Rmse,
            value: mean.sqrt() as f32,
            low: low.sqrt() as f32,
            high: high.sqrt() as f32,
            residual_std: Some(mean.sqrt() as f32),
        },
    }
}
