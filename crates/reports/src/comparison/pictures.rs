//! The pictures of a comparison.

use super::loss_metric;
use crate::curves::{Curve, CurvePlot};
use crate::dots::{Dot, DotPlot, NO_LIMITS};
use crate::heat::plane;
use crate::picture::{ACCENT, Canvas, INK, MUTED, SECOND, THIRD, drawn};
use plotters::prelude::RGBColor;
use weightsmith_evaluation::CurvePoint;
use weightsmith_evaluation::Metric;
use weightsmith_evaluation::WeightSpace;
use weightsmith_evaluation::methods::{FINE_TUNED, GENERATED, trained, tuned};
use weightsmith_evaluation::statistics::Estimate;
use weightsmith_evaluation::{Comparison, MethodReport, main_metrics};
use weightsmith_evaluation::{MethodRef, Role};
use weightsmith_evaluation::{metric_text, seconds_text};
use weightsmith_training::Optimiser;

/// What lies further from the best than this many times the median distance is drawn at the edge.
const REACH: f64 = 3.0;

/// What one picture of dots shows.
enum Shown {
    Metric(Metric),
    Time,
}

/// A picture with a dot for each method.
pub(super) struct Dots {
    shown: Shown,
    limits: (f64, f64),
    dots: Vec<Dot>,
}

impl Dots {
    fn with<T>(&self, draw: impl FnOnce(&DotPlot<'_>) -> T) -> T {
        let limits = self.limits;
        match self.shown {
            Shown::Metric(metric) => draw(&DotPlot {
                title: metric.label(),
                hint: hint(metric),
                dots: &self.dots,
                limits,
                is_log: false,
                format: &|value| metric_text(metric, value),
                tick: None,
            }),
            Shown::Time => draw(&DotPlot {
                title: "time to the weights",
                hint: "one core, logarithmic",
                dots: &self.dots,
                limits,
                is_log: true,
                format: &seconds_text,
                tick: Some(&decade),
            }),
        }
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.with(|plot| plot.size())
    }

    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: i32) {
        self.with(|plot| plot.draw(canvas, top));
    }

    /// What it says in words, and the picture.
    pub(super) fn alone(&self) -> (String, String) {
        self.with(|plot| {
            let figures: Vec<String> =
                plot.dots.iter().map(|dot| format!("{} {}", dot.label, (plot.format)(dot.value))).collect();
            let svg = drawn(plot.size(), |canvas| plot.draw(canvas, 0));
            (format!("{}: {}", plot.title, figures.join(", ")), svg)
        })
    }
}

fn hint(metric: Metric) -> &'static str {
    if metric.higher_is_better() == Some(false) { "less is better" } else { "more is better" }
}

pub(super) fn decade(seconds: f64) -> String {
    match seconds {
        s if s < 0.99e-3 => format!("{:.0} µs", s * 1e6),
        s if s < 0.99 => format!("{:.0} ms", s * 1e3),
        s => format!("{s:.0} s"),
    }
}

