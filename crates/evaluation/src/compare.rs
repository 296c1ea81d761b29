//! One table: what generated weights are worth on the query rows, and what an optimiser would have cost.

use crate::comparison::{Comparison, Done, Record, main_metrics, method_report};
use crate::curve::CurveSample;
use crate::error::EvaluationError;
use crate::importance::{Importance, mean_importance, permutation_importance};
use crate::methods::{Fit, GENERATED, MethodError, MethodRef, MethodSettings, Shape, StartWeights, tuned};
use crate::problem::Problem;
use crate::results::{ResultRow, RowKey, origin};
use crate::selecting::{ComparedSelection, SplitSelection, selected};
use crate::splits::{Split, max_support};
use crate::steps_curve::{SplitSteps, StepsCurves, of_split};
use crate::suspicions::suspicions;
use crate::weight_space::{WeightPair, WeightSpace, weight_pair};
use weightsmith_base_model::BaseModel;
use weightsmith_datasets::NamedTable;
use weightsmith_generation::SelectMode;
use weightsmith_metamodel::{Pretrained, limits};
use weightsmith_runtime::{in_one_line, in_parallel};
use weightsmith_tasks::{Seed, Target};
use weightsmith_training::Optimiser;

/// Support rows of a comparison that asks for no number, at most.
const DEFAULT_SUPPORT: usize = 128;

/// How a comparison is made.
#[derive(Copy, Clone)]
pub struct CompareSettings<'a> {
    /// The metamodel.
    pub pretrained: &'a Pretrained,
    /// Views of generated weights.
    pub n_views: usize,
    /// Support rows; at most 70% of the table are taken. Without a number 128.
    pub n_support: Option<usize>,
    /// Splits, each with other support rows.
    pub n_splits: u32,
    /// The number of the first split; 0 for those that all comparisons share.
    pub first_split: u32,
    /// What is compared.
    pub methods: &'a [MethodRef],
    /// What is left out of the support rows of each split before any method learns from them.
    pub select: SelectMode,
    /// The shape of the networks that optimisers train.
    pub shape: Shape,
    /// The weights that fine-tuning starts from.
    pub from: Option<&'a StartWeights>,
    /// Whether to compute where generated and trained weights lie, and what steps bring from generated and from random ones.
    pub weight_space: bool,
    /// Splits worked on at once, one core each. With more than one, times are those of cores that share caches.
    pub n_threads: usize,
}

/// A comparison and what it made.
pub struct Compared {
    /// The figures.
    pub comparison: Comparison,
    /// Every split that was scored, in ascending order.
    pub splits: Vec<ComparedSplit>,
}

/// One split, and what each method made of it.
pub struct ComparedSplit {
    /// Its number.
    pub index: u32,
    /// Its rows.
    pub problem: Problem,
    pub(crate) records: Vec<Record>,
    weight_pair: Option<Result<WeightPair, String>>,
    steps: Option<SplitSteps>,
    importance: Option<Importance>,
    selection: Option<SplitSelection>,
}

impl ComparedSplit {
    fn record(&self, method: MethodRef) -> Option<&Record> {
        self.records.iter().find(|record| record.method == method)
    }
}

impl Compared {
    /// The generated base model of the first split; none if it failed or was not asked for.
    pub fn model(&self) -> Option<&BaseModel> {
        self.splits.first()?.record(GENERATED)?.done.as_ref().ok()?.model.as_ref()
    }

    /// A row for each method on each split, as those of a suite are.
    pub fn rows(&self) -> Vec<ResultRow> {
        let Comparison { name, task, n_support, metamodel, n_views, .. } = &self.comparison;
        let row = |split: u32, record: &Record| {
            let (name, model) = (name.clone(), record.method.name().to_string());
            let empty = ResultRow::empty(RowKey { name, n_support: *n_support, split, model }, *task);
            let asks = record.method.uses_metamodel();
            let row = ResultRow { metamodel: asks.then(|| origin(&metamodel.1, *n_views)), ..empty };
            match &record.done {
                Ok(done) => row.scored(&done.scores, done.cost.cpu_s, done.cost.wall_s),
                Err(error) => ResultRow { error: Some(error.clone()), ..row },
            }
        };
        let of_split = |split: &ComparedSplit| {
            split.records.iter().map(|record| row(split.index, record)).collect::<Vec<_>>()
        };
        self.splits.iter().flat_map(of_split).collect()
    }
}

