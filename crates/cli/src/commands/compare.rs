//! `weightsmith compare`

use crate::arguments::{Compare, LabelledArguments};
use crate::exit::Outcome;
use crate::methods::registry;
use crate::outputs::{self, Content};
use crate::print;
use crate::session::Session;
use anyhow::Result;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;
use weightsmith::Network;
use weightsmith_base_model::open_device;
use weightsmith_datasets::read_selected_table;
use weightsmith_evaluation::methods::{FINE_TUNED, GENERATED};
use weightsmith_evaluation::{
    CompareSettings, Comparison, MethodRef, MethodReport, Metric, Role, compare, export_comparison,
    main_metrics, metric_text, read_start, seconds_text, write_results,
};
use weightsmith_generation::load_metamodel;
use weightsmith_reports::write as write_report;

/// The figures and where the files went.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    out: Option<&'a Path>,
    report: Option<&'a Path>,
    results: Option<&'a Path>,
    export: Option<&'a Path>,
}

pub(super) fn run(arguments: &Compare, session: &Session) -> Result<Outcome> {
    let Compare { rows, columns, metamodel, .. } = arguments;
    let (out, report) = (arguments.out.as_deref(), arguments.report.as_deref());
    let results = arguments.results.as_deref();
    let LabelledArguments { data: source, target, .. } = rows;
    let inputs = outputs::file_of(source).into_iter().chain(arguments.from.as_deref());
    let files = [(Content::Weights, out), (Content::Report, report), (Content::Results, results)];
    outputs::check(files, inputs, arguments.force)?;
    let device = open_device(&metamodel.device)?;
    let (task, selection) = (columns.task.task_type(), columns.selection(rows));
    let read = read_selected_table(source, target.as_deref(), task, &selection)?;
    let pretrained =
        load_metamodel(metamodel.metamodel.as_deref(), read.labelled.target.task_type(), &device)?;
    let from = arguments.from.as_deref().map(read_start).transpose()?;
    let mut methods = arguments.methods.clone();
    // Nobody should have to think of the controls.
    if methods.iter().any(|method| method.role() == Role::Generated) {
        let known = registry();
        let controls = known.all().iter().filter(|method| method.role() == Role::Control);
        let missing: Vec<MethodRef> = controls.filter(|method| !methods.contains(method)).copied().collect();
        methods.extend(missing);
    }
    if from.is_some() && !methods.contains(&FINE_TUNED) {
        methods.push(FINE_TUNED);
    }
    session.detail(|| {
        let (n_rows, n_columns) = (read.labelled.table.n_rows(), read.labelled.table.columns().len());
        format!(
            "read: {n_rows} rows of {n_columns} columns; metamodel {}, {} methods on {} splits from number {}, {} threads",
            pretrained.name,
            methods.len(),
            arguments.splits,
            arguments.seed.first_split(),
            arguments.threads
        )
    });
    let settings = CompareSettings {
        pretrained: &pretrained,
        n_views: metamodel.views.into(),
        n_support: arguments.support,
        n_splits: arguments.splits,
        first_split: arguments.seed.first_split(),
        methods: &methods,
        select: arguments.select.into(),
        shape: arguments.shape.into(),
        from: from.as_ref(),
        weight_space: true,
        n_threads: arguments.threads.into(),
    };
    let bar = session.bar(0, "splits");
    let compared = compare(&read, &settings, &mut |n_done, n_all| {
        bar.set_length(n_all as u64);
        bar.set_position(n_done as u64);
    });
    bar.finish_and_clear();
    let compared = compared?;
    let comparison = &compared.comparison;
    let written = match (out, compared.model()) {
        (Some(path), Some(model)) => {
            Network::from(model.clone()).save(path)?;
            Some(path)
        }
        _ => None,
    };
    if let Some(path) = report {
        write_report(comparison, path)?;
    }
    if let Some(path) = results {
        write_results(path, &compared.rows())?;
    }
    let export = arguments.export.as_deref();
    if let Some(folder) = export {
        export_comparison(&compared, folder)?;
    }
    let files = [("weights", written), ("report", report), ("results", results), ("export", export)];
    session.notes(&comparison.notes);
    let words = in_words(comparison, files)?;
    session.print(&Printed { comparison, out: written, report, results, export }, || words)?;
    let failed = comparison.methods.iter().any(|method| method.metrics.is_empty())
        || (out.is_some() && written.is_none());
    Ok(if failed { Outcome::CheckFailed } else { Outcome::Done })
}

fn in_words(comparison: &Comparison, files: [(&str, Option<&Path>); 4]) -> Result<String> {
    let Comparison { name, target, task, n_rows, n_support, n_query, n_splits, .. } = comparison;
    let mut text = format!(
        "{name}: {task} of \"{target}\"; learned from {n_support} of {n_rows} rows, scored on {n_query} others; mean of \
         {n_splits} splits\n\n"
    );
    let metrics = main_metrics(*task);
    let mut header = vec![String::new()];
    header.extend(metrics.iter().map(|metric| metric.label().to_string()));
    header.push("time".to_string());
    let mut rows = vec![header];
    rows.extend(comparison.methods.iter().map(|method| row(method, metrics)));
    text.push_str(&print::columns(&rows));
    text.push('\n');
    if let Some(speed_up) = comparison.speed_up {
        writeln!(text, "generating is {speed_up:.0} times faster than the tuned optimiser")?;
    }
    for method in &comparison.methods {
        if let Some(predicted) = &method.predicted_score
            && method.method == GENERATED
        {
            let label = predicted.metric.label();
            writeln!(
                text,
                "{label} expected from the support rows {}, observed {}",
                metric_text(predicted.metric, predicted.expected),
                metric_text(predicted.metric, predicted.observed)
            )?;
        }
        if let Some(error) = method.errors.first() {
            writeln!(text, "{} failed on {} splits: {error}", method.method, method.errors.len())?;
        }
    }
    if let Some(selection) = &comparison.selection {
        writeln!(text, "{}", selection.in_words())?;
    }
    if comparison.n_skipped > 0 {
        writeln!(text, "{} splits left out: their support rows are all of one class", comparison.n_skipped)?;
    }
    for (what, path) in files {
        if let Some(path) = path {
            writeln!(text, "{what}: {}", path.display())?;
        }
    }
    Ok(text)
}

fn row(method: &MethodReport, metrics: &[Metric]) -> Vec<String> {
    let figure = |metric: &Metric| {
        method.get(*metric).map_or("-".to_string(), |report| metric_text(*metric, report.estimate.mean))
    };
    let mut cells = vec![method.method.to_string()];
    cells.extend(metrics.iter().map(figure));
    cells.push(method.cpu_s.map_or("-".to_string(), |spread| seconds_text(spread.median)));
    cells
}
