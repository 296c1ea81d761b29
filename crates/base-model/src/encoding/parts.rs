//! The checks an encoding passes before it is used, whoever wrote it.

use super::{EncodedColumn, Encoding, EncodingError, Transform};
use crate::text::TextColumn;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use weightsmith_tasks::{ColumnType, Schema};

/// An encoding as a file tells it, not checked yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EncodingParts {
    inputs: Schema,
    columns: Vec<EncodedColumn>,
    #[serde(default)]
    texts: Vec<TextColumn>,
}

impl TryFrom<EncodingParts> for Encoding {
    type Error = EncodingError;

    fn try_from(parts: EncodingParts) -> Result<Self, EncodingError> {
        let n_texts = parts.texts.len();
        let encoding = Self::new(parts.inputs, parts.columns)?.with_texts(&parts.texts)?;
        if encoding.texts.len() < n_texts {
            return Err(EncodingError::Invalid {
                reason: "no input is made of a column of text".to_string(),
            });
        }
        Ok(encoding)
    }
}

/// What a table has to have: the inputs, with a column of text in place of those that it becomes.
pub(super) fn reads(inputs: &Schema, texts: &[TextColumn]) -> Result<Schema, EncodingError> {
    let invalid = |reason: String| EncodingError::Invalid { reason };
    let mut maker: HashMap<&str, &str> = HashMap::new();
    for text in texts {
        let name = &text.column;
        if let Some(problem) = text.problem() {
            return Err(invalid(format!("text \"{name}\": {problem}")));
        }
        if texts.iter().filter(|other| other.column == *name).count() > 1
            || inputs.iter().any(|(input, _)| input == name)
        {
            return Err(invalid(format!("\"{name}\" is read twice")));
        }
        for made in text.made() {
            if maker.insert(made, name).is_some() {
                return Err(invalid(format!("\"{made}\" is made of two columns of text")));
            }
        }
    }
    let mut reads = Schema::new();
    for (name, column_type) in inputs {
        match maker.get(name.as_str()) {
            None => reads.push((name.clone(), *column_type)),
            Some(_) if *column_type != ColumnType::Numeric => {
                return Err(invalid(format!("\"{name}\" is made of text, and no number")));
            }
            Some(text) if reads.iter().all(|(read, _)| read != text) => {
                reads.push(((*text).to_string(), ColumnType::Categorical));
            }
            Some(_) => {}
        }
    }
    Ok(reads)
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
