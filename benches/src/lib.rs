//! What the benches share: the allocator of the binary, short measurements, tables of a given size.
//!
//! Each bench backs one claim and is named after it, with its sizes. All of them together take less than three
//! minutes on two cores. Criterion gives a point and an interval; ratios are between benches of one run.

use burn::tensor::{Device, Tensor, TensorData};
use criterion::Criterion;
use rand::Rng;
use std::time::Duration;
use weightsmith_base_model::Precision;
use weightsmith_metamodel::{Checkpoint, MetaParams, MetamodelConfig, Pretrained};
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

/// The file of a metamodel of the shipped shape; its parameters are drawn, which costs as much to run as trained ones.
pub fn metamodel_file(task_type: TaskType) -> Vec<u8> {
    let config = MetamodelConfig::standard(task_type);
    let params = MetaParams::draw(&config, Seed(1)).expect("the standard shape is valid");
    let checkpoint = Checkpoint { config, trained: "drawn".into(), params, arrays: vec![] };
    checkpoint.to_bytes(Precision::F16).expect("parameters fit the format")
}

/// A metamodel from the bytes of its file.
pub fn load(file: &[u8]) -> Pretrained {
    Pretrained::from_bytes("drawn", file, &Device::flex()).expect("the bytes are a metamodel's")
}

/// Numbers between -1 and 1, the same for the same name.
pub fn numbers<const D: usize>(name: &str, shape: [usize; D], device: &Device) -> Tensor<D> {
    let mut rng = Seed(1).stream(name);
    let values = (0..shape.iter().product()).map(|_| rng.random_range(-1.0f32..1.0)).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
