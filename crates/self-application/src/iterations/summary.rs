//! What the generations in a folder say together.

use super::controls::{best_within, equal_cost, paid};
use super::foresight::{ForesightReport, Standing, foresight};
use super::looping::{SelfApplyFrame, paired};
use super::store::Store;
use super::{Choice, Difference, Generation, Method, OwnRun, SelfTaskMode};
use crate::error::SelfApplicationError;
use burn::tensor::Device;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use weightsmith_evaluation::SuiteTable;
use weightsmith_evaluation::statistics::{Estimate, spearman};
use weightsmith_experiments::{ReferenceLosses, mean};
use weightsmith_generation::load_metamodel;
use weightsmith_ledger::{Filter, Ledger, Uid};
use weightsmith_lifting::Lineage;
use weightsmith_tasks::{Above, Base, TaskType};

/// Everything that the page tells.
#[derive(Clone, Debug, Serialize)]
pub struct SelfApplyReport {
    /// What all trainings share.
    pub frame: SelfApplyFrame,
    /// The checksum of the ledger as it was read.
    pub checksum: String,
    /// Runs in the ledger by level.
    pub n_runs: [usize; 3],
    /// The closed-form head alone on the acceptance set.
    pub untrained: f64,
    /// Every loop.
    pub loops: Vec<LoopReport>,
    /// What each method's best came to, by seed.
    pub methods: Vec<MethodReport>,
    /// The planner's repeated best less that of another method.
    pub contests: Vec<ContestReport>,
    /// The same recipe with several seeds.
    pub noise: Option<NoiseReport>,
    /// What self tasks do, less what none do.
    pub controls: Vec<ControlReport>,
    /// How well own trainings are foreseen.
    pub foresight: Vec<ForesightReport>,
}

/// One loop.
#[derive(Clone, Debug, Serialize)]
pub struct LoopReport {
    /// How its recipes were come by.
    pub method: Method,
    /// What filled the shards of lifted tasks.
    pub mode: SelfTaskMode,
    /// Its seed.
    pub seed: u64,
    /// Processor seconds of its trainings.
    pub cpu_s: f64,
    /// Its generations.
    pub generations: Vec<Generation>,
    /// What was foreseen beside what came, of those drawn at random and of those foreseen to be best.
    pub foreseen: Vec<ForeseenReport>,
}

/// What was foreseen, before it ran, of generations of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct ForeseenReport {
    /// How they were chosen.
    pub choice: Choice,
    /// How many.
    pub n: usize,
    /// Mean of what came less what was foreseen.
    pub mean_error: f64,
    /// Mean of its size.
    pub absolute_error: f64,
    /// Spearman's rank correlation of both.
    pub rank_correlation: Option<f64>,
}

/// The best recipe of a method at equal training cost.
#[derive(Clone, Debug, Serialize)]
pub struct MethodReport {
    /// The method.
    pub method: Method,
    /// The seed of the loop.
    pub seed: u64,
    /// Processor seconds that it spent, no more than the planner and random search both have.
    pub cpu_s: f64,
    /// Generations that they paid for.
    pub n_generations: usize,
    /// Which was best on the acceptance set.
    pub generation: usize,
    /// Its loss there: the least of many, so better than it is.
    pub acceptance: f64,
    /// Its loss on the report set.
    pub report: f64,
    /// Repeats with new seeds: how many, and their mean losses on the acceptance set and on the report set.
    pub repeats: Option<RepeatReport>,
}

/// Repeats of a recipe.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct RepeatReport {
    /// How many.
    pub n: usize,
    /// Mean loss on the acceptance set.
    pub acceptance: f64,
    /// Mean loss on the report set.
    pub report: f64,
}

/// The planner's best beside another method's, both repeated.
#[derive(Clone, Debug, Serialize)]
pub struct ContestReport {
    /// The other method.
    pub other: Method,
    /// By seed: the planner's loss less the other's, with the interval over tasks of the report set.
    pub report: Vec<(u64, Difference)>,
    /// The same on the acceptance set.
    pub acceptance: Vec<(u64, Difference)>,
    /// Over seeds, on the report set.
    pub over_seeds: Option<Estimate>,
    /// Over seeds, on the acceptance set, as found: the least loss of each without repeating it.
    pub as_found: Option<Estimate>,
}

