//! Permutation importance: what a network loses on rows that it was not made from, once the values of one column are
//! shuffled among them.
//!
//! Source: Breiman (2001), Random Forests, section 10; Fisher, Rudin and Dominici (2019), All Models are Wrong, but Many
//! are Useful. A column that another one stands in for seems to matter little, for the network reads the other.

use crate::statistics::{Bootstrap, Estimate, Interval};
use rand::seq::SliceRandom;
use serde::Serialize;
use weightsmith_base_model::{BaseModel, EncodingError, Predicted};
use weightsmith_generation::increases_when_shuffled;
use weightsmith_tasks::{Seed, Table, Target};

/// Rows that are shuffled at most.
const MOST_ROWS: usize = 1000;
/// Least and most shuffles of a column.
const SHUFFLES: (usize, usize) = (2, 10);
/// Rows that are predicted for one network, at most, unless it has so many columns that the fewest shuffles take more.
const MOST_PREDICTED: usize = 200_000;
/// The least probability that a loss takes a true class to have.
const LEAST_PROBABILITY: f64 = 1e-15;
/// Draws of the rows for an interval.
const N_RESAMPLES: usize = 1000;

/// What one column is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnImportance {
    /// The column.
    pub column: String,
    /// What the mean loss rises by: of the log-loss in nats; of the squared error as a share of the labels' variance,
    /// which is what R² falls by.
    pub increase: f64,
    /// Its 95% interval; none of a single row or network.
    pub interval: Option<Interval>,
}

/// What the columns of a network are worth to it, the greatest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// Rows that were shuffled.
    pub n_rows: usize,
    /// Shuffles of each column.
    pub n_shuffles: usize,
    /// Networks that were looked at, each on rows of its own.
    pub n_networks: usize,
    /// Every column that the network reads.
    pub columns: Vec<ColumnImportance>,
}

/// What the columns of a network are worth on labelled rows. Intervals are over rows, drawn again: each row's increase is
/// the mean over the shuffles.
///
/// # Errors
/// Rows that do not fit the network.
///
/// # Panics
/// If the labels are of another kind than the network's, or not as many as the rows.
pub fn permutation_importance(
    model: &BaseModel,
    table: &Table,
    target: &Target,
    seed: Seed,
) -> Result<Importance, EncodingError> {
    let increases = increases(model, table, target, seed)?;
    let rows: Vec<Vec<f64>> = increases.of_columns.iter().map(|(_, rows)| rows.clone()).collect();
    let bootstrap = Bootstrap {
        n_resamples: N_RESAMPLES,
        seed,
        stream: "evaluation.importance.rows",
        ..Bootstrap::default()
    };
    let columns = increases.of_columns.into_iter().zip(bootstrap.intervals(&rows));
    let columns = columns.map(|((column, rows), interval)| ColumnImportance {
        column,
        increase: mean(&rows),
        interval,
    });
    let (n_rows, n_shuffles) = (increases.n_rows, increases.n_shuffles);
    Ok(sorted(Importance { n_rows, n_shuffles, n_networks: 1, columns: columns.collect() }))
}

/// What the columns are worth to several networks, each on rows of its own; intervals are over networks. A column that
/// a network does not read is worth nothing to it. None without a network.
pub(crate) fn mean_importance(of_each: &[Importance]) -> Option<Importance> {
    let first = of_each.first()?;
    let mut names: Vec<&String> =
        of_each.iter().flat_map(|found| found.columns.iter().map(|column| &column.column)).collect();
    names.sort_unstable();
    names.dedup();
    let columns = names.into_iter().map(|name| {
        let of = |found: &Importance| {
            found.columns.iter().find(|column| column.column == *name).map_or(0.0, |column| column.increase)
        };
        let values: Vec<f64> = of_each.iter().map(of).collect();
        let estimate = Estimate::of(&values)?;
        let interval = estimate.low.zip(estimate.high).map(|(low, high)| Interval { low, high });
        Some(ColumnImportance { column: name.clone(), increase: estimate.mean, interval })
    });
    let columns = columns.flatten().collect();
    let Importance { n_rows, n_shuffles, .. } = *first;
    Some(sorted(Importance { n_rows, n_shuffles, n_networks: of_each.len(), columns }))
}

fn sorted(mut importance: Importance) -> Importance {
    importance
        .columns
        .sort_by(|a, b| b.increase.total_cmp(&a.increase).then_with(|| a.column.cmp(&b.column)));
    importance
}

/// For each column the increase of each row's loss.
struct Increases {
    n_rows: usize,
    n_shuffles: usize,
    of_columns: Vec<(String, Vec<f64>)>,
}

fn increases(
    model: &BaseModel,
    table: &Table,
    target: &Target,
    seed: Seed,
) -> Result<Increases, EncodingError> {
    let mut rng = seed.stream("evaluation.importance");
    let mut rows: Vec<usize> = (0..table.n_rows()).collect();
    let names: Vec<&str> = model.encoding.schema().iter().map(|(name, _)| name.as_str()).collect();
    let n_most = MOST_ROWS.min((MOST_PREDICTED / SHUFFLES.0 / names.len().max(1)).max(100));
    if rows.len() > n_most {
        rows.shuffle(&mut rng);
        rows.truncate(n_most);
        rows.sort_unstable();
    }
    let (table, target) = (table.select(&rows), target.select(&rows));
    let n_rows = rows.len();
    let n_shuffles = (MOST_PREDICTED / (n_rows * names.len()).max(1)).clamp(SHUFFLES.0, SHUFFLES.1);
    // So that losses of numbers are shares of the labels' variance.
    let unit = match &target {
        Target::Classes { .. } => 1.0,
        Target::Values(values) => {
            let centre = mean(values);
            let variance = values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / n_rows as f64;
            if variance > 0.0 { variance } else { 1.0 }
        }
    };
    let found =
        increases_when_shuffled(&table, &names, n_shuffles, &mut rng, |table| losses(model, table, &target))?;
    let of_column = |(name, rows): (&&str, Vec<f64>)| {
        (name.to_string(), rows.into_iter().map(|increase| increase / unit).collect())
    };
    let of_columns = names.iter().zip(found).map(of_column).collect();
    Ok(Increases { n_rows, n_shuffles, of_columns })
}

