//! Files that are written are whole or not there.

use crate::atomic::write_atomically;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a file cannot be written, or not be read again.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The folder of a file to be written is not there.
    #[error("cannot write {}: the folder {} does not exist; create it first", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// A file is to be written where a folder is.
    #[error("cannot write {}: it is a folder; give the name of a file", path.display())]
    IsFolder {
        /// The path.
        path: PathBuf,
    },
    /// The system refuses to write.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file that was written before cannot be read again.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Creates a folder and those above it, where they are not there yet.
///
/// # Errors
/// A system that refuses.
pub fn create_folder(path: &Path) -> Result<(), OutputError> {
    fs::create_dir_all(path).map_err(|source| OutputError::Unwritable { path: path.into(), source })
}

/// Checks that a file can be written at `path`, so that this is known before any long work.
///
/// # Errors
/// A folder that does not exist, a path that is a folder or names no file.
pub fn check_output(path: &Path) -> Result<(), OutputError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(OutputError::NoFolder { path: path.into(), folder: folder.into() });
    }
    if path.is_dir() || path.file_name().is_none() {
        return Err(OutputError::IsFolder { path: path.into() });
    }
    Ok(())
}

/// Writes the bytes to a new file beside `path` and renames it, so that `path` never holds half of them. A
/// symbolic link is followed; a device or a pipe (`/dev/stdout`) is written as it is.
///
/// # Errors
/// What [`check_output`] finds, a system that refuses, a full disk; what was at `path` then stays.
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    check_output(path)?;
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let is_special = fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file());
    let written = if is_special {
        fs::OpenOptions::new().write(true).open(&target).and_then(|mut file| file.write_all(bytes))
    } else {
        write_atomically(&target, bytes)
    };
    written.map_err(|source| OutputError::Unwritable { path: path.into(), source })
}

/// Reads a file that was written before.
///
/// # Errors
/// A file that is not there, a system that refuses.
pub fn read_output(path: &Path) -> Result<Vec<u8>, OutputError> {
    fs::read(path).map_err(|source| OutputError::Unreadable { path: path.into(), source })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write_output(&path, b"long text").unwrap();
        write_output(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        let link = folder.path().join("link.csv");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_output(&link, b"through").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"through");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: &Path, expected: &str| {
            let error = write_output(path, b"x").unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&folder.path().join("no/a.csv"), "does not exist");
        check(folder.path(), "is a folder");
        check(Path::new("/dev/full"), "cannot write /dev/full");
    }
}
