//! What a ledger held at one time.

use crate::error::{LedgerError, told};
use crate::ledger::Ledger;
use crate::read::hex;
use crate::runs::{Filter, Runs};
use sha2::{Digest, Sha256};
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

    /// As [`Ledger::runs`], from this snapshot alone.
    ///
    /// # Errors
    /// A damaged file; each run may have an error of its own.
    pub fn runs<L: Level>(&self, filter: &Filter) -> Result<Runs<'a, L>, LedgerError> {
        Runs::new(self.ledger, filter, self.last_position)
    }
}
