//! The pictures of a comparison.

use super::loss_metric;
use crate::charts::{
    Across, Chart, Dot, DotPlot, Ink, Line, LineKind, LinePlot, NO_LIMITS, around_ends, plane,
};
use crate::words::{direction, percent, short_seconds};
use weightsmith_evaluation::methods::{GENERATED, trained, tuned};
use weightsmith_evaluation::statistics::Estimate;
use weightsmith_evaluation::{
    Comparison, CurvePoint, MethodRef, MethodReport, Metric, StepsCurves, StepsPoint, WeightSpace,
    main_metrics, metric_text, seconds_text,
};
use weightsmith_training::Optimiser;

/// What lies further from the best than this many times the median distance is drawn at the edge.
const REACH: f64 = 3.0;
/// The optimisers whose curves are shown, their recipes as usual and tuned.
const OPTIMISERS: [Optimiser; 3] = [Optimiser::Adam, Optimiser::Sgd, Optimiser::Lbfgs];

/// A dot for each method: the main metrics and the time.
pub(super) fn dots(comparison: &Comparison) -> Vec<Chart> {
    let metrics = main_metrics(comparison.task).iter().filter(|metric| **metric != Metric::Rmse);
    metrics.filter_map(|metric| of_metric(comparison, *metric)).chain(of_time(comparison)).collect()
}

fn dot(method: &MethodReport, value: f64, ends: (f64, f64)) -> Dot {
    Dot { label: method.method.to_string(), value, ends, is_lead: method.method == GENERATED }
}

fn of_metric(comparison: &Comparison, metric: Metric) -> Option<Chart> {
    let dot = |method: &MethodReport| {
        let Estimate { mean, low, high, .. } = method.get(metric)?.estimate;
        let (least, most) = metric.range();
        let end = |end: Option<f64>| end.unwrap_or(mean).clamp(least, most);
        Some(dot(method, mean, (end(low), end(high))))
    };
    let dots: Vec<Dot> = comparison.methods.iter().filter_map(dot).collect();
    let plot = DotPlot {
        title: metric.label(),
        hint: direction(metric),
        dots: &dots,
        limits: limits(metric, &dots.iter().map(|dot| dot.value).collect::<Vec<_>>()),
        is_log: false,
        text: &|value| metric_text(metric, value),
        tick: None,
    };
    (!dots.is_empty()).then(|| plot.chart())
}

fn of_time(comparison: &Comparison) -> Option<Chart> {
    let time = |method: &MethodReport| {
        method.cpu_s.map(|spread| dot(method, spread.median, (spread.min, spread.max)))
    };
    let dots: Vec<Dot> = comparison.methods.iter().filter_map(time).collect();
    let plot = DotPlot {
        title: "time to the weights",
        hint: "one core, logarithmic",
        dots: &dots,
        limits: (f64::MIN_POSITIVE, f64::INFINITY),
        is_log: true,
        text: &seconds_text,
        tick: Some(&short_seconds),
    };
    (!dots.is_empty()).then(|| plot.chart())
}

/// How far a picture reaches, so that one bad method does not press all others together.
fn limits(metric: Metric, values: &[f64]) -> (f64, f64) {
    let higher = metric.higher_is_better() != Some(false);
    let best = values.iter().copied().fold(f64::NAN, if higher { f64::max } else { f64::min });
    let mut distances: Vec<f64> = values.iter().map(|value| (value - best).abs()).collect();
    distances.sort_unstable_by(f64::total_cmp);
    let reach = REACH * distances.get(distances.len() / 2).copied().unwrap_or(0.0);
    match (reach > 0.0, higher) {
        (false, _) => NO_LIMITS,
        (true, true) => (best - reach, f64::INFINITY),
        (true, false) => (f64::NEG_INFINITY, best + reach),
    }
}

/// The lines of the generated network and of some methods.
fn lines(comparison: &Comparison, methods: &[(MethodRef, Ink)], y: fn(&CurvePoint) -> f64) -> Vec<Line> {
    let is_tuned = |method: MethodRef| OPTIMISERS.into_iter().any(|optimiser| method == tuned(optimiser));
    let line = |&(method, ink): &(MethodRef, Ink)| {
        let report = comparison.methods.iter().find(|report| report.method == method)?;
        let end = report.at_end.as_ref()?;
        let points =
            if report.curve.is_empty() { std::slice::from_ref(end) } else { report.curve.as_slice() };
        Some(Line {
            label: method.to_string(),
            points: points.iter().map(|point| (point.cpu_s, y(point))).collect(),
            ink,
            width: if method == GENERATED { 3 } else { 2 },
            kind: match is_tuned(method) {
                _ if report.curve.is_empty() => LineKind::Level,
                true => LineKind::AfterSearch,
                false => LineKind::Plain,
            },
        })
    };
    methods.iter().filter_map(line).collect()
}

