//! Tasks about runs: what joins the stream of tasks that a metamodel is trained on.

use super::OwnRun;
use crate::error::SelfApplicationError;
use crate::{OuterRecipe, recipe_table};
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};
use weightsmith_ledger::{RunRecord, Uid};
use weightsmith_lifting::{Learner, LiftError, Lifted, Moment, Run, RunRow, RunRows, lift};
use weightsmith_planner::{Example, RecordedRuns};
use weightsmith_tasks::{Above, Base, Column, ColumnValues, Seed, Table, Target, Task};

/// Short rows of tasks about runs.
const N_SHORT: [usize; 3] = [16, 32, 48];
/// Their long rows.
const N_LONG: usize = 16;
/// Tasks that are drawn of each kind of the runs on one data set.
const N_DRAWN: usize = 3;
/// Tasks of each kind of the metamodels' own runs.
const N_OWN: usize = 12;
/// One data set in so many is held out: generations are measured on what runs on it say, and learn nothing of it.
const HELD_OUT_ONE_IN: usize = 4;

/// Tasks about runs on the world, and where they come from.
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

/// What decides which labels the tasks have.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Labelling {
    Measured,
    /// Dealt out anew within each table.
    Shuffled,
}

/// The data sets of base runs that no generation learns from: every fourth by name. A folder's ledger holds the base runs that the
/// loop collected and no others, so they are the same for all its generations.
pub(crate) fn held_out_roots(runs: &RecordedRuns) -> BTreeSet<String> {
    runs.roots().into_iter().skip(HELD_OUT_ONE_IN - 1).step_by(HELD_OUT_ONE_IN).collect()
}

/// Tasks about the runs on some data sets: which recipe does what, and what the end of curves says of their beginning.
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
        let mut looks: Vec<Vec<Example>> = of_root.iter().map(|&run| runs.evaluation_points(run)).collect();
        looks.retain(|looks| !looks.is_empty());
        let one_each = looks.iter().map(|looks| looks[random.random_range(0..looks.len())]).collect();
        for (kind, examples) in [("recipes", one_each), ("later", looks.concat())] {
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

/// Tasks about the metamodels' own runs on the world: what later looks say of earlier ones, and which recipe does what.
pub(crate) fn about_own_runs(
    own: &[OwnRun],
    untrained: f64,
    labelling: Labelling,
    learner: &Learner<'_>,
    seed: Seed,
) -> Result<SelfTasks, SelfApplicationError> {
    let records: Vec<(&RunRecord<Base>, OuterRecipe)> =
        own.iter().filter_map(|run| Some((run.on_world()?, run.recipe))).collect();
    let runs: Vec<Run<'_, Base>> = records.iter().map(|(record, _)| (*record).into()).collect();
    let random = &mut seed.stream("self-application.own-tasks");
    let unit = |_: usize, loss: Option<f64>| own_label(loss, untrained);
    let mut found = SelfTasks::default();
    let looks: Vec<RunRow> = records
        .iter()
        .enumerate()
        .flat_map(|(run, (record, _))| {
            record.curve.iter().map(move |point| RunRow { run, seen: 0, label: Moment::After(point.step) })
        })
        .collect();
    let ends = (0..records.len()).map(|run| RunRow { run, seen: 0, label: Moment::End }).collect();
    for (kind, rows) in [("later looks", looks), ("own recipes", ends)] {
        if rows.is_empty() {
            continue;
        }
        let table = look_table(&records, &rows);
        let lifted = match lift(&runs, RunRows { table, rows }, &unit, learner) {
            Err(LiftError::TooFewRows { .. }) => continue,
            lifted => labelled(lifted?, labelling, random),
        };
        found.add(&lifted, drawn(&lifted, kind, kind == "later looks", N_OWN, random)?);
    }
    Ok(found)
}

/// What is foreseen of a metamodel's training: its loss on the acceptance set, no worse than the closed-form head's.
pub(crate) fn own_label(loss: Option<f64>, untrained: f64) -> f64 {
    loss.map_or(untrained, |loss| loss.min(untrained))
}

/// Recipes and the steps of a look at them.
fn look_table(records: &[(&RunRecord<Base>, OuterRecipe)], rows: &[RunRow]) -> Table {
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

/// Tasks of rows that are drawn: long rows about other runs or, where `later`, about the same runs at later steps.
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
        let n_short = N_SHORT[random.random_range(0..N_SHORT.len())];
        let (mut short, mut long) = (Vec::new(), Vec::new());
        if later {
            for rows in by_run.values() {
                // Rows of a run are in the order of their steps.
                let cut = random.random_range(0..=rows.len());
                short.extend_from_slice(&rows[..cut]);
                long.extend_from_slice(&rows[cut..]);
            }
        } else {
            let mut runs: Vec<&Vec<usize>> = by_run.values().collect();
            runs.shuffle(random);
            let n_runs_short = runs.len() * n_short / (n_short + N_LONG);
            short.extend(runs[..n_runs_short].iter().copied().flatten());
            long.extend(runs[n_runs_short..].iter().copied().flatten());
        }
        short.shuffle(random);
        long.shuffle(random);
        if short.len() < n_short || long.len() < N_LONG {
            continue;
        }
        let task = lifted.task(format!("{name}, {at}"), &short[..n_short], &long[..N_LONG])?;
        if varies(task.support().target()) {
            tasks.push(task);
        }
    }
    Ok(tasks)
}

/// Whether there is anything to predict.
fn varies(target: &Target) -> bool {
    let Target::Values(values) = target else { return true };
    values.iter().any(|value| (value - values[0]).abs() > 1e-6)
}
