//! Tasks about recorded runs, the auxiliary tasks of a metamodel's training.

use super::MetamodelRun;
use crate::error::SelfApplicationError;
use crate::{OuterRecipe, recipe_table};
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_ledger::{RunRecord, Uid};
use weightsmith_lifting::{Learner, LiftError, Lifted, Moment, Run, RunRow, RunRows, lift};
use weightsmith_planner::{Example, RecordedRuns};
use weightsmith_tasks::{Above, Base, Column, ColumnValues, Seed, Table, Target, Task};

/// Support sizes of tasks about runs.
const N_SUPPORT: [usize; 3] = [16, 32, 48];
/// Their number of query rows.
const N_QUERY: usize = 16;
/// Tasks of each kind, for each data set of base runs.
const N_DRAWN: usize = 3;
/// Tasks of each kind about runs of metamodels.
const N_OWN: usize = 12;
/// One data set in so many is held out: no metamodel is trained on tasks about runs on it, all are measured on them.
const HELD_OUT_ONE_IN: usize = 4;

/// Tasks about runs of level 0, and their provenance.
#[derive(Clone, Debug, Default)]
pub(crate) struct SelfTasks {
    pub(crate) tasks: Vec<Task<Above<Base>>>,
    /// The runs that they are about.
    pub(crate) runs: BTreeSet<Uid>,
    /// The data sets that those come from.
    pub(crate) roots: BTreeSet<String>,
}

impl SelfTasks {
    fn add(&mut self, lifted: &Lifted<Base>, tasks: Vec<Task<Above<Base>>>) {
        if !tasks.is_empty() {
            self.tasks.extend(tasks);
            self.runs.extend(lifted.runs.iter().copied());
            self.roots.extend(lifted.roots.iter().cloned());
        }
    }
}

/// Which labels the tasks have.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Labelling {
    Measured,
    /// Measured labels, permuted within each table: the control.
    Shuffled,
}

/// The held-out data sets of base runs: every fourth by name. A folder's ledger holds no other base runs than those that the
/// loop collected, so these are the same for all its iterations.
pub(crate) fn held_out_roots(runs: &RecordedRuns) -> BTreeSet<String> {
    runs.roots().into_iter().skip(HELD_OUT_ONE_IN - 1).step_by(HELD_OUT_ONE_IN).collect()
}

/// Tasks about base runs on some data sets, of two kinds: the outcomes of other recipes, and later points of the same
/// learning curves.
pub(crate) fn about_base_runs(
    runs: &RecordedRuns,
    roots: &BTreeSet<String>,
    labelling: Labelling,
    learner: &Learner<'_>,
    seed: Seed,
) -> Result<SelfTasks, SelfApplicationError> {
    let mut found = SelfTasks::default();
    for (at, root) in roots.iter().enumerate() {
        let random = &mut seed.indexed_stream("self-application.self-tasks", &[at as u64]);
        let of_root = runs.of_roots(&BTreeSet::from([root.clone()]));
        let mut curves: Vec<Vec<Example>> = of_root.iter().map(|&run| runs.evaluation_points(run)).collect();
        curves.retain(|points| !points.is_empty());
        let one_each = curves.iter().map(|points| points[random.random_range(0..points.len())]).collect();
        for (kind, examples) in [("recipes", one_each), ("later", curves.concat())] {
            let lifted = match runs.lifted_by(&examples, learner) {
                Err(LiftError::TooFewRows { .. }) => continue,
                lifted => lifted?,
            };
            let lifted = labelled(lifted, labelling, random);
            let name = format!("{kind} of {root}");
            found.add(&lifted, drawn(&lifted, &name, kind == "later", N_DRAWN, random)?);
        }
    }
    Ok(found)
}

