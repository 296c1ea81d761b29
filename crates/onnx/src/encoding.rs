//! The encoding: from columns to the network's inputs.
//!
//! All numeric inputs are one matrix. The columns of each kind of transform are computed at once from a part of it, those of
//! a categorical input are a row of a table that its level selects, and a last step puts all into the encoding's order.

use crate::graph::{Graph, int, ints, texts};
use crate::proto::tensor_proto::DataType;
use weightsmith_base_model::{EncodedColumn, Encoding, Transform};
use weightsmith_tasks::ColumnType;

/// How far from the centre, in scales, a value may be.
const FURTHEST: f64 = 1e9;
/// Where the smooth clip bends.
const BEND: f64 = 4.0;
/// What shares are divided by.
const HALF: f64 = 0.5;

/// Encoded columns as they come about, with their places in the encoding.
#[derive(Default)]
struct Parts {
    names: Vec<String>,
    places: Vec<usize>,
}

impl Parts {
    fn push(&mut self, name: String, places: impl IntoIterator<Item = usize>) {
        self.names.push(name);
        self.places.extend(places);
    }
}

/// Adds inputs and encoding to a graph; returns the name of the encoded rows, `double`, `[rows, columns]`.
pub(crate) fn add(graph: &mut Graph, encoding: &Encoding) -> String {
    let inputs = encoding.inputs();
    for (name, column_type) in inputs {
        let data_type = match column_type {
            ColumnType::Numeric => DataType::Double,
            ColumnType::Categorical => DataType::String,
        };
        graph.input(name, data_type);
    }
    let numeric: Vec<usize> =
        (0..inputs.len()).filter(|&input| inputs[input].1 == ColumnType::Numeric).collect();
    let columns = || encoding.columns().iter().enumerate();
    let mut parts = Parts::default();
    if !numeric.is_empty() {
        let names: Vec<&str> = numeric.iter().map(|&input| inputs[input].0.as_str()).collect();
        let matrix = graph.node("Concat", &names, vec![int("axis", 1)]);
        let reading = |wanted: fn(&Transform) -> bool| -> Vec<(usize, i64, &Transform)> {
            let place = |source: usize| numeric.binary_search(&source).ok().map(|place| place as i64);
            columns()
                .filter(|(_, column)| wanted(&column.transform))
                .filter_map(|(at, column)| Some((at, place(column.source)?, &column.transform)))
                .collect()
        };
        standard(graph, &matrix, &reading(|of| matches!(of, Transform::Standard { .. })), &mut parts);
        ranks(graph, &matrix, &reading(|of| matches!(of, Transform::GaussianRank { .. })), &mut parts);
        missing(
            graph,
            &matrix,
            &reading(|of| matches!(of, Transform::Missing { .. } | Transform::Constant)),
            &mut parts,
        );
    }
    for (input, (name, column_type)) in inputs.iter().enumerate() {
        let own: Vec<(usize, &EncodedColumn)> =
            columns().filter(|(_, column)| column.source == input).collect();
        if *column_type == ColumnType::Categorical && !own.is_empty() {
            levels(graph, name, &own, &mut parts);
        }
    }
    let names: Vec<&str> = parts.names.iter().map(String::as_str).collect();
    let joined = graph.node("Concat", &names, vec![int("axis", 1)]);
    let order: Vec<i64> = (0..encoding.n_columns())
        .map(|column| {
            let place = parts.places.iter().position(|place| *place == column);
            place.expect("every transform reads an input of a type that was gone through") as i64
        })
        .collect();
    let ordered = select(graph, &joined, &order);
    // The engine's encoded rows are 32-bit numbers, too.
    let rounded = graph.cast(&ordered, DataType::Float);
    graph.cast(&rounded, DataType::Double)
}

/// Columns of a matrix.
fn select(graph: &mut Graph, matrix: &str, columns: &[i64]) -> String {
    let columns = graph.ints(columns);
    graph.node("Gather", &[matrix, &columns], vec![int("axis", 1)])
}

