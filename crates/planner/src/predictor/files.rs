//! Predictors in folders: a manifest, and each network as a file of base-model weights.

use crate::error::PlannerError;
use crate::predictor::ensemble::PerformancePredictor;
use crate::predictor::manifest::PredictorError;
use std::path::Path;
use weightsmith_runtime::write_output;

const MANIFEST: &str = "predictor.json";

fn network_name(at: usize) -> String {
    format!("network-{at}.safetensors")
}

macro_rules! shipped_file {
    ($name:literal) => {
        include_bytes!(concat!("../../../../models/planner-1/", $name)) as &[u8]
    };
}

/// The predictor that is shipped in the binary.
///
/// # Errors
/// Files that were damaged before the binary was built.
pub fn shipped_predictor() -> Result<PerformancePredictor, PlannerError> {
    let networks = [
        shipped_file!("network-0.safetensors"),
        shipped_file!("network-1.safetensors"),
        shipped_file!("network-2.safetensors"),
        shipped_file!("network-3.safetensors"),
        shipped_file!("network-4.safetensors"),
    ];
    let manifest = include_str!("../../../../models/planner-1/predictor.json");
    of_files(manifest, &networks, Path::new("planner-1"))
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
    let networks: Vec<&[u8]> = networks.iter().map(Vec::as_slice).collect();
    of_files(&manifest, &networks, folder)
}

fn of_files(manifest: &str, networks: &[&[u8]], path: &Path) -> Result<PerformancePredictor, PlannerError> {
    let damaged = |source: PredictorError| PlannerError::PredictorFiles { path: path.into(), source };
    PerformancePredictor::from_files(manifest, networks).map_err(damaged)
}

/// Writes a predictor into a folder, which is made if it is not there.
///
/// # Errors
/// A system that refuses.
pub fn save_predictor(predictor: &PerformancePredictor, folder: &Path) -> Result<(), PlannerError> {
    let damaged = |source: PredictorError| PlannerError::PredictorFiles { path: folder.into(), source };
    std::fs::create_dir_all(folder)
        .map_err(|source| PlannerError::NoPredictor { path: folder.into(), source })?;
    let (manifest, networks) = predictor.to_files().map_err(damaged)?;
    for (at, bytes) in networks.iter().enumerate() {
        write_output(&folder.join(network_name(at)), bytes)?;
    }
    Ok(write_output(&folder.join(MANIFEST), manifest.as_bytes())?)
}
