//! Assembling one task.

use crate::classes::{Labelled, cut_labels, draw_class_shares, flip, softmax_labels};
use crate::config::{ColumnShares, PriorConfig, PriorError};
use crate::cover::cover_classes;
use crate::damage::finish;
use crate::draw::Draw;
use crate::family::Family;
use crate::impurities;
use crate::latents::{draw_latents, duplicate};
use crate::observe::{Shown, show};
use crate::plan::plan_columns;
use crate::scores::{Inputs, draw_scores};
use crate::values::draw_values;
use crate::worth::{Answer, keep};
use crate::{causal, mixture};
use rand_chacha::ChaCha8Rng;
use weightsmith_tasks::{Base, Query, Support, Table, Target, Task, TaskType};

/// Below this share of explained label entropy a table is drawn anew.
const WEAKEST: f32 = 0.04;
const TRIALS: usize = 4;

/// The sizes of a task.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TaskShape {
    /// What is predicted.
    pub task_type: TaskType,
    /// Support rows, at least 1.
    pub n_support: usize,
    /// Query rows.
    pub n_query: usize,
    /// Classes, at least 2; ignored for regression.
    pub n_classes: usize,
    /// The encoded inputs that the columns give, at least 1: one for a numeric column, one for two levels, one
    /// a level for more, and one more where cells are missing, beside which two levels are two. Met exactly
    /// with 16 support rows or more, for the support then holds every level, two different numbers of every
    /// numeric column, and a missing cell wherever the encoding is to have an input for one.
    pub n_encoded: usize,
}

/// A sampler of tasks.
#[derive(Clone, Debug)]
pub struct Prior {
    config: PriorConfig,
    family_weights: [f32; Family::ALL.len()],
}

impl Prior {
    /// A sampler of the mixture that `config` describes.
    ///
    /// # Errors
    /// As [`PriorConfig::validate`].
    pub fn new(config: PriorConfig) -> Result<Self, PriorError> {
        config.validate()?;
        let family_weights = Family::ALL.map(|family| config.families.get(family) as f32);
        Ok(Self { config, family_weights })
    }

    /// The mixture.
    pub fn config(&self) -> &PriorConfig {
        &self.config
    }

    /// One task; the same state of `rng` gives the same task on every machine. Its name is that of its
    /// [`Family`].
    ///
    /// With `n_support >= n_classes` every class occurs in the support. Missing numbers are NaN.
    ///
    /// # Panics
    /// If `shape` has no support row, no encoded input, or, for classification, fewer than two classes.
    pub fn sample(&self, shape: &TaskShape, rng: &mut ChaCha8Rng) -> Task<Base> {
        assert!(shape.n_support > 0, "a task needs a support row");
        assert!(shape.n_encoded > 0, "a task needs an encoded input");
        assert!(
            shape.task_type == TaskType::Regression || shape.n_classes >= 2,
            "classification needs two classes"
        );
        let draw = &mut Draw(rng);
        let family = Family::ALL[draw.weighted(&self.family_weights)];
        match shape.task_type {
            TaskType::Classification => self.classification(shape, family, draw),
            TaskType::Regression => self.regression(shape, family, draw),
        }
    }

    fn classification(&self, shape: &TaskShape, family: Family, draw: &mut Draw<'_>) -> Task<Base> {
        let labels = &self.config.labels;
        let mut trial = 0;
        let (shown, mut labelled) = loop {
            let (shown, labelled) = self.labelled(shape, family, draw);
            trial += 1;
            let answer = Answer::Classes { labels: &labelled.labels, n_classes: shape.n_classes };
            if trial == TRIALS
                || (labelled.strength >= WEAKEST && keep(&shown, &answer, self.config.weak_dropped, draw))
            {
                break (shown, labelled);
            }
        };
        flip(&mut labelled.labels, shape.n_classes, labels, draw);
        let order = cover_classes(&mut labelled.labels, shape.n_classes, shape.n_support, draw);
        let names = draw.permutation(shape.n_classes);
        let class_names = (0..shape.n_classes).map(|class| format!("class_{class}")).collect();
        let labels = labelled.labels.iter().map(|&label| names[label]).collect();
        self.assemble(shape, family, shown, &Target::Classes { class_names, labels }, &order, draw)
    }

