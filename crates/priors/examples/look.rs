//! Quantiles of what the sampled tables look like, to be set beside those of real tables.
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use weightsmith_priors::{Prior, PriorConfig, TaskShape};
use weightsmith_tasks::{ColumnValues, Seed, Target, TaskType};

fn show(name: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[(share * (values.len() - 1) as f64) as usize];
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let quantiles: Vec<String> =
        [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0].iter().map(|&share| format!("{:9.3}", at(share))).collect();
    println!("{name:>30}: {} mean {mean:.3}", quantiles.join(" "));
}

/// Mean, deviation, skewness and excess kurtosis.
fn moments(values: &[f64]) -> [f64; 4] {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let central = |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / n;
    let deviation = central(2).sqrt();
    [mean, deviation, central(3) / deviation.powi(3), central(4) / deviation.powi(4) - 3.0]
}

fn main() {
    let prior = Prior::new(PriorConfig::default()).expect("the default is valid");
    for n_classes in [0, 2, 3, 5, 10] {
        let task_type = if n_classes == 0 { TaskType::Regression } else { TaskType::Classification };
        let shape = TaskShape { task_type, n_support: 400, n_query: 200, n_classes, n_encoded: 20 };
        let [mut skews, mut tails, mut distinct, mut correlations, mut target] = [const { Vec::new() }; 5];
        let (mut n_binary, mut n_whole, mut n_numeric) = (0.0, 0.0, 0.0);
        for index in 0..400 {
            let task = prior.sample(&shape, &mut Seed(1).indexed_stream("look", &[index]));
            let mut complete: Vec<Vec<f64>> = Vec::new();
            for column in task.support().table().columns() {
                let ColumnValues::Numeric(values) = &column.values else { continue };
                let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
                let [mean, deviation, skew, tail] = moments(&known);
                let mut sorted = known.clone();
                sorted.sort_by(f64::total_cmp);
                sorted.dedup();
                n_numeric += 1.0;
                if sorted.len() == 2 {
                    n_binary += 1.0;
                } else {
                    n_whole += if known.iter().all(|value| value.fract() == 0.0) { 1.0 } else { 0.0 };
                    skews.push(skew);
                    tails.push(tail);
                }
                distinct.push(sorted.len() as f64 / known.len() as f64);
                if known.len() == values.len() {
                    complete.push(known.iter().map(|value| (value - mean) / deviation).collect());
                }
            }
            let mut pairs = Vec::new();
            for i in 0..complete.len() {
                for j in 0..i {
                    let product: f64 = complete[i].iter().zip(&complete[j]).map(|(x, y)| x * y).sum();
                    pairs.push((product / complete[i].len() as f64).abs());
                }
            }
            if !pairs.is_empty() {
                correlations.push(pairs.iter().sum::<f64>() / pairs.len() as f64);
            }
            target.push(match task.support().target() {
                Target::Values(values) => moments(values)[2],
                Target::Classes { labels, class_names } => {
                    let count = |class| labels.iter().filter(|&&label| label == class).count();
                    (0..class_names.len()).map(count).max().unwrap_or(0) as f64 / labels.len() as f64
                }
            });
        }
        println!("{task_type}, {n_classes} classes");
        show(if n_classes == 0 { "skew of the target" } else { "majority share" }, target);
        if n_classes < 3 {
            show("skew", skews);
            show("excess kurtosis", tails);
            show("distinct share", distinct);
            show("mean |correlation| of a table", correlations);
            println!(
                "{:>30}: {:.3}, whole numbers {:.3}",
                "binary",
                n_binary / n_numeric,
                n_whole / n_numeric
            );
        }
    }
}
