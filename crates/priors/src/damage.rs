//! What happens to columns on their way into a file: units, rounding, outliers, missing cells.

use crate::config::ColumnShares;
use crate::cover::cover_column;
use crate::draw::Draw;
use crate::math;
use crate::observe::Shown;
use crate::plan::Kind;
use weightsmith_tasks::{Column, ColumnValues};

/// The finished columns, in the order of the rows; `support` are the rows that will be the support.
pub(crate) fn finish(
    shown: Vec<Shown>,
    support: &[usize],
    shares: &ColumnShares,
    draw: &mut Draw<'_>,
) -> Vec<Column> {
    let outliers =
        if draw.chance(shares.outlier_tables) { f64::from(draw.log_uniform(0.002, 0.02)) } else { 0.0 };
    let rounded = if draw.chance(shares.rounded_tables) { f64::from(draw.uniform(0.2, 1.0)) } else { 0.0 };
    let missing_rate = draw.log_uniform(0.01, 0.3);
    let masks: Vec<Option<Vec<bool>>> = (0..shown.len())
        .map(|column_idx| {
            (shown[column_idx].column.missing && support.len() >= 8)
                .then(|| missing_cells(&shown, column_idx, missing_rate, draw))
        })
        .collect();
    shown
        .into_iter()
        .zip(masks)
        .enumerate()
        .map(|(column_idx, (column, mask))| {
            let hidden = |row: usize| mask.as_ref().is_some_and(|mask| mask[row]);
            let mut values = match column.column.kind {
                Kind::Categorical { n_levels, .. } => {
                    let names = draw.permutation(n_levels);
                    let codes = column.values.iter().enumerate();
                    ColumnValues::Categorical {
                        levels: (0..n_levels).map(|level| format!("level_{level}")).collect(),
                        codes: codes
                            .map(|(row, &code)| (!hidden(row)).then(|| names[code as usize] as u32))
                            .collect(),
                    }
                }
                kind => {
                    let mut numbers = if kind == Kind::Numeric {
                        measure(column.values, outliers, rounded, draw)
                    } else {
                        column.values.iter().map(|&value| f64::from(value)).collect()
                    };
                    if mask.is_some() {
                        for (row, number) in numbers.iter_mut().enumerate() {
                            if hidden(row) {
                                *number = f64::NAN;
                            }
                        }
                    }
                    ColumnValues::Numeric(numbers)
                }
            };
            cover_column(&mut values, support, mask.is_some(), draw);
            Column { name: format!("x{column_idx}"), values }
        })
        .collect()
}

/// A measurement in some unit, with its outliers and its rounding.
fn measure(mut values: Vec<f32>, outliers: f64, rounded: f64, draw: &mut Draw<'_>) -> Vec<f64> {
    let (mean, deviation) = math::moments(&values);
    let deviation = deviation.max(1e-6);
    if outliers > 0.0 && draw.chance(0.6) {
        for value in &mut values {
            if draw.chance(outliers) {
                let distance = draw.uniform(4.0, 20.0) * if draw.chance(0.7) { 1.0 } else { -1.0 };
                *value = mean + distance * deviation;
            }
        }
    }
    let unit = f64::from(draw.pick(&[1.0f32, 1.0, 0.01, 0.1, 10.0, 100.0, 1000.0]))
        * f64::from(draw.uniform(0.5, 2.0));
    let shift = if draw.chance(0.6) { unit * f64::from(draw.uniform(-5.0, 20.0) * deviation) } else { 0.0 };
    // Besides the coarse rounding that costs information, half of all instruments have a finest mark.
    let coarse = draw.chance(rounded);
    if coarse || draw.chance(0.5) {
        let marks = if coarse { draw.log_uniform(0.02, 1.0) } else { draw.log_uniform(0.002, 0.05) };
        let step = unit * f64::from(deviation * marks);
        values.iter().map(|&value| ((f64::from(value) * unit + shift) / step).round() * step).collect()
    } else {
        values.iter().map(|&value| f64::from(value) * unit + shift).collect()
    }
}

/// Which cells of a column are missing: at random, above or below a value of this column or of another.
fn missing_cells(shown: &[Shown], column_idx: usize, table_rate: f32, draw: &mut Draw<'_>) -> Vec<bool> {
    let rate = (table_rate * draw.uniform(0.4, 1.6)).clamp(0.01, 0.3);
    let n_rows = shown[column_idx].input.len();
    let cause = match draw.below(4) {
        0 | 1 => None,
        2 => Some(column_idx),
        _ => Some(draw.below(shown.len())),
    };
    let Some(cause) = cause else {
        return (0..n_rows).map(|_| draw.chance(f64::from(rate))).collect();
    };
    // The sigmoid of a normal score with this slope has about the mean `rate`.
    let slope = draw.uniform(0.8, 2.5) * draw.sign();
    let base = (math::ln(rate / (1.0 - rate))) * (1.0 + 0.35 * slope * slope).sqrt();
    let causes = &shown[cause].input;
    causes.iter().map(|cause| draw.chance(f64::from(math::sigmoid(base + slope * cause)).min(0.9))).collect()
}
