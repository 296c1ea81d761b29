//! The hidden units that variable projection trains, and their place in the flat point that the minimiser moves.

use super::LogStrengths;
use super::algebra::{matrix, numbers};
use burn::tensor::Tensor;
use weightsmith_base_model::HostLayer;

/// Hidden units.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Units {
    /// `[n_units, n_columns]`.
    pub(super) weight: Vec<f64>,
    /// `[n_units]`.
    pub(super) bias: Vec<f64>,
    /// How far a ramp rises, `[n_units]`; none for ReLU units.
    pub(super) width: Option<Vec<f64>>,
}

/// Where on a unit's line a row is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Below the foot, or nowhere: what is no number counts as 0.
    Off,
    /// Where the unit rises with what it is of.
    Rising,
    /// Above the shoulder of a clipped ReLU.
    Level,
}

/// How a point is read: weights, biases, logarithms of widths if there are any, two logarithms of strengths.
pub(super) struct Layout {
    pub(super) n_units: usize,
    pub(super) n_columns: usize,
    pub(super) is_ramp: bool,
}

impl Units {
    /// Ramps, where the second half of the layer repeats the directions of the first (feet, then shoulders below them), as
    /// generated layers do; ReLU units otherwise.
    pub(super) fn of(layer: &HostLayer) -> Self {
        let double = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect::<Vec<f64>>();
        let m = layer.bias.len() / 2;
        let (weight, bias) = (&layer.weight.values, &layer.bias);
        let (first, second) = weight.split_at(m * layer.weight.n_columns);
        let widths: Vec<f64> =
            bias.iter().zip(&bias[m..]).map(|(foot, shoulder)| f64::from(foot - shoulder)).collect();
        if m > 0 && first == second && widths.iter().all(|width| *width > 0.0) {
            return Self { weight: double(first), bias: double(&bias[..m]), width: Some(widths) };
        }
        Self { weight: double(weight), bias: double(bias), width: None }
    }

    pub(super) fn n_units(&self) -> usize {
        self.bias.len()
    }

    /// Where rows are on every unit, `[n_rows, n_units]` as what the units are of.
    pub(super) fn pieces(&self, before: &[f64]) -> Vec<Piece> {
        let m = self.n_units();
        let piece = |(at, &before): (usize, &f64)| match &self.width {
            _ if before <= 0.0 || before.is_nan() => Piece::Off,
            Some(width) if before > width[at % m] => Piece::Level,
            _ => Piece::Rising,
        };
        before.iter().enumerate().map(piece).collect()
    }

    /// What the units make of a row, of what they are of and the pieces that it is on.
    pub(super) fn on<'a>(&'a self, before: &'a [f64], pieces: &'a [Piece]) -> impl Iterator<Item = f64> + 'a {
        let width = |at: usize| self.width.as_ref().map_or(0.0, |width| width[at]);
        before.iter().zip(pieces).enumerate().map(move |(at, (before, piece))| match piece {
            Piece::Off => 0.0,
            Piece::Rising => *before,
            Piece::Level => width(at),
        })
    }
}

impl Layout {
    /// Where `units` and their strengths lie.
    pub(super) fn point(&self, units: &Units, strengths: LogStrengths) -> Vec<f64> {
        let mut point = units.weight.clone();
        point.extend_from_slice(&units.bias);
        point.extend(units.width.iter().flatten().map(|width| width.ln()));
        point.extend([strengths.units, strengths.inputs]);
        point
    }

    /// The units and the logarithms of the strengths at a point.
    pub(super) fn read(&self, point: &[f64]) -> (Units, LogStrengths) {
        let (weight, rest) = point.split_at(self.n_units * self.n_columns);
        let (bias, rest) = rest.split_at(self.n_units);
        let (width, strengths) = rest.split_at(if self.is_ramp { self.n_units } else { 0 });
        let width = self.is_ramp.then(|| width.iter().map(|log| log.exp()).collect());
        let units = Units { weight: weight.to_vec(), bias: bias.to_vec(), width };
        (units, LogStrengths { units: strengths[0], inputs: strengths[1] })
    }

    /// Writes the gradient from slopes `[n_rows, n_units]` with respect to what the units make of the rows.
    pub(super) fn write(
        &self,
        units: &Units,
        pieces: &[Piece],
        mut slopes: Vec<f64>,
        rows: &Tensor<2>,
        of_strengths: [f64; 2],
        gradient: &mut [f64],
    ) {
        let (m, d) = (self.n_units, self.n_columns);
        let (of_weight, rest) = gradient.split_at_mut(m * d);
        let (of_bias, rest) = rest.split_at_mut(m);
        let (of_width, strengths) = rest.split_at_mut(if self.is_ramp { m } else { 0 });
        of_bias.fill(0.0);
        of_width.fill(0.0);
        for (pieces, slopes) in pieces.chunks_exact(m).zip(slopes.chunks_exact_mut(m)) {
            if let Some(width) = &units.width {
                let units = pieces.iter().zip(width).zip(slopes.iter_mut().zip(&mut *of_width));
                for ((piece, width), (slope, of_width)) in units {
                    if *piece == Piece::Level {
                        *of_width += *slope * width;
                    }
                }
            }
            for ((piece, slope), of_bias) in pieces.iter().zip(slopes.iter_mut()).zip(&mut *of_bias) {
                if *piece != Piece::Rising {
                    *slope = 0.0;
                }
                *of_bias += *slope;
            }
        }
        let n_rows = pieces.len() / m;
        let product = matrix(slopes, [n_rows, m]).transpose().matmul(rows.clone());
        of_weight.copy_from_slice(&numbers(product));
        strengths.copy_from_slice(&of_strengths);
    }
}
