//! Many right-hand sides at once, by tiles.

use super::{Factor, TILE_COLUMNS, TILE_ROWS, subtract, tile};
use multiversion::multiversion;

impl Factor {
    /// [`Factor::whiten`] of a few dozen sides or more, one after the other in `sides`: the same beyond rounding, several times quicker.
    pub fn whiten_many(&self, sides: &mut [f64]) {
        let (n, stride) = (self.0.n, self.0.stride);
        let n_sides = sides.len().checked_div(n).unwrap_or(0);
        let width = n_sides.next_multiple_of(TILE_COLUMNS);
        // Sides as columns; entries beyond the last row and the last side are zero and stay so.
        let mut columns = vec![0.0; stride * width];
        for (side, values) in sides.chunks_exact(n.max(1)).enumerate() {
            values.iter().enumerate().for_each(|(row, value)| columns[row * width + side] = *value);
        }
        forward_columns(&self.0.values, stride, &mut columns, width);
        for (side, values) in sides.chunks_exact_mut(n.max(1)).enumerate() {
            values.iter_mut().enumerate().for_each(|(row, value)| *value = columns[row * width + side]);
        }
    }
}

/// Solves `Uᵀ X = B` in place for the columns of a matrix.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn forward_columns(factor: &[f64], stride: usize, columns: &mut [f64], width: usize) {
    for i in (0..stride).step_by(TILE_ROWS) {
        let (done, rest) = columns.split_at_mut(i * width);
        for column in (0..width).step_by(TILE_COLUMNS).filter(|_| i > 0) {
            let sums = tile(&factor[i..], &done[column..], (stride, width), 0..i);
            for (row, sums) in sums.iter().enumerate() {
                let own = &mut rest[row * width + column..][..TILE_COLUMNS];
                own.iter_mut().zip(sums).for_each(|(own, sum)| *own -= sum);
            }
        }
        for row in 0..TILE_ROWS {
            let (above, own) = rest.split_at_mut(row * width);
            let own = &mut own[..width];
            for (at, other) in above.chunks_exact(width.max(1)).enumerate() {
                subtract(own, factor[(i + at) * stride + i + row], other);
            }
            let pivot = 1.0 / factor[(i + row) * stride + i + row];
            own.iter_mut().for_each(|value| *value *= pivot);
        }
    }
}
