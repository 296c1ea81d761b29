//! Files that are written are whole or not there.

use crate::error::HarnessError;
use std::fs;
use std::io::Write;
use std::path::Path;
use weightsmith_base_model::write_atomically;

/// Checks that a file can be written at `path`, so that this is known before any long work.
///
/// # Errors
/// A folder that does not exist, a path that is a folder or names no file.
pub fn check_output(path: &Path) -> Result<(), HarnessError> {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(HarnessError::NoFolder { path: path.into(), folder: folder.into() });
    }
    if path.is_dir() || path.file_name().is_none() {
        return Err(HarnessError::IsFolder { path: path.into() });
    }
    Ok(())
}

/// Writes the bytes to a new file beside `path` and renames it, so that `path` never holds half of them. A
/// symbolic link is followed; a device or a pipe (`/dev/stdout`) is written as it is.
///
/// # Errors
/// What [`check_output`] finds, a system that refuses, a full disk; what was at `path` then stays.
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<(), HarnessError> {
    check_output(path)?;
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let is_special = fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file());
    let written = if is_special {
        fs::OpenOptions::new().write(true).open(&target).and_then(|mut file| file.write_all(bytes))
    } else {
        write_atomically(&target, bytes)
    };
    written.map_err(|source| HarnessError::Unwritable { path: path.into(), source })
}

/// Reads a file that was written before.
///
/// # Errors
/// A file that is not there, a system that refuses.
pub(crate) fn read_output(path: &Path) -> Result<Vec<u8>, HarnessError> {
    fs::read(path).map_err(|source| HarnessError::Unreadable { path: path.into(), source })
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
