//! What a metamodel foresees of its own trainings: the weights of the predictor are generated from the table of its runs.

use super::OwnRun;
use super::self_tasks::own_label;
use crate::error::SelfApplicationError;
use crate::{CostRange, OuterRecipe, Proposal, propose, recipe_table};
use std::collections::BTreeSet;
use std::marker::PhantomData;
use weightsmith_base_model::{BaseModel, Predicted};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model};
use weightsmith_ledger::{
    Appended, Cost, Ledger, LedgerError, Named, Outcome, Parent, ParentKind, RunRecord, RunRole, Uid, Value,
};
use weightsmith_lifting::{Learner, Lifted, Moment, RunRow, RunRows, lift};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::on_one_thread;
use weightsmith_tasks::{Above, Base, Level, Seed, Support, Table, TaskSplit};

/// How the predictor's weights are generated: by the metamodel alone.
pub(crate) const OPTIONS: GenerateOptions =
    GenerateOptions { n_views: 8, n_threads: 1, n_trees: 0, n_steps: Steps::Fixed(0) };

/// A predictor of the outcome of trainings, of the level that its rows have.
pub(crate) enum Predictor {
    OnRuns(Foreseer<Base>),
    OnRunsOnRuns(Foreseer<Above<Base>>),
}

/// A base model about runs of level `L` at most.
pub(crate) struct Foreseer<L: Level> {
    model: BaseModel<Above<L>>,
    runs: BTreeSet<Uid>,
    roots: BTreeSet<String>,
    split: TaskSplit,
    n_rows: usize,
    cost: weightsmith_runtime::Cost,
}

/// Rows about a metamodel's trainings: recipes, and the loss on the acceptance set.
pub(crate) fn own_table<L: Level>(
    own: &[OwnRun],
    untrained: f64,
    learner: &Learner<'_>,
) -> Result<Lifted<L>, SelfApplicationError> {
    let runs = own.iter().map(|run| run.record.at_most::<L>()).collect::<Result<Vec<_>, _>>()?;
    let recipes: Vec<OuterRecipe> = own.iter().map(|run| run.recipe).collect();
    let rows = (0..own.len()).map(|run| RunRow { run, seen: 0, label: Moment::End }).collect();
    let rows = RunRows { table: recipe_table(&recipes), rows };
    Ok(lift(&runs, rows, &|_, loss| own_label(loss, untrained), learner)?)
}

/// The highest level of some runs.
pub(crate) fn highest_level(own: &[OwnRun]) -> u32 {
    own.iter().map(|run| run.record.level()).max().unwrap_or(Base::DEPTH)
}

/// The values that a base model predicts.
pub(crate) fn values<L: Level>(
    model: &BaseModel<L>,
    table: &Table,
) -> Result<Vec<f64>, SelfApplicationError> {
    match model.predict(table)?.predicted() {
        Predicted::Values(values) => Ok(values.clone()),
        Predicted::Probabilities { .. } => unreachable!("a predictor of losses predicts values"),
    }
}

/// Weights that a metamodel generates from rows, on one thread.
pub(crate) fn generated<L: Level>(
    pretrained: &Pretrained,
    support: &Support<L>,
    options: GenerateOptions,
) -> Result<BaseModel<L>, SelfApplicationError> {
    let generated = on_one_thread(|| generate_base_model(pretrained, support, options));
    let (model, _) = generated?;
    Ok(model)
}

impl<L: Level> Foreseer<L> {
    fn new(
        pretrained: &Pretrained,
        own: &[OwnRun],
        untrained: f64,
        learner: &Learner<'_>,
    ) -> Result<Self, SelfApplicationError> {
        let stopwatch = weightsmith_runtime::Stopwatch::of_process(weightsmith_runtime::Cost::default());
        let Lifted { support, runs, roots, split, .. } = own_table::<L>(own, untrained, learner)?;
        let model = generated(pretrained, &support, OPTIONS)?;
        let n_rows = support.n_rows();
        Ok(Self { model, runs, roots, split, n_rows, cost: stopwatch.cost() })
    }

    /// Records that the predictor's weights were generated, and how far it was from what came.
    fn record(
        &self,
        ledger: &mut Ledger,
        uid: Uid,
        maker: Uid,
        task: &str,
        seed: u64,
        error: f64,
    ) -> Result<(), LedgerError> {
        let data = self.runs.iter().map(|&uid| Parent { uid, kind: ParentKind::Data });
        let record: RunRecord<Above<L>> = RunRecord {
            uid,
            role: RunRole::Predictor,
            task: task.into(),
            roots: self.roots.clone(),
            split: self.split,
            recipe: Named::from([
                ("made".to_string(), Value::from("generated")),
                ("views".to_string(), Value::Number(OPTIONS.n_views as f64)),
            ]),
            features: Named::new(),
            probe: Named::new(),
            outcome: Outcome {
                metric: "absolute_error".into(),
                value: Some(error).filter(|error| error.is_finite()),
                n_short: self.n_rows as u64,
                n_long: 1,
            },
            cost: Cost { cpu_s: self.cost.cpu_s, wall_s: self.cost.wall_s },
            seed,
            code_version: super::VERSION.into(),
            device: "cpu".into(),
            n_steps: 0,
            parents: data.chain([Parent { uid: maker, kind: ParentKind::Model }]).collect(),
            curve: Vec::new(),
            level: PhantomData,
        };
        match ledger.append(&record) {
            Ok(Appended::New(_) | Appended::There(_)) | Err(LedgerError::OtherContent { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Predictor {
    /// Generates a predictor's weights from the table of a metamodel's runs.
    pub(crate) fn new(
        pretrained: &Pretrained,
        own: &[OwnRun],
        untrained: f64,
        learner: &Learner<'_>,
    ) -> Result<Self, SelfApplicationError> {
        Ok(match highest_level(own) {
            Base::DEPTH => Self::OnRuns(Foreseer::new(pretrained, own, untrained, learner)?),
            _ => Self::OnRunsOnRuns(Foreseer::new(pretrained, own, untrained, learner)?),
        })
    }

    /// What is foreseen of each recipe of a table.
    pub(crate) fn foresee(&self, table: &Table) -> Result<Vec<f64>, SelfApplicationError> {
        match self {
            Self::OnRuns(foreseer) => values(&foreseer.model, table),
            Self::OnRunsOnRuns(foreseer) => values(&foreseer.model, table),
        }
    }

    /// The next recipe.
    pub(crate) fn propose(
        &self,
        tried: &BTreeSet<OuterRecipe>,
        costs: &CostRange,
        seed: Seed,
    ) -> Result<Option<Proposal>, SelfApplicationError> {
        propose(&mut |table| self.foresee(table), tried, costs, seed)
    }

    /// Records it with how far it was from what came.
    pub(crate) fn record(
        &self,
        ledger: &mut Ledger,
        uid: Uid,
        maker: Uid,
        task: &str,
        seed: u64,
        error: f64,
    ) -> Result<(), LedgerError> {
        match self {
            Self::OnRuns(foreseer) => foreseer.record(ledger, uid, maker, task, seed, error),
            Self::OnRunsOnRuns(foreseer) => foreseer.record(ledger, uid, maker, task, seed, error),
        }
    }
}
