//! `weightsmith compare`

use crate::arguments::Compare;
use crate::exit::Outcome;
use crate::{print, progress};
use anyhow::Result;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;
use weightsmith_harness::{
    Arm, ArmReport, CompareSettings, Comparison, Metric, ResultsFormat, Role, check_output, compare,
    export_comparison, load_metamodel, main_metrics, metric_text, open_device, read_start, read_table,
    seconds_text, write_base_model, write_comparison, write_results,
};

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

pub(super) fn run(arguments: &Compare) -> Result<Outcome> {
    let Compare { table, metamodel, .. } = arguments;
    let (out, report) = (arguments.out.as_deref(), arguments.report.as_deref());
    let results = arguments.results.as_deref();
    for path in [out, report, results].into_iter().flatten() {
        check_output(path)?;
    }
    if let Some(results) = results {
        ResultsFormat::of(results)?;
    }
    if let Some(report) = report {
        weightsmith_harness::ReportFormat::of(report)?;
    }
    let device = open_device(&metamodel.device)?;
    let read = read_table(&table.data, table.target.as_deref(), table.task.task_type())?;
    let pretrained =
        load_metamodel(metamodel.metamodel.as_deref(), read.labelled.target.task_type(), &device)?;
    let from = arguments.from.as_deref().map(read_start).transpose()?;
    let mut arms = arguments.arms.clone();
    // Nobody should have to think of the controls.
    if arms.iter().any(|arm| arm.role() == Role::Generated) {
        let missing = Arm::ALL.into_iter().filter(|arm| arm.role() == Role::Control && !arms.contains(arm));
        let missing: Vec<Arm> = missing.collect();
        arms.extend(missing);
    }
    if from.is_some() && !arms.contains(&Arm::FineTuned) {
        arms.push(Arm::FineTuned);
    }
    let settings = CompareSettings {
        pretrained: &pretrained,
        n_views: metamodel.views.into(),
        n_support: arguments.support,
        n_splits: arguments.splits,
        arms: &arms,
        shape: arguments.shape.into(),
        from: from.as_ref(),
        weight_space: true,
        n_threads: arguments.threads.into(),
    };
    let bar = progress::bar(0, "splits");
    let compared = compare(&read, &settings, &mut |n_done, n_all| {
        bar.set_length(n_all as u64);
        bar.set_position(n_done as u64);
    });
    bar.finish_and_clear();
    let compared = compared?;
    let comparison = &compared.comparison;
    let written = match (out, compared.model()) {
        (Some(path), Some(model)) => {
            write_base_model(model, path, weightsmith_harness::Precision::F32)?;
            Some(path)
        }
        _ => None,
    };
    if let Some(path) = report {
        write_comparison(comparison, path)?;
    }
    if let Some(path) = results {
        write_results(path, &compared.rows())?;
    }
    let export = arguments.export.as_deref();
    if let Some(folder) = export {
        export_comparison(&compared, folder)?;
    }
    let files = [("weights", written), ("report", report), ("results", results), ("export", export)];
    if arguments.json {
        print::json(&Printed { comparison, out: written, report, results, export })?;
    } else {
        print::text(&in_words(comparison, files)?)?;
    }
    let failed =
        comparison.arms.iter().any(|arm| arm.metrics.is_empty()) || (out.is_some() && written.is_none());
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
    rows.extend(comparison.arms.iter().map(|arm| row(arm, metrics)));
    text.push_str(&print::columns(&rows));
    text.push('\n');
    if let Some(speed_up) = comparison.speed_up {
        writeln!(text, "generating is {speed_up:.0} times faster than the tuned optimiser")?;
    }
    for arm in &comparison.arms {
        if let Some(foreseen) = &arm.foreseen
            && arm.arm == Arm::Generated
        {
            let label = foreseen.metric.label();
            writeln!(
                text,
                "{label} expected from the short rows {:.4}, realised {:.4}",
                foreseen.expected, foreseen.realised
            )?;
        }
        if let Some(error) = arm.errors.first() {
            writeln!(text, "{} failed on {} splits: {error}", arm.arm, arm.errors.len())?;
        }
    }
    if comparison.n_skipped > 0 {
        writeln!(text, "{} splits left out: their short rows are all of one class", comparison.n_skipped)?;
    }
    for (what, path) in files {
        if let Some(path) = path {
            writeln!(text, "{what}: {}", path.display())?;
        }
    }
    Ok(text)
}

fn row(arm: &ArmReport, metrics: &[Metric]) -> Vec<String> {
    let figure = |metric: &Metric| {
        arm.get(*metric).map_or("-".to_string(), |report| metric_text(*metric, report.estimate.mean))
    };
    let mut cells = vec![arm.arm.to_string()];
    cells.extend(metrics.iter().map(figure));
    cells.push(arm.cpu_s.map_or("-".to_string(), |spread| seconds_text(spread.median)));
    cells
}