/// How much outcomes differ by nothing but the seed.
#[derive(Clone, Debug, Serialize)]
pub struct NoiseReport {
    /// Recipes that were repeated, each under one control.
    pub n_groups: usize,
    /// Trainings.
    pub n: usize,
    /// Standard deviation of the acceptance set's loss within a group.
    pub acceptance: f64,
    /// The same of the report set's.
    pub report: f64,
    /// Standard deviation of the acceptance set's loss over recipes drawn at random.
    pub over_recipes: Option<f64>,
}

/// What a mode of self tasks comes to beside none, with the same recipe and seeds.
#[derive(Clone, Debug, Serialize)]
pub struct ControlReport {
    /// The mode.
    pub mode: SelfTaskMode,
    /// Trainings.
    pub n: usize,
    /// Means.
    pub means: SetLosses,
    /// Less none, with intervals over tasks; none for none itself.
    pub differences: Option<SetDifferences>,
    /// R² on real tables by number of short rows, less that of none, with intervals over tables.
    pub suite: Vec<SuiteDifference>,
}

/// Mean losses.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct SetLosses {
    /// On the acceptance set.
    pub acceptance: f64,
    /// On the report set.
    pub report: f64,
    /// On tasks about runs of data sets that were held out.
    pub lifted: f64,
}

/// Their differences.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct SetDifferences {
    /// On the acceptance set.
    pub acceptance: Difference,
    /// On the report set.
    pub report: Difference,
    /// On tasks about runs of data sets that were held out.
    pub lifted: Difference,
}

/// A figure on real tables.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct SuiteDifference {
    /// Short rows.
    pub n_short: usize,
    /// Tables.
    pub n_tables: usize,
    /// Mean clipped R².
    pub r2: f64,
    /// Less that of none.
    pub difference: Option<Difference>,
}

/// Reads a folder. Metamodels of the controls are scored on the tables of a suite, once.
///
/// # Errors
/// A folder without generations, damaged files.
pub fn self_apply_report(
    folder: &Path,
    frame: &SelfApplyFrame,
    suite: &[SuiteTable],
    device: &Device,
) -> Result<SelfApplyReport, SelfApplicationError> {
    let store = Store::open(folder, frame)?;
    let ledger = store.ledger()?;
    let snapshot = ledger.snapshot()?;
    let all = Filter::default();
    let n_runs = [
        snapshot.runs::<Base>(&all)?.len(),
        snapshot.runs::<Above<Base>>(&all)?.len(),
        snapshot.runs::<Above<Above<Base>>>(&all)?.len(),
    ];
    let journals = store.journals()?;
    let is_loop = |journal: &&Vec<Generation>| {
        journal.first().is_some_and(|first| Method::SEARCHES.contains(&first.method))
    };
    let loops: Vec<LoopReport> =
        journals.iter().filter(is_loop).map(|journal| loop_report(journal)).collect();
    let repeats: Vec<Generation> =
        journals.iter().filter(|journal| !is_loop(journal)).flatten().cloned().collect();
    let untrained =
        loops.first().and_then(|own| own.generations.first()).map_or(0.0, |first| first.untrained);
    let (methods, contests) = methods(&store, &loops, &repeats)?;
    Ok(SelfApplyReport {
        frame: *frame,
        checksum: snapshot.checksum().to_string(),
        n_runs,
        untrained,
        methods,
        contests,
        noise: noise(&loops, &repeats),
        controls: controls(&store, &repeats, suite, device)?,
        foresight: own_foresight(&store, &ledger, &loops, untrained, device)?,
        loops,
    })
}

