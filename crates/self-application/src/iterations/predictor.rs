//! The predictor of training outcomes, a base model that the incumbent generates from the table of runs so far.

use super::MetamodelRun;
use super::self_tasks::outcome_label;
use crate::error::SelfApplicationError;
use crate::{CostRange, OuterRecipe, Proposal, propose, recipe_table};
use std::collections::BTreeSet;
use std::marker::PhantomData;
use weightsmith_base_model::{BaseModel, Predicted};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model};
use weightsmith_ledger::{
    Cost, Ledger, LedgerError, Named, Outcome, Parent, ParentKind, RunRecord, RunRole, Uid, Value,
};
use weightsmith_lifting::{Learner, Lifted, Moment, RunRow, RunRows, lift};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::on_one_thread;
use weightsmith_tasks::{Above, Base, Level, Seed, Support, Table, TaskSplit};

/// How the predictor's weights are generated: without forest distillation, by the metamodel alone.
pub(crate) const OPTIONS: GenerateOptions =
    GenerateOptions { n_views: 8, n_threads: 1, n_trees: 0, n_steps: Steps::Fixed(0), seed: Seed(0) };

/// A predictor of the loss that a recipe reaches on the acceptance set. Its level is one above the highest level of the runs
/// that it was generated from.
pub(crate) enum OutcomePredictor {
    OnRuns(GeneratedPredictor<Base>),
    OnRunsOnRuns(GeneratedPredictor<Above<Base>>),
}

/// A predictor generated from runs of level `L` at most.
pub(crate) struct GeneratedPredictor<L: Level> {
    model: BaseModel<Above<L>>,
    runs: BTreeSet<Uid>,
    roots: BTreeSet<String>,
    split: TaskSplit,
    n_rows: usize,
    cost: weightsmith_runtime::Cost,
}

/// Runs of metamodels as labelled rows of the level above: recipes as inputs, losses on the acceptance set as labels.
pub(crate) fn outcome_table<L: Level>(
    own: &[MetamodelRun],
    untrained: f64,
    learner: &Learner<'_>,
) -> Result<Lifted<L>, SelfApplicationError> {
    let runs = own.iter().map(|run| run.record.at_most::<L>()).collect::<Result<Vec<_>, _>>()?;
    let recipes: Vec<OuterRecipe> = own.iter().map(|run| run.recipe).collect();
    let rows = (0..own.len()).map(|run| RunRow { run, seen: 0, label: Moment::End }).collect();
    let rows = RunRows { table: recipe_table(&recipes), rows };
    Ok(lift(&runs, rows, &|_, loss| outcome_label(loss, untrained), learner)?)
}

/// The highest level of these runs; 0 without any.
pub(crate) fn highest_level(own: &[MetamodelRun]) -> u32 {
    own.iter().map(|run| run.record.level()).max().unwrap_or(Base::DEPTH)
}

/// A base model's predictions for the rows of a table.
pub(crate) fn values<L: Level>(
    model: &BaseModel<L>,
    table: &Table,
) -> Result<Vec<f64>, SelfApplicationError> {
    match model.predict(table)?.predicted() {
        Predicted::Values(values) => Ok(values.clone()),
        Predicted::Probabilities { .. } => unreachable!("a predictor of losses predicts values"),
    }
}

/// Generates a base model from labelled rows, on one thread.
pub(crate) fn generated<L: Level>(
    pretrained: &Pretrained,
    support: &Support<L>,
    options: GenerateOptions,
) -> Result<BaseModel<L>, SelfApplicationError> {
    let generated = on_one_thread(|| generate_base_model(pretrained, support, options));
    let (model, _) = generated?;
    Ok(model)
}

impl<L: Level> GeneratedPredictor<L> {
    fn new(
        pretrained: &Pretrained,
        own: &[MetamodelRun],
        untrained: f64,
        learner: &Learner<'_>,
    ) -> Result<Self, SelfApplicationError> {
        let stopwatch = weightsmith_runtime::Stopwatch::of_process(weightsmith_runtime::Cost::default());
        let Lifted { support, runs, roots, split, .. } = outcome_table::<L>(own, untrained, learner)?;
        let model = generated(pretrained, &support, OPTIONS)?;
        let n_rows = support.n_rows();
        Ok(Self { model, runs, roots, split, n_rows, cost: stopwatch.cost() })
    }

    /// Appends the predictor as a run to the ledger. Its outcome is the absolute error of the one prediction that was checked;
    /// `maker` is the metamodel that generated it.
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
        ledger.append_once(&record).map(|_| ())
    }
}

impl OutcomePredictor {
    /// Generates a predictor from runs of metamodels.
    pub(crate) fn new(
        pretrained: &Pretrained,
        own: &[MetamodelRun],
        untrained: f64,
        learner: &Learner<'_>,
    ) -> Result<Self, SelfApplicationError> {
        Ok(match highest_level(own) {
            Base::DEPTH => Self::OnRuns(GeneratedPredictor::new(pretrained, own, untrained, learner)?),
            _ => Self::OnRunsOnRuns(GeneratedPredictor::new(pretrained, own, untrained, learner)?),
        })
    }

    /// The predicted loss of each recipe of a [`recipe_table`].
    pub(crate) fn predict(&self, table: &Table) -> Result<Vec<f64>, SelfApplicationError> {
        match self {
            Self::OnRuns(predictor) => values(&predictor.model, table),
            Self::OnRunsOnRuns(predictor) => values(&predictor.model, table),
        }
    }

    /// Searches for the recipe with the lowest predicted loss.
    pub(crate) fn propose(
        &self,
        tried: &BTreeSet<OuterRecipe>,
        costs: &CostRange,
        seed: Seed,
    ) -> Result<Option<Proposal>, SelfApplicationError> {
        propose(&mut |table| self.predict(table), tried, costs, seed)
    }

    /// Appends the predictor to the ledger; see [`GeneratedPredictor::record`].
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
            Self::OnRuns(predictor) => predictor.record(ledger, uid, maker, task, seed, error),
            Self::OnRunsOnRuns(predictor) => predictor.record(ledger, uid, maker, task, seed, error),
        }
    }
}
