//! The checks an encoding passes before it is used, whoever wrote it.

use super::{EncodedColumn, Encoding, EncodingError, Transform};
use serde::Deserialize;
use std::collections::HashSet;
use weightsmith_tasks::Schema;

/// An encoding as a file tells it, not checked yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EncodingParts {
    inputs: Schema,
    columns: Vec<EncodedColumn>,
}

impl TryFrom<EncodingParts> for Encoding {
    type Error = EncodingError;

    fn try_from(parts: EncodingParts) -> Result<Self, EncodingError> {
        Self::new(parts.inputs, parts.columns)
    }
}

pub(super) fn check(inputs: &Schema, columns: &[EncodedColumn]) -> Result<(), EncodingError> {
    let invalid = |reason: String| Err(EncodingError::Invalid { reason });
    let mut names = HashSet::new();
    if let Some((name, _)) = inputs.iter().find(|(name, _)| !names.insert(name.as_str())) {
        return invalid(format!("two inputs are called \"{name}\""));
    }
    if columns.is_empty() {
        return invalid("it has no column".to_string());
    }
    for (position, column) in columns.iter().enumerate() {
        let Some((name, column_type)) = inputs.get(column.source) else {
            return invalid(format!("column {position} reads input {} of {}", column.source, inputs.len()));
        };
        if column.transform.reads().is_some_and(|reads| reads != *column_type) {
            return invalid(format!("column {position} reads \"{name}\" as the other type"));
        }
        if let Some(reason) = wrong_numbers(&column.transform) {
            return invalid(format!("column {position}, of \"{name}\": {reason}"));
        }
    }
    Ok(())
}

fn wrong_numbers(transform: &Transform) -> Option<&'static str> {
    match transform {
        Transform::Standard { centre, scale } => (!(centre.is_finite() && scale.is_finite() && *scale > 0.0))
            .then_some("centre and scale must be finite, and the scale above 0"),
        Transform::GaussianRank { knots } => {
            let finite = knots.iter().flatten().all(|number| number.is_finite());
            let ascending = knots.windows(2).all(|pair| pair[0][0] < pair[1][0]);
            (knots.is_empty() || !finite || !ascending)
                .then_some("knots must be finite, at least one, and their values ascending")
        }
        Transform::Missing { centre }
        | Transform::Level { centre, .. }
        | Transform::OtherLevel { centre, .. }
        | Transform::MissingLevel { centre } => {
            (!(0.0..=1.0).contains(centre)).then_some("a share must lie between 0 and 1")
        }
        Transform::Constant => None,
    }
}
