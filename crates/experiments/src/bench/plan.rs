//! The file of a bench: which trainings are compared, as what they change of a base configuration.

use super::error::BenchError;
use crate::train::{Experiment, fingerprint};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};
use weightsmith_evaluation::EvaluateSettings;
use weightsmith_evaluation::methods::{GENERATED_ALONE, MethodRef, UNTRAINED as UNTRAINED_HEAD};
use weightsmith_tasks::TaskType;

/// A bench, read and checked: every run makes a training.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchPlan {
    /// The file's name without its extension.
    pub name: String,
    /// Each run goes into a folder in this one, relative to the current folder.
    pub folder: PathBuf,
    /// How finished metamodels are scored on real tables.
    pub evaluation: BenchEvaluation,
    /// At least one, in the order of the file.
    pub runs: Vec<BenchRun>,
}

/// One training of a bench.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchRun {
    /// Names its folder and its line.
    pub name: String,
    /// The configuration that it changes, relative to the bench's file.
    pub config: PathBuf,
    /// What it changes: dotted settings and their values as TOML.
    pub changes: BTreeMap<String, String>,
    /// The training that comes of it.
    pub experiment: Experiment,
}

/// How finished metamodels are scored on real tables, which none is trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BenchEvaluation {
    /// Folders of tables, relative to the current folder; without one nothing is scored.
    pub suite: Vec<PathBuf>,
    /// The column to predict.
    pub target: String,
    /// Numbers of support rows, 4 to 100,000 each.
    pub support: Vec<usize>,
    /// Splits of each table and size, 1 to 1,000.
    pub splits: u32,
    /// Views that are joined into one network, 1 to 64.
    pub views: usize,
}

impl Default for BenchEvaluation {
    fn default() -> Self {
        let target = "target".to_string();
        Self { suite: vec![], target, support: vec![32, 128], splits: 2, views: 8 }
    }
}

impl BenchEvaluation {
    fn validate(&self) -> Result<(), &'static str> {
        match self {
            Self { support, .. }
                if support.is_empty() || support.iter().any(|n_rows| !(4..=100_000).contains(n_rows)) =>
            {
                Err("evaluation.support must name numbers of rows between 4 and 100,000")
            }
            Self { splits, .. } if !(1..=1000).contains(splits) => {
                Err("evaluation.splits must be between 1 and 1000")
            }
            Self { views, .. } if !(1..=64).contains(views) => {
                Err("evaluation.views must be between 1 and 64")
            }
            _ => Ok(()),
        }
    }

    /// What `evaluate` is to do.
    pub(super) fn settings(&self, n_threads: usize) -> EvaluateSettings {
        EvaluateSettings {
            target: self.target.clone(),
            n_supports: self.support.clone(),
            n_splits: self.splits,
            first_split: 0,
            methods: METHODS.to_vec(),
            n_views: self.views,
            n_threads,
        }
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    folder: PathBuf,
    base: Option<PathBuf>,
    #[serde(default)]
    set: Table,
    #[serde(default)]
    evaluation: BenchEvaluation,
    #[serde(default)]
    run: Vec<RunFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunFile {
    name: String,
    config: Option<PathBuf>,
    #[serde(default)]
    set: Table,
}

/// The metamodel by itself, and its head without it.
const METHODS: [MethodRef; 2] = [GENERATED_ALONE, UNTRAINED_HEAD];
/// Longest name of a run, for which charts have room.
const LONGEST_NAME: usize = 24;
/// The name of the closed-form head among the runs.
pub const UNTRAINED: &str = "untrained";

impl BenchPlan {
    /// Reads a bench and every configuration that it names.
    ///
    /// # Errors
    /// A file that cannot be read, unknown or missing settings, settings out of their range, two runs of one name or
    /// of one configuration, runs of different tasks.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let file: PlanFile = parse(path)?;
        let bad = |problem: String| BenchError::Plan { path: path.to_path_buf(), problem };
        file.evaluation.validate().map_err(|problem| bad(problem.to_string()))?;
        let parent = path.parent().unwrap_or(Path::new(""));
        let mut runs: Vec<BenchRun> = Vec::new();
        for run in &file.run {
            let name = &run.name;
            check_name(name).map_err(|problem| bad(format!("run \"{name}\": its name {problem}")))?;
            let config = run.config.as_ref().or(file.base.as_ref()).ok_or_else(|| {
                bad(format!("run \"{name}\" has no configuration: give it a `config`, or all a `base`"))
            })?;
            let made = BenchRun::new(run, &file.set, [parent, config], &file.folder)
                .map_err(|error| error.of_run(path, name))?;
            for other in &runs {
                let both = format!("runs \"{}\" and \"{name}\"", other.name);
                if other.name.eq_ignore_ascii_case(name) {
                    return Err(bad(format!("two runs are called \"{name}\"")));
                }
                if fingerprint(&other.experiment) == fingerprint(&made.experiment) {
                    return Err(bad(format!("{both} are the same training; change one of them")));
                }
                if other.task() != made.task() {
                    return Err(bad(format!("{both} are for different tasks, whose losses do not compare")));
                }
            }
            runs.push(made);
        }
        if runs.is_empty() {
            return Err(bad("there is nothing to run; add a [[run]] with a name".to_string()));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, folder: file.folder, evaluation: file.evaluation, runs })
    }

    /// What all metamodels are for.
    pub fn task(&self) -> TaskType {
        self.runs[0].task()
    }
}

