//! One network on labelled rows: every metric with its interval, beside what knowing the labels alone would score.

use crate::figures::number_text;
use crate::importance::losses;
use crate::metrics::{Metric, Scores, classification_scores, regression_scores};
use crate::statistics::Interval;
use rand::Rng;
use serde::Serialize;
use weightsmith_base_model::{BaseModel, EncodingError, Predicted, Predictions, SupportInfo, as_written};
use weightsmith_datasets::Labelled;
use weightsmith_tasks::{Seed, Support, Target, TaskType, quantile};

/// Draws of the rows for an interval.
const N_RESAMPLES: usize = 1000;
/// The share of the draws inside an interval.
const LEVEL: f64 = 0.95;
/// Rows times draws, at most: larger tables are drawn less often, their intervals being narrow anyway.
const MAX_DRAWN_ROWS: usize = 20_000_000;

/// Why a network cannot be scored on some rows.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The rows do not fit the network.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The labels are of the other kind.
    #[error("the network predicts for {network}, the labels are for {labels}; see --task and --target")]
    OtherTask {
        /// What the network is for.
        network: TaskType,
        /// What the labels are for.
        labels: TaskType,
    },
    /// None of the rows is of a class that the network knows.
    #[error("none of the rows' classes is known to the network, which knows {known}")]
    UnknownClasses {
        /// The classes of the network.
        known: String,
    },
}

/// One metric of a network on labelled rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricScore {
    /// What is measured.
    pub metric: Metric,
    /// On all rows.
    pub value: f64,
    /// Its 95% interval, by drawing the rows again with replacement (percentile bootstrap); none of a single row.
    pub interval: Option<Interval>,
    /// What the labels' frequencies, or their mean, would score on these rows; none where that means nothing.
    pub base_rate: Option<f64>,
}

/// A network on labelled rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkScore {
    /// What the table is called.
    pub name: String,
    /// What is predicted.
    pub task: TaskType,
    /// Rows that were scored.
    pub n_rows: usize,
    /// Whether these are the very rows that the network was made from: then the scores flatter it.
    pub are_its_own_rows: bool,
    /// Classes of the rows that the network does not know; it gives them no probability.
    pub unknown_classes: Vec<String>,
    /// Every metric that applies.
    pub metrics: Vec<MetricScore>,
}

/// Scores a network on labelled rows; `seed` is that of the rows that are drawn for intervals.
///
/// # Errors
/// Rows that do not fit the network, labels of the other kind, no class that it knows.
pub fn score_network(model: &BaseModel, labelled: &Labelled, seed: Seed) -> Result<NetworkScore, ScoreError> {
    let task = labelled.target.task_type();
    if task != model.task_type {
        return Err(ScoreError::OtherTask { network: model.task_type, labels: task });
    }
    let predictions = model.predict(&labelled.table)?;
    let (rows, unknown_classes) = Rows::new(model, &predictions, &labelled.target)?;
    let n_rows = labelled.table.n_rows();
    let all: Vec<usize> = (0..n_rows).collect();
    let found = rows.scores(&all);
    let base = rows.base_scores();
    let intervals = rows.intervals(&found.metrics().collect::<Vec<_>>(), seed);
    let metrics = found.metrics().zip(intervals).filter_map(|(metric, interval)| {
        let base_rate = base.get(metric).filter(|_| metric != Metric::CalibrationError);
        Some(MetricScore { metric, value: found.get(metric)?, interval, base_rate })
    });
    Ok(NetworkScore {
        name: labelled.name.clone(),
        task,
        n_rows,
        are_its_own_rows: are_its_own_rows(model, labelled),
        unknown_classes,
        metrics: metrics.collect(),
    })
}

/// Whether these are the very rows that a network was made from: the columns that it was given, in their order.
pub fn are_its_own_rows(model: &BaseModel, labelled: &Labelled) -> bool {
    let support = Support::new(labelled.table.clone(), labelled.target.clone());
    support.is_ok_and(|support| SupportInfo::of(&support).checksum == model.support.checksum)
}

/// A row that a network predicts badly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorstRow {
    /// Its position in the table, from 1.
    pub row: usize,
    /// What it is called, where a column names the rows.
    pub id: Option<String>,
    /// Its label.
    pub truth: String,
    /// What the network says.
    pub predicted: String,
    /// The probability of its class, or the prediction minus the label.
    pub figure: f64,
}

