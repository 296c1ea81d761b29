//! One split of a table as an arm and a scorer see it.
//!
//! The arm reads the support rows and knows the classes that occur among them, no other. The scorer knows the
//! classes of the whole table; a class that the support lacks gets probability 0.

use crate::files::as_written;
use crate::metrics::{Scores, classification_scores, regression_scores};
use crate::splits::Split;
use weightsmith_base_model::{BaseModel, EncodingError, Predicted};
use weightsmith_datasets::Labelled;
use weightsmith_tasks::{Support, Table, Target};

/// Short rows to learn from, long rows to be scored on.
#[derive(Clone, Debug)]
pub struct Problem {
    support: Support,
    query: Table,
    truth: Truth,
}

/// What is true of the query rows. Classes are numbered in the order of their text, in which the outside scorer adds
/// probabilities up.
#[derive(Clone, Debug)]
enum Truth {
    Classes { labels: Vec<usize>, n_classes: usize, of_support: Vec<usize> },
    Values(Vec<f64>),
}

impl Problem {
    /// A split of a table; none if its support rows are all of one class, so that nobody can be scored.
    pub fn new(labelled: &Labelled, split: &Split) -> Option<Self> {
        let (target, truth) = match &labelled.target {
            Target::Classes { class_names, labels } => {
                let of_support = present(labels, &split.support, class_names.len());
                if of_support.len() < 2 {
                    return None;
                }
                let place = |&row: &usize| {
                    of_support.binary_search(&labels[row]).expect("every class of the support is present")
                };
                let target = Target::Classes {
                    class_names: of_support.iter().map(|&class| class_names[class].clone()).collect(),
                    labels: split.support.iter().map(place).collect(),
                };
                let ranks = text_ranks(class_names);
                let labels = split.query.iter().map(|&row| ranks[labels[row]]).collect();
                let of_support = of_support.into_iter().map(|class| ranks[class]).collect();
                (target, Truth::Classes { labels, n_classes: class_names.len(), of_support })
            }
            Target::Values(values) => {
                let pick = |rows: &[usize]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
                (Target::Values(pick(&split.support)), Truth::Values(pick(&split.query)))
            }
        };
        let support = Support::new(labelled.table.select(&split.support), target)
            .expect("rows and labels come from one table");
        Some(Self { support, query: labelled.table.select(&split.query), truth })
    }

    /// The rows to learn from.
    pub fn support(&self) -> &Support {
        &self.support
    }

    /// The number of rows to be scored on.
    pub fn n_query(&self) -> usize {
        self.query.n_rows()
    }

    /// How good a model that was made from [`Problem::support`] is on the query rows.
    ///
    /// # Errors
    /// A model that was made from another table.
    pub fn score(&self, model: &BaseModel) -> Result<Scores, EncodingError> {
        let predictions = model.predict(&self.query)?;
        Ok(match (&self.truth, predictions.predicted()) {
            (
                Truth::Classes { labels, n_classes, of_support },
                Predicted::Probabilities { n_classes: n_own, values },
            ) => {
                let mut probabilities = vec![0.0; labels.len() * n_classes];
                for (row, own) in probabilities.chunks_exact_mut(*n_classes).zip(values.chunks_exact(*n_own))
                {
                    of_support.iter().zip(own).for_each(|(&class, &p)| row[class] = as_written(p));
                }
                classification_scores(&probabilities, *n_classes, labels)
            }
            (Truth::Values(values), Predicted::Values(predicted)) => {
                let predicted: Vec<f64> = predicted.iter().map(|&value| as_written(value)).collect();
                let std = model.expected.as_ref().and_then(|expected| expected.residual_std);
                regression_scores(&predicted, std.map(f64::from), values)
            }
            _ => unreachable!("a model predicts what its support's target is"),
        })
    }
}

/// The classes of some rows, in ascending order.
fn present(labels: &[usize], rows: &[usize], n_classes: usize) -> Vec<usize> {
    let mut occurs = vec![false; n_classes];
    rows.iter().for_each(|&row| occurs[labels[row]] = true);
    (0..n_classes).filter(|&class| occurs[class]).collect()
}

/// The place of every name among the names in the order of their text.
fn text_ranks(names: &[String]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&class| &names[class]);
    let mut ranks = vec![0; names.len()];
    order.into_iter().enumerate().for_each(|(rank, class)| ranks[class] = rank);
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metric;
    use weightsmith_tasks::{Column, ColumnValues, Seed};
    use weightsmith_training::fit_linear;

    fn labelled(labels: Vec<usize>) -> Labelled {
        let values =
            labels.iter().enumerate().map(|(row, label)| *label as f64 + 0.01 * row as f64).collect();
        let column = Column { name: "x".into(), values: ColumnValues::Numeric(values) };
        Labelled {
            name: "t".into(),
            table: Table::new(labels.len(), vec![column]).unwrap(),
            target: Target::Classes { class_names: ["a", "b", "c"].map(String::from).to_vec(), labels },
        }
    }

    #[test]
    fn the_arm_does_not_know_classes_it_has_not_seen() {
        let table = labelled(vec![0, 2, 0, 2, 0, 2, 0, 2, 1, 0]);
        let split = Split { support: (0..8).collect(), query: vec![8, 9] };
        let problem = Problem::new(&table, &split).unwrap();
        let Target::Classes { class_names, labels } = problem.support().target() else { panic!() };
        assert_eq!((class_names.join(""), labels[1]), ("ac".to_string(), 1));
        let model = fit_linear(problem.support(), Seed(0)).unwrap();
        let scores = problem.score(&model).unwrap();
        // The unseen class of one of two rows costs -ln(1e-6) / 2 = 6.9; the other row is easy.
        assert!((6.8..7.5).contains(&scores.get(Metric::LogLoss).unwrap()), "{scores:?}");
        assert_eq!(scores.get(Metric::Accuracy), Some(0.5));
    }

    #[test]
    fn classes_are_ranked_by_their_text() {
        assert_eq!(text_ranks(&["2", "9", "10", "-1"].map(String::from)), [2, 3, 1, 0]);
    }

    #[test]
    fn one_class_is_no_problem_to_score() {
        let table = labelled(vec![0, 0, 0, 1]);
        assert!(Problem::new(&table, &Split { support: vec![0, 1, 2], query: vec![3] }).is_none());
    }
}
