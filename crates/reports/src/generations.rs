//! The page of a loop of generations: what was chosen, what was foreseen, what came, what was accepted, and the controls.

use super::curves::{Curve, CurvePlot};
use super::dots::{Dot, DotPlot, NO_LIMITS};
use super::page::{WORDS, escaped, figure, page, pictures, push, standalone, table};
use super::picture::{ACCENT, INK, SECOND, THIRD, drawn};
use super::tree::{self, Leaf};
use plotters::prelude::RGBColor;
use std::collections::BTreeSet;
use weightsmith_evaluation::seconds_text;
use weightsmith_self_application::{
    Choice, ControlReport, Difference, Iteration, LoopReport, OutcomeLearner, RecipeSearch, SelfApplyReport,
    SelfTaskMode,
};

const QUESTION: &str = "What does a metamodel gain when it learns from its own trainings?";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The page.
pub(super) fn html(report: &SelfApplyReport) -> String {
    let mut body = format!("<h1>{QUESTION}</h1>\n<p class=\"answer\">{}</p>\n", answer(report));
    let mut all: Vec<(String, String)> = Vec::new();
    for own in report.loops.iter().filter(|own| own.search == RecipeSearch::Planner) {
        let leaves = leaves(own);
        let title = loop_name(own);
        let text = format!("{title}: {} generations, {} accepted", leaves.len(), n_accepted(own));
        all.push((text, drawn(tree::SIZE, |canvas| tree::draw(&title, &leaves, canvas, 0))));
    }
    let pairs = tree::pairs(report);
    if !pairs.is_empty() {
        let text = "what was foreseen of each generation, and what came".to_string();
        all.push((text, drawn(super::square::SIZE, |canvas| tree::draw_foreseen(&pairs, canvas, 0))));
    }
    let curves = best_so_far(report);
    if curves.len() > 1 {
        all.push(plot_of(&curves).alone());
    }
    for n_rows in sizes(report) {
        let (title, dots) = foresight_dots(report, n_rows);
        let plot = foresight_plot(&title, &dots);
        all.push((title.clone(), drawn(plot.size(), |canvas| plot.draw(canvas, 0))));
    }
    body.push_str(&pictures(&all));
    body.push_str(&who_trains_whom());
    for (at, own) in report.loops.iter().enumerate() {
        if own.search == RecipeSearch::Planner {
            body.push_str(&generations(at, own));
        }
    }
    body.push_str(&methods(report));
    body.push_str(&noise(report));
    body.push_str(&controls(report));
    body.push_str(&foresight(report));
    push(
        &mut body,
        format_args!(
            "<h2>How</h2>\n<p>Losses are mean negative log-likelihoods of query rows under the networks that a metamodel generates, \
             in nats, over fixed synthetic tasks that none is trained on; the closed-form head alone comes to {} on the acceptance set. \
             The acceptance set decides what is accepted and is what predictors foresee, so the best found on it looks better than it is; \
             the second set decides nothing. Differences are paired by task, their intervals 95% bootstrap intervals over tasks. \
             The ledger holds {} runs of level 0, {} of level 1 and {} of level 2; its checksum is <code>{}</code>. Written by \
             weightsmith {VERSION}.</p>\n",
            figure("/untrained", report.untrained, &format!("{:.4}", report.untrained)),
            figure("/n_runs/0", report.n_runs[0] as f64, &report.n_runs[0].to_string()),
            figure("/n_runs/1", report.n_runs[1] as f64, &report.n_runs[1].to_string()),
            figure("/n_runs/2", report.n_runs[2] as f64, &report.n_runs[2].to_string()),
            escaped(&report.checksum),
        ),
    );
    page("generations of metamodels", &body)
}

/// The trees alone.
pub(super) fn svg(report: &SelfApplyReport) -> String {
    let loops: Vec<&LoopReport> =
        report.loops.iter().filter(|own| own.search == RecipeSearch::Planner).collect();
    let size = (tree::SIZE.0, tree::SIZE.1 * loops.len().max(1) as u32);
    let svg = drawn(size, |canvas| {
        for (at, own) in loops.iter().enumerate() {
            tree::draw(&loop_name(own), &leaves(own), canvas, (tree::SIZE.1 * at as u32) as i32);
        }
    });
    standalone(&svg, size)
}

fn loop_name(own: &LoopReport) -> String {
    let mode = match own.mode {
        SelfTaskMode::Lifted => String::new(),
        mode => format!(", self tasks {mode}"),
    };
    format!("generations of seed {}{mode}", own.seed)
}

fn n_accepted(own: &LoopReport) -> usize {
    own.iterations.iter().filter(|generation| generation.accepted).count()
}

