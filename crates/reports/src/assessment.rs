//! The report of how well losses are foreseen.

use super::dots::{Dot, DotPlot};
use super::foreseen;
use super::page::{WORDS, escaped, figure, page, pictures, push, standalone, table};
use super::picture::drawn;
use super::square;
use weightsmith_evaluation::seconds_text;
use weightsmith_evaluation::statistics::Spread;
use weightsmith_planner::{Assessment, LearnerReport};

const QUESTION: &str = "How well is a training foreseen on a data set that was never seen?";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The page.
pub(super) fn html(assessment: &Assessment) -> String {
    let mut body = format!("<h1>{QUESTION}</h1>\n<p class=\"answer\">{}</p>\n", answer(assessment));
    let dots = dots(assessment);
    let plot = plot(&dots);
    body.push_str(&pictures(&[
        ("foreseen and realised losses".to_string(), foreseen::alone(&assessment.sample)),
        (plot.title.to_string(), drawn(plot.size(), |canvas| plot.draw(canvas, 0))),
    ]));
    body.push_str(&learners(assessment));
    body.push_str(&cautions(assessment));
    push(
        &mut body,
        format_args!(
            "<h2>How</h2>\n<p>{} runs of {} data sets, which were held out in {} parts; what learned had seen no run of the data \
             sets it was tested on. Rank correlations are Spearman's over the recipes of a task, medians over tasks. Errors are \
             of natural logarithms of losses. Regret is the loss of the recorded look that would have been chosen above the best \
             recorded, as a share of the base loss. Small learners read that many rows about runs, drawn at random. Written by \
             weightsmith {VERSION}.</p>\n",
            figure("/n_runs", assessment.n_runs as f64, &assessment.n_runs.to_string()),
            figure("/n_roots", assessment.n_roots as f64, &assessment.n_roots.to_string()),
            figure("/n_folds", assessment.n_folds as f64, &assessment.n_folds.to_string()),
        ),
    );
    page("how well trainings are foreseen", &body)
}

/// The picture of looks alone.
pub(super) fn svg(assessment: &Assessment) -> String {
    standalone(&foreseen::alone(&assessment.sample), square::SIZE)
}

fn answer(assessment: &Assessment) -> String {
    let Some(first) = assessment.learners.first() else { return String::new() };
    let mut text = format!("What learned is {}; it", escaped(first.about));
    if let Some(spread) = &first.rank_correlation {
        let median =
            figure("/learners/0/rank_correlation/median", spread.median, &format!("{:.2}", spread.median));
        push(
            &mut text,
            format_args!(" orders the recipes of a task with a rank correlation of {median} (median)"),
        );
    }
    if let Some(coverage) = first.coverage {
        let share = figure("/learners/0/coverage", coverage, &format!("{:.1}%", 100.0 * coverage));
        push(&mut text, format_args!(", and its 90% intervals hold {share} of what came"));
    }
    text + "."
}

fn dots(assessment: &Assessment) -> Vec<Dot> {
    let dot = |(at, learner): (usize, &LearnerReport)| {
        let spread = learner.rank_correlation.as_ref()?;
        let ends = (spread.median, spread.median);
        Some(Dot { label: short(&learner.name), value: spread.median, ends, is_lead: at == 0 })
    };
    assessment.learners.iter().enumerate().filter_map(dot).collect()
}

/// `adam-tuned from 64 rows` as it fits beside a picture.
fn short(name: &str) -> String {
    name.replace(" from ", ", ").replace(" rows", "")
}

fn plot(dots: &[Dot]) -> DotPlot<'_> {
    DotPlot {
        title: "rank correlation, median over tasks",
        hint: "more is better",
        dots,
        limits: (-1.0, 1.0),
        is_log: false,
        format: &|value| format!("{value:.2}"),
        tick: None,
    }
}

fn learners(assessment: &Assessment) -> String {
    let header = [
        "learner",
        "rank correlation",
        "over looks",
        "error",
        "R²",
        "regret",
        "90% holds",
        "CPU time",
        WORDS,
    ];
    let rows: Vec<Vec<String>> = assessment
        .learners
        .iter()
        .enumerate()
        .map(|(at, learner)| {
            let place =
                |field: &str, value: f64, text: &str| figure(&format!("/learners/{at}/{field}"), value, text);
            let median = |field: &str, spread: &Option<Spread>| {
                spread.as_ref().map_or("-".to_string(), |spread| {
                    place(&format!("{field}/median"), spread.median, &format!("{:.3}", spread.median))
                })
            };
            vec![
                escaped(&learner.name),
                median("rank_correlation", &learner.rank_correlation),
                median("rank_correlation_of_points", &learner.rank_correlation_of_points),
                place("rmse", learner.rmse, &format!("{:.3}", learner.rmse)),
                place("r2", learner.r2, &format!("{:.3}", learner.r2)),
                place("regret", learner.regret, &format!("{:.4}", learner.regret)),
                learner.coverage.map_or("-".to_string(), |share| {
                    place("coverage", share, &format!("{:.1}%", 100.0 * share))
                }),
                place("cpu_s", learner.cpu_s, &seconds_text(learner.cpu_s)),
                format!("<span class=\"words\">{}</span>", escaped(learner.about)),
            ]
        })
        .collect();
    format!("<h2>Learners</h2>\n{}", table(&header.map(String::from), &rows, Some(0)))
}

fn cautions(assessment: &Assessment) -> String {
    let rows: Vec<Vec<String>> = assessment
        .multipliers
        .iter()
        .enumerate()
        .map(|(at, report)| {
            let place = |field: &str, value: f64, text: &str| {
                figure(&format!("/multipliers/{at}/{field}"), value, text)
            };
            vec![
                place(
                    "confidence_multiplier",
                    report.confidence_multiplier,
                    &format!("{:.0}", report.confidence_multiplier),
                ),
                place(
                    "share_trained",
                    report.share_trained,
                    &format!("{:.0}%", 100.0 * report.share_trained),
                ),
                place("change", report.change, &format!("{:+.4}", report.change)),
            ]
        })
        .collect();
    let header = ["caution", "trains", "loss less that of generating"];
    format!(
        "<h2>Decisions by caution</h2>\n<p class=\"note\">Choosing among the recorded looks of each task that was held out: how \
         often a training is preferred to generating, and what it does to the loss, as a share of the base loss, mean over \
         tasks.</p>\n{}",
        table(&header.map(String::from), &rows, None)
    )
}
