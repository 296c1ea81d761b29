//! Predictors in folders: a manifest, and each network as a file of base-model weights.

use crate::error::PlannerError;
use crate::predictor::ensemble::PerformancePredictor;
use crate::predictor::manifest::{PredictorError, PredictorFiles};
use std::path::Path;
use weightsmith_runtime::write_output;

const MANIFEST: &str = "predictor.json";

fn network_name(at: usize) -> String {
    format!("network-{at}.safetensors")
}

macro_rules! shipped_file {
    ($name:expr) => {
        include_bytes!(concat!("../../../../models/planner-2/", $name))
    };
}

/// The predictor that is shipped in the binary.
///
/// # Errors
/// Files that were damaged before the binary was built.
pub fn shipped_predictor() -> Result<PerformancePredictor, PlannerError> {
    let files = PredictorFiles {
        manifest: include_str!("../../../../models/planner-2/predictor.json").to_string(),
        networks: vec![
            shipped_file!("network-0.safetensors").to_vec(),
            shipped_file!("network-1.safetensors").to_vec(),
            shipped_file!("network-2.safetensors").to_vec(),
            shipped_file!("network-3.safetensors").to_vec(),
            shipped_file!("network-4.safetensors").to_vec(),
        ],
    };
    of_files(&files, Path::new("planner-2"))
}

/// The predictor in a folder.
///
/// # Errors
/// A folder without one, damaged files, files of another version.
pub fn load_predictor(folder: &Path) -> Result<PerformancePredictor, PlannerError> {
    let missing = |source| PlannerError::NoPredictor { path: folder.into(), source };
    let manifest = std::fs::read_to_string(folder.join(MANIFEST)).map_err(missing)?;
    let mut networks = Vec::new();
    while let Ok(bytes) = std::fs::read(folder.join(network_name(networks.len()))) {
        networks.push(bytes);
    }
    of_files(&PredictorFiles { manifest, networks }, folder)
}

fn of_files(files: &PredictorFiles, path: &Path) -> Result<PerformancePredictor, PlannerError> {
    let damaged = |source: PredictorError| PlannerError::PredictorFiles { path: path.into(), source };
    PerformancePredictor::from_files(files).map_err(damaged)
}

/// Writes a predictor into a folder, which is made if it is not there.
///
/// # Errors
/// A system that refuses.
pub fn save_predictor(predictor: &PerformancePredictor, folder: &Path) -> Result<(), PlannerError> {
    let damaged = |source: PredictorError| PlannerError::PredictorFiles { path: folder.into(), source };
    std::fs::create_dir_all(folder)
        .map_err(|source| PlannerError::NoPredictor { path: folder.into(), source })?;
    let PredictorFiles { manifest, networks } = predictor.to_files().map_err(damaged)?;
    for (at, bytes) in networks.iter().enumerate() {
        write_output(&folder.join(network_name(at)), bytes)?;
    }
    Ok(write_output(&folder.join(MANIFEST), manifest.as_bytes())?)
}
