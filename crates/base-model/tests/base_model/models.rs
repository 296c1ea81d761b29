//! Models and tables that the tests share.

use rand::Rng;
use std::convert::Infallible;
use std::marker::PhantomData;
use weightsmith_base_model::{
    Activation, Architecture, BaseModel, EncodedColumn, Encoding, ExpectedMetric, ExpectedPerformance,
    HeldOutErrors, HostWeights, Provenance, SupportInfo, TargetUnit, Transform,
};
use weightsmith_tasks::{Column, ColumnType, ColumnValues, Seed, Table, TaskType};

/// Weights of an architecture, uniform in ±1.
pub(crate) fn random_weights(architecture: &Architecture, seed: u64) -> HostWeights {
    let mut rng = Seed(seed).stream("weights");
    let made = HostWeights::from_named(architecture, |_, shape| {
        Ok::<_, Infallible>((0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect())
    });
    made.unwrap()
}

/// An encoding with every transform.
pub(crate) fn encoding() -> Encoding {
    let inputs = vec![
        ("age, in years".to_string(), ColumnType::Numeric),
        ("colour \"🎨\"".to_string(), ColumnType::Categorical),
    ];
    let level = |level: &str| Transform::Level { level: level.to_string(), centre: 0.25 };
    let knots = vec![[-10.5, -2.25], [0.0, -0.1], [3.25, 0.3], [41.0, 1.75]];
    let transforms = [
        (0, Transform::Standard { centre: 37.3, scale: 11.9 }),
        (0, Transform::GaussianRank { knots }),
        (0, Transform::Missing { centre: 0.125 }),
        (1, level("red, \"dark\"")),
        (1, level("grün\nmatt")),
        (
            1,
            Transform::OtherLevel {
                levels: vec!["red, \"dark\"".to_string(), "grün\nmatt".to_string()],
                centre: 0.3,
            },
        ),
        (1, Transform::MissingLevel { centre: 0.2 }),
        (1, Transform::Constant),
    ];
    let columns = transforms.map(|(source, transform)| EncodedColumn { source, transform });
    Encoding::new(inputs, columns.to_vec()).unwrap()
}

/// Rows for [`encoding`]: missing, unseen and extreme values among them, and a level that only looks missing.
pub(crate) fn table() -> Table {
    let ages = vec![38.5, f64::NAN, -1e12, 41.0, f64::NAN, 40.999, f64::NAN, 1e300, -10.5, 0.1];
    let levels = ["red, \"dark\"", "grün\nmatt", "NA", "blue"].map(String::from).to_vec();
    let codes = [0, 1, 2, 9, 3, 0, 9, 1, 1, 2].map(|code| (code < 4).then_some(code)).to_vec();
    let columns = vec![
        Column { name: "colour \"🎨\"".into(), values: ColumnValues::Categorical { levels, codes } },
        Column { name: "age, in years".into(), values: ColumnValues::Numeric(ages) },
    ];
    Table::new(10, columns).unwrap()
}

fn architecture(hidden: Vec<usize>, n_outputs: usize, activation: Activation, skip: bool) -> Architecture {
    Architecture { n_inputs: encoding().n_columns(), hidden, n_outputs, activation, skip }
}

fn model(architecture: Architecture, class_names: &[&str], residual_std: Option<f32>) -> BaseModel {
    let regression = class_names.is_empty();
    BaseModel {
        encoding: encoding(),
        weights: random_weights(&architecture, 5),
        architecture,
        task_type: if regression { TaskType::Regression } else { TaskType::Classification },
        class_names: class_names.iter().map(|name| (*name).to_string()).collect(),
        target_unit: None,
        provenance: Provenance { name: "tabby \"1\"".into(), checksum: "00ff".into() },
        support: SupportInfo { n_rows: 128, checksum: "abcd".into() },
        expected: Some(ExpectedPerformance {
            metric: if regression { ExpectedMetric::Rmse } else { ExpectedMetric::LogLoss },
            value: 0.41,
            low: 0.31,
            high: 0.517,
            residual_std,
        }),
        held_out: HeldOutErrors::of(vec![0.25, 0.125, 0.5]),
        level: PhantomData,
    }
}

/// Three classes, one hidden layer, the skip path.
pub(crate) fn classifier() -> BaseModel {
    model(architecture(vec![6], 3, Activation::Relu, true), &["no, thanks", "\"maybe\"", "yes 👍"], None)
}

/// Two classes, two hidden layers, no skip path.
pub(crate) fn deep_classifier() -> BaseModel {
    model(architecture(vec![5, 4], 2, Activation::Gelu, false), &["0", "1"], None)
}

/// A number, one hidden layer.
pub(crate) fn regressor() -> BaseModel {
    model(architecture(vec![7], 1, Activation::Tanh, true), &[], Some(2.75))
}

/// A number far from 0.
pub(crate) fn distant_regressor() -> BaseModel {
    let target_unit = Some(TargetUnit { centre: 2.5e12, scale: 2.75 });
    BaseModel { target_unit, ..regressor() }
}

/// A number, no hidden layer.
pub(crate) fn linear_regressor() -> BaseModel {
    model(architecture(vec![], 1, Activation::Relu, true), &[], Some(0.5))
}

/// One of each kind.
pub(crate) fn all() -> [BaseModel; 5] {
    [classifier(), deep_classifier(), regressor(), distant_regressor(), linear_regressor()]
}
