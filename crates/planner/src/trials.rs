//! Decisions on tables that a predictor has not seen, beside other ways to come to one.

use crate::carry_out::Workshop;
use crate::decide::{DecideSettings, N_FOLDS, decide};
use crate::error::PlannerError;
use crate::examples::{PlannedRuns, WORST};
use crate::fit::{FitSettings, fit_predictor};
use crate::portfolio::Recorded;
use crate::{Decision, PerformancePredictor, Plan, Space, base_loss, loss_unit};
use burn::tensor::Device;
use rand_chacha_next::ChaCha8Rng;
use rand_chacha_next::rand_core::SeedableRng;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use weightsmith_base_model::BaseModel;
use weightsmith_evaluation::Metamodels;
use weightsmith_evaluation::Problem;
use weightsmith_evaluation::Split;
use weightsmith_evaluation::SuiteTable;
use weightsmith_evaluation::statistics::{Bootstrap, Interval};
use weightsmith_evaluation::{MethodError, MethodSettings, Shape, methods};
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::Stopwatch;
use weightsmith_runtime::in_one_line;
use weightsmith_runtime::in_parallel;
use weightsmith_tasks::{Seed, TaskType};
use weightsmith_training::Optimiser;

/// Decisions of the portfolio.
const N_PORTFOLIO: usize = 8;
/// Recipes that random search and TPE try, each on so many folds: as many trainings as the portfolio takes.
const N_TRIED: usize = 16;
const N_TRIED_FOLDS: usize = 2;
/// Recipes that get an epoch each before the best is finished.
const N_BEGUN: usize = 32;
/// Candidates that the planner tries.
const N_PLANNED_TRIES: usize = 2;

/// A way to come to a decision.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The planner.
    Planned,
    /// The planner, its best candidates tried on the short rows.
    PlannedTried,
    /// To generate, whatever the table.
    Generated,
    /// The best single decision of the ledger.
    Fixed,
    /// The best single recipe of the ledger that trains.
    FixedTraining,
    /// The best by cross-validation of a greedy portfolio of the ledger.
    Portfolio,
    /// Adam, its number of steps by cross-validation.
    EarlyStopping,
    /// Recipes drawn at random, an epoch each; the best is finished.
    OneEpoch,
    /// Recipes drawn at random, the best by cross-validation.
    RandomSearch,
    /// Recipes by a tree-structured Parzen estimator of their cross-validated losses.
    Tpe,
    /// Adam, its recipe by cross-validation over a grid.
    Tuned,
}

impl Method {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::PlannedTried,
        Self::Generated,
        Self::Fixed,
        Self::FixedTraining,
        Self::Portfolio,
        Self::EarlyStopping,
        Self::OneEpoch,
        Self::RandomSearch,
        Self::Tpe,
        Self::Tuned,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::PlannedTried => "planned-tried",
            Self::Generated => "generated",
            Self::Fixed => "fixed",
            Self::FixedTraining => "fixed-training",
            Self::Portfolio => "portfolio",
            Self::EarlyStopping => "early-stopping",
            Self::OneEpoch => "one-epoch",
            Self::RandomSearch => "random-search",
            Self::Tpe => "tpe",
            Self::Tuned => "adam-tuned",
        }
    }

    /// What it is, in one line.
    pub fn about(self) -> String {
        match self {
            Self::Planned => "the planner: search over all plans, nothing tried".into(),
            Self::PlannedTried => {
                format!(
                    "the planner, its {N_PLANNED_TRIES} best candidates and generating tried by {N_FOLDS} folds"
                )
            }
            Self::Generated => "always generate".into(),
            Self::Fixed => "the best single decision of the ledger".into(),
            Self::FixedTraining => "the best single recipe of the ledger that trains".into(),
            Self::Portfolio => {
                format!(
                    "the best by {N_FOLDS} folds of a greedy portfolio of {N_PORTFOLIO} decisions of the ledger"
                )
            }
            Self::EarlyStopping => format!("Adam, default recipe, steps by {N_FOLDS} folds"),
            Self::OneEpoch => format!("{N_BEGUN} random recipes for an epoch, the best on a fold finished"),
            Self::RandomSearch => format!("the best of {N_TRIED} random recipes by {N_TRIED_FOLDS} folds"),
            Self::Tpe => format!("the best of {N_TRIED} recipes of TPE by {N_TRIED_FOLDS} folds"),
            Self::Tuned => format!("Adam, recipe by {N_FOLDS} folds over a grid"),
        }
    }
}