/// Runs every method on the same splits of one table, the methods of a split one after the other on one core. `listen` is told
/// how many splits of how many are done.
///
/// # Errors
/// A table with too few rows or too many classes, fewer support rows than the metamodel can read, support rows of one
/// class in every split. A method that fails is reported in its place.
pub fn compare(
    table: &NamedTable,
    settings: &CompareSettings<'_>,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<Compared, EvaluationError> {
    let NamedTable { data, target, labelled } = table;
    let n_rows = labelled.table.n_rows();
    let n_support = settings.n_support.unwrap_or(DEFAULT_SUPPORT).min(max_support(n_rows));
    let n_needed = limits::MIN_SUPPORT;
    if max_support(n_rows) < n_needed {
        let n_needed = (n_needed..).find(|&n| max_support(n) >= n_needed).unwrap_or(n_needed);
        return Err(EvaluationError::TooFewRows { data: data.clone(), n_rows, n_needed });
    }
    if n_support < n_needed {
        return Err(EvaluationError::TooFewSupportRows { n_support, n_needed });
    }
    if let Target::Classes { class_names, .. } = &labelled.target
        && class_names.len() > limits::MAX_CLASSES
    {
        let (n_classes, n_most) = (class_names.len(), limits::MAX_CLASSES);
        return Err(EvaluationError::TooManyClasses { data: data.clone(), n_classes, n_most });
    }
    let problem = |index| Some((index, Problem::new(labelled, &Split::new(n_rows, n_support, index))?));
    let first = settings.first_split;
    let indices = first..first.saturating_add(settings.n_splits.max(1));
    let problems: Vec<(u32, Problem)> = indices.filter_map(problem).collect();
    let Some(first) = problems.first() else {
        let n_splits = settings.n_splits;
        return Err(EvaluationError::OneClassSplits { data: data.clone(), n_splits, n_support });
    };
    let n_query = first.1.n_query();
    let scored = problems.iter().map(|(index, _)| Split::new(n_rows, n_support, *index));
    let suspicions = suspicions(labelled, &scored.collect::<Vec<_>>(), settings.from);
    let notes = labelled.notes.iter().cloned().chain(suspicions).collect();
    let n_all = problems.len();
    let splits = in_parallel(
        problems,
        settings.n_threads,
        |(index, problem)| {
            let query = labelled.target.select(&Split::new(n_rows, n_support, index).query);
            split(index, problem, &query, settings)
        },
        &mut |n| {
            listen(n, n_all);
        },
    );
    let task = labelled.target.task_type();
    let main_metric = main_metrics(task)[0];
    let generated: Vec<Option<&Record>> = splits.iter().map(|split| split.record(GENERATED)).collect();
    let methods = (0..settings.methods.len()).map(|idx| {
        let records: Vec<&Record> = splits.iter().map(|split| &split.records[idx]).collect();
        method_report(&records, &generated, main_metric)
    });
    let methods: Vec<_> = methods.collect();
    let cpu = |method: MethodRef| {
        methods.iter().find(|report| report.method == method)?.cpu_s.map(|spread| spread.median)
    };
    let speed_up =
        cpu(GENERATED).zip(cpu(tuned(Optimiser::Adam))).map(|(generated, tuned)| tuned / generated);
    let found: Vec<WeightPair> =
        splits.iter().filter_map(|split| split.weight_pair.as_ref()?.as_ref().ok().cloned()).collect();
    let steps: Vec<&SplitSteps> = splits.iter().filter_map(|split| split.steps.as_ref()).collect();
    let decided: Vec<f64> = generated
        .iter()
        .filter_map(|record| Some(record.as_ref()?.done.as_ref().ok()?.n_steps? as f64))
        .collect();
    let comparison = Comparison {
        name: labelled.name.clone(),
        target: target.clone(),
        task,
        class_names: match &labelled.target {
            Target::Classes { class_names, .. } => class_names.clone(),
            Target::Values(_) => Vec::new(),
        },
        n_rows,
        n_columns: labelled.table.columns().len(),
        n_support,
        n_query,
        n_splits: splits.len() as u32,
        splits: splits.iter().map(|split| split.index).collect(),
        n_skipped: settings.n_splits.max(1) - splits.len() as u32,
        metamodel: (settings.pretrained.name.clone(), settings.pretrained.checksum.clone()),
        n_views: settings.n_views,
        shape: settings.shape,
        main_metric,
        speed_up,
        weight_space: WeightSpace::of(&found),
        steps: StepsCurves::of(&steps, &decided),
        importance: mean_importance(
            &splits.iter().filter_map(|split| split.importance.clone()).collect::<Vec<_>>(),
        ),
        notes,
        selection: (settings.select != SelectMode::Off).then(|| ComparedSelection {
            mode: settings.select,
            splits: splits.iter().filter_map(|split| split.selection.clone()).collect(),
        }),
        methods,
    };
    Ok(Compared { comparison, splits })
}

