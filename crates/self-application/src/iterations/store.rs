//! The files of a folder of loops: the ledger, every metamodel with its measured losses, and a journal for each loop.

use super::{Iteration, RecipeSearch, SelfApplyFrame, SelfTaskMode};
use crate::error::SelfApplicationError;
use burn::tensor::Device;
use std::fs;
use std::path::{Path, PathBuf};
use weightsmith_evaluation::methods::GENERATED_ALONE;
use weightsmith_evaluation::{
    EvaluateSettings, Metamodels, ResultRow, SuiteTable, evaluate, read_results, write_results,
};
use weightsmith_experiments::ReferenceLosses;
use weightsmith_generation::load_metamodel;
use weightsmith_ledger::{Ledger, Uid};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{OutputError, append_line, create_folder, write_output};
use weightsmith_tasks::TaskType;

/// A folder of loops.
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens a folder; creates it if it does not exist.
    ///
    /// # Errors
    /// A folder that cannot be created, one of loops with another frame.
    pub(crate) fn open(folder: &Path, frame: &SelfApplyFrame) -> Result<Self, SelfApplicationError> {
        let metamodels = folder.join("metamodels");
        create_folder(&metamodels)?;
        let path = folder.join("self-apply.json");
        if path.exists() {
            let text = fs::read_to_string(&path)
                .map_err(|source| OutputError::Unreadable { path: path.clone(), source })?;
            let found: SelfApplyFrame = serde_json::from_str(&text)
                .map_err(|source| SelfApplicationError::Journal { path: path.clone(), source })?;
            if found != *frame {
                return Err(SelfApplicationError::OtherLoop { folder: folder.into() });
            }
        } else {
            let text = serde_json::to_string(frame).expect("a frame is plain data");
            write_output(&path, text.as_bytes())?;
        }
        Ok(Self { folder: folder.to_path_buf() })
    }

    pub(crate) fn ledger_path(&self) -> PathBuf {
        self.folder.join("runs.ledger")
    }

    pub(crate) fn ledger(&self) -> Result<Ledger, SelfApplicationError> {
        Ok(Ledger::open(&self.ledger_path())?)
    }

    pub(crate) fn metamodel_path(&self, uid: Uid) -> PathBuf {
        self.folder.join("metamodels").join(format!("{uid}.safetensors"))
    }

    fn measured_path(&self, uid: Uid) -> PathBuf {
        self.folder.join("metamodels").join(format!("{uid}.json"))
    }

    pub(crate) fn save(
        &self,
        uid: Uid,
        bytes: &[u8],
        measured: &ReferenceLosses,
    ) -> Result<(), SelfApplicationError> {
        write_output(&self.metamodel_path(uid), bytes)?;
        let text = serde_json::to_string(measured).expect("measured losses are plain data");
        Ok(write_output(&self.measured_path(uid), text.as_bytes())?)
    }

    pub(crate) fn measured(&self, uid: Uid) -> Result<ReferenceLosses, SelfApplicationError> {
        let path = self.measured_path(uid);
        let text = fs::read_to_string(&path)
            .map_err(|source| OutputError::Unreadable { path: path.clone(), source })?;
        serde_json::from_str(&text).map_err(|source| SelfApplicationError::Journal { path, source })
    }

    /// Whether a run's files are all there.
    pub(crate) fn holds(&self, uid: Uid) -> bool {
        self.metamodel_path(uid).exists() && self.measured_path(uid).exists()
    }

    /// A run's metamodel.
    pub(crate) fn load(&self, uid: Uid, device: &Device) -> Result<Pretrained, SelfApplicationError> {
        let path = self.metamodel_path(uid);
        Ok(load_metamodel(Some(&path.to_string_lossy()), TaskType::Regression, device)?)
    }

    /// Scores of a run's metamodel on real tables; computed once, then read from its file.
    pub(crate) fn suite_results(
        &self,
        uid: Uid,
        tables: &[SuiteTable],
        device: &Device,
    ) -> Result<Vec<ResultRow>, SelfApplicationError> {
        let path = self.folder.join("metamodels").join(format!("{uid}.csv"));
        let before = if path.exists() { read_results(&path)? } else { Vec::new() };
        let n_before = before.len();
        let settings = EvaluateSettings {
            target: "target".into(),
            n_supports: vec![32, 128],
            n_splits: 2,
            first_split: 0,
            methods: vec![GENERATED_ALONE],
            n_views: 8,
            n_threads: 1,
        };
        let metamodels = Metamodels::of_loaded(vec![self.load(uid, device)?]);
        let rows = evaluate(tables, &metamodels, &settings, before, &mut |_| Ok(()))?.rows;
        if rows.len() != n_before {
            write_results(&path, &rows)?;
        }
        Ok(rows)
    }

    fn journal_path(&self, search: RecipeSearch, mode: SelfTaskMode, seed: u64) -> PathBuf {
        let mode = if mode == SelfTaskMode::Lifted { String::new() } else { format!("-{}", mode.name()) };
        self.folder.join(format!("{}{mode}-{seed}.jsonl", search.name()))
    }

    /// The iterations of a loop so far.
    pub(crate) fn journal(
        &self,
        search: RecipeSearch,
        mode: SelfTaskMode,
        seed: u64,
    ) -> Result<Vec<Iteration>, SelfApplicationError> {
        read_journal(&self.journal_path(search, mode, seed))
    }

    /// Every journal of the folder, in the order of their names.
    pub(crate) fn journals(&self) -> Result<Vec<Vec<Iteration>>, SelfApplicationError> {
        let failed = |source| OutputError::Unreadable { path: self.folder.clone(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        paths.sort();
        paths.iter().map(|path| read_journal(path)).collect()
    }

    /// Appends an iteration to the journal of its loop; other processes may append at the same time.
    pub(crate) fn add(&self, iteration: &Iteration) -> Result<(), SelfApplicationError> {
        let path = self.journal_path(iteration.search, iteration.mode, iteration.seed);
        Ok(append_line(&path, &serde_json::to_string(iteration).expect("an iteration is plain data"))?)
    }
}

fn read_journal(path: &Path) -> Result<Vec<Iteration>, SelfApplicationError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|source| OutputError::Unreadable { path: path.into(), source })?,
    };
    let mut iterations: Vec<Iteration> = Vec::new();
    // A last line without an end was left unfinished by a killed process.
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    for line in whole.lines() {
        let read: Result<Iteration, _> = serde_json::from_str(line);
        let read = read.map_err(|source| SelfApplicationError::Journal { path: path.into(), source })?;
        // Two processes that continued one loop may have written the same iteration.
        let is_same = |other: &Iteration| {
            (other.iteration, &other.uid, &other.parent) == (read.iteration, &read.uid, &read.parent)
        };
        if !iterations.iter().any(is_same) {
            iterations.push(read);
        }
    }
    Ok(iterations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iterations::testing::iteration;

    #[test]
    fn two_processes_of_one_loop_lose_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let frame = SelfApplyFrame::default();
        std::thread::scope(|scope| {
            for writer in 0..2 {
                let path = folder.path();
                scope.spawn(move || {
                    let store = Store::open(path, &frame).unwrap();
                    for at in 0..40 {
                        store.add(&iteration(at, &format!("{writer}"), Some(0.2))).unwrap();
                    }
                });
            }
        });
        let store = Store::open(folder.path(), &frame).unwrap();
        let journal = store.journal(RecipeSearch::Planner, SelfTaskMode::Lifted, 0).unwrap();
        assert_eq!(journal.len(), 80);
        for writer in ["0", "1"] {
            let of_writer = journal.iter().filter(|line| line.uid == writer).map(|line| line.iteration);
            assert_eq!(of_writer.collect::<Vec<_>>(), (0..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_journal_drops_what_is_double_or_unfinished_and_refuses_what_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &SelfApplyFrame::default()).unwrap();
        let journal = || store.journal(RecipeSearch::Planner, SelfTaskMode::Lifted, 0);
        assert_eq!(journal().unwrap(), []);
        let (first, second) = (iteration(0, "a", Some(0.3)), iteration(1, "b", None));
        for line in [&first, &first, &second] {
            store.add(line).unwrap();
        }
        assert_eq!(journal().unwrap(), [first.clone(), second.clone()]);
        let path = store.journal_path(RecipeSearch::Planner, SelfTaskMode::Lifted, 0);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert_eq!(journal().unwrap(), std::slice::from_ref(&first));
        // The next line does not go behind the unfinished one.
        store.add(&second).unwrap();
        assert_eq!(journal().unwrap(), [first, second]);
        fs::write(&path, "{\"search\": 3}\n").unwrap();
        assert!(matches!(journal(), Err(SelfApplicationError::Journal { .. })));
    }

    #[test]
    fn a_folder_of_loops_with_another_frame_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        Store::open(folder.path(), &SelfApplyFrame::default()).unwrap();
        let other = SelfApplyFrame { n_data_sets: 65, ..SelfApplyFrame::default() };
        let refused = Store::open(folder.path(), &other);
        assert!(matches!(refused, Err(SelfApplicationError::OtherLoop { .. })));
    }
}
