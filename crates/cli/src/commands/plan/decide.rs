//! `weightsmith plan --data`

use super::{fit_settings, fitted, runs_of};
use crate::arguments::PlanDecide;
use crate::exit::Outcome;
use crate::print;
use anyhow::Result;
use serde::Serialize;
use std::path::Path;
use weightsmith::Network;
use weightsmith_base_model::open_device;
use weightsmith_datasets::read_table;
use weightsmith_evaluation::{number_text, seconds_text};
use weightsmith_generation::load_metamodel;
use weightsmith_planner::{
    DecisionReport, PlanReport, PlanSettings, load_predictor, plan_table, shipped_predictor,
};
use weightsmith_reports::{ReportFormat, write_plan};
use weightsmith_runtime::check_output;
use weightsmith_tasks::Seed;

/// The plan and where the files went.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    plan: &'a PlanReport,
    out: Option<&'a Path>,
    report: Option<&'a Path>,
}

pub(super) fn run(arguments: &PlanDecide) -> Result<Outcome> {
    let PlanDecide { table, out, report, .. } = arguments;
    let table = table.as_ref().expect("without a subcommand --data is asked for");
    for path in [out, report].into_iter().flatten() {
        check_output(path)?;
    }
    if let Some(report) = report {
        ReportFormat::of(report)?;
    }
    let read = read_table(&table.data, table.target.as_deref(), table.task.task_type())?;
    let predictor = match (&arguments.ledger, &arguments.predictor) {
        (Some(ledger), _) => fitted(ledger, &runs_of(ledger)?, &fit_settings(arguments.seed, None))?,
        (None, Some(folder)) => load_predictor(folder)?,
        (None, None) => shipped_predictor()?,
    };
    let pretrained = load_metamodel(None, read.labelled.target.task_type(), &open_device("cpu")?)?;
    let settings = PlanSettings {
        predictor: &predictor,
        pretrained: &pretrained,
        n_support: arguments.support,
        n_tried: arguments.tries.into(),
        run: arguments.run,
        seed: Seed(arguments.seed),
    };
    let (plan, model) = plan_table(&read, &settings)?;
    if let (Some(out), Some(model)) = (out, &model) {
        Network::from(model.clone()).save(out)?;
    }
    if let Some(report) = report {
        write_plan(&plan, report)?;
    }
    if arguments.json {
        print::json(&Printed { plan: &plan, out: out.as_deref(), report: report.as_deref() })?;
    } else {
        print::text(&text(&plan, out.as_deref(), report.as_deref()))?;
    }
    Ok(Outcome::Done)
}

fn text(plan: &PlanReport, out: Option<&Path>, report: Option<&Path>) -> String {
    let metric = if plan.metric == "log_loss" { "log-loss" } else { "RMSE" };
    let interval = |decision: &DecisionReport| {
        format!("{} to {}", number_text(decision.low), number_text(decision.high))
    };
    let chosen = &plan.chosen;
    let mut text = format!(
        "{}: {}\nforeseen {metric} on new rows: {} (90%: {}); knowing the labels alone: {}\n",
        plan.data,
        chosen.in_words(),
        number_text(chosen.loss),
        interval(chosen),
        number_text(plan.base_loss),
    );
    if let Some(realised) = &plan.realised {
        text += &format!(
            "realised: {} on {} {}, {} the interval, in {}\n",
            number_text(realised.loss),
            realised.n_rows,
            if realised.on == "long rows" { "rows it had not seen" } else { "rows held out in turn" },
            if realised.is_inside { "inside" } else { "outside" },
            seconds_text(realised.wall_s),
        );
    }
    // Without the sign of a zero.
    let percent = |part: f64| format!("{:+.1}%", (1000.0 * part).round() / 10.0 + 0.0);
    let realised = |decision: &DecisionReport| {
        let of_chosen = plan.realised.as_ref().filter(|_| decision == chosen).map(|realised| realised.loss);
        of_chosen.or(decision.realised)
    };
    let mut rows = vec![
        ["decision", metric, "90%", "realised", "gain over generating", "tried"].map(String::from).to_vec(),
    ];
    for decision in [chosen].into_iter().chain(&plan.alternatives) {
        rows.push(vec![
            decision.in_words(),
            number_text(decision.loss),
            interval(decision),
            realised(decision).map_or("-".into(), number_text),
            format!("{} ± {:.1}%", percent(decision.gain), 100.0 * decision.gain_deviation),
            decision.tried.map_or("-".into(), |tried| percent(-tried)),
        ]);
    }
    text += &format!("\n{}", print::columns(&rows));
    if !plan.reasons.is_empty() {
        let mut rows = vec![["because of", "here", "usual", "moved the gain by"].map(String::from).to_vec()];
        rows.extend(plan.reasons.iter().map(|reason| {
            let figure = |value: f64| format!("{value:.3}");
            vec![reason.feature.into(), figure(reason.value), figure(reason.usual), percent(reason.moved)]
        }));
        text += &format!("\n{}", print::columns(&rows));
    }
    text += &format!(
        "\n{} trainings scored, {} judged, in {}\n",
        plan.n_scored,
        plan.n_judged,
        seconds_text(plan.wall_s)
    );
    for (what, path) in [("weights", out), ("report", report)] {
        if let Some(path) = path {
            text += &format!("{what}: {}\n", path.display());
        }
    }
    text
}
