//! Products of matrices in double precision, on the tensor library's fast routines.

use burn::tensor::{DType, Device, Tensor, TensorData};
use weightsmith_kernels::{Factor, Square};

/// A matrix on the CPU in double precision.
pub(super) fn matrix(values: Vec<f64>, shape: [usize; 2]) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), (&Device::flex(), DType::F64))
}

/// Its numbers, row-major.
pub(super) fn numbers(matrix: Tensor<2>) -> Vec<f64> {
    matrix.into_data().try_into_vec::<f64>().expect("the matrix is of double precision")
}

/// The inverse of a symmetric positive definite matrix, `[p, p]`.
pub(super) fn inverse(a: &[f64], p: usize) -> Tensor<2> {
    let (factor, _) = Factor::raised(Square::new(p, a));
    matrix(factor.inverse().to_vec(), [p, p])
}