/// A part of the numeric columns, and where they are NaN.
fn selected(graph: &mut Graph, matrix: &str, wanted: &[(usize, i64, &Transform)]) -> (String, String) {
    let sources: Vec<i64> = wanted.iter().map(|(_, source, _)| *source).collect();
    let values = select(graph, matrix, &sources);
    let is_missing = graph.node("IsNaN", &[&values], vec![]);
    (values, is_missing)
}

/// `z / sqrt(1 + (z / 4)²)` of `z = (value - centre) / scale`, 0 where it is missing.
fn standard(graph: &mut Graph, matrix: &str, wanted: &[(usize, i64, &Transform)], parts: &mut Parts) {
    let (centres, scales): (Vec<f64>, Vec<f64>) = wanted
        .iter()
        .filter_map(|(.., transform)| match transform {
            Transform::Standard { centre, scale } => Some((*centre, *scale)),
            _ => None,
        })
        .unzip();
    if centres.is_empty() {
        return;
    }
    let (values, is_missing) = selected(graph, matrix, wanted);
    let centre = graph.doubles(&[centres.len()], centres);
    let scale = graph.doubles(&[scales.len()], scales);
    let (low, high) = (graph.double(-FURTHEST), graph.double(FURTHEST));
    let (bend, one, zero) = (graph.double(BEND), graph.double(1.0), graph.double(0.0));
    let distance = graph.node("Sub", &[&values, &centre], vec![]);
    let distance = graph.node("Div", &[&distance, &scale], vec![]);
    let distance = graph.node("Clip", &[&distance, &low, &high], vec![]);
    let bent = graph.node("Div", &[&distance, &bend], vec![]);
    let bent = graph.node("Mul", &[&bent, &bent], vec![]);
    let bent = graph.node("Add", &[&bent, &one], vec![]);
    let bent = graph.node("Sqrt", &[&bent], vec![]);
    let clipped = graph.node("Div", &[&distance, &bent], vec![]);
    let encoded = graph.node("Where", &[&is_missing, &zero, &clipped], vec![]);
    parts.push(encoded, wanted.iter().map(|(at, ..)| *at));
}

/// Piecewise linear through the knots: the first score, and of each step between two knots the part that the value is
/// past. Each part lies between 0 and 1, so that no digits are lost.
fn ranks(graph: &mut Graph, matrix: &str, wanted: &[(usize, i64, &Transform)], parts: &mut Parts) {
    let knots: Vec<&[[f64; 2]]> = wanted
        .iter()
        .filter_map(|(.., transform)| match transform {
            Transform::GaussianRank { knots } => Some(knots.as_slice()),
            _ => None,
        })
        .collect();
    let Some(n_steps) = knots.iter().map(|knots| knots.len().saturating_sub(1).max(1)).max() else { return };
    let mut shapes: [Vec<f64>; 3] = Default::default();
    for knots in &knots {
        for step in 0..n_steps {
            // Those that a column has fewer than others add nothing.
            let pair = knots.get(step).zip(knots.get(step + 1));
            let [begin, width, height] = pair.map_or([0.0, 1.0, 0.0], |(from, to)| step_between(*from, *to));
            shapes[0].push(begin);
            shapes[1].push(width);
            shapes[2].push(height);
        }
    }
    let (values, is_missing) = selected(graph, matrix, wanted);
    let shape = [knots.len(), n_steps];
    let [begins, widths, heights] = shapes.map(|numbers| graph.doubles(&shape, numbers));
    let firsts = graph.doubles(&[knots.len()], knots.iter().map(|knots| knots[0][1]));
    let (two, zero, one) = (graph.double(2.0), graph.double(0.0), graph.double(1.0));
    let last = graph.ints(&[2]);
    let halved = graph.node("Div", &[&values, &two], vec![]);
    let halved = graph.node("Unsqueeze", &[&halved, &last], vec![]);
    let past = graph.node("Sub", &[&halved, &begins], vec![]);
    let part = graph.node("Div", &[&past, &widths], vec![]);
    let part = graph.node("Clip", &[&part, &zero, &one], vec![]);
    let rise = graph.node("Mul", &[&part, &heights], vec![]);
    let risen = graph.node("ReduceSum", &[&rise, &last], vec![int("keepdims", 0)]);
    let scores = graph.node("Add", &[&risen, &firsts], vec![]);
    let encoded = graph.node("Where", &[&is_missing, &zero, &scores], vec![]);
    parts.push(encoded, wanted.iter().map(|(at, ..)| *at));
}

