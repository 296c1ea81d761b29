//! What a loop leaves in its folder: the ledger, every metamodel with what it measured, and a journal a method and seed.

use super::{Generation, Method, SelfApplyFrame, SelfTaskMode};
use crate::error::SelfApplicationError;
use burn::tensor::Device;
use std::fs;
use std::path::{Path, PathBuf};
use weightsmith_evaluation::SuiteTable;
use weightsmith_evaluation::methods::GENERATED_ALONE;
use weightsmith_evaluation::{EvaluateSettings, Metamodels, evaluate};
use weightsmith_evaluation::{ResultRow, read_results, write_results};
use weightsmith_experiments::ReferenceLosses;
use weightsmith_generation::load_metamodel;
use weightsmith_ledger::{Ledger, Uid};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{OutputError, create_folder, write_output};
use weightsmith_tasks::TaskType;

/// A loop's folder.
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens a folder, and makes it if it is not there.
    ///
    /// # Errors
    /// A folder that cannot be made, one whose trainings share something else.
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

    /// What a run's metamodel scores on real tables, which is computed once.
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

    fn journal_path(&self, method: Method, mode: SelfTaskMode, seed: u64) -> PathBuf {
        let mode = if mode == SelfTaskMode::Lifted { String::new() } else { format!("-{}", mode.name()) };
        self.folder.join(format!("{}{mode}-{seed}.jsonl", method.name()))
    }

    /// The generations of a method and seed so far. A last line that a killed process left unfinished is dropped.
    pub(crate) fn journal(
        &self,
        method: Method,
        mode: SelfTaskMode,
        seed: u64,
    ) -> Result<Vec<Generation>, SelfApplicationError> {
        read_journal(&self.journal_path(method, mode, seed))
    }

    /// Every journal of the folder, in the order of their names.
    pub(crate) fn journals(&self) -> Result<Vec<Vec<Generation>>, SelfApplicationError> {
        let failed = |source| OutputError::Unreadable { path: self.folder.clone(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        paths.sort();
        paths.iter().map(|path| read_journal(path)).collect()
    }

    pub(crate) fn add(&self, generation: &Generation) -> Result<(), SelfApplicationError> {
        let path = self.journal_path(generation.method, generation.mode, generation.seed);
        // What a killed process left of a line goes.
        let mut text = String::new();
        for before in read_journal(&path)?.iter().chain([generation]) {
            text += &serde_json::to_string(before).expect("a generation is plain data");
            text.push('\n');
        }
        Ok(write_output(&path, text.as_bytes())?)
    }
}

fn read_journal(path: &Path) -> Result<Vec<Generation>, SelfApplicationError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|source| OutputError::Unreadable { path: path.into(), source })?,
    };
    let mut generations: Vec<Generation> = Vec::new();
    for line in text.lines() {
        let read: Result<Generation, _> = serde_json::from_str(line);
        let read = read.map_err(|source| SelfApplicationError::Journal { path: path.into(), source })?;
        // Two processes that went on with one folder may have written the same.
        let is_same = |other: &Generation| {
            (other.generation, &other.uid, &other.parent) == (read.generation, &read.uid, &read.parent)
        };
        if !generations.iter().any(is_same) {
            generations.push(read);
        }
    }
    Ok(generations)
}
