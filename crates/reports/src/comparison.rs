//! The report of a comparison on one table.

mod pictures;
mod tables;

use super::notes::notes;
use super::page::{escaped, figure, page, pictures as side_by_side, push, standalone};
use super::picture::drawn;
use weightsmith_evaluation::MethodRef;
use weightsmith_evaluation::Metric;
use weightsmith_evaluation::methods::{GENERATED, REFINED, tuned};
use weightsmith_evaluation::statistics::Estimate;
use weightsmith_evaluation::{Comparison, MethodReport};
use weightsmith_evaluation::{metric_text, seconds_text};
use weightsmith_tasks::TaskType;
use weightsmith_training::Optimiser;

const QUESTION: &str =
    "How good is the generated network on rows it has not seen, and what would an optimiser have cost?";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Pixels between pictures that share a file.
const GAP: u32 = 24;

/// The page.
pub(super) fn html(comparison: &Comparison) -> String {
    let mut body = format!("<h1>{QUESTION}</h1>\n<p class=\"answer\">{}</p>\n", answer(comparison));
    let dots = pictures::dots(comparison);
    body.push_str(&side_by_side(&dots.iter().map(pictures::Dots::alone).collect::<Vec<_>>()));
    push(
        &mut body,
        format_args!(
            "<p class=\"note\">Dots are means over {} splits with their 95 % intervals (an arrow: further than the picture \
             reaches); times are medians, from the least to the greatest.</p>\n",
            comparison.n_splits
        ),
    );
    body.push_str(&notes(&comparison.notes));
    for section in [cost, at_end, controls, refining, weight_space] {
        body.push_str(&section(comparison));
    }
    body.push_str("<h2>All figures</h2>\n");
    body.push_str(&tables::figures(comparison));
    body.push_str(&tables::differences(comparison));
    body.push_str(&tables::predicted_scores(comparison));
    body.push_str(&method(comparison));
    page(&format!("{}: generated and optimised weights", comparison.name), &body)
}

/// The pictures of the main figures alone, one below the other.
pub(super) fn svg(comparison: &Comparison) -> String {
    let plots = pictures::dots(comparison);
    let sizes: Vec<(u32, u32)> = plots.iter().map(pictures::Dots::size).collect();
    let width = sizes.iter().map(|size| size.0).max().unwrap_or(0);
    let height = sizes.iter().map(|size| size.1 + GAP).sum::<u32>();
    let svg = drawn((width, height), |canvas| {
        let mut top = 0;
        for (plot, size) in plots.iter().zip(&sizes) {
            plot.draw(canvas, top as i32);
            top += size.1 + GAP;
        }
    });
    standalone(&svg, (width, height))
}

/// A method's place among the methods, and its report.
fn find(comparison: &Comparison, method: MethodRef) -> Option<(usize, &MethodReport)> {
    comparison.methods.iter().enumerate().find(|(_, report)| report.method == method)
}

/// The main metric of a method, as a figure of the page.
fn main_figure(comparison: &Comparison, method: MethodRef) -> Option<String> {
    let (idx, report) = find(comparison, method)?;
    let place = report.metrics.iter().position(|found| found.metric == comparison.main_metric)?;
    let value = report.metrics[place].estimate.mean;
    let pointer = format!("/methods/{idx}/metrics/{place}/estimate/mean");
    Some(figure(&pointer, value, &metric_text(comparison.main_metric, value)))
}

fn cpu_figure(comparison: &Comparison, method: MethodRef) -> Option<String> {
    let (idx, report) = find(comparison, method)?;
    let value = report.cpu_s?.median;
    Some(figure(&format!("/methods/{idx}/cpu_s/median"), value, &seconds_text(value)))
}

/// What is lost, as the curves have it.
fn loss_metric(comparison: &Comparison) -> Metric {
    match comparison.task {
        TaskType::Classification => Metric::LogLoss,
        TaskType::Regression => Metric::Rmse,
    }
}

