//! The predictor: a linear one for the search, and a small ensemble of shallow networks that judges what the search found.

use crate::decision::Decision;
use crate::features::TaskFeatures;
use crate::linear::LinearPredictor;
use crate::search::search;
use crate::sight::{Prospect, prospect_table};
use serde::{Deserialize, Serialize};
use weightsmith_base_model::{BaseModel, EncodingError, FileError, Precision};
use weightsmith_tasks::{Above, Base};

/// Plans of the exact search that the networks judge.
pub const N_JUDGED: usize = 100_000;
/// Rows that the networks read at once.
const N_CHUNK: usize = 4096;

/// What foresees the loss on long rows of a training that has not run.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictor {
    /// For the search.
    pub linear: LinearPredictor,
    /// Networks that were trained on rows about runs, each from other random numbers; they read tables alike.
    pub networks: Vec<BaseModel<Above<Base>>>,
    /// How sure they are.
    pub calibration: Calibration,
}

/// How far the networks were from what came, on data sets that they had not seen.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The standard deviation of errors where all networks say the same.
    pub noise: f64,
    /// Standard deviations that hold 90% of the errors.
    pub quantile: f64,
}

/// What is foreseen of a training. All figures are of the natural logarithm of its loss on long rows, as a share of the base
/// loss.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Foresight {
    /// The mean of the networks.
    pub mean: f64,
    /// Their standard deviation.
    pub disagreement: f64,
    /// The lower end of the 90% interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A decision that was judged.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The decision, without what changes nothing.
    pub decision: Decision,
    /// Steps; 0 of a decision to generate.
    pub n_steps: usize,
    /// What the linear predictor says.
    pub linear: f64,
    /// What the networks say.
    pub foresight: Foresight,
    /// What the decision is chosen by: the mean and `caution` times the disagreement.
    pub bound: f64,
}

/// What a search found and the networks judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Plans that the exact search scored.
    pub n_scored: u64,
    /// Those that the networks judged and the decision to generate, best first.
    pub candidates: Vec<Candidate>,
}

impl Predictor {
    /// What the networks foresee of each prospect.
    ///
    /// # Errors
    /// Networks that read other columns.
    pub fn foresee(&self, prospects: &[Prospect<'_>]) -> Result<Vec<Foresight>, EncodingError> {
        let mut foreseen = Vec::with_capacity(prospects.len());
        for chunk in prospects.chunks(N_CHUNK) {
            let rows = self.networks[0].encoding.encode(&prospect_table(chunk))?;
            let said: Vec<Vec<f32>> =
                self.networks.iter().map(|network| network.weights.predict(&rows)).collect();
            for row in 0..chunk.len() {
                let values = said.iter().map(|said| f64::from(said[row]));
                foreseen.push(self.calibration.foresight(values));
            }
        }
        Ok(foreseen)
    }

    /// Searches all plans, judges the best [`N_JUDGED`] and the decision to generate, and orders them by a bound: the mean and
    /// `caution` times the disagreement of the networks, since losses are better low.
    ///
    /// # Errors
    /// Those of [`Predictor::foresee`].
    pub fn judge(&self, features: &TaskFeatures, caution: f64) -> Result<Judged, EncodingError> {
        let searched = search(&self.linear, features, N_JUDGED);
        let trained = searched.best.iter().map(|scored| Prospect {
            decision: Decision::Train(scored.plan),
            n_steps: scored.plan.n_steps(),
            features,
        });
        let generated = Prospect { decision: Decision::Generate, n_steps: 0, features };
        let prospects: Vec<Prospect<'_>> = trained.chain([generated]).collect();
        let foreseen = self.foresee(&prospects)?;
        let linear = searched.best.iter().map(|scored| f64::from(scored.score));
        let linear = linear.chain([self.linear.predict(&generated)]);
        let mut candidates: Vec<Candidate> = prospects
            .iter()
            .zip(foreseen)
            .zip(linear)
            .map(|((prospect, foresight), linear)| Candidate {
                decision: prospect.decision,
                n_steps: prospect.n_steps,
                linear,
                foresight,
                bound: foresight.mean + caution * foresight.disagreement,
            })
            .collect();
        candidates.sort_by(|a, b| a.bound.total_cmp(&b.bound));
        Ok(Judged { n_scored: searched.n_scored, candidates })
    }
}

impl Calibration {
    /// What the networks' numbers amount to.
    pub fn foresight(&self, values: impl Iterator<Item = f64> + Clone) -> Foresight {
        let n = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / n;
        let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        let reach = self.quantile * (variance + self.noise * self.noise).sqrt();
        Foresight { mean, disagreement: variance.sqrt(), low: mean - reach, high: mean + reach }
    }

