//! A graph of operators as it grows: nodes, constants, and names that no two values share.

use crate::proto::attribute_proto::AttributeType;
use crate::proto::tensor_proto::DataType;
use crate::proto::tensor_shape_proto::{Dimension, dimension};
use crate::proto::{
    AttributeProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    type_proto,
};
use std::collections::HashSet;

/// The domain of the operators of machine learning.
pub(crate) const ML_DOMAIN: &str = "ai.onnx.ml";
/// What the number of rows is called.
const ROWS: &str = "rows";

/// Values are named by the texts that this gives.
pub(crate) struct Graph {
    message: GraphProto,
    names: HashSet<String>,
}

impl Graph {
    /// An empty graph, whose inputs will have these names.
    pub(crate) fn new<'a>(inputs: impl Iterator<Item = &'a str>) -> Self {
        let message = GraphProto { name: Some("weightsmith".to_string()), ..GraphProto::default() };
        Self { message, names: inputs.map(str::to_string).collect() }
    }

    pub(crate) fn into_message(self) -> GraphProto {
        self.message
    }

    /// Declares an input of one column.
    pub(crate) fn input(&mut self, name: &str, data_type: DataType) {
        self.message.input.push(value_info(name, data_type, &[None, Some(1)]));
    }

    /// Declares a value as an output with this name, followed by underscores if it is taken.
    pub(crate) fn output(&mut self, value: &str, name: &str, data_type: DataType, width: Option<usize>) {
        let mut name = name.to_string();
        while !self.names.insert(name.clone()) {
            name.push('_');
        }
        self.push("Identity", "", &[value], vec![], name.clone());
        let shape: Vec<Option<i64>> =
            std::iter::once(None).chain(width.map(|width| Some(width as i64))).collect();
        self.message.output.push(value_info(&name, data_type, &shape));
    }

    /// Adds an operator with one output; its name is returned.
    pub(crate) fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let name = self.fresh(operator);
        self.push(operator, "", inputs, attributes, name.clone());
        name
    }

    /// The same of an operator of machine learning.
    pub(crate) fn ml_node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        let name = self.fresh(operator);
        self.push(operator, ML_DOMAIN, inputs, attributes, name.clone());
        name
    }

    /// A value as another type.
    pub(crate) fn cast(&mut self, value: &str, to: DataType) -> String {
        self.node("Cast", &[value], vec![int("to", to as i64)])
    }

    /// A constant of 64-bit numbers.
    pub(crate) fn doubles(&mut self, shape: &[usize], values: impl IntoIterator<Item = f64>) -> String {
        let bytes = values.into_iter().flat_map(f64::to_le_bytes).collect();
        self.constant(shape, DataType::Double, |tensor| tensor.raw_data = Some(bytes))
    }

    /// A single 64-bit number.
    pub(crate) fn double(&mut self, value: f64) -> String {
        self.doubles(&[], [value])
    }

    /// A constant of 32-bit numbers.
    pub(crate) fn floats(&mut self, shape: &[usize], values: &[f32]) -> String {
        let bytes = values.iter().copied().flat_map(f32::to_le_bytes).collect();
        self.constant(shape, DataType::Float, |tensor| tensor.raw_data = Some(bytes))
    }

    /// A list of whole numbers.
    pub(crate) fn ints(&mut self, values: &[i64]) -> String {
        let bytes = values.iter().copied().flat_map(i64::to_le_bytes).collect();
        self.constant(&[values.len()], DataType::Int64, |tensor| tensor.raw_data = Some(bytes))
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, values: &[String]) -> String {
        let texts = values.iter().map(|text| text.clone().into_bytes()).collect();
        self.constant(&[values.len()], DataType::String, |tensor| tensor.string_data = texts)
    }

    fn constant(
        &mut self,
        shape: &[usize],
        data_type: DataType,
        fill: impl FnOnce(&mut TensorProto),
    ) -> String {
        let name = self.fresh("Constant");
        let mut tensor = tensor(shape, data_type);
        tensor.name = Some(name.clone());
        fill(&mut tensor);
        self.message.initializer.push(tensor);
        name
    }

    fn push(
        &mut self,
        operator: &str,
        domain: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
        output: String,
    ) {
        self.message.node.push(NodeProto {
            name: Some(output.clone()),
            op_type: Some(operator.to_string()),
            domain: Some(domain.to_string()),
            input: inputs.iter().map(|name| name.to_string()).collect(),
            output: vec![output],
            attribute: attributes,
            ..NodeProto::default()
        });
    }

    /// A name that no value has yet.
    fn fresh(&mut self, what: &str) -> String {
        let mut number = self.message.node.len() + self.message.initializer.len();
        loop {
            let name = format!("weightsmith/{what}_{number}");
            if self.names.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }
}

/// An attribute that is a whole number.
pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) }
}

/// An attribute that is a list of whole numbers.
pub(crate) fn ints(name: &str, values: Vec<i64>) -> AttributeProto {
    AttributeProto { ints: values, ..attribute(name, AttributeType::Ints) }
}

/// An attribute that is a list of texts.
pub(crate) fn texts(name: &str, values: impl IntoIterator<Item = String>) -> AttributeProto {
    let strings = values.into_iter().map(String::into_bytes).collect();
    AttributeProto { strings, ..attribute(name, AttributeType::Strings) }
}

/// An attribute that is a tensor of one 64-bit number.
pub(crate) fn one_double(name: &str, value: f64) -> AttributeProto {
    let mut tensor = tensor(&[1], DataType::Double);
    tensor.raw_data = Some(value.to_le_bytes().to_vec());
    AttributeProto { t: Some(tensor), ..attribute(name, AttributeType::Tensor) }
}

fn attribute(name: &str, of: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.to_string()), r#type: Some(of as i32), ..AttributeProto::default() }
}

fn tensor(shape: &[usize], data_type: DataType) -> TensorProto {
    TensorProto {
        dims: shape.iter().map(|width| *width as i64).collect(),
        data_type: Some(data_type as i32),
        ..TensorProto::default()
    }
}

/// A value's type and shape; a dimension without a number is that of the rows.
fn value_info(name: &str, data_type: DataType, shape: &[Option<i64>]) -> ValueInfoProto {
    let dimension = |width: &Option<i64>| Dimension {
        value: Some(
            width.map_or_else(|| dimension::Value::DimParam(ROWS.to_string()), dimension::Value::DimValue),
        ),
        ..Dimension::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: Some(data_type as i32),
        shape: Some(TensorShapeProto { dim: shape.iter().map(dimension).collect() }),
    };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto {
        name: Some(name.to_string()),
        r#type: Some(TypeProto { value, ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}
