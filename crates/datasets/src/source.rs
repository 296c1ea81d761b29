//! Where rows come from, as typed on a command line.

use crate::error::DatasetError;
use crate::samples::{Sample, find};
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

const SAMPLE_PREFIX: &str = "sample:";

/// Where rows come from: a CSV file, or a built-in sample written `sample:NAME`.
///
/// A file whose own name begins with `sample:` is reached as `./sample:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The path of a CSV file.
    File(PathBuf),
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
            Self::File(_) => Ok(None),
        }
    }

    /// What reports call the rows: the name of the sample, or that of the file without its extension.
    pub fn name(&self) -> String {
        match self {
            Self::Sample(name) => name.clone(),
            Self::File(path) => path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        }
    }
}

impl From<&str> for Source {
    fn from(text: &str) -> Self {
        match text.strip_prefix(SAMPLE_PREFIX) {
            Some(name) => Self::Sample(name.to_string()),
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
            Self::Sample(name) => write!(f, "{SAMPLE_PREFIX}{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_shown_as_typed() {
        for (typed, name) in
            [("sample:iris", "iris"), ("a/b.csv", "b"), ("./sample:x.csv", "sample:x"), ("", "")]
        {
            let source = Source::from(typed);
            assert_eq!(source.to_string(), typed);
            assert_eq!(source.name(), name);
        }
        assert_eq!(Source::from("sample:"), Source::Sample(String::new()));
        assert_eq!(Source::from("./sample:x"), Source::File("./sample:x".into()));
    }
}
