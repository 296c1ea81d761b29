//! Folders of tables to be scored on.

use crate::error::EvaluationError;
use std::fs;
use std::path::{Path, PathBuf};
use weightsmith_datasets::{Labelled, Source, read_labelled};
use weightsmith_runtime::in_one_line;
use weightsmith_tasks::TaskType;

/// One table of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteTable {
    /// The file's name without `.csv`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What is predicted.
    pub task_type: TaskType,
}

impl SuiteTable {
    /// Its rows with their labels in a column; an error is one line.
    pub fn read(&self, target: &str) -> Result<Labelled, String> {
        let source = Source::File(self.path.clone());
        read_labelled(&source, target, Some(self.task_type)).map_err(|error| in_one_line(&error))
    }
}

/// Every n-th table, from the i-th on: a part of a suite for one of several machines.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 0 to `of - 1`.
    pub index: usize,
    /// How many parts there are.
    pub of: usize,
}

impl Default for Part {
    fn default() -> Self {
        Self { index: 0, of: 1 }
    }
}

/// The CSV files in the folders, in the order of their paths. Tables in a folder whose name contains `regression`
/// are for regression, all others for classification.
///
/// # Errors
/// A folder that cannot be read, no table at all.
pub fn suite_tables(folders: &[PathBuf], part: Part) -> Result<Vec<SuiteTable>, EvaluationError> {
    let mut tables = Vec::new();
    for folder in folders {
        let failed = |source| EvaluationError::Suite { path: folder.clone(), source };
        let task_type = task_type_of(&fs::canonicalize(folder).map_err(failed)?);
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "csv") && path.is_file() {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                tables.push(SuiteTable { name, path, task_type });
            }
        }
    }
    tables.sort_by(|a, b| a.path.cmp(&b.path));
    let tables: Vec<SuiteTable> = tables.into_iter().skip(part.index).step_by(part.of.max(1)).collect();
    if tables.is_empty() {
        let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        return Err(EvaluationError::EmptySuite { folders: folders.join(", ") });
    }
    Ok(tables)
}

fn task_type_of(folder: &Path) -> TaskType {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    if name.contains("regression") { TaskType::Regression } else { TaskType::Classification }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_listed_in_order_and_in_parts() {
        let root = tempfile::tempdir().unwrap();
        let folders = ["classification", "regression"].map(|name| root.path().join(name)).to_vec();
        for folder in &folders {
            fs::create_dir(folder).unwrap();
            for name in ["b.csv", "a.csv", "notes.md"] {
                fs::write(folder.join(name), "x\n").unwrap();
            }
        }
        let names = |part: Part| -> Vec<(String, TaskType)> {
            let tables = suite_tables(&folders, part).unwrap();
            tables.into_iter().map(|table| (table.name, table.task_type)).collect()
        };
        let (c, r) = (TaskType::Classification, TaskType::Regression);
        let all = [("a", c), ("b", c), ("a", r), ("b", r)].map(|(name, task)| (name.to_string(), task));
        assert_eq!(names(Part::default()), all);
        assert_eq!(names(Part { index: 1, of: 2 }), [all[1].clone(), all[3].clone()]);
        let none = suite_tables(&[root.path().to_path_buf()], Part::default()).unwrap_err();
        assert!(none.to_string().contains("no CSV file"), "{none}");
        assert!(suite_tables(&[root.path().join("no")], Part::default()).is_err());
    }
}