fn split(index: u32, problem: Problem, query: &Target, settings: &CompareSettings<'_>) -> ComparedSplit {
    let method_settings = MethodSettings {
        pretrained: settings.pretrained,
        n_views: settings.n_views,
        shape: settings.shape,
        from: settings.from,
        seed: Seed(u64::from(index)),
    };
    let whole = problem.clone();
    let (problem, selection) = match selected(problem, settings.pretrained, settings.select, index) {
        Ok(found) => found,
        Err(error) => {
            let failed = |&method: &MethodRef| Record { method, done: Err(in_one_line(&error)) };
            let records = settings.methods.iter().map(failed).collect();
            return ComparedSplit {
                index,
                problem: whole,
                records,
                weight_pair: None,
                steps: None,
                importance: None,
                selection: None,
            };
        }
    };
    let record = |&method: &MethodRef| Record {
        method,
        done: run(method, &problem, &method_settings).map_err(|error| in_one_line(&error)),
    };
    let records = settings.methods.iter().map(record).collect();
    let weight_pair = settings
        .weight_space
        .then(|| weight_pair(&problem, &method_settings).map_err(|error| in_one_line(&error)));
    // A table on which nothing can be generated says so in the method's place.
    let steps = settings.weight_space.then(|| of_split(&problem, &method_settings).ok().flatten()).flatten();
    let mut split =
        ComparedSplit { index, problem, records, weight_pair, steps, importance: None, selection };
    split.importance = split.record(GENERATED).and_then(|record| {
        let model = record.done.as_ref().ok()?.model.as_ref()?;
        let seed = method_settings.seed;
        // A network that cannot read the rows has failed before.
        permutation_importance(model, split.problem.query(), query, seed).ok()
    });
    split
}

fn run(method: MethodRef, problem: &Problem, settings: &MethodSettings<'_>) -> Result<Done, MethodError> {
    let mut samples = Vec::new();
    let Fit { predictor, cost, n_steps, details, .. } = method.fit(
        problem.support(),
        settings,
        Some(&mut |point| {
            // A failure here is one that the end of the training tells of.
            if let Ok(counts) = problem.count_network(point.model) {
                samples.push(CurveSample { n_steps: point.n_steps, cost: point.cost, counts });
            }
        }),
    )?;
    let predictions = predictor.predict(problem.query())?;
    let counts = problem.count(&predictor.predict(problem.support().table())?, &predictions);
    // The end is the last evaluation point, or a later one.
    let last = n_steps.unwrap_or(0);
    samples.retain(|samples| samples.n_steps < last);
    samples.push(CurveSample { n_steps: last, cost, counts });
    let residual_std = predictor.residual_std();
    let scores = problem.scores(&predictions, residual_std);
    let model = predictor.network().cloned();
    Ok(Done { scores, cost, n_steps, details, samples, predictions, residual_std, model })
}