impl BenchRun {
    /// `config` is the folder of the bench's file and what the file names from there.
    fn new(
        run: &RunFile,
        for_all: &Table,
        [parent, config]: [&Path; 2],
        folder: &Path,
    ) -> Result<Self, BenchError> {
        let path = parent.join(config);
        let mut changes = BTreeMap::new();
        for set in [for_all, &run.set] {
            collect("", set, &mut changes);
        }
        let mut table: Table = parse(&path)?;
        for (setting, value) in &changes {
            put(&mut table, setting, value.clone());
        }
        let folder = folder.join(&run.name).to_string_lossy().into_owned();
        table.insert("folder".to_string(), Value::String(folder));
        let experiment: Experiment =
            table.try_into().map_err(|source| BenchError::Format { path, source: Box::new(source) })?;
        experiment.validate().map_err(|error| BenchError::Settings(error.into()))?;
        Ok(Self {
            name: run.name.clone(),
            config: config.to_path_buf(),
            changes: changes.into_iter().map(|(setting, value)| (setting, value.to_string())).collect(),
            experiment,
        })
    }

    /// What the metamodel is for.
    pub fn task(&self) -> TaskType {
        self.experiment.training.metamodel.task_type
    }

    /// Whether both are validated on the same held-out tasks, so that their losses compare.
    pub(super) fn shares_held_out(&self, other: &Self) -> bool {
        let (own, other) = (&self.experiment.training, &other.experiment.training);
        own.seed == other.seed
            && own.n_valid == other.n_valid
            && (own.n_shards, own.shard_tokens) == (other.n_shards, other.shard_tokens)
            && own.shapes == other.shapes
            && own.prior == other.prior
    }
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, BenchError> {
    let text = fs::read_to_string(path)
        .map_err(|source| BenchError::Unreadable { path: path.to_path_buf(), source })?;
    toml::from_str(&text)
        .map_err(|source| BenchError::Format { path: path.to_path_buf(), source: Box::new(source) })
}

/// A name is a folder's, on every system, and a label's.
fn check_name(name: &str) -> Result<(), &'static str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match name {
        "" => Err("is empty"),
        UNTRAINED => Err("stands for the closed-form head; choose another"),
        name if name.len() > LONGEST_NAME => Err("is longer than 24 characters"),
        name if !name.chars().all(is_plain) || name.starts_with('.') => {
            Err("may have letters, digits, and - _ . inside")
        }
        _ => Ok(()),
    }
}

/// Every value of nested and dotted settings by its dotted name; a later one replaces an earlier one.
fn collect(prefix: &str, set: &Table, changes: &mut BTreeMap<String, Value>) {
    for (key, value) in set {
        let setting = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(table) => collect(&setting, table, changes),
            value => {
                changes.insert(setting, value.clone());
            }
        }
    }
}