/// The main metrics and the time.
pub(super) fn dots(comparison: &Comparison) -> Vec<Dots> {
    let of_metric = |&metric: &Metric| {
        let dot = |method: &MethodReport| {
            let Estimate { mean, low, high, .. } = method.get(metric)?.estimate;
            let (least, most) = metric.range();
            let end = |end: Option<f64>| end.unwrap_or(mean).clamp(least, most);
            Some(dot(method, mean, (end(low), end(high))))
        };
        let dots: Vec<Dot> = comparison.methods.iter().filter_map(dot).collect();
        let limits = limits(metric, &dots.iter().map(|dot| dot.value).collect::<Vec<_>>());
        Dots { shown: Shown::Metric(metric), limits, dots }
    };
    let time = |method: &MethodReport| {
        method.cpu_s.map(|spread| dot(method, spread.median, (spread.min, spread.max)))
    };
    let metrics = main_metrics(comparison.task).iter().filter(|metric| **metric != Metric::Rmse);
    let mut plots: Vec<Dots> = metrics.map(of_metric).collect();
    let times = comparison.methods.iter().filter_map(time).collect();
    plots.push(Dots { shown: Shown::Time, limits: (f64::MIN_POSITIVE, f64::INFINITY), dots: times });
    plots.retain(|plot| !plot.dots.is_empty());
    plots
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

fn dot(method: &MethodReport, value: f64, ends: (f64, f64)) -> Dot {
    Dot { label: method.method.to_string(), value, ends, is_lead: method.method == GENERATED }
}

/// The optimisers whose recipes are tuned.
const TUNED: [Optimiser; 4] = [Optimiser::Adam, Optimiser::AdamW, Optimiser::Sgd, Optimiser::Lbfgs];

/// The methods that have a line, in the order of what a reader looks for.
fn drawn_methods(methods: &[MethodRef]) -> Vec<(MethodRef, RGBColor, u32)> {
    let is_tuned = |method: &MethodRef| TUNED.into_iter().any(|optimiser| *method == tuned(optimiser));
    let line = |&method: &MethodRef| match method {
        _ if method == GENERATED => (method, ACCENT, 3),
        _ if is_tuned(&method) || method == trained(Optimiser::Adam) => (method, SECOND, 2),
        _ if method == trained(Optimiser::Evolution) || method == FINE_TUNED => (method, INK, 2),
        _ if method == trained(Optimiser::RandomSearch) => (method, MUTED, 2),
        _ => (method, THIRD, 2),
    };
    methods.iter().map(line).collect()
}

fn curves(comparison: &Comparison, methods: &[MethodRef], y: fn(&CurvePoint) -> f64) -> Vec<Curve> {
    let curve = |(method, colour, thickness): (MethodRef, RGBColor, u32)| {
        let report = comparison.methods.iter().find(|report| report.method == method)?;
        let end = report.at_end.as_ref()?;
        let is_level = report.curve.is_empty();
        let points = if is_level { std::slice::from_ref(end) } else { report.curve.as_slice() };
        let points = points.iter().map(|point| (point.cpu_s, y(point))).collect();
        Some(Curve { label: method.to_string(), points, colour, thickness, is_level })
    };
    drawn_methods(methods).into_iter().filter_map(curve).collect()
}

/// The loss on the long rows over time.
pub(super) fn losses(comparison: &Comparison) -> Vec<(String, String)> {
    let metric = loss_metric(comparison);
    let best = [Optimiser::Adam, Optimiser::Sgd, Optimiser::Lbfgs].map(tuned);
    let usual = [Optimiser::Adam, Optimiser::Sgd, Optimiser::Lbfgs].map(trained);
    let plot = |title: &str, methods: [MethodRef; 3]| {
        let methods: Vec<MethodRef> = [GENERATED].into_iter().chain(methods).collect();
        let mut curves = curves(comparison, &methods, |point| point.query_loss);
        // Three lines need three colours.
        let colours = [ACCENT, SECOND, THIRD, INK];
        for curve in &mut curves {
            let place = methods.iter().position(|method| method.name() == curve.label).unwrap_or(0);
            curve.colour = colours[place];
        }
        if curves.len() < 2 {
            return None;
        }
        let ends: Vec<f64> = curves.iter().filter_map(|curve| Some(curve.points.last()?.1)).collect();
        let best = ends.iter().copied().fold(f64::INFINITY, f64::min);
        let worst = ends.iter().copied().fold(best, f64::max);
        Some(
            CurvePlot {
                title,
                hint: "less is better",
                x_label: "processor time, logarithmic",
                is_log_x: true,
                // The beginning of a training is far above everything that matters.
                limits: (f64::NEG_INFINITY, worst + 2.0 * (worst - best).max(0.1 * best.abs())),
                x_tick: &decade,
                y_tick: None,
                curves: &curves,
            }
            .alone(),
        )
    };
    let label = metric.label();
    let plots =
        [plot(&format!("{label}, default recipes"), usual), plot(&format!("{label}, best recipes"), best)];
    plots.into_iter().flatten().collect()
}

/// Examples right over time, of the short rows and of the long ones.
pub(super) fn rights(comparison: &Comparison) -> Vec<(String, String)> {
    let methods = [
        GENERATED,
        trained(Optimiser::Adam),
        trained(Optimiser::Evolution),
        trained(Optimiser::RandomSearch),
    ];
    let has_training =
        comparison.methods.iter().any(|method| methods.contains(&method.method) && !method.curve.is_empty());
    if !has_training {
        return Vec::new();
    }
    let plot = |title: &str, y: fn(&CurvePoint) -> f64| {
        CurvePlot {
            title,
            hint: "more is better",
            x_label: "processor time, logarithmic",
            is_log_x: true,
            limits: (0.0, 1.0),
            x_tick: &decade,
            y_tick: Some(&|share| format!("{:.0} %", 100.0 * share)),
            curves: &curves(comparison, &methods, y),
        }
        .alone()
    };
    vec![
        plot(&format!("right of the {} short rows", comparison.n_support), |point| point.support_accuracy),
        plot(&format!("right of the {} long rows", comparison.n_query), |point| point.query_accuracy),
    ]
}

/// The straight path and the plane.
pub(super) fn weight_space(comparison: &Comparison, space: &WeightSpace) -> Vec<(String, String)> {
    let metric = loss_metric(comparison);
    let curve = |label: &str, colour, y: &dyn Fn(usize) -> f64| Curve {
        label: label.to_string(),
        points: (0..space.path.len()).map(|idx| (space.path[idx].at, y(idx))).collect(),
        colour,
        thickness: 2,
        is_level: false,
    };
    let curves = [
        curve("units matched", ACCENT, &|idx| space.path[idx].matched),
        curve("as they are", SECOND, &|idx| space.path[idx].unmatched),
    ];
    let format = |value: f64| metric_text(metric, value);
    let title = format!("{} on the way", metric.label());
    let path = CurvePlot {
        title: &title,
        hint: "less is better",
        x_label: "from the generated weights to Adam's",
        is_log_x: false,
        limits: NO_LIMITS,
        x_tick: &|at| format!("{:.0} %", 100.0 * at),
        y_tick: None,
        curves: &curves,
    };
    vec![path.alone(), plane(&space.slice, &format)]
}

/// Whether a method is a control.
pub(super) fn is_control(report: &MethodReport) -> bool {
    report.role == Role::Control
}