fn leaves(own: &LoopReport) -> Vec<Leaf> {
    let at = |uid: &str| own.iterations.iter().position(|generation| generation.uid == uid);
    let leaf = |generation: &Iteration| {
        Some(Leaf {
            generation: generation.iteration,
            parent: generation.parent.as_deref().and_then(at),
            loss: generation.acceptance?,
            is_accepted: generation.accepted,
            is_foreseen: generation.choice == Choice::Predicted,
        })
    };
    own.iterations.iter().filter_map(leaf).collect()
}

/// The sentence at the top.
fn answer(report: &SelfApplyReport) -> String {
    let mut text = String::new();
    for (at, contest) in report.contests.iter().enumerate() {
        let (words, pointer, estimate) = match (&contest.over_seeds, &contest.as_found) {
            (Some(estimate), _) => {
                ("repeated with new seeds and measured on the report set", "over_seeds", estimate)
            }
            (None, Some(estimate)) => ("as found on the acceptance set", "as_found", estimate),
            (None, None) => continue,
        };
        let verdict = match (estimate.low, estimate.high) {
            (_, Some(high)) if high < 0.0 => "better than",
            (Some(low), _) if low > 0.0 => "worse than",
            _ => "not to be told apart from",
        };
        let interval = match (estimate.low, estimate.high) {
            (Some(low), Some(high)) => format!(" ({low:+.4} to {high:+.4} over {} seeds)", estimate.n),
            _ => " (one seed)".to_string(),
        };
        push(
            &mut text,
            format_args!(
                "After equal training cost the best recipe of the self-applied loop, {words}, is {verdict} that of {}: {}{interval}. ",
                other_name(contest.other),
                figure(
                    &format!("/contests/{at}/{pointer}/mean"),
                    estimate.mean,
                    &format!("{:+.4}", estimate.mean)
                ),
            ),
        );
    }
    if let Some((at, own)) = report
        .prediction_quality
        .iter()
        .enumerate()
        .find(|(_, own)| own.learner == OutcomeLearner::Incumbent && own.n_rows == 32)
    {
        push(
            &mut text,
            format_args!(
                "From 32 rows of its own runs it generates a predictor that foresees {} of the variance of others, {} more than ridge. ",
                figure(
                    &format!("/prediction_quality/{at}/r2/mean"),
                    own.r2.mean,
                    &format!("{:.0}%", 100.0 * own.r2.mean)
                ),
                figure(
                    &format!("/prediction_quality/{at}/over_ridge/mean"),
                    own.over_ridge.mean,
                    &format!("{:+.2}", own.over_ridge.mean)
                ),
            ),
        );
    }
    if let Some((at, lifted)) =
        report.controls.iter().enumerate().find(|(_, control)| control.mode == SelfTaskMode::Lifted)
        && let Some(differences) = &lifted.differences
    {
        push(
            &mut text,
            format_args!(
                "Self tasks change the loss on unseen tasks about runs by {} and on tasks about the world by {}.",
                difference_figure(&format!("/controls/{at}/differences/lifted"), &differences.lifted),
                difference_figure(&format!("/controls/{at}/differences/report"), &differences.report),
            ),
        );
    }
    if text.is_empty() {
        let n: usize = report.loops.iter().map(|own| own.iterations.len()).sum();
        text = format!(
            "{n} generations so far; other ways to come by recipes and the controls have not run yet."
        );
    }
    text
}

fn other_name(method: RecipeSearch) -> &'static str {
    match method {
        RecipeSearch::Hand => "one thing changed at a time by hand",
        RecipeSearch::Random => "random search",
        RecipeSearch::Planner => "the planner",
        RecipeSearch::Control | RecipeSearch::Confirm => "a repeat",
    }
}

fn difference_figure(pointer: &str, difference: &Difference) -> String {
    format!(
        "{} ({:+.4} to {:+.4})",
        figure(&format!("{pointer}/mean"), difference.mean, &format!("{:+.4}", difference.mean)),
        difference.low,
        difference.high
    )
}

fn who_trains_whom() -> String {
    "<h2>What trains what</h2>\n<dl>\n\
     <dt>A base model</dt><dd>is a small network that predicts a column of a table. The predictor of trainings is one: its table \
     has a row a training, and predicts the loss that came of it.</dd>\n\
     <dt>A metamodel</dt><dd>writes base models. Every generation here is one, trained by an optimiser for half a minute on synthetic \
     tables, and on tables about runs beside them.</dd>\n\
     <dt>Self-application</dt><dd>is that the metamodel which stands writes the predictor of metamodels' trainings. Rows about runs \
     are one level above what those runs were trained on; no run is an example for itself.</dd>\n</dl>\n"
        .to_string()
}