fn loop_report(journal: &[Generation]) -> LoopReport {
    let first = &journal[0];
    let foreseen = [Choice::Random, Choice::Foreseen, Choice::OneChanged].into_iter().filter_map(|choice| {
        let pairs: Vec<(f64, f64)> = journal
            .iter()
            .filter(|generation| generation.choice == choice)
            .filter_map(|generation| Some((generation.foreseen?, generation.acceptance?)))
            .collect();
        let (said, came): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let errors: Vec<f64> = pairs.iter().map(|(said, came)| came - said).collect();
        let n = errors.len();
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n as f64;
        (n > 0).then(|| ForeseenReport {
            choice,
            n,
            mean_error: mean(&mut errors.iter().copied()),
            absolute_error: mean(&mut errors.iter().map(|error| error.abs())),
            rank_correlation: spearman(&said, &came),
        })
    });
    LoopReport {
        method: first.method,
        mode: first.mode,
        seed: first.seed,
        cpu_s: journal.iter().map(|generation| generation.cpu_s).sum(),
        foreseen: foreseen.collect(),
        generations: journal.to_vec(),
    }
}

/// Mean losses of the same tasks over several trainings.
fn mean_losses(store: &Store, runs: &[&Generation]) -> Result<Option<ReferenceLosses>, SelfApplicationError> {
    let all = runs.iter().filter_map(|run| run.run()).map(|uid| store.measured(uid));
    let mut all = all.collect::<Result<Vec<_>, _>>()?;
    all.retain(|measured| !measured.acceptance.is_empty());
    let n = all.len() as f32;
    let Some(mut sum) = all.pop() else { return Ok(None) };
    for other in all {
        let add = |sum: &mut Vec<f32>, other: &[f32]| {
            sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        };
        add(&mut sum.acceptance, &other.acceptance);
        add(&mut sum.report, &other.report);
        add(&mut sum.lifted, &other.lifted);
    }
    for losses in [&mut sum.acceptance, &mut sum.report, &mut sum.lifted] {
        losses.iter_mut().for_each(|loss| *loss /= n);
    }
    Ok(Some(sum))
}

fn methods(
    store: &Store,
    loops: &[LoopReport],
    repeats: &[Generation],
) -> Result<(Vec<MethodReport>, Vec<ContestReport>), SelfApplicationError> {
    let of = |method: Method, seed: u64| {
        let is_it =
            |own: &&LoopReport| own.method == method && own.seed == seed && own.mode == SelfTaskMode::Lifted;
        loops.iter().find(is_it).map(|own| own.generations.clone()).unwrap_or_default()
    };
    let mut reports = Vec::new();
    let mut repeated: BTreeMap<(Method, u64), ReferenceLosses> = BTreeMap::new();
    for seed in loops.iter().map(|own| own.seed).collect::<BTreeSet<u64>>() {
        let journals: Vec<Vec<Generation>> =
            Method::SEARCHES.into_iter().map(|method| of(method, seed)).collect();
        let cpu_s = equal_cost(&journals);
        for (method, journal) in Method::SEARCHES.into_iter().zip(&journals) {
            let Some(best) = best_within(journal, cpu_s) else { continue };
            let (n_generations, cpu_s) = paid(journal, cpu_s);
            let is_repeat = |repeat: &&Generation| {
                repeat.method == Method::Confirm
                    && repeat.seed == seed
                    && repeat.parent.as_ref() == Some(&best.uid)
            };
            let own: Vec<&Generation> = repeats.iter().filter(is_repeat).collect();
            let measured = mean_losses(store, &own)?;
            let repeats = measured.as_ref().map(|measured| RepeatReport {
                n: own.len(),
                acceptance: mean(&measured.acceptance),
                report: mean(&measured.report),
            });
            repeated.extend(measured.map(|measured| ((method, seed), measured)));
            reports.push(MethodReport {
                method,
                seed,
                cpu_s,
                n_generations,
                generation: best.generation,
                acceptance: best.acceptance.unwrap_or(f64::NAN),
                report: best.report.unwrap_or(f64::NAN),
                repeats,
            });
        }
    }
    let contests = [Method::Random, Method::Hand].into_iter().map(|other| {
        let pairs: Vec<(u64, &ReferenceLosses, &ReferenceLosses)> = repeated
            .iter()
            .filter(|((method, _), _)| *method == Method::Planner)
            .filter_map(|((_, seed), own)| Some((*seed, own, repeated.get(&(other, *seed))?)))
            .collect();
        let found = |method: Method, seed: u64| {
            reports
                .iter()
                .find(|report| report.method == method && report.seed == seed)
                .map(|own| own.acceptance)
        };
        let seeds: BTreeSet<u64> = reports.iter().map(|report| report.seed).collect();
        let as_found: Vec<f64> = seeds
            .into_iter()
            .filter_map(|seed| Some(found(Method::Planner, seed)? - found(other, seed)?))
            .collect();
        let report: Vec<(u64, Difference)> =
            pairs.iter().map(|(seed, own, other)| (*seed, paired(&own.report, &other.report))).collect();
        let over_seeds: Vec<f64> = report.iter().map(|(_, difference)| difference.mean).collect();
        ContestReport {
            other,
            acceptance: pairs
                .iter()
                .map(|(seed, own, other)| (*seed, paired(&own.acceptance, &other.acceptance)))
                .collect(),
            report,
            over_seeds: Estimate::of(&over_seeds),
            as_found: Estimate::of(&as_found),
        }
    });
    let contests = contests.filter(|contest| contest.as_found.is_some()).collect();
    Ok((reports, contests))
}

