//! The tables of self-application.

use super::{change, choice_name, loop_name, loss, mode_name};
use crate::page::{Column, column, count, dash, figure, table, text, words};
use crate::words::percent;
use maud::{Markup, html};
use weightsmith_evaluation::seconds_text;
use weightsmith_self_application::{
    Choice, ControlReport, Difference, Iteration, LoopReport, PredictionErrors, SelfApplyReport,
};

/// A difference of losses with its interval.
pub(super) fn difference_cell(pointer: &str, difference: &Difference) -> Markup {
    let of = |name: &str, value: f64| change(&format!("{pointer}/{name}"), value);
    html! {
        (of("mean", difference.mean)) " (" (of("low", difference.low)) " to " (of("high", difference.high)) ")"
    }
}

/// Every iteration of a loop, with what the gate said and why.
pub(super) fn iterations(at: usize, own: &LoopReport) -> Markup {
    let columns = [
        "iteration",
        "recipe",
        "level",
        "predicted",
        "observed",
        "minus the incumbent",
        "verdict",
        "auxiliary tasks",
        "cost",
    ]
    .map(column);
    let row = |(idx, iteration): (usize, &Iteration)| {
        let pointer = |name: &str| format!("/loops/{at}/iterations/{idx}/{name}");
        let number =
            |name: &str, value: Option<f64>| value.map_or_else(dash, |value| loss(&pointer(name), value));
        let share = iteration.n_auxiliary as f64 / iteration.n_tasks.max(1) as f64;
        let less = iteration.difference.as_ref();
        vec![
            count(pointer("iteration"), iteration.iteration),
            text(choice_name(iteration.choice)),
            count(pointer("level"), iteration.level as usize),
            number("predicted", iteration.predicted),
            number("acceptance", iteration.acceptance),
            less.map_or_else(dash, |less| difference_cell(&pointer("difference"), less)),
            match iteration.accepted {
                true => html! { strong { (iteration.verdict) } },
                false => text(&iteration.verdict),
            },
            text(percent(share, 0)),
            figure(pointer("cpu_s"), iteration.cpu_s, seconds_text(iteration.cpu_s)),
        ]
    };
    let rows: Vec<Vec<Markup>> = own.iterations.iter().enumerate().map(row).collect();
    let incumbent = own.iterations.iter().rposition(|iteration| iteration.accepted);
    html! {
        h2 { (loop_name(own)) }
        @for (idx, predicted) in own.prediction_errors.iter().enumerate() {
            p { (predicted_in_words(&format!("/loops/{at}/prediction_errors/{idx}"), predicted)) }
        }
        (table(&columns, &rows, incumbent))
    }
}

/// How a recipe was chosen, after "was".
fn recipe_words(choice: Choice) -> String {
    match choice {
        Choice::ByHand | Choice::Random => format!("chosen {}", choice_name(choice)),
        Choice::OneChanged => "changed in one thing".to_string(),
        Choice::Predicted | Choice::Repeated => choice_name(choice).to_string(),
    }
}

fn predicted_in_words(at: &str, predicted: &PredictionErrors) -> Markup {
    html! {
        "Observed minus predicted loss of the " (count(format_args!("{at}/n"), predicted.n))
        @if predicted.n == 1 { " iteration" } @else { " iterations" }
        " whose recipe was " (recipe_words(predicted.choice)) ": " (change(&format!("{at}/mean_error"), predicted.mean_error))
        " on average, mean absolute error " (loss(&format!("{at}/absolute_error"), predicted.absolute_error))
        @if let Some(rank) = predicted.rank_correlation {
            ", rank correlation " (figure(format_args!("{at}/rank_correlation"), rank, format!("{rank:.2}")))
        }
        "."
    }
}

/// The best recipe of each method, and the same repeated.
pub(super) fn methods(report: &SelfApplyReport) -> Markup {
    if report.searches.len() < 2 {
        return Markup::default();
    }
    let columns = [
        "method",
        "seed",
        "cost",
        "iterations",
        "best, on the acceptance set",
        "on the report set",
        "repeats",
        "their mean, acceptance set",
        "report set",
    ]
    .map(column);
    let rows = report.searches.iter().enumerate().map(|(at, own)| {
        let pointer = |name: &str| format!("/searches/{at}/{name}");
        let repeats = own.repeats.as_ref();
        let repeated =
            |name: &str, value: Option<f64>| value.map_or_else(dash, |value| loss(&pointer(name), value));
        vec![
            text(own.search.name()),
            text(own.seed),
            figure(pointer("cpu_s"), own.cpu_s, seconds_text(own.cpu_s)),
            count(pointer("n_iterations"), own.n_iterations),
            loss(&pointer("acceptance"), own.acceptance),
            loss(&pointer("report"), own.report),
            repeats.map_or_else(dash, |repeats| count(pointer("repeats/n"), repeats.n)),
            repeated("repeats/acceptance", repeats.map(|repeats| repeats.acceptance)),
            repeated("repeats/report", repeats.map(|repeats| repeats.report)),
        ]
    });
    html! {
        h2 { "At equal training cost" }
        (table(&columns, &rows.collect::<Vec<_>>(), None))
        @for (at, contest) in report.contests.iter().enumerate() {
            @for (idx, (seed, less)) in contest.report.iter().enumerate() {
                p {
                    "Planner less " (contest.other.name()) ", seed " (seed) ", report set, repeated: "
                    (difference_cell(&format!("/contests/{at}/report/{idx}/1"), less)) "."
                }
            }
        }
    }
}

