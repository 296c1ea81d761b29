//! A support as generating reads it: encoded, in an order of its own, seen by views.

use crate::error::GenerateError;
use crate::views::{self, Canonical, View, ViewWeights};
use weightsmith_base_model::{Encoding, EncodingLimits, Fitted, Rows};
use weightsmith_metamodel::{
    EncodedSupport, Generated, HeadRows, Labels, Landmarks, Metamodel, Summary, SupportBatch, find_landmarks,
    limits,
};
use weightsmith_tasks::{Level, Support, Target};

/// A support, encoded in both views, with what its order-free description needs.
pub(crate) struct Reading {
    pub(crate) fitted: Fitted,
    pub(crate) standard: Rows,
    pub(crate) gaussian_rank: Rows,
    pub(crate) is_numeric: Vec<bool>,
    pub(crate) canonical: Canonical,
    /// The labels in the canonical order of classes, or the standardised values.
    pub(crate) labels: Labels,
    /// The encoded columns by content, and the rows by label and content, whatever order they came in.
    pub(crate) columns: Vec<usize>,
    pub(crate) order: Vec<usize>,
    /// The rows that the encoder reads in every view, if not all: what is known of rows is shared between views.
    pub(crate) encoded: Option<Vec<usize>>,
}

impl Reading {
    pub(crate) fn new<L: Level>(support: &Support<L>) -> Result<Self, GenerateError> {
        if support.n_rows() < limits::MIN_SUPPORT {
            return Err(GenerateError::TooFewRows { n_rows: support.n_rows() });
        }
        let encoding_limits =
            EncodingLimits { max_columns: limits::MAX_COLUMNS, ..EncodingLimits::default() };
        let fitted = Encoding::fit(support, &encoding_limits)?;
        let standard = fitted.standard.encode(support.table())?;
        let gaussian_rank = fitted.gaussian_rank.encode(support.table())?;
        let is_numeric = views::numeric_columns(&fitted.standard);
        let canonical = match support.target() {
            Target::Classes { class_names, labels } => {
                let canonical = Canonical::of_classes(&standard, labels, class_names.len());
                match canonical.n_present() {
                    0 | 1 => {
                        return Err(GenerateError::OneClass { class: class_names[labels[0]].clone() });
                    }
                    n_classes if n_classes > limits::MAX_CLASSES => {
                        return Err(GenerateError::TooManyClasses { n_classes });
                    }
                    _ => canonical,
                }
            }
            Target::Values(values) => {
                Canonical::of_values(values).ok_or(GenerateError::ConstantTarget { value: values[0] })?
            }
        };
        let labels = canonical.labels(&View::standard(canonical.n_present().max(1)));
        let columns = views::content_columns(&standard, &labels);
        let order = views::content_order(&standard, &labels, &columns);
        let encoded = views::spread(&order, limits::MAX_ENCODED_ROWS);
        Ok(Self { fitted, standard, gaussian_rank, is_numeric, canonical, labels, columns, order, encoded })
    }

    pub(crate) fn n_outputs(&self) -> usize {
        self.canonical.n_present().max(1)
    }

    /// Whether Gaussian ranks and reflections are views of their own.
    pub(crate) fn distinct_views(&self) -> bool {
        self.is_numeric.iter().any(|numeric| *numeric)
    }

    /// The encoded support, in one of both transforms.
    pub(crate) fn rows_of(&self, gaussian_rank: bool) -> &Rows {
        if gaussian_rank { &self.gaussian_rank } else { &self.standard }
    }

    /// The support as one view sees it.
    pub(crate) fn rows(&self, view: &View) -> (Rows, Labels) {
        let mut rows = self.rows_of(view.gaussian_rank).clone();
        if view.reflected {
            views::reflect(&mut rows, &self.is_numeric);
        }
        (rows, self.canonical.labels(view))
    }

    /// Landmarks of both transforms of the columns, where a view needs them: found once, shared by all views.
    pub(crate) fn landmarks(&self, views: &[View]) -> [Option<Landmarks>; 2] {
        [false, true].map(|gaussian_rank| {
            let view = views.iter().find(|view| view.gaussian_rank == gaussian_rank)?;
            let (rows, labels) = self.encoded_rows(view);
            let found = find_landmarks(&rows, &labels);
            Some(if view.is_negated() { found.negated() } else { found })
        })
    }

