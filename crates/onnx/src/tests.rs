//! The shape of the written message: names, types, order. What it computes is held to ONNX Runtime by the tests of
//! `crates/python`.

use super::*;
use std::collections::HashSet;
use weightsmith_base_model::{Architecture, EncodedColumn, Encoding, HostWeights, Transform};
use weightsmith_base_model::{Provenance, SupportInfo};
use weightsmith_tasks::ColumnType;

/// A network of every transform, with a number called `label` and a column of names.
fn model() -> BaseModel {
    let level = |level: &str| Transform::Level { level: level.into(), centre: 0.5 };
    let column = |source, transform| EncodedColumn { source, transform };
    let columns = vec![
        column(0, Transform::Standard { centre: 1.0, scale: 2.0 }),
        column(1, level("red")),
        column(0, Transform::GaussianRank { knots: vec![[0.0, -1.0], [1.0, 0.0], [5.0, 1.0]] }),
        column(1, Transform::OtherLevel { levels: vec!["red".into()], centre: 0.25 }),
        column(0, Transform::Missing { centre: 0.1 }),
        column(1, Transform::MissingLevel { centre: 0.1 }),
        column(0, Transform::Constant),
    ];
    let inputs = vec![("label".into(), ColumnType::Numeric), ("colour".into(), ColumnType::Categorical)];
    let encoding = Encoding::new(inputs, columns).unwrap();
    let architecture = Architecture { hidden: vec![3], ..Architecture::linear(encoding.n_columns(), 2) };
    let weights = HostWeights::from_named(&architecture, |_, shape| {
        Ok::<_, OnnxError>(vec![0.5; shape.iter().product()])
    });
    BaseModel {
        encoding,
        task_type: TaskType::Classification,
        class_names: vec!["a".into(), "b".into()],
        weights: weights.unwrap(),
        architecture,
        target_unit: None,
        provenance: Provenance { name: "test".into(), checksum: String::new() },
        support: SupportInfo { n_rows: 4, checksum: String::new() },
        expected: None,
        held_out: None,
        level: std::marker::PhantomData,
    }
}

fn written(model: &BaseModel) -> ModelProto {
    ModelProto::decode(to_onnx(model).unwrap().as_slice()).unwrap()
}

#[test]
fn every_value_is_named_once_and_made_before_it_is_read() {
    let graph = written(&model()).graph.unwrap();
    let mut known = HashSet::new();
    let mut made = |name: &str| assert!(known.insert(name.to_string()), "{name} twice");
    graph.input.iter().for_each(|input| made(input.name()));
    graph.initializer.iter().for_each(|constant| made(constant.name()));
    for node in &graph.node {
        for input in &node.input {
            assert!(known.contains(input), "{} reads {input}", node.name());
        }
        for output in &node.output {
            assert!(known.insert(output.clone()), "{output} twice");
        }
    }
    for output in &graph.output {
        assert!(known.contains(output.name()), "{} comes from nowhere", output.name());
    }
    assert!(graph.node.len() > 20);
}

#[test]
fn columns_are_inputs_and_outputs_give_way_to_them() {
    let model = model();
    let message = written(&model);
    let graph = message.graph.unwrap();
    let names = |values: &[proto::ValueInfoProto]| -> Vec<String> {
        values.iter().map(|value| value.name().to_string()).collect()
    };
    assert_eq!(names(&graph.input), ["label", "colour"]);
    assert_eq!(names(&graph.output), ["label_", "probabilities"]);
    let operators: Vec<(&str, i64)> =
        message.opset_import.iter().map(|set| (set.domain(), set.version())).collect();
    assert_eq!(operators, [("", 17), ("ai.onnx.ml", 3)]);
    assert_eq!(to_onnx(&model).unwrap(), to_onnx(&model).unwrap());
}

#[test]
fn a_column_without_a_name_is_told() {
    let mut model = model();
    let inputs = vec![(String::new(), ColumnType::Numeric), ("colour".into(), ColumnType::Categorical)];
    model.encoding = Encoding::new(inputs, model.encoding.columns().to_vec()).unwrap();
    assert!(to_onnx(&model).unwrap_err().to_string().contains("no name"));
}