/// The loss of each row: minus the logarithm of the true class's probability, or the squared error.
pub(crate) fn losses(model: &BaseModel, table: &Table, target: &Target) -> Result<Vec<f64>, EncodingError> {
    let predictions = model.predict(table)?;
    Ok(match (predictions.predicted(), target) {
        (Predicted::Probabilities { n_classes, values }, Target::Classes { class_names, labels }) => {
            let own: Vec<Option<usize>> = class_names
                .iter()
                .map(|name| model.class_names.iter().position(|known| known == name))
                .collect();
            let of_row = |(row, label): (&[f32], &usize)| {
                let probability = own[*label].map_or(0.0, |class| f64::from(row[class]));
                -probability.max(LEAST_PROBABILITY).ln()
            };
            values.chunks_exact(*n_classes).zip(labels).map(of_row).collect()
        }
        (Predicted::Values(predicted), Target::Values(values)) => {
            predicted.iter().zip(values).map(|(predicted, value)| (predicted - value).powi(2)).collect()
        }
        _ => panic!("labels of the network's kind"),
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::{Column, ColumnValues, Support};
    use weightsmith_training::fit_linear;

    /// A column that the target is twice of, one that it is not, and one of names that does nothing.
    fn rows(n: usize, from: usize, with_classes: bool) -> (Table, Target) {
        let number = |row: usize, factor: usize| ((row + from) * factor % 1009) as f64 / 1009.0;
        let column = |name: &str, factor: usize| {
            let values = (0..n).map(|row| number(row, factor)).collect();
            Column { name: name.into(), values: ColumnValues::Numeric(values) }
        };
        let codes = (0..n).map(|row| Some((row % 3) as u32)).collect();
        let levels = ["a", "b", "c"].map(String::from).to_vec();
        let names = Column { name: "names".into(), values: ColumnValues::Categorical { levels, codes } };
        let table = Table::new(n, vec![column("noise", 389), column("cause", 617), names]).unwrap();
        let values = (0..n).map(|row| 2.0 * number(row, 617) + 0.1 * number(row, 211));
        let target = if with_classes {
            let class_names = ["low", "high"].map(String::from).to_vec();
            Target::Classes { class_names, labels: values.map(|value| usize::from(value > 1.0)).collect() }
        } else {
            Target::Values(values.collect())
        };
        (table, target)
    }

    #[test]
    fn the_column_that_the_target_follows_matters_and_others_do_not() {
        for with_classes in [false, true] {
            let (table, target) = rows(200, 0, with_classes);
            let model: BaseModel = fit_linear(&Support::new(table, target).unwrap(), Seed(0)).unwrap();
            let (table, target) = rows(150, 400, with_classes);
            let found = permutation_importance(&model, &table, &target, Seed(0)).unwrap();
            assert_eq!((found.n_rows, found.n_shuffles, found.n_networks), (150, 10, 1));
            let first = &found.columns[0];
            assert_eq!(first.column, "cause");
            let Interval { low, high } = first.interval.unwrap();
            assert!(low > 0.5 && low < first.increase && first.increase < high, "{first:?}");
            if !with_classes {
                // A linear model of one column, shuffled: both its copy's and its own variance are lost.
                assert!((first.increase - 2.0).abs() < 0.2, "{first:?}");
            }
            assert_eq!(found.columns.len(), 3);
            let others = &found.columns[1..];
            assert!(others.iter().all(|other| other.increase.abs() < 0.02 * first.increase), "{found:?}");
            assert_eq!(permutation_importance(&model, &table, &target, Seed(0)).unwrap(), found);
            assert_ne!(permutation_importance(&model, &table, &target, Seed(1)).unwrap(), found);
        }
    }

    #[test]
    fn importances_of_several_networks_are_means_with_intervals_over_them() {
        let of = |increases: &[(&str, f64)]| Importance {
            n_rows: 10,
            n_shuffles: 5,
            n_networks: 1,
            columns: increases
                .iter()
                .map(|(name, increase)| ColumnImportance {
                    column: (*name).to_string(),
                    increase: *increase,
                    interval: None,
                })
                .collect(),
        };
        let both = mean_importance(&[of(&[("a", 0.1), ("b", 0.6)]), of(&[("b", 0.4)])]).unwrap();
        let found: Vec<(&str, f64)> =
            both.columns.iter().map(|found| (found.column.as_str(), found.increase)).collect();
        assert_eq!((both.n_networks, found), (2, vec![("b", 0.5), ("a", 0.05)]));
        // Student's t with one degree of freedom: 12.706 times the standard error 0.1.
        let Interval { low, high } = both.columns[0].interval.unwrap();
        assert!((high - 0.5 - 1.2706).abs() < 1e-3 && (0.5 - low - 1.2706).abs() < 1e-3);
        assert_eq!(mean_importance(&[]), None);
        assert!(mean_importance(&[of(&[("a", 0.1)])]).unwrap().columns[0].interval.is_none());
    }
}
