//! `weightsmith generate`

use super::selected::{columns_in_words, columns_json, rows_in_words, rows_json};
use crate::arguments::{Generate, LabelledArguments};
use crate::exit::Outcome;
use crate::outputs::{self, Content};
use crate::session::Session;
use anyhow::{Context, Result};
use serde_json::json;
use std::collections::HashSet;
use weightsmith::{
    ChosenColumns, Dataset, GenerateInfo, Generated, Generator, Refining, StepsInfo, TaskType, TextColumn,
};
use weightsmith_base_model::{BaseModel, Precision};
use weightsmith_datasets::Note;
use weightsmith_evaluation::{number_text, seconds_text};
use weightsmith_generation::Fallback;
use weightsmith_planner::{base_loss, loss_unit};
use weightsmith_tasks::{Schema, Target};

pub(super) fn run(arguments: &Generate, session: &Session) -> Result<Outcome> {
    let Generate {
        rows,
        columns,
        out,
        metamodel,
        trees,
        steps,
        seconds,
        refine,
        select,
        seed,
        precision,
        force,
        ..
    } = arguments;
    let LabelledArguments { data: source, target, .. } = rows;
    outputs::check([(Content::Weights, Some(out.as_path()))], outputs::file_of(source), *force)?;
    let (task, selection) = (columns.task.task_type(), columns.selection(rows));
    let mut data = Dataset::read_selected(source, target.as_deref(), task, &selection)?;
    if let Some(which) = arguments.texts() {
        data = data.with_texts(&which).with_context(|| source.to_string())?;
    }
    session.detail(|| shape_in_words(&data));
    let mut generator = Generator::default()
        .device(&metamodel.device)
        .views(metamodel.views.into())
        .trees((*trees).into())
        .steps(seconds.unwrap_or(*steps))
        .refine(*refine)
        .select((*select).into())
        .seed(*seed);
    if let Some(choice) = &metamodel.metamodel {
        generator = generator.metamodel(choice);
    }
    let generated = generator.generate(&data).with_context(|| source.to_string())?;
    let Generated { mut network, info, refining, selection, columns: chosen, cost } = generated;
    let precision: Precision = (*precision).into();
    if precision != Precision::F32 {
        let failed = || format!("cannot write {} in {precision}", out.display());
        network = network.stored(precision, data.table()).with_context(failed)?;
    }
    network.save_as(out, precision)?;
    let (model, target) = (network.base_model(), data.target_name());
    let mut notes = data.notes().to_vec();
    notes.extend(unused(&offered(&data.table().schema(), chosen.as_ref()), &notes, model));
    session.notes(&notes);
    let gain = refining.and_then(|refining| refining.held_out);
    session.print(&json!({
            "out": out,
            "task": model.task_type,
            "target": target,
            "classes": model.class_names,
            "n_rows": model.support.n_rows,
            "n_columns": model.encoding.schema().len(),
            "n_inputs": model.architecture.n_inputs,
            "n_units": model.architecture.hidden.first().copied().unwrap_or(0),
            "n_weights": model.architecture.n_weights(),
            "n_views": info.as_ref().map(|info| info.n_views),
            "forest_share": info.as_ref().map(|info| info.forest_share),
            "steps": info.as_ref().and_then(|info| info.steps.as_ref()).map(|steps| json!({
                "n_steps": steps.n_steps,
                "n_views": steps.n_views,
                "stepped_share": steps.stepped_share,
                "generated_share": steps.generated_share,
                "smooth_share": steps.smooth_share,
                "held_out_loss": steps.held_out_loss,
                "plain_loss": steps.plain_loss,
            })),
            "fallback": info.as_ref().and_then(|info| info.fallback).map(Fallback::name),
            "n_exact_systems": info.as_ref().map(|info| info.solve.n_systems),
            "n_unconverged": info.as_ref().map(|info| info.solve.n_unconverged),
            "n_repairs": info.as_ref().map(|info| info.solve.n_shortened_steps + info.solve.n_raised_pivots),
            "n_encoded_rows": info.as_ref().map(|info| info.n_encoded_rows),
            "selection": selection.as_ref().map(rows_json),
            "columns": chosen.as_ref().map(columns_json),
            "refine_steps": refining.map(|refining| refining.n_steps),
            "refine_gain": gain.map(|gain| gain.gain / gain.loss),
            "refine_standard_error": gain.map(|gain| gain.standard_error / gain.loss),
            "texts": data.texts().iter().map(|text| &text.column).collect::<Vec<_>>(),
            "metamodel": model.provenance,
            "expected": model.expected,
            "base_rate": base_loss(data.target()) * loss_unit(data.target()),
            "notes": notes,
            "wall_s": cost.wall_s,
            "cpu_s": cost.cpu_s,
        }), || {
let units = model.architecture.hidden.first().map_or("no".to_string(), usize::to_string);
format!(
            "{}: {} of \"{target}\", {} inputs, {units} hidden units, {} weights, from {} rows in {}\n{}{}{}{}{}{}{}",
            out.display(),
            model.task_type,
            model.architecture.n_inputs,
            model.architecture.n_weights(),
            model.support.n_rows,
            seconds_text(cost.wall_s),
            data.texts().iter().map(text_in_words).collect::<String>(),
            chosen.as_ref().map_or(String::new(), columns_in_words),
            selection.as_ref().map_or(String::new(), rows_in_words),
            info.as_ref().and_then(|info| info.fallback).map_or(String::new(), fallen_back),
            info.as_ref().map_or(String::new(), |info| decided(info, model.task_type)),
            refining.map_or(String::new(), |refining| refined(&refining)),
            expected(model, data.target()),
        )
})?;
    Ok(Outcome::Done)
}