fn noise(loops: &[LoopReport], repeats: &[Generation]) -> Option<NoiseReport> {
    /// Trainings that differ in nothing but the seed.
    type Group<'a> = (Method, SelfTaskMode, Option<&'a str>);
    let mut groups: BTreeMap<Group<'_>, Vec<(f64, f64)>> = BTreeMap::new();
    for repeat in repeats {
        if let (Some(acceptance), Some(report)) = (repeat.acceptance, repeat.report) {
            groups
                .entry((repeat.method, repeat.mode, repeat.parent.as_deref()))
                .or_default()
                .push((acceptance, report));
        }
    }
    groups.retain(|_, group| group.len() > 1);
    let degrees: usize = groups.values().map(|group| group.len() - 1).sum();
    let pooled = |of: &dyn Fn(&(f64, f64)) -> f64| {
        let squares: f64 =
            groups.values().map(|group| squares(&group.iter().map(of).collect::<Vec<_>>())).sum();
        (squares / degrees as f64).sqrt()
    };
    let random: Vec<f64> = loops
        .iter()
        .filter(|own| own.method == Method::Random)
        .flat_map(|own| own.generations.iter().filter(|generation| generation.choice == Choice::Random))
        .filter_map(|generation| generation.acceptance)
        .collect();
    (degrees > 0).then(|| NoiseReport {
        n_groups: groups.len(),
        n: groups.values().map(Vec::len).sum(),
        acceptance: pooled(&|pair| pair.0),
        report: pooled(&|pair| pair.1),
        over_recipes: (random.len() > 1).then(|| (squares(&random) / (random.len() - 1) as f64).sqrt()),
    })
}

/// The sum of squared differences from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

