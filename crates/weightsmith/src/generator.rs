//! From labelled rows to a network, with what a person wants to know about how it came about.

use crate::dataset::Dataset;
use crate::error::Error;
use crate::network::Network;
use std::cell::Cell;
use weightsmith_base_model::{BaseModel, open_device};
use weightsmith_generation::{
    ChosenColumns, GenerateInfo, GenerateOptions, Maker, SelectMode, Steps, averaged, generate_base_model,
    load_metamodel, select_support, untrained_base_model, with_columns,
};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{Cost, measured_on_all_threads, on_one_thread};
use weightsmith_selection::Selection;
use weightsmith_tasks::{Seed, Support};
use weightsmith_training::{Gain, refine};

/// Up to this many rows more threads would cost more than they bring.
const MAX_ROWS_ON_ONE_THREAD: usize = 2048;
/// Stands for the closed-form head alone in place of a metamodel.
const UNTRAINED: &str = "untrained";

/// Generates the weights of a network from labelled rows, with the defaults.
///
/// # Errors
/// Rows that nothing can be learned from.
pub fn generate(data: &Dataset) -> Result<Network, Error> {
    Ok(Generator::default().generate(data)?.network)
}

/// How weights are generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    metamodel: Option<String>,
    device: String,
    n_views: usize,
    n_trees: usize,
    n_steps: Steps,
    refine: bool,
    select: SelectMode,
    seed: u64,
}

impl Default for Generator {
    fn default() -> Self {
        let GenerateOptions { n_views, n_trees, n_steps, .. } = GenerateOptions::default();
        Self {
            metamodel: None,
            device: "cpu".into(),
            n_views,
            n_trees,
            n_steps,
            refine: false,
            select: SelectMode::Off,
            seed: 0,
        }
    }
}

/// A network, and how it came about.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The network.
    pub network: Network,
    /// What was decided; none for the closed-form head alone.
    pub info: Option<GenerateInfo>,
    /// What came of refining; none where it was not asked for.
    pub refining: Option<Refining>,
    /// What became of every row; none where all were asked for.
    pub selection: Option<Selection>,
    /// What became of every column; none where all were asked for.
    pub columns: Option<ChosenColumns>,
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

impl Generator {
    /// The metamodel that writes the weights: the name of a shipped one or the path of a file; `untrained` for the
    /// closed-form head alone. By default the shipped one for the target's type.
    #[must_use]
    pub fn metamodel(mut self, choice: impl Into<String>) -> Self {
        self.metamodel = Some(choice.into());
        self
    }

    /// Where the metamodel runs: `cpu`, or `cuda:0` in a build with that feature.
    #[must_use]
    pub fn device(mut self, name: impl Into<String>) -> Self {
        self.device = name.into();
        self
    }

    /// Views of the table that are joined into one network; 8 by default. Fewer are faster and a little worse.
    #[must_use]
    pub fn views(mut self, n_views: usize) -> Self {
        self.n_views = n_views;
        self
    }

    /// Trees of the forest that is distilled into the network; 100 by default, 0 for none.
    #[must_use]
    pub fn trees(mut self, n_trees: usize) -> Self {
        self.n_trees = n_trees;
        self
    }

    /// Inner steps from the generated weights; by default as many as pay on rows held out.
    #[must_use]
    pub fn steps(mut self, n_steps: Steps) -> Self {
        self.n_steps = n_steps;
        self
    }

    /// Whether proximal steps of an optimiser are taken where held-out rows say that they pay; not by default. They begin
    /// at the weights of the plain forward pass.
    #[must_use]
    pub fn refine(mut self, refine: bool) -> Self {
        self.refine = refine;
        self
    }

    /// Whether rows that are likely mislabelled, or columns that are likely of no use, are left out; neither by default. Without it the
    /// bytes are those of all rows and columns. A network does not read columns that were left out: rows to predict need not have
    /// them. Where held-out rows find leaving columns out a little worse, the network is the mean of one that reads all and one that does
    /// not.
    #[must_use]
    pub fn select(mut self, mode: SelectMode) -> Self {
        self.select = mode;
        self
    }

    /// The seed of what is left to chance, the forest and refining; 0 by default. The same seed gives the same bytes.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Generates the weights of a network from every row.
    ///
    /// # Errors
    /// Rows that nothing can be learned from, a metamodel or device that is not there.
    pub fn generate(&self, data: &Dataset) -> Result<Generated, Error> {
        let device = open_device(&self.device)?;
        let pretrained = match self.metamodel.as_deref() {
            Some(UNTRAINED) => None,
            choice => Some(load_metamodel(choice, data.task_type(), &device)?),
        };
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        let maker = pretrained.as_ref().map_or(Maker::Untrained(&device), Maker::Metamodel);
        let write = || {
            measured_on_all_threads(|| -> Result<_, Error> {
                let selected = select_support(maker, data.support(), self.select, Seed(self.seed))?;
                let write = |support: &Support| match &pretrained {
                    Some(pretrained) => self.write(support, pretrained, n_threads),
                    None => Ok((untrained_base_model(support, &device)?, None, None)),
                };
                let (model, info, refining) = match selected.columns.as_ref().filter(|it| it.is_average()) {
                    None => write(&selected.support)?,
                    Some(chosen) => {
                        let whole = match &selected.rows {
                            Some(rows) => data.support().select(&rows.kept()),
                            None => data.support().clone(),
                        };
                        let (likely, ..) = write(&with_columns(&whole, &chosen.likely))?;
                        let (all, info, refining) = write(&whole)?;
                        (averaged(&all, &likely, chosen.share as f32), info, refining)
                    }
                };
                Ok((model, info, refining, selected.rows, selected.columns))
            })
        };
        let is_small = data.support().n_rows() <= MAX_ROWS_ON_ONE_THREAD;
        let (written, cost) = if is_small { on_one_thread(write) } else { write() };
        let (mut model, info, refining, selection, columns) = written?;
        if let Some(read) = data.as_read() {
            // Rows to come are those that were read, so that the network reads texts as they are.
            model.encoding = model.encoding.with_texts(data.texts())?;
            model.support = read.clone();
        }
        Ok(Generated { network: model.into(), info, refining, selection, columns, cost })
    }

    fn write(
        &self,
        support: &Support,
        pretrained: &Pretrained,
        n_threads: usize,
    ) -> Result<(BaseModel, Option<GenerateInfo>, Option<Refining>), Error> {
        let options = GenerateOptions {
            n_views: self.n_views,
            n_threads,
            n_trees: self.n_trees,
            n_steps: if self.refine { Steps::Fixed(0) } else { self.n_steps },
            seed: Seed(self.seed),
        };
        if !self.refine {
            let (model, info) = generate_base_model(pretrained, support, options)?;
            return Ok((model, Some(info), None));
        }
        let info = Cell::new(None);
        let generated = |rows: &Support| -> Result<BaseModel, Error> {
            let (model, found) = generate_base_model(pretrained, rows, options)?;
            // All rows come first, then those outside the folds.
            info.set(info.take().or(Some(found)));
            Ok(model)
        };
        let device = pretrained.metamodel.device();
        let refined = refine(support, generated, Seed(self.seed), &device, &mut |_| {})?;
        let n_steps = refined.recipe.map_or(0, |recipe| recipe.n_epochs);
        Ok((refined.model, info.take(), Some(Refining { held_out: refined.held_out, n_steps })))
    }
}
