//! Scoring methods on whole suites, over all cores.

use crate::error::EvaluationError;
use crate::methods::{MethodRef, MethodSettings, Shape};
use crate::problem::Problem;
use crate::results::{ResultRow, RowKey, origin};
use crate::splits::Split;
use crate::suite::SuiteTable;
use burn::tensor::Device;
use serde::Serialize;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use weightsmith_datasets::Labelled;
use weightsmith_generation::load_metamodel;
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{as_done, in_one_line};
use weightsmith_tasks::{Seed, TaskType};

/// The metamodels of a suite, one for each kind of task in it.
pub struct Metamodels {
    loaded: Vec<Pretrained>,
}

impl Metamodels {
    /// Loads the metamodels that the tables need: the first of `choices` (names or paths) that is for a kind of task,
    /// or the default if there is no choice.
    ///
    /// # Errors
    /// A metamodel that cannot be loaded, choices of which none is for a kind of task that occurs.
    pub fn load(choices: &[String], tables: &[SuiteTable], device: &Device) -> Result<Self, EvaluationError> {
        let mut loaded = Vec::new();
        if choices.is_empty() {
            for task_type in [TaskType::Classification, TaskType::Regression] {
                if tables.iter().any(|table| table.task_type == task_type) {
                    loaded.push(load_metamodel(None, task_type, device)?);
                }
            }
        }
        for choice in choices {
            // A named metamodel is loaded whatever it is for; the type only picks the default.
            loaded.push(load_metamodel(Some(choice), TaskType::Classification, device)?);
        }
        let metamodels = Self { loaded };
        match tables.iter().find(|table| metamodels.of(table.task_type).is_none()) {
            Some(table) => Err(EvaluationError::NoMetamodelFor { task_type: table.task_type }),
            None => Ok(metamodels),
        }
    }

    /// The shipped ones for every kind of task.
    ///
    /// # Errors
    /// A metamodel that cannot be loaded.
    pub fn for_all(device: &Device) -> Result<Self, EvaluationError> {
        let kinds = [TaskType::Classification, TaskType::Regression];
        let loaded = kinds.map(|task_type| load_metamodel(None, task_type, device));
        Ok(Self { loaded: loaded.into_iter().collect::<Result<_, _>>()? })
    }

    /// These and no others; for a metamodel that is being trained.
    pub fn of_loaded(loaded: Vec<Pretrained>) -> Self {
        Self { loaded }
    }

    /// See [`origin`]; of the metamodel for a kind of task.
    fn origin(&self, task_type: TaskType, n_views: usize) -> String {
        origin(self.of(task_type).map_or("", |pretrained| pretrained.checksum.as_str()), n_views)
    }

    /// The one for a type of task.
    pub fn of(&self, task_type: TaskType) -> Option<&Pretrained> {
        self.loaded.iter().find(|pretrained| pretrained.task_type() == task_type)
    }

    /// Names and checksums.
    pub fn names(&self) -> Vec<(String, String)> {
        self.loaded.iter().map(|pretrained| (pretrained.name.clone(), pretrained.checksum.clone())).collect()
    }
}

/// What is scored on each table.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluateSettings {
    /// The column to predict.
    pub target: String,
    /// Support rows; at most 70% of a table are taken.
    pub n_supports: Vec<usize>,
    /// Splits of each size.
    pub n_splits: u32,
    /// The number of the first of them; the outside scorer's is 0.
    pub first_split: u32,
    /// What is compared.
    pub methods: Vec<MethodRef>,
    /// Views of generated weights.
    pub n_views: usize,
    /// Problems worked on at once, one core each.
    pub n_threads: usize,
}

/// A split that nobody can be scored on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The table.
    pub name: String,
    /// Support rows asked for.
    pub n_support: usize,
    /// The split.
    pub split: u32,
}

/// Results of a suite.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Evaluation {
    /// By task type, table, size, split and method.
    pub rows: Vec<ResultRow>,
    /// Splits whose support rows are all of one class.
    pub skipped: Vec<Skipped>,
}

/// How far an evaluation is.
#[derive(Copy, Clone, Debug)]
pub struct Progress<'a> {
    /// Splits scored.
    pub n_done: usize,
    /// Splits in all.
    pub n_all: usize,
    /// The results so far, those that were there before included.
    pub rows: &'a [ResultRow],
}