/// The rows on which a network's loss is greatest, at most `n_most`, the worst first.
///
/// # Errors
/// Rows that do not fit the network.
///
/// # Panics
/// If the labels are of another kind than the network's.
pub fn worst_rows(
    model: &BaseModel,
    labelled: &Labelled,
    n_most: usize,
) -> Result<Vec<WorstRow>, EncodingError> {
    let losses = losses(model, &labelled.table, &labelled.target)?;
    let predictions = model.predict(&labelled.table)?;
    let mut rows: Vec<usize> = (0..losses.len()).collect();
    rows.sort_by(|a, b| losses[*b].total_cmp(&losses[*a]).then(a.cmp(b)));
    rows.truncate(n_most);
    let best = predictions.labels();
    let of_row = |&row: &usize| {
        let (truth, predicted, figure) = match (&labelled.target, predictions.values(), &best) {
            (Target::Classes { class_names, labels }, _, Some(best)) => {
                let said = model.class_names[best[row]].clone();
                (class_names[labels[row]].clone(), said, (-losses[row]).exp())
            }
            (Target::Values(values), Some(predicted), _) => {
                let (value, said) = (values[row], predicted[row]);
                (number_text(value), number_text(said), said - value)
            }
            _ => panic!("labels of the network's kind"),
        };
        WorstRow { row: row + 1, id: labelled.ids.get(row).cloned(), truth, predicted, figure }
    };
    Ok(rows.iter().map(of_row).collect())
}

/// Predictions beside what is true.
enum Rows {
    Classes { probabilities: Vec<f64>, n_classes: usize, labels: Vec<usize> },
    Values { predicted: Vec<f64>, std: Option<f64>, values: Vec<f64> },
}

impl Rows {
    /// Also the classes of the rows that the network does not know. Classes are numbered in the order of their text.
    fn new(
        model: &BaseModel,
        predictions: &Predictions,
        target: &Target,
    ) -> Result<(Self, Vec<String>), ScoreError> {
        match (predictions.predicted(), target) {
            (
                Predicted::Probabilities { n_classes: n_own, values },
                Target::Classes { class_names, labels },
            ) => {
                let mut all: Vec<&String> = model.class_names.iter().chain(class_names).collect();
                all.sort_unstable();
                all.dedup();
                let place = |name: &String| all.binary_search(&name).expect("every class is among them");
                let own: Vec<usize> = model.class_names.iter().map(place).collect();
                let of_label: Vec<usize> = class_names.iter().map(place).collect();
                let mut probabilities = vec![0.0; labels.len() * all.len()];
                for (row, given) in probabilities.chunks_exact_mut(all.len()).zip(values.chunks_exact(*n_own))
                {
                    own.iter().zip(given).for_each(|(&class, &p)| row[class] = as_written(p));
                }
                let labels: Vec<usize> = labels.iter().map(|&label| of_label[label]).collect();
                if !labels.iter().any(|label| own.contains(label)) {
                    return Err(ScoreError::UnknownClasses { known: model.class_names.join(", ") });
                }
                let is_unknown = |class: &usize| !own.contains(class) && labels.contains(class);
                let unknown = (0..all.len()).filter(is_unknown).map(|class| all[class].clone()).collect();
                Ok((Self::Classes { probabilities, n_classes: all.len(), labels }, unknown))
            }
            (Predicted::Values(predicted), Target::Values(values)) => {
                let std = model.expected.as_ref().and_then(|expected| expected.residual_std).map(f64::from);
                let predicted = predicted.clone();
                Ok((Self::Values { predicted, std, values: values.clone() }, Vec::new()))
            }
            _ => unreachable!("the tasks were compared"),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values { values, .. } => values.len(),
        }
    }

    /// The scores of some rows, which may repeat.
    fn scores(&self, rows: &[usize]) -> Scores {
        match self {
            Self::Classes { probabilities, n_classes, labels } => {
                let row = |&row: &usize| &probabilities[row * n_classes..(row + 1) * n_classes];
                let probabilities: Vec<f64> = rows.iter().flat_map(row).copied().collect();
                let labels: Vec<usize> = rows.iter().map(|&row| labels[row]).collect();
                classification_scores(&probabilities, *n_classes, &labels)
            }
            Self::Values { predicted, std, values } => {
                let of = |numbers: &[f64]| rows.iter().map(|&row| numbers[row]).collect::<Vec<f64>>();
                regression_scores(&of(predicted), *std, &of(values))
            }
        }
    }

