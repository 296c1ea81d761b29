//! `weightsmith plan assess`

use super::{fit_settings, held_out};
use crate::arguments::PlanAssess;
use crate::exit::Outcome;
use crate::outputs::{self, Content};
use crate::print;
use crate::session::Session;
use anyhow::Result;
use weightsmith_base_model::open_device;
use weightsmith_evaluation::Spread;
use weightsmith_generation::load_metamodel;
use weightsmith_planner::assess;
use weightsmith_reports::write as write_report;
use weightsmith_tasks::TaskType;

pub(super) fn run(arguments: &PlanAssess, session: &Session) -> Result<Outcome> {
    outputs::check([(Content::Report, arguments.report.as_deref())], [], true)?;
    let device = open_device("cpu")?;
    let metamodel = load_metamodel(None, TaskType::Regression, &device)?;
    let settings = fit_settings(arguments.fit.seed, arguments.fit.threads);
    let (runs, folds) =
        held_out(&arguments.ledger, arguments.tested.as_deref(), arguments.folds, settings.seed)?;
    let bar = session.bar(0, "networks");
    let assessment = assess(&runs, &folds, &metamodel, &settings, &device, &mut |fold, n, n_all| {
        bar.set_length((folds.len() * n_all) as u64);
        bar.set_position((fold * n_all + n) as u64);
    });
    bar.finish_and_clear();
    let assessment = assessment?;
    if let Some(path) = &arguments.report {
        write_report(&assessment, path)?;
    }
    session.print(&assessment, || {
let mut text = format!(
            "{} runs of {} data sets, held out in {} parts. Medians and means over tasks:\n\n{:<28} {:>9} {:>9} {:>7} {:>7} {:>7} {:>9} {:>8}\n",
            assessment.n_runs,
            assessment.n_roots,
            assessment.n_folds,
            "",
            "rank cor.",
            "of points",
            "error",
            "R²",
            "regret",
            "90% holds",
            "CPU s",
        );
        for learner in &assessment.learners {
            let median =
                |spread: &Option<Spread>| spread.as_ref().map_or("-".into(), |s| format!("{:.3}", s.median));
            text += &format!(
                "{:<28} {:>9} {:>9} {:>7.3} {:>7.3} {:>7.4} {:>9} {:>8.2}\n",
                learner.name,
                median(&learner.rank_correlation),
                median(&learner.rank_correlation_of_points),
                learner.rmse,
                learner.r2,
                learner.regret,
                learner.coverage.map_or("-".into(), |share| format!("{:.1}%", 100.0 * share)),
                learner.cpu_s,
            );
        }
        if let Some(first) = assessment.learners.first() {
            let of_generating: Vec<f64> =
                first.tasks.iter().filter_map(|task| task.regret_of_generating).collect();
            let mean = of_generating.iter().sum::<f64>() / of_generating.len().max(1) as f64;
            text += &format!("\nRegret of always generating: {mean:.4} over {} tasks\n", of_generating.len());
        }
        let mut rows =
            vec![["multiplier", "trains", "loss less that of generating"].map(String::from).to_vec()];
        rows.extend(assessment.multipliers.iter().map(|report| {
            let share = format!("{:.0}%", 100.0 * report.share_trained);
            vec![report.confidence_multiplier.to_string(), share, format!("{:+.4}", report.change)]
        }));
        text += &format!("\n{}", print::columns(&rows));
text
})?;
    Ok(Outcome::Done)
}
