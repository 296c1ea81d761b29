//! Fitting an encoding on the support rows: what each column becomes, and which columns stay when there are
//! too many.

use super::{EncodedColumn, Encoding, EncodingError, Transform, View, categorical, numeric};
use weightsmith_tasks::{ColumnValues, Level, Schema, Support, Target};

/// How wide an encoding may get.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct EncodingLimits {
    /// At most this many encoded columns, at least 1.
    pub max_columns: usize,
    /// At most this many encoded columns for one categorical column.
    pub max_levels: usize,
}

impl Default for EncodingLimits {
    fn default() -> Self {
        Self { max_columns: 256, max_levels: 30 }
    }
}

/// The two encodings of one support: the same columns in the same order, of the same inputs; only the numbers
/// are seen differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// Numeric columns centred, scaled and smoothly clipped.
    pub standard: Encoding,
    /// Numeric columns mapped to Gaussian ranks.
    pub gaussian_rank: Encoding,
}

impl Fitted {
    /// The encoding of one view.
    pub fn view(&self, view: View) -> &Encoding {
        match view {
            View::Standard => &self.standard,
            View::GaussianRank => &self.gaussian_rank,
        }
    }
}

impl Encoding {
    /// The two encodings of a support.
    ///
    /// Numeric columns that do not vary where they are present get no column for their value; columns that do
    /// not vary at all are dropped, and so are their inputs. Where more than
    /// [`EncodingLimits::max_columns`] are left, those with the highest univariate association with the target
    /// stay: the squared correlation for a number, the correlation ratio η² for classes, both of the
    /// standard view; ties go to the first. Where none is left, one [`Transform::Constant`] of the first input
    /// stays, so that a network exists.
    ///
    /// The order of the rows changes nothing but rounding; the order of the columns only the order of the
    /// encoded columns.
    ///
    /// # Errors
    /// A support without rows or without columns.
    pub fn fit<L: Level>(support: &Support<L>, limits: &EncodingLimits) -> Result<Fitted, EncodingError> {
        let table = support.table();
        if table.n_rows() == 0 {
            return Err(EncodingError::NoRows);
        }
        if table.columns().is_empty() {
            return Err(EncodingError::NoColumns);
        }
        let mut columns: Vec<EncodedColumn> = Vec::new();
        for (source, column) in table.columns().iter().enumerate() {
            let transforms = match &column.values {
                ColumnValues::Numeric(values) => fit_numeric(values),
                ColumnValues::Categorical { levels, codes } => categorical::fit(levels, codes, limits),
            };
            columns.extend(transforms.into_iter().map(|transform| EncodedColumn { source, transform }));
        }
        let max_columns = limits.max_columns.max(1);
        if columns.len() > max_columns {
            columns = most_associated(columns, support, max_columns);
        }
        if columns.is_empty() {
            columns.push(EncodedColumn { source: 0, transform: Transform::Constant });
        }

        let mut inputs = Schema::new();
        let mut last = None;
        for column in &mut columns {
            if last != Some(column.source) {
                let input = &table.columns()[column.source];
                inputs.push((input.name.clone(), input.values.column_type()));
                last = Some(column.source);
            }
            column.source = inputs.len() - 1;
        }
        let standard = Self { reads: inputs.clone(), inputs, columns, texts: Vec::new() };
        let mut gaussian_rank = standard.clone();
        for column in &mut gaussian_rank.columns {
            if let Transform::Standard { .. } = column.transform {
                let (name, _) = &gaussian_rank.inputs[column.source];
                if let Some(ColumnValues::Numeric(values)) = table.column(name).map(|column| &column.values) {
                    column.transform = numeric::fit_gaussian_rank(values);
                }
            }
        }
        Ok(Fitted { standard, gaussian_rank })
    }
}

fn fit_numeric(values: &[f64]) -> Vec<Transform> {
    let n_missing = values.iter().filter(|value| value.is_nan()).count();
    let mut transforms: Vec<Transform> = numeric::fit_standard(values).into_iter().collect();
    if n_missing > 0 && n_missing < values.len() {
        let centre = numeric::settle(n_missing as f64 / values.len() as f64);
        transforms.push(Transform::Missing { centre });
    }
    transforms
}

/// The `n_kept` columns that say most about the target on their own, in their order.
fn most_associated<L: Level>(
    columns: Vec<EncodedColumn>,
    support: &Support<L>,
    n_kept: usize,
) -> Vec<EncodedColumn> {
    let mut encoded = vec![0.0; support.n_rows()];
    let mut ranked: Vec<(f64, usize)> = columns
        .iter()
        .enumerate()
        .map(|(position, column)| {
            let values = &support.table().columns()[column.source].values;
            column.transform.apply(values, |row, value| encoded[row] = value);
            (association(&encoded, support.target()), position)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut keep = vec![false; columns.len()];
    for (_, position) in ranked.into_iter().take(n_kept) {
        keep[position] = true;
    }
    columns.into_iter().zip(keep).filter_map(|(column, keep)| keep.then_some(column)).collect()
}

/// The part of a column's variance that the target explains, rounded so that the order of the rows cannot
/// break a tie.
fn association(encoded: &[f64], target: &Target) -> f64 {
    let n = encoded.len() as f64;
    let mean = encoded.iter().sum::<f64>() / n;
    let total: f64 = encoded.iter().map(|value| (value - mean) * (value - mean)).sum();
    let explained = match target {
        Target::Classes { class_names, labels } => {
            let mut sums = vec![(0.0, 0.0); class_names.len()];
            for (value, &label) in encoded.iter().zip(labels) {
                sums[label].0 += value - mean;
                sums[label].1 += 1.0;
            }
            sums.iter().filter(|(_, count)| *count > 0.0).map(|(sum, count)| sum * sum / count).sum()
        }
        Target::Values(numbers) => {
            let magnitude = numbers.iter().fold(f64::MIN_POSITIVE, |most, number| most.max(number.abs()));
            let centre = numbers.iter().map(|number| number / magnitude).sum::<f64>() / n;
            let (mut product, mut square) = (0.0, 0.0);
            for (value, number) in encoded.iter().zip(numbers) {
                let deviation = number / magnitude - centre;
                product += (value - mean) * deviation;
                square += deviation * deviation;
            }
            if square > 0.0 { product * product / square } else { 0.0 }
        }
    };
    if total > 0.0 { ((explained / total) * 1e10).round() / 1e10 } else { 0.0 }
}
