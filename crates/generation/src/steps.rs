//! Inner steps from generated weights, and the decision how many of them pay and how much of the output they get.
//!
//! Four predictions may share the output: the views as they were generated, views that took steps of
//! [variable projection](weightsmith_training::VariableProjection), the forest, and a smooth function. How many steps, and
//! the shares, are picked by folds of the support: in each, weights are generated anew from the other rows and take their
//! steps on them, and a smooth function is fitted to them, so that nothing has seen the rows that judge. The forest is judged
//! by its trees that have not seen a row.
//!
//! Source: Breiman 1996, "Stacked regressions", for shares that are picked by outputs for rows left out.

use crate::decide_steps::{Decision, HeldOut, StepsInfo};
use crate::distil::{SmoothTeacher, Teacher};
use crate::error::GenerateError;
use crate::groups::in_groups;
use crate::plan_steps::StepPlan;
use crate::reading::Reading;
use crate::smooth::Smooth;
use crate::views::{View, ViewWeights};
use weightsmith_metamodel::{Labels, Pretrained};
use weightsmith_tasks::{Level, Support, Target};
use weightsmith_training::{LogStrengths, VariableProjection, Wanted};

/// Factor on the ridge head's strengths for the logistic head.
const LOGISTIC_STRENGTH: f64 = 1.0;

/// Views that took steps, and what was decided about them.
pub(crate) struct SteppedViews {
    /// The views' networks after their steps; none where no step pays.
    pub(crate) parts: Vec<ViewWeights>,
    /// Their share in the network, the rest is that of the views as generated.
    pub(crate) share: f32,
    /// Share of the forest in the outputs.
    pub(crate) forest_share: f32,
    /// The smooth function of all rows, where it has a share in the outputs.
    pub(crate) smooth: Option<SmoothTeacher>,
    /// What networks that have not seen a row say of it, before the forest: `[n_rows, n_outputs]`.
    pub(crate) left_out: Vec<f32>,
    /// For people.
    pub(crate) info: StepsInfo,
}

/// What is said of the rows of one fold, `[n_rows, n_named]` each.
struct FoldOutputs {
    /// By the views as generated, then after each number of steps.
    networks: Vec<Vec<f32>>,
    /// By a smooth function: standardised values, or memberships.
    smooth: Option<Vec<f32>>,
}

/// Stepping, for one support.
pub(crate) struct Stepping<'a, L: Level> {
    pub(crate) pretrained: &'a Pretrained,
    pub(crate) support: &'a Support<L>,
    pub(crate) read: &'a Reading,
    pub(crate) plan: StepPlan,
    /// Factors on the generated head's strengths, of hidden units and of inputs.
    pub(crate) strengths: (f32, f32),
    pub(crate) n_threads: usize,
}

