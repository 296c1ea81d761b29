//! The selector: features of a row in, what is likely wrong with it out.

use crate::error::SelectionError;
use crate::feature::{Feature, FeatureGroup};
use crate::features::{row_features, sigmoid};
use crate::linear_algebra::Matrix;
use crate::network::{Layer, Network};
use crate::rows::LabelledRows;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const SHIPPED: &[u8] = include_bytes!("../../../models/selector-1/selector.safetensors");
const METADATA: &str = "weightsmith";
const LAYERS: [&str; 3] = ["hidden1", "hidden2", "output"];
/// What the network says of a row: logits of a wrong label, of another origin and of either, and the value.
pub(crate) const N_OUTPUTS: usize = 4;
/// The output that is a value.
pub(crate) const VALUE: usize = N_OUTPUTS - 1;

/// What is in a selector's file beside its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    /// The features that are read, in order.
    pub(crate) features: Vec<String>,
    /// What is subtracted from each, and what it is divided by.
    pub(crate) centres: Vec<f64>,
    pub(crate) scales: Vec<f64>,
    /// From which probability of a wrong label on rows are dropped, where no rows are known to be clean, and where some are.
    pub(crate) thresholds: [f64; 2],
    /// How it was trained, as the configuration has it.
    pub(crate) trained: serde_json::Value,
}

/// A network of two hidden layers of 100 that reads [`Feature`]s.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    pub(crate) network: Network,
    pub(crate) description: Description,
    groups: Vec<FeatureGroup>,
}

/// What a selector says of a row.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Probability that its label is not the right one.
    pub wrong: f64,
    /// Probability that it is of another population than is asked about, or synthesised.
    pub foreign: f64,
    /// Probability of either: that it is impure.
    pub impure: f64,
    /// Predicted value for rows of the population, in standard deviations over the table.
    pub value: f64,
}

impl Selector {
    pub(crate) fn new(network: Network, description: Description, groups: &[FeatureGroup]) -> Self {
        Self { network, description, groups: groups.to_vec() }
    }

    /// The selector that is shipped in the binary.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn shipped() -> Self {
        Self::from_bytes(SHIPPED).expect("the shipped selector is whole")
    }

    /// From which probability of a wrong label on rows are dropped: that with which solved heads were most accurate on synthetic
    /// tables, with or without rows known to be clean. Above 1 none is.
    pub fn threshold(&self, has_trusted: bool) -> f64 {
        self.description.thresholds[usize::from(has_trusted)]
    }

    /// The groups of features that it reads; figures of others count as unknown.
    pub fn groups(&self) -> &[FeatureGroup] {
        &self.groups
    }

    /// What is likely wrong with every row. Trusted rows are clean.
    pub fn judge(&self, rows: &LabelledRows) -> Vec<Verdict> {
        let mut verdicts = self.judge_features(&row_features(rows));
        for (verdict, is_trusted) in verdicts.iter_mut().zip(&rows.is_trusted) {
            if *is_trusted {
                (verdict.wrong, verdict.foreign, verdict.impure) = (0.0, 0.0, 0.0);
            }
        }
        verdicts
    }

    /// The same from features, `[n_rows, Feature::ALL.len()]`.
    pub fn judge_features(&self, features: &Matrix) -> Vec<Verdict> {
        let mut seen = self.network.activations();
        let verdict = |row: &[f64]| {
            self.network.forward(&self.inputs(row), &mut seen);
            let of = |output: usize| f64::from(seen.outputs[output]);
            let [wrong, foreign, impure] = [0, 1, 2].map(|output| sigmoid(of(output)));
            Verdict { wrong, foreign, impure, value: of(VALUE) }
        };
        features.rows().map(verdict).collect()
    }

    /// A row's features as the network reads them: standardised, those of groups that are switched off at 0.
    pub(crate) fn inputs(&self, features: &[f64]) -> Vec<f32> {
        let Description { centres, scales, .. } = &self.description;
        let known = features.iter().zip(Feature::ALL).zip(centres.iter().zip(scales));
        known
            .map(
                |((value, feature), (centre, scale))| {
                    if self.groups.contains(&feature.group()) {
                        ((value - centre) / scale) as f32
                    } else {
                        0.0
                    }
                },
            )
            .collect()
    }

    /// Reads a selector's file: a safetensors file with `hidden1`, `hidden2` and `output`, each `weight` as `[inputs, outputs]` and
    /// `bias`, and its description as JSON under the key `weightsmith` of the metadata.
    ///
    /// # Errors
    /// A file that is no selector, or one for other features.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SelectionError> {
        let damaged = |what: String| SelectionError::Damaged { what };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
        let text = header.metadata().as_ref().and_then(|metadata| metadata.get(METADATA));
        let text = text.ok_or_else(|| damaged("its metadata have no key \"weightsmith\"".into()))?;
        let description: Description =
            serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        let n = Feature::ALL.len();
        let names = Feature::ALL.iter().map(|feature| feature.name());
        if !description.features.iter().map(String::as_str).eq(names) {
            return Err(damaged("it reads other features".into()));
        }
        let is_number = |numbers: &[f64]| numbers.len() == n && numbers.iter().all(|x| x.is_finite());
        if !is_number(&description.centres) || !is_number(&description.scales) {
            return Err(damaged(format!("it has not {n} finite centres and scales")));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
        let sizes = [n, crate::network::N_UNITS, crate::network::N_UNITS, N_OUTPUTS];
        let mut layers = Vec::new();
        for (place, name) in LAYERS.iter().enumerate() {
            let (n_inputs, n_outputs) = (sizes[place], sizes[place + 1]);
            let mut numbers = Vec::new();
            for (part, shape) in [("weight", vec![n_inputs, n_outputs]), ("bias", vec![n_outputs])] {
                let name = format!("{name}.{part}");
                let tensor = tensors.tensor(&name).map_err(|error| damaged(error.to_string()))?;
                if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
                    return Err(damaged(format!("{name} is not {shape:?} numbers of 32 bits")));
                }
                let bytes = tensor.data().as_chunks::<4>().0;
                numbers.extend(bytes.iter().map(|bytes| f32::from_le_bytes(*bytes)));
            }
            if numbers.iter().any(|number| !number.is_finite()) {
                return Err(damaged(format!("{name} has numbers that are not finite")));
            }
            layers.push(Layer { n_inputs, n_outputs, numbers });
        }
        let layers: [Layer; 3] = layers.try_into().expect("there are three names");
        let groups = vec![FeatureGroup::Position, FeatureGroup::Dynamics, FeatureGroup::Context];
        Ok(Self { network: Network { layers }, description, groups })
    }

    /// The bytes of its file.
    ///
    /// # Panics
    /// Never: its parts fit.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut parts = Vec::new();
        for (layer, name) in self.network.layers.iter().zip(LAYERS) {
            let (weights, bias) = layer.numbers.split_at(layer.n_inputs * layer.n_outputs);
            let bytes = |numbers: &[f32]| numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
            parts.push((format!("{name}.weight"), vec![layer.n_inputs, layer.n_outputs], bytes(weights)));
            parts.push((format!("{name}.bias"), vec![layer.n_outputs], bytes(bias)));
        }
        let views = parts.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("sizes fit");
            (name.as_str(), view)
        });
        let text = serde_json::to_string(&self.description).expect("a description is plain data");
        let metadata = HashMap::from([(METADATA.to_string(), text)]);
        safetensors::serialize(views, Some(metadata)).expect("names differ and sizes fit")
    }
}
