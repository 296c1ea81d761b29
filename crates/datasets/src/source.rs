//! Where rows come from, as typed on a command line.

use crate::error::DatasetError;
use crate::samples::{Sample, find};
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// What compressed files end with.
const PACKED: [&str; 2] = ["gz", "zst"];
const SAMPLE_PREFIX: &str = "sample:";

/// Where rows come from: a CSV, Parquet or Arrow file, standard input written `-`, or a built-in sample written `sample:NAME`.
///
/// A file whose own name is `-` or begins with `sample:` is reached as `./-` or `./sample:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The path of a file, which may be compressed.
    File(PathBuf),
    /// What another program writes; it can be read once.
    StandardInput,
    /// The name of one of [`samples`](crate::samples()).
    Sample(String),
}

impl Source {
    /// The built-in sample that this names; `None` for a file.
    ///
    /// # Errors
    /// A sample that does not exist.
    pub fn sample(&self) -> Result<Option<&'static Sample>, DatasetError> {
        match self {
            Self::Sample(name) => find(name).map(Some),
            Self::File(_) | Self::StandardInput => Ok(None),
        }
    }

    /// What reports call the rows: the name of the sample, or that of the file without its extension.
    pub fn name(&self) -> String {
        match self {
            Self::Sample(name) => name.clone(),
            Self::StandardInput => "standard input".to_string(),
            Self::File(path) => {
                let is_packed = path
                    .extension()
                    .is_some_and(|end| PACKED.iter().any(|packed| end.eq_ignore_ascii_case(packed)));
                let unpacked = if is_packed { path.with_extension("") } else { path.clone() };
                unpacked.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
        }
    }
}

impl From<&str> for Source {
    fn from(text: &str) -> Self {
        match text.strip_prefix(SAMPLE_PREFIX) {
            Some(name) => Self::Sample(name.to_string()),
            None if text == "-" => Self::StandardInput,
            None => Self::File(text.into()),
        }
    }
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::StandardInput => f.write_str("standard input"),
            Self::Sample(name) => write!(f, "{SAMPLE_PREFIX}{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_shown_as_typed() {
        for (typed, name) in [
            ("sample:iris", "iris"),
            ("a/b.csv", "b"),
            ("a/b.csv.gz", "b"),
            ("a/b.csv.zst", "b"),
            ("a/b.parquet", "b"),
            ("./sample:x.csv", "sample:x"),
            ("", ""),
        ] {
            let source = Source::from(typed);
            assert_eq!(source.to_string(), typed);
            assert_eq!(source.name(), name);
        }
        assert_eq!(Source::from("sample:"), Source::Sample(String::new()));
        assert_eq!(Source::from("-"), Source::StandardInput);
        assert_eq!(Source::from("./-"), Source::File("./-".into()));
        assert_eq!(Source::from("./sample:x"), Source::File("./sample:x".into()));
    }
}
