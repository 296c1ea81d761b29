//! From a table to a base model, with what a person wants to know about it.

use crate::error::Error;
use burn::tensor::Device;
use std::cell::Cell;
use weightsmith_base_model::BaseModel;
use weightsmith_datasets::{Labelled, NamedTable};
use weightsmith_generation::{
    GenerateError, GenerateInfo, GenerateOptions, generate_base_model, untrained_base_model,
};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{Cost, measured_on_all_threads, on_one_thread};
use weightsmith_tasks::{Seed, Support};
use weightsmith_training::{Gain, InnerError, refine};

/// Up to this many rows more threads would cost more than they bring.
const MAX_ROWS_ON_ONE_THREAD: usize = 2048;

/// A base model, and how it came about.
#[derive(Clone, Debug)]
pub struct Generation {
    /// The base model.
    pub model: BaseModel,
    /// What was decided; none for the closed-form head alone.
    pub info: Option<GenerateInfo>,
    /// What came of refining; none where it was not asked for.
    pub refining: Option<Refining>,
    /// From the rows to the weights.
    pub cost: Cost,
}

/// What came of refining generated weights.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Refining {
    /// What held-out rows say; none where there are too few of a class to hold some out.
    pub held_out: Option<Gain>,
    /// Steps taken; 0 where they do not pay.
    pub n_steps: usize,
}

/// How a metamodel writes weights.
#[derive(Copy, Clone)]
pub struct Writing<'a> {
    /// The metamodel.
    pub pretrained: &'a Pretrained,
    /// Views to join.
    pub n_views: usize,
    /// Trees of the forest; 0 for none.
    pub n_trees: usize,
    /// Whether inner steps are taken where held-out rows say that they pay.
    pub refine: bool,
}

/// What writes the weights.
#[derive(Copy, Clone)]
pub enum Writer<'a> {
    /// A metamodel.
    Metamodel(Writing<'a>),
    /// The closed-form head alone.
    Untrained(&'a Device),
}

/// Writes the weights of a base model from every row of a table.
///
/// # Errors
/// Rows that nothing can be learned from.
pub fn generate(table: NamedTable, writer: Writer<'_>) -> Result<Generation, Error> {
    let NamedTable { data, labelled: Labelled { table, target, .. }, .. } = table;
    let n_rows = table.n_rows();
    let support = Support::new(table, target).expect("a labelled table has a valid label for each row");
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let write = || {
        measured_on_all_threads(|| match writer {
            Writer::Metamodel(writing) => write(&support, &writing, n_threads),
            Writer::Untrained(device) => Ok((untrained_base_model(&support, device)?, None, None)),
        })
    };
    let (written, cost) = if n_rows <= MAX_ROWS_ON_ONE_THREAD { on_one_thread(write) } else { write() };
    match written {
        Ok((model, info, refining)) => Ok(Generation { model, info, refining, cost }),
        Err(WriteError::Generate(source)) => Err(Error::Generate { data, source }),
        Err(WriteError::Inner(source)) => Err(Error::Refine { data, source }),
    }
}

/// Why nothing is written.
enum WriteError {
    Generate(GenerateError),
    Inner(InnerError),
}

impl From<GenerateError> for WriteError {
    fn from(error: GenerateError) -> Self {
        Self::Generate(error)
    }
}

impl From<InnerError> for WriteError {
    fn from(error: InnerError) -> Self {
        Self::Inner(error)
    }
}

type Written = (BaseModel, Option<GenerateInfo>, Option<Refining>);

fn write(support: &Support, writing: &Writing<'_>, n_threads: usize) -> Result<Written, WriteError> {
    let Writing { pretrained, n_views, n_trees, refine: is_refined } = *writing;
    let options = GenerateOptions { n_views, n_threads, n_trees };
    if !is_refined {
        let (model, info) = generate_base_model(pretrained, support, options)?;
        return Ok((model, Some(info), None));
    }
    let info = Cell::new(None);
    let generated = |rows: &Support| -> Result<BaseModel, WriteError> {
        let (model, found) = generate_base_model(pretrained, rows, options)?;
        // All rows come first, then those outside the folds.
        info.set(info.take().or(Some(found)));
        Ok(model)
    };
    let device = pretrained.metamodel.device();
    let refined = refine(support, generated, Seed(0), &device, &mut |_| {})?;
    let n_steps = refined.recipe.map_or(0, |recipe| recipe.n_epochs);
    Ok((refined.model, info.take(), Some(Refining { held_out: refined.held_out, n_steps })))
}