    /// The scores of the labels' frequencies, or of their mean.
    fn base_scores(&self) -> Scores {
        match self {
            Self::Classes { n_classes, labels, .. } => {
                let mut shares = vec![0.0; *n_classes];
                labels.iter().for_each(|&label| shares[label] += 1.0 / labels.len() as f64);
                classification_scores(&shares.repeat(labels.len()), *n_classes, labels)
            }
            Self::Values { values, .. } => {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                regression_scores(&vec![mean; values.len()], None, values)
            }
        }
    }

    fn intervals(&self, metrics: &[Metric], seed: Seed) -> Vec<Option<Interval>> {
        let n = self.len();
        if n < 2 {
            return vec![None; metrics.len()];
        }
        let mut rng = seed.stream("evaluation.rows");
        let mut drawn = vec![Vec::new(); metrics.len()];
        for _ in 0..N_RESAMPLES.min(MAX_DRAWN_ROWS / n).max(100) {
            let rows: Vec<usize> = (0..n).map(|_| rng.random_range(0..n)).collect();
            let scores = self.scores(&rows);
            for (metric, drawn) in metrics.iter().zip(&mut drawn) {
                drawn.extend(scores.get(*metric).filter(|value| value.is_finite()));
            }
        }
        let interval = |mut values: Vec<f64>| {
            values.sort_unstable_by(f64::total_cmp);
            let tail = (1.0 - LEVEL) / 2.0;
            (values.len() > 1)
                .then(|| Interval { low: quantile(&values, tail), high: quantile(&values, 1.0 - tail) })
        };
        drawn.into_iter().map(interval).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::{Column, ColumnValues, Table};
    use weightsmith_training::fit_linear;

    fn labelled(n: usize, target: impl Fn(usize) -> f64, classes: Option<[&str; 2]>) -> Labelled {
        let values: Vec<f64> = (0..n).map(|row| (row * 37 % 101) as f64).collect();
        let column = Column { name: "x".into(), values: ColumnValues::Numeric(values.clone()) };
        let labels: Vec<f64> = (0..n).map(|row| target(values[row] as usize)).collect();
        let target = match classes {
            Some(names) => Target::Classes {
                class_names: names.map(String::from).to_vec(),
                labels: labels.iter().map(|label| usize::from(*label > 50.0)).collect(),
            },
            None => Target::Values(labels),
        };
        let table = Table::new(n, vec![column]).unwrap();
        Labelled { name: "t".into(), table, target, ids: vec![], notes: vec![] }
    }

    fn model(labelled: &Labelled) -> BaseModel {
        let support = Support::new(labelled.table.clone(), labelled.target.clone()).unwrap();
        fit_linear(&support, Seed(0)).unwrap()
    }

    #[test]
    fn scores_lie_in_their_intervals_and_these_in_what_is_possible() {
        let noisy = |x: usize| x as f64 + (x * 7919 % 43) as f64;
        for classes in [None, Some(["low", "high"])] {
            let train = labelled(60, noisy, classes);
            let score = score_network(&model(&train), &labelled(101, noisy, classes), Seed(0)).unwrap();
            assert!(!score.are_its_own_rows && score.unknown_classes.is_empty());
            for found in &score.metrics {
                let Interval { low, high } = found.interval.unwrap();
                let (least, most) = found.metric.range();
                assert!(low <= found.value && found.value <= high, "{found:?}");
                assert!(least <= low && high <= most, "{found:?}");
                // Where every row is covered, so is every draw of them.
                assert!(low < high || found.metric == Metric::Coverage, "{found:?}");
            }
            let main = if classes.is_some() { Metric::LogLoss } else { Metric::R2 };
            let main = score.metrics.iter().find(|found| found.metric == main).unwrap();
            let base = main.base_rate.unwrap();
            assert!(if classes.is_some() {
                main.value < base
            } else {
                main.value > base && base.abs() < 1e-9
            });
        }
    }

    #[test]
    fn a_networks_own_rows_and_classes_that_it_lacks_are_told() {
        let names = Some(["low", "high"]);
        let train = labelled(60, |x| x as f64, names);
        let own = model(&train);
        assert!(score_network(&own, &train, Seed(0)).unwrap().are_its_own_rows);
        let other = score_network(&own, &labelled(80, |x| x as f64, Some(["low", "new"])), Seed(0)).unwrap();
        assert_eq!(other.unknown_classes, ["new"]);
        let strangers = labelled(80, |x| x as f64, Some(["a", "b"]));
        assert!(matches!(score_network(&own, &strangers, Seed(0)), Err(ScoreError::UnknownClasses { .. })));
        let numbers = labelled(80, |x| x as f64, None);
        assert!(matches!(score_network(&own, &numbers, Seed(0)), Err(ScoreError::OtherTask { .. })));
    }
}
