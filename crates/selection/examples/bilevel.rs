//! Why weighting rows by bilevel optimisation is hard, and what helps: `cargo run --release --workspace --example bilevel OUT.csv`
//! measures, on synthetic tables of 2,048 rows with 20 to 50 % impure ones and 256 clean ones, the gradient signal-to-noise ratio of a
//! weighting network against the batch, and how well networks that were trained with each batch and each group of features tell
//! impure rows; from the table at the position FIRST on.
#![expect(clippy::print_stderr, reason = "an example tells how far it is")]

use std::error::Error;
use std::fmt::Write as _;
use weightsmith_selection::{
    FeatureGroup, Hypergradient, LabelledRows, MetaConfig, MetaFeatures, MetaTrainer, SyntheticTable,
    TableShares, auc, model_features, row_features,
};
use weightsmith_tasks::Seed;

const BATCHES: [usize; 5] = [8, 32, 128, 512, 2048];
const N_TABLES: u64 = 18;
const N_STEPS: usize = 100;
/// Batches over which a ratio is found.
const N_DRAWS: usize = 24;
/// Steps after which ratios are measured.
const MOMENTS: [usize; 3] = [0, 20, 100];

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).ok_or("give a file to write")?;
    let first: u64 = std::env::args().nth(2).map_or(Ok(0), |first| first.parse())?;
    let mut text = "table,what,features,batch,steps,layer,value\n".to_string();
    let shares = TableShares {
        rows: [2048, 2048],
        inputs: [6, 24],
        most_classes: 4,
        trusted_tables: 1.0,
        trusted: [256, 256],
        grouped_tables: 0.0,
        // Random labels, labels near the boundary, one class, and mirrored rows.
        kinds: [0.0, 3.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        n_query: 8,
    };
    for position in first..N_TABLES {
        let table = SyntheticTable::draw(&shares, Seed(20), position)?;
        let rows = &table.rows;
        let others: Vec<usize> = (0..rows.n_rows()).filter(|&row| !rows.is_trusted[row]).collect();
        let is_impure: Vec<bool> = others.iter().map(|&row| table.truth[row].is_touched).collect();
        let (basis, features) = (model_features(rows), row_features(rows));
        let telling = |trainer: &MetaTrainer<'_>| {
            let scores = trainer.scores();
            auc(&others.iter().map(|&row| -scores[row]).collect::<Vec<_>>(), &is_impure)
        };
        let groups = [
            ("loss", MetaFeatures::Loss),
            ("position", MetaFeatures::Groups(vec![FeatureGroup::Position])),
            ("dynamics", MetaFeatures::Groups(vec![FeatureGroup::Dynamics])),
            ("both", MetaFeatures::Groups(vec![FeatureGroup::Position, FeatureGroup::Dynamics])),
        ];
        for (name, group) in groups {
            for batch in BATCHES {
                let mut trainer = train(rows, &basis, &features, &group, batch);
                for steps in 0..=N_STEPS {
                    // Ratios are measured along one training: that with the middle batch.
                    if batch == 128 && MOMENTS.contains(&steps) && (name == "loss" || name == "both") {
                        for other in BATCHES {
                            let found = trainer.gsnr(other, N_DRAWS);
                            for (layer, value) in found.layers.iter().enumerate() {
                                writeln!(text, "{position},gsnr,{name},{other},{steps},{layer},{value}")?;
                            }
                        }
                    }
                    if steps < N_STEPS {
                        trainer.step();
                    }
                }
                writeln!(text, "{position},auc,{name},{batch},{N_STEPS},,{}", telling(&trainer))?;
            }
        }
        eprintln!("table {position}: {:?}, {} classes", table.impurity, rows.n_classes);
        std::fs::write(&out, &text)?;
    }
    Ok(())
}

fn train<'a>(
    rows: &'a LabelledRows,
    basis: &'a weightsmith_selection::Matrix,
    features: &weightsmith_selection::Matrix,
    group: &MetaFeatures,
    batch: usize,
) -> MetaTrainer<'a> {
    let config = MetaConfig {
        features: group.clone(),
        batch,
        n_steps: N_STEPS,
        rate: 3e-3,
        hypergradient: Hypergradient::CentralDifference,
        seed: Seed(7),
    };
    MetaTrainer::new(rows, basis, features, config)
}
