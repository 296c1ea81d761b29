//! The figures of all loops in a folder, as the page and its JSON show them.

use super::controls::{best_within, equal_cost, paid};
use super::prediction_quality::{Incumbent, PredictionQuality, prediction_quality};
use super::self_apply::{SelfApplyFrame, incumbent_of, paired};
use super::store::Store;
use super::{Choice, Difference, Iteration, MetamodelRun, RecipeSearch, SelfTaskMode};
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

/// All figures of the page.
#[derive(Clone, Debug, Serialize)]
pub struct SelfApplyReport {
    /// What all loops of the folder share.
    pub frame: SelfApplyFrame,
    /// The checksum of the ledger as it was read.
    pub checksum: String,
    /// Number of runs in the ledger, by level.
    pub n_runs: [usize; 3],
    /// The loss of the closed-form head alone on the acceptance set.
    pub untrained: f64,
    /// The loops, by search and seed.
    pub loops: Vec<LoopReport>,
    /// The best recipe of each search and seed at equal training cost.
    pub searches: Vec<SearchReport>,
    /// The planner's best recipe compared with another search's.
    pub contests: Vec<ContestReport>,
    /// The noise of outcomes: the same recipes with other seeds.
    pub noise: Option<NoiseReport>,
    /// The effect of auxiliary tasks about runs, and of the controls.
    pub controls: Vec<ControlReport>,
    /// How well learners predict the outcomes of unseen trainings.
    pub prediction_quality: Vec<PredictionQuality>,
}

/// One loop.
#[derive(Clone, Debug, Serialize)]
pub struct LoopReport {
    /// How its recipes were searched.
    pub search: RecipeSearch,
    /// What its auxiliary tasks were.
    pub mode: SelfTaskMode,
    /// Its seed.
    pub seed: u64,
    /// Processor seconds of its trainings.
    pub cpu_s: f64,
    /// Its iterations.
    pub iterations: Vec<Iteration>,
    /// Prediction errors, by how the recipe was chosen.
    pub prediction_errors: Vec<PredictionErrors>,
}

/// Errors of predictions that were made before the training, over iterations chosen in one way.
#[derive(Clone, Debug, Serialize)]
pub struct PredictionErrors {
    /// How their recipes were chosen.
    pub choice: Choice,
    /// How many.
    pub n: usize,
    /// Mean of observed minus predicted loss.
    pub mean_error: f64,
    /// Mean absolute difference.
    pub absolute_error: f64,
    /// Spearman's rank correlation of predicted and observed losses.
    pub rank_correlation: Option<f64>,
}

/// The best recipe of one search within the training cost that searches have in common.
#[derive(Clone, Debug, Serialize)]
pub struct SearchReport {
    /// The search.
    pub search: RecipeSearch,
    /// The seed of the loop.
    pub seed: u64,
    /// Processor seconds of the iterations that count, at most what the planner and random search have both spent.
    pub cpu_s: f64,
    /// Iterations that count.
    pub n_iterations: usize,
    /// Which of them had the lowest loss on the acceptance set.
    pub iteration: usize,
    /// That loss: the minimum over many, so biased downwards.
    pub acceptance: f64,
    /// Its loss on the report set.
    pub report: f64,
    /// The same recipe trained again with new seeds, which removes that bias.
    pub repeats: Option<RepeatReport>,
}

/// Trainings of one recipe with new seeds.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct RepeatReport {
    /// How many.
    pub n: usize,
    /// Mean loss on the acceptance set.
    pub acceptance: f64,
    /// Mean loss on the report set.
    pub report: f64,
}

