//! `weightsmith plan --data`

use super::{fit_settings, fitted, runs_of};
use crate::arguments::{LabelledArguments, PlanDecide};
use crate::commands::selected::left_out_in_words;
use crate::exit::Outcome;
use crate::outputs::{self, Content};
use crate::print;
use crate::session::Session;
use anyhow::Result;
use serde::Serialize;
use std::path::Path;
use weightsmith::Network;
use weightsmith_base_model::open_device;
use weightsmith_datasets::{Note, read_selected_table};
use weightsmith_evaluation::{Predictor, number_text, seconds_text};
use weightsmith_generation::load_metamodel;
use weightsmith_planner::{
    Allowed, CandidateReport, DecisionReport, DecisionSettings, NetworkShape, TWO_FORECASTS,
    decide_for_table, load_predictor, shipped_predictor,
};
use weightsmith_reports::write as write_report;
use weightsmith_tasks::Seed;

/// The decision and where the files went.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    plan: &'a DecisionReport,
    out: Option<&'a Path>,
    report: Option<&'a Path>,
    notes: &'a [Note],
}

pub(super) fn run(arguments: &PlanDecide, session: &Session) -> Result<Outcome> {
    let PlanDecide { rows, columns, out, report, .. } = arguments;
    let rows = rows.as_ref().expect("without a subcommand --data is asked for");
    let LabelledArguments { data: source, target, .. } = rows;
    let files = [(Content::Weights, out.as_deref()), (Content::Report, report.as_deref())];
    outputs::check(files, outputs::file_of(source), arguments.force)?;
    let (task, selection) = (columns.task.task_type(), columns.selection(rows));
    let read = read_selected_table(source, target.as_deref(), task, &selection)?;
    let notes = &read.labelled.notes;
    let predictor = match (&arguments.ledger, &arguments.predictor) {
        (Some(ledger), _) => fitted(ledger, &runs_of(ledger)?, &fit_settings(arguments.seed, None), session)?,
        (None, Some(folder)) => load_predictor(folder)?,
        (None, None) => shipped_predictor()?,
    };
    let shape = arguments.shape.as_deref().map(NetworkShape::read).transpose()?;
    let pretrained = load_metamodel(None, read.labelled.target.task_type(), &open_device("cpu")?)?;
    let settings = DecisionSettings {
        predictor: &predictor,
        pretrained: &pretrained,
        n_support: arguments.support,
        n_tried: arguments.tries.into(),
        seconds: arguments.seconds,
        // What is to be written is a network.
        allowed: Allowed { generating: !arguments.train_only, references: out.is_none() },
        shape: shape.as_ref(),
        select: arguments.select.into(),
        run: arguments.run,
        seed: Seed(arguments.seed),
    };
    let (plan, made) = decide_for_table(&read, &settings)?;
    if let (Some(out), Some(model)) = (out, made.as_ref().and_then(Predictor::network)) {
        Network::from(model.clone()).save(out)?;
    }
    if let Some(report) = report {
        write_report(&plan, report)?;
    }
    session.notes(notes);
    session.print(&Printed { plan: &plan, out: out.as_deref(), report: report.as_deref(), notes }, || {
        text(&plan, out.as_deref(), report.as_deref())
    })?;
    Ok(Outcome::Done)
}

fn text(plan: &DecisionReport, out: Option<&Path>, report: Option<&Path>) -> String {
    let metric = if plan.metric == "log_loss" { "log-loss" } else { "RMSE" };
    let interval = |decision: &CandidateReport| {
        format!("{} to {}", number_text(decision.low), number_text(decision.high))
    };
    let chosen = &plan.chosen;
    let mut text = format!(
        "{}: {}\npredicted {metric} on new rows: {} (90%: {}); knowing the labels alone: {}\n",
        plan.data,
        chosen.in_words(),
        number_text(chosen.loss),
        interval(chosen),
        number_text(plan.base_loss),
    );
    if chosen.action == "generate" {
        text += &format!("({TWO_FORECASTS})\n");
    }
    if let Some(left_out) = &plan.left_out {
        text += &left_out_in_words(left_out);
    }
    if let Some(observed) = &plan.observed {
        text += &format!(
            "observed: {} on {} {}, {} the interval, in {}\n",
            number_text(observed.loss),
            observed.n_rows,
            if observed.on == "query rows" { "rows it had not seen" } else { "rows held out in turn" },
            if observed.is_inside { "inside" } else { "outside" },
            seconds_text(observed.wall_s),
        );
    }
    if let Some(NetworkShape { hidden, activation, skip }) = &plan.shape {
        let units: Vec<String> = hidden.iter().map(usize::to_string).collect();
        let direct = if *skip { ", with a direct path" } else { "" };
        text += &format!(
            "shape: [{}] {activation:?} units{direct}; predictions are for the most similar shape of the space\n",
            units.join(", ")
        )
        .to_lowercase();
    }
    // Without the sign of a zero.
    let percent = |part: f64| format!("{:+.1}%", (1000.0 * part).round() / 10.0 + 0.0);
    let observed = |decision: &CandidateReport| {
        let of_chosen = plan.observed.as_ref().filter(|_| decision == chosen).map(|observed| observed.loss);
        of_chosen.or(decision.observed)
    };
    let mut rows = vec![
        ["decision", metric, "90%", "observed", "improvement", "cross-validated", "takes"]
            .map(String::from)
            .to_vec(),
    ];
    for decision in [chosen].into_iter().chain(&plan.alternatives) {
        rows.push(vec![
            decision.in_words(),
            number_text(decision.loss),
            interval(decision),
            observed(decision).map_or("-".into(), number_text),
            format!("{} ± {:.1}%", percent(decision.improvement), 100.0 * decision.improvement_deviation),
            decision.tried.map_or("-".into(), |tried| {
                format!("{} ± {:.1}%", percent(tried.measured.mean), 100.0 * tried.measured.deviation)
            }),
            decision.seconds.map_or("-".into(), seconds_text),
        ]);
    }
    text += &format!("\n{}", print::columns(&rows));
    if !plan.reasons.is_empty() {
        let mut rows = vec![["reason", "here", "mean", "part in the improvement"].map(String::from).to_vec()];
        rows.extend(plan.reasons.iter().map(|reason| {
            let figure = |value: f64| format!("{value:.3}");
            vec![
                reason.feature.into(),
                figure(reason.value),
                figure(reason.mean),
                percent(reason.contribution),
            ]
        }));
        text += &format!("\n{}", print::columns(&rows));
    }
    text += "\nImprovements are over generating with as many steps as pay or, where nothing may be generated, over what is \
             predicted to be best.\n";
    text += &format!(
        "{} trainings scored, {} candidates, in {}\n",
        plan.n_scored,
        plan.n_reranked,
        seconds_text(plan.wall_s)
    );
    for (what, path) in [("weights", out), ("report", report)] {
        if let Some(path) = path {
            text += &format!("{what}: {}\n", path.display());
        }
    }
    text
}