/// The loss on the query rows over time, of the usual recipes and of those that were searched for.
pub(super) fn losses(comparison: &Comparison) -> Vec<Chart> {
    let label = loss_metric(comparison).label();
    let plot = |title: String, methods: [MethodRef; 3]| {
        let methods: Vec<(MethodRef, Ink)> = [GENERATED].into_iter().chain(methods).zip(Ink::LINES).collect();
        let lines = lines(comparison, &methods, |point| point.query_loss);
        let plot = LinePlot {
            title: &title,
            hint: "less is better",
            x_label: "processor time, logarithmic",
            across: Across::Decades,
            // The beginning of a training is far above everything that matters.
            limits: around_ends(&lines, None),
            x_text: Some(&short_seconds),
            y_text: None,
            lines: &lines,
            base: None,
        };
        (lines.len() > 1).then(|| plot.chart())
    };
    let plots = [
        plot(format!("{label}, default recipes"), OPTIMISERS.map(trained)),
        plot(format!("{label}, tuned recipes"), OPTIMISERS.map(tuned)),
    ];
    plots.into_iter().flatten().collect()
}

/// The share of rows that come out right over time, of the support and of the query.
pub(super) fn accuracies(comparison: &Comparison) -> Vec<Chart> {
    let methods = [
        (GENERATED, Ink::Accent),
        (trained(Optimiser::Adam), Ink::Second),
        (trained(Optimiser::Evolution), Ink::Text),
        (trained(Optimiser::RandomSearch), Ink::Muted),
    ];
    let plot = |title: String, y: fn(&CurvePoint) -> f64| {
        let lines = lines(comparison, &methods, y);
        let plot = LinePlot {
            title: &title,
            hint: "more is better",
            x_label: "processor time, logarithmic",
            across: Across::Decades,
            limits: (0.0, 1.0),
            x_text: Some(&short_seconds),
            y_text: Some(&|share| percent(share, 0)),
            lines: &lines,
            base: None,
        };
        lines.iter().any(|line| line.kind != LineKind::Level).then(|| plot.chart())
    };
    let plots = [
        plot(format!("right of {} support rows", comparison.n_support), |point| point.support_accuracy),
        plot(format!("right of {} query rows", comparison.n_query), |point| point.query_accuracy),
    ];
    plots.into_iter().flatten().collect()
}

/// The losses of query and support rows against the number of steps, and that of query rows against time.
pub(super) fn steps(comparison: &Comparison, curves: &StepsCurves) -> Vec<Chart> {
    let metric = loss_metric(comparison);
    let count = |point: &StepsPoint| point.n_steps as f64;
    let plot =
        |rows: String, across: Across, x: &dyn Fn(&StepsPoint) -> f64, y: &dyn Fn(&StepsPoint) -> f64| {
            let line = |label: &str, ink, points: &[StepsPoint]| Line {
                label: label.to_string(),
                points: points.iter().map(|point| (x(point), y(point))).collect(),
                ink,
                width: 2,
                kind: LineKind::Plain,
            };
            let mut lines = vec![
                line("from generated", Ink::Accent, &curves.generated),
                line("from random", Ink::Second, &curves.random),
            ];
            // The number that was tried next to what was decided.
            let nearest = curves.decided.as_ref().and_then(|decided| {
                let distance = |point: &&StepsPoint| (count(point) - decided.median).abs();
                curves.generated.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
            });
            lines.extend(nearest.map(|point| Line {
                kind: LineKind::Dotted,
                ..line("decided", Ink::Text, std::slice::from_ref(point))
            }));
            let is_time = across == Across::Costs;
            LinePlot {
                title: &format!("{} of {rows}", metric.label()),
                hint: "less is better",
                x_label: if is_time { "processor time" } else { "steps" },
                across,
                limits: NO_LIMITS,
                x_text: if is_time { Some(&short_seconds) } else { None },
                y_text: None,
                lines: &lines,
                base: None,
            }
            .chart()
        };
    let (query, support) =
        (format!("{} query rows", comparison.n_query), format!("{} support rows", comparison.n_support));
    vec![
        plot(query.clone(), Across::Linear, &count, &|point| point.query_loss),
        plot(support, Across::Linear, &count, &|point| point.support_loss),
        plot(query, Across::Costs, &|point| point.cpu_s, &|point| point.query_loss),
    ]
}

/// The straight path and the plane.
pub(super) fn weight_space(comparison: &Comparison, space: &WeightSpace) -> Vec<Chart> {
    let metric = loss_metric(comparison);
    let line = |label: &str, ink, y: &dyn Fn(usize) -> f64| Line {
        label: label.to_string(),
        points: (0..space.path.len()).map(|idx| (space.path[idx].at, y(idx))).collect(),
        ink,
        width: 2,
        kind: LineKind::Plain,
    };
    let lines = [
        line("units matched", Ink::Accent, &|idx| space.path[idx].matched),
        line("as they are", Ink::Second, &|idx| space.path[idx].unmatched),
    ];
    let path = LinePlot {
        title: &format!("{} on the way", metric.label()),
        hint: "less is better",
        x_label: "from the generated weights to Adam's",
        across: Across::Linear,
        limits: NO_LIMITS,
        x_text: Some(&|at| percent(at, 0)),
        y_text: None,
        lines: &lines,
        base: None,
    };
    vec![path.chart(), plane(&space.slice, &|value| metric_text(metric, value))]
}
