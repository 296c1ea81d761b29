//! Everything that a comparison made, as files that anyone can check it with.

use crate::compare::{Compared, ComparedSplit};
use crate::error::EvaluationError;
use std::path::{Path, PathBuf};
use weightsmith_base_model::{Precision, predictions_csv_of};
use weightsmith_datasets::rows_csv;
use weightsmith_runtime::{create_folder, write_output};
use weightsmith_tasks::Target;

/// Writes the figures, rows, weights and predictions of a comparison:
///
/// | file | what |
/// |---|---|
/// | `comparison.json` | every figure |
/// | `split-S/support.csv`, `split-S/query.csv` | the support and the query rows of a split, with their labels |
/// | `split-S/METHOD.safetensors` | the weights of a method that makes a network |
/// | `split-S/METHOD.csv` | the predictions of a method for the query rows |
///
/// # Errors
/// A system that refuses.
pub fn export_comparison(compared: &Compared, folder: &Path) -> Result<(), EvaluationError> {
    create_folder(folder)?;
    let json = serde_json::to_vec_pretty(&compared.comparison).expect("figures are plain data");
    write_output(&folder.join("comparison.json"), &json)?;
    compared.splits.iter().try_for_each(|split| export_split(compared, split, folder))
}

fn export_split(compared: &Compared, split: &ComparedSplit, folder: &Path) -> Result<(), EvaluationError> {
    let folder: PathBuf = folder.join(format!("split-{}", split.index));
    create_folder(&folder)?;
    let (target, problem) = (&compared.comparison.target, &split.problem);
    let support = rows_csv(problem.support().table(), target, &problem.support_labels());
    write_output(&folder.join("support.csv"), &support)?;
    let labels = problem.query_labels(&compared.comparison.class_names);
    write_output(&folder.join("query.csv"), &rows_csv(problem.query(), target, &labels))?;
    let class_names = match problem.support().target() {
        Target::Classes { class_names, .. } => class_names.as_slice(),
        Target::Values(_) => &[],
    };
    for record in &split.records {
        let Ok(done) = &record.done else { continue };
        let file = |extension: &str| folder.join(format!("{}.{extension}", record.method));
        let csv = predictions_csv_of(class_names, done.residual_std, &done.predictions);
        write_output(&file("csv"), &csv)?;
        if let Some(model) = &done.model {
            let path = file("safetensors");
            let bytes = model.to_bytes(Precision::F32);
            let bytes = bytes.map_err(|source| EvaluationError::Store { path: path.clone(), source })?;
            write_output(&path, &bytes)?;
        }
    }
    Ok(())
}
