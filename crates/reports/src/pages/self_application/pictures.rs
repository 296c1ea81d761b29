//! The pictures of self-application.

use super::{loop_name, planned};
use crate::charts::{
    Across, Chart, Dot, DotPlot, Ink, Leaf, Line, LineKind, LinePlot, NO_LIMITS, ScatterPlot, Spot, TreePlot,
};
use std::collections::BTreeSet;
use weightsmith_self_application::{
    Choice, Iteration, LoopReport, OutcomeLearner, RecipeSearch, SelfApplyReport, SelfTaskMode,
};

/// What colours stand for.
const CHOICES: [(Ink, &str); 2] = [(Ink::Accent, "predicted to be best"), (Ink::Text, "random or by hand")];
/// Points of a line of the best so far.
const N_POINTS: usize = 60;

/// The trees, predicted and observed losses, the best so far, and how well trainings are predicted.
pub(super) fn all(report: &SelfApplyReport) -> Vec<Chart> {
    let trees = planned(report).map(|(_, own)| tree(own));
    let sizes: BTreeSet<usize> = report.prediction_quality.iter().map(|own| own.n_rows).collect();
    let predictors = sizes.into_iter().map(|n_rows| predictors(report, n_rows));
    trees.chain(predicted(report)).chain(best_so_far(report)).chain(predictors).collect()
}

fn ink(iteration: &Iteration) -> Ink {
    if iteration.choice == Choice::Predicted { Ink::Accent } else { Ink::Text }
}

fn tree(own: &LoopReport) -> Chart {
    let measured: Vec<&Iteration> =
        own.iterations.iter().filter(|iteration| iteration.acceptance.is_some()).collect();
    let leaf = |iteration: &&Iteration| {
        let is_parent = |other: &&Iteration| Some(&other.uid) == iteration.parent.as_ref();
        Some(Leaf {
            iteration: iteration.iteration,
            parent: measured.iter().position(is_parent),
            loss: iteration.acceptance?,
            is_accepted: iteration.accepted,
            ink: ink(iteration),
        })
    };
    let leaves: Vec<Leaf> = measured.iter().filter_map(leaf).collect();
    TreePlot {
        title: &loop_name(own),
        x_label: "iteration, and its loss on the acceptance set",
        legend: &CHOICES,
        leaves: &leaves,
    }
    .chart()
}

/// Predicted and observed losses of every iteration of the loops that the planner runs.
fn predicted(report: &SelfApplyReport) -> Option<Chart> {
    let spot = |iteration: &Iteration| {
        Some(Spot { at: (iteration.predicted?, iteration.acceptance?), ink: ink(iteration), told: None })
    };
    let spots: Vec<Spot> = planned(report).flat_map(|(_, own)| &own.iterations).filter_map(spot).collect();
    let plot = ScatterPlot {
        title: "predicted and observed losses".into(),
        hint: "of iterations, on the acceptance set".into(),
        labels: ("predicted".into(), "observed".into()),
        legend: CHOICES.map(|(ink, name)| (ink, name.to_string())).to_vec(),
        spots,
        radius: 4,
    };
    (!plot.spots.is_empty()).then(|| plot.chart())
}

/// The least loss on the acceptance set once so much was spent.
fn best_within(own: &LoopReport, seconds: f64) -> f64 {
    let mut spent = 0.0;
    let mut least = f64::INFINITY;
    for iteration in &own.iterations {
        spent += iteration.cpu_s;
        if spent > seconds * (1.0 + 1e-9) {
            break;
        }
        least = least.min(iteration.acceptance.unwrap_or(f64::INFINITY));
    }
    least
}

/// The least loss on the acceptance set against the processor time spent, mean over seeds.
fn best_so_far(report: &SelfApplyReport) -> Option<Chart> {
    let methods = [
        (RecipeSearch::Planner, Ink::Accent),
        (RecipeSearch::Random, Ink::Second),
        (RecipeSearch::Hand, Ink::Third),
    ];
    let of = |method: RecipeSearch| {
        let is_it = move |own: &&LoopReport| own.search == method && own.mode == SelfTaskMode::Lifted;
        report.loops.iter().filter(is_it)
    };
    // Seeds that every method has, so that means compare.
    let seeds = |method: RecipeSearch| of(method).map(|own| own.seed).collect::<BTreeSet<u64>>();
    let all = methods.map(|(method, _)| seeds(method)).into_iter().filter(|seeds| !seeds.is_empty());
    let shared = all.reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default();
    let line = |(method, ink): (RecipeSearch, Ink)| {
        let loops: Vec<&LoopReport> = of(method).filter(|own| shared.contains(&own.seed)).collect();
        let end = loops.iter().map(|own| own.cpu_s).fold(f64::INFINITY, f64::min);
        let point = |step: usize| {
            let seconds = end * step as f64 / N_POINTS as f64;
            let mean = loops.iter().map(|own| best_within(own, seconds)).sum::<f64>() / loops.len() as f64;
            mean.is_finite().then_some((seconds / 60.0, mean))
        };
        let points = if loops.is_empty() { vec![] } else { (1..=N_POINTS).filter_map(point).collect() };
        Line { label: method.name().to_string(), points, ink, width: 2, kind: LineKind::Plain }
    };
    let lines: Vec<Line> = methods.into_iter().map(line).filter(|line| !line.points.is_empty()).collect();
    let plot = LinePlot {
        title: "least loss on the acceptance set so far",
        hint: "less is better",
        x_label: "processor minutes of training, mean over seeds",
        across: Across::Linear,
        limits: NO_LIMITS,
        x_text: None,
        y_text: None,
        lines: &lines,
        base: None,
    };
    (lines.len() > 1).then(|| plot.chart())
}

/// How well own trainings are predicted from so many rows.
fn predictors(report: &SelfApplyReport, n_rows: usize) -> Chart {
    let of_size = report.prediction_quality.iter().filter(|own| own.n_rows == n_rows);
    let dots: Vec<Dot> = of_size
        .map(|own| Dot {
            label: own.learner.name().to_string(),
            value: own.r2.mean,
            ends: (own.r2.low, own.r2.high),
            is_lead: own.learner == OutcomeLearner::Incumbent,
        })
        .collect();
    DotPlot {
        title: &format!("R² from {n_rows} rows"),
        hint: "more is better",
        dots: &dots,
        limits: (-0.6, NO_LIMITS.1),
        is_log: false,
        text: &|value| format!("{value:.2}"),
        tick: None,
    }
    .chart()
}
