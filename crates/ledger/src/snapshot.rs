//! What a ledger held at one time.

use crate::error::{LedgerError, told};
use crate::ledger::Ledger;
use crate::read::hex;
use crate::runs::{Filter, Runs};
use crate::uid::Uid;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_tasks::Level;

/// The runs up to a position. Nothing in it changes, since nothing in a ledger does.
pub struct Snapshot<'a> {
    ledger: &'a Ledger,
    last_position: i64,
    n_runs: u64,
    checksum: String,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(ledger: &'a Ledger, last_position: u64) -> Result<Self, LedgerError> {
        let last_position = i64::try_from(last_position).unwrap_or(i64::MAX);
        let asked = || -> rusqlite::Result<Vec<(i64, String, String)>> {
            // By name: the order of appending is chance where several processes append.
            let mut statement =
                ledger.connection.prepare("SELECT id, uid, digest FROM runs WHERE id <= ?1 ORDER BY uid")?;
            statement.query_map([last_position], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        };
        let runs = asked().map_err(|error| told(&ledger.path, error))?;
        let mut hasher = Sha256::new();
        for (_, uid, digest) in &runs {
            hasher.update(format!("{uid} {digest}\n"));
        }
        Ok(Self {
            ledger,
            last_position: runs.iter().map(|(position, ..)| *position).max().unwrap_or(0),
            n_runs: runs.len() as u64,
            checksum: hex(&hasher.finalize()),
        })
    }

    /// The position of its last run, 0 if it has none; [`Ledger::snapshot_up_to`] makes the same snapshot from it.
    pub fn last_position(&self) -> u64 {
        self.last_position.unsigned_abs()
    }

    /// Its runs, of all levels.
    pub fn n_runs(&self) -> u64 {
        self.n_runs
    }

    /// The SHA-256 of the lines `uid digest` of all its runs, in the order of the uids, as 64 hexadecimal digits. The
    /// same runs have the same checksum in another file, in whatever order and whenever they were appended. Every run
    /// is compared with its digest when it is read.
    pub fn checksum(&self) -> &str {
        &self.checksum
    }

    /// The parents of every run that has some, of whatever kind and level.
    ///
    /// # Errors
    /// A damaged file.
    pub fn parents(&self) -> Result<BTreeMap<Uid, BTreeSet<Uid>>, LedgerError> {
        let asked = || -> rusqlite::Result<Vec<(String, String)>> {
            let mut statement = self.ledger.connection.prepare(
                "SELECT child.uid, parent.uid FROM parents \
                 JOIN runs AS child ON child.id = parents.run JOIN runs AS parent ON parent.id = parents.parent \
                 WHERE parents.run <= ?1",
            )?;
            statement.query_map([self.last_position], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let mut parents: BTreeMap<Uid, BTreeSet<Uid>> = BTreeMap::new();
        for (child, parent) in asked().map_err(|error| told(&self.ledger.path, error))? {
            // Texts that are no names are found by whoever reads the runs.
            if let (Ok(child), Ok(parent)) = (child.parse(), parent.parse()) {
                parents.entry(child).or_default().insert(parent);
            }
        }
        Ok(parents)
    }

    /// As [`Ledger::runs`], from this snapshot alone.
    ///
    /// # Errors
    /// A damaged file; each run may have an error of its own.
    pub fn runs<L: Level>(&self, filter: &Filter) -> Result<Runs<'a, L>, LedgerError> {
        Runs::new(self.ledger, filter, self.last_position)
    }
}
