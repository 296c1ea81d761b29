//! The file format of a predictor: a manifest in JSON, and each network as a file of base-model weights.

use crate::predictor::calibration::Calibration;
use crate::predictor::ensemble::PerformancePredictor;
use crate::predictor::linear::LinearPredictor;
use serde::{Deserialize, Serialize};
use weightsmith_base_model::{BaseModel, FileError, Precision};

/// Everything in a predictor but its networks.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format_version: u32,
    n_networks: usize,
    calibration: Calibration,
    linear: LinearPredictor,
}

/// Version 1 called the calibration's `confidence_multiplier` `caution`; it can still be read.
const FORMAT_VERSION: u32 = 2;

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
        if !(1..=FORMAT_VERSION).contains(&format_version) {
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

    #[test]
    fn what_is_no_predictor_is_refused() {
        let refused =
            |manifest: &str| PerformancePredictor::from_files(manifest, &[]).unwrap_err().to_string();
        assert!(refused("{").contains("manifest is damaged"));
        let manifest = |version: u32| {
            let calibration = Calibration { noise: 0.1, quantile: 1.6, confidence_multiplier: 4.0 };
            let linear = LinearPredictor::default();
            serde_json::to_string(&Manifest { format_version: version, n_networks: 2, calibration, linear })
                .unwrap()
        };
        assert!(refused(&manifest(9)).contains("version 9"));
        assert!(refused(&manifest(2)).contains("2 networks, there are 0"));
        let older = manifest(1).replace("confidence_multiplier", "caution");
        assert!(
            older.contains("caution") && refused(&older).contains("2 networks, there are 0"),
            "version 1"
        );
        let wrong = PerformancePredictor::from_files(&manifest(2), &[b"x", b"y"]).unwrap_err();
        assert!(matches!(wrong, PredictorError::Network(_)), "{wrong}");
    }
}
