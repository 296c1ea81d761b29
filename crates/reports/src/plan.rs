//! The report of a plan for one table.

use super::costs::{Curve, CurvePlot, SIZE};
use super::dots::{Dot, DotPlot, NO_LIMITS};
use super::page::{WORDS, escaped, figure, page, pictures, push, standalone, table};
use super::picture::drawn;
use weightsmith_evaluation::{number_text, seconds_text};
use weightsmith_ledger::Value;
use weightsmith_planner::{CandidateReport, DecisionReport};

const QUESTION: &str = "How should this table's network come to its weights?";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The page.
pub(super) fn html(plan: &DecisionReport) -> String {
    let mut body = format!("<h1>{QUESTION}</h1>\n<p class=\"answer\">{}</p>\n", answer(plan));
    body.push_str(&pictures(&plots(plan)));
    body.push_str(&decisions(plan));
    body.push_str(&reasons(plan));
    body.push_str(&features(plan));
    body.push_str(&method(plan));
    page(&format!("{}: plan", plan.data), &body)
}

/// The picture of the decisions alone.
pub(super) fn svg(plan: &DecisionReport) -> String {
    let dots = dots(plan);
    let plot = dot_plot(&dots, plan);
    standalone(&drawn(plot.size(), |canvas| plot.draw(canvas, 0)), plot.size())
}

fn name(metric: &str) -> &str {
    if metric == "log_loss" { "log-loss" } else { "RMSE" }
}

fn answer(plan: &DecisionReport) -> String {
    let loss = |pointer: &str, value: f64| figure(pointer, value, &number_text(value));
    let mut text = format!(
        "For the {} short rows of {}: <strong>{}</strong>. The {} on new rows is foreseen to be {}, with nine chances in ten \
         between {} and {}.",
        plan.n_support,
        escaped(&plan.data),
        escaped(&plan.chosen.in_words()),
        name(plan.metric),
        loss("/chosen/loss", plan.chosen.loss),
        loss("/chosen/low", plan.chosen.low),
        loss("/chosen/high", plan.chosen.high),
    );
    if let Some(realised) = &plan.observed {
        push(
            &mut text,
            format_args!(
                " It was done in {}, and came to {} on {} {}: {} the interval.",
                seconds_text(realised.wall_s),
                loss("/observed/loss", realised.loss),
                realised.n_rows,
                if realised.on == "query rows" {
                    "rows that it had not seen"
                } else {
                    "rows held out in turn"
                },
                if realised.is_inside { "inside" } else { "outside" },
            ),
        );
    }
    text
}

fn label(decision: &CandidateReport) -> String {
    let text = |name: &str| match decision.recipe.get(name) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    match decision.action {
        "generate" => "generate".to_string(),
        _ if text("start") == "generated" => format!("generated, {}", text("optimiser")),
        _ => text("optimiser"),
    }
}

fn dots(plan: &DecisionReport) -> Vec<Dot> {
    let dot = |decision: &CandidateReport, is_lead| Dot {
        label: label(decision),
        value: decision.loss,
        ends: (decision.low, decision.high),
        is_lead,
    };
    let mut dots = vec![dot(&plan.chosen, true)];
    dots.extend(plan.alternatives.iter().map(|decision| dot(decision, false)));
    dots.extend(plan.observed.iter().map(|realised| Dot {
        label: "realised".into(),
        value: realised.loss,
        ends: (realised.loss, realised.loss),
        is_lead: false,
    }));
    dots
}

fn dot_plot<'a>(dots: &'a [Dot], plan: &DecisionReport) -> DotPlot<'a> {
    DotPlot {
        title: if plan.metric == "log_loss" {
            "foreseen log-loss, 90% interval"
        } else {
            "foreseen RMSE, 90% interval"
        },
        hint: "less is better",
        dots,
        limits: NO_LIMITS,
        is_log: false,
        format: &number_text,
        tick: None,
    }
}

fn plots(plan: &DecisionReport) -> Vec<(String, String)> {
    let dots = dots(plan);
    let plot = dot_plot(&dots, plan);
    let told: Vec<String> =
        dots.iter().map(|dot| format!("{} {}", dot.label, number_text(dot.value))).collect();
    let mut all = vec![(
        format!("{}: {}", plot.title, told.join(", ")),
        drawn(plot.size(), |canvas| plot.draw(canvas, 0)),
    )];
    if plan.curve.len() > 1 {
        let curve = |label: &str, run_idx, pick: fn(&weightsmith_planner::PredictedPoint) -> f64| Curve {
            label: label.into(),
            run_idx,
            points: plan.curve.iter().map(|point| (point.n_steps as f64, pick(point))).collect(),
        };
        let curves = [
            curve("foreseen", 0, |point| point.loss),
            curve("5%", 5, |point| point.low),
            curve("95%", 5, |point| point.high),
        ];
        let highest = plan.curve.iter().map(|point| point.high).fold(0.0, f64::max);
        let of = if plan.chosen.action == "train" { &plan.chosen } else { &plan.alternatives[0] };
        let title = format!("foreseen {} of {}", name(plan.metric), label(of));
        let plot = CurvePlot {
            title: &title,
            hint: "less is better",
            below: "steps",
            curves: &curves,
            // Where all is far below it, it would flatten the curve.
            level: (plan.base_loss < 2.0 * highest).then_some(("base", plan.base_loss)),
        };
        all.push((title.clone(), drawn(SIZE, |canvas| plot.draw(canvas, 0))));
    }
    all
}