/// Puts a value where a dotted name says; what is on the way becomes a table.
fn put(table: &mut Table, setting: &str, value: Value) {
    match setting.split_once('.') {
        None => {
            table.insert(setting.to_string(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            if !inner.is_table() {
                *inner = Value::Table(Table::new());
            }
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "folder = \"runs/base\"
[training]
seed = 1
n_steps = 20
n_shards = 2
shard_tokens = 200
validate_every = 10
n_valid = 10
[training.metamodel]
task_type = \"classification\"
d_model = 16
n_layers = 1
n_heads = 2
n_registers = 4
n_units = 8
n_decoder_blocks = 1
rank = 8
head_steps = 4
";

    fn read(plan: &str) -> Result<BenchPlan, BenchError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("base.toml"), BASE).unwrap();
        fs::write(folder.path().join("other.toml"), BASE.replace("classification", "regression")).unwrap();
        let path = folder.path().join("rules.toml");
        fs::write(&path, plan).unwrap();
        BenchPlan::read(&path)
    }

    #[test]
    fn runs_change_what_they_say_and_nothing_else() {
        let plan = read(
            "folder = \"runs/rules\"
base = \"base.toml\"
[set]
\"training.n_steps\" = 30
[[run]]
name = \"plain\"
[[run]]
name = \"muon\"
set = { training.optimiser.rule = \"muon\", \"training.metamodel.d_model\" = 32 }
[[run]]
name = \"short\"
set.training.n_steps = 10
",
        )
        .unwrap();
        let [plain, muon, short] = plan.runs.as_slice() else { panic!("{plan:?}") };
        assert_eq!((plan.name.as_str(), plan.evaluation.suite.len()), ("rules", 0));
        let mut expected: Experiment = toml::from_str(BASE).unwrap();
        expected.training.n_steps = 30;
        expected.folder = "runs/rules/plain".into();
        assert_eq!(plain.experiment, expected);
        expected.folder = "runs/rules/muon".into();
        expected.training.metamodel.d_model = 32;
        expected.training.optimiser.rule = weightsmith_training::StepRule::Muon;
        assert_eq!(muon.experiment, expected);
        assert_eq!(short.experiment.training.n_steps, 10);
        assert_eq!(muon.changes["training.optimiser.rule"], "\"muon\"");
        assert!(muon.shares_held_out(plain));
    }

    #[test]
    fn files_that_make_no_bench_are_refused() {
        let check = |plan: &str, expected: &[&str]| {
            let error = weightsmith_runtime::in_one_line(&read(plan).unwrap_err());
            for part in expected {
                assert!(error.contains(part), "no \"{part}\" in {error}");
            }
        };
        let run = |rest: &str| format!("folder = \"f\"\nbase = \"base.toml\"\n[[run]]\nname = \"a\"\n{rest}");
        check("base = \"base.toml\"", &["rules.toml", "folder"]);
        check("folder = \"f\"\nbase = \"base.toml\"\n", &["rules.toml", "[[run]]"]);
        check("folder = \"f\"\n[[run]]\nname = \"a\"\n", &["\"a\"", "base"]);
        check("folder = \"f\"\nbase = \"no.toml\"\n[[run]]\nname = \"a\"\n", &["\"a\"", "no.toml"]);
        check(&run("colour = 1"), &["rules.toml", "colour"]);
        check(&run("[evaluation]\nsplits = 0"), &["evaluation.splits"]);
        check(&run("[evaluation]\nsupport = [32, 100001]"), &["evaluation.support", "100,000"]);
        check(&run("[evaluation]\nsupport = [3]"), &["evaluation.support"]);
        check(&run("[evaluation]\nviews = 65"), &["evaluation.views"]);
        check(&run("set.checkpoint_seconds = 86401"), &["run \"a\"", "checkpoint_seconds"]);
        check(&run("set.training.n_valid = 1000000000"), &["run \"a\"", "n_valid"]);
        check(&run("[evaluation]\nsplit = 1"), &["unknown field `split`"]);
        check(&run("set.training.optimizer.rule = \"muon\""), &["run \"a\"", "optimizer"]);
        check(&run("set.\"training.optimiser.rul\" = \"muon\""), &["run \"a\"", "rul", "training.optimiser"]);
        check(&run("set.training.metamodel.d_model = 15"), &["run \"a\"", "d_model"]);
        check(&run("set.training.n_steps = \"many\""), &["run \"a\"", "n_steps"]);
        check(&run("[[run]]\nname = \"A\"\nset.training.seed = 2"), &["two runs are called \"A\""]);
        check(&run("[[run]]\nname = \"b\""), &["\"a\" and \"b\" are the same training"]);
        check(&run("[[run]]\nname = \"b\"\nconfig = \"other.toml\""), &["different tasks"]);
        for name in ["", "../a", ".a", "a/b", "untrained", "abcdefghijklmnopqrstuvwxy"] {
            check(
                &format!("folder = \"f\"\nbase = \"base.toml\"\n[[run]]\nname = \"{name}\""),
                &["its name"],
            );
        }
    }
}
