//! The learned starts that are shipped inside the binary; `models/starts` has the configuration of each.

use weightsmith_tasks::TaskType;
use weightsmith_training::{StartAlgorithm, StartFile};

/// A learned start in the binary.
#[derive(Copy, Clone, Debug)]
pub struct ShippedStart {
    /// The name of its files under `models/starts`.
    pub name: &'static str,
    bytes: &'static [u8],
}

impl ShippedStart {
    /// What its file holds.
    ///
    /// # Panics
    /// Never: a test reads every shipped file.
    pub fn read(&self) -> StartFile {
        StartFile::from_bytes(self.bytes).expect("shipped starts are read in a test")
    }
}

macro_rules! start {
    ($name:literal) => {
        ShippedStart {
            name: $name,
            bytes: include_bytes!(concat!("../../../models/starts/", $name, ".safetensors")),
        }
    };
}

/// The starts of the sinusoid benchmark, in the order of its table.
pub fn sinusoid_starts() -> &'static [ShippedStart] {
    &[
        start!("maml"),
        start!("first-order-maml"),
        start!("reptile"),
        start!("anil"),
        start!("meta-sgd"),
        start!("maml-5-steps"),
        start!("ridge-head"),
        start!("cavia"),
        start!("pretrained"),
        start!("oracle"),
        start!("maml-frequencies"),
        start!("meta-sgd-frequencies"),
    ]
}

/// The start that was learned by an algorithm on synthetic tables of a type.
///
/// # Panics
/// If none is shipped: there are those of MAML, Reptile and ANIL.
pub fn table_start(algorithm: StartAlgorithm, task_type: TaskType) -> ShippedStart {
    use StartAlgorithm::{Anil, Maml, Reptile};
    match (task_type, algorithm) {
        (TaskType::Classification, Maml) => start!("classification-maml"),
        (TaskType::Classification, Reptile) => start!("classification-reptile"),
        (TaskType::Classification, Anil) => start!("classification-anil"),
        (TaskType::Regression, Maml) => start!("regression-maml"),
        (TaskType::Regression, Reptile) => start!("regression-reptile"),
        (TaskType::Regression, Anil) => start!("regression-anil"),
        (_, other) => panic!("no start of {} is shipped for tables", other.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_starts_are_whole_trainings_of_their_configurations() {
        let algorithms = [StartAlgorithm::Maml, StartAlgorithm::Reptile, StartAlgorithm::Anil];
        let tables = [TaskType::Classification, TaskType::Regression]
            .into_iter()
            .flat_map(|task_type| algorithms.map(|algorithm| table_start(algorithm, task_type)));
        for shipped in sinusoid_starts().iter().copied().chain(tables) {
            let file = shipped.read();
            assert_eq!(file.iteration, file.config.n_iterations, "{}", shipped.name);
            assert_eq!(file.moments, None, "{}", shipped.name);
        }
    }
}