/// Half of where a step begins, half of its width, and its height. Halves, since two knots may be further apart than 64 bits
/// reach; there the engine stays at the lower score up to the upper knot.
fn step_between(from: [f64; 2], to: [f64; 2]) -> [f64; 3] {
    let begin = if (to[0] - from[0]).is_finite() { from[0] } else { to[0].next_down() };
    [begin / 2.0, to[0] / 2.0 - begin / 2.0, to[1] - from[1]]
}

/// `(is - centre) / 0.5` of whether a number is missing; 0 of a constant.
fn missing(graph: &mut Graph, matrix: &str, wanted: &[(usize, i64, &Transform)], parts: &mut Parts) {
    if wanted.is_empty() {
        return;
    }
    let (gains, offsets): (Vec<f64>, Vec<f64>) = wanted
        .iter()
        .map(|(.., transform)| match transform {
            Transform::Missing { centre } => (1.0 / HALF, -centre / HALF),
            _ => (0.0, 0.0),
        })
        .unzip();
    let (_, is_missing) = selected(graph, matrix, wanted);
    let indicator = graph.cast(&is_missing, DataType::Double);
    let gain = graph.doubles(&[gains.len()], gains);
    let offset = graph.doubles(&[offsets.len()], offsets);
    let scaled = graph.node("Mul", &[&indicator, &gain], vec![]);
    let encoded = graph.node("Add", &[&scaled, &offset], vec![]);
    parts.push(encoded, wanted.iter().map(|(at, ..)| *at));
}

/// What a categorical field can be.
#[derive(Copy, Clone, PartialEq)]
enum Level<'a> {
    Known(&'a str),
    Missing,
    Unseen,
}

/// The encoded columns of one categorical input: its level is looked up, and selects a row of a table.
fn levels(graph: &mut Graph, input: &str, own: &[(usize, &EncodedColumn)], parts: &mut Parts) {
    let named = own.iter().flat_map(|(_, column)| match &column.transform {
        Transform::Level { level, .. } => std::slice::from_ref(level),
        Transform::OtherLevel { levels, .. } => levels.as_slice(),
        _ => &[],
    });
    let mut names: Vec<&str> = named.map(String::as_str).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    let n_names = names.len() as i64;
    let keys = names.iter().map(|name| name.to_string()).chain([String::new()]);
    let attributes = vec![
        texts("keys_strings", keys),
        ints("values_int64s", (0..=n_names).collect()),
        int("default_int64", n_names + 1),
    ];
    let rows = names.iter().map(|name| Level::Known(name)).chain([Level::Missing, Level::Unseen]);
    let table: Vec<f64> = rows
        .flat_map(|level| own.iter().map(move |(_, column)| encoded_level(&column.transform, level)))
        .collect();
    let table = graph.doubles(&[names.len() + 2, own.len()], table);
    let axis = graph.ints(&[1]);
    let codes = graph.ml_node("LabelEncoder", &[input], attributes);
    let rows = graph.node("Gather", &[&table, &codes], vec![int("axis", 0)]); // [rows, 1, columns]
    let rows = graph.node("Squeeze", &[&rows, &axis], vec![]); // [rows, columns]
    parts.push(rows, own.iter().map(|(at, _)| *at));
}

fn encoded_level(transform: &Transform, field: Level<'_>) -> f64 {
    let (is, centre) = match transform {
        Transform::Level { level, centre } => (field == Level::Known(level), centre),
        Transform::OtherLevel { levels, centre } => {
            let has_own = levels.iter().any(|level| field == Level::Known(level));
            (!has_own && field != Level::Missing, centre)
        }
        Transform::MissingLevel { centre } => (field == Level::Missing, centre),
        _ => return 0.0,
    };
    (f64::from(u8::from(is)) - centre) / HALF
}