    fn labelled(&self, shape: &TaskShape, family: Family, draw: &mut Draw<'_>) -> (Vec<Shown>, Labelled) {
        let (shares, labels) = (&self.config.columns, &self.config.labels);
        let n_rows = shape.n_support + shape.n_query;
        let n_noise = n_noise(shape.n_encoded, shares, draw);
        let columns = plan_columns(shape.n_encoded - n_noise, shares, draw);
        let softmax = draw.chance(labels.softmax);
        let n_scores = if softmax { shape.n_classes } else { 1 };
        let from_scores = |scores: &[Vec<f32>], draw: &mut Draw<'_>| {
            if softmax {
                softmax_labels(scores, labels, draw)
            } else {
                cut_labels(&scores[0], shape.n_classes, labels, draw)
            }
        };
        let (mut shown, labelled) = match family {
            Family::Mixture => {
                let class_shares = draw_class_shares(shape.n_classes, draw);
                let (mut latents, labels) =
                    mixture::draw_classes(columns.len(), n_rows, &class_shares, shares, draw);
                duplicate(&mut latents, shares, draw);
                (show(&columns, latents, shares, draw), Labelled { labels, strength: 1.0 })
            }
            Family::StructuralCausal => {
                let mut world = causal::draw_world(columns.len(), n_scores, n_rows, draw);
                duplicate(&mut world.latents, shares, draw);
                (show(&columns, world.latents, shares, draw), from_scores(&world.scores, draw))
            }
            _ => {
                let mut latents = draw_latents(columns.len(), n_rows, shares, draw);
                duplicate(&mut latents, shares, draw);
                let shown = show(&columns, latents, shares, draw);
                let scores = draw_scores(family, &Inputs::new(&shown, shares, draw), n_scores, draw);
                (shown, from_scores(&scores, draw))
            }
        };
        add_noise_columns(&mut shown, n_noise, n_rows, shares, draw);
        (shown, labelled)
    }

    fn regression(&self, shape: &TaskShape, family: Family, draw: &mut Draw<'_>) -> Task<Base> {
        let shares = &self.config.columns;
        let n_rows = shape.n_support + shape.n_query;
        let mut trial = 0;
        let (shown, values) = loop {
            let n_noise = n_noise(shape.n_encoded, shares, draw);
            let columns = plan_columns(shape.n_encoded - n_noise, shares, draw);
            let (mut shown, score) = match family {
                Family::Mixture => {
                    let (mut latents, score) = mixture::draw_score(columns.len(), n_rows, shares, draw);
                    duplicate(&mut latents, shares, draw);
                    (show(&columns, latents, shares, draw), score)
                }
                Family::StructuralCausal => {
                    let mut world = causal::draw_world(columns.len(), 1, n_rows, draw);
                    duplicate(&mut world.latents, shares, draw);
                    (show(&columns, world.latents, shares, draw), world.scores.swap_remove(0))
                }
                _ => {
                    let mut latents = draw_latents(columns.len(), n_rows, shares, draw);
                    duplicate(&mut latents, shares, draw);
                    let shown = show(&columns, latents, shares, draw);
                    let mut scores = draw_scores(family, &Inputs::new(&shown, shares, draw), 1, draw);
                    (shown, scores.swap_remove(0))
                }
            };
            add_noise_columns(&mut shown, n_noise, n_rows, shares, draw);
            let values = draw_values(&score, &self.config.values, draw);
            trial += 1;
            // A column that matters may be constant, and then so is the target.
            let varies = values[..shape.n_support].iter().any(|&value| value != values[0]);
            if trial == TRIALS
                || (varies && keep(&shown, &Answer::Values(&values), self.config.weak_dropped, draw))
            {
                break (shown, values);
            }
        };
        let order: Vec<usize> = (0..n_rows).collect();
        self.assemble(shape, family, shown, &Target::Values(values), &order, draw)
    }

    fn assemble(
        &self,
        shape: &TaskShape,
        family: Family,
        shown: Vec<Shown>,
        target: &Target,
        order: &[usize],
        draw: &mut Draw<'_>,
    ) -> Task<Base> {
        let (support, query) = order.split_at(shape.n_support);
        let support = impurities::repeat(support, target, &self.config.impurities, draw);
        let columns = finish(shown, &support, &self.config.columns, draw);
        let table =
            Table::new(order.len(), columns).expect("names differ, lengths agree and values are finite");
        let (rows, mut given) = (table.select(&support), target.select(&support));
        impurities::spoil(&mut given, &rows, &self.config.impurities, draw);
        let support = Support::new(rows, given);
        let query = Query::new(table.select(query), target.select(query));
        Task::new(
            family.to_string(),
            support.expect("one label a row, each of a class or finite"),
            query.expect("one label a row, each of a class or finite"),
        )
        .expect("both parts have the same target")
    }
}

/// How many of the encoded inputs come from columns that have nothing to do with anything.
fn n_noise(n_encoded: usize, shares: &ColumnShares, draw: &mut Draw<'_>) -> usize {
    if shares.noise_tables == 0.0 || n_encoded < 6 || !draw.chance(shares.noise_tables) {
        return 0;
    }
    n_encoded - draw.log_uniform(2.0, (n_encoded / 2) as f32 + 0.99) as usize
}

/// Columns that give `n_noise` encoded inputs; they hang together among themselves alone.
fn add_noise_columns(
    shown: &mut Vec<Shown>,
    n_noise: usize,
    n_rows: usize,
    shares: &ColumnShares,
    draw: &mut Draw<'_>,
) {
    if n_noise > 0 {
        let columns = plan_columns(n_noise, shares, draw);
        let latents = draw_latents(columns.len(), n_rows, shares, draw);
        shown.extend(show(&columns, latents, shares, draw));
    }
}