fn decisions(plan: &DecisionReport) -> String {
    let header =
        ["decision", "foreseen", "90% interval", "realised", "gain over generating", "tried on short rows"];
    let row = |decision: &CandidateReport, at: &str, realised: &dyn Fn(&CandidateReport, &str) -> String| {
        let figure_at = |field: &str, value: f64, text: &str| figure(&format!("{at}/{field}"), value, text);
        vec![
            format!("<span class=\"words\">{}</span>", escaped(&decision.in_words())),
            figure_at("loss", decision.loss, &number_text(decision.loss)),
            format!(
                "{} to {}",
                figure_at("low", decision.low, &number_text(decision.low)),
                figure_at("high", decision.high, &number_text(decision.high))
            ),
            realised(decision, at),
            format!(
                "{} ± {}",
                figure_at("improvement", decision.improvement, &percent(decision.improvement)),
                figure_at(
                    "improvement_deviation",
                    decision.improvement_deviation,
                    &percent(decision.improvement_deviation)
                )
            ),
            decision.tried.map_or("-".into(), |tried| {
                figure_at("tried/measured/mean", tried.measured.mean, &percent(tried.measured.mean))
            }),
        ]
    };
    let realised = |decision: &CandidateReport, at: &str| {
        let (pointer, loss) = match (&plan.observed, decision.observed) {
            (Some(realised), None) if at == "/chosen" => ("/observed/loss".to_string(), realised.loss),
            (_, Some(loss)) => (format!("{at}/observed"), loss),
            _ => return "-".to_string(),
        };
        figure(&pointer, loss, &number_text(loss))
    };
    let row = |decision: &CandidateReport, at: &str| row(decision, at, &realised);
    let mut rows = vec![row(&plan.chosen, "/chosen")];
    let others = plan.alternatives.iter().enumerate();
    rows.extend(others.map(|(at, decision)| row(decision, &format!("/alternatives/{at}"))));
    format!(
        "<h2>Decisions</h2>\n<p class=\"note\">The chosen one and the best of every other kind. Gains are of the loss, mean and \
         standard deviation over the networks; a training is chosen only if its gain outweighs their disagreement.</p>\n{}",
        table(&header.map(String::from), &rows, Some(0))
    )
}

fn percent(part: f64) -> String {
    // Without the sign of a zero.
    format!("{:.1}%", (1000.0 * part).round() / 10.0 + 0.0)
}

fn reasons(plan: &DecisionReport) -> String {
    if plan.reasons.is_empty() {
        return String::new();
    }
    let header = ["because of", "here", "usual", "moved the gain by", WORDS];
    let rows: Vec<Vec<String>> = plan
        .reasons
        .iter()
        .enumerate()
        .map(|(at, reason)| {
            let figure_at =
                |field: &str, value: f64, text: &str| figure(&format!("/reasons/{at}/{field}"), value, text);
            vec![
                escaped(reason.feature),
                figure_at("value", reason.value, &format!("{:.3}", reason.value)),
                figure_at("mean", reason.mean, &format!("{:.3}", reason.mean)),
                figure_at(
                    "contribution",
                    reason.contribution,
                    &format!("{:+.1}%", 100.0 * reason.contribution),
                ),
                format!("<span class=\"words\">{}</span>", escaped(reason.about)),
            ]
        })
        .collect();
    format!(
        "<h2>Reasons</h2>\n<p class=\"note\">By how much the gain of the chosen decision over the first alternative would change if \
         the feature were as it usually is.</p>\n{}",
        table(&header.map(String::from), &rows, None)
    )
}

fn features(plan: &DecisionReport) -> String {
    let rows: Vec<Vec<String>> = plan
        .features
        .iter()
        .enumerate()
        .map(|(at, feature)| {
            let value =
                figure(&format!("/features/{at}/value"), feature.value, &format!("{:.3}", feature.value));
            vec![
                escaped(feature.name),
                value,
                format!("<span class=\"words\">{}</span>", escaped(feature.about)),
            ]
        })
        .collect();
    let header = ["feature", "value", WORDS];
    format!("<h2>What the short rows look like</h2>\n{}", table(&header.map(String::from), &rows, None))
}

fn method(plan: &DecisionReport) -> String {
    format!(
        "<h2>How</h2>\n<p>A linear predictor scored all {} trainings that the space of plans holds for this table; five networks \
         judged the best {} of them, in {} altogether. Both learned from recorded trainings on other tables. The page and the \
         JSON beside it were written by weightsmith {VERSION}.</p>\n",
        figure("/n_scored", plan.n_scored as f64, &plan.n_scored.to_string()),
        figure("/n_reranked", plan.n_reranked as f64, &plan.n_reranked.to_string()),
        figure("/wall_s", plan.wall_s, &seconds_text(plan.wall_s)),
    )
}