/// Scores every method on every split of every table. What `before` holds without an error is not done again. A method
/// that fails gives a row with an error. `listen` is told of every split; its error ends the work.
///
/// # Errors
/// Results before that are of another metamodel or of other views; those of `listen`.
pub fn evaluate(
    tables: &[SuiteTable],
    metamodels: &Metamodels,
    settings: &EvaluateSettings,
    before: Vec<ResultRow>,
    listen: &mut dyn FnMut(Progress<'_>) -> Result<(), EvaluationError>,
) -> Result<Evaluation, EvaluationError> {
    let mut rows: Vec<ResultRow> = before.into_iter().filter(|row| row.error.is_none()).collect();
    for row in &rows {
        let expected = metamodels.origin(row.task, settings.n_views);
        if row.metamodel.as_ref().is_some_and(|found| *found != expected) {
            let found = row.metamodel.clone().unwrap_or_default();
            return Err(EvaluationError::OtherMetamodel { found, expected });
        }
    }
    let done: HashSet<_> = rows.iter().map(ResultRow::key).collect();
    let jobs = jobs(tables, metamodels, settings, &done);
    let read: Vec<OnceLock<Result<Labelled, String>>> = tables.iter().map(|_| OnceLock::new()).collect();
    let (n_all, mut n_done) = (jobs.len(), 0);
    let mut skipped = Vec::new();
    let mut listened = Ok(());
    let work = |job: Job<'_>| {
        let labelled = read[job.table_idx].get_or_init(|| job.table.read(&settings.target));
        job.run(labelled, metamodels, settings.n_views)
    };
    as_done(jobs, settings.n_threads, work, &mut |outcome| {
        match outcome {
            Outcome::Rows(new) => rows.extend(new),
            Outcome::Skipped(split) => skipped.push(split),
        }
        n_done += 1;
        listened = listen(Progress { n_done, n_all, rows: &rows });
        if listened.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    listened?;
    rows.sort_by_cached_key(|row| (row.task == TaskType::Regression, row.key()));
    skipped.sort_by_cached_key(|split| (split.name.clone(), split.n_support, split.split));
    Ok(Evaluation { rows, skipped })
}

enum Outcome {
    Rows(Vec<ResultRow>),
    Skipped(Skipped),
}

/// One split of one table.
struct Job<'a> {
    table_idx: usize,
    table: &'a SuiteTable,
    n_support: usize,
    split: u32,
    methods: Vec<MethodRef>,
    /// See [`Metamodels::origin`].
    origin: String,
}

fn jobs<'a>(
    tables: &'a [SuiteTable],
    metamodels: &Metamodels,
    settings: &EvaluateSettings,
    done: &HashSet<RowKey>,
) -> Vec<Job<'a>> {
    let mut jobs = Vec::new();
    for (table_idx, table) in tables.iter().enumerate() {
        for &n_support in &settings.n_supports {
            for split in settings.first_split..settings.first_split.saturating_add(settings.n_splits) {
                let origin = metamodels.origin(table.task_type, settings.n_views);
                let job = Job { table_idx, table, n_support, split, methods: Vec::new(), origin };
                let is_new = |method: &MethodRef| !done.contains(&job.key(*method));
                let methods: Vec<MethodRef> = settings.methods.iter().copied().filter(is_new).collect();
                if !methods.is_empty() {
                    jobs.push(Job { methods, ..job });
                }
            }
        }
    }
    jobs
}

impl Job<'_> {
    fn run(&self, labelled: &Result<Labelled, String>, metamodels: &Metamodels, n_views: usize) -> Outcome {
        let labelled = match labelled {
            Ok(labelled) => labelled,
            Err(error) => {
                return Outcome::Rows(
                    self.methods.iter().map(|method| self.failed(*method, error)).collect(),
                );
            }
        };
        let split = Split::new(labelled.table.n_rows(), self.n_support, self.split);
        let Some(problem) = Problem::new(labelled, &split) else {
            let (name, n_support, split) = (self.table.name.clone(), self.n_support, self.split);
            return Outcome::Skipped(Skipped { name, n_support, split });
        };
        let pretrained = metamodels.of(self.table.task_type).expect("loading made sure of it");
        let settings = MethodSettings {
            pretrained,
            n_views,
            shape: Shape::default(),
            from: None,
            seed: Seed(u64::from(self.split)),
        };
        let score = |method: MethodRef| match method.fit(problem.support(), &settings, None) {
            Err(error) => self.failed(method, &in_one_line(&error)),
            Ok(fit) => match problem.score(&fit.predictor) {
                Err(error) => self.failed(method, &in_one_line(&error)),
                Ok(scores) => self.row(method).scored(&scores, fit.cost.cpu_s, fit.cost.wall_s),
            },
        };
        Outcome::Rows(self.methods.iter().map(|&method| score(method)).collect())
    }

    fn failed(&self, method: MethodRef, error: &str) -> ResultRow {
        ResultRow { error: Some(error.to_string()), ..self.row(method) }
    }

    fn row(&self, method: MethodRef) -> ResultRow {
        let metamodel = method.uses_metamodel().then(|| self.origin.clone());
        ResultRow { metamodel, ..ResultRow::empty(self.key(method), self.table.task_type) }
    }

    fn key(&self, method: MethodRef) -> RowKey {
        let (name, model) = (self.table.name.clone(), method.name().to_string());
        RowKey { name, n_support: self.n_support, split: self.split, model }
    }
}
