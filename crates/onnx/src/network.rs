//! The network, and what its outputs mean.

use crate::graph::{Graph, int, one_double};
use crate::proto::tensor_proto::DataType;
use weightsmith_base_model::{Activation, BaseModel, Matrix};
use weightsmith_tasks::TaskType;

/// Largest magnitude of what reaches a hidden unit, as in the engine.
const LARGEST: f64 = 1e200;

/// Adds network and outputs to a graph; `encoded` is the name of the encoded rows, `double`, `[rows, columns]`.
pub(crate) fn add(graph: &mut Graph, model: &BaseModel, encoded: &str) {
    let weights = &model.weights;
    let n_outputs = weights.output_bias.len();
    let mut outputs = vector(graph, &weights.output_bias);
    if let Some(output) = &weights.output {
        let mut units = encoded.to_string();
        for (layer, hidden) in weights.hidden.iter().enumerate() {
            let bias = vector(graph, &hidden.bias);
            let mut sums = product(graph, &units, &hidden.weight, &bias);
            if layer > 0 {
                // Of encoded rows no sum can overflow.
                sums = clip(graph, &sums, LARGEST);
            }
            units = activate(graph, &sums, weights.activation);
        }
        outputs = product(graph, &units, output, &outputs);
    }
    if let Some(skip) = &weights.skip {
        outputs = product(graph, encoded, skip, &outputs);
    }
    let outputs = clip(graph, &outputs, f64::from(f32::MAX));
    let outputs = graph.cast(&outputs, DataType::Float);
    let outputs = graph.cast(&outputs, DataType::Double); // [rows, outputs]
    match model.task_type {
        TaskType::Classification => classes(graph, &outputs, &model.class_names),
        TaskType::Regression => {
            debug_assert_eq!(n_outputs, 1, "a regression has one output");
            values(graph, &outputs, model);
        }
    }
}

fn classes(graph: &mut Graph, logits: &str, class_names: &[String]) {
    let shares = graph.node("Softmax", &[logits], vec![int("axis", 1)]);
    let probabilities = graph.cast(&shares, DataType::Float);
    let best = graph.node("ArgMax", &[&probabilities], vec![int("axis", 1), int("keepdims", 0)]);
    let names = graph.texts(class_names);
    let label = graph.node("Gather", &[&names, &best], vec![int("axis", 0)]);
    graph.output(&label, "label", DataType::String, None);
    graph.output(&probabilities, "probabilities", DataType::Float, Some(class_names.len()));
}

fn values(graph: &mut Graph, outputs: &str, model: &BaseModel) {
    let axis = graph.ints(&[1]);
    let mut value = graph.node("Squeeze", &[outputs, &axis], vec![]); // [rows]
    if let Some(unit) = &model.target_unit {
        let (centre, scale) = (graph.double(unit.centre), graph.double(unit.scale));
        value = graph.node("Mul", &[&value, &scale], vec![]);
        value = graph.node("Add", &[&value, &centre], vec![]);
        value = clip(graph, &value, f64::MAX);
    }
    graph.output(&value, "prediction", DataType::Double, None);
    if let Some(std) = model.expected.as_ref().and_then(|expected| expected.residual_std) {
        let shape = graph.node("Shape", &[&value], vec![]);
        let std = graph.node("ConstantOfShape", &[&shape], vec![one_double("value", std.into())]);
        graph.output(&std, "std", DataType::Double, None);
    }
}

/// `x Wᵀ + bias`, in 64 bits, of weights that are stored in 32.
fn product(graph: &mut Graph, x: &str, weight: &Matrix, bias: &str) -> String {
    let weight = graph.floats(&[weight.n_rows, weight.n_columns], &weight.values);
    let weight = graph.cast(&weight, DataType::Double);
    graph.node("Gemm", &[x, &weight, bias], vec![int("transB", 1)])
}

fn vector(graph: &mut Graph, values: &[f32]) -> String {
    let vector = graph.floats(&[values.len()], values);
    graph.cast(&vector, DataType::Double)
}

fn clip(graph: &mut Graph, value: &str, largest: f64) -> String {
    let (low, high) = (graph.double(-largest), graph.double(largest));
    graph.node("Clip", &[value, &low, &high], vec![])
}

fn activate(graph: &mut Graph, sums: &str, activation: Activation) -> String {
    match activation {
        Activation::Relu => graph.node("Relu", &[sums], vec![]),
        Activation::Tanh => graph.node("Tanh", &[sums], vec![]),
        Activation::Gelu => {
            let (root, one, two) =
                (graph.double(std::f64::consts::SQRT_2), graph.double(1.0), graph.double(2.0));
            let scaled = graph.node("Div", &[sums, &root], vec![]);
            // Runtimes have the error function of 32-bit numbers alone; it is at most 1, so that little is lost.
            let scaled = graph.cast(&scaled, DataType::Float);
            let error = graph.node("Erf", &[&scaled], vec![]);
            let error = graph.cast(&error, DataType::Double);
            let share = graph.node("Add", &[&error, &one], vec![]);
            let product = graph.node("Mul", &[sums, &share], vec![]);
            graph.node("Div", &[&product, &two], vec![])
        }
    }
}
