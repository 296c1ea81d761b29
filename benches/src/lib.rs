//! What the benches share: the allocator of the binary, short measurements, the shipped metamodels, tables of a given
//! size.
//!
//! Each group of benches backs one claim of the README's table and is named after it, with its sizes. All of them
//! together take less than three minutes on two cores. Criterion gives a point and an interval; ratios are between benches of one run.

use burn::tensor::{Device, Tensor, TensorData};
use criterion::Criterion;
use rand::Rng;
use std::time::Duration;
use weightsmith_metamodel::{Checkpoint, MetamodelConfig, Pretrained};
use weightsmith_priors::{Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{Seed, Task, TaskType};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measurements that are short enough for a coffee and long enough for two digits; arguments can change them.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
        .sample_size(20)
        .configure_from_args()
}

/// A task of the default prior.
pub fn task(task_type: TaskType, n_support: usize, n_query: usize, n_columns: usize) -> Task {
    let shape = TaskShape { task_type, n_support, n_query, n_classes: 2, n_encoded: n_columns };
    let prior = Prior::new(PriorConfig::default()).expect("the defaults are valid");
    prior.sample(&shape, &mut Seed(1).stream("benches.task"))
}

/// A metamodel as it is shipped.
#[derive(Copy, Clone, Debug)]
pub struct Shipped {
    /// Its folder under `models/`.
    pub name: &'static str,
    /// What it generates networks for.
    pub task_type: TaskType,
    /// The bytes of its file.
    pub file: &'static [u8],
}

macro_rules! shipped {
    ($name:literal, $task_type:ident) => {
        Shipped {
            name: $name,
            task_type: TaskType::$task_type,
            file: include_bytes!(concat!("../../models/", $name, "/metamodel.safetensors")),
        }
    };
}

/// All metamodels that are shipped, the large ones first.
pub const SHIPPED: [Shipped; 4] = [
    shipped!("classification-3", Classification),
    shipped!("regression-3", Regression),
    shipped!("classification-2-small", Classification),
    shipped!("regression-2-small", Regression),
];

/// Those that are used unless another is asked for.
pub const DEFAULT: [Shipped; 2] = [SHIPPED[0], SHIPPED[1]];

impl Shipped {
    /// Reads the file, as a start of the binary does.
    pub fn load(&self) -> Pretrained {
        Pretrained::from_bytes(self.name, self.file, &Device::flex()).expect("it is shipped")
    }

    /// Its widths and depths.
    pub fn config(&self) -> MetamodelConfig {
        Checkpoint::from_bytes(self.file).expect("it is shipped").config
    }
}

/// Numbers between -1 and 1, the same for the same name.
pub fn numbers<const D: usize>(name: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
    let mut rng = Seed(1).stream(name);
    let values = (0..shape.iter().product()).map(|_| rng.random_range(-1.0f32..1.0)).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
