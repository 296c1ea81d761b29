//! The sinusoid benchmark of learned starts.

use crate::charts::{Across, Chart, Ink, Line, LineKind, LinePlot, NO_LIMITS};
use crate::page::{Page, VERSION, column, count, dash, figure, side_by_side, table, text, words};
use maud::{Markup, html};
use weightsmith_evaluation::{Estimate, number_text};
use weightsmith_experiments::{Published, Reading, SHOTS, SinusoidBenchmark, SinusoidExample, SinusoidStart};

/// Gradient steps in the table.
const SHOWN: [usize; 4] = [0, 1, 5, 10];
/// Gradient steps that the pictures reach.
const LAST: usize = 10;

impl Page for SinusoidBenchmark {
    fn title(&self) -> String {
        "learned starts on sine waves".to_string()
    }

    fn question(&self) -> &'static str {
        "How good is a network on a sine wave after a few rows and a few gradient steps?"
    }

    fn pictures(&self) -> Vec<Chart> {
        errors(self).into_iter().chain(waves(self)).collect()
    }

    fn body(&self) -> Markup {
        html! {
            p.answer { (answer(self)) }
            (side_by_side(&errors(self)))
            h2 { "What starts say of some waves" }
            (side_by_side(&waves(self)))
            p.note {
                "Dots are the rows that are learned from; lines what a start says before a step, after one and after ten."
            }
            h2 { "Mean squared errors" }
            (errors_table(self))
            h2 { "Beside published figures" }
            (published_table(self))
            h2 { "How this was measured" }
            p.note {
                "Means over " (count("/n_tasks", self.n_tasks)) " waves that no training saw (seed " (self.seed) "), the same for all, \
                 with 95% intervals of Student's t over waves: amplitudes 0.1 to 5, phases 0 to π, inputs -5 to 5. The error is taken \
                 on 100 inputs evenly from -5 to 5. A network of two layers of 40 rectified units is stepped on the rows at the rate of \
                 its training; where single steps have none (pretrained, reptile) the rate of the lowest mean error after 1, 5 and 10 \
                 steps on 200 waves of their own is taken, for each number of rows. The oracle is told amplitude and phase. A solved \
                 head is solved by the first step; more change nothing. Where steps run away on some wave, it says that they diverge. The figures are in a JSON file beside this page. weightsmith "
                (VERSION) "."
            }
            h2 { "Trainings" }
            ul { @for start in &self.starts { li { b { (start.name) } ": " (start.trained) } } }
        }
    }
}

fn is_plain(start: &SinusoidStart) -> bool {
    start.frequencies == (1.0, 1.0)
}

