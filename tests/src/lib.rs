//! What the tests of this package share: a folder to run the binary in, and what came of a run.
//!
//! The tests see the program from outside only, as a user does: arguments, files, exit codes, standard output and
//! standard error.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod untrusted;

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A temporary folder in which the binary is run; relative names in arguments are names in it.
#[derive(Debug)]
pub struct Workplace {
    folder: TempDir,
    binary: &'static str,
}

impl Workplace {
    /// An empty folder. Only cargo's tests know where the binary is: `env!("CARGO_BIN_EXE_weightsmith-under-test")`.
    ///
    /// # Panics
    /// If the system gives no temporary folder.
    pub fn new(binary: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), binary }
    }

    /// Where a file of this folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Reads a file.
    ///
    /// # Panics
    /// If it is not there.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Reads a CSV file: the header and the rows.
    ///
    /// # Panics
    /// If it is not there or is no CSV file.
    pub fn read_csv(&self, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let content = self.read(name);
        let mut reader = csv::Reader::from_reader(content.as_slice());
        let fields = |record: &csv::StringRecord| record.iter().map(str::to_string).collect::<Vec<_>>();
        let header = fields(reader.headers().unwrap());
        (header, reader.records().map(|record| fields(&record.unwrap())).collect())
    }

    /// Names of all files and folders in it, hidden ones too, sorted.
    ///
    /// # Panics
    /// If the system refuses.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The command of a run, to be changed or started by the caller.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(self.binary);
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    /// Runs the binary to its end.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        Ran::new(self.command(arguments).output().unwrap())
    }
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

impl Ran {
    /// From the output of a process.
    pub fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The run, if it ended well.
    ///
    /// # Panics
    /// If the exit code is not 0.
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Standard output as one JSON value.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }

    /// Checks that the run was refused in the documented way: exit code 2, one line on standard error that begins
    /// with `error:` and holds all of `expected`, nothing on standard output, no panic.
    ///
    /// # Panics
    /// If it was not.
    pub fn refused(&self, what: &str, expected: &[&str]) {
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert!(!self.stderr.contains("panicked"), "{what}: {}", self.stderr);
        assert_eq!(self.code, Some(2), "{what}: {self:?}");
        assert_eq!(self.stdout, "", "{what}");
        assert!(lines.len() == 1 && lines[0].starts_with("error: "), "{what}: {}", self.stderr);
        for part in expected {
            assert!(self.stderr.contains(part), "{what}: no \"{part}\" in {}", self.stderr);
        }
    }
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The CSV text of a built-in sample.
///
/// # Panics
/// If there is no such sample.
pub fn sample(name: &str) -> String {
    fs::read_to_string(root().join("crates/datasets/samples").join(format!("{name}.csv"))).unwrap()
}

/// The metadata of a safetensors file: its header, parsed, and where the tensors begin.
///
/// # Panics
/// If the bytes are no such file.
pub fn header(bytes: &[u8]) -> (Value, usize) {
    let start = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (serde_json::from_slice(&bytes[8..start]).unwrap(), start)
}

/// A file like `bytes` with another header.
///
/// # Panics
/// If the bytes are no safetensors file.
pub fn with_header(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (mut parsed, start) = header(bytes);
    change(&mut parsed);
    let text = serde_json::to_vec(&parsed).unwrap();
    [(text.len() as u64).to_le_bytes().as_slice(), &text, &bytes[start..]].concat()
}

/// A configuration of `train` for a metamodel so small that a step takes milliseconds; it checkpoints after every step.
pub fn tiny_experiment(task_type: &str, seed: u32, n_steps: u64) -> String {
    format!(
        "folder = \"run\"
checkpoint_seconds = 0

[training]
seed = {seed}
n_steps = {n_steps}
n_shards = 2
shard_tokens = 200
validate_every = 10
n_valid = 10

[training.metamodel]
task_type = \"{task_type}\"
d_model = 16
n_layers = 1
n_heads = 2
n_registers = 4
n_units = 8
n_decoder_blocks = 1
rank = 8
head_steps = 4

[training.shapes]
support = [16, 32]
query = 16
columns = [2, 6]
"
    )
}
