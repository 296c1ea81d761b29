//! A base model with everything that is needed to use it and to know where it comes from.

use crate::architecture::{Architecture, ArchitectureError};
use crate::encoding::{Encoding, EncodingError};
use crate::held_out_errors::HeldOutErrors;
use crate::host_weights::HostWeights;
use crate::predictions::Predictions;
use crate::target_unit::TargetUnit;
use crate::weights::Weights;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::marker::PhantomData;
use weightsmith_tasks::{Base, ColumnValues, Level, Support, Table, Target, TaskType};

/// What made the weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The metamodel's name, or the optimiser's.
    pub name: String,
    /// The checksum of the metamodel's file; empty where there is none.
    pub checksum: String,
}

/// The support rows that the weights were made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportInfo {
    /// The number of rows.
    pub n_rows: usize,
    /// SHA-256 of names, values and labels, in hexadecimal.
    pub checksum: String,
}

impl SupportInfo {
    /// Size and checksum of a support. Another order of rows or columns is another checksum.
    pub fn of<L: Level>(support: &Support<L>) -> Self {
        let mut hasher = Sha256::new();
        let mut text = |part: &str| {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        };
        for column in support.table().columns() {
            text(&column.name);
            match &column.values {
                // The shortest text that reads back as the same number; every NaN is the same.
                ColumnValues::Numeric(values) => values.iter().for_each(|value| text(&value.to_string())),
                ColumnValues::Categorical { levels, codes } => codes.iter().for_each(|code| match code {
                    Some(code) => text(&format!("={}", levels[*code as usize])),
                    None => text(""),
                }),
            }
        }
        match support.target() {
            Target::Classes { class_names, labels } => {
                labels.iter().for_each(|&label| text(&class_names[label]));
            }
            Target::Values(values) => values.iter().for_each(|value| text(&value.to_string())),
        }
        let checksum = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { n_rows: support.n_rows(), checksum }
    }
}

/// What an expected performance is measured by.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedMetric {
    /// Mean of minus the logarithm of the true class's probability, in nats; `log_loss` in files.
    LogLoss,
    /// Root of the mean squared error, in the target's unit; `rmse` in files.
    Rmse,
}

impl ExpectedMetric {
    /// The name in tables and sentences.
    pub fn label(self) -> &'static str {
        match self {
            Self::LogLoss => "log-loss",
            Self::Rmse => "RMSE",
        }
    }
}

/// How good the model will be on rows it has not seen, as estimated from the support alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedPerformance {
    /// What is measured.
    pub metric: ExpectedMetric,
    /// The estimate.
    pub value: f32,
    /// The lower end of its interval.
    pub low: f32,
    /// The upper end of its interval.
    pub high: f32,
    /// For a regression: the standard deviation of its errors, in the target's unit.
    pub residual_std: Option<f32>,
}

/// Why the parts of a base model are not one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// No network has this architecture.
    #[error(transparent)]
    Architecture(#[from] ArchitectureError),
    /// The encoding does not feed this network.
    #[error("the encoding has {n_columns} columns and the network {n_inputs} inputs")]
    EncodingWidth {
        /// Encoded columns.
        n_columns: usize,
        /// Inputs of the architecture.
        n_inputs: usize,
    },
    /// A classification needs an output for each of two or more classes; a regression one output and no class.
    #[error("{n_classes} class names and {n_outputs} outputs do not make a {task_type}")]
    ClassCount {
        /// What is predicted.
        task_type: TaskType,
        /// Class names given.
        n_classes: usize,
        /// Outputs of the architecture.
        n_outputs: usize,
    },
    /// Two classes share a name.
    #[error("two classes are called \"{name}\"")]
    RepeatedClass {
        /// The repeated name.
        name: String,
    },
    /// The weights are of another architecture.
    #[error("the weights do not have the shapes of the architecture")]
    OtherArchitecture,
    /// A weight is NaN or infinite.
    #[error("tensor \"{tensor}\" holds a number that is not finite")]
    NotFinite {
        /// The tensor's name.
        tensor: String,
    },
    /// A classification has a unit, or the numbers of a unit are not finite or its scale is not above 0.
    #[error("the unit of the target is not valid: two finite numbers, the scale above 0, of a regression")]
    BadUnit,
    /// A figure of the expected performance is NaN, infinite, or a negative standard deviation.
    #[error("the expected performance holds a figure that is not finite or a negative standard deviation")]
    BadFigure,
    /// The errors of held-out rows are not finite, negative, not in ascending order, or not as many as the rows.
    #[error("the errors of held-out rows are not finite numbers from 0 in ascending order, one for each row")]
    BadErrors,
}