    /// The calibration of errors on data sets that the networks had not seen, each with the variance of the networks. Every
    /// task counts the same, however many rows it has: `tasks` are the rows of each.
    ///
    /// # Panics
    /// If there is no error.
    pub fn of_errors(tasks: &[Vec<(f64, f64)>]) -> Self {
        let weighted: Vec<(f64, f64, f64)> = tasks
            .iter()
            .flat_map(|rows| rows.iter().map(|&(error, variance)| (error, variance, 1.0 / rows.len() as f64)))
            .collect();
        assert!(!weighted.is_empty(), "a calibration needs errors");
        let total: f64 = weighted.iter().map(|(_, _, weight)| weight).sum();
        let excess: f64 =
            weighted.iter().map(|(error, variance, weight)| (error * error - variance) * weight).sum();
        let noise = (excess / total).max(1e-6).sqrt();
        let mut sizes: Vec<(f64, f64)> = weighted
            .iter()
            .map(|(error, variance, weight)| (error.abs() / (variance + noise * noise).sqrt(), *weight))
            .collect();
        sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut below = 0.0;
        let at = sizes.iter().position(|(_, weight)| {
            below += weight;
            below >= 0.9 * total
        });
        Self { noise, quantile: sizes[at.unwrap_or(sizes.len() - 1)].0 }
    }
}

/// What a predictor's file says beside its networks.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format_version: u32,
    n_networks: usize,
    calibration: Calibration,
    linear: LinearPredictor,
}

const FORMAT_VERSION: u32 = 1;

/// Why files are no predictor.
#[derive(Debug, thiserror::Error)]
pub enum PredictorError {
    /// The manifest cannot be read.
    #[error("the manifest is damaged: {0}")]
    Manifest(#[from] serde_json::Error),
    /// The manifest is of another version.
    #[error("the manifest is of version {found}, this program reads {FORMAT_VERSION}")]
    Version {
        /// What it says.
        found: u32,
    },
    /// Networks that the manifest tells of are not there, or others are.
    #[error("the manifest tells of {expected} networks, there are {found}; a predictor has at least one")]
    NetworkCount {
        /// What it says.
        expected: usize,
        /// What there is.
        found: usize,
    },
    /// A network cannot be read.
    #[error(transparent)]
    Network(#[from] FileError),
}

impl Predictor {
    /// Its manifest, JSON, and the file of each network.
    ///
    /// # Errors
    /// Numbers that no file holds.
    pub fn to_files(&self) -> Result<(String, Vec<Vec<u8>>), PredictorError> {
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            n_networks: self.networks.len(),
            calibration: self.calibration,
            linear: self.linear.clone(),
        };
        let networks = self.networks.iter().map(|network| network.to_bytes(Precision::F32));
        Ok((serde_json::to_string(&manifest)?, networks.collect::<Result<_, _>>()?))
    }

    /// A predictor of its manifest and its networks' files.
    ///
    /// # Errors
    /// A damaged manifest, another version, networks that are missing, damaged or of another level.
    pub fn from_files(manifest: &str, networks: &[&[u8]]) -> Result<Self, PredictorError> {
        let Manifest { format_version, n_networks, calibration, linear } = serde_json::from_str(manifest)?;
        if format_version != FORMAT_VERSION {
            return Err(PredictorError::Version { found: format_version });
        }
        if networks.len() != n_networks || n_networks == 0 {
            return Err(PredictorError::NetworkCount { expected: n_networks, found: networks.len() });
        }
        let networks = networks.iter().map(|bytes| BaseModel::from_bytes(bytes));
        Ok(Self { linear, networks: networks.collect::<Result<_, _>>()?, calibration })
    }
}
