//! One split of a table as a method and a scorer see it.
//!
//! The method reads the support rows and knows the classes that occur among them, no other. The scorer knows the
//! classes of the whole table; a class that the support lacks gets probability 0.

use crate::methods::Predictor;
use crate::methods::ReferenceError;
use crate::metrics::{MIN_PROBABILITY, Scores, classification_scores, regression_scores};
use crate::splits::Split;
use crate::statistics::standard_deviation;
use weightsmith_base_model::{BaseModel, EncodingError, Predicted, Predictions, as_written};
use weightsmith_datasets::Labelled;
use weightsmith_tasks::{Column, Support, Table, Target, Task};
use weightsmith_training::RIGHT_WITHIN;

/// Support rows to learn from, query rows to be scored on.
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
        let (target, truth) = Self::labels(&labelled.target, split)?;
        let support = Support::new(labelled.table.select(&split.support), target)
            .expect("rows and labels come from one table");
        Some(Self { support, query: labelled.table.select(&split.query), truth })
    }

    /// The labels of the support rows, and what is true of the query rows; none if the former are all of one class.
    fn labels(target: &Target, split: &Split) -> Option<(Target, Truth)> {
        Some(match target {
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
        })
    }

    /// The first `n_support` support rows of a task and all of its query rows; none if these support rows are all of one class.
    pub fn of_task(task: &Task, n_support: usize) -> Option<Self> {
        let (support, query) = (task.support(), task.query());
        let rows: Vec<usize> = (0..n_support.min(support.n_rows())).collect();
        let join = |own: &Target, other: &Target| match (own, other) {
            (Target::Classes { class_names, labels: a }, Target::Classes { labels: b, .. }) => {
                Target::Classes { class_names: class_names.clone(), labels: [a.as_slice(), b].concat() }
            }
            (Target::Values(a), Target::Values(b)) => Target::Values([a.as_slice(), b].concat()),
            _ => unreachable!("support and query are of one task"),
        };
        let all = join(&support.target().select(&rows), query.target());
        let split = Split { support: rows.clone(), query: (rows.len()..all.len()).collect() };
        let (target, truth) = Self::labels(&all, &split)?;
        let own =
            Support::new(support.table().select(&rows), target).expect("rows and labels come from one task");
        Some(Self { support: own, query: query.table().clone(), truth })
    }

    /// The rows to learn from.
    pub fn support(&self) -> &Support {
        &self.support
    }

    /// The same rows to be scored on, with other rows to learn from: some of its own, of the same classes, with some of the columns.
    ///
    /// # Panics
    /// If it has a column that was not there.
    pub(crate) fn with_support(self, support: Support) -> Self {
        let place = |column: &Column| {
            let found = self.query.columns().iter().position(|own| own.name == column.name);
            found.expect("the columns are some of those that were there")
        };
        let places: Vec<usize> = support.table().columns().iter().map(place).collect();
        Self { query: self.query.select_columns(&places), support, truth: self.truth }
    }

    /// The number of rows to be scored on.
    pub fn n_query(&self) -> usize {
        self.query.n_rows()
    }

    /// The rows to be scored on.
    pub fn query(&self) -> &Table {
        &self.query
    }

    /// How good a model that was made from [`Problem::support`] is on the query rows.
    ///
    /// # Errors
    /// A model that was made from another table.
    pub fn score(&self, predictor: &Predictor) -> Result<Scores, ReferenceError> {
        let predictions = predictor.predict(&self.query)?;
        Ok(self.scores(&predictions, predictor.residual_std()))
    }

    /// [`Problem::score`] of predictions of the query rows; `std` is the standard deviation of errors that a regression
    /// predicts.
    ///
    /// # Panics
    /// If the predictions are not of this problem's kind.
    pub fn scores(&self, predictions: &Predictions, std: Option<f32>) -> Scores {
        match (&self.truth, predictions.predicted()) {
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
                regression_scores(predicted, std.map(f64::from), values)
            }
            _ => unreachable!("a model predicts what its support's target is"),
        }
    }

    /// The labels of the query rows as text, those of classes that the support lacks too.
    pub(crate) fn query_labels(&self, class_names: &[String]) -> Vec<String> {
        match &self.truth {
            Truth::Classes { labels, .. } => {
                let mut in_order = class_names.to_vec();
                in_order.sort();
                labels.iter().map(|&label| in_order[label].clone()).collect()
            }
            Truth::Values(values) => values.iter().map(ToString::to_string).collect(),
        }
    }

    /// The labels of the support rows as text.
    pub(crate) fn support_labels(&self) -> Vec<String> {
        match self.support.target() {
            Target::Classes { class_names, labels } => {
                labels.iter().map(|&label| class_names[label].clone()).collect()
            }
            Target::Values(values) => values.iter().map(ToString::to_string).collect(),
        }
    }

    /// What is true of the query rows, as a model of the support can say it.
    pub(crate) fn wanted(&self) -> Wanted {
        match &self.truth {
            Truth::Classes { labels, of_support, .. } => {
                let place = |label: &usize| of_support.iter().position(|class| class == label);
                Wanted::Classes(labels.iter().map(place).collect())
            }
            Truth::Values(values) => Wanted::Values(values.clone()),
        }
    }

    /// What predictions of support and query get right, and their loss.
    ///
    /// # Panics
    /// If the predictions are not of this problem's kind.
    pub fn count(&self, support: &Predictions, query: &Predictions) -> Counts {
        let (own, within) = match self.support.target() {
            Target::Classes { labels, .. } => {
                (Wanted::Classes(labels.iter().map(|&label| Some(label)).collect()), 0.0)
            }
            Target::Values(values) => {
                (Wanted::Values(values.clone()), f64::from(RIGHT_WITHIN) * standard_deviation(values))
            }
        };
        Counts { support: own.count(support, within), query: self.wanted().count(query, within) }
    }

    /// [`Problem::count`] of whatever predicts.
    ///
    /// # Errors
    /// A model that was made from another table.
    pub fn count_of(&self, predictor: &Predictor) -> Result<Counts, ReferenceError> {
        Ok(self.count(&predictor.predict(self.support.table())?, &predictor.predict(&self.query)?))
    }

    /// [`Problem::count`] of a network.
    ///
    /// # Errors
    /// A network that was made from another table.
    pub fn count_network(&self, model: &BaseModel) -> Result<Counts, EncodingError> {
        Ok(self.count(&model.predict(self.support.table())?, &model.predict(&self.query)?))
    }
}

