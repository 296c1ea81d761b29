//! Metamodels that have learned nothing, and supports for them.

use crate::tables::{Sizes, support};
use burn::tensor::Device;
use weightsmith_base_model::Precision;
use weightsmith_metamodel::{Checkpoint, MetaParams, MetamodelConfig, Pretrained};
use weightsmith_tasks::{Seed, Support, Table, TaskType};

/// The first `n_support` rows to read, and the features of the others.
pub(crate) fn split(sizes: Sizes, n_support: usize) -> (Support, Table) {
    let all = support(sizes);
    let (few, rest): (Vec<usize>, Vec<usize>) = (0..sizes.n_rows).partition(|row| *row < n_support);
    (all.select(&few), all.table().select(&rest))
}

/// A tiny metamodel with parameters drawn from `seed`.
pub(crate) fn checkpoint(task_type: TaskType, seed: u64) -> Checkpoint {
    let config = MetamodelConfig::tiny(task_type);
    let params = MetaParams::draw(&config, Seed(seed)).unwrap();
    Checkpoint { config, trained: "not at all".into(), params, arrays: vec![] }
}

/// [`checkpoint`], by way of its file.
pub(crate) fn pretrained(task_type: TaskType, seed: u64) -> Pretrained {
    let bytes = checkpoint(task_type, seed).to_bytes(Precision::F32).unwrap();
    Pretrained::from_bytes("drawn", &bytes, &Device::flex()).unwrap()
}
