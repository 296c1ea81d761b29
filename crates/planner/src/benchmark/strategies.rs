//! Comparing strategies: every one decides on tables that the predictor has not seen, and its model is scored.

use crate::benchmark::portfolio::RecordedDecisions;
use crate::benchmark::strategy::{N_PORTFOLIO, N_STARTED, N_TRIED, N_TRIED_FOLDS, Strategy, Trial};
use crate::deciding::decide::{DecideSettings, N_FOLDS, decide};
use crate::error::PlannerError;
use crate::executor::Executor;
use crate::features::{base_loss, loss_unit};
use crate::fitting::{FitSettings, fit_predictor};
use crate::predictor::ensemble::PerformancePredictor;
use crate::runs::{RecordedRun, RecordedRuns, WORST, target};
use crate::space::decision::Decision;
use crate::space::methods::KnownMethod;
use crate::space::{Plan, Space};
use burn::tensor::Device;
use rand_chacha_next::ChaCha8Rng;
use rand_chacha_next::rand_core::SeedableRng;
use std::collections::BTreeSet;
use weightsmith_evaluation::{
    Metamodels, MethodError, MethodSettings, Predictor, Problem, Shape, Split, SuiteTable, methods,
};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{Stopwatch, in_one_line, in_parallel};
use weightsmith_training::Optimiser;

/// How strategies are compared.
#[derive(Clone, Debug)]
pub struct StrategySettings {
    /// Numbers of support rows.
    pub n_supports: Vec<usize>,
    /// The column to predict.
    pub target: String,
    /// How predictors are fitted.
    pub fit: FitSettings,
    /// The strategies.
    pub strategies: Vec<Strategy>,
}

/// A decision of a strategy, executed.
struct StrategyResult {
    predictor: Predictor,
    n_trainings: usize,
    /// Processor seconds of deciding without those of trainings.
    search_s: f64,
    decision: String,
    /// Natural logarithms of the predicted loss as a share of the base loss, and of the ends of its interval.
    predicted: Option<[f64; 3]>,
}

/// Lets every strategy decide on every table. The predictor for a table is fitted to `runs` without the fold that holds the table; a
/// table in no fold has results without losses.
///
/// # Errors
/// Those of [`fit_predictor`].
pub fn compare_strategies(
    tables: &[SuiteTable],
    runs: &RecordedRuns,
    folds: &[BTreeSet<String>],
    metamodels: &Metamodels,
    settings: &StrategySettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Trial>, PlannerError> {
    let (held, others): (Vec<&SuiteTable>, Vec<&SuiteTable>) =
        tables.iter().partition(|table| folds.iter().any(|fold| fold.contains(&table.name)));
    let mut trials = Vec::new();
    for (table, &n_support) in
        others.iter().flat_map(|table| settings.n_supports.iter().map(move |n| (table, n)))
    {
        let why = "no run of it is recorded to compare with";
        let of_strategy =
            |&strategy: &Strategy| Trial::without_loss(table, n_support, strategy, 0.0, why.into());
        trials.extend(settings.strategies.iter().map(of_strategy));
    }
    let (mut n_before, n_all) = (0, held.len() * settings.n_supports.len());
    for fold in folds {
        let rest = runs.without(fold);
        let predictor = fit_predictor(&rest, &settings.fit, device, &mut |_, _| {})?;
        let here = held.iter().copied().filter(|table| fold.contains(&table.name));
        let jobs: Vec<(&SuiteTable, usize)> =
            here.flat_map(|table| settings.n_supports.iter().map(move |&n| (table, n))).collect();
        let n_jobs = jobs.len();
        let work = |(table, n_support): (&SuiteTable, usize)| {
            let pretrained = metamodels.of(table.task_type).expect("loading made sure of it");
            let table_trials =
                OneTable { table, n_support, runs, rest: &rest, predictor: &predictor, settings };
            table_trials.run(pretrained)
        };
        let done = in_parallel(jobs, settings.fit.n_threads, work, &mut |n| listen(n_before + n, n_all));
        n_before += n_jobs;
        trials.extend(done.into_iter().flatten());
    }
    Ok(trials)
}

/// A table with a number of support rows, on which all strategies decide.
struct OneTable<'a> {
    table: &'a SuiteTable,
    n_support: usize,
    runs: &'a RecordedRuns,
    rest: &'a RecordedRuns,
    predictor: &'a PerformancePredictor,
    settings: &'a StrategySettings,
}

