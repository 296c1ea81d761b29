//! What may be written where: nothing over an input of the same command, and no data of the user's unless asked to.

use anyhow::{Result, bail};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use weightsmith_datasets::Source;
use weightsmith_evaluation::ResultsFormat;
use weightsmith_reports::ReportFormat;
use weightsmith_runtime::check_output;

/// Bytes at the beginning of a file that tell what it is.
const N_TELLING: u64 = 1 << 16;
/// The longest header of a safetensors file, as its format has it.
const LONGEST_HEADER: u64 = 100_000_000;
/// The key of an ONNX model's first field.
const ONNX_VERSION: u8 = 8;
/// Bytes of an ONNX model in which its producer is named, if ours.
const N_ONNX_HEAD: usize = 64;
/// How the CSV files begin that weightsmith writes: predictions, results, runs and their curves.
const OUR_TABLES: [&str; 4] = ["prediction,", "name,task,short,", "uid,", "run,"];
/// What the header of predictions holds where a column comes along before them.
const OUR_COLUMNS: [&str; 2] = [",prediction,std", ",prediction,probability_"];

/// What a file is to hold.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A network, `.safetensors`.
    Weights,
    /// Predictions, `.csv`.
    Predictions,
    /// A network for other programs, `.onnx`.
    OnnxModel,
    /// Rows of a table that was read, `.csv`.
    Rows,
    /// A page or its pictures.
    Report,
    /// Scores of methods, CSV or Parquet.
    Results,
}

impl Content {
    /// Checks that the file's name ends as its content asks; devices and pipes are called what they are called.
    fn check_name(self, path: &Path) -> Result<()> {
        let (what, ending) = match self {
            Self::Report => return Ok(ReportFormat::of(path).map(drop)?),
            Self::Results => return Ok(ResultsFormat::of(path).map(drop)?),
            Self::Weights => ("weights are", "safetensors"),
            Self::OnnxModel => ("an ONNX model is", "onnx"),
            Self::Predictions => ("predictions are", "csv"),
            Self::Rows => ("selected rows are", "csv"),
        };
        let is_special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        if is_special || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending)) {
            return Ok(());
        }
        let other = path.with_extension(ending);
        bail!("cannot write {}: {what} a .{ending} file; call it {}", path.display(), other.display())
    }
}

/// Checks that every output can be written, is called what it is, is none of the inputs nor written twice, and, without
/// `force`, that no table or weights of another program stand there.
pub(crate) fn check<'a>(
    outputs: impl IntoIterator<Item = (Content, Option<&'a Path>)>,
    inputs: impl IntoIterator<Item = &'a Path>,
    force: bool,
) -> Result<()> {
    let inputs: Vec<&Path> = inputs.into_iter().collect();
    let mut earlier: Vec<&Path> = Vec::new();
    for (content, path) in outputs {
        let Some(path) = path else { continue };
        check_output(path)?;
        if inputs.iter().any(|input| is_same(path, input)) {
            bail!("cannot write {}: it is also what is read; give another name", path.display());
        }
        content.check_name(path)?;
        if earlier.iter().any(|other| is_same(path, other) || *other == path) {
            bail!("cannot write {} twice; give each output a name of its own", path.display());
        }
        if !force && is_foreign(path) {
            bail!(
                "{} exists and was not written by weightsmith; give another name, or --force to replace it",
                path.display()
            );
        }
        earlier.push(path);
    }
    Ok(())
}

/// The file that a source reads; none of a built-in table.
pub(crate) fn file_of(source: &Source) -> Option<&Path> {
    match source {
        Source::File(path) => Some(path),
        Source::StandardInput | Source::Sample(_) => None,
    }
}

