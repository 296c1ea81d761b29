//! What can be wrong with a ledger, or with a run that is to go into one.

use crate::uid::Uid;
use std::path::{Path, PathBuf};

/// Why a ledger cannot do what is asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Nothing to be read is there.
    #[error("there is no ledger at {}", path.display())]
    NoLedger {
        /// The path.
        path: PathBuf,
    },
    /// A file of another program, or of none.
    #[error("{} is no ledger; it is left as it is", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file that a later program wrote.
    #[error("{} is a ledger of version {found}; this program knows versions up to {known}", path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// A file that is only read would first have to be changed.
    #[error("{} is a ledger of version {found}; append to it once to bring it to version {known}", path.display())]
    OlderVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that can be read.
        known: u32,
    },
    /// The file has lost or changed bytes.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: rusqlite::Error,
    },
    /// The run is not what was appended.
    #[error("{}: the run at position {position} is not what was appended", path.display())]
    DamagedRun {
        /// The file.
        path: PathBuf,
        /// Its place.
        position: u64,
    },
    /// The file cannot be opened or created.
    #[error("cannot open the ledger {}", path.display())]
    Unopenable {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: rusqlite::Error,
    },
    /// Others wrote for too long.
    #[error("{} is in use by others; try again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The database cannot do it, such as for want of room on the disk.
    #[error("cannot use the ledger {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: rusqlite::Error,
    },
    /// The name is taken by a run of other content.
    #[error("the run {uid} is in the ledger with another {part}; a run is never changed")]
    OtherContent {
        /// The name.
        uid: Uid,
        /// The first part of the two records that differs.
        part: &'static str,
    },
    /// No such run.
    #[error("there is no run {uid} in the ledger")]
    UnknownRun {
        /// The name.
        uid: Uid,
    },
    /// A run of one level is asked for at another.
    #[error("the run {uid} is of level {found}, not {expected}")]
    WrongLevel {
        /// The name.
        uid: Uid,
        /// The level asked for.
        expected: u32,
        /// The level that it has.
        found: u32,
    },
    /// A parent is to be appended first.
    #[error("the parent {parent} of the run {uid} is not in the ledger; append it first")]
    UnknownParent {
        /// The run.
        uid: Uid,
        /// Its parent.
        parent: Uid,
    },
    /// A run of a level cannot have come from this parent.
    #[error("a run of level {level} cannot have {kind} from {parent}, a run of level {parent_level}")]
    ParentLevel {
        /// The parent.
        parent: Uid,
        /// What it is said to have been to the run.
        kind: &'static str,
        /// Its level.
        parent_level: u32,
        /// The run's level.
        level: u32,
    },
    /// A run about nothing cannot be kept out of any fold.
    #[error("the run {uid} names no root data set; at least one is needed")]
    NoRoot {
        /// The run.
        uid: Uid,
    },
    /// A number that is not there is left out, never written as NaN or infinity.
    #[error("{field} is {found}; it must be finite, or absent where that is allowed")]
    NotFinite {
        /// Where.
        field: String,
        /// The number.
        found: f64,
    },
    /// A count beyond what the database holds.
    #[error("{field} is {found}; at most 2^63 - 1 can be stored")]
    TooLarge {
        /// Where.
        field: &'static str,
        /// The number.
        found: u64,
    },
    /// The curve goes back or stands still.
    #[error("the curve's steps do not ascend at step {step}")]
    StepsDoNotAscend {
        /// The step that is not above the one before it.
        step: u64,
    },
}

/// An error of the database, by what is wrong with the file.
pub(crate) fn told(path: &Path, source: rusqlite::Error) -> LedgerError {
    use rusqlite::ErrorCode;
    let path = path.to_path_buf();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => LedgerError::Foreign { path },
        Some(ErrorCode::DatabaseCorrupt) => LedgerError::Damaged { path, source },
        Some(ErrorCode::CannotOpen) => LedgerError::Unopenable { path, source },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Busy { path },
        _ => LedgerError::Database { path, source },
    }
}
