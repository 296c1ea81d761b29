//! The report of trainings beside each other.

mod tables;

use super::costs::{Curve, CurvePlot, SIZE};
use super::page::{escaped, figure, page, pictures, push, standalone};
use super::picture::drawn;
use weightsmith_evaluation::Metric;
use weightsmith_evaluation::{metric_text, seconds_text};
use weightsmith_experiments::{Bench, BenchRunFigures, RunScore, RunState, UNTRAINED};

const QUESTION: &str = "Which training makes the better metamodel, and at what cost?";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The page.
pub(super) fn html(bench: &Bench) -> String {
    let mut body = format!("<h1>{QUESTION}</h1>\n<p class=\"answer\">{}</p>\n", answer(bench));
    let plots = plots(bench);
    if !plots.is_empty() {
        body.push_str(&pictures(&plots.iter().map(Plot::alone).collect::<Vec<_>>()));
        body.push_str(
            "<p class=\"note\">Lines are losses on synthetic tasks that no run trains on, dots are means over real tables. \
             The dashed line is the closed-form head alone: what every metamodel is before any training. Axes below are \
             logarithmic where costs are far apart.</p>\n",
        );
    }
    body.push_str(&tables::losses(bench));
    body.push_str(&tables::real_tables(bench));
    body.push_str(&tables::costs(bench));
    body.push_str(&method(bench));
    page(&format!("{}: trainings compared", bench.name), &body)
}

/// The pictures alone, one below the other.
pub(super) fn svg(bench: &Bench) -> String {
    let plots = plots(bench);
    let size = (SIZE.0, SIZE.1 * plots.len().max(1) as u32);
    let svg = drawn(size, |canvas| {
        for (idx, plot) in plots.iter().enumerate() {
            plot.picture().draw(canvas, (SIZE.1 as usize * idx) as i32);
        }
    });
    standalone(&svg, size)
}

struct Plot {
    title: String,
    hint: String,
    below: &'static str,
    curves: Vec<Curve>,
    level: Option<f64>,
}

impl Plot {
    fn picture(&self) -> CurvePlot<'_> {
        CurvePlot {
            title: &self.title,
            hint: &self.hint,
            below: self.below,
            curves: &self.curves,
            level: self.level.map(|level| (UNTRAINED, level)),
        }
    }

    /// What it says in words, and the picture.
    fn alone(&self) -> (String, String) {
        let last = |curve: &Curve| {
            curve.points.last().map(|(cost, value)| format!("{} {value:.4} at {cost:.0}", curve.label))
        };
        let figures: Vec<String> = self.curves.iter().filter_map(last).collect();
        let svg = drawn(SIZE, |canvas| self.picture().draw(canvas, 0));
        (format!("{}, {}: {}", self.title, self.below, figures.join(", ")), svg)
    }
}

/// A unit of time in which the most costly run has a number that is easily read.
fn unit(bench: &Bench) -> (f64, &'static str) {
    match bench.runs.iter().map(|run| run.cpu_s).fold(0.0, f64::max) {
        most if most > 3.0 * 3600.0 => (3600.0, "processor hours"),
        most if most > 600.0 => (60.0, "processor minutes"),
        _ => (1.0, "processor seconds"),
    }
}

