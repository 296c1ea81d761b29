//! Solving symmetric positive definite systems, many at a time.

use crate::cpu::{self, axpy, dot};
use crate::device::is_cpu;
use crate::fused::FusedOps;
use burn::backend::Dispatch;
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use multiversion::multiversion;

/// The smallest pivot that is divided by, relative to the diagonal: a system that rounding has made singular is
/// solved as if its diagonal were a little larger.
const PIVOT_FLOOR: f32 = 1e-7;

/// `x` with `a x = b`, by one Cholesky factorisation a task.
///
/// Only the lower triangle of `a` is read; the gradient for `a` is symmetric.
///
/// # Shapes
/// - `a`: `[n_tasks, p, p]`, symmetric positive definite
/// - `b`, result: `[n_tasks, p, m]`
///
/// Source: Golub and Van Loan, Matrix Computations, section 4.2; gradients by the implicit function theorem.
pub fn cholesky_solve(a: Tensor<3>, b: Tensor<3>) -> Tensor<3> {
    if !is_cpu(&a.device()) {
        return cholesky_solve_reference(a, b);
    }
    Tensor::from_dispatch(<Dispatch as FusedOps>::fused_cholesky_solve(a.into_dispatch(), b.into_dispatch()))
}

/// [`cholesky_solve`] in plain tensor operations: symmetric elimination, which needs no pivoting on a positive
/// definite system.
pub fn cholesky_solve_reference(a: Tensor<3>, b: Tensor<3>) -> Tensor<3> {
    let [_, p, _] = a.dims();
    let [_, _, m] = b.dims();
    let identity = Tensor::<2>::eye(p, &a.device()).unsqueeze::<3>();
    let mut system = Tensor::cat(vec![a, b], 2); // [n_tasks, p, p + m]
    for pivot in 0..p {
        let row = system.clone().narrow(1, pivot, 1);
        let scaled = row.clone() / row.narrow(2, pivot, 1); // [n_tasks, 1, p + m]
        let factors = system.clone().narrow(2, pivot, 1) - identity.clone().narrow(2, pivot, 1);
        system = system - factors.matmul(scaled);
    }
    system.narrow(2, p, m)
}

/// Lower Cholesky factor of the `p` by `p` matrix `a`, row-major, into `factor`, whose upper triangle is left as it is. A
/// pivot below 1e-7 of its diagonal is taken for that: a matrix that rounding has made singular has a finite factor.
///
/// # Panics
/// If a slice is shorter than `p * p`.
#[inline(always)]
pub fn factorise(a: &[f32], p: usize, factor: &mut [f32]) {
    for i in 0..p {
        for j in 0..=i {
            let (before, from_i) = factor.split_at(i * p);
            let product = if j < i {
                dot(&from_i[..j], &before[j * p..j * p + j])
            } else {
                dot(&from_i[..j], &from_i[..j])
            };
            let rest = a[i * p + j] - product;
            factor[i * p + j] = if i == j {
                rest.max(PIVOT_FLOOR * a[i * p + i].abs().max(f32::MIN_POSITIVE)).sqrt()
            } else {
                rest / factor[j * p + j]
            };
        }
    }
}

/// Solves in place for one right-hand side, given the factor.
#[inline(always)]
pub(crate) fn substitute(factor: &[f32], p: usize, x: &mut [f32]) {
    forward_substitute(factor, p, x);
    back_substitute(factor, p, x);
}

/// Solves `L x = b` in place, for the factor `L` of [`factorise`].
///
/// # Panics
/// If a slice is too short.
#[inline(always)]
pub fn forward_substitute(factor: &[f32], p: usize, x: &mut [f32]) {
    for i in 0..p {
        let row = &factor[i * p..i * p + i];
        x[i] = (x[i] - dot(row, &x[..i])) / factor[i * p + i];
    }
}

/// Solves `Lᵀ x = b` in place, for the factor `L` of [`factorise`].
///
/// # Panics
/// If a slice is too short.
#[inline(always)]
pub fn back_substitute(factor: &[f32], p: usize, x: &mut [f32]) {
    for i in (0..p).rev() {
        let value = x[i] / factor[i * p + i];
        x[i] = value;
        axpy(-value, &factor[i * p..i * p + i], &mut x[..i]);
    }
}