/// The same two kinds of tasks about runs of metamodels, those of level 0.
pub(crate) fn about_metamodel_runs(
    own: &[MetamodelRun],
    untrained: f64,
    labelling: Labelling,
    learner: &Learner<'_>,
    seed: Seed,
) -> Result<SelfTasks, SelfApplicationError> {
    let records: Vec<(&RunRecord<Base>, OuterRecipe)> =
        own.iter().filter_map(|run| Some((run.on_world()?, run.recipe))).collect();
    let runs: Vec<Run<'_, Base>> = records.iter().map(|(record, _)| (*record).into()).collect();
    let random = &mut seed.stream("self-application.own-tasks");
    let unit = |_: usize, loss: Option<f64>| outcome_label(loss, untrained);
    let mut found = SelfTasks::default();
    let points: Vec<RunRow> = records
        .iter()
        .enumerate()
        .flat_map(|(run, (record, _))| {
            record.curve.iter().map(move |point| RunRow { run, seen: 0, label: Moment::After(point.step) })
        })
        .collect();
    let ends = (0..records.len()).map(|run| RunRow { run, seen: 0, label: Moment::End }).collect();
    for (kind, rows) in [("later points", points), ("own recipes", ends)] {
        if rows.is_empty() {
            continue;
        }
        let table = point_table(&records, &rows);
        let lifted = match lift(&runs, RunRows { table, rows }, &unit, learner) {
            Err(LiftError::TooFewRows { .. }) => continue,
            lifted => labelled(lifted?, labelling, random),
        };
        found.add(&lifted, drawn(&lifted, kind, kind == "later points", N_OWN, random)?);
    }
    Ok(found)
}

/// The label of a metamodel's training: its loss on the acceptance set, or that of the closed-form head where it is worse or the
/// training diverged.
pub(crate) fn outcome_label(loss: Option<f64>, untrained: f64) -> f64 {
    loss.map_or(untrained, |loss| loss.min(untrained))
}

/// Recipes with the step at which each row's label was measured.
fn point_table(records: &[(&RunRecord<Base>, OuterRecipe)], rows: &[RunRow]) -> Table {
    let recipes: Vec<OuterRecipe> = rows.iter().map(|row| records[row.run].1).collect();
    let steps = rows.iter().map(|row| match row.label {
        Moment::After(step) => (step as f64).log2(),
        Moment::End => (records[row.run].0.n_steps as f64).log2(),
    });
    let step = Column { name: "log2_step".into(), values: ColumnValues::Numeric(steps.collect()) };
    let columns = recipe_table(&recipes).columns().iter().cloned().chain([step]).collect();
    Table::new(rows.len(), columns).expect("the columns have names of their own and a value a row")
}

fn labelled(lifted: Lifted<Base>, labelling: Labelling, random: &mut impl Rng) -> Lifted<Base> {
    match labelling {
        Labelling::Measured => lifted,
        Labelling::Shuffled => {
            let mut order: Vec<usize> = (0..lifted.rows().len()).collect();
            order.shuffle(random);
            lifted.shuffled(&order)
        }
    }
}

/// Random tasks of some lifted rows: query rows are about other runs than support rows or, if `later`, about later steps of the
/// same runs.
fn drawn(
    lifted: &Lifted<Base>,
    name: &str,
    later: bool,
    n_tasks: usize,
    random: &mut impl Rng,
) -> Result<Vec<Task<Above<Base>>>, SelfApplicationError> {
    let rows = lifted.rows();
    let mut by_run: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    rows.iter().enumerate().for_each(|(at, row)| by_run.entry(row.run).or_default().push(at));
    let mut tasks = Vec::new();
    for at in 0..n_tasks {
        let n_support = N_SUPPORT[random.random_range(0..N_SUPPORT.len())];
        let (mut support, mut query) = (Vec::new(), Vec::new());
        if later {
            for rows in by_run.values() {
                // Rows of a run are in the order of their steps.
                let cut = random.random_range(0..=rows.len());
                support.extend_from_slice(&rows[..cut]);
                query.extend_from_slice(&rows[cut..]);
            }
        } else {
            let mut runs: Vec<&Vec<usize>> = by_run.values().collect();
            runs.shuffle(random);
            let n_runs_support = runs.len() * n_support / (n_support + N_QUERY);
            support.extend(runs[..n_runs_support].iter().copied().flatten());
            query.extend(runs[n_runs_support..].iter().copied().flatten());
        }
        support.shuffle(random);
        query.shuffle(random);
        if support.len() < n_support || query.len() < N_QUERY {
            continue;
        }
        let task = lifted.task(format!("{name}, {at}"), &support[..n_support], &query[..N_QUERY])?;
        if varies(task.support().target()) {
            tasks.push(task);
        }
    }
    Ok(tasks)
}

/// Whether the labels are not all the same.
fn varies(target: &Target) -> bool {
    let Target::Values(values) = target else { return true };
    values.iter().any(|value| (value - values[0]).abs() > 1e-6)
}