fn choice_name(choice: Choice) -> &'static str {
    match choice {
        Choice::ByHand => "by hand",
        Choice::Random => "at random",
        Choice::Predicted => "foreseen to be best",
        Choice::OneChanged => "one thing changed",
        Choice::Repeated => "repeated",
    }
}

fn number(pointer: &str, value: Option<f64>) -> String {
    value.map_or("–".to_string(), |value| figure(pointer, value, &format!("{value:.4}")))
}

/// Every generation of a loop, with what the gate said and why.
fn generations(at: usize, own: &LoopReport) -> String {
    let header: Vec<String> = [
        "",
        "chosen",
        "level",
        "foreseen",
        "came",
        "less the one that stood",
        "the gate",
        "self tasks",
        "cost",
    ]
    .map(String::from)
    .to_vec();
    let rows = own.iterations.iter().enumerate().map(|(idx, generation)| {
        let pointer = |name: &str| format!("/loops/{at}/iterations/{idx}/{name}");
        let share = generation.n_auxiliary as f64 / generation.n_tasks.max(1) as f64;
        vec![
            generation.iteration.to_string(),
            choice_name(generation.choice).to_string(),
            generation.level.to_string(),
            number(&pointer("predicted"), generation.predicted),
            number(&pointer("acceptance"), generation.acceptance),
            generation.difference.as_ref().map_or("–".to_string(), |difference| {
                difference_figure(&pointer("difference"), difference)
            }),
            if generation.accepted {
                format!("<strong>{}</strong>", escaped(&generation.verdict))
            } else {
                escaped(&generation.verdict)
            },
            format!("{:.0}%", 100.0 * share),
            seconds_text(generation.cpu_s),
        ]
    });
    let standing = own.iterations.iter().rposition(|generation| generation.accepted);
    let mut text = format!("<h2>{}</h2>\n", escaped(&loop_name(own)));
    for (idx, foreseen) in own.prediction_errors.iter().enumerate() {
        let pointer = |name: &str| format!("/loops/{at}/prediction_errors/{idx}/{name}");
        push(
            &mut text,
            format_args!(
                "<p>Of {} generations chosen {}, what came was {} above what had been foreseen (mean), {} away{}.</p>\n",
                figure(&pointer("n"), foreseen.n as f64, &foreseen.n.to_string()),
                choice_name(foreseen.choice),
                figure(&pointer("mean_error"), foreseen.mean_error, &format!("{:+.4}", foreseen.mean_error)),
                figure(
                    &pointer("absolute_error"),
                    foreseen.absolute_error,
                    &format!("{:.4}", foreseen.absolute_error)
                ),
                foreseen.rank_correlation.map_or(String::new(), |rank| format!(
                    ", rank correlation {}",
                    figure(&pointer("rank_correlation"), rank, &format!("{rank:.2}"))
                )),
            ),
        );
    }
    text + &table(&header, &rows.collect::<Vec<_>>(), standing)
}

/// The best recipe of each method, and the same repeated.
fn methods(report: &SelfApplyReport) -> String {
    if report.searches.len() < 2 {
        return String::new();
    }
    let header: Vec<String> = [
        "",
        "seed",
        "cost",
        "generations",
        "best, on the acceptance set",
        "on the report set",
        "repeats",
        "their mean, acceptance set",
        "report set",
    ]
    .map(String::from)
    .to_vec();
    let rows = report.searches.iter().enumerate().map(|(at, own)| {
        let pointer = |name: &str| format!("/searches/{at}/{name}");
        let repeats = own.repeats.as_ref();
        vec![
            own.search.name().to_string(),
            own.seed.to_string(),
            seconds_text(own.cpu_s),
            own.n_iterations.to_string(),
            number(&pointer("acceptance"), Some(own.acceptance)),
            number(&pointer("report"), Some(own.report)),
            repeats.map_or("–".into(), |repeats| repeats.n.to_string()),
            number(&pointer("repeats/acceptance"), repeats.map(|repeats| repeats.acceptance)),
            number(&pointer("repeats/report"), repeats.map(|repeats| repeats.report)),
        ]
    });
    let mut text = "<h2>At equal training cost</h2>\n".to_string();
    text += &table(&header, &rows.collect::<Vec<_>>(), None);
    for (at, contest) in report.contests.iter().enumerate() {
        for (idx, (seed, difference)) in contest.report.iter().enumerate() {
            push(
                &mut text,
                format_args!(
                    "<p>Planner less {}, seed {seed}, report set, repeated: {}.</p>\n",
                    contest.other.name(),
                    difference_figure(&format!("/contests/{at}/report/{idx}/1"), difference)
                ),
            );
        }
    }
    text
}