/// Whether two paths are of one file, by whatever links.
fn is_same(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// Whether a file is a table or holds weights, and weightsmith did not write it.
fn is_foreign(path: &Path) -> bool {
    if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let Ok(bytes) = beginning(path, N_TELLING) else { return false };
    // A safetensors file begins with the length of its header in eight bytes; the metadata may be anywhere in it.
    if let Some((length, rest)) = bytes.split_first_chunk()
        && rest.first() == Some(&b'{')
    {
        let header = beginning(path, u64::from_le_bytes(*length).min(LONGEST_HEADER).saturating_add(8));
        return header.is_ok_and(|header| !header.windows(11).any(|part| part == b"weightsmith"));
    }
    // An ONNX model begins with the version of its format, and then says who wrote it.
    if bytes.starts_with(&[ONNX_VERSION]) {
        let head = &bytes[..bytes.len().min(N_ONNX_HEAD)];
        return !head.windows(11).any(|part| part == b"weightsmith");
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let is_table =
        header.contains([',', ';', '\t']) && lines.next().is_some() && !header.starts_with(['<', '{', '[']);
    is_table
        && !OUR_TABLES.iter().any(|ours| header.starts_with(ours))
        && !OUR_COLUMNS.iter().any(|ours| header.contains(ours))
}

/// The first bytes of a file.
fn beginning(path: &Path, n_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(n_bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_and_tables_of_others_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("train.csv"), "a,b\n1,2\n").unwrap();
        fs::write(path("ours.csv"), "prediction,std\n1,2\n").unwrap();
        fs::write(path("text.csv"), "old content").unwrap();
        std::os::unix::fs::symlink(path("train.csv"), path("link.csv")).unwrap();
        fs::hard_link(path("train.csv"), path("other-name.csv")).unwrap();
        let (train, ours, text) = (path("train.csv"), path("ours.csv"), path("text.csv"));
        let error = |outputs: &[&Path], force: bool| {
            let content = |path: &Path| match path.extension().is_some_and(|extension| extension == "onnx") {
                true => Content::OnnxModel,
                false => Content::Predictions,
            };
            let outputs = outputs.iter().map(|path| (content(path), Some(*path)));
            check(outputs, [train.as_path()], force).map_err(|error| error.to_string())
        };
        for name in ["train.csv", "link.csv", "other-name.csv"] {
            // Not even by force.
            assert!(error(&[&path(name)], true).unwrap_err().contains("what is read"), "{name}");
        }
        fs::write(path("ours.onnx"), b"\x08\x08\x12\x0bweightsmith and more, of, all\nkinds").unwrap();
        fs::write(path("other.onnx"), b"\x08\x08\x12\x07pytorch and more").unwrap();
        assert_eq!(error(&[&ours, &text, &path("new.csv"), &path("ours.onnx")], false), Ok(()));
        assert!(error(&[&path("other.onnx")], false).unwrap_err().contains("--force"));
        assert!(error(&[&ours, &ours], false).unwrap_err().contains("twice"));
        assert!(error(&[&path("new.csv"), &path("new.csv")], false).unwrap_err().contains("twice"));
        let table = path("table.csv");
        fs::write(&table, "a,b\n1,2\n").unwrap();
        assert!(error(&[&table], false).unwrap_err().contains("--force"));
        assert_eq!(error(&[&table], true), Ok(()));
    }

    #[test]
    fn files_are_called_what_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        let check = |content: Content, name: &str| {
            let path = folder.path().join(name);
            super::check([(content, Some(path.as_path()))], [], false).map_err(|error| error.to_string())
        };
        for (content, good, bad) in [
            (Content::Weights, ["w.safetensors", "W.SAFETENSORS"], ["w.csv", "w"]),
            (Content::Predictions, ["p.csv", "p.x.csv"], ["p.safetensors", "p.parquet"]),
            (Content::Report, ["r.html", "r.svg"], ["r.pdf", "r"]),
            (Content::Results, ["r.csv", "r.parquet"], ["r.html", "r.json"]),
        ] {
            for (good, bad) in good.into_iter().zip(bad) {
                assert_eq!(check(content, good), Ok(()), "{good}");
                assert!(check(content, bad).is_err(), "{bad}");
            }
        }
        assert!(check(Content::Weights, "w.csv").unwrap_err().contains("w.safetensors"));
        assert!(super::check([(Content::Predictions, Some(Path::new("/dev/null")))], [], false).is_ok());
    }
}
