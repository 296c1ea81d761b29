//! Fixed tasks that generations are measured on, none of which any is trained on.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use weightsmith_metamodel::Metamodel;
use weightsmith_self_application::OuterRecipe;
use weightsmith_tasks::{Base, Level, Seed, TaskType};
use weightsmith_training::{EncodedTask, OuterConfig, QueryLosses, TaskStream, query_losses};

/// The seed of the fixed tasks; trainings have seeds of their own.
const SEED: Seed = Seed(0x5e1f);
/// Tasks of the anchor and of the second set.
pub(crate) const N_MEASURED: usize = 256;
/// The stream of the anchor.
const ANCHOR: &str = "self-application.anchor";
/// Tasks of a look at a training that goes on.
const N_LOOKED: usize = 48;

/// Tasks about the world, drawn from the default mix of families at all sizes: the same for every recipe.
pub(crate) struct Yardsticks {
    /// Decides whether a generation is accepted, and is the outcome of its run.
    anchor: Vec<Vec<EncodedTask<Base>>>,
    /// Decides nothing and is only reported.
    second: Vec<Vec<EncodedTask<Base>>>,
    /// For looks at trainings on their way.
    looks: Vec<Vec<EncodedTask<Base>>>,
}

/// What a metamodel's generated networks come to: the mean loss on query rows of each task, in nats a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) anchor: Vec<f32>,
    pub(crate) second: Vec<f32>,
    /// On tasks about runs of data sets that no generation learns from.
    pub(crate) lifted: Vec<f32>,
    /// The closed-form head alone, on the same tasks.
    pub(crate) untrained: Untrained,
}

/// Means over tasks.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Untrained {
    pub(crate) anchor: f64,
    pub(crate) second: f64,
    pub(crate) lifted: f64,
}

pub(crate) fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / losses.len().max(1) as f64
}

/// The fixed tasks on which metamodels are accepted, for either type of task.
pub(crate) struct Anchor {
    shards: Vec<Vec<EncodedTask<Base>>>,
}

impl Anchor {
    pub(crate) fn new(task_type: TaskType) -> Self {
        Self { shards: fixed(task_type, ANCHOR, N_MEASURED) }
    }

    /// The mean loss of the weights that a metamodel generates.
    pub(crate) fn loss(&self, metamodel: &Metamodel) -> f64 {
        mean(&losses(metamodel, &self.shards).generated)
    }

    pub(crate) fn n_tasks(&self) -> usize {
        self.shards.iter().map(Vec::len).sum()
    }
}

/// Tasks of the default mix of families at all sizes, in shards of one size.
fn fixed(task_type: TaskType, name: &'static str, n_tasks: usize) -> Vec<Vec<EncodedTask<Base>>> {
    let mut config = OuterConfig {
        shapes: Default::default(),
        prior: Default::default(),
        ..OuterRecipe::by_hand().config(SEED)
    };
    config.metamodel.task_type = task_type;
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

impl Yardsticks {
    /// With so many tasks in the anchor and in the second set.
    pub(crate) fn new(n_measured: usize) -> Self {
        let set = |name: &'static str, n_tasks: usize| fixed(TaskType::Regression, name, n_tasks);
        Self {
            anchor: set(ANCHOR, n_measured),
            second: set("self-application.second", n_measured),
            looks: set("self-application.looks", N_LOOKED.min(n_measured)),
        }
    }

    /// The loss of the looks' tasks.
    pub(crate) fn look(&self, metamodel: &Metamodel) -> f64 {
        mean(&losses(metamodel, &self.looks).generated)
    }

    /// Everything; `lifted` are tasks about runs, in shards of one size.
    pub(crate) fn measure<L: Level>(
        &self,
        metamodel: &Metamodel,
        lifted: &[Vec<EncodedTask<L>>],
    ) -> Measured {
        let anchor = losses(metamodel, &self.anchor);
        let second = losses(metamodel, &self.second);
        let lifted = losses(metamodel, lifted);
        let untrained = Untrained {
            anchor: mean(&anchor.untrained),
            second: mean(&second.untrained),
            lifted: mean(&lifted.untrained),
        };
        Measured { anchor: anchor.generated, second: second.generated, lifted: lifted.generated, untrained }
    }

    /// What a metamodel measures whose numbers are not finite.
    pub(crate) fn nothing(&self) -> Measured {
        let untrained = Untrained { anchor: 0.0, second: 0.0, lifted: 0.0 };
        Measured { anchor: vec![], second: vec![], lifted: vec![], untrained }
    }

    /// The anchor's loss under the closed-form head alone.
    pub(crate) fn untrained(&self, device: &Device) -> f64 {
        // What is drawn matters to the generated weights alone.
        let config = OuterRecipe::by_hand().config(SEED).metamodel;
        let params = weightsmith_metamodel::MetaParams::zeros(&config).expect("the recipe is valid");
        mean(&losses(&Metamodel::new_unchecked(&config, &params, device), &self.anchor).untrained)
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
