//! The plan for one table.

use crate::charts::{Across, Chart, Dot, DotPlot, Ink, Line, LineKind, LinePlot, NO_LIMITS};
use crate::page::{Page, VERSION, column, count, dash, figure, side_by_side, table, text, words};
use crate::words::{short_count, thousands};
use maud::{Markup, html};
use weightsmith_evaluation::{number_text, seconds_text};
use weightsmith_ledger::Value;
use weightsmith_planner::{CandidateReport, DecisionReport, PredictedPoint, TWO_FORECASTS};

impl Page for DecisionReport {
    fn title(&self) -> String {
        format!("{}: plan", self.data)
    }

    fn question(&self) -> &'static str {
        "How should this table's network come to its weights?"
    }

    fn pictures(&self) -> Vec<Chart> {
        [Some(dots(self)), curve(self)].into_iter().flatten().collect()
    }

    fn body(&self) -> Markup {
        html! {
            p.answer { (answer(self)) }
            (side_by_side(&self.pictures()))
            (decisions(self))
            (reasons(self))
            h2 { "What the support rows look like" }
            (features(self))
            h2 { "How" }
            p {
                "What methods gain over generating in one forward pass is their mean over recorded tasks of this type and size. A linear predictor scored "
                (figure("/n_scored", self.n_scored as f64, thousands(self.n_scored)))
                " trainings of the space of plans; five networks re-ranked the best. "
                (figure("/n_reranked", self.n_reranked as f64, thousands(self.n_reranked as u64))) " candidates were left, and deciding took "
                (figure("/wall_s", self.wall_s, seconds_text(self.wall_s)))
                @if let Some(seconds) = self.seconds {
                    " of the " (figure("/seconds", seconds, seconds_text(seconds))) " for deciding and doing"
                }
                ". All learned from recorded runs on other tables; the most promising were tried on folds of this one's rows, and prediction \
                 and measurement weighed by their precisions; " (TWO_FORECASTS) ". The page and the JSON beside it were \
                 written by weightsmith " (VERSION) "."
            }
        }
    }
}

fn loss(pointer: &str, value: f64) -> Markup {
    figure(pointer, value, number_text(value))
}

/// A difference of logarithms of losses.
fn log_ratio(value: f64) -> String {
    format!("{value:+.3}")
}

fn metric(plan: &DecisionReport) -> &'static str {
    if plan.metric == "log_loss" { "log-loss" } else { "RMSE" }
}

fn answer(plan: &DecisionReport) -> Markup {
    let DecisionReport { chosen, .. } = plan;
    html! {
        "For the " (count("/n_support", plan.n_support)) " support rows of " (plan.data) ": "
        strong { (chosen.in_words()) } ". The predicted " (metric(plan)) " on new rows is " (loss("/chosen/loss", chosen.loss))
        ", with nine chances in ten between " (loss("/chosen/low", chosen.low)) " and " (loss("/chosen/high", chosen.high)) "."
        @if let Some(observed) = &plan.observed {
            " Carried out in " (figure("/observed/wall_s", observed.wall_s, seconds_text(observed.wall_s)))
            ", it came to " (loss("/observed/loss", observed.loss)) " on " (count("/observed/n_rows", observed.n_rows)) " rows "
            @if plan.n_query > 0 { "that it had not seen" } @else { "held out in turn" } ": "
            @if observed.is_inside { "inside" } @else { "outside" } " the interval."
        }
    }
}

fn label(decision: &CandidateReport) -> String {
    let text = |name: &str| match decision.recipe.get(name) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    match decision.action {
        _ if !text("method").is_empty() => text("method"),
        "generate" => "generate".to_string(),
        _ if text("start") == "generated" => format!("generated, {}", text("optimiser")),
        _ => text("optimiser"),
    }
}

/// Every decision with its interval, and what was observed.
fn dots(plan: &DecisionReport) -> Chart {
    let dot = |decision: &CandidateReport, is_lead| Dot {
        label: label(decision),
        value: decision.loss,
        ends: (decision.low, decision.high),
        is_lead,
    };
    let mut dots = vec![dot(&plan.chosen, true)];
    dots.extend(plan.alternatives.iter().map(|decision| dot(decision, false)));
    dots.extend(plan.observed.iter().map(|observed| Dot {
        label: "observed".into(),
        value: observed.loss,
        ends: (observed.loss, observed.loss),
        is_lead: false,
    }));
    DotPlot {
        title: &format!("predicted {}, 90% interval", metric(plan)),
        hint: "less is better",
        dots: &dots,
        limits: NO_LIMITS,
        is_log: false,
        text: &number_text,
        tick: None,
    }
    .chart()
}

