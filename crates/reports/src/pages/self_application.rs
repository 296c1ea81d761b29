//! Self-application: what was tried, predicted and observed, what was accepted, and the controls.

mod pictures;
mod tables;

use crate::charts::Chart;
use crate::page::{Page, VERSION, count, figure, side_by_side};
use crate::words::{difference, percent};
use maud::{Markup, html};
use weightsmith_evaluation::Estimate;
use weightsmith_self_application::{
    Choice, ContestReport, LoopReport, NoiseReport, OutcomeLearner, RecipeSearch, SelfApplyReport,
    SelfTaskMode,
};

/// Rows about runs that the answer is about.
const USUAL_ROWS: usize = 32;

impl Page for SelfApplyReport {
    fn title(&self) -> String {
        "metamodels that learn from their own trainings".into()
    }

    fn question(&self) -> &'static str {
        "What does a metamodel gain when it learns from its own trainings?"
    }

    fn pictures(&self) -> Vec<Chart> {
        pictures::all(self)
    }

    fn body(&self) -> Markup {
        html! {
            p.answer { (answer(self)) }
            (side_by_side(&self.pictures()))
            (what_trains_what())
            @for (at, own) in planned(self) { (tables::iterations(at, own)) }
            (tables::methods(self))
            @if let Some(noise) = &self.noise { (noise_of(noise)) }
            (tables::controls(self))
            (tables::predictors(self))
            h2 { "How" }
            p {
                "Losses are mean negative log-likelihoods of query rows under the networks that a metamodel generates, in nats, over \
                 fixed synthetic tasks that none is trained on; the closed-form head alone comes to " (loss("/untrained", self.untrained))
                " on the acceptance set. The acceptance set decides what is accepted and is what predictors predict, so the best found \
                 on it looks better than it is; the report set decides nothing. Differences are paired by task, their intervals 95% \
                 bootstrap intervals over tasks. The ledger holds " (count("/n_runs/0", self.n_runs[0])) " runs of level 0, "
                (count("/n_runs/1", self.n_runs[1])) " of level 1 and " (count("/n_runs/2", self.n_runs[2]))
                " of level 2; its checksum is " code { (self.checksum) } ". Written by weightsmith " (VERSION) "."
            }
        }
    }
}

/// The loops that the planner runs, with their places.
fn planned(report: &SelfApplyReport) -> impl Iterator<Item = (usize, &LoopReport)> {
    report.loops.iter().enumerate().filter(|(_, own)| own.search == RecipeSearch::Planner)
}

fn loop_name(own: &LoopReport) -> String {
    let mode = match own.mode {
        SelfTaskMode::Lifted => String::new(),
        mode => format!(", auxiliary tasks {mode}"),
    };
    format!("Iterations of seed {}{mode}", own.seed)
}

fn choice_name(choice: Choice) -> &'static str {
    match choice {
        Choice::ByHand => "by hand",
        Choice::Random => "at random",
        Choice::Predicted => "predicted to be best",
        Choice::OneChanged => "one thing changed",
        Choice::Repeated => "repeated",
    }
}

fn mode_name(mode: SelfTaskMode) -> &'static str {
    match mode {
        SelfTaskMode::Lifted => "lifted tasks",
        SelfTaskMode::Shuffled => "their labels shuffled",
        SelfTaskMode::ExtraBase => "as many tasks about the world",
        SelfTaskMode::None => "none",
    }
}

fn other_name(method: RecipeSearch) -> &'static str {
    match method {
        RecipeSearch::Hand => "one thing changed at a time by hand",
        RecipeSearch::Random => "random search",
        RecipeSearch::Planner => "the planner",
        RecipeSearch::Control | RecipeSearch::Confirm => "a repeat",
    }
}

/// A loss in nats.
fn loss(pointer: &str, value: f64) -> Markup {
    figure(pointer, value, format!("{value:.4}"))
}

/// A difference of losses.
fn change(pointer: &str, value: f64) -> Markup {
    figure(pointer, value, difference(value))
}