/// The best recipe of the planner compared with that of another search.
#[derive(Clone, Debug, Serialize)]
pub struct ContestReport {
    /// The other search.
    pub other: RecipeSearch,
    /// For each seed: loss of the planner's repeats minus the other's on the report set, with an interval over tasks.
    pub report: Vec<(u64, Difference)>,
    /// The same on the acceptance set.
    pub acceptance: Vec<(u64, Difference)>,
    /// Mean of `report` over seeds.
    pub over_seeds: Option<Estimate>,
    /// Mean over seeds of the difference of the lowest losses on the acceptance set, without repeats.
    pub as_found: Option<Estimate>,
}

/// Standard deviations of outcomes between trainings that differ in the seed alone.
#[derive(Clone, Debug, Serialize)]
pub struct NoiseReport {
    /// Groups of trainings that differ in the seed alone.
    pub n_groups: usize,
    /// Trainings in all groups.
    pub n: usize,
    /// Pooled standard deviation of the acceptance set's loss within groups.
    pub acceptance: f64,
    /// The same for the report set.
    pub report: f64,
    /// For scale: the standard deviation of the acceptance set's loss over random recipes.
    pub over_recipes: Option<f64>,
}

/// Trainings with one kind of auxiliary tasks compared with trainings without any, with the same recipes and seeds.
#[derive(Clone, Debug, Serialize)]
pub struct ControlReport {
    /// The kind of auxiliary tasks.
    pub mode: SelfTaskMode,
    /// Trainings.
    pub n: usize,
    /// Mean losses.
    pub means: SetLosses,
    /// Differences to the trainings without auxiliary tasks, with intervals over tasks; none for those themselves.
    pub differences: Option<SetDifferences>,
    /// R² on real tables, by number of support rows.
    pub suite: Vec<SuiteDifference>,
}

/// Mean losses on the three sets of tasks.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct SetLosses {
    /// On the acceptance set.
    pub acceptance: f64,
    /// On the report set.
    pub report: f64,
    /// On tasks about runs on held-out data sets.
    pub lifted: f64,
}

/// Differences of losses on the three sets of tasks.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct SetDifferences {
    /// On the acceptance set.
    pub acceptance: Difference,
    /// On the report set.
    pub report: Difference,
    /// On tasks about runs on held-out data sets.
    pub lifted: Difference,
}

/// R² on real tables at one number of support rows.
#[derive(Copy, Clone, Debug, Serialize)]
pub struct SuiteDifference {
    /// Support rows.
    pub n_support: usize,
    /// Tables.
    pub n_tables: usize,
    /// Mean clipped R².
    pub r2: f64,
    /// Difference to the trainings without auxiliary tasks, with an interval over tables.
    pub difference: Option<Difference>,
}

/// Computes the figures of all loops in a folder. If `suite` has tables, the metamodels of the controls are scored on them; these
/// scores are kept in the folder.
///
/// # Errors
/// A folder of loops with another frame, damaged files, tables that cannot be scored.
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
    let is_loop = |journal: &&Vec<Iteration>| {
        journal.first().is_some_and(|first| RecipeSearch::SEARCHES.contains(&first.search))
    };
    let loops: Vec<LoopReport> =
        journals.iter().filter(is_loop).map(|journal| loop_report(journal)).collect();
    let repeats: Vec<Iteration> =
        journals.iter().filter(|journal| !is_loop(journal)).flatten().cloned().collect();
    let untrained = loops.first().and_then(|own| own.iterations.first()).map_or(0.0, |first| first.untrained);
    let (searches, contests) = searches(&store, &loops, &repeats)?;
    Ok(SelfApplyReport {
        frame: *frame,
        checksum: snapshot.checksum().to_string(),
        n_runs,
        untrained,
        searches,
        contests,
        noise: noise(&loops, &repeats),
        controls: controls(&store, &repeats, suite, device)?,
        prediction_quality: loops_prediction_quality(&store, &ledger, &loops, untrained, device)?,
        loops,
    })
}