/// The predicted loss after each number of steps.
fn curve(plan: &DecisionReport) -> Option<Chart> {
    if plan.curve.len() < 2 {
        return None;
    }
    let line = |label: &str, ink, kind, pick: fn(&PredictedPoint) -> f64| Line {
        label: label.into(),
        points: plan.curve.iter().map(|point| (point.n_steps as f64, pick(point))).collect(),
        ink,
        width: 2,
        kind,
    };
    let lines = [
        line("predicted", Ink::Accent, LineKind::Plain, |point| point.loss),
        line("5%", Ink::Muted, LineKind::Dashed, |point| point.low),
        line("95%", Ink::Muted, LineKind::Dashed, |point| point.high),
    ];
    let highest = plan.curve.iter().map(|point| point.high).fold(0.0, f64::max);
    let of = if plan.chosen.action == "train" { &plan.chosen } else { plan.alternatives.first()? };
    let plot = LinePlot {
        title: &format!("predicted {} of {}", metric(plan), label(of)),
        hint: "less is better",
        x_label: "steps",
        across: Across::Costs,
        limits: NO_LIMITS,
        x_text: Some(&short_count),
        y_text: None,
        lines: &lines,
        // Where all is far below it, it would flatten the curve.
        base: (plan.base_loss < 2.0 * highest).then_some(("base rate", plan.base_loss)),
    };
    Some(plot.chart())
}

fn decisions(plan: &DecisionReport) -> Markup {
    let columns = [
        words("decision"),
        column("predicted"),
        column("90% interval"),
        column("observed"),
        column("improvement on generating"),
        column("measured on support rows"),
        column("both"),
        column("takes"),
    ];
    let row = |decision: &CandidateReport, at: &str| {
        let place = |field: &str, value: f64, text: String| figure(format_args!("{at}/{field}"), value, text);
        let observed = match (&plan.observed, decision.observed) {
            (Some(observed), None) if at == "/chosen" => loss("/observed/loss", observed.loss),
            (_, Some(value)) => place("observed", value, number_text(value)),
            _ => dash(),
        };
        vec![
            text(decision.in_words()),
            place("loss", decision.loss, number_text(decision.loss)),
            html! {
                (place("low", decision.low, number_text(decision.low))) " to "
                (place("high", decision.high, number_text(decision.high)))
            },
            observed,
            html! {
                (place("improvement", decision.improvement, log_ratio(decision.improvement))) " ± "
                (place("improvement_deviation", decision.improvement_deviation, format!("{:.3}", decision.improvement_deviation)))
            },
            decision.tried.map_or_else(dash, |tried| {
                html! {
                    (place("tried/measured/mean", tried.measured.mean, log_ratio(tried.measured.mean))) " ± "
                    (place("tried/measured/deviation", tried.measured.deviation, format!("{:.3}", tried.measured.deviation)))
                }
            }),
            decision.tried.map_or_else(dash, |tried| {
                html! {
                    (place("tried/posterior/mean", tried.posterior.mean, log_ratio(tried.posterior.mean))) " ± "
                    (place("tried/posterior/deviation", tried.posterior.deviation, format!("{:.3}", tried.posterior.deviation)))
                }
            }),
            decision.seconds.map_or_else(dash, |seconds| place("seconds", seconds, seconds_text(seconds))),
        ]
    };
    let mut rows = vec![row(&plan.chosen, "/chosen")];
    let others = plan.alternatives.iter().enumerate();
    rows.extend(others.map(|(at, decision)| row(decision, &format!("/alternatives/{at}"))));
    html! {
        h2 { "Decisions" }
        p.note {
            "The chosen one and the best of every other kind. An improvement is by how much the logarithm of the loss is lower than that \
             of generating with as many steps as pay (where nothing may be generated: than that of what is predicted to be best): \
             predicted, with the standard deviation of a method's errors or over the networks; measured by folds of the support rows \
             where a candidate was tried, with its standard error; and both, weighed by their precisions. What was tried is chosen if the lower \
             end of both's 90% interval is above 0; what was not tried has to outweigh more doubt. Times are predicted, of one core."
        }
        (table(&columns, &rows, Some(0)))
    }
}

fn reasons(plan: &DecisionReport) -> Markup {
    let row = |(at, reason): (usize, &weightsmith_planner::Reason)| {
        let place = |field: &str, value: f64, text: String| {
            figure(format_args!("/reasons/{at}/{field}"), value, text)
        };
        vec![
            text(reason.feature),
            place("value", reason.value, number_text(reason.value)),
            place("mean", reason.mean, number_text(reason.mean)),
            place("contribution", reason.contribution, log_ratio(reason.contribution)),
            text(reason.about),
        ]
    };
    let rows: Vec<Vec<Markup>> = plan.reasons.iter().enumerate().map(row).collect();
    let columns = [
        column("because of"),
        column("here"),
        column("mean of all"),
        column("contribution"),
        words("what it is"),
    ];
    html! {
        @if !rows.is_empty() {
            h2 { "Reasons" }
            p.note {
                "By how much the improvement of the chosen decision over the first alternative would change if the feature were as it \
                 usually is."
            }
            (table(&columns, &rows, None))
        }
    }
}

fn features(plan: &DecisionReport) -> Markup {
    let row = |(at, feature): (usize, &weightsmith_planner::FeatureReport)| {
        let value = figure(format_args!("/features/{at}/value"), feature.value, number_text(feature.value));
        vec![text(feature.name), value, text(feature.about)]
    };
    let rows: Vec<Vec<Markup>> = plan.features.iter().enumerate().map(row).collect();
    table(&[column("feature"), column("value"), words("what it is")], &rows, None)
}
