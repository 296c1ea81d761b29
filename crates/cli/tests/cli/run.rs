//! Running the binary in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with files, in which the binary is run.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// All files, hidden ones included, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs the binary; the arguments are split at white space.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        ended(self.command().args(arguments.split_whitespace()).output().unwrap())
    }

    /// Runs a shell line in which `$W` is the binary.
    pub(crate) fn shell(&self, line: &str) -> Ended {
        let mut shell = Command::new("bash");
        shell.args(["-c", line]).env("W", binary()).current_dir(self.folder.path());
        ended(shell.output().unwrap())
    }

    /// Runs the binary, which must succeed.
    pub(crate) fn succeed(&self, arguments: &str) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments}: {ended:?}");
        ended
    }

    /// Runs the binary, which must refuse with one line that holds `expected`.
    pub(crate) fn refuse(&self, arguments: &str, expected: &str) {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments}: {ended:?}");
        assert_eq!(ended.stdout, "", "{arguments}");
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].starts_with("error: "), "{arguments}: {ended:?}");
        assert!(lines[0].contains(expected), "{arguments}: {ended:?}");
    }

    /// The binary, to be started by the caller.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.current_dir(self.folder.path());
        command
    }
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_weightsmith"))
}

fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A table of two numeric columns, a categorical one with a missing value now and then, and a target `y` of classes.
pub(crate) fn classes(n_rows: usize) -> String {
    let row = |i: usize| {
        let (a, b) = ((i * 7919 % 101) as f64 / 10.0, (i * 104_729 % 97) as f64 / 10.0);
        let colour = ["red", "green", "blue", ""][i % 4];
        let class = if a + b > 9.0 { "high" } else { "low" };
        format!("{a},{b},{colour},{class}\n")
    };
    let rows: String = (0..n_rows).map(row).collect();
    format!("a,b,colour,y\n{rows}")
}
