//! A comparison of methods on one table.

mod pictures;
mod tables;

use super::importance;
use crate::charts::Chart;
use crate::page::{Page, VERSION, checksum, count, figure, notes, side_by_side};
use crate::words::signed;
use maud::{Markup, html};
use weightsmith_evaluation::methods::{GENERATED, REFINED, tuned};
use weightsmith_evaluation::statistics::Estimate;
use weightsmith_evaluation::{Comparison, MethodRef, MethodReport, Metric, Role, metric_text, seconds_text};
use weightsmith_tasks::TaskType;
use weightsmith_training::Optimiser;

impl Page for Comparison {
    fn title(&self) -> String {
        format!("{}: generated and optimised weights", self.name)
    }

    fn question(&self) -> &'static str {
        "How good is the generated network on rows it has not seen, and what would an optimiser have cost?"
    }

    fn pictures(&self) -> Vec<Chart> {
        pictures::dots(self)
    }

    fn body(&self) -> Markup {
        html! {
            p.answer { (answer(self)) }
            (side_by_side(&self.pictures()))
            p.note {
                "Dots are means over " (count("/n_splits", self.n_splits as usize)) " splits with their 95% intervals (an arrow: \
                 further than the picture reaches); times are medians, from the least to the greatest."
            }
            (notes(&self.notes))
            (cost(self))
            (over_time(self))
            (steps(self))
            (controls(self))
            @if let Some(importance) = &self.importance {
                (importance::section(importance, self.task, "/importance", "the query rows"))
            }
            (refining(self))
            (weight_space(self))
            h2 { "All figures" }
            (tables::figures(self))
            (tables::differences(self))
            (tables::predicted_scores(self))
            (how(self))
        }
    }
}

/// A method's place among the methods, and its report.
fn find(comparison: &Comparison, method: MethodRef) -> Option<(usize, &MethodReport)> {
    comparison.methods.iter().enumerate().find(|(_, report)| report.method == method)
}

/// What is lost, as the curves have it.
fn loss_metric(comparison: &Comparison) -> Metric {
    match comparison.task {
        TaskType::Classification => Metric::LogLoss,
        TaskType::Regression => Metric::Rmse,
    }
}

/// The main metric of a method, as a figure of the page.
fn main_figure(comparison: &Comparison, (idx, report): (usize, &MethodReport)) -> Option<Markup> {
    let place = report.metrics.iter().position(|found| found.metric == comparison.main_metric)?;
    let value = report.metrics[place].estimate.mean;
    let pointer = format!("/methods/{idx}/metrics/{place}/estimate/mean");
    Some(figure(pointer, value, metric_text(comparison.main_metric, value)))
}

/// The best of all that is neither written by the metamodel nor a control, cheap ones included.
fn strongest(comparison: &Comparison) -> Option<(usize, &MethodReport)> {
    let metric = comparison.main_metric;
    let loss = |report: &MethodReport| Some(metric.loss(report.get(metric)?.estimate.mean));
    let is_opponent = |(_, report): &(usize, &MethodReport)| {
        !matches!(report.role, Role::Generated | Role::Planned | Role::Control) && loss(report).is_some()
    };
    let opponents = comparison.methods.iter().enumerate().filter(is_opponent);
    opponents.min_by(|a, b| f64::total_cmp(&loss(a.1).unwrap_or(f64::NAN), &loss(b.1).unwrap_or(f64::NAN)))
}

/// The answer to the page's question, in two or three sentences.
fn answer(comparison: &Comparison) -> Markup {
    let Comparison { name, target, n_support, n_query, main_metric, .. } = comparison;
    let generated = find(comparison, GENERATED);
    let value = generated.and_then(|found| main_figure(comparison, found));
    let strongest = strongest(comparison);
    // Named by itself only if it is not the strongest already.
    let adam =
        find(comparison, tuned(Optimiser::Adam)).filter(|adam| strongest.is_none_or(|best| best.0 != adam.0));
    let against = |found: (usize, &MethodReport)| {
        html! {
            @if let Some(value) = main_figure(comparison, found) { (value) }
            @if let Some(words) = verdict(found.1, *main_metric) { " (" (words) ")" }
        }
    };
    html! {
        "On " b { (name) } ", predicting " b { (target) } " from " (count("/n_support", *n_support))
        " support rows and scored on " (count("/n_query", *n_query)) " others"
        @match value {
            None => ", no weights were generated.",
            Some(value) => {
                ", the generated network has " (article(main_metric.label())) " " (main_metric.label()) " of " b { (value) } "."
                @if let Some(best) = strongest {
                    " The strongest other method, " (best.1.method.name()) ", has " (against(best)) "."
                }
                @if let Some(adam) = adam { " A network trained and tuned by Adam has " (against(adam)) "." }
                (time(comparison))
            }
        }
    }
}

