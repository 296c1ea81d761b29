//! How well losses of trainings are predicted.

use crate::charts::{Chart, Dot, DotPlot, Ink, ScatterPlot, Spot};
use crate::page::{Page, VERSION, column, count, dash, figure, side_by_side, table, text, words};
use crate::words::{difference, percent};
use maud::{Markup, html};
use weightsmith_evaluation::seconds_text;
use weightsmith_evaluation::statistics::Spread;
use weightsmith_planner::{Assessment, LearnerReport};

impl Page for Assessment {
    fn title(&self) -> String {
        "how well trainings are predicted".into()
    }

    fn question(&self) -> &'static str {
        "How well is a training predicted on a data set that was never seen?"
    }

    fn pictures(&self) -> Vec<Chart> {
        vec![predicted(&self.sample), dots(self)]
    }

    fn body(&self) -> Markup {
        html! {
            p.answer { (answer(self)) }
            (side_by_side(&self.pictures()))
            (learners(self))
            (multipliers(self))
            h2 { "How" }
            p {
                (count("/n_runs", self.n_runs)) " runs of " (count("/n_roots", self.n_roots)) " data sets, which were held out in "
                (count("/n_folds", self.n_folds))
                " parts; what learned had seen no run of the data sets it was tested on. Rank correlations are Spearman's over the \
                 recipes of a task at their last evaluation points, and over all evaluation points; medians over tasks. Errors are of natural \
                 logarithms of losses. Regret is the loss of the recorded evaluation point that would have been chosen above the best recorded, as a share of the base loss. \
                 Small learners read that many rows about runs, drawn at random. Written by weightsmith " (VERSION) "."
            }
        }
    }
}

fn answer(assessment: &Assessment) -> Markup {
    let first = assessment.learners.first();
    html! {
        @if let Some(first) = first {
            "What learned is " (first.about) "; it"
            @if let Some(spread) = &first.rank_correlation {
                " orders the recipes of a task with a rank correlation of "
                (figure("/learners/0/rank_correlation/median", spread.median, format!("{:.2}", spread.median))) " (median)"
            }
            @if let Some(coverage) = first.coverage {
                ", and its 90% intervals hold " (figure("/learners/0/coverage", coverage, percent(coverage, 1)))
                " of what was observed"
            }
            "."
        }
    }
}

/// Predicted and observed losses, a dot an evaluation point of a run.
fn predicted(sample: &[[f64; 4]]) -> Chart {
    let spot = |&[mean, low, high, observed]: &[f64; 4]| {
        let ink = if (low..=high).contains(&observed) { Ink::Accent } else { Ink::Second };
        Spot { at: (mean, observed), ink, told: None }
    };
    ScatterPlot {
        title: "predicted and observed losses".into(),
        hint: "natural logarithms of shares of the base loss".into(),
        labels: ("predicted".into(), "observed".into()),
        legend: vec![
            (Ink::Accent, "inside its 90% interval".into()),
            (Ink::Second, "outside its interval".into()),
        ],
        spots: sample.iter().map(spot).collect(),
        radius: 2,
    }
    .chart()
}

fn dots(assessment: &Assessment) -> Chart {
    let dot = |(at, learner): (usize, &LearnerReport)| {
        let median = learner.rank_correlation.as_ref()?.median;
        // `adam-tuned from 64 rows` as it fits beside a picture.
        let label = learner.name.replace(" from ", ", ").replace(" rows", "");
        Some(Dot { label, value: median, ends: (median, median), is_lead: at == 0 })
    };
    let dots: Vec<Dot> = assessment.learners.iter().enumerate().filter_map(dot).collect();
    DotPlot {
        title: "rank correlation, median over tasks",
        hint: "more is better",
        dots: &dots,
        limits: (-1.0, 1.0),
        is_log: false,
        text: &|value| format!("{value:.2}"),
        tick: None,
    }
    .chart()
}

fn learners(assessment: &Assessment) -> Markup {
    let columns = [
        column("learner"),
        column("rank correlation"),
        column("over all points"),
        column("error"),
        column("R²"),
        column("regret"),
        column("90% holds"),
        column("processor"),
        words("what it is"),
    ];
    let row = |(at, learner): (usize, &LearnerReport)| {
        let place = |field: &str, value: f64, text: String| {
            figure(format_args!("/learners/{at}/{field}"), value, text)
        };
        let median = |field: &str, spread: &Option<Spread>| {
            spread.as_ref().map_or_else(dash, |spread| {
                place(&format!("{field}/median"), spread.median, format!("{:.3}", spread.median))
            })
        };
        vec![
            text(&learner.name),
            median("rank_correlation", &learner.rank_correlation),
            median("rank_correlation_of_points", &learner.rank_correlation_of_points),
            place("rmse", learner.rmse, format!("{:.3}", learner.rmse)),
            place("r2", learner.r2, format!("{:.3}", learner.r2)),
            place("regret", learner.regret, format!("{:.4}", learner.regret)),
            learner.coverage.map_or_else(dash, |share| place("coverage", share, percent(share, 1))),
            place("cpu_s", learner.cpu_s, seconds_text(learner.cpu_s)),
            text(learner.about),
        ]
    };
    let rows: Vec<Vec<Markup>> = assessment.learners.iter().enumerate().map(row).collect();
    html! { h2 { "Learners" } (table(&columns, &rows, Some(0))) }
}

fn multipliers(assessment: &Assessment) -> Markup {
    let row = |(at, report): (usize, &weightsmith_planner::MultiplierReport)| {
        let place = |field: &str, value: f64, text: String| {
            figure(format_args!("/multipliers/{at}/{field}"), value, text)
        };
        vec![
            place(
                "confidence_multiplier",
                report.confidence_multiplier,
                format!("{:.0}", report.confidence_multiplier),
            ),
            place("share_trained", report.share_trained, percent(report.share_trained, 0)),
            place("change", report.change, difference(report.change)),
        ]
    };
    let rows: Vec<Vec<Markup>> = assessment.multipliers.iter().enumerate().map(row).collect();
    html! {
        h2 { "Decisions by confidence multiplier" }
        p.note {
            "Choosing among the recorded evaluation points of each task that was held out: how many standard deviations of the \
             networks' disagreement a training's gain must exceed, how often a training is then preferred to generating, and what \
             that does to the loss, as a share of the base loss, mean over tasks."
        }
        (table(&[column("multiplier"), column("trains"), column("loss less that of generating")], &rows, None))
    }
}
