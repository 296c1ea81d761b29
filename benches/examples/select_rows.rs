//! What selecting rows is worth on real tables that are made impure:
//! `cargo run --release --workspace --example select_rows FOLDER SEEDS OUT.csv TABLE...` reads `FOLDER/TABLE.csv`, whose target is
//! called `target`, and writes a line for each table, seed, setting and method. `benches/select_rows.py` sums them up.
#![expect(clippy::print_stderr, reason = "an example tells how far it is")]

use burn::tensor::Device;
use rand::seq::SliceRandom;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;
use weightsmith_base_model::BaseModel;
use weightsmith_datasets::{Source, read_labelled};
use weightsmith_evaluation::{Metric, classification_scores};
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model, load_metamodel};
use weightsmith_metamodel::Pretrained;
use weightsmith_selection::{
    Baseline, FeatureGroup, Hypergradient, Impurity, LabelledRows, MetaConfig, MetaFeatures, MetaTrainer,
    Selector, auc, joined, model_features, row_features,
};
use weightsmith_tasks::{Seed, Support, Target, TaskType};

const N_TRUSTED: usize = 32;
const MOST_TEST_ROWS: usize = 1000;

/// Settings: their names, rows before anything is done, and what is done.
const SETTINGS: [(&str, usize, Impurity); 9] = [
    ("clean", 256, Impurity::None),
    ("a-random-20", 256, Impurity::RandomLabels(0.2)),
    ("a-random-40", 256, Impurity::RandomLabels(0.4)),
    ("b-boundary-20", 256, Impurity::BoundaryLabels(0.2)),
    ("b-class-40", 256, Impurity::ClassLabels(0.4)),
    ("b-group-30", 256, Impurity::GroupLabels(0.3)),
    ("c-copula", 64, Impurity::Copula(1000.0 / 64.0)),
    ("c-mixed", 64, Impurity::Mixed(1000.0 / 64.0)),
    ("d-mirrored-50", 256, Impurity::Mirrored(0.5)),
];

/// Settings in which a bilevel optimisation, which takes seconds, is carried out.
const WITH_BILEVEL: [&str; 4] = ["a-random-40", "b-class-40", "b-group-30", "d-mirrored-50"];

struct Bench {
    pretrained: Pretrained,
    selector: Selector,
    /// Whether nothing else is scored: what does not depend on the selector has been.
    selector_alone: bool,
    /// Whether bilevel optimisation is compared with, in place of the quick baselines.
    bilevel: bool,
    /// Seconds that the last pick took.
    pick_s: f64,
    out: String,
}

/// One impure table.
struct Case<'a> {
    table: &'a str,
    seed: u64,
    setting: &'a str,
    support: Support,
    rows: LabelledRows,
    /// Whether something was done to each row.
    is_touched: Vec<bool>,
    test: &'a Support,
}

impl Bench {
    /// Generates from the rows that are kept, and scores on the test rows.
    fn score(
        &mut self,
        case: &Case<'_>,
        method: &str,
        scores: Option<&[f64]>,
        kept: &[bool],
    ) -> Result<(), Box<dyn Error>> {
        let rows: Vec<usize> = (0..kept.len()).filter(|&row| kept[row]).collect();
        let others: Vec<usize> = (0..kept.len()).filter(|&row| !case.rows.is_trusted[row]).collect();
        let telling = scores.map(|scores| {
            let badness: Vec<f64> = others.iter().map(|&row| -scores[row]).collect();
            auc(&badness, &others.iter().map(|&row| case.is_touched[row]).collect::<Vec<_>>())
        });
        let options = GenerateOptions {
            n_steps: Steps::Fixed(0),
            n_views: 1,
            n_trees: 0,
            ..GenerateOptions::default()
        };
        let found = match generate_base_model(&self.pretrained, &case.support.select(&rows), options) {
            Ok((model, _)) => scores_of(&model, case.test)?,
            // Rows of one class are left.
            Err(_) => [f64::NAN; 3],
        };
        writeln!(
            self.out,
            "{},{},{},{},{method},{},{},{},{},{},{},{}",
            case.table,
            case.seed,
            case.setting,
            case.rows.n_trusted(),
            kept.len(),
            rows.len(),
            telling.map_or(String::new(), |auc| auc.to_string()),
            found[0],
            found[1],
            found[2],
            std::mem::take(&mut self.pick_s),
        )?;
        Ok(())
    }
}