impl OneTable<'_> {
    fn run(&self, pretrained: &Pretrained) -> Vec<Trial> {
        let problem = match self.problem() {
            Ok(problem) => problem,
            Err(why) => {
                let strategies = self.settings.strategies.iter();
                return strategies
                    .map(|&strategy| {
                        Trial::without_loss(self.table, self.n_support, strategy, 0.0, why.clone())
                    })
                    .collect();
            }
        };
        let executor = Executor { pretrained, seed: self.settings.fit.seed, shape: None, selections: None };
        let labels = problem.support().target();
        let unit = loss_unit(labels) * base_loss(labels);
        let recorded = RecordedDecisions::of(self.rest, self.table.task_type, self.n_support);
        let mut trials: Vec<Trial> = Vec::new();
        for &strategy in &self.settings.strategies {
            let stopwatch = Stopwatch::of_thread();
            let made = self.make(strategy, &problem, &executor, &recorded);
            let cpu_s = stopwatch.cost().cpu_s;
            trials.push(match made {
                Err(error) => {
                    Trial::without_loss(self.table, self.n_support, strategy, cpu_s, in_one_line(&error))
                }
                Ok(made) => {
                    let loss = problem.count_of(&made.predictor).ok().map(|counts| counts.query.loss / unit);
                    Trial {
                        loss: loss.filter(|loss| loss.is_finite()).map(|loss| loss.min(WORST.exp())),
                        predicted: made.predicted.map(|ends| ends.map(f64::exp)),
                        training_s: cpu_s - made.search_s,
                        n_trainings: made.n_trainings,
                        ..Trial::without_loss(self.table, self.n_support, strategy, cpu_s, made.decision)
                    }
                }
            });
        }
        // The best in hindsight: over the recorded runs on the same rows and these strategies.
        let n_rows = problem.support().n_rows() as u64;
        let is_here =
            |run: &RecordedRun| run.record.task == self.table.name && run.record.outcome.n_short == n_rows;
        let of_table = self.runs.runs.iter().enumerate().filter(|(_, run)| is_here(run));
        let points = of_table.flat_map(|(at, _)| self.runs.evaluation_points(at)).map(|point| point.target);
        let methods = self.runs.methods.iter().filter(|run| is_here(run));
        let ends = methods.map(|run| target(run.record.outcome.value, &run.features));
        let recorded = points.chain(ends).map(f64::exp);
        let best = recorded.chain(trials.iter().filter_map(|trial| trial.loss)).fold(f64::INFINITY, f64::min);
        trials.iter_mut().for_each(|trial| trial.regret = trial.loss.map(|loss| loss - best));
        trials
    }

    fn problem(&self) -> Result<Problem, String> {
        let labelled = self.table.read(&self.settings.target)?;
        let split = Split::new(labelled.table.n_rows(), self.n_support, 0);
        Problem::new(&labelled, &split).ok_or_else(|| "the support rows are all of one class".to_string())
    }

    fn make(
        &self,
        strategy: Strategy,
        problem: &Problem,
        executor: &Executor<'_>,
        recorded: &RecordedDecisions,
    ) -> Result<StrategyResult, MethodError> {
        let support = problem.support();
        let execute =
            |decision: Decision, n_steps: usize, n_before: usize| -> Result<StrategyResult, MethodError> {
                let (predictor, _) = executor.execute(decision, n_steps, support, &mut |_| {})?;
                let decision = format!("{decision}, {n_steps} steps");
                Ok(StrategyResult {
                    predictor,
                    n_trainings: n_before + 1,
                    search_s: 0.0,
                    decision,
                    predicted: None,
                })
            };
        // The position of the lowest held-out loss.
        let best_of = |tried: &[(Decision, usize)], n_folds: usize| -> Result<usize, MethodError> {
            let losses = tried
                .iter()
                .map(|&(decision, n_steps)| executor.held_out_loss(decision, n_steps, support, n_folds));
            Ok(lowest(&losses.collect::<Result<Vec<f64>, MethodError>>()?))
        };
        let seed = self.settings.fit.seed;
        let draw = |n: usize| -> Vec<Plan> {
            let name = format!("planning.trials.{}", self.table.name);
            let random = &mut seed.indexed_stream(&name, &[self.n_support as u64]);
            (0..n).map(|_| Space.draw(random).canonical(self.table.task_type)).collect()
        };
        match strategy {
            Strategy::Planned | Strategy::PlannedUntried => {
                let mut settings = DecideSettings::usual(executor.seed);
                if strategy == Strategy::PlannedUntried {
                    settings.n_tried = 0;
                }
                let decided = decide(support, self.predictor, executor.pretrained, &settings)
                    .map_err(|error| MethodError::Other(Box::new(error)))?;
                let chosen = decided.chosen;
                let n_tries = if decided.tried.is_empty() { 0 } else { N_FOLDS * (decided.tried.len() + 1) };
                let made = execute(chosen.decision, chosen.n_steps, 1 + n_tries)?;
                let prediction = chosen.prediction;
                Ok(StrategyResult {
                    search_s: decided.cost.cpu_s - decided.trying.cpu_s,
                    predicted: Some([prediction.mean, prediction.low, prediction.high]),
                    ..made
                })
            }
            Strategy::Plain => execute(Decision::Generate, 0, 0),
            Strategy::Generated => {
                let method = KnownMethod::find("generated").expect("it is the name of a method");
                execute(Decision::Method(method), 0, 0)
            }
            Strategy::Fixed | Strategy::FixedTraining => {
                let is_wanted = |decision| strategy == Strategy::Fixed || decision != Decision::Generate;
                let (decision, n_steps) = recorded.best(is_wanted).unwrap_or((Decision::Generate, 0));
                execute(decision, n_steps, 0)
            }
            Strategy::Portfolio => {
                let portfolio = recorded.portfolio(N_PORTFOLIO);
                let best = best_of(&portfolio, N_FOLDS)?;
                let (decision, n_steps) = portfolio.get(best).copied().unwrap_or((Decision::Generate, 0));
                execute(decision, n_steps, N_FOLDS * portfolio.len())
            }
            Strategy::EarlyStopping => {
                let plan = Plan::usual_adam();
                let losses = executor.held_out(Decision::Train(plan), Plan::steps(), support, N_FOLDS)?;
                execute(Decision::Train(plan), Plan::steps()[lowest(&losses)], N_FOLDS)
            }
            Strategy::OneEpoch => {
                let plans = draw(N_STARTED);
                let epoch = |plan: &Plan| (Decision::Train(*plan), plan.steps_per_epoch(support.n_rows()));
                let best = plans[best_of(&plans.iter().map(epoch).collect::<Vec<_>>(), 1)?];
                execute(Decision::Train(best), best.n_steps(), N_STARTED)
            }
            Strategy::RandomSearch => {
                let plans = draw(N_TRIED);
                let whole = |plan: &Plan| (Decision::Train(*plan), plan.n_steps());
                let best = plans[best_of(&plans.iter().map(whole).collect::<Vec<_>>(), N_TRIED_FOLDS)?];
                execute(Decision::Train(best), best.n_steps(), N_TRIED * N_TRIED_FOLDS)
            }
            Strategy::Tpe => {
                let best = self.parzen(executor, problem)?;
                execute(Decision::Train(best), best.n_steps(), N_TRIED * N_TRIED_FOLDS)
            }
            Strategy::Tuned => {
                let settings = MethodSettings {
                    pretrained: executor.pretrained,
                    n_views: 8,
                    shape: Shape::default(),
                    from: None,
                    seed: executor.seed,
                };
                let fit = methods::tuned(Optimiser::Adam).fit(support, &settings, None)?;
                Ok(StrategyResult {
                    predictor: fit.predictor,
                    n_trainings: fit.n_trainings,
                    search_s: 0.0,
                    decision: fit.details,
                    predicted: None,
                })
            }
        }
    }

    /// The best plan that TPE finds: each factor has an estimator of its own.
    fn parzen(&self, executor: &Executor<'_>, problem: &Problem) -> Result<Plan, MethodError> {
        let factors = Space.factors();
        let mut optimisers: Vec<_> = factors
            .iter()
            .map(|factor| {
                let range = tpe::categorical_range(factor.n_levels).expect("a factor has levels");
                tpe::TpeOptimizer::new(tpe::histogram_estimator(), range)
            })
            .collect();
        let mut random = ChaCha8Rng::seed_from_u64(self.settings.fit.seed.0);
        let mut best: Option<(f64, Plan)> = None;
        for _ in 0..N_TRIED {
            let asked: Vec<f64> = optimisers
                .iter_mut()
                .map(|optimiser| {
                    optimiser.ask(&mut random).expect("a histogram of a valid range can be drawn from")
                })
                .collect();
            let levels: Vec<u8> =
                asked.iter().zip(&factors).map(|(x, f)| (*x as usize).min(f.n_levels - 1) as u8).collect();
            let plan = Plan::new(levels.try_into().expect("a level for each factor"))
                .expect("levels are within their factors")
                .canonical(self.table.task_type);
            let (decision, n_steps) = (Decision::Train(plan), plan.n_steps());
            let loss = executor.held_out_loss(decision, n_steps, problem.support(), N_TRIED_FOLDS)?;
            // The estimator takes no infinities.
            let observed = if loss.is_finite() { loss } else { f64::MAX };
            for (optimiser, asked) in optimisers.iter_mut().zip(asked) {
                optimiser.tell(asked, observed).expect("what was asked for is in its range");
            }
            if best.is_none_or(|(least, _)| loss < least) {
                best = Some((loss, plan));
            }
        }
        Ok(best.expect("plans were tried").1)
    }
}

/// The position of the lowest loss.
fn lowest(losses: &[f64]) -> usize {
    (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictor::files::shipped_predictor;
    use weightsmith_base_model::open_device;
    use weightsmith_generation::load_metamodel;
    use weightsmith_tasks::TaskType;

    #[test]
    fn a_table_that_cannot_be_read_has_the_reason_in_its_results() {
        let pretrained =
            load_metamodel(None, TaskType::Classification, &open_device("cpu").unwrap()).unwrap();
        let path = "no/such/table.csv".into();
        let table = SuiteTable { name: "table".into(), path, task_type: TaskType::Classification };
        let settings = StrategySettings {
            n_supports: vec![32],
            target: "target".into(),
            fit: FitSettings::default(),
            strategies: vec![Strategy::Generated, Strategy::Fixed],
        };
        let (runs, predictor) = (&RecordedRuns::default(), &shipped_predictor().unwrap());
        let of_table =
            OneTable { table: &table, n_support: 32, runs, rest: runs, predictor, settings: &settings };
        let trials = of_table.run(&pretrained);
        assert_eq!(trials.len(), 2);
        for trial in &trials {
            assert!(trial.loss.is_none() && trial.decision.contains("no/such/table.csv"), "{trial:?}");
        }
    }
}
