//! Trainings of metamodels compared.

mod pictures;
mod tables;

use crate::charts::Chart;
use crate::page::{Page, VERSION, checksum, count, figure, side_by_side};
use crate::words::{percent, thousands, verdict};
use maud::{Markup, html};
use weightsmith_evaluation::{Metric, metric_text, seconds_text};
use weightsmith_experiments::{Bench, BenchRunFigures, RunScore, RunState};

impl Page for Bench {
    fn title(&self) -> String {
        format!("{}: trainings compared", self.name)
    }

    fn question(&self) -> &'static str {
        "Which training makes the better metamodel, and at what cost?"
    }

    fn pictures(&self) -> Vec<Chart> {
        pictures::all(self)
    }

    fn body(&self) -> Markup {
        let pictures = self.pictures();
        html! {
            p.answer { (unfinished(self)) (by_loss(self)) (by_real_tables(self)) }
            (side_by_side(&pictures))
            @if !pictures.is_empty() {
                p.note {
                    "Lines are losses on synthetic tasks that no run trains on, dots are means over real tables. The dashed line is \
                     the closed-form head alone: what every metamodel is before any training. Axes below are logarithmic where \
                     costs are far apart."
                }
            }
            (tables::losses(self))
            (tables::real_tables(self))
            (tables::costs(self))
            (method(self))
        }
    }
}

fn less_is_better(metric: Metric) -> bool {
    metric.higher_is_better() == Some(false)
}

fn unfinished(bench: &Bench) -> Markup {
    let n_finished = bench.runs.iter().filter(|run| run.state == RunState::Finished).count();
    html! {
        @if n_finished < bench.runs.len() {
            "Only " (n_finished) " of " (bench.runs.len()) " runs are finished. "
        }
    }
}

/// Who has the least loss, what it took, and what the first has.
fn by_loss(bench: &Bench) -> Markup {
    let loss = |run: &BenchRunFigures| run.valid_loss.unwrap_or(f64::INFINITY);
    let compares = |(_, run): &(usize, &BenchRunFigures)| {
        run.state == RunState::Finished && run.shares_held_out && run.valid_loss.is_some()
    };
    let compared = bench.runs.iter().enumerate().filter(compares);
    let best = compared.min_by(|a, b| loss(a.1).total_cmp(&loss(b.1)));
    let first = &bench.runs[0];
    html! {
        @if let Some((idx, best)) = best {
            "On held-out synthetic tasks " b { (best.name) } " has the lowest loss, " (tables::loss(idx, best)) ", after "
            (figure(format_args!("/runs/{idx}/n_tasks"), best.n_tasks as f64, thousands(best.n_tasks))) " tasks and "
            (figure(format_args!("/runs/{idx}/cpu_s"), best.cpu_s, seconds_text(best.cpu_s))) " on the processor"
            @if idx > 0 && first.valid_loss.is_some() {
                "; " (first.name) " ends at " (tables::loss(0, first))
                @if let Some(reached) = best.reaches_first {
                    ", which " (best.name) " reaches in "
                    (figure(format_args!("/runs/{idx}/reaches_first/cpu_share"), reached.cpu_share, percent(reached.cpu_share, 0)))
                    " of its time"
                }
            }
            ". "
        }
    }
}

/// Who is best on real tables, and whether the first is told apart from it.
fn by_real_tables(bench: &Bench) -> Markup {
    let Some((metric, n_support)) = bench.main_score() else { return Markup::default() };
    let scored = bench.runs.iter().enumerate();
    let scored = scored.filter_map(|(idx, run)| Some((idx, run.score_idx(metric, n_support)?)));
    let score = |&(idx, at): &(usize, usize)| &bench.runs[idx].scores[at];
    let key = |at: &(usize, usize)| metric.loss(score(at).mean);
    let Some(best) = scored.min_by(|a, b| key(a).total_cmp(&key(b))) else { return Markup::default() };
    let RunScore { mean, n_tables, minus_first, interval, .. } = score(&best);
    let pointer = format!("/runs/{}/scores/{}", best.0, best.1);
    html! {
        "On " (count(format_args!("{pointer}/n_tables"), *n_tables)) " real tables with " (n_support) " support rows "
        b { (bench.runs[best.0].name) } " has the best " (metric.label()) ", "
        (figure(format_args!("{pointer}/mean"), *mean, metric_text(metric, *mean)))
        @if let (Some(difference), Some(ends)) = (minus_first, interval) {
            "; the difference to " (bench.runs[0].name) " is " (tables::interval(&pointer, *difference, *ends)) ": "
            (verdict(*ends, *n_tables, less_is_better(metric)))
        }
        "."
    }
}

/// A count with its noun, in the singular for one.
fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

fn method(bench: &Bench) -> Markup {
    let evaluation = &bench.evaluation;
    let sizes: Vec<String> = evaluation.support.iter().map(usize::to_string).collect();
    html! {
        h2 { "How this was measured" }
        p {
            "Every run is one training of one seed, alone on its cores; another seed would move the figures, by how much these runs \
             do not tell. Times add up over pauses, up to the last checkpoint, and include the validations; processor seconds \
             hardly depend on what else the machine does. The loss is the mean negative log-likelihood of the query rows of \
             held-out tasks."
            @if bench.runs.iter().any(|run| !run.shares_held_out) {
                " Runs marked “other tasks” have other held-out tasks, so their losses do not compare."
            }
        }
        @if bench.n_tables > 0 {
            p {
                "The real tables are never trained on. A metamodel reads " (sizes.join(" or ")) " support rows of each, in "
                (counted(evaluation.splits as usize, "split")) ", and the network that it writes, of " (counted(evaluation.views, "view")) " and without the \
                 forest, is scored on others. A table's figure is the mean over its splits, only tables on which all have figures \
                 count, and intervals come from drawing tables again with replacement."
            }
        }
        @if bench.n_errors > 0 { p { (count("/n_errors", bench.n_errors)) " results are errors and left out." } }
        dl {
            @for run in &bench.runs {
                dt { (run.name) }
                dd {
                    (run.config.display().to_string()) " with seed " (run.seed) ": "
                    @if run.changes.is_empty() { "as it is" }
                    @for (idx, (setting, value)) in run.changes.iter().enumerate() {
                        @if idx > 0 { ", " } code { (setting) " = " (value) }
                    }
                    "; configuration " (checksum(&run.config_checksum))
                    @if let Some(sum) = &run.checksum { ", metamodel " (checksum(sum)) }
                }
            }
        }
        p.note { "weightsmith " (VERSION) "." }
    }
}
