//! Networks: generated, stored, and asked for predictions.

use crate::refused;
use crate::rows::{Rows, kind_of, numbers, whole_numbers};
use crate::worker::interruptible;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use std::path::PathBuf;
use std::sync::Arc;
use weightsmith::{
    Dataset, Generated, Generator, Precision, Predicted, SelectMode, Standing, Steps, Target, TextColumns,
};

/// A network for the rows of one small table.
#[pyclass(frozen, module = "weightsmith._core")]
pub struct Network {
    network: Arc<weightsmith::Network>,
    /// Columns that were left out, with the reason.
    left_out: Vec<(String, String)>,
    /// Positions, from 0, of rows that were left out.
    dropped: Vec<usize>,
}

impl From<weightsmith::Network> for Network {
    fn from(network: weightsmith::Network) -> Self {
        Self { network: Arc::new(network), left_out: vec![], dropped: vec![] }
    }
}

impl Network {
    pub(crate) fn inner(&self) -> &weightsmith::Network {
        &self.network
    }
}

/// Labels as Python gives them: numbers, or positions in `classes`.
pub(crate) fn target(
    py: Python<'_>,
    labels: &Bound<'_, PyAny>,
    classes: Option<Vec<String>>,
) -> PyResult<Target> {
    Ok(match classes {
        None => Target::Values(numbers(py, labels)?),
        Some(class_names) => {
            let labels = whole_numbers(py, labels)?;
            // A position below 0 is none of any class, and is told as such.
            let labels =
                labels.into_iter().map(|label| usize::try_from(label).unwrap_or(usize::MAX)).collect();
            Target::Classes { class_names, labels }
        }
    })
}