fn answer(benchmark: &SinusoidBenchmark) -> Markup {
    let of = |name: &str| benchmark.starts.iter().position(|start| start.name == name);
    let error = |idx: usize| benchmark.starts[idx].error(10, 1);
    let best = (0..benchmark.starts.len())
        .filter(|&idx| is_plain(&benchmark.starts[idx]) && benchmark.starts[idx].name != "oracle")
        .filter_map(|idx| Some((idx, error(idx)?.mean)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    html! {
        @if let (Some(maml), Some(pretrained)) = (of("maml"), of("pretrained")) {
            @if let (Some(ours), Some(other)) = (error(maml), error(pretrained)) {
                "With 10 rows and one gradient step " b { "maml" } " has a mean squared error of " (cell(maml, 10, 1, ours))
                ", a network pre-trained on all waves " (cell(pretrained, 10, 1, other)) ". "
            }
        }
        @if let Some((idx, _)) = best {
            @if let Some(found) = error(idx) {
                "The lowest is that of " b { (benchmark.starts[idx].name) } ", " (cell(idx, 10, 1, found)) "."
            }
        }
    }
}

/// An error with its interval, and its place in the JSON.
fn cell(start: usize, n_shots: usize, n_steps: usize, error: Estimate) -> Markup {
    let curve = SHOTS.iter().position(|&shots| shots == n_shots).unwrap_or(0);
    let point = weightsmith_experiments::STEPS.iter().position(|&steps| steps == n_steps).unwrap_or(0);
    let pointer = format!("/starts/{start}/curves/{curve}/points/{point}/error");
    html! {
        (figure(format_args!("{pointer}/mean"), error.mean, number_text(error.mean)))
        @if let (Some(low), Some(high)) = (error.low, error.high) {
            " ("
            (figure(format_args!("{pointer}/low"), low, number_text(low))) " to "
            (figure(format_args!("{pointer}/high"), high, number_text(high))) ")"
        }
    }
}

fn errors_table(benchmark: &SinusoidBenchmark) -> Markup {
    let mut columns = vec![column("start"), column("rows")];
    columns.extend(SHOWN.map(|n| column(if n == 1 { "1 step".to_string() } else { format!("{n} steps") })));
    let mut rows = Vec::new();
    for (idx, start) in benchmark.starts.iter().enumerate() {
        for n_shots in SHOTS {
            let mut row = vec![text(&start.name), text(n_shots)];
            for n_steps in SHOWN {
                row.push(
                    start
                        .error(n_shots, n_steps)
                        .map_or_else(diverged, |error| cell(idx, n_shots, n_steps, error)),
                );
            }
            rows.push(row);
        }
    }
    table(&columns, &rows, None)
}

fn diverged() -> Markup {
    text("diverges")
}

fn published_table(benchmark: &SinusoidBenchmark) -> Markup {
    let columns = [
        column("method"),
        column("rows"),
        column("steps"),
        column("published"),
        column("ours"),
        words("source"),
    ];
    let row = |(idx, published): (usize, &Published)| {
        let place = |key: &str| format!("/published/{idx}/{key}");
        let start = benchmark.starts.iter().position(|start| start.name == published.ours);
        let ours = start.and_then(|start| {
            let error = benchmark.starts[start].error(published.n_shots, published.n_steps)?;
            Some(cell(start, published.n_shots, published.n_steps, error))
        });
        let about = match published.reading {
            Reading::Printed => "",
            Reading::Figure => "about ",
        };
        let read = match published.reading {
            Reading::Printed => "printed",
            Reading::Figure => "read off a figure; the range is how far that may be off",
        };
        vec![
            text(published.method),
            count(place("n_shots"), published.n_shots),
            count(place("n_steps"), published.n_steps),
            html! {
                (about) (figure(place("error"), published.error, number_text(published.error))) " ± "
                (figure(place("within"), published.within, number_text(published.within)))
            },
            ours.unwrap_or_else(dash),
            text(format_args!("{}; {read}", published.source)),
        ]
    };
    let rows: Vec<Vec<Markup>> = benchmark.published.iter().enumerate().map(row).collect();
    table(&columns, &rows, None)
}

fn errors(benchmark: &SinusoidBenchmark) -> Vec<Chart> {
    SHOTS.iter().map(|&n_shots| errors_at(benchmark, n_shots)).collect()
}

fn errors_at(benchmark: &SinusoidBenchmark, n_shots: usize) -> Chart {
    let starts = benchmark.starts.iter().filter(|start| is_plain(start));
    let lines: Vec<Line> = starts
        .filter_map(|start| {
            let curve = start.curves.iter().find(|curve| curve.n_shots == n_shots)?;
            let within = curve.points.iter().filter(|point| point.n_steps <= LAST);
            // A line ends where steps diverge.
            let points = within.map_while(|point| Some((point.n_steps as f64, point.error?.mean)));
            Some((start, points.collect()))
        })
        .enumerate()
        .map(|(idx, (start, points))| Line {
            label: start.name.clone(),
            points,
            ink: Ink::LINES[idx % Ink::LINES.len()],
            width: if idx == 0 { 3 } else { 2 },
            kind: if idx < Ink::LINES.len() { LineKind::Plain } else { LineKind::Dashed },
        })
        .collect();
    let plot = LinePlot {
        title: &format!("{n_shots} rows: mean squared error"),
        hint: "less is better",
        x_label: "gradient steps",
        across: Across::Linear,
        limits: (0.0, 4.5),
        x_text: None,
        y_text: None,
        lines: &lines,
        base: None,
    };
    plot.chart()
}

fn wave(example: &SinusoidExample, name: &str) -> Chart {
    let line = |label: &str, values: &[f64], ink, width, kind| Line {
        label: label.to_string(),
        points: example.inputs.iter().copied().zip(values.iter().copied()).collect(),
        ink,
        width,
        kind,
    };
    let mut lines = Vec::new();
    let inks =
        [(Ink::Third, LineKind::Dashed), (Ink::Second, LineKind::Plain), (Ink::Accent, LineKind::Plain)];
    let own = example.curves.iter().filter(|curve| curve.name == name);
    for (curve, (ink, kind)) in own.zip(inks).collect::<Vec<_>>().into_iter().rev() {
        let label = match curve.n_steps {
            0 => "no step".to_string(),
            1 => "one step".to_string(),
            n => format!("{n} steps"),
        };
        lines.push(line(&label, &curve.values, ink, 2, kind));
    }
    lines.push(line("the wave", &example.values, Ink::Text, 2, LineKind::Plain));
    let mut points = example.rows.clone();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    lines.insert(0, Line { label: String::new(), points, ink: Ink::Text, width: 3, kind: LineKind::Spots });
    let plot = LinePlot {
        title: &format!(
            "{name}, {} rows of a wave of amplitude {:.1}",
            example.rows.len(),
            example.wave.amplitude
        ),
        hint: "",
        x_label: "input",
        across: Across::Linear,
        limits: NO_LIMITS,
        x_text: None,
        y_text: None,
        lines: &lines,
        base: None,
    };
    plot.chart()
}

/// For each wave a picture of each start.
fn waves(benchmark: &SinusoidBenchmark) -> Vec<Chart> {
    let mut names: Vec<&str> = Vec::new();
    for curve in benchmark.examples.iter().flat_map(|example| &example.curves) {
        if !names.contains(&curve.name.as_str()) {
            names.push(&curve.name);
        }
    }
    let names = &names;
    benchmark.examples.iter().flat_map(|example| names.iter().map(move |name| wave(example, name))).collect()
}