/// No method has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown method \"{found}\"; there are {}", Method::ALL.map(Method::name).join(", "))]
pub struct UnknownMethod {
    found: String,
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, UnknownMethod> {
        let found = Self::ALL.into_iter().find(|method| method.name() == text);
        found.ok_or_else(|| UnknownMethod { found: text.to_string() })
    }
}

/// What one method came to on one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The table.
    pub table: String,
    /// What is predicted.
    pub task_type: TaskType,
    /// Short rows.
    pub n_short: usize,
    /// The method.
    pub method: Method,
    /// Loss on long rows as a share of the base loss, at most e^0.5 as in what predictors learn; none where the method failed.
    pub loss: Option<f64>,
    /// That minus the least of the table, recorded runs included.
    pub regret: Option<f64>,
    /// Of a plan: the loss that was foreseen, and the ends of its 90% interval.
    pub foreseen: Option<[f64; 3]>,
    /// Processor seconds, deciding included.
    pub cpu_s: f64,
    /// Of them, those of trainings and generations, without the search.
    pub training_s: f64,
    /// Trainings and generations.
    pub n_trainings: usize,
    /// What was decided, or why nothing came of it.
    pub decision: String,
}

impl Trial {
    /// One that came to no loss.
    fn without_loss(
        table: &SuiteTable,
        n_short: usize,
        method: Method,
        cpu_s: f64,
        decision: String,
    ) -> Self {
        Self {
            table: table.name.clone(),
            task_type: table.task_type,
            n_short,
            method,
            loss: None,
            regret: None,
            foreseen: None,
            cpu_s,
            training_s: cpu_s,
            n_trainings: 0,
            decision,
        }
    }
}

/// What trials are made of.
#[derive(Clone, Debug)]
pub struct TrialSettings {
    /// Numbers of short rows.
    pub n_supports: Vec<usize>,
    /// The column to predict.
    pub target: String,
    /// How predictors are fitted.
    pub fit: FitSettings,
    /// Methods.
    pub methods: Vec<Method>,
}

/// What a method made.
struct Made {
    model: BaseModel,
    n_trainings: usize,
    /// Spent on deciding without training.
    search_s: f64,
    decision: String,
    /// Logarithms of the foreseen loss as a share of the base loss.
    foreseen: Option<[f64; 3]>,
}

/// Lets every method decide on every table. The predictor of a table is fitted to `runs` without the fold that the table is in;
/// on one that is in no fold nothing is decided.
///
/// # Errors
/// Those of [`fit_predictor`].
pub fn try_methods(
    tables: &[SuiteTable],
    runs: &PlannedRuns,
    folds: &[BTreeSet<String>],
    metamodels: &Metamodels,
    settings: &TrialSettings,
    device: &Device,
    listen: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Trial>, PlannerError> {
    let (held, others): (Vec<&SuiteTable>, Vec<&SuiteTable>) =
        tables.iter().partition(|table| folds.iter().any(|fold| fold.contains(&table.name)));
    let mut trials = Vec::new();
    for (table, &n_short) in
        others.iter().flat_map(|table| settings.n_supports.iter().map(move |n| (table, n)))
    {
        let why = "no run of it is recorded to compare with";
        let of_method = |&method: &Method| Trial::without_loss(table, n_short, method, 0.0, why.into());
        trials.extend(settings.methods.iter().map(of_method));
    }
    let (mut n_before, n_all) = (0, held.len() * settings.n_supports.len());
    for fold in folds {
        let rest = runs.without(fold);
        let predictor = fit_predictor(&rest, &settings.fit, device, &mut |_, _| {})?;
        let here = held.iter().copied().filter(|table| fold.contains(&table.name));
        let jobs: Vec<(&SuiteTable, usize)> =
            here.flat_map(|table| settings.n_supports.iter().map(move |&n| (table, n))).collect();
        let n_jobs = jobs.len();
        let work = |(table, n_short): (&SuiteTable, usize)| {
            let pretrained = metamodels.of(table.task_type).expect("loading made sure of it");
            let table_trials =
                OneTable { table, n_short, runs, rest: &rest, predictor: &predictor, settings };
            table_trials.run(pretrained)
        };
        let done = in_parallel(jobs, settings.fit.n_threads, work, &mut |n| listen(n_before + n, n_all));
        n_before += n_jobs;
        trials.extend(done.into_iter().flatten());
    }
    Ok(trials)
}

struct OneTable<'a> {
    table: &'a SuiteTable,
    n_short: usize,
    runs: &'a PlannedRuns,
    rest: &'a PlannedRuns,
    predictor: &'a PerformancePredictor,
    settings: &'a TrialSettings,
}