/// Accuracy, area under the curve and log-loss on the test rows.
fn scores_of(model: &BaseModel, test: &Support) -> Result<[f64; 3], Box<dyn Error>> {
    let Target::Classes { class_names, labels } = test.target() else {
        return Err("a target of numbers".into());
    };
    let predictions = model.predict(test.table())?;
    let places: Vec<usize> = model
        .class_names
        .iter()
        .map(|name| class_names.iter().position(|known| known == name).ok_or("a class of its own"))
        .collect::<Result<_, _>>()?;
    let mut probabilities = vec![0.0; labels.len() * class_names.len()];
    let told = predictions.probabilities().ok_or("no probabilities")?;
    for (row, told) in told.enumerate() {
        for (&place, &probability) in places.iter().zip(told) {
            probabilities[row * class_names.len() + place] = f64::from(probability).max(1e-9);
        }
    }
    let found = classification_scores(&probabilities, class_names.len(), labels);
    Ok([Metric::Accuracy, Metric::Auc, Metric::LogLoss].map(|metric| found.get(metric).unwrap_or(f64::NAN)))
}

/// Every setting and method on one table.
fn table(bench: &mut Bench, name: &str, whole: &Support, seed: u64) -> Result<(), Box<dyn Error>> {
    let mut order: Vec<usize> = (0..whole.n_rows()).collect();
    order.shuffle(&mut Seed(seed).stream(&format!("select-rows.{name}")));
    let (trusted, rest) = order.split_at(N_TRUSTED);
    for (setting, n_rows, impurity) in SETTINGS {
        if bench.bilevel && !WITH_BILEVEL.contains(&setting) {
            continue;
        }
        let (few, rest) = rest.split_at(n_rows);
        let test = whole.select(&rest[..rest.len().min(MOST_TEST_ROWS)]);
        let mut rng = Seed(seed).stream(&format!("select-rows.{name}.{setting}"));
        let impure = impurity.apply(&whole.select(few), &mut rng)?;
        let touched: Vec<bool> = impure.truth.iter().map(|truth| truth.is_touched).collect();
        for n_trusted in [0, N_TRUSTED] {
            if bench.bilevel && n_trusted == 0 {
                continue;
            }
            let support = joined(&impure.support, &whole.select(&trusted[..n_trusted]))?;
            let mut is_trusted = vec![false; touched.len()];
            is_trusted.resize(touched.len() + n_trusted, true);
            let mut is_touched = touched.clone();
            is_touched.resize(touched.len() + n_trusted, false);
            let rows = LabelledRows::new(&support, is_trusted, vec![])?;
            let case = Case { table: name, seed, setting, support, rows, is_touched, test: &test };
            methods(bench, &case)?;
        }
    }
    Ok(())
}

fn methods(bench: &mut Bench, case: &Case<'_>) -> Result<(), Box<dyn Error>> {
    let n = case.rows.n_rows();
    if bench.selector_alone {
        return selected(bench, case).map(drop);
    }
    let n_touched = case.is_touched.iter().filter(|touched| **touched).count();
    bench.score(case, "all", None, &vec![true; n])?;
    if n_touched > 0 {
        bench.score(
            case,
            "oracle",
            None,
            &case.is_touched.iter().map(|touched| !touched).collect::<Vec<_>>(),
        )?;
    }
    let n_kept = selected(bench, case)?;
    if bench.bilevel {
        return bilevel(bench, case, n_kept);
    }
    let share = n_touched as f64 / (n - case.rows.n_trusted()) as f64;
    let mut baselines = vec![Baseline::ConfidentLearning, Baseline::KnnShapley];
    if n_touched > 0 {
        baselines.extend([Baseline::Random(share), Baseline::SmallLoss(share)]);
    }
    if case.rows.n_trusted() > 0 {
        bench.score(case, "clean-only", None, &case.rows.is_trusted)?;
        baselines.extend([Baseline::Reweighting, Baseline::MetaWeightNet]);
    }
    for baseline in baselines {
        let (scores, kept) = baseline.pick(&case.rows, Seed(case.seed));
        bench.score(case, baseline.name(), Some(&scores), &kept)?;
    }
    Ok(())
}