/// What is true of rows, as a model can say it.
pub(crate) enum Wanted {
    /// A place among the model's classes for each row; none for a class that it does not know.
    Classes(Vec<Option<usize>>),
    /// A value for each row.
    Values(Vec<f64>),
}

impl Wanted {
    /// `within` is the error up to which a value is right.
    pub(crate) fn count(&self, predictions: &Predictions, within: f64) -> Count {
        match self {
            Self::Classes(labels) => classes_right(predictions, labels),
            Self::Values(values) => values_right(predictions, values, within),
        }
    }
}

/// Rows that are right, and the loss.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Count {
    /// The share of rows whose most probable class is right, or whose value is within half a standard deviation of the
    /// support rows' target.
    pub right: f64,
    /// The log-loss, or the root mean squared error.
    pub loss: f64,
}

/// [`Count`] of support and query.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Counts {
    /// The rows that were learned from.
    pub support: Count,
    /// The others.
    pub query: Count,
}

fn classes_right(predictions: &Predictions, labels: &[Option<usize>]) -> Count {
    let n = labels.len() as f64;
    let found = predictions.labels().unwrap_or_default();
    let n_right = found.iter().zip(labels).filter(|(found, label)| Some(**found) == **label).count();
    let rows = predictions.probabilities().into_iter().flatten();
    let loss = |(row, label): (&[f32], &Option<usize>)| {
        let own = label.map_or(0.0, |label| f64::from(row[label]));
        -own.max(MIN_PROBABILITY).ln()
    };
    Count { right: n_right as f64 / n, loss: rows.zip(labels).map(loss).sum::<f64>() / n }
}

fn values_right(predictions: &Predictions, values: &[f64], within: f64) -> Count {
    let n = values.len() as f64;
    let predicted = predictions.values().unwrap_or_default();
    let errors = || predicted.iter().zip(values).map(|(found, value)| (found - value).abs());
    let n_right = errors().filter(|error| *error <= within).count();
    Count { right: n_right as f64 / n, loss: (errors().map(|error| error * error).sum::<f64>() / n).sqrt() }
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
            ids: vec![],
            notes: vec![],
        }
    }

    #[test]
    fn the_method_does_not_know_classes_it_has_not_seen() {
        let table = labelled(vec![0, 2, 0, 2, 0, 2, 0, 2, 1, 0]);
        let split = Split { support: (0..8).collect(), query: vec![8, 9] };
        let problem = Problem::new(&table, &split).unwrap();
        let Target::Classes { class_names, labels } = problem.support().target() else { panic!() };
        assert_eq!((class_names.join(""), labels[1]), ("ac".to_string(), 1));
        let model = fit_linear(problem.support(), Seed(0)).unwrap();
        let scores = problem.score(&Predictor::Network(Box::new(model))).unwrap();
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