impl OneTable<'_> {
    fn run(&self, pretrained: &Pretrained) -> Vec<Trial> {
        let problem = match self.problem() {
            Ok(problem) => problem,
            Err(why) => {
                let methods = self.settings.methods.iter();
                return methods
                    .map(|&method| Trial::without_loss(self.table, self.n_short, method, 0.0, why.clone()))
                    .collect();
            }
        };
        let workshop = Workshop { pretrained, seed: self.settings.fit.seed };
        let target = problem.support().target();
        let unit = loss_unit(target) * base_loss(target);
        let recorded = Recorded::of(self.rest, self.table.task_type, self.n_short);
        let mut trials: Vec<Trial> = Vec::new();
        for &method in &self.settings.methods {
            let stopwatch = Stopwatch::of_thread();
            let made = self.make(method, &problem, &workshop, &recorded);
            let cpu_s = stopwatch.cost().cpu_s;
            trials.push(match made {
                Err(error) => {
                    Trial::without_loss(self.table, self.n_short, method, cpu_s, in_one_line(&error))
                }
                Ok(made) => {
                    let loss = problem.count_network(&made.model).ok().map(|counts| counts.query.loss / unit);
                    Trial {
                        loss: loss.filter(|loss| loss.is_finite()).map(|loss| loss.min(WORST.exp())),
                        foreseen: made.foreseen.map(|ends| ends.map(f64::exp)),
                        training_s: cpu_s - made.search_s,
                        n_trainings: made.n_trainings,
                        ..Trial::without_loss(self.table, self.n_short, method, cpu_s, made.decision)
                    }
                }
            });
        }
        // The best in hindsight: of what was recorded on the same rows, and of what came here.
        let of_table = self.runs.runs.iter().enumerate().filter(|(_, run)| {
            run.record.task == self.table.name
                && run.record.outcome.n_short == problem.support().n_rows() as u64
        });
        let recorded = of_table.flat_map(|(at, _)| self.runs.looks(at)).map(|look| look.target.exp());
        let best = recorded.chain(trials.iter().filter_map(|trial| trial.loss)).fold(f64::INFINITY, f64::min);
        trials.iter_mut().for_each(|trial| trial.regret = trial.loss.map(|loss| loss - best));
        trials
    }

    fn problem(&self) -> Result<Problem, String> {
        let labelled = self.table.read(&self.settings.target)?;
        let split = Split::new(labelled.table.n_rows(), self.n_short, 0);
        Problem::new(&labelled, &split).ok_or_else(|| "the short rows are all of one class".to_string())
    }

    fn make(
        &self,
        method: Method,
        problem: &Problem,
        workshop: &Workshop<'_>,
        recorded: &Recorded,
    ) -> Result<Made, MethodError> {
        let support = problem.support();
        let carry_out = |decision: Decision, n_steps: usize, n_before: usize| -> Result<Made, MethodError> {
            let (model, _) = workshop.carry_out(decision, n_steps, support, &mut |_| {})?;
            let decision = format!("{decision}, {n_steps} steps");
            Ok(Made { model, n_trainings: n_before + 1, search_s: 0.0, decision, foreseen: None })
        };
        // The place of the one with the least held-out loss.
        let best_of = |tried: &[(Decision, usize)], n_folds: usize| -> Result<usize, MethodError> {
            let losses = tried
                .iter()
                .map(|&(decision, n_steps)| workshop.held_out_loss(decision, n_steps, support, n_folds));
            Ok(lowest(&losses.collect::<Result<Vec<f64>, MethodError>>()?))
        };
        let seed = self.settings.fit.seed;
        let draw = |n: usize| -> Vec<Plan> {
            let name = format!("planning.trials.{}", self.table.name);
            let random = &mut seed.indexed_stream(&name, &[self.n_short as u64]);
            (0..n).map(|_| Space.draw(random).canonical(self.table.task_type)).collect()
        };
        match method {
            Method::Planned | Method::PlannedTried => {
                let n_tried = if method == Method::Planned { 0 } else { N_PLANNED_TRIES };
                let decided = decide(
                    support,
                    self.predictor,
                    workshop.pretrained,
                    DecideSettings { n_tried, seed: workshop.seed },
                )
                .map_err(|error| MethodError::Other(Box::new(error)))?;
                let chosen = decided.chosen;
                let n_before = 1 + if n_tried > 0 { N_FOLDS * (decided.tried.len() + 1) } else { 0 };
                let made = carry_out(chosen.decision, chosen.n_steps, n_before)?;
                let foresight = chosen.foresight;
                Ok(Made {
                    search_s: decided.cost.cpu_s - decided.trying.cpu_s,
                    foreseen: Some([foresight.mean, foresight.low, foresight.high]),
                    ..made
                })
            }
            Method::Generated => carry_out(Decision::Generate, 0, 0),
            Method::Fixed | Method::FixedTraining => {
                let is_wanted = |decision| method == Method::Fixed || decision != Decision::Generate;
                let (decision, n_steps) = recorded.best(is_wanted).unwrap_or((Decision::Generate, 0));
                carry_out(decision, n_steps, 0)
            }
            Method::Portfolio => {
                let portfolio = recorded.portfolio(N_PORTFOLIO);
                let best = best_of(&portfolio, N_FOLDS)?;
                let (decision, n_steps) = portfolio.get(best).copied().unwrap_or((Decision::Generate, 0));
                carry_out(decision, n_steps, N_FOLDS * portfolio.len())
            }
            Method::EarlyStopping => {
                let plan = Plan::usual_adam();
                let losses = workshop.held_out(Decision::Train(plan), Plan::steps(), support, N_FOLDS)?;
                carry_out(Decision::Train(plan), Plan::steps()[lowest(&losses)], N_FOLDS)
            }
            Method::OneEpoch => {
                let plans = draw(N_BEGUN);
                let epoch = |plan: &Plan| (Decision::Train(*plan), plan.steps_per_epoch(support.n_rows()));
                let best = plans[best_of(&plans.iter().map(epoch).collect::<Vec<_>>(), 1)?];
                carry_out(Decision::Train(best), best.n_steps(), N_BEGUN)
            }
            Method::RandomSearch => {
                let plans = draw(N_TRIED);
                let whole = |plan: &Plan| (Decision::Train(*plan), plan.n_steps());
                let best = plans[best_of(&plans.iter().map(whole).collect::<Vec<_>>(), N_TRIED_FOLDS)?];
                carry_out(Decision::Train(best), best.n_steps(), N_TRIED * N_TRIED_FOLDS)
            }
            Method::Tpe => {
                let best = self.parzen(workshop, problem)?;
                carry_out(Decision::Train(best), best.n_steps(), N_TRIED * N_TRIED_FOLDS)
            }
            Method::Tuned => {
                let settings = MethodSettings {
                    pretrained: workshop.pretrained,
                    n_views: 8,
                    shape: Shape::default(),
                    from: None,
                    seed: workshop.seed,
                };
                let fit = methods::tuned(Optimiser::Adam).fit(support, &settings, None)?;
                let model = fit.predictor.network().expect("Adam trains a network").clone();
                Ok(Made {
                    model,
                    n_trainings: fit.n_trainings,
                    search_s: 0.0,
                    decision: fit.details,
                    foreseen: None,
                })
            }
        }
    }

    /// The best recipe that TPE finds: each factor has an estimator of its own.
    fn parzen(&self, workshop: &Workshop<'_>, problem: &Problem) -> Result<Plan, MethodError> {
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
            let loss = workshop.held_out_loss(decision, n_steps, problem.support(), N_TRIED_FOLDS)?;
            // The estimator takes no infinities.
            let told = if loss.is_finite() { loss } else { f64::MAX };
            for (optimiser, asked) in optimisers.iter_mut().zip(asked) {
                optimiser.tell(asked, told).expect("what was asked for is in its range");
            }
            if best.is_none_or(|(least, _)| loss < least) {
                best = Some((loss, plan));
            }
        }
        Ok(best.expect("recipes were tried").1)
    }
}