/// The answer to the page's question, in two or three sentences.
fn answer(comparison: &Comparison) -> String {
    let Comparison { name, target, n_support, n_query, main_metric, .. } = comparison;
    let mut text = format!(
        "On <b>{}</b>, predicting <b>{}</b> from {n_support} labelled rows and scored on {n_query} others",
        escaped(name),
        escaped(target)
    );
    let label = main_metric.label();
    let Some(value) = main_figure(comparison, GENERATED) else {
        return text + ", no weights were generated.";
    };
    push(&mut text, format_args!(", the generated network has a {label} of <b>{value}</b>"));
    let tuned = tuned(Optimiser::Adam);
    if let (Some(value), Some((_, report))) = (main_figure(comparison, tuned), find(comparison, tuned)) {
        push(&mut text, format_args!("; a network trained and tuned by Adam, {value}"));
        if let Some(words) = verdict(report, *main_metric) {
            push(&mut text, format_args!(" ({words})"));
        }
    }
    text.push('.');
    if let (Some(time), Some(factor)) = (cpu_figure(comparison, GENERATED), comparison.speed_up) {
        let factor = figure("/speed_up", factor, &format!("{factor:.0}"));
        push(
            &mut text,
            format_args!(
                " Writing the weights took {time}; the tuned optimiser took {factor} times as long."
            ),
        );
    }
    text
}

/// How the generated weights stand against a method, by the interval of the difference.
fn verdict(method: &MethodReport, metric: Metric) -> Option<&'static str> {
    let found = method.metrics.iter().find(|report| report.metric == metric)?;
    let Estimate { low, high, .. } = found.minus_generated?;
    let (low, high) = (low?, high?);
    let less_is_better = metric.higher_is_better() == Some(false);
    Some(match (low > 0.0, high < 0.0) {
        (false, false) => "no clear difference over these splits",
        (arm_is_greater, _) if arm_is_greater == less_is_better => "the generated network is better",
        _ => "the generated network is worse",
    })
}

fn cost(comparison: &Comparison) -> String {
    let table = tables::time_to_target(comparison);
    if table.is_empty() {
        return String::new();
    }
    let loss = loss_metric(comparison).label();
    let mut out = String::from("<h2>What an optimiser would have cost</h2>\n");
    push(
        &mut out,
        format_args!(
            "<p>The {loss} on rows that were not seen, while each training runs. The line of the generated network begins \
             when its weights are there; where another falls below it, an optimiser would have been as good, had it been \
             stopped just then (which nobody can know without those rows).</p>\n"
        ),
    );
    out.push_str(&side_by_side(&pictures::losses(comparison)));
    out.push_str(&table);
    out
}

fn at_end(comparison: &Comparison) -> String {
    let shown = pictures::rights(comparison);
    if shown.is_empty() {
        return String::new();
    }
    let right = match comparison.task {
        TaskType::Classification => "An example is right when its most probable class is the true one.",
        TaskType::Regression => {
            "An example is right when its value is within half a standard deviation of the true one."
        }
    };
    format!(
        "<h2>The table test</h2>\n<p>The plainest view of training: choose numbers, count how many examples come out right, \
         keep the better numbers. {right} Random search does just that; an evolution strategy follows what helps a little; \
         Adam follows the gradient; the metamodel writes the numbers at once. Getting the short table right is easy; \
         what counts is the long one.</p>\n{}{}",
        side_by_side(&shown),
        tables::at_end(comparison)
    )
}

fn controls(comparison: &Comparison) -> String {
    let table = tables::controls(comparison);
    if table.is_empty() {
        return String::new();
    }
    format!(
        "<h2>Controls</h2>\n<p>What the generated network owes to learning, to its exact numbers, and to the labels: each \
         control takes one of these away. Where a control is as good, the table does not need it.</p>\n{table}"
    )
}