fn loop_report(journal: &[Iteration]) -> LoopReport {
    let first = &journal[0];
    let prediction_errors =
        [Choice::Random, Choice::Predicted, Choice::OneChanged].into_iter().filter_map(|choice| {
            let pairs: Vec<(f64, f64)> = journal
                .iter()
                .filter(|iteration| iteration.choice == choice)
                .filter_map(|iteration| Some((iteration.predicted?, iteration.acceptance?)))
                .collect();
            let (predicted, observed): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            let errors: Vec<f64> = pairs.iter().map(|(predicted, observed)| observed - predicted).collect();
            let n = errors.len();
            let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n as f64;
            (n > 0).then(|| PredictionErrors {
                choice,
                n,
                mean_error: mean(&mut errors.iter().copied()),
                absolute_error: mean(&mut errors.iter().map(|error| error.abs())),
                rank_correlation: spearman(&predicted, &observed),
            })
        });
    LoopReport {
        search: first.search,
        mode: first.mode,
        seed: first.seed,
        cpu_s: journal.iter().map(|iteration| iteration.cpu_s).sum(),
        prediction_errors: prediction_errors.collect(),
        iterations: journal.to_vec(),
    }
}

/// Mean losses of the same tasks over several trainings.
fn mean_losses(store: &Store, runs: &[&Iteration]) -> Result<Option<ReferenceLosses>, SelfApplicationError> {
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

fn searches(
    store: &Store,
    loops: &[LoopReport],
    repeats: &[Iteration],
) -> Result<(Vec<SearchReport>, Vec<ContestReport>), SelfApplicationError> {
    let of = |search: RecipeSearch, seed: u64| {
        let is_it =
            |own: &&LoopReport| own.search == search && own.seed == seed && own.mode == SelfTaskMode::Lifted;
        loops.iter().find(is_it).map(|own| own.iterations.clone()).unwrap_or_default()
    };
    let mut reports = Vec::new();
    let mut repeated: BTreeMap<(RecipeSearch, u64), ReferenceLosses> = BTreeMap::new();
    for seed in loops.iter().map(|own| own.seed).collect::<BTreeSet<u64>>() {
        let journals: Vec<Vec<Iteration>> =
            RecipeSearch::SEARCHES.into_iter().map(|search| of(search, seed)).collect();
        let cpu_s = equal_cost(&journals);
        for (search, journal) in RecipeSearch::SEARCHES.into_iter().zip(&journals) {
            let Some(best) = best_within(journal, cpu_s) else { continue };
            let (n_iterations, cpu_s) = paid(journal, cpu_s);
            let is_repeat = |repeat: &&Iteration| {
                repeat.search == RecipeSearch::Confirm
                    && repeat.seed == seed
                    && repeat.parent.as_ref() == Some(&best.uid)
            };
            let own: Vec<&Iteration> = repeats.iter().filter(is_repeat).collect();
            let measured = mean_losses(store, &own)?;
            let repeats = measured.as_ref().map(|measured| RepeatReport {
                n: own.len(),
                acceptance: mean(&measured.acceptance),
                report: mean(&measured.report),
            });
            repeated.extend(measured.map(|measured| ((search, seed), measured)));
            reports.push(SearchReport {
                search,
                seed,
                cpu_s,
                n_iterations,
                iteration: best.iteration,
                acceptance: best.acceptance.unwrap_or(f64::NAN),
                report: best.report.unwrap_or(f64::NAN),
                repeats,
            });
        }
    }
    let contests = [RecipeSearch::Random, RecipeSearch::Hand].into_iter().map(|other| {
        let pairs: Vec<(u64, &ReferenceLosses, &ReferenceLosses)> = repeated
            .iter()
            .filter(|((search, _), _)| *search == RecipeSearch::Planner)
            .filter_map(|((_, seed), own)| Some((*seed, own, repeated.get(&(other, *seed))?)))
            .collect();
        let found = |search: RecipeSearch, seed: u64| {
            reports
                .iter()
                .find(|report| report.search == search && report.seed == seed)
                .map(|own| own.acceptance)
        };
        let seeds: BTreeSet<u64> = reports.iter().map(|report| report.seed).collect();
        let as_found: Vec<f64> = seeds
            .into_iter()
            .filter_map(|seed| Some(found(RecipeSearch::Planner, seed)? - found(other, seed)?))
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

fn noise(loops: &[LoopReport], repeats: &[Iteration]) -> Option<NoiseReport> {
    /// Trainings that differ in nothing but the seed.
    type Group<'a> = (RecipeSearch, SelfTaskMode, Option<&'a str>);
    let mut groups: BTreeMap<Group<'_>, Vec<(f64, f64)>> = BTreeMap::new();
    for repeat in repeats {
        if let (Some(acceptance), Some(report)) = (repeat.acceptance, repeat.report) {
            groups
                .entry((repeat.search, repeat.mode, repeat.parent.as_deref()))
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
        .filter(|own| own.search == RecipeSearch::Random)
        .flat_map(|own| own.iterations.iter().filter(|iteration| iteration.choice == Choice::Random))
        .filter_map(|iteration| iteration.acceptance)
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
    repeats: &[Iteration],
    suite: &[SuiteTable],
    device: &Device,
) -> Result<Vec<ControlReport>, SelfApplicationError> {
    let of = |mode: SelfTaskMode| -> Vec<&Iteration> {
        let is_it = |repeat: &&Iteration| repeat.search == RecipeSearch::Control && repeat.mode == mode;
        repeats.iter().filter(is_it).collect()
    };
    // Only repeats that every mode has, so that differences are those of the auxiliary tasks alone.
    let key = |repeat: &Iteration| (repeat.seed, repeat.iteration, repeat.parent.clone());
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
        let suite = values.iter().map(|(n_support, tables)| {
            let common: Vec<&String> = tables
                .keys()
                .filter(|table| base_suite.get(n_support).is_some_and(|base| base.contains_key(*table)))
                .collect();
            let own: Vec<f32> = common.iter().map(|table| tables[*table] as f32).collect();
            let base: Vec<f32> = common.iter().map(|table| base_suite[n_support][*table] as f32).collect();
            SuiteDifference {
                n_support: *n_support,
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

/// Mean clipped R² of several metamodels on each real table, by number of support rows.
fn suite_values(
    store: &Store,
    runs: &[&Iteration],
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

/// Prediction quality on the trainings of all loops whose recipes were drawn at random.
fn loops_prediction_quality(
    store: &Store,
    ledger: &Ledger,
    loops: &[LoopReport],
    untrained: f64,
    device: &Device,
) -> Result<Vec<PredictionQuality>, SelfApplicationError> {
    let random: BTreeSet<Uid> = loops
        .iter()
        .flat_map(|own| &own.iterations)
        .filter(|iteration| iteration.choice == Choice::Random)
        .filter_map(Iteration::run)
        .collect();
    let pool = random.iter().map(|uid| MetamodelRun::read(ledger, *uid)).collect::<Result<Vec<_>, _>>()?;
    let pool: Vec<MetamodelRun> = pool.into_iter().flatten().collect();
    let incumbent = |own: &LoopReport| incumbent_of(&own.iterations)?.run();
    let incumbents = loops.iter().filter(|own| own.search == RecipeSearch::Planner).filter_map(incumbent);
    let incumbents = incumbents.map(|uid| -> Result<Incumbent, SelfApplicationError> {
        let roots = MetamodelRun::read(ledger, uid)?.map(|run| run.roots().clone()).unwrap_or_default();
        Ok(Incumbent { pretrained: store.load(uid, device)?, roots })
    });
    let incumbents = incumbents.collect::<Result<Vec<_>, _>>()?;
    let shipped = load_metamodel(None, TaskType::Regression, device)?;
    let lineage = Lineage::read(&ledger.snapshot()?)?;
    prediction_quality(&pool, untrained, &incumbents, &shipped, &lineage, device)
}