/// One method over tables.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MethodSummary {
    /// The method.
    pub method: Method,
    /// What it is.
    pub about: String,
    /// Short rows.
    pub n_short: usize,
    /// Tables that every method came to a loss on.
    pub n_tables: usize,
    /// Mean over tables of the regret, and its 95% bootstrap interval.
    pub regret: f64,
    /// Its interval.
    pub interval: Option<Interval>,
    /// Mean over tables of the planner's regret less this one's, and its 95% interval; none for the planner.
    pub planned_less: Option<(f64, Option<Interval>)>,
    /// Tables on which the planner's loss is lower, the same, higher.
    pub planned_wins: [usize; 3],
    /// Mean processor seconds.
    pub cpu_s: f64,
    /// Mean processor seconds of trainings.
    pub training_s: f64,
    /// Mean number of trainings.
    pub n_trainings: f64,
}

/// Decisions on tables, and their means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionsReport {
    /// Every method at every number of short rows.
    pub methods: Vec<MethodSummary>,
    /// Every decision.
    pub trials: Vec<Trial>,
}

/// Means over tables, for each number of short rows asked for.
pub fn summarise_trials(trials: &[Trial], seed: Seed) -> Vec<MethodSummary> {
    let sizes: BTreeSet<usize> = trials.iter().map(|trial| trial.n_short).collect();
    let methods: BTreeSet<Method> = trials.iter().map(|trial| trial.method).collect();
    let mut summaries = Vec::new();
    for n_short in sizes {
        let mut tables: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
        let counted = trials.iter().filter(|trial| trial.n_short == n_short && trial.regret.is_some());
        counted.for_each(|trial| tables.entry(&trial.table).or_default().push(trial));
        tables.retain(|_, found| found.len() == methods.len());
        let regrets = |method: Method| -> Vec<f64> {
            let of = |found: &Vec<&Trial>| {
                found.iter().find(|trial| trial.method == method).and_then(|trial| trial.regret)
            };
            tables.values().filter_map(of).collect()
        };
        let planned = methods.contains(&Method::Planned).then(|| regrets(Method::Planned));
        for &method in &methods {
            let own = regrets(method);
            let n = own.len().max(1) as f64;
            let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / n;
            let less = planned.as_ref().filter(|_| method != Method::Planned).map(|planned| {
                planned.iter().zip(&own).map(|(planned, own)| planned - own).collect::<Vec<f64>>()
            });
            let count = |fits: fn(&f64) -> bool| less.iter().flatten().filter(|less| fits(less)).count();
            let of_method = || tables.values().flatten().filter(|trial| trial.method == method);
            let bootstrap = Bootstrap { seed, stream: "planning.trials.bootstrap", ..Bootstrap::default() };
            let interval = |numbers: &Vec<f64>| bootstrap.intervals(std::slice::from_ref(numbers))[0];
            summaries.push(MethodSummary {
                method,
                about: method.about(),
                n_short,
                n_tables: own.len(),
                regret: mean(&own),
                interval: interval(&own),
                planned_less: less.as_ref().map(|less| (mean(less), interval(less))),
                planned_wins: [
                    count(|less| *less < -1e-9),
                    count(|less| less.abs() <= 1e-9),
                    count(|less| *less > 1e-9),
                ],
                cpu_s: of_method().map(|trial| trial.cpu_s).sum::<f64>() / n,
                training_s: of_method().map(|trial| trial.training_s).sum::<f64>() / n,
                n_trainings: of_method().map(|trial| trial.n_trainings as f64).sum::<f64>() / n,
            });
        }
    }
    summaries
}

/// The place of the least number.
fn lowest(losses: &[f64]) -> usize {
    (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shipped_predictor;
    use weightsmith_base_model::open_device;
    use weightsmith_generation::load_metamodel;

    #[test]
    fn a_table_that_cannot_be_read_is_told_of() {
        let pretrained =
            load_metamodel(None, TaskType::Classification, &open_device("cpu").unwrap()).unwrap();
        let path = "no/such/table.csv".into();
        let table = SuiteTable { name: "table".into(), path, task_type: TaskType::Classification };
        let settings = TrialSettings {
            n_supports: vec![32],
            target: "target".into(),
            fit: FitSettings::default(),
            methods: vec![Method::Generated, Method::Fixed],
        };
        let (runs, predictor) = (&PlannedRuns::default(), &shipped_predictor().unwrap());
        let of_table =
            OneTable { table: &table, n_short: 32, runs, rest: runs, predictor, settings: &settings };
        let trials = of_table.run(&pretrained);
        assert_eq!(trials.len(), 2);
        for trial in &trials {
            assert!(trial.loss.is_none() && trial.decision.contains("no/such/table.csv"), "{trial:?}");
        }
    }
}