fn article(label: &str) -> &'static str {
    if label.starts_with(['A', 'R', 'a', 'e', 'i', 'o']) { "an" } else { "a" }
}

fn time(comparison: &Comparison) -> Markup {
    let cost = find(comparison, GENERATED).and_then(|(idx, report)| Some((idx, report.cpu_s?.median)));
    html! {
        @if let (Some((idx, seconds)), Some(factor)) = (cost, comparison.speed_up) {
            " Writing the weights took " (figure(format_args!("/methods/{idx}/cpu_s/median"), seconds, seconds_text(seconds)))
            "; the tuned optimiser took " (figure("/speed_up", factor, format!("{factor:.0}"))) " times as long."
        }
    }
}

/// How the generated weights stand against a method, by the interval of the difference.
fn verdict(method: &MethodReport, metric: Metric) -> Option<&'static str> {
    let Estimate { low, high, .. } = method.get(metric)?.minus_generated?;
    let (low, high) = (low?, high?);
    let less_is_better = metric.higher_is_better() == Some(false);
    Some(match (low > 0.0, high < 0.0) {
        (false, false) => "no clear difference over these splits",
        (is_greater, _) if is_greater == less_is_better => "the generated network is better",
        _ => "the generated network is worse",
    })
}

fn cost(comparison: &Comparison) -> Markup {
    let Some(table) = tables::time_to_target(comparison) else { return Markup::default() };
    html! {
        h2 { "What an optimiser would have cost" }
        p {
            "The " (loss_metric(comparison).label()) " on rows that were not seen, while each training runs. The line of the generated \
             network begins when its weights are there; a tuned method's begins where the search for its recipe ends. Where another \
             line falls below the generated network's, an optimiser would have been as good, had it been stopped just then (which \
             nobody can know without those rows)."
        }
        (side_by_side(&pictures::losses(comparison)))
        (table)
    }
}

fn over_time(comparison: &Comparison) -> Markup {
    let shown = pictures::accuracies(comparison);
    let right = match comparison.task {
        TaskType::Classification => "A row is right when its most probable class is the true one.",
        TaskType::Regression => {
            "A row is right when its predicted value is within half a standard deviation of the true one."
        }
    };
    html! {
        @if !shown.is_empty() {
            h2 { "Accuracy over time" }
            p {
                "The plainest view of training: choose numbers, count how many rows come out right, keep the better numbers. "
                (right) " Random search does just that; an evolution strategy follows what helps a little; Adam follows the gradient; \
                 the metamodel writes the numbers at once. Getting the support rows right is easy; what counts are the query rows."
            }
            (side_by_side(&shown))
            (tables::at_end(comparison))
        }
    }
}

fn steps(comparison: &Comparison) -> Markup {
    let Some(curves) = &comparison.steps else { return Markup::default() };
    html! {
        h2 { "What a few steps bring" }
        p {
            "One generated view, without the forest, goes on by inner steps that change its hidden layer alone, while the last layer is \
             solved anew after each; beside it a random hidden layer of the same width does the same. "
            @if let Some(decided) = &curves.decided {
                "For the whole network, of several views and the forest, rows held out from the support picked "
                (figure("/steps/decided/median", decided.median, format!("{:.0}", decided.median)))
                " steps in the median over splits; the dot marks that number, or the one tried that is nearest. "
            }
            "Where the support's loss falls and the query's does not, steps learn the rows by heart."
        }
        (side_by_side(&pictures::steps(comparison, curves)))
        (tables::steps(comparison, curves))
    }
}

fn controls(comparison: &Comparison) -> Markup {
    let Some(table) = tables::controls(comparison) else { return Markup::default() };
    html! {
        h2 { "Controls" }
        p {
            "What the generated network owes to learning, to its exact numbers, and to the labels: each control takes one of these \
             away. Where a control is as good, the table does not need it."
        }
        (table)
    }
}