/// Held-out loss, then the main metric on real tables, each against tasks and against time.
fn plots(bench: &Bench) -> Vec<Plot> {
    let (second, seconds) = unit(bench);
    let costs = [("tasks seen", "tasks seen", true), ("training time", seconds, false)];
    let cost = |n_tasks: u64, cpu_s: f64, is_tasks: bool| {
        if is_tasks { n_tasks as f64 } else { cpu_s / second }
    };
    let runs = || bench.runs.iter().enumerate();
    let curve = |(run_idx, run): (usize, &BenchRunFigures), is_tasks: bool| {
        let point = |point: &weightsmith_experiments::TrainingPoint| {
            Some((cost(point.n_tasks, point.cost().cpu_s, is_tasks), point.valid_loss?))
        };
        let points = run.curve.iter().filter_map(point).collect();
        Curve { label: run.name.clone(), run_idx, points }
    };
    let mut plots: Vec<Plot> = costs
        .iter()
        .map(|&(by, below, is_tasks)| Plot {
            title: format!("held-out loss by {by}"),
            hint: "on synthetic tasks, less is better".to_string(),
            below,
            curves: runs().map(|run| curve(run, is_tasks)).collect(),
            level: bench.runs[0].untrained_loss,
        })
        .collect();
    if let Some((metric, short)) = bench.main_score() {
        let dot = |(run_idx, run): (usize, &BenchRunFigures), is_tasks: bool| {
            let score = &run.scores[run.score_idx(metric, short)?];
            let points = vec![(cost(run.n_tasks, run.cpu_s, is_tasks), score.mean)];
            Some(Curve { label: run.name.clone(), run_idx, points })
        };
        let untrained = |run: &BenchRunFigures| run.scores[run.score_idx(metric, short)?].untrained;
        plots.extend(costs.iter().map(|&(by, below, is_tasks)| Plot {
            title: format!("{} on real tables by {by}", metric.label()),
            hint: format!("{} tables, {short} support rows, {}", bench.n_tables, direction(metric)),
            below,
            curves: runs().filter_map(|run| dot(run, is_tasks)).collect(),
            level: bench.runs.iter().find_map(untrained),
        }));
    }
    for plot in &mut plots {
        plot.curves.retain(|curve| !curve.points.is_empty());
    }
    plots.retain(|plot| !plot.curves.is_empty());
    plots
}

fn direction(metric: Metric) -> &'static str {
    if metric.higher_is_better() == Some(false) { "less is better" } else { "more is better" }
}

/// The answer to the page's question, in one or two sentences.
fn answer(bench: &Bench) -> String {
    let n_runs = bench.runs.len();
    let finished: Vec<(usize, &BenchRunFigures)> =
        bench.runs.iter().enumerate().filter(|(_, run)| run.state == RunState::Finished).collect();
    let mut text = match finished.len() {
        n if n == n_runs => String::new(),
        n => format!("Only {n} of {n_runs} runs are finished. "),
    };
    text.push_str(&by_loss(bench, &finished));
    text.push_str(&by_real_tables(bench));
    text
}

/// Who has the least loss, what it took, and what the first has.
fn by_loss(bench: &Bench, finished: &[(usize, &BenchRunFigures)]) -> String {
    let compares = finished.iter().filter(|(_, run)| run.shares_held_out && run.valid_loss.is_some());
    let Some((idx, best)) = compares.min_by(|a, b| f64::total_cmp(&loss(a.1), &loss(b.1))) else {
        return String::new();
    };
    let mut text = format!(
        "On held-out synthetic tasks <b>{}</b> has the least loss, {}, after {} tasks and {} on the processor",
        escaped(&best.name),
        loss_figure(*idx, best),
        figure(&format!("/runs/{idx}/n_tasks"), best.n_tasks as f64, &thousands(best.n_tasks)),
        figure(&format!("/runs/{idx}/cpu_s"), best.cpu_s, &seconds_text(best.cpu_s)),
    );
    let first = &bench.runs[0];
    if *idx > 0 && first.valid_loss.is_some() {
        push(&mut text, format_args!("; {} ends at {}", escaped(&first.name), loss_figure(0, first)));
        if let Some(reached) = best.reaches_first {
            let share = format!("{:.0}%", 100.0 * reached.cpu_share);
            let share = figure(&format!("/runs/{idx}/reaches_first/cpu_share"), reached.cpu_share, &share);
            push(&mut text, format_args!(", which {} reaches in {share} of its time", escaped(&best.name)));
        }
    }
    text + ". "
}

fn loss(run: &BenchRunFigures) -> f64 {
    run.valid_loss.unwrap_or(f64::INFINITY)
}

fn loss_figure(idx: usize, run: &BenchRunFigures) -> String {
    let text = |loss: f64| figure(&format!("/runs/{idx}/valid_loss"), loss, &format!("{loss:.4}"));
    run.valid_loss.map_or_else(dash, text)
}