fn refining(comparison: &Comparison) -> String {
    let Some((idx, refined)) = find(comparison, REFINED) else { return String::new() };
    let Some(place) = refined.metrics.iter().position(|found| found.metric == comparison.main_metric) else {
        return String::new();
    };
    let mut out = String::from("<h2>Does refining pay?</h2>\n<p>");
    let accepted = refined.n_steps.map_or(0.0, |steps| steps.median);
    push(
        &mut out,
        format_args!(
            "Steps of Adam that start from the generated weights and are pulled back to them are taken only if held-out \
             short rows gain more than a standard error. On the first split: {}. In the median over splits {} steps were \
             taken",
            escaped(&refined.details),
            figure(&format!("/methods/{idx}/n_steps/median"), accepted, &format!("{accepted:.0}")),
        ),
    );
    if let Some(difference) = refined.metrics[place].minus_generated {
        let metric = comparison.main_metric;
        let pointer = format!("/methods/{idx}/metrics/{place}/minus_generated/mean");
        let text = signed(metric, difference.mean);
        push(
            &mut out,
            format_args!(
                "; the {} changes by {} ({})",
                metric.label(),
                figure(&pointer, difference.mean, &text),
                verdict(refined, metric).map_or("one split says little", |words| match words {
                    "the generated network is better" => "refining harms",
                    "the generated network is worse" => "refining pays",
                    other => other,
                })
            ),
        );
    }
    out.push_str(".</p>\n");
    out
}

/// A difference with its sign.
fn signed(metric: Metric, value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", metric_text(metric, value))
}

fn weight_space(comparison: &Comparison) -> String {
    let Some(space) = &comparison.weight_space else { return String::new() };
    format!(
        "<h2>Where the weights lie</h2>\n<p>One generated view ({} numbers, {} hidden units, without the forest), and a \
         network of the same shape and encoding that Adam trained from random numbers, its recipe chosen by \
         cross-validation. Hidden units have no order, so Adam's are first matched to the generated ones by \
         assignment.</p>\n{}<p class=\"note\">First: the loss on unseen rows along the straight line between the two. \
         Second: on the plane through the generated, the trained and the random weights, with Adam's way projected on it. \
         Both of the first split.</p>\n{}",
        space.n_weights,
        space.n_units,
        side_by_side(&pictures::weight_space(comparison, space)),
        tables::weight_space(comparison, space)
    )
}

fn method(comparison: &Comparison) -> String {
    let Comparison { n_rows, n_columns, n_support, n_query, n_splits, shape, .. } = comparison;
    let (metamodel, checksum) = &comparison.metamodel;
    let mut out = String::from("<h2>How this was measured</h2>\n");
    let splits: Vec<String> = comparison.splits.iter().map(ToString::to_string).collect();
    push(
        &mut out,
        format_args!(
            "<p>The table has {n_rows} rows and {n_columns} columns besides the target. In each of {n_splits} splits, \
             {n_support} rows drawn at random are the short data that every method reads, and {n_query} others, which no method \
             sees, are scored. Split s is the order of <code>numpy.random.RandomState(1000 + s).permutation({n_rows})</code>, \
             and s is the seed of every method; here s = {}. Choices such as the strength of regularisation are made inside the \
             short rows. Each method ran on one core; times are of the processor, without the looks at a training while it \
             runs. Optimisers train networks of {} hidden units{}.</p>\n",
            splits.join(", "),
            shape.n_units,
            if shape.skip { " and a direct path from inputs to outputs" } else { "" }
        ),
    );
    out.push_str("<dl>\n");
    for method in &comparison.methods {
        let details = if method.details.is_empty() {
            String::new()
        } else {
            format!(" ({})", escaped(&method.details))
        };
        push(
            &mut out,
            format_args!("<dt>{}</dt><dd>{}{details}</dd>\n", method.method, escaped(&method.about)),
        );
        if let Some(error) = method.errors.first() {
            let n_failed = method.errors.len();
            push(&mut out, format_args!("<dd>failed on {n_failed} splits: {}</dd>\n", escaped(error)));
        }
    }
    out.push_str("</dl>\n<p class=\"note\">");
    if comparison.n_skipped > 0 {
        push(
            &mut out,
            format_args!(
                "{} splits are left out, since their short rows are all of one class. ",
                comparison.n_skipped
            ),
        );
    }
    push(
        &mut out,
        format_args!(
            "Splits of one table share rows, so the intervals (Student's t) tell how much the choice of short rows matters \
             on this table, not what another table would show. The figures are in a JSON file beside this page; \
             <code>weightsmith compare --export</code> writes rows, weights and predictions, and \
             <code>docs/recompute.py</code> checks every score with NumPy. Metamodel {} <code>{}</code>, weightsmith \
             {VERSION}.</p>\n",
            escaped(metamodel),
            escaped(checksum.get(..12).unwrap_or(checksum))
        ),
    );
    out
}