/// What auxiliary tasks do.
pub(super) fn controls(report: &SelfApplyReport) -> Markup {
    let Some(first) = report.controls.first() else { return Markup::default() };
    let sizes: Vec<usize> = first.suite.iter().map(|suite| suite.n_support).collect();
    let names = ["auxiliary tasks", "trainings", "acceptance set", "report set", "tasks about unseen runs"];
    let mut columns: Vec<Column> = names.map(column).to_vec();
    columns.extend(sizes.iter().map(|n_support| column(format_args!("R² on real tables, {n_support} rows"))));
    let rows = report.controls.iter().enumerate().map(|(at, control)| control_row(at, control, &sizes));
    html! {
        h2 { "Auxiliary tasks and their controls" }
        p {
            "The same recipe and seeds with other auxiliary tasks beside those of the prior: losses of none, and differences from it. \
             Less is better but for R²."
        }
        (table(&columns, &rows.collect::<Vec<_>>(), Some(0)))
    }
}

fn control_row(at: usize, control: &ControlReport, sizes: &[usize]) -> Vec<Markup> {
    let pointer = |name: &str| format!("/controls/{at}/{name}");
    let mut cells = vec![text(mode_name(control.mode)), count(pointer("n"), control.n)];
    match &control.differences {
        Some(differences) => cells.extend([
            difference_cell(&pointer("differences/acceptance"), &differences.acceptance),
            difference_cell(&pointer("differences/report"), &differences.report),
            difference_cell(&pointer("differences/lifted"), &differences.lifted),
        ]),
        None => cells.extend([
            loss(&pointer("means/acceptance"), control.means.acceptance),
            loss(&pointer("means/report"), control.means.report),
            loss(&pointer("means/lifted"), control.means.lifted),
        ]),
    }
    for n_support in sizes {
        let found = control.suite.iter().enumerate().find(|(_, suite)| suite.n_support == *n_support);
        cells.push(found.map_or_else(dash, |(idx, suite)| match &suite.difference {
            Some(less) => difference_cell(&pointer(&format!("suite/{idx}/difference")), less),
            None => loss(&pointer(&format!("suite/{idx}/r2")), suite.r2),
        }));
    }
    cells
}

/// How well own trainings are predicted.
pub(super) fn predictors(report: &SelfApplyReport) -> Markup {
    if report.prediction_quality.is_empty() {
        return Markup::default();
    }
    let columns = [
        words("predictor"),
        column("rows"),
        column("tested"),
        column("R²"),
        column("rank correlation"),
        column("R² less ridge's"),
    ];
    let rows = report.prediction_quality.iter().enumerate().map(|(at, own)| {
        let of = |name: &str, shown: String, mean: f64, low: f64, high: f64| {
            let place = |end: &str, value: f64| {
                figure(format_args!("/prediction_quality/{at}/{name}/{end}"), value, format!("{value:.2}"))
            };
            html! {
                (figure(format_args!("/prediction_quality/{at}/{name}/mean"), mean, shown)) " "
                small { (place("low", low)) " to " (place("high", high)) }
            }
        };
        vec![
            text(own.learner.name()),
            count(format_args!("/prediction_quality/{at}/n_rows"), own.n_rows),
            count(format_args!("/prediction_quality/{at}/n_tested"), own.n_tested),
            of("r2", format!("{:.3}", own.r2.mean), own.r2.mean, own.r2.low, own.r2.high),
            own.rank_correlation.as_ref().map_or_else(dash, |rank| {
                of("rank_correlation", format!("{:.3}", rank.mean), rank.mean, rank.low, rank.high)
            }),
            of(
                "over_ridge",
                format!("{:+.3}", own.over_ridge.mean),
                own.over_ridge.mean,
                own.over_ridge.low,
                own.over_ridge.high,
            ),
        ]
    });
    html! {
        h2 { "How well own trainings are predicted" }
        p {
            "Predictors that learn from so many trainings whose recipes were drawn at random, tested on the others: means over 24 ways to \
             deal them out, with the range of the middle 95% of those. Nothing is tested of what was learned from, be it through tasks \
             about runs."
        }
        (table(&columns, &rows.collect::<Vec<_>>(), None))
    }
}
