//! Generated weights beside trained ones on the rows of one table.

use crate::network::target;
use crate::refused;
use crate::rows::Rows;
use crate::worker::interruptible;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::sync::{Arc, Weak};
use weightsmith_base_model::open_device;
use weightsmith_datasets::{Labelled, NamedTable};
use weightsmith_evaluation::{
    CompareSettings, Comparison, MethodRef, Registry, Role, Shape, compare as compare_methods,
};
use weightsmith_generation::{SelectMode, load_metamodel};
use weightsmith_reports::html;

/// The names of all methods.
#[pyfunction]
pub(crate) fn methods() -> Vec<&'static str> {
    Registry::default().without_weights().iter().map(|method| method.name()).collect()
}

/// Compares methods on splits of a table: its figures as JSON, and a page. `listen` is called with how many splits of how
/// many are done.
#[pyfunction]
#[pyo3(signature = (rows, labels, classes=None, *, target_name, support=None, splits=5, methods=None, threads=1, listen=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn compare(
    py: Python<'_>,
    rows: &Rows,
    labels: &Bound<'_, PyAny>,
    classes: Option<Vec<String>>,
    target_name: String,
    support: Option<usize>,
    splits: u32,
    methods: Option<Vec<String>>,
    threads: usize,
    listen: Option<Py<PyAny>>,
) -> PyResult<(String, String)> {
    let labels = target(py, labels, classes)?;
    let known = Registry::default();
    let mut chosen = match methods {
        None => known.without_weights(),
        Some(names) => {
            names.iter().map(|name| known.find(name)).collect::<Result<_, _>>().map_err(refused)?
        }
    };
    // Nobody should have to think of the controls.
    if chosen.iter().any(|method| method.role() == Role::Generated) {
        let controls = known.all().iter().filter(|method| method.role() == Role::Control);
        let missing: Vec<MethodRef> = controls.filter(|method| !chosen.contains(method)).copied().collect();
        chosen.extend(missing);
    }
    let table = rows.table.as_ref().clone();
    let labelled = Labelled { name: "table".into(), table, target: labels, ids: vec![], notes: vec![] };
    let table = NamedTable { data: "the table".into(), target: target_name, labelled };
    let waiting = Arc::new(());
    let heard = Arc::downgrade(&waiting);
    let work = move || -> Result<Comparison, String> {
        let in_words = |error: &dyn std::error::Error| weightsmith_runtime::in_one_line(error);
        let device = open_device("cpu").map_err(|error| in_words(&error))?;
        let task_type = table.labelled.target.task_type();
        let pretrained = load_metamodel(None, task_type, &device).map_err(|error| in_words(&error))?;
        let settings = CompareSettings {
            pretrained: &pretrained,
            n_views: 8,
            n_support: support,
            n_splits: splits,
            first_split: 0,
            methods: &chosen,
            select: SelectMode::Off,
            shape: Shape::default(),
            from: None,
            weight_space: true,
            n_threads: threads,
        };
        let compared = compare_methods(&table, &settings, &mut |n_done, n_all| {
            tell(&heard, listen.as_ref(), n_done, n_all);
        });
        compared.map(|compared| compared.comparison).map_err(|error| in_words(&error))
    };
    let comparison = interruptible(py, work)?.map_err(pyo3::exceptions::PyValueError::new_err)?;
    drop(waiting);
    let figures =
        serde_json::to_string(&comparison).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    Ok((figures, html(&comparison)))
}

/// Says how far a comparison is; ends its thread where nobody waits for it any more.
fn tell(heard: &Weak<()>, listen: Option<&Py<PyAny>>, n_done: usize, n_all: usize) {
    if heard.strong_count() == 0 {
        // Unwinds past everything that waits for other splits, without a message.
        std::panic::resume_unwind(Box::new("interrupted"));
    }
    if let Some(listen) = listen {
        // What a display of progress raises is nothing that a comparison should end for.
        Python::attach(|py| drop(listen.call1(py, (n_done, n_all))));
    }
}
