//! Fixed tasks that every metamodel is measured on and none is trained on.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use weightsmith_metamodel::{MetaParams, Metamodel, MetamodelConfig};
use weightsmith_tasks::{Base, Level, Seed, TaskType};
use weightsmith_training::{EncodedTask, OuterConfig, QueryLosses, Shapes, TaskStream, query_losses};

/// The seed of the fixed tasks; trainings have seeds of their own.
const SEED: Seed = Seed(0x5e1f);
/// Tasks of the acceptance set and of the report set.
pub const N_REFERENCE_TASKS: usize = 256;
/// The streams that the sets are drawn from. Their names are part of the seed, so that outcomes of any version compare.
const ACCEPTANCE: &str = "self-application.anchor";
const REPORT: &str = "self-application.second";
const CURVE: &str = "self-application.looks";
/// Tasks of a point of a training's curve.
const N_CURVE: usize = 48;
/// Support rows and columns of the tasks of one shard.
const SHARD_TOKENS: usize = 1600;

/// Tasks in shards; those of a shard are of one size.
type Shards<L> = Vec<Vec<EncodedTask<L>>>;

/// Fixed regression tasks from the default prior, at all sizes: the same for every training, so that losses compare.
pub struct ReferenceTasks {
    /// Decides whether a metamodel is accepted, and is the outcome of its run.
    acceptance: Shards<Base>,
    /// Decides nothing and is only reported.
    report: Shards<Base>,
    /// For the points of a training's curve.
    curve: Shards<Base>,
}

/// Losses of the networks that a metamodel generates: for each task the mean over its query rows, in nats a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceLosses {
    /// On the acceptance set.
    pub acceptance: Vec<f32>,
    /// On the report set.
    pub report: Vec<f32>,
    /// On tasks about runs of data sets that no metamodel of a loop learns from.
    pub lifted: Vec<f32>,
    /// The closed-form head alone, on the same tasks.
    pub untrained: UntrainedLosses,
}

/// Losses of the closed-form head alone, means over tasks.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UntrainedLosses {
    /// On the acceptance set.
    pub acceptance: f64,
    /// On the report set.
    pub report: f64,
    /// On the tasks about runs.
    pub lifted: f64,
}

/// The mean of losses; 0 of none.
pub fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len().max(1) as f64
}

/// The name, as a root in run records, of the stream of prior tasks with a seed.
pub fn stream_of(seed: u64) -> String {
    format!("prior, seed {seed}")
}

/// The acceptance set for one type of task.
pub struct AcceptanceSet {
    shards: Shards<Base>,
}

impl AcceptanceSet {
    /// The set of a type of task.
    pub fn new(task_type: TaskType) -> Self {
        Self { shards: fixed(task_type, ACCEPTANCE, N_REFERENCE_TASKS) }
    }

    /// The mean loss of the weights that a metamodel generates.
    pub fn loss(&self, metamodel: &Metamodel) -> f64 {
        mean(&losses(metamodel, &self.shards).generated)
    }

    /// How many tasks there are.
    pub fn n_tasks(&self) -> usize {
        self.shards.iter().map(Vec::len).sum()
    }
}

/// Tasks of the default mix of families at all sizes, in shards of one size.
fn fixed(task_type: TaskType, name: &'static str, n_tasks: usize) -> Shards<Base> {
    let config = OuterConfig {
        seed: SEED,
        n_steps: 1,
        n_shards: 1,
        shard_tokens: SHARD_TOKENS,
        validate_every: u64::MAX,
        n_valid: 1,
        metamodel: MetamodelConfig::standard(task_type),
        shapes: Shapes::default(),
        optimiser: Default::default(),
        prior: Default::default(),
        through_steps: None,
    };
    let stream = TaskStream::named(&config, name).expect("the default mix is valid");
    let (mut shards, mut n) = (Vec::new(), 0);
    for step in 0.. {
        if n >= n_tasks {
            break;
        }
        let mut shard = stream.shard(step, 0);
        shard.truncate(n_tasks - n);
        n += shard.len();
        shards.push(shard);
    }
    shards
}

impl ReferenceTasks {
    /// Draws the sets, with `n_tasks` tasks in the acceptance set and in the report set each.
    pub fn new(n_tasks: usize) -> Self {
        let set = |name: &'static str, n_tasks: usize| fixed(TaskType::Regression, name, n_tasks);
        Self {
            acceptance: set(ACCEPTANCE, n_tasks),
            report: set(REPORT, n_tasks),
            curve: set(CURVE, N_CURVE.min(n_tasks)),
        }
    }

    /// The mean loss on the tasks of a curve's points.
    pub fn curve_loss(&self, metamodel: &Metamodel) -> f64 {
        mean(&losses(metamodel, &self.curve).generated)
    }

    /// A metamodel's losses on the acceptance set, the report set and `lifted`, tasks about runs in shards of one size.
    pub fn measure<L: Level>(
        &self,
        metamodel: &Metamodel,
        lifted: &[Vec<EncodedTask<L>>],
    ) -> ReferenceLosses {
        let acceptance = losses(metamodel, &self.acceptance);
        let report = losses(metamodel, &self.report);
        let lifted = losses(metamodel, lifted);
        let untrained = UntrainedLosses {
            acceptance: mean(&acceptance.untrained),
            report: mean(&report.untrained),
            lifted: mean(&lifted.untrained),
        };
        ReferenceLosses {
            acceptance: acceptance.generated,
            report: report.generated,
            lifted: lifted.generated,
            untrained,
        }
    }

    /// The acceptance set's loss under the closed-form head alone.
    pub fn untrained(&self, device: &Device) -> f64 {
        // Parameters and sizes matter to the generated weights alone.
        let config = MetamodelConfig::tiny(TaskType::Regression);
        let params = MetaParams::zeros(&config).expect("the configuration is valid");
        mean(&losses(&Metamodel::new_unchecked(&config, &params, device), &self.acceptance).untrained)
    }
}

impl ReferenceLosses {
    /// No losses: those of a metamodel whose parameters are not finite.
    pub fn none() -> Self {
        let untrained = UntrainedLosses { acceptance: 0.0, report: 0.0, lifted: 0.0 };
        Self { acceptance: vec![], report: vec![], lifted: vec![], untrained }
    }
}

fn losses<L: Level>(metamodel: &Metamodel, shards: &[Vec<EncodedTask<L>>]) -> QueryLosses {
    let mut all = QueryLosses::default();
    for shard in shards {
        let losses = query_losses(metamodel, shard);
        all.generated.extend(losses.generated);
        all.untrained.extend(losses.untrained);
    }
    all
}