fn noise(report: &SelfApplyReport) -> String {
    let Some(noise) = &report.noise else { return String::new() };
    let over = noise.over_recipes.map_or(String::new(), |over| {
        format!(
            "; over recipes drawn at random it is {}",
            figure("/noise/over_recipes", over, &format!("{over:.4}"))
        )
    });
    format!(
        "<h2>Noise of the outcome</h2>\n<p>The same recipe with another seed: the standard deviation of the acceptance set's loss is {}, of \
         the second set's {} ({} trainings of {} recipes){over}.</p>\n",
        figure("/noise/acceptance", noise.acceptance, &format!("{:.4}", noise.acceptance)),
        figure("/noise/report", noise.report, &format!("{:.4}", noise.report)),
        figure("/noise/n", noise.n as f64, &noise.n.to_string()),
        figure("/noise/n_groups", noise.n_groups as f64, &noise.n_groups.to_string()),
    )
}

fn mode_name(mode: SelfTaskMode) -> &'static str {
    match mode {
        SelfTaskMode::Lifted => "lifted tasks",
        SelfTaskMode::Shuffled => "their labels shuffled",
        SelfTaskMode::ExtraBase => "as many tasks about the world",
        SelfTaskMode::None => "none",
    }
}

/// What self tasks do.
fn controls(report: &SelfApplyReport) -> String {
    if report.controls.is_empty() {
        return String::new();
    }
    let sizes: Vec<usize> = report.controls[0].suite.iter().map(|suite| suite.n_support).collect();
    let mut header: Vec<String> =
        ["beside the prior's tasks", "trainings", "acceptance set", "report set", "tasks about unseen runs"]
            .map(String::from)
            .to_vec();
    header.extend(sizes.iter().map(|n_short| format!("R² on real tables, {n_short} rows")));
    let rows = report.controls.iter().enumerate().map(|(at, control)| control_row(at, control, &sizes));
    format!(
        "<h2>Self tasks and their controls</h2>\n<p>The same recipe and seeds with other tasks beside those of the prior: losses of \
         none, and differences from it. Less is better but for R².</p>\n{}",
        table(&header, &rows.collect::<Vec<_>>(), Some(0))
    )
}

fn control_row(at: usize, control: &ControlReport, sizes: &[usize]) -> Vec<String> {
    let pointer = |name: &str| format!("/controls/{at}/{name}");
    let mut cells = vec![mode_name(control.mode).to_string(), control.n.to_string()];
    match &control.differences {
        Some(differences) => cells.extend([
            difference_figure(&pointer("differences/acceptance"), &differences.acceptance),
            difference_figure(&pointer("differences/report"), &differences.report),
            difference_figure(&pointer("differences/lifted"), &differences.lifted),
        ]),
        None => cells.extend([
            number(&pointer("means/acceptance"), Some(control.means.acceptance)),
            number(&pointer("means/report"), Some(control.means.report)),
            number(&pointer("means/lifted"), Some(control.means.lifted)),
        ]),
    }
    for n_short in sizes {
        let found = control.suite.iter().enumerate().find(|(_, suite)| suite.n_support == *n_short);
        cells.push(found.map_or("–".into(), |(idx, suite)| match &suite.difference {
            Some(difference) => difference_figure(&pointer(&format!("suite/{idx}/difference")), difference),
            None => number(&pointer(&format!("suite/{idx}/r2")), Some(suite.r2)),
        }));
    }
    cells
}

fn sizes(report: &SelfApplyReport) -> Vec<usize> {
    let mut sizes: Vec<usize> = report.prediction_quality.iter().map(|own| own.n_rows).collect();
    sizes.dedup();
    sizes
}