/// A base model: the encoding of its inputs, its weights, and where they come from.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseModel<L: Level = Base> {
    /// From a table to the network's inputs.
    pub encoding: Encoding,
    /// The network's shape.
    pub architecture: Architecture,
    /// What is predicted.
    pub task_type: TaskType,
    /// The name of each output's class, each once; none for a regression.
    pub class_names: Vec<String>,
    /// The network's numbers.
    pub weights: HostWeights,
    /// What a regression's output counts; none where it is the value itself, and for a classification.
    pub target_unit: Option<TargetUnit>,
    /// What made the weights.
    pub provenance: Provenance,
    /// What they were made from.
    pub support: SupportInfo,
    /// How good they will be, where that was estimated.
    pub expected: Option<ExpectedPerformance>,
    /// How far it was off on rows that were held out, where that is known.
    pub held_out: Option<HeldOutErrors>,
    /// What the rows are about.
    pub level: PhantomData<L>,
}

impl<L: Level> BaseModel<L> {
    /// Checks that the parts belong together.
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn validate(&self) -> Result<(), ModelError> {
        self.architecture.validate()?;
        let (n_columns, n_inputs) = (self.encoding.n_columns(), self.architecture.n_inputs);
        if n_columns != n_inputs {
            return Err(ModelError::EncodingWidth { n_columns, n_inputs });
        }
        let (task_type, n_classes, n_outputs) =
            (self.task_type, self.class_names.len(), self.architecture.n_outputs);
        let fits = match task_type {
            TaskType::Classification => n_classes >= 2 && n_classes == n_outputs,
            TaskType::Regression => n_classes == 0 && n_outputs == 1,
        };
        if !fits {
            return Err(ModelError::ClassCount { task_type, n_classes, n_outputs });
        }
        let unit_fits = |unit: TargetUnit| unit.is_valid() && task_type == TaskType::Regression;
        if !self.target_unit.is_none_or(unit_fits) {
            return Err(ModelError::BadUnit);
        }
        let mut names = HashSet::new();
        if let Some(name) = self.class_names.iter().find(|name| !names.insert(name.as_str())) {
            return Err(ModelError::RepeatedClass { name: name.clone() });
        }
        let named = self.weights.named();
        let shapes: Vec<(String, Vec<usize>)> =
            named.iter().map(|(name, shape, _)| (name.clone(), shape.clone())).collect();
        let complete = named.iter().all(|(_, shape, values)| shape.iter().product::<usize>() == values.len());
        if shapes != self.architecture.tensors()
            || !complete
            || self.weights.activation != self.architecture.activation
        {
            return Err(ModelError::OtherArchitecture);
        }
        for (name, _, values) in named {
            if values.iter().any(|value| !value.is_finite()) {
                return Err(ModelError::NotFinite { tensor: name });
            }
        }
        let figures_hold = self.expected.as_ref().is_none_or(|expected| {
            let figures = [expected.value, expected.low, expected.high];
            figures.iter().all(|figure| figure.is_finite())
                && expected.residual_std.is_none_or(|std| std.is_finite() && std >= 0.0)
        });
        if !figures_hold {
            return Err(ModelError::BadFigure);
        }
        if !self.held_out.as_ref().is_none_or(HeldOutErrors::is_valid) {
            return Err(ModelError::BadErrors);
        }
        Ok(())
    }

    /// Predictions for the rows of a table, on the host. Meant for up to some ten thousand rows; for more, put
    /// [`BaseModel::weights_on`] a device through [`crate::predict`].
    ///
    /// # Errors
    /// A missing column, a column of the other type.
    pub fn predict(&self, table: &Table) -> Result<Predictions<L>, EncodingError> {
        let outputs = self.weights.predict(&self.encoding.encode(table)?);
        Ok(self.predictions(&outputs))
    }

    /// What the outputs of this network mean, `n_rows * n_outputs` of them.
    ///
    /// # Panics
    /// If the number of outputs is not a multiple of the network's.
    pub fn predictions(&self, outputs: &[f32]) -> Predictions<L> {
        let n_outputs = self.architecture.n_outputs;
        Predictions::from_outputs(self.task_type, n_outputs, self.target_unit.as_ref(), outputs)
    }

    /// The weights as tensors on a device.
    pub fn weights_on(&self, device: &Device) -> Weights<L> {
        Weights::from_host(&self.weights, device)
    }
}