/// What was read, on a line.
fn shape_in_words(data: &Dataset) -> String {
    let (n_rows, n_columns) = (data.table().n_rows(), data.table().columns().len());
    format!("read: {n_rows} rows of {n_columns} columns; {} of \"{}\"", data.task_type(), data.target_name())
}

/// What a column of text became, on a line.
fn text_in_words(text: &TextColumn) -> String {
    let (n_words, n_pieces) = (text.words.ngrams.len(), text.pieces.ngrams.len());
    let what = if text.scores.len() == 1 { "a score" } else { "a score for each class" };
    format!("text \"{}\": {what} from {n_words} words and pairs and {n_pieces} pieces\n", text.column)
}

/// What was decided about inner steps, and why, on a line.
fn decided(info: &GenerateInfo, task_type: TaskType) -> String {
    let (Some(steps), None) = (&info.steps, info.fallback) else { return String::new() };
    let loss = match task_type {
        TaskType::Classification => "log-loss",
        TaskType::Regression => "share of the variance left",
    };
    let percent = |share: f32| (100.0 * share).round();
    let mut shares =
        format!("generated {} %, forest {} %", percent(steps.generated_share), percent(info.forest_share));
    if steps.smooth_share > 0.0 {
        shares += &format!(", smooth function {} %", percent(steps.smooth_share));
    }
    let StepsInfo { n_steps, n_views, held_out_loss, plain_loss, .. } = *steps;
    if n_steps == 0 {
        let why = if steps.n_tried == 0 { "too few rows to tell whether they pay" } else { "none pay" };
        return format!("no inner steps: {why} ({loss} on held-out rows {held_out_loss:.4}); {shares}\n");
    }
    let counted = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (n_steps, n_views) = (counted(n_steps, "inner step"), counted(n_views, "view"));
    // Where few rows judge, shares are held towards usual ones, which may tell these very rows a little worse.
    let why = if held_out_loss > plain_loss { " (too few rows to tell the two apart)" } else { "" };
    format!(
        "{n_steps} of {n_views}: {loss} on held-out rows {held_out_loss:.4}, {plain_loss:.4} without{why}; \
         stepped {} %, {shares}\n",
        percent(steps.stepped_share),
    )
}

/// What was written in place of the network, on a line.
fn fallen_back(fallback: Fallback) -> String {
    let what = match fallback {
        Fallback::Linear => "the linear model of the same rows",
        Fallback::BaseRate => "the base rate, which looks at no column,",
    };
    format!("written instead of the network: {what} is clearly better on rows held out\n")
}

/// The columns that a network could read: those that were not left out, which is said elsewhere.
fn offered(columns: &Schema, chosen: Option<&ChosenColumns>) -> Schema {
    let left_out = chosen.map_or_else(Vec::new, ChosenColumns::left_out);
    columns.iter().filter(|(name, _)| !left_out.contains(&name.as_str())).cloned().collect()
}

/// The columns that vary and that the network does not read.
fn unused(columns: &Schema, notes: &[Note], model: &BaseModel) -> Option<Note> {
    let constant = notes.iter().filter(|note| matches!(note, Note::Constant { .. }));
    let known: HashSet<&str> = constant.flat_map(Note::columns).collect();
    let read: HashSet<&str> = model.encoding.inputs().iter().map(|(name, _)| name.as_str()).collect();
    let names = columns.iter().map(|(name, _)| name.as_str());
    let left: Vec<String> =
        names.filter(|name| !known.contains(name) && !read.contains(name)).map(String::from).collect();
    (!left.is_empty()).then_some(Note::Unused { columns: left })
}

/// What came of refining, on a line.
fn refined(refining: &Refining) -> String {
    let Some(gain) = refining.held_out else {
        return "not refined: too few rows of a class to hold some out\n".to_string();
    };
    match refining.n_steps {
        0 => format!("not refined: {gain}\n"),
        n_steps => format!("refined by {n_steps} steps: {gain}\n"),
    }
}

/// How good the model will be, beside what the labels alone say, on a line.
fn expected(model: &BaseModel, target: &Target) -> String {
    let Some(expected) = &model.expected else { return String::new() };
    let (label, value) = (expected.metric.label(), f64::from(expected.value));
    let base = base_loss(target) * loss_unit(target);
    let beside = match target {
        Target::Classes { .. } => format!("the frequencies of the classes alone have {base:.4}"),
        Target::Values(_) => format!("R² {:.4}", 1.0 - (value / base).powi(2)),
    };
    format!(
        "expected {label} on other rows {}, 90 % interval {} to {}; {beside}\n",
        number_text(value),
        number_text(expected.low.into()),
        number_text(expected.high.into()),
    )
}