/// How well own trainings are foreseen.
fn foresight(report: &SelfApplyReport) -> String {
    if report.prediction_quality.is_empty() {
        return String::new();
    }
    let header: Vec<String> =
        [WORDS, "rows", "tested", "R²", "rank correlation", "R² less ridge's"].map(String::from).to_vec();
    let rows = report.prediction_quality.iter().enumerate().map(|(at, own)| {
        let pointer = |name: &str| format!("/prediction_quality/{at}/{name}/mean");
        let range = |low: f64, high: f64| format!(" <small>{low:.2} to {high:.2}</small>");
        vec![
            format!("<span class=\"words\">{}</span>", own.learner.name()),
            own.n_rows.to_string(),
            own.n_tested.to_string(),
            figure(&pointer("r2"), own.r2.mean, &format!("{:.3}", own.r2.mean))
                + &range(own.r2.low, own.r2.high),
            own.rank_correlation.as_ref().map_or("–".into(), |rank| {
                figure(&pointer("rank_correlation"), rank.mean, &format!("{:.3}", rank.mean))
                    + &range(rank.low, rank.high)
            }),
            figure(&pointer("over_ridge"), own.over_ridge.mean, &format!("{:+.3}", own.over_ridge.mean))
                + &range(own.over_ridge.low, own.over_ridge.high),
        ]
    });
    format!(
        "<h2>How well own trainings are foreseen</h2>\n<p>Predictors that learn from so many trainings whose recipes were drawn at \
         random, tested on the others: means over 24 ways to deal them out, with the range of the middle 95% of those. Nothing is tested of what was \
         learned from, be it through tasks about runs.</p>\n{}",
        table(&header, &rows.collect::<Vec<_>>(), None)
    )
}

fn foresight_dots(report: &SelfApplyReport, n_rows: usize) -> (String, Vec<Dot>) {
    let of_size = report.prediction_quality.iter().filter(|own| own.n_rows == n_rows);
    let dots = of_size.map(|own| Dot {
        label: own.learner.name().to_string(),
        value: own.r2.mean,
        ends: (own.r2.low, own.r2.high),
        is_lead: own.learner == OutcomeLearner::Incumbent,
    });
    (format!("R² from {n_rows} rows"), dots.collect())
}

fn foresight_plot<'a>(title: &'a str, dots: &'a [Dot]) -> DotPlot<'a> {
    DotPlot {
        title,
        hint: "more is better",
        dots,
        limits: (-0.6, NO_LIMITS.1),
        is_log: false,
        format: &|value| format!("{value:.2}"),
        tick: None,
    }
}

/// The least loss on the acceptance set against the processor seconds spent, mean over seeds.
fn best_so_far(report: &SelfApplyReport) -> Vec<Curve> {
    let colours: [(RecipeSearch, RGBColor); 3] =
        [(RecipeSearch::Planner, ACCENT), (RecipeSearch::Random, SECOND), (RecipeSearch::Hand, THIRD)];
    let of = |method: RecipeSearch| -> Vec<&LoopReport> {
        let is_it = |own: &&LoopReport| own.search == method && own.mode == SelfTaskMode::Lifted;
        report.loops.iter().filter(is_it).collect()
    };
    // Seeds that every method has, so that means compare.
    let seeds = |method: RecipeSearch| of(method).iter().map(|own| own.seed).collect::<BTreeSet<u64>>();
    let all = colours.map(|(method, _)| seeds(method)).into_iter().filter(|seeds| !seeds.is_empty());
    let shared = all.reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default();
    let mut curves = Vec::new();
    for (method, colour) in colours {
        let of_method: Vec<&LoopReport> =
            of(method).into_iter().filter(|own| shared.contains(&own.seed)).collect();
        let end = of_method.iter().map(|own| own.cpu_s).fold(f64::INFINITY, f64::min);
        if of_method.is_empty() {
            continue;
        }
        let best = |own: &LoopReport, seconds: f64| {
            let mut spent = 0.0;
            let mut least = f64::INFINITY;
            for generation in &own.iterations {
                spent += generation.cpu_s;
                if spent > seconds * (1.0 + 1e-9) {
                    break;
                }
                least = least.min(generation.acceptance.unwrap_or(f64::INFINITY));
            }
            least
        };
        let point = |share: usize| {
            let seconds = end * share as f64 / 60.0;
            let mean = of_method.iter().map(|own| best(own, seconds)).sum::<f64>() / of_method.len() as f64;
            mean.is_finite().then_some((seconds / 60.0, mean))
        };
        curves.push(Curve {
            label: method.name().to_string(),
            points: (1..=60).filter_map(point).collect(),
            colour,
            thickness: 2,
            is_level: false,
        });
    }
    curves.retain(|curve| !curve.points.is_empty());
    curves
}

fn plot_of(curves: &[Curve]) -> CurvePlot<'_> {
    CurvePlot {
        title: "least loss on the acceptance set so far",
        hint: "less is better",
        x_label: "processor minutes of training, mean over seeds",
        is_log_x: false,
        limits: NO_LIMITS,
        x_tick: &|minutes| format!("{minutes:.0}"),
        y_tick: None,
        curves,
    }
}

/// What the trees' colours stand for.
pub(super) const CHOICES: [(&str, RGBColor); 2] =
    [("foreseen to be best", ACCENT), ("random or by hand", INK)];