fn controls(
    store: &Store,
    repeats: &[Generation],
    suite: &[SuiteTable],
    device: &Device,
) -> Result<Vec<ControlReport>, SelfApplicationError> {
    let of = |mode: SelfTaskMode| -> Vec<&Generation> {
        let is_it = |repeat: &&Generation| repeat.method == Method::Control && repeat.mode == mode;
        repeats.iter().filter(is_it).collect()
    };
    // Those that all modes have, so that differences are of self tasks alone.
    let key = |repeat: &Generation| (repeat.seed, repeat.generation, repeat.parent.clone());
    let keys = |mode| of(mode).into_iter().map(key).collect::<BTreeSet<_>>();
    let all = SelfTaskMode::ALL.into_iter().map(keys).reduce(|a, b| a.intersection(&b).cloned().collect());
    let all = all.unwrap_or_default();
    let runs = |mode| of(mode).into_iter().filter(|repeat| all.contains(&key(repeat))).collect::<Vec<_>>();
    let none = runs(SelfTaskMode::None);
    let Some(base) = mean_losses(store, &none)? else { return Ok(Vec::new()) };
    let base_suite = suite_values(store, &none, suite, device)?;
    let mut reports = Vec::new();
    for mode in SelfTaskMode::ALL {
        let own = runs(mode);
        let Some(measured) = mean_losses(store, &own)? else { continue };
        let values = suite_values(store, &own, suite, device)?;
        let means = SetLosses {
            acceptance: mean(&measured.acceptance),
            report: mean(&measured.report),
            lifted: mean(&measured.lifted),
        };
        let is_none = mode == SelfTaskMode::None;
        let suite = values.iter().map(|(n_short, tables)| {
            let common: Vec<&String> = tables
                .keys()
                .filter(|table| base_suite.get(n_short).is_some_and(|base| base.contains_key(*table)))
                .collect();
            let own: Vec<f32> = common.iter().map(|table| tables[*table] as f32).collect();
            let base: Vec<f32> = common.iter().map(|table| base_suite[n_short][*table] as f32).collect();
            SuiteDifference {
                n_short: *n_short,
                n_tables: own.len(),
                r2: mean(&own),
                difference: (!is_none && own.len() > 1).then(|| paired(&own, &base)),
            }
        });
        reports.push(ControlReport {
            mode,
            n: own.len(),
            means,
            suite: suite.collect(),
            differences: (!is_none).then(|| SetDifferences {
                acceptance: paired(&measured.acceptance, &base.acceptance),
                report: paired(&measured.report, &base.report),
                lifted: paired(&measured.lifted, &base.lifted),
            }),
        });
    }
    Ok(reports)
}

/// Mean clipped R² of several metamodels on each real table, by short rows.
fn suite_values(
    store: &Store,
    runs: &[&Generation],
    suite: &[SuiteTable],
    device: &Device,
) -> Result<BTreeMap<usize, BTreeMap<String, f64>>, SelfApplicationError> {
    let mut sums: BTreeMap<usize, BTreeMap<String, (f64, usize)>> = BTreeMap::new();
    for uid in runs.iter().filter_map(|run| run.run()).filter(|_| !suite.is_empty()) {
        for row in store.suite_results(uid, suite, device)? {
            if let Some(r2) = row.r2_clipped {
                let sum = sums.entry(row.n_support).or_default().entry(row.name).or_default();
                *sum = (sum.0 + r2, sum.1 + 1);
            }
        }
    }
    let mean = |(table, (sum, n)): (String, (f64, usize))| (table, sum / n as f64);
    Ok(sums.into_iter().map(|(short, tables)| (short, tables.into_iter().map(mean).collect())).collect())
}

/// How well own trainings are foreseen: those whose recipes were drawn at random.
fn own_foresight(
    store: &Store,
    ledger: &Ledger,
    loops: &[LoopReport],
    untrained: f64,
    device: &Device,
) -> Result<Vec<ForesightReport>, SelfApplicationError> {
    let random: BTreeSet<Uid> = loops
        .iter()
        .flat_map(|own| &own.generations)
        .filter(|generation| generation.choice == Choice::Random)
        .filter_map(Generation::run)
        .collect();
    let pool = random.iter().map(|uid| OwnRun::read(ledger, *uid)).collect::<Result<Vec<_>, _>>()?;
    let pool: Vec<OwnRun> = pool.into_iter().flatten().collect();
    let stands =
        |own: &LoopReport| own.generations.iter().rev().find(|generation| generation.accepted)?.run();
    let standing = loops.iter().filter(|own| own.method == Method::Planner).filter_map(stands);
    let standing = standing.map(|uid| -> Result<Standing, SelfApplicationError> {
        let roots = OwnRun::read(ledger, uid)?.map(|run| run.roots().clone()).unwrap_or_default();
        Ok(Standing { pretrained: store.load(uid, device)?, roots })
    });
    let standing = standing.collect::<Result<Vec<_>, _>>()?;
    let shipped = load_metamodel(None, TaskType::Regression, device)?;
    let lineage = Lineage::read(&ledger.snapshot()?)?;
    foresight(&pool, untrained, &standing, &shipped, &lineage, device)
}