fn answer(report: &SelfApplyReport) -> Markup {
    let is_own = |own: &weightsmith_self_application::PredictionQuality| {
        own.learner == OutcomeLearner::Incumbent && own.n_rows == USUAL_ROWS
    };
    let predictor = report.prediction_quality.iter().enumerate().find(|(_, own)| is_own(own));
    let lifted = report.controls.iter().enumerate().find(|(_, control)| control.mode == SelfTaskMode::Lifted);
    let lifted = lifted.and_then(|(at, control)| Some((at, control.differences.as_ref()?)));
    let n: usize = report.loops.iter().map(|own| own.iterations.len()).sum();
    html! {
        @for (at, contest) in report.contests.iter().enumerate() { (contest_in_words(at, contest)) }
        @if let Some((at, own)) = predictor {
            "From " (own.n_rows) " rows of its own runs it generates a predictor that predicts "
            (figure(format_args!("/prediction_quality/{at}/r2/mean"), own.r2.mean, percent(own.r2.mean, 0)))
            " of the variance of others; its R² less that of ridge is "
            (figure(format_args!("/prediction_quality/{at}/over_ridge/mean"), own.over_ridge.mean, format!("{:+.2}", own.over_ridge.mean)))
            ". "
        }
        @if let Some((at, differences)) = lifted {
            "Self tasks change the loss on unseen tasks about runs by "
            (tables::difference_cell(&format!("/controls/{at}/differences/lifted"), &differences.lifted))
            " and on tasks about the world by "
            (tables::difference_cell(&format!("/controls/{at}/differences/report"), &differences.report)) "."
        }
        @if report.contests.is_empty() && predictor.is_none() && lifted.is_none() {
            (n) " iterations so far; other ways to choose recipes and the controls have not run yet."
        }
    }
}

fn contest_in_words(at: usize, contest: &ContestReport) -> Markup {
    let (words, name, estimate) = match (&contest.over_seeds, &contest.as_found) {
        (Some(estimate), _) => {
            ("repeated with new seeds and measured on the report set", "over_seeds", estimate)
        }
        (None, Some(estimate)) => ("as found on the acceptance set", "as_found", estimate),
        (None, None) => return Markup::default(),
    };
    let Estimate { mean, low, high, n } = *estimate;
    let verdict = match (low, high) {
        (_, Some(high)) if high < 0.0 => "better than",
        (Some(low), _) if low > 0.0 => "worse than",
        _ => "not to be told apart from",
    };
    let pointer = |field: &str| format!("/contests/{at}/{name}/{field}");
    html! {
        "After equal training cost the best recipe of the self-applied loop, " (words) ", is " (verdict) " that of "
        (other_name(contest.other)) ": " (change(&pointer("mean"), mean))
        @match (low, high) {
            (Some(low), Some(high)) => {
                " (" (change(&pointer("low"), low)) " to " (change(&pointer("high"), high)) " over "
                (count(pointer("n"), n)) " seeds). "
            }
            _ => " (one seed). ",
        }
    }
}

fn what_trains_what() -> Markup {
    html! {
        h2 { "What trains what" }
        dl {
            dt { "A base model" }
            dd {
                "is a small network that predicts a column of a table. The predictor of trainings is one: its table has a row a training, \
                 and predicts the loss of that training."
            }
            dt { "A metamodel" }
            dd {
                "writes base models. Every iteration here is one, trained by an optimiser for half a minute on synthetic tables, and on \
                 auxiliary tables about runs."
            }
            dt { "Self-application" }
            dd {
                "is that the incumbent metamodel writes the predictor of metamodels' trainings. Rows about runs are one level above what \
                 those runs were trained on; no run is an example for itself."
            }
        }
    }
}

fn noise_of(noise: &NoiseReport) -> Markup {
    html! {
        h2 { "Noise of the outcome" }
        p {
            "The same recipe with another seed: the standard deviation of the acceptance set's loss is "
            (loss("/noise/acceptance", noise.acceptance)) ", of the report set's " (loss("/noise/report", noise.report)) " ("
            (count("/noise/n", noise.n)) " trainings of " (count("/noise/n_groups", noise.n_groups)) " recipes)"
            @if let Some(over) = noise.over_recipes {
                "; over recipes drawn at random it is " (loss("/noise/over_recipes", over))
            }
            "."
        }
    }
}
