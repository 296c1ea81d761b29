//! The file format of a predictor: a manifest in JSON, and each network as a file of base-model weights.

use crate::predictor::calibration::Calibration;
use crate::predictor::costs::CostModel;
use crate::predictor::ensemble::PerformancePredictor;
use crate::predictor::gains::MethodGains;
use crate::predictor::linear::LinearPredictor;
use crate::space::methods::KnownMethod;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weightsmith_base_model::{BaseModel, FileError, Precision};

/// Everything in a predictor but its networks.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format_version: u32,
    n_networks: usize,
    calibration: Calibration,
    linear: LinearPredictor,
    #[serde(default)]
    methods: BTreeMap<String, MethodGains>,
    #[serde(default)]
    costs: CostModel,
    #[serde(default = "most_steps_of_older_versions")]
    most_steps: usize,
}

fn most_steps_of_older_versions() -> usize {
    1024
}

/// Version 1 called the calibration's `confidence_multiplier` `caution`, version 2 knew no methods, no costs and no more than 1024
/// steps; both can still be read.
const FORMAT_VERSION: u32 = 3;

/// Why files are no predictor.
#[derive(Debug, thiserror::Error)]
pub enum PredictorError {
    /// The manifest cannot be read.
    #[error("the manifest is damaged: {0}")]
    Manifest(#[from] serde_json::Error),
    /// The manifest is of another version.
    #[error("the manifest is of version {found}, this program reads 1 to {FORMAT_VERSION}")]
    Version {
        /// The version in the manifest.
        found: u32,
    },
    /// There are more or fewer networks than the manifest says.
    #[error("the manifest says {expected} networks, there are {found}; a predictor has at least one")]
    NetworkCount {
        /// The number in the manifest.
        expected: usize,
        /// The number of network files.
        found: usize,
    },
    /// A method of the manifest that this program does not know.
    #[error("the manifest names a method \"{name}\" that this program does not know")]
    UnknownMethod {
        /// Its name.
        name: String,
    },
    /// A network cannot be read.
    #[error(transparent)]
    Network(#[from] FileError),
}

/// A predictor as files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredictorFiles {
    /// The manifest, JSON.
    pub manifest: String,
    /// The file of each member of the ensemble.
    pub networks: Vec<Vec<u8>>,
}

impl PerformancePredictor {
    /// Its files.
    ///
    /// # Errors
    /// Numbers that no file holds.
    pub fn to_files(&self) -> Result<PredictorFiles, PredictorError> {
        let method =
            |(method, gains): (&KnownMethod, &MethodGains)| (method.name().to_string(), gains.clone());
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            n_networks: self.networks.len(),
            calibration: self.calibration,
            linear: self.linear.clone(),
            methods: self.methods.iter().map(method).collect(),
            costs: self.costs.clone(),
            most_steps: self.most_steps,
        };
        let networks = self.networks.iter().map(|network| network.to_bytes(Precision::F32));
        Ok(PredictorFiles {
            manifest: serde_json::to_string(&manifest)?,
            networks: networks.collect::<Result<_, _>>()?,
        })
    }

    /// A predictor of its files.
    ///
    /// # Errors
    /// A damaged manifest, another version, networks that are missing, damaged or of another level.
    pub fn from_files(files: &PredictorFiles) -> Result<Self, PredictorError> {
        let Manifest { format_version, n_networks, calibration, linear, methods, costs, most_steps } =
            serde_json::from_str(&files.manifest)?;
        if !(1..=FORMAT_VERSION).contains(&format_version) {
            return Err(PredictorError::Version { found: format_version });
        }
        if files.networks.len() != n_networks || n_networks == 0 {
            return Err(PredictorError::NetworkCount { expected: n_networks, found: files.networks.len() });
        }
        let networks = files.networks.iter().map(|bytes| BaseModel::from_bytes(bytes));
        let method = |(name, gains): (String, MethodGains)| match KnownMethod::find(&name) {
            Some(method) => Ok((method, gains)),
            None => Err(PredictorError::UnknownMethod { name }),
        };
        Ok(Self {
            linear,
            networks: networks.collect::<Result<_, _>>()?,
            calibration,
            methods: methods.into_iter().map(method).collect::<Result<_, _>>()?,
            costs,
            most_steps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(manifest: &str, networks: &[&[u8]]) -> PredictorFiles {
        let networks = networks.iter().map(|bytes| bytes.to_vec()).collect();
        PredictorFiles { manifest: manifest.to_string(), networks }
    }

    #[test]
    fn what_is_no_predictor_is_refused() {
        let refused =
            |manifest: &str| PerformancePredictor::from_files(&files(manifest, &[])).unwrap_err().to_string();
        assert!(refused("{").contains("manifest is damaged"));
        let manifest = |version: u32| {
            let calibration = Calibration { noise: 0.1, quantile: 1.6, confidence_multiplier: 4.0 };
            let linear = LinearPredictor::default();
            let (methods, costs) = (BTreeMap::new(), CostModel::default());
            let manifest = Manifest {
                format_version: version,
                n_networks: 2,
                calibration,
                linear,
                methods,
                costs,
                most_steps: 16_384,
            };
            serde_json::to_string(&manifest).unwrap()
        };
        assert!(refused(&manifest(9)).contains("version 9"));
        assert!(refused(&manifest(2)).contains("2 networks, there are 0"));
        let without =
            manifest(2).replace(",\"methods\":{},\"costs\":{\"coefficients\":{}},\"most_steps\":16384", "");
        assert!(
            !without.contains("costs") && refused(&without).contains("2 networks, there are 0"),
            "version 2"
        );
        let older = manifest(1).replace("confidence_multiplier", "caution");
        assert!(
            older.contains("caution") && refused(&older).contains("2 networks, there are 0"),
            "version 1"
        );
        let wrong = PerformancePredictor::from_files(&files(&manifest(3), &[b"x", b"y"])).unwrap_err();
        assert!(matches!(wrong, PredictorError::Network(_)), "{wrong}");
    }
}
