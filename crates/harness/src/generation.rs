//! From a table to a base model, with what a person wants to know about it.

use crate::clock::{Cost, measured_on_all_threads};
use crate::error::HarnessError;
use crate::files::NamedTable;
use crate::workers::on_one_thread;
use burn::tensor::Device;
use weightsmith_base_model::BaseModel;
use weightsmith_datasets::Labelled;
use weightsmith_metamodel::{
    GenerateInfo, GenerateOptions, Pretrained, generate_base_model, untrained_base_model,
};
use weightsmith_tasks::Support;

/// Up to this many rows more threads would cost more than they bring.
const MAX_ROWS_ON_ONE_THREAD: usize = 2048;

/// A base model, and how it came about.
#[derive(Clone, Debug)]
pub struct Generation {
    /// The base model.
    pub model: BaseModel,
    /// What was decided; none for the closed-form head alone.
    pub info: Option<GenerateInfo>,
    /// From the rows to the weights.
    pub cost: Cost,
}

/// What writes the weights.
#[derive(Copy, Clone)]
pub enum Writer<'a> {
    /// A metamodel, with the number of views to join and of trees to hear.
    Metamodel(&'a Pretrained, usize, usize),
    /// The closed-form head alone.
    Untrained(&'a Device),
}

/// Writes the weights of a base model from every row of a table.
///
/// # Errors
/// Rows that nothing can be learned from.
pub fn generate(table: NamedTable, writer: Writer<'_>) -> Result<Generation, HarnessError> {
    let NamedTable { data, labelled: Labelled { table, target, .. }, .. } = table;
    let n_rows = table.n_rows();
    let support = Support::new(table, target).expect("a labelled table has a valid label for each row");
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let write = || {
        measured_on_all_threads(|| match writer {
            Writer::Metamodel(pretrained, n_views, n_trees) => {
                let options = GenerateOptions { n_views, n_threads, n_trees };
                generate_base_model(pretrained, &support, options).map(|(model, info)| (model, Some(info)))
            }
            Writer::Untrained(device) => untrained_base_model(&support, device).map(|model| (model, None)),
        })
    };
    let (written, cost) = if n_rows <= MAX_ROWS_ON_ONE_THREAD { on_one_thread(write) } else { write() };
    let (model, info) = written.map_err(|source| HarnessError::Generate { data, source })?;
    Ok(Generation { model, info, cost })
}
