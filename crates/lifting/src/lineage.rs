//! The ancestry of runs.

use std::collections::{BTreeMap, BTreeSet};
use weightsmith_ledger::{LedgerError, Snapshot, Uid};

/// The parents of every run in a snapshot of a ledger, at all levels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    parents: BTreeMap<Uid, BTreeSet<Uid>>,
}

impl Lineage {
    /// Reads the lineage from a snapshot.
    ///
    /// # Errors
    /// A damaged file.
    pub fn read(snapshot: &Snapshot<'_>) -> Result<Self, LedgerError> {
        Ok(Self { parents: snapshot.parents()? })
    }

    /// The union of two lineages.
    pub fn joined(mut self, other: Self) -> Self {
        self.parents.extend(other.parents);
        self
    }

    /// Whether `run` is `from` or has it among its ancestors, at any distance.
    pub fn descends(&self, run: Uid, from: Uid) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![run]);
        while let Some(uid) = open.pop() {
            if uid == from {
                return true;
            }
            if seen.insert(uid) {
                open.extend(self.parents.get(&uid).into_iter().flatten());
            }
        }
        false
    }
}