#[pymethods]
impl Network {
    /// Generates the weights of a network from rows and their labels: float64 values, or int64 positions in `classes`.
    /// `steps` is a number of inner steps, or none for as many as pay on rows held out; `milliseconds` of a core are then
    /// what deciding about them and taking them may cost, or none for what the number of rows is worth. `text` are the columns
    /// that are read as running text; an empty list are those that look like it. `select` is what is left out: "off", "rows", "columns" or
    /// "both".
    #[staticmethod]
    #[pyo3(signature = (rows, labels, classes=None, *, metamodel=None, views=8, trees=100, steps=None, milliseconds=None, refine=false, seed=0, text=None, select="off"))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn generate(
        py: Python<'_>,
        rows: &Rows,
        labels: &Bound<'_, PyAny>,
        classes: Option<Vec<String>>,
        metamodel: Option<String>,
        views: usize,
        trees: usize,
        steps: Option<usize>,
        milliseconds: Option<u64>,
        refine: bool,
        seed: u64,
        text: Option<Vec<String>>,
        select: &str,
    ) -> PyResult<Self> {
        let target = target(py, labels, classes)?;
        let data = Dataset::from_table(rows.table.as_ref().clone(), target).map_err(refused)?;
        let steps = match (steps, milliseconds) {
            (Some(n_steps), _) => Steps::Fixed(n_steps),
            (None, Some(milliseconds)) => Steps::Within { milliseconds },
            (None, None) => Steps::Decided,
        };
        let mode = SelectMode::ALL.into_iter().find(|mode| mode.name() == select).ok_or_else(|| {
            PyValueError::new_err(format!(
                "select is {select:?}; give \"off\", \"rows\", \"columns\" or \"both\""
            ))
        })?;
        let mut generator = Generator::default()
            .views(views)
            .trees(trees)
            .steps(steps)
            .refine(refine)
            .select(mode)
            .seed(seed);
        if let Some(metamodel) = metamodel {
            generator = generator.metamodel(metamodel);
        }
        let which = text.map(|names| match names.is_empty() {
            true => TextColumns::Recognised,
            false => TextColumns::Named(names),
        });
        let generated = interruptible(py, move || match which {
            None => generator.generate(&data),
            Some(which) => generator.generate(&data.with_texts(&which)?),
        })?
        .map_err(refused)?;
        let Generated { network, selection, columns, .. } = generated;
        let left_out = columns.map_or_else(Vec::new, |chosen| {
            let judged = chosen.judged.columns.iter().enumerate();
            let kept = chosen.kept();
            let left_out = judged.filter(|(at, _)| !kept.contains(at));
            left_out.map(|(_, judged)| (judged.column.clone(), judged.reason.clone())).collect()
        });
        let dropped = selection.map_or_else(Vec::new, |selection| {
            let dropped = selection.rows.iter().filter(|row| row.standing == Standing::Dropped);
            dropped.map(|row| row.row - 1).collect()
        });
        Ok(Self { left_out, dropped, ..network.into() })
    }

    /// The columns that were left out when the network was generated, with the reason; empty for a network from a file.
    #[getter]
    fn left_out(&self) -> Vec<(String, String)> {
        self.left_out.clone()
    }

    /// Positions, from 0, of the rows that were left out; empty for a network from a file.
    #[getter]
    fn dropped(&self) -> Vec<usize> {
        self.dropped.clone()
    }

    /// The network of a `.safetensors` file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(py.detach(|| weightsmith::Network::load(path)).map_err(refused)?.into())
    }

    /// The network of the bytes of such a file.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        Ok(weightsmith::Network::from_bytes(bytes).map_err(refused)?.into())
    }

    /// Writes a `.safetensors` file, whole or not at all.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.network.save(path)).map_err(refused)
    }

    /// The bytes of such a file; the same network gives the same bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.network.to_bytes(Precision::F32).map_err(refused)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The bytes of an ONNX model that does all that `predict` does.
    fn to_onnx<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.network.to_onnx().map_err(refused)?))
    }

    /// Predictions of rows: the bytes of float32 probabilities, a row after the other, or of float64 values.
    fn predict<'py>(&self, py: Python<'py>, rows: &Rows) -> PyResult<Bound<'py, PyBytes>> {
        let (network, table) = (self.network.clone(), rows.table.clone());
        let predictions = interruptible(py, move || network.predict(&table))?.map_err(refused)?;
        Ok(match predictions.predicted() {
            Predicted::Probabilities { values, .. } => bytes_of(py, values, f32::to_ne_bytes),
            Predicted::Values(values) => bytes_of(py, values, f64::to_ne_bytes),
        })
    }

    /// What the first layer reads of rows: the bytes of float32 numbers, a row after the other.
    fn encode<'py>(&self, py: Python<'py>, rows: &Rows) -> PyResult<Bound<'py, PyBytes>> {
        let encoded = self.network.base_model().encoding.encode(&rows.table).map_err(refused)?;
        Ok(bytes_of(py, &encoded.values, f32::to_ne_bytes))
    }

    /// Names and kinds of the columns that it reads.
    #[getter]
    fn inputs(&self) -> Vec<(String, &'static str)> {
        self.network.inputs().iter().map(|(name, of)| (name.clone(), kind_of(*of))).collect()
    }

    /// "classification" or "regression".
    #[getter]
    fn task_type(&self) -> String {
        self.network.task_type().to_string()
    }

    /// The names of the classes, in the order of the probabilities.
    #[getter]
    fn class_names(&self) -> Vec<String> {
        self.network.class_names().to_vec()
    }

    /// The function of its hidden units: "relu", "tanh" or "gelu".
    #[getter]
    fn activation(&self) -> String {
        format!("{:?}", self.network.weights().activation).to_lowercase()
    }

    /// Centre and scale of a regression's outputs; none where they are values already.
    #[getter]
    fn target_unit(&self) -> Option<(f64, f64)> {
        self.network.base_model().target_unit.map(|unit| (unit.centre, unit.scale))
    }

    /// Metric, estimate, both ends of its 90 % interval, and the standard deviation of a regression's errors.
    #[getter]
    fn expected_performance(&self) -> Option<(&'static str, f64, f64, f64, Option<f64>)> {
        self.network.expected_performance().map(|expected| {
            let [value, low, high] = [expected.value, expected.low, expected.high].map(f64::from);
            (expected.metric.label(), value, low, high, expected.residual_std.map(f64::from))
        })
    }

    /// Name, shape and float32 bytes of every tensor.
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> Vec<(String, Vec<usize>, Bound<'py, PyBytes>)> {
        let named = self.network.weights().named();
        let tensor =
            |(name, shape, values): (_, _, &[f32])| (name, shape, bytes_of(py, values, f32::to_ne_bytes));
        named.into_iter().map(tensor).collect()
    }

    /// How pickle makes it again.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let make = py.get_type::<Self>().getattr("from_bytes")?;
        Ok((make, PyTuple::new(py, [self.to_bytes(py)?])?))
    }
}

fn bytes_of<'py, T: Copy, const N: usize>(
    py: Python<'py>,
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
) -> Bound<'py, PyBytes> {
    let bytes: Vec<u8> = values.iter().copied().flat_map(bytes).collect();
    PyBytes::new(py, &bytes)
}
