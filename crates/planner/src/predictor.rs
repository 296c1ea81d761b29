//! The predictor: a linear one for the search, and a small ensemble of shallow networks that judges what the search found.

use crate::decision::Decision;
use crate::features::TaskFeatures;
use crate::linear::LinearPredictor;
use crate::search::search;
use crate::sight::{Prospect, prospect_table};
use crate::space::Beginning;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use weightsmith_base_model::{BaseModel, Encoding, EncodingError, FileError, Precision, Rows};
use weightsmith_tasks::{Above, Base, Table};

/// Plans of the exact search that the networks judge.
pub const N_JUDGED: usize = 100_000;
/// Rows that the networks read at once.
const N_CHUNK: usize = 4096;

/// What foresees the loss on long rows of a training that has not run.
#[derive(Clone, Debug, PartialEq)]
pub struct PerformancePredictor {
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
    /// How many standard deviations of the networks' disagreement about it are taken off the gain of a training over
    /// generating, before one is preferred to the other.
    pub caution: f64,
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
    /// How much higher than that of generating they say it is, mean and standard deviation over networks.
    pub excess: (f64, f64),
    /// What the decision is chosen by: the mean of the excess and `caution` times its standard deviation.
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

impl PerformancePredictor {
    /// What each network says of each prospect, `[n_networks][n_prospects]`.
    ///
    /// # Errors
    /// Networks that read other columns.
    pub fn opinions(&self, prospects: &[Prospect<'_>]) -> Result<Vec<Vec<f64>>, EncodingError> {
        opinions(&self.networks, prospects)
    }

    /// What the networks together foresee of each prospect.
    ///
    /// # Errors
    /// Networks that read other columns.
    pub fn foresee(&self, prospects: &[Prospect<'_>]) -> Result<Vec<Foresight>, EncodingError> {
        let opinions = self.opinions(prospects)?;
        let of = |at: usize| self.calibration.foresight(opinions.iter().map(|said| said[at]));
        Ok((0..prospects.len()).map(of).collect())
    }

    /// Searches all plans, judges the best [`N_JUDGED`] and the decision to generate, and orders them by how much worse than
    /// generating they will be at most by a calibration, most often [`PerformancePredictor::calibration`].
    ///
    /// # Errors
    /// Networks that read other columns.
    pub fn judge(&self, features: &TaskFeatures, calibration: &Calibration) -> Result<Judged, EncodingError> {
        let searched = search(&self.linear, features, N_JUDGED);
        let generated = Prospect { decision: Decision::Generate, n_steps: 0, features };
        let trained = searched.best.iter().map(|scored| Prospect {
            decision: Decision::Train(scored.plan),
            n_steps: scored.plan.n_steps(),
            features,
        });
        let prospects: Vec<Prospect<'_>> = [generated].into_iter().chain(trained).collect();
        let linear = [self.linear.predict(&generated)];
        let linear = linear.into_iter().chain(searched.best.iter().map(|scored| f64::from(scored.score)));
        let opinions = self.opinions(&prospects)?;
        let mut candidates: Vec<Candidate> = prospects
            .iter()
            .zip(linear)
            .enumerate()
            .map(|(at, (prospect, linear))| {
                let excess = mean_and_deviation(opinions.iter().map(|said| said[at] - said[0]));
                Candidate {
                    decision: prospect.decision,
                    n_steps: prospect.n_steps,
                    linear,
                    foresight: calibration.foresight(opinions.iter().map(|said| said[at])),
                    excess,
                    bound: calibration.bound(excess),
                }
            })
            .collect();
        candidates.sort_by(|a, b| a.bound.total_cmp(&b.bound));
        Ok(Judged { n_scored: searched.n_scored, candidates })
    }
}

/// The best candidate of each kind, in their order: by beginning and optimiser.
pub fn of_each_kind(candidates: &[Candidate]) -> Vec<Candidate> {
    let mut seen = BTreeSet::new();
    let kind = |decision: Decision| match decision {
        Decision::Generate => (String::from("none"), 0),
        Decision::Train(plan) => (
            plan.recipe().optimiser.name().to_string(),
            1 + u8::from(plan.beginning() == Beginning::Generated),
        ),
    };
    candidates.iter().filter(|candidate| seen.insert(kind(candidate.decision))).copied().collect()
}

/// What each network says of each prospect, `[n_networks][n_prospects]`.
///
/// # Errors
/// Networks that read other columns.
pub fn opinions(
    networks: &[BaseModel<Above<Base>>],
    prospects: &[Prospect<'_>],
) -> Result<Vec<Vec<f64>>, EncodingError> {
    let mut opinions = vec![Vec::with_capacity(prospects.len()); networks.len()];
    let chunks: Vec<&[Prospect<'_>]> = prospects.chunks(N_CHUNK).collect();
    let said = |chunk: &&[Prospect<'_>]| opinions_of_rows(networks, &prospect_table(chunk));
    let said: Vec<_> = chunks.par_iter().map(said).collect();
    for chunk in said {
        opinions.iter_mut().zip(chunk?).for_each(|(all, said)| all.extend(said));
    }
    Ok(opinions)
}

/// What each network says of each row of one table, `[n_networks][n_rows]`.
///
/// # Errors
/// Networks that read other columns.
pub fn opinions_of_rows(
    networks: &[BaseModel<Above<Base>>],
    table: &Table,
) -> Result<Vec<Vec<f64>>, EncodingError> {
    let mut read: Option<(&Encoding, Rows)> = None;
    let each = networks.iter().map(|network| {
        // Those of one ensemble read tables alike.
        if read.as_ref().is_none_or(|(encoding, _)| **encoding != network.encoding) {
            read = Some((&network.encoding, network.encoding.encode(table)?));
        }
        let (_, rows) = read.as_ref().expect("it was read above");
        Ok(network.weights.predict(rows).into_iter().map(f64::from).collect())
    });
    each.collect()
}

/// Of what networks say.
pub fn mean_and_deviation(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    (mean, (values.map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt())
}

impl Calibration {
    /// What the networks' numbers amount to.
    pub fn foresight(&self, values: impl Iterator<Item = f64> + Clone) -> Foresight {
        let (mean, disagreement) = mean_and_deviation(values);
        let reach = self.quantile * (disagreement * disagreement + self.noise * self.noise).sqrt();
        Foresight { mean, disagreement, low: mean - reach, high: mean + reach }
    }

    /// What a decision is chosen by, lowest first: the excess over generating, and `caution` times its deviation.
    pub fn bound(&self, excess: (f64, f64)) -> f64 {
        excess.0 + self.caution * excess.1
    }

    /// The calibration of errors on data sets that the networks had not seen, each with the variance of the networks. Every
    /// task counts the same, however many rows it has: `tasks` are the rows of each. The caution is that given.
    ///
    /// # Panics
    /// If there is no error.
    pub fn of_errors(tasks: &[Vec<(f64, f64)>], caution: f64) -> Self {
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
        Self { noise, quantile: sizes[at.unwrap_or(sizes.len() - 1)].0, caution }
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

impl PerformancePredictor {
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use weightsmith_tasks::Seed;

    #[test]
    fn intervals_hold_nine_errors_in_ten() {
        // Sums of twelve uniform numbers are nearly Gaussian: noise 0.3 beside a variance of networks of 0.04.
        let random = &mut Seed(7).stream("planner.test.calibration");
        let mut gaussian = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let tasks: Vec<Vec<(f64, f64)>> = (0..200)
            .map(|at| (0..1 + at % 60).map(|_| (gaussian() * (0.09f64 + 0.04).sqrt(), 0.04)).collect())
            .collect();
        let calibration = Calibration::of_errors(&tasks, 2.0);
        assert!((calibration.noise - 0.3).abs() < 0.02, "{calibration:?}");
        assert!((calibration.quantile - 1.645).abs() < 0.1, "{calibration:?}");
        let foresight = calibration.foresight([0.8, 1.2].into_iter());
        assert!((foresight.mean - 1.0).abs() < 1e-12 && (foresight.disagreement - 0.2).abs() < 1e-12);
        let reach = calibration.quantile * (0.04 + calibration.noise.powi(2)).sqrt();
        assert!((foresight.high - 1.0 - reach).abs() < 1e-12 && (1.0 - foresight.low - reach).abs() < 1e-12);
        assert!((calibration.bound((-0.3, 0.1)) + 0.1).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_predictor_is_refused() {
        let refused =
            |manifest: &str| PerformancePredictor::from_files(manifest, &[]).unwrap_err().to_string();
        assert!(refused("{").contains("manifest is damaged"));
        let manifest = |version: u32| {
            let calibration = Calibration { noise: 0.1, quantile: 1.6, caution: 4.0 };
            let linear = LinearPredictor::default();
            serde_json::to_string(&Manifest { format_version: version, n_networks: 2, calibration, linear })
                .unwrap()
        };
        assert!(refused(&manifest(9)).contains("version 9"));
        assert!(refused(&manifest(1)).contains("2 networks, there are 0"));
        let wrong = PerformancePredictor::from_files(&manifest(1), &[b"x", b"y"]).unwrap_err();
        assert!(matches!(wrong, PredictorError::Network(_)), "{wrong}");
    }
}
