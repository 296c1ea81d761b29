//! The shape of a hidden unit: a clipped ReLU, from foot to shoulder, along a standardised direction.

use burn::tensor::{Tensor, activation};

/// Added to the variance of a direction before it is standardised.
const DIRECTION_FLOOR: f32 = 1e-6;
/// Added to the variance of a hidden unit before it is standardised, so that a unit that few rows switch on does not
/// explode.
pub const UNIT_FLOOR: f32 = 0.05;

/// Numbers with mean 0 and variance 1 over the rows.
pub struct Standardised {
    /// `[n_tasks, n_rows, n_units]`.
    pub values: Tensor<3>,
    /// `[n_tasks, 1, n_units]`.
    pub mean: Tensor<3>,
    /// `[n_tasks, 1, n_units]`.
    pub scale: Tensor<3>,
}

/// Takes mean and standard deviation off `[n_tasks, n_rows, n_units]`.
pub fn standardised(before: Tensor<3>, variance_floor: f32) -> Standardised {
    let mean = before.clone().mean_dim(1);
    let centred = before - mean.clone();
    let scale = ((centred.clone() * centred.clone()).mean_dim(1) + variance_floor).sqrt();
    Standardised { values: centred / scale.clone(), mean, scale }
}

/// ClippedRelus along directions: what a unit token stands for.
#[derive(Clone, Debug)]
pub(crate) struct ClippedRelus {
    /// Of any length: `[n_tasks, n_units, n_columns]`.
    pub(crate) directions: Tensor<3>,
    /// Shift of each standardised pre-activation: `[n_tasks, n_units]`.
    pub(crate) shifts: Tensor<2>,
    /// From foot to shoulder: `[n_tasks, n_units]`.
    pub(crate) widths: Tensor<2>,
}

/// ClippedRelus on rows, standardised before and after.
pub(crate) struct ClippedRelusOnRows {
    pub(crate) before: Standardised,
    pub(crate) units: Standardised,
}

impl ClippedRelus {
    /// What the clipped ReLUs make of `[n_tasks, n_rows, n_columns]`.
    pub(crate) fn on(&self, rows: Tensor<3>) -> ClippedRelusOnRows {
        let before = standardised(rows.matmul(self.directions.clone().transpose()), DIRECTION_FLOOR);
        let units = clipped_relu(before.values.clone() + by_row(&self.shifts), by_row(&self.widths));
        ClippedRelusOnRows { before, units: standardised(units, UNIT_FLOOR) }
    }
}

/// Numbers of units, for every row: `[n_tasks, 1, n_units]`.
pub(crate) fn by_row(numbers: &Tensor<2>) -> Tensor<3> {
    numbers.clone().unsqueeze_dim(1)
}

/// Slope of a clipped ReLU of some width: about 1 / width for a narrow one, which so is a step of height 1, and about 1 for a
/// wide one, which so is a ReLU.
pub(crate) fn slope(width: Tensor<3>) -> Tensor<3> {
    width.recip() + 1.0
}

/// 0 below 0, rising along [`slope`] over the width, then level: the difference of two ReLU units.
fn clipped_relu(x: Tensor<3>, width: Tensor<3>) -> Tensor<3> {
    (activation::relu(x.clone()) - activation::relu(x - width.clone())) * slope(width)
}