fn refining(comparison: &Comparison) -> Markup {
    let Some((idx, refined)) = find(comparison, REFINED) else { return Markup::default() };
    let metric = comparison.main_metric;
    let found = refined.metrics.iter().enumerate().find(|(_, report)| report.metric == metric);
    let steps = refined.n_steps.map_or(0.0, |steps| steps.median);
    let verdict = match verdict(refined, metric) {
        None => "one split says little",
        Some("the generated network is better") => "refining harms",
        Some("the generated network is worse") => "refining pays",
        Some(other) => other,
    };
    html! {
        h2 { "Does refining pay?" }
        p {
            "Steps of Adam that start from the generated weights and are pulled back to them are taken only if held-out support rows \
             gain more than a standard error. On the first split: " (refined.details) ". In the median over splits "
            (figure(format_args!("/methods/{idx}/n_steps/median"), steps, format!("{steps:.0}"))) " steps were taken"
            @if let Some((place, Some(Estimate { mean, .. }))) = found.map(|(place, report)| (place, report.minus_generated)) {
                "; the " (metric.label()) " changes by "
                (figure(format_args!("/methods/{idx}/metrics/{place}/minus_generated/mean"), mean, signed(metric, mean)))
                " (" (verdict) ")"
            }
            "."
        }
    }
}

fn weight_space(comparison: &Comparison) -> Markup {
    let Some(space) = &comparison.weight_space else { return Markup::default() };
    html! {
        h2 { "Where the weights lie" }
        p {
            "One generated view (" (count("/weight_space/n_weights", space.n_weights)) " numbers, "
            (count("/weight_space/n_units", space.n_units)) " hidden units, without the forest), and a network of the same shape and \
             encoding that Adam trained from random numbers, its recipe chosen by cross-validation. Hidden units have no order, so \
             Adam's are first matched to the generated ones by assignment."
        }
        (side_by_side(&pictures::weight_space(comparison, space)))
        p.note {
            "First: the loss on unseen rows along the straight line between the two. Second: on the plane through the generated, the \
             trained and the random weights, with Adam's way projected on it. Both of the first split."
        }
        (tables::weight_space(comparison, space))
    }
}

fn how(comparison: &Comparison) -> Markup {
    let Comparison { n_rows, n_columns, n_support, n_query, n_splits, shape, .. } = comparison;
    let splits: Vec<String> = comparison.splits.iter().map(ToString::to_string).collect();
    html! {
        h2 { "How this was measured" }
        p {
            "The table has " (n_rows) " rows and " (n_columns) " columns besides the target. In each of " (n_splits) " splits, "
            (n_support) " rows drawn at random are the support that every method reads, and " (n_query) " others, the query, which no \
             method sees, are scored. Split s is the order of " code { "numpy.random.RandomState(1000 + s).permutation(" (n_rows) ")" }
            ", and s is the seed of every method; here s = " (splits.join(", ")) ". Choices such as the strength of regularisation are \
             made inside the support rows. Each method ran on one core; times are of the processor, without the evaluations of a \
             training while it runs. Optimisers train networks of " (shape.n_units) " hidden units"
            @if shape.skip { " and a direct path from inputs to outputs" } "."
        }
        @if let Some(selection) = &comparison.selection {
            p {
                "Before any method learned, something was " (selection.in_words())
                ". It was chosen by the support rows of each split alone, and every method learned from what was left."
            }
        }
        dl {
            @for method in &comparison.methods {
                dt { (method.method.name()) }
                dd { (method.about) @if !method.details.is_empty() { " (" (method.details) ")" } }
                @if let Some(error) = method.errors.first() { dd { "failed on " (method.errors.len()) " splits: " (error) } }
            }
        }
        p.note {
            @if comparison.n_skipped > 0 {
                (comparison.n_skipped) " splits are left out, since their support rows are all of one class. "
            }
            "Splits of one table share rows, so the intervals (Student's t) tell how much the choice of support rows matters on this \
             table, not what another table would show. The figures are in a JSON file beside this page; "
            code { "weightsmith compare --export" } " writes rows, weights and predictions, and " code { "docs/recompute.py" }
            " checks every score with NumPy. Metamodel " (comparison.metamodel.0) " " (checksum(&comparison.metamodel.1))
            ", weightsmith " (VERSION) "."
        }
    }
}
