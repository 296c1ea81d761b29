//! The direction that Muon gives a matrix: its momentum with all singular values brought near 1.

use burn::tensor::{Device, Tensor, TensorData};

/// Coefficients of the quintic that drives singular values towards 1.
///
/// Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
const QUINTIC: (f32, f32, f32) = (3.4445, -4.7750, 2.0315);
const N_ITERATIONS: usize = 5;
/// Root mean square of a change, about what AdamW's is.
///
/// Source: Liu et al. 2025, "Muon is scalable for LLM training", section 2.2.
const LEVEL: f32 = 0.2;

/// `momentum`, `[n_rows, n_columns]` row-major, made near orthogonal and scaled to a root mean square near 0.2.
pub(crate) fn direction(momentum: &[f32], n_rows: usize, n_columns: usize, device: &Device) -> Vec<f32> {
    let data = TensorData::new(momentum.to_vec(), [n_rows, n_columns]);
    let matrix = Tensor::<2>::from_data(data, device);
    let tall = n_rows > n_columns;
    let matrix = if tall { matrix.transpose() } else { matrix };
    let norm = momentum.iter().map(|m| f64::from(*m) * f64::from(*m)).sum::<f64>().sqrt() as f32;
    let mut x = matrix / (norm + 1e-20);
    let (a, b, c) = QUINTIC;
    for _ in 0..N_ITERATIONS {
        let square = x.clone().matmul(x.clone().transpose());
        let polynomial = square.clone() * b + square.clone().matmul(square) * c;
        x = x.clone() * a + polynomial.matmul(x);
    }
    let x = if tall { x.transpose() } else { x };
    let x = x * (LEVEL * (n_rows.max(n_columns) as f32).sqrt());
    x.into_data_as::<f32>().try_into_vec().expect("the data was converted to f32")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_directions_count_alike() {
        // A tall matrix with singular values 10 and 0.1 along the axes.
        let mut momentum = vec![0.0; 4 * 2];
        (momentum[0], momentum[3]) = (10.0, 0.1);
        let made = direction(&momentum, 4, 2, &Device::flex());
        let (first, second) = (made[0] / (LEVEL * 2.0), made[3] / (LEVEL * 2.0));
        assert!((0.6..1.3).contains(&first), "{first}");
        assert!((0.6..1.3).contains(&second), "{second}");
        assert!(made.iter().enumerate().all(|(i, v)| i == 0 || i == 3 || v.abs() < 1e-6));
    }
}
