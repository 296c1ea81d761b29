//! Which runs a run was made from, through all the runs between.

use std::collections::{BTreeMap, BTreeSet};
use weightsmith_ledger::{LedgerError, Snapshot, Uid};

/// The parents of every run of a snapshot, of all levels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    parents: BTreeMap<Uid, BTreeSet<Uid>>,
}

impl Lineage {
    /// That of a snapshot.
    ///
    /// # Errors
    /// A damaged file.
    pub fn read(snapshot: &Snapshot<'_>) -> Result<Self, LedgerError> {
        Ok(Self { parents: snapshot.parents()? })
    }

    /// This one and another.
    pub fn joined(mut self, other: Self) -> Self {
        self.parents.extend(other.parents);
        self
    }

    /// Whether a run is another or was made from it, through however many runs between.
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