/// What the selector keeps is scored; gives how many rows that is.
fn selected(bench: &mut Bench, case: &Case<'_>) -> Result<usize, Box<dyn Error>> {
    #[expect(clippy::disallowed_methods, reason = "the time of a pick is reported")]
    let start = Instant::now();
    let verdicts = bench.selector.judge(&case.rows);
    bench.pick_s = start.elapsed().as_secs_f64();
    let threshold = bench.selector.threshold(case.rows.n_trusted() > 0);
    let scores: Vec<f64> = verdicts.iter().map(|verdict| -verdict.impure).collect();
    let kept: Vec<bool> = verdicts.iter().map(|verdict| verdict.wrong < threshold).collect();
    bench.score(case, "selector", Some(&scores), &kept)?;
    Ok(kept.iter().filter(|kept| **kept).count())
}

/// A weighting network trained on the table itself by bilevel optimisation; as many rows are kept as the selector keeps.
fn bilevel(bench: &mut Bench, case: &Case<'_>, n_kept: usize) -> Result<(), Box<dyn Error>> {
    #[expect(clippy::disallowed_methods, reason = "the time of a pick is reported")]
    let start = Instant::now();
    let groups = vec![FeatureGroup::Position, FeatureGroup::Dynamics, FeatureGroup::Context];
    let config = MetaConfig {
        features: MetaFeatures::Groups(groups),
        batch: 256,
        n_steps: 150,
        rate: 3e-3,
        hypergradient: Hypergradient::CentralDifference,
        seed: Seed(case.seed),
    };
    let (basis, features) = (model_features(&case.rows), row_features(&case.rows));
    let mut trainer = MetaTrainer::new(&case.rows, &basis, &features, config);
    trainer.run();
    let scores = trainer.scores();
    bench.pick_s = start.elapsed().as_secs_f64();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| {
        case.rows.is_trusted[b].cmp(&case.rows.is_trusted[a]).then(scores[b].total_cmp(&scores[a]))
    });
    let mut kept = vec![false; scores.len()];
    order[..n_kept].iter().for_each(|&row| kept[row] = true);
    bench.score(case, "bilevel", Some(&scores), &kept)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seeds, out, tables @ ..] = arguments.as_slice() else {
        return Err("give a folder, seeds like 0,1, a file and tables".into());
    };
    let mut bench = Bench {
        pretrained: load_metamodel(None, TaskType::Classification, &Device::flex())?,
        selector: match std::env::var_os("SELECTOR") {
            Some(path) => Selector::from_bytes(&std::fs::read(path)?)?,
            None => Selector::shipped(),
        },
        out: "table,seed,setting,n_trusted,method,n_rows,n_kept,impure_auc,accuracy,auc,log_loss,pick_s\n"
            .into(),
        selector_alone: std::env::var_os("SELECTOR_ALONE").is_some(),
        bilevel: std::env::var_os("BILEVEL").is_some(),
        pick_s: 0.0,
    };
    for seed in seeds.split(',') {
        for name in tables {
            let path = Path::new(folder).join(format!("{name}.csv"));
            let read = read_labelled(&Source::File(path), "target", Some(TaskType::Classification))?;
            let whole = Support::new(read.table, read.target)?;
            table(&mut bench, name, &whole, seed.parse()?)?;
            eprintln!("{name}, seed {seed}");
            std::fs::write(out, &bench.out)?;
        }
    }
    Ok(())
}
