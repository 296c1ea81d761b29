//! What keeps two processes from spoiling each other's files.
//!
//! Locks are those of the operating system: they end with the process that holds them, however it ends.

use crate::files::OutputError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

/// The file in a folder that is locked; it is empty and stays.
const LOCK_FILE: &str = ".lock";

/// The exclusive use of a folder, until it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of an existing folder; `None` if another process, or another part of this one, holds it. On a file
    /// system without locks nothing is locked.
    ///
    /// # Errors
    /// A folder in which no file can be created.
    pub fn try_take(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(LOCK_FILE);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            _ => Ok(Some(Self { _file: file })),
        }
    }
}

/// Appends a line to a file, which is created if it does not exist. Processes that append at the same time wait for each
/// other and lose nothing; the unfinished last line that a full disk or a killed process may have left is removed.
///
/// # Errors
/// A system that refuses.
pub fn append_line(path: &Path, line: &str) -> Result<(), OutputError> {
    let append = || -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        file.lock()?;
        let mut before = Vec::new();
        file.read_to_end(&mut before)?;
        let whole = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < before.len() {
            file.set_len(whole as u64)?;
        }
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_all()
    };
    append().map_err(|source| OutputError::Unwritable { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_is_locked_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::try_take(folder.path()).unwrap();
        assert!(lock.is_some() && FolderLock::try_take(folder.path()).unwrap().is_none());
        drop(lock);
        assert!(FolderLock::try_take(folder.path()).unwrap().is_some());
        assert!(FolderLock::try_take(&folder.path().join("no")).is_err());
    }

    #[test]
    fn lines_of_several_writers_are_all_there_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        fs::write(&path, "whole\nunfini").unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    (0..25).for_each(|at| append_line(path, &format!("{writer} {at}")).unwrap());
                });
            }
        });
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[0], text.ends_with('\n')), (101, "whole", true));
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), 101);
        assert!(append_line(folder.path(), "x").unwrap_err().to_string().contains("cannot write"));
    }
}
