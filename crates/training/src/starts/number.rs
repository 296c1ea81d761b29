//! The floating-point types that networks of starts are computed in, and the three products that take the time.
//!
//! No product is fused with an addition and every sum has one order, so that all processors give the same bits.

use multiversion::multiversion;
use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

/// A floating-point type: f32 for training, f64 to hold derivatives against finite differences.
pub trait Number:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + SubAssign
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// As f64.
    fn to_f64(self) -> f64;
    /// `out += x w`, with `x` of `n_rows` rows, `out` of as many, and `w` of as many rows as `x` has columns.
    fn add_product(x: &[Self], w: &[Self], out: &mut [Self], n_rows: usize);
    /// `out += y wᵀ`, with `y` of `n_rows` rows, `out` of as many, and `w` of as many rows as `out` has columns.
    fn add_product_transposed(y: &[Self], w: &[Self], out: &mut [Self], n_rows: usize);
    /// `out += xᵀ y`, with `x` and `y` of `n_rows` rows.
    fn add_outer(x: &[Self], y: &[Self], out: &mut [Self], n_rows: usize);
}

/// Accumulators of a dot product.
const LANES: usize = 16;

macro_rules! number {
    ($number:ty, $products:ident) => {
        mod $products {
            use super::{LANES, multiversion};

            #[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
            pub(super) fn add_product(x: &[$number], w: &[$number], out: &mut [$number], n_rows: usize) {
                let (n_in, n_out) = (x.len() / n_rows, out.len() / n_rows);
                for (x, out) in x.chunks_exact(n_in).zip(out.chunks_exact_mut(n_out)) {
                    let mut fours = x.chunks_exact(4);
                    let mut rows = w.chunks_exact(4 * n_out);
                    for (x, w) in (&mut fours).zip(&mut rows) {
                        let (a, rest) = w.split_at(n_out);
                        let (b, rest) = rest.split_at(n_out);
                        let (c, d) = rest.split_at(n_out);
                        for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                            *out += (x[0] * a + x[1] * b) + (x[2] * c + x[3] * d);
                        }
                    }
                    for (x, w) in fours.remainder().iter().zip(rows.remainder().chunks_exact(n_out)) {
                        for (out, w) in out.iter_mut().zip(w) {
                            *out += x * w;
                        }
                    }
                }
            }

            #[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
            pub(super) fn add_product_transposed(
                y: &[$number],
                w: &[$number],
                out: &mut [$number],
                n_rows: usize,
            ) {
                let (n_in, n_out) = (y.len() / n_rows, out.len() / n_rows);
                for (y, out) in y.chunks_exact(n_in).zip(out.chunks_exact_mut(n_out)) {
                    for (out, w) in out.iter_mut().zip(w.chunks_exact(n_in)) {
                        let (mut ys, mut ws) = (y.chunks_exact(LANES), w.chunks_exact(LANES));
                        let mut sums = [0.0; LANES];
                        for (y, w) in (&mut ys).zip(&mut ws) {
                            for lane in 0..LANES {
                                sums[lane] += y[lane] * w[lane];
                            }
                        }
                        let mut sum: $number = sums.iter().sum();
                        for (y, w) in ys.remainder().iter().zip(ws.remainder()) {
                            sum += y * w;
                        }
                        *out += sum;
                    }
                }
            }

            #[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
            pub(super) fn add_outer(x: &[$number], y: &[$number], out: &mut [$number], n_rows: usize) {
                let (n_in, n_out) = (x.len() / n_rows, y.len() / n_rows);
                for (input, out) in out.chunks_exact_mut(n_out).enumerate() {
                    let mut first = 0;
                    while first + 4 <= n_rows {
                        let at = |row: usize| (x[row * n_in + input], &y[row * n_out..(row + 1) * n_out]);
                        let [a, b, c, d] = [0, 1, 2, 3].map(|row| at(first + row));
                        for ((((out, ya), yb), yc), yd) in out.iter_mut().zip(a.1).zip(b.1).zip(c.1).zip(d.1)
                        {
                            *out += (a.0 * ya + b.0 * yb) + (c.0 * yc + d.0 * yd);
                        }
                        first += 4;
                    }
                    for row in first..n_rows {
                        let x = x[row * n_in + input];
                        for (out, y) in out.iter_mut().zip(&y[row * n_out..(row + 1) * n_out]) {
                            *out += x * y;
                        }
                    }
                }
            }
        }

        impl Number for $number {
            fn from_f64(value: f64) -> Self {
                value as Self
            }

            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            fn add_product(x: &[Self], w: &[Self], out: &mut [Self], n_rows: usize) {
                $products::add_product(x, w, out, n_rows);
            }

            fn add_product_transposed(y: &[Self], w: &[Self], out: &mut [Self], n_rows: usize) {
                $products::add_product_transposed(y, w, out, n_rows);
            }

            fn add_outer(x: &[Self], y: &[Self], out: &mut [Self], n_rows: usize) {
                $products::add_outer(x, y, out, n_rows);
            }
        }
    };
}

number!(f32, single);
number!(f64, double);

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of small whole numbers, of which every sum is exact.
    fn matrix(n_rows: usize, n_columns: usize, salt: usize) -> Vec<f32> {
        (0..n_rows * n_columns).map(|idx| ((idx * 7 + salt * 5) % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn products_are_those_of_naive_loops() {
        for (n, p, q) in [(1, 1, 1), (3, 2, 5), (10, 40, 40), (7, 37, 19), (5, 4, 1)] {
            let (x, w, y) = (matrix(n, p, 0), matrix(p, q, 1), matrix(n, q, 2));
            let (mut xw, mut yw, mut xy) = (matrix(n, q, 3), matrix(n, p, 4), matrix(p, q, 5));
            let (mut naive_xw, mut naive_yw, mut naive_xy) = (xw.clone(), yw.clone(), xy.clone());
            for row in 0..n {
                for i in 0..p {
                    for o in 0..q {
                        naive_xw[row * q + o] += x[row * p + i] * w[i * q + o];
                        naive_yw[row * p + i] += y[row * q + o] * w[i * q + o];
                        naive_xy[i * q + o] += x[row * p + i] * y[row * q + o];
                    }
                }
            }
            f32::add_product(&x, &w, &mut xw, n);
            f32::add_product_transposed(&y, &w, &mut yw, n);
            f32::add_outer(&x, &y, &mut xy, n);
            assert_eq!((xw, yw, xy), (naive_xw, naive_yw, naive_xy), "{n} {p} {q}");
        }
    }
}