impl<L: Level> Stepping<'_, L> {
    /// The views that take steps.
    fn views(&self, read: &Reading) -> Vec<View> {
        read.canonical.views(self.plan.n_views, read.distinct_views(), read.n_outputs())
    }

    /// Where the steps of each view begin: its head's strengths, picked once, on all rows.
    fn first_strengths(&self, starts: &[ViewWeights]) -> Vec<LogStrengths> {
        let n_views = self.views(self.read).len();
        let labels = &self.read.labels;
        let begin = |start: &ViewWeights| {
            let rows = self.read.rows_of(start.gaussian_rank);
            VariableProjection::new(rows, wanted(labels), &start.weights.hidden[0]).first_strengths()
        };
        starts[..n_views].iter().map(begin).collect()
    }

    /// The views' networks after the given numbers of steps, from starts generated of the rows of `read`.
    fn step(
        &self,
        read: &Reading,
        starts: &[ViewWeights],
        strengths: &[LogStrengths],
        n_steps: &[usize],
    ) -> Vec<Vec<ViewWeights>> {
        let labels = &read.labels;
        let of_view = |(start, strengths): (&ViewWeights, &LogStrengths)| -> Vec<ViewWeights> {
            let rows = read.rows_of(start.gaussian_rank);
            let begun = VariableProjection::new(rows, wanted(labels), &start.weights.hidden[0]);
            let mut view = View::standard(read.n_outputs());
            view.gaussian_rank = start.gaussian_rank;
            let stepped = begun.steps(*strengths, n_steps, 0.0).into_iter();
            stepped.map(|stepped| read.canonical.restore(&view, stepped.weights, vec![])).collect()
        };
        starts.iter().zip(strengths).map(of_view).collect()
    }

    /// What weights generated of the other rows, and stepped on them, say of the rows of one fold: of the rows at `held`,
    /// as generated and after each number of steps, and as a smooth function has it, if one is fitted. A class without another
    /// row counts as half as likely as one row makes it.
    fn of_fold(
        &self,
        held: &[usize],
        kept: &[usize],
        strengths: &[LogStrengths],
    ) -> Result<FoldOutputs, GenerateError> {
        let rest = self.support.select(kept);
        let read = Reading::new(&rest)?;
        let views = self.views(&read);
        let landmarks = read.landmarks(&views);
        let (summary, head) = read.summarise::<L>(&self.pretrained.metamodel, &views, &landmarks);
        let head = head.strengthened(self.strengths.0, self.strengths.1);
        let starts = read.collect(&views, &self.pretrained.metamodel.generate(&summary, &head));
        let table = self.support.table().select(held);
        let (standard, gaussian_rank) =
            (read.fitted.standard.encode(&table)?, read.fitted.gaussian_rank.encode(&table)?);
        let rows = |weights: &ViewWeights| if weights.gaussian_rank { &gaussian_rank } else { &standard };
        let mean = |networks: &mut dyn Iterator<Item = &ViewWeights>| -> Vec<f32> {
            let said: Vec<Vec<f32>> = networks.map(|own| own.weights.predict(rows(own))).collect();
            let share = 1.0 / said.len() as f32;
            (0..said[0].len()).map(|at| said.iter().map(|own| share * own[at]).sum()).collect()
        };
        let smooth = if self.plan.has_smooth { Smooth::fit(&read) } else { None };
        let mut smooth = smooth.map(|smooth| self.named(&read, &smooth.told(&standard)));
        let stepped = self.step(&read, &starts, strengths, &self.plan.n_steps);
        let mut said = vec![mean(&mut starts.iter())];
        for at in 0..self.plan.n_steps.len() {
            said.push(mean(&mut stepped.iter().map(|of_view| &of_view[at])));
        }
        // Values come in the standard deviations of the other rows.
        if let (Some(own), Some(all)) = (read.canonical.unit(), self.read.canonical.unit()) {
            for output in said.iter_mut().chain(&mut smooth).flatten() {
                *output = all.standardised(own.value(*output)) as f32;
            }
        }
        if let Target::Classes { .. } = self.support.target() {
            let present = read.canonical.outputs();
            let absent: Vec<usize> =
                self.read.canonical.outputs().into_iter().filter(|class| !present.contains(class)).collect();
            for row in said.iter_mut().flat_map(|said| said.chunks_exact_mut(self.read.canonical.n_named())) {
                let top = present.iter().map(|&class| row[class]).fold(f32::MIN, f32::max);
                absent.iter().for_each(|&class| row[class] = top - (2.0 * kept.len() as f32).ln());
            }
        }
        Ok(FoldOutputs { networks: said, smooth })
    }

    /// Outputs of the classes that have rows in `read`, `[n_rows, n_present]`, as outputs of all named ones; of a class without a
    /// row 0.
    fn named(&self, read: &Reading, outputs: &[f32]) -> Vec<f32> {
        let (places, width) = (read.canonical.outputs(), self.read.canonical.n_named());
        let mut named = vec![0.0; outputs.len() / places.len() * width];
        for (named, row) in named.chunks_exact_mut(width).zip(outputs.chunks_exact(places.len())) {
            places.iter().zip(row).for_each(|(&place, &output)| named[place] = output);
        }
        named
    }

    /// What the folds say; none where a fold leaves nothing to generate from.
    fn hold_out(&self, starts: &[ViewWeights]) -> Option<HeldOut> {
        let strengths = self.first_strengths(starts);
        let n_rows = self.support.n_rows();
        let width = self.read.canonical.n_named();
        let mut all = vec![vec![0.0; n_rows * width]; 1 + self.plan.n_steps.len()];
        let mut smooth = self.plan.has_smooth.then(|| vec![0.0; n_rows * width]);
        let mut fold_of = vec![0; n_rows];
        for (position, &row) in self.read.order.iter().enumerate() {
            fold_of[row] = position % self.plan.n_folds;
        }
        let of_fold = |fold: usize| {
            let (held, kept): (Vec<usize>, Vec<usize>) = (0..n_rows).partition(|&row| fold_of[row] == fold);
            (self.of_fold(&held, &kept, &strengths), held)
        };
        let put = |all: &mut [f32], held: &[usize], said: &[f32]| {
            for (&row, said) in held.iter().zip(said.chunks_exact(width)) {
                all[row * width..(row + 1) * width].copy_from_slice(said);
            }
        };
        for (said, held) in in_groups(self.plan.n_folds, self.n_threads, &of_fold) {
            let said = said.ok()?;
            all.iter_mut().zip(&said.networks).for_each(|(all, said)| put(all, &held, said));
            smooth = smooth.zip(said.smooth).map(|(mut smooth, said)| {
                put(&mut smooth, &held, &said);
                smooth
            });
        }
        let mut all = all.into_iter();
        let is_wide = 2 * self.read.standard.n_columns > n_rows;
        Some(HeldOut { generated: all.next()?, stepped: all.collect(), smooth, strengths, is_wide })
    }

    /// Decides and takes the steps; none where a fold leaves nothing to generate from. `starts` are the generated views.
    pub(crate) fn run(&self, starts: &[ViewWeights], teacher: Option<&Teacher<'_>>) -> Option<SteppedViews> {
        let held_out = self.hold_out(starts)?;
        let outputs = self.read.canonical.outputs();
        let decision = Decision::pick(&held_out, &self.read.labels, &outputs, teacher);
        let is_taken = decision.stepped_share > 0.0;
        Some(SteppedViews {
            parts: if is_taken { self.take(starts, &held_out, &decision) } else { vec![] },
            share: decision.stepped_share,
            forest_share: decision.forest_share,
            smooth: self.smooth(&decision),
            left_out: decision.network(&held_out),
            info: decision.info(&self.plan.n_steps, self.plan.n_views),
        })
    }

    /// The smooth function of all rows, where it was given a share.
    fn smooth(&self, decision: &Decision) -> Option<SmoothTeacher> {
        let found = decision.smooth.as_ref()?;
        let smooth = Smooth::fit(self.read)?;
        let (share, sharpness, left_out) = (found.share, found.sharpness, found.left_out.clone());
        Some(SmoothTeacher { smooth, sharpness, share, left_out })
    }

    /// The views after the number of steps that was picked, on all rows.
    fn take(&self, starts: &[ViewWeights], held_out: &HeldOut, decision: &Decision) -> Vec<ViewWeights> {
        let n_steps = [self.plan.n_steps[decision.at()]];
        self.step(self.read, starts, &held_out.strengths, &n_steps).into_iter().flatten().collect()
    }
}

fn wanted(labels: &Labels) -> Wanted<'_> {
    match labels {
        Labels::Values(values) => Wanted::Values(values),
        Labels::Classes { labels, n_classes } => {
            Wanted::Classes { labels, n_classes: *n_classes, strength: LOGISTIC_STRENGTH }
        }
    }
}