/// Solves `[n_tasks, p, p]` systems with right-hand sides `[n_tasks, p, m]`.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn solve(a: &[f32], b: &[f32], p: usize, m: usize, x: &mut [f32]) {
    let mut factor = vec![0.0; p * p];
    let mut side = vec![0.0; p];
    for ((a, b), x) in a.chunks_exact(p * p).zip(b.chunks_exact(p * m)).zip(x.chunks_exact_mut(p * m)) {
        factorise(a, p, &mut factor);
        for column in 0..m {
            for (row, value) in side.iter_mut().enumerate() {
                *value = b[row * m + column];
            }
            substitute(&factor, p, &mut side);
            for (row, value) in side.iter().enumerate() {
                x[row * m + column] = *value;
            }
        }
    }
}

pub(crate) fn forward(a: FlexTensor, b: FlexTensor) -> FlexTensor {
    let (a, b) = (cpu::contiguous(a), cpu::contiguous(b));
    let shape @ [_, p, m] = cpu::sizes::<3>(&b);
    let mut x = vec![0.0; shape.iter().product()];
    solve(cpu::values(&a), cpu::values(&b), p, m, &mut x);
    cpu::tensor(x, shape)
}

pub(crate) fn backward(parents: &[FlexTensor; 2], output: &FlexTensor, grad: FlexTensor) -> [FlexTensor; 2] {
    let [a, _] = parents.each_ref().map(|parent| cpu::contiguous(parent.clone()));
    let (x, grad) = (cpu::contiguous(output.clone()), cpu::contiguous(grad));
    let shape @ [n_tasks, p, m] = cpu::sizes::<3>(&x);
    let mut b_grad = vec![0.0; shape.iter().product()];
    solve(cpu::values(&a), cpu::values(&grad), p, m, &mut b_grad);
    let mut a_grad = vec![0.0; n_tasks * p * p];
    for ((x, u), out) in cpu::values(&x)
        .chunks_exact(p * m)
        .zip(b_grad.chunks_exact(p * m))
        .zip(a_grad.chunks_exact_mut(p * p))
    {
        for i in 0..p {
            for j in 0..=i {
                let (xi, xj) = (&x[i * m..(i + 1) * m], &x[j * m..(j + 1) * m]);
                let (ui, uj) = (&u[i * m..(i + 1) * m], &u[j * m..(j + 1) * m]);
                let value = -0.5 * (dot(ui, xj) + dot(uj, xi));
                out[i * p + j] = value;
                out[j * p + i] = value;
            }
        }
    }
    [cpu::tensor(a_grad, [n_tasks, p, p]), cpu::tensor(b_grad, shape)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Numbers, Part, assert_close, check};

    /// `g gᵀ / k + 0.1 I`, a well-conditioned system, as a function of the free matrix `g`.
    fn system(g: Tensor<3>) -> Tensor<3> {
        let [_, p, k] = g.dims();
        let identity = Tensor::<2>::eye(p, &g.device()).unsqueeze::<3>();
        g.clone().matmul(g.transpose()) / k as f32 + identity * 0.1
    }

    #[test]
    fn values_and_gradients_agree_with_the_reference() {
        let mut numbers = Numbers::new(3);
        for (p, m) in [(1, 1), (4, 3), (23, 5)] {
            let parts = [numbers.normal(&[2, p, 2 * p + 1]), numbers.normal(&[2, p, m])];
            check(
                &parts,
                |t| cholesky_solve(system(t.at(0)), t.at(1)).reshape([-1]),
                |t| cholesky_solve_reference(system(t.at(0)), t.at(1)).reshape([-1]),
                1e-3,
            );
        }
    }

    #[test]
    fn the_solution_solves_the_system() {
        let mut numbers = Numbers::new(4);
        let device = burn::tensor::Device::flex();
        let tensor = |part: &Part, shape: [usize; 3]| -> Tensor<3> {
            Tensor::<1>::from_data(burn::tensor::TensorData::from(part.values.as_slice()), &device)
                .reshape(shape)
        };
        let a = system(tensor(&numbers.normal(&[3, 40, 90]), [3, 40, 90]));
        let b = tensor(&numbers.normal(&[3, 40, 2]), [3, 40, 2]);
        let back: Vec<f32> = a.clone().matmul(cholesky_solve(a, b.clone())).into_data().try_to_vec().unwrap();
        assert_close("a x", &back, &b.into_data().try_to_vec::<f32>().unwrap(), 1e-4);
    }

    #[test]
    fn a_singular_system_stays_finite() {
        let device = burn::tensor::Device::flex();
        let a = Tensor::<3>::ones([1, 3, 3], &device);
        let x: Vec<f32> =
            cholesky_solve(a, Tensor::ones([1, 3, 1], &device)).into_data().try_to_vec().unwrap();
        assert!(x.iter().all(|value| value.is_finite()), "{x:?}");
    }
}
