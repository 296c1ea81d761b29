//! Writing a file so that it is never half there.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes a hidden neighbour, flushes it to the disk and renames it. On failure nothing is left behind and what
/// was at `path` stays.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let name =
        path.file_name().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (partial, mut file) = create_neighbour(folder, name)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    if let Err(error) = written.and_then(|()| fs::rename(&partial, path)) {
        // The first error is the one to tell; a leftover is only untidy.
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    // The rename itself reaches the disk with the folder; not every system can flush one.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn create_neighbour(folder: &Path, name: &std::ffi::OsStr) -> Result<(PathBuf, File)> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    loop {
        let mut partial = OsString::from(".");
        partial.push(name);
        partial.push(format!(".{}-{}.partial", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let partial = folder.join(partial);
        match OpenOptions::new().write(true).create_new(true).open(&partial) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (partial, file)),
        }
    }
}