    /// The rows that the encoder reads, as one view sees them.
    pub(crate) fn encoded_rows(&self, view: &View) -> (Rows, Labels) {
        let (rows, labels) = self.rows(view);
        match &self.encoded {
            Some(picked) => views::select(&rows, &labels, picked),
            None => (rows, labels),
        }
    }

    /// Whether the support is of a size that metamodels are trained on.
    pub(crate) fn is_usual(&self) -> bool {
        self.standard.n_rows <= limits::MAX_ENCODED_ROWS && self.n_outputs() <= limits::USUAL_CLASSES
    }

    /// What the metamodel makes of a group of views, and what its head is solved on.
    pub(crate) fn summarise<L: Level>(
        &self,
        metamodel: &Metamodel,
        group: &[View],
        landmarks: &[Option<Landmarks>; 2],
    ) -> (Summary<L>, HeadRows<L>) {
        let device = metamodel.device();
        let encoded: Vec<EncodedSupport<L>> = group
            .iter()
            .map(|view| {
                let found =
                    landmarks[usize::from(view.gaussian_rank)].as_ref().expect("found for every view");
                let own = if view.is_negated() { &found.negated() } else { found };
                let (rows, labels) = self.encoded_rows(view);
                EncodedSupport::with_landmarks(rows, labels, &self.is_numeric, own)
            })
            .collect();
        let batch = SupportBatch::new(&encoded.iter().collect::<Vec<_>>(), &device);
        let summary = metamodel.summarise(&batch);
        let head = if encoded[0].n_rows() == self.standard.n_rows {
            batch.head
        } else {
            let seen: Vec<(Rows, Labels)> = group.iter().map(|view| self.rows(view)).collect();
            let all: Vec<_> = seen
                .iter()
                .zip(&encoded)
                .map(|((rows, labels), e)| (rows, labels, e.log_strength()))
                .collect();
            HeadRows::new(&all, &device)
        };
        (summary, head)
    }

    /// The weights and left-out outputs of a group of views, in the table's own classes or unit.
    pub(crate) fn collect<L: Level>(&self, group: &[View], generated: &Generated<L>) -> Vec<ViewWeights> {
        let left_out = generated.info.left_out.as_ref().map(|outputs| {
            outputs
                .clone()
                .into_data_as::<f32>()
                .try_into_vec::<f32>()
                .expect("the data was converted to f32")
        });
        let size = self.standard.n_rows * self.n_outputs();
        group
            .iter()
            .enumerate()
            .map(|(idx, view)| {
                let mut weights = generated.weights.to_host(idx);
                if view.reflected {
                    views::reflect_weights(&mut weights, &self.is_numeric);
                }
                let of_view = left_out.as_ref().and_then(|all| all.get(idx * size..(idx + 1) * size));
                let left_out = of_view.map_or(vec![], <[f32]>::to_vec);
                self.canonical.restore(view, weights, left_out)
            })
            .collect()
    }

    /// Classes as they are, values in standard deviations from their mean, as a network's outputs are.
    pub(crate) fn standardised_target(&self, target: &Target) -> Target {
        match (target, self.canonical.unit()) {
            (Target::Values(values), Some(unit)) => {
                Target::Values(values.iter().map(|value| unit.standardised(*value)).collect())
            }
            _ => target.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::{Column, ColumnValues, Table};

    #[test]
    fn all_views_encode_the_same_rows() {
        let n_rows = limits::MAX_ENCODED_ROWS + 100;
        let values = (0..n_rows).map(|row| (row * 7919 % 1009) as f64).collect();
        let column = Column { name: "x".into(), values: ColumnValues::Numeric(values) };
        let table = Table::new(n_rows, vec![column]).unwrap();
        let classes = Target::Classes {
            class_names: vec!["a".into(), "b".into(), "c".into()],
            labels: (0..n_rows).map(|row| row * 31 % 7 % 3).collect(),
        };
        let numbers = Target::Values((0..n_rows).map(|row| (row * 104_729 % 997) as f64).collect());
        for target in [classes, numbers] {
            let support: Support = Support::new(table.clone(), target).unwrap();
            let read = Reading::new(&support).unwrap();
            let mut first = None;
            for view in read.canonical.views(8, true, read.n_outputs()) {
                let (mut rows, _) = read.encoded_rows(&view);
                assert_eq!(rows.n_rows, limits::MAX_ENCODED_ROWS);
                if view.reflected {
                    views::reflect(&mut rows, &read.is_numeric);
                }
                if !view.gaussian_rank {
                    assert_eq!(first.get_or_insert_with(|| rows.clone()), &rows, "{view:?}");
                }
            }
        }
    }
}