/// Who is best on real tables, and whether the first is told apart from it.
fn by_real_tables(bench: &Bench) -> String {
    let Some((metric, short)) = bench.main_score() else { return String::new() };
    let sign = if metric.higher_is_better() == Some(false) { 1.0 } else { -1.0 };
    let scored: Vec<(usize, usize)> = bench
        .runs
        .iter()
        .enumerate()
        .filter_map(|(idx, run)| Some((idx, run.score_idx(metric, short)?)))
        .collect();
    let score = |&(idx, at): &(usize, usize)| &bench.runs[idx].scores[at];
    let key = |at: &(usize, usize)| sign * score(at).mean;
    let Some(best) = scored.iter().min_by(|a, b| f64::total_cmp(&key(a), &key(b))) else {
        return String::new();
    };
    let RunScore { mean, n_tables, .. } = score(best);
    let pointer = format!("/runs/{}/scores/{}", best.0, best.1);
    let mut text = format!(
        "On {} real tables with {short} support rows <b>{}</b> has the best {}, {}",
        figure(&format!("{pointer}/n_tables"), *n_tables as f64, &n_tables.to_string()),
        escaped(&bench.runs[best.0].name),
        metric.label(),
        figure(&format!("{pointer}/mean"), *mean, &metric_text(metric, *mean)),
    );
    if let (Some(difference), Some((low, high))) = (score(best).minus_first, score(best).interval) {
        let verdict =
            if low > 0.0 || high < 0.0 { "beyond chance in the tables" } else { "no clear difference" };
        push(
            &mut text,
            format_args!(
                "; the difference to {} is {}, {verdict}",
                escaped(&bench.runs[0].name),
                tables::interval(&pointer, difference, (low, high))
            ),
        );
    }
    text + "."
}

fn method(bench: &Bench) -> String {
    let mut out = String::from("<h2>How this was measured</h2>\n");
    out.push_str(
        "<p>Every run is one training of one seed, alone on its cores; another seed would move the figures, by how much \
         these runs do not tell. Times add up over pauses, up to the last checkpoint, and include the \
         validations; processor seconds hardly depend on what else the machine does. The loss is the mean negative \
         log-likelihood of the query rows of held-out tasks.",
    );
    if bench.runs.iter().any(|run| !run.shares_held_out) {
        out.push_str(" Runs marked \u{201c}other tasks\u{201d} have other held-out tasks, so their losses do not compare.");
    }
    out.push_str("</p>\n");
    if bench.n_tables > 0 {
        let evaluation = &bench.evaluation;
        let sizes: Vec<String> = evaluation.support.iter().map(usize::to_string).collect();
        push(
            &mut out,
            format_args!(
                "<p>The real tables are never trained on. A metamodel reads {} rows of each, in {} splits, and the network \
                 that it writes, of {} views and without the forest, is scored on others. A table's figure is the mean over \
                 its splits, only tables on which all have figures count, and intervals come from drawing tables again \
                 with replacement.</p>\n",
                sizes.join(" or "),
                evaluation.splits,
                evaluation.views
            ),
        );
        if bench.n_errors > 0 {
            push(&mut out, format_args!("<p>{} results are errors and left out.</p>\n", bench.n_errors));
        }
    }
    out.push_str("<dl>\n");
    for run in &bench.runs {
        let changes: Vec<String> = run
            .changes
            .iter()
            .map(|(setting, value)| format!("<code>{} = {}</code>", escaped(setting), escaped(value)))
            .collect();
        let changes = if changes.is_empty() { "as it is".to_string() } else { changes.join(", ") };
        push(
            &mut out,
            format_args!(
                "<dt>{}</dt><dd>{} with seed {}: {changes}; configuration <code>{}</code>{}</dd>\n",
                escaped(&run.name),
                escaped(&run.config.display().to_string()),
                run.seed,
                short(&run.config_checksum),
                run.checksum
                    .as_ref()
                    .map_or_else(String::new, |sum| format!(", metamodel <code>{}</code>", short(sum)))
            ),
        );
    }
    push(&mut out, format_args!("</dl>\n<p class=\"note\">weightsmith {VERSION}.</p>\n"));
    out
}

fn short(checksum: &str) -> &str {
    checksum.get(..12).unwrap_or(checksum)
}

fn dash() -> String {
    "–".to_string()
}

/// A count with a comma before every three digits.
fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (idx, digit) in digits.chars().enumerate() {
        if idx > 0 && (digits.len() - idx).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        assert_eq!([7, 999, 1000, 1_234_567].map(thousands), ["7", "999", "1,000", "1,234,567"]);
    }
}
