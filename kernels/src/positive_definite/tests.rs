use super::*;

/// Sizes below, at and beside whole tiles.
const SIZES: [usize; 7] = [1, 3, 4, 16, 17, 53, 96];

/// `exp(-|i - j| / 5)` with a ridge: positive definite. What lies below the diagonal is never read.
fn upper(n: usize) -> Square {
    let mut square = Square::zeros(n);
    for i in 0..n {
        for (j, value) in square.row_mut(i).iter_mut().enumerate() {
            *value = if j < i { f64::NAN } else { (-((j - i) as f64) / 5.0).exp() };
        }
        square.row_mut(i)[i] += 0.1;
    }
    square
}

fn whole(n: usize) -> Square {
    let mut square = upper(n);
    square.mirror();
    square
}

/// The product of two matrices by three loops.
fn product(a: &Square, b: &Square) -> Square {
    let mut sums = Square::zeros(a.n());
    for i in 0..a.n() {
        for j in 0..a.n() {
            sums.row_mut(i)[j] = (0..a.n()).map(|k| a.row(i)[k] * b.row(k)[j]).sum();
        }
    }
    sums
}

#[track_caller]
fn check_identity(found: &Square) {
    for (i, row) in found.rows().enumerate() {
        for (j, value) in row.iter().enumerate() {
            let wanted = f64::from(u8::from(i == j));
            assert!((value - wanted).abs() < 1e-12, "{} rows: {value} at {i}, {j}", found.n());
        }
    }
}

#[test]
fn the_inverse_undoes_the_matrix() {
    for n in SIZES {
        let factor = Factor::of(upper(n)).unwrap();
        let inverse = factor.inverse();
        check_identity(&product(&whole(n), &inverse));
        for (own, wanted) in factor.inverse_diagonal().iter().zip(inverse.diagonal()) {
            assert!((own - wanted).abs() < 1e-12, "{own}, {wanted}");
        }
    }
}

#[test]
fn a_solution_solves_the_system_and_whitened_sides_have_its_length() {
    for n in SIZES {
        let (matrix, factor) = (whole(n), Factor::of(upper(n)).unwrap());
        let side: Vec<f64> = (0..n).map(|i| (i as f64).sin() + 0.2).collect();
        let mut solved = side.clone();
        factor.solve(&mut solved);
        let again = matrix.times(&solved);
        assert!(again.iter().zip(&side).all(|(a, b)| (a - b).abs() < 1e-12), "{n}");
        // More sides than are solved together.
        let mut sides: Vec<f64> = (0..20).flat_map(|_| side.clone()).collect();
        factor.whiten(&mut sides);
        for whitened in sides.chunks_exact(n) {
            let length = dot_f64(whitened, whitened);
            assert!((length - dot_f64(&side, &solved)).abs() < 1e-12 * length.max(1.0), "{n}: {length}");
        }
    }
}

#[test]
fn the_determinant_is_that_of_a_matrix_known_by_hand() {
    // [[4, 2], [2, 3]] has 8.
    let factor = Factor::of(Square::new(2, &[4.0, 2.0, 2.0, 3.0])).unwrap();
    assert!((factor.log_determinant() - 8f64.ln()).abs() < 1e-14);
}

#[test]
fn a_product_with_a_symmetric_matrix_is_that_of_three_loops() {
    for n in SIZES {
        for width in [1, 5, 16, 33] {
            let right: Vec<f64> = (0..n * width).map(|at| ((at * 7 % 13) as f64) - 6.0).collect();
            let found = whole(n).symmetric_times(&right, width);
            for (at, found) in found.iter().enumerate() {
                let (i, j) = (at / width, at % width);
                let wanted: f64 = (0..n).map(|k| whole(n).row(i)[k] * right[k * width + j]).sum();
                assert!((found - wanted).abs() < 1e-12, "{n}, {width}: {found} for {wanted}");
            }
        }
    }
}

#[test]
fn a_matrix_that_is_not_positive_definite_has_no_factor() {
    assert!(Factor::of(Square::new(2, &[1.0, 2.0, 2.0, 1.0])).is_none());
    assert!(Factor::of(Square::new(1, &[f64::NAN])).is_none());
    assert!(Factor::of(Square::new(1, &[0.0])).is_none());
}

#[test]
fn pivots_of_a_singular_matrix_are_raised_and_counted() {
    let (factor, n_raised) = Factor::raised(Square::new(3, &[1.0; 9]));
    assert_eq!(n_raised, 2);
    assert!(factor.inverse().rows().flatten().all(|value| value.is_finite()));
    // A pivot that is not a number is no exception, and a matrix that is well conditioned has none to raise.
    let (factor, n_raised) = Factor::raised(Square::new(1, &[f64::NAN]));
    assert!(n_raised == 1 && factor.log_determinant().is_finite());
    assert_eq!(Factor::raised(upper(53)).1, 0);
}

#[test]
fn a_gram_matrix_is_the_sum_of_weighted_squares() {
    for (n_rows, width) in [(7, 3), (40, 17), (1, 33), (5, 1)] {
        let rows: Vec<f64> = (0..n_rows * width).map(|at| ((at * 7 % 13) as f64) - 6.0).collect();
        let weights: Vec<f64> = (0..n_rows).map(|row| 0.5 + row as f64).collect();
        let found = Square::gram(&rows, width, &weights);
        for i in 0..width {
            for j in 0..width {
                let product = |row: usize| weights[row] * rows[row * width + i] * rows[row * width + j];
                let wanted: f64 = (0..n_rows).map(product).sum();
                assert!((found.row(i)[j] - wanted).abs() < 1e-9, "{n_rows} of {width}: {i}, {j}");
            }
        }
    }
}

#[test]
fn correlated_numbers_have_the_matrix_as_their_covariance() {
    // Uᵀ of every unit vector: the sum of their outer products is Uᵀ U.
    for n in [3, 17] {
        let factor = Factor::of(upper(n)).unwrap();
        let mut sum = Square::zeros(n);
        for at in 0..n {
            let unit: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i == at))).collect();
            let own = factor.correlated(&unit);
            for i in 0..n {
                sum.row_mut(i).iter_mut().zip(&own).for_each(|(sum, other)| *sum += own[i] * other);
            }
        }
        for (found, wanted) in sum.rows().flatten().zip(whole(n).rows().flatten()) {
            assert!((found - wanted).abs() < 1e-12, "{n}: {found} for {wanted}");
        }
    }
}

#[test]
fn many_sides_are_whitened_as_each_is() {
    for (n, n_sides) in [(1, 1), (3, 40), (16, 16), (17, 31), (53, 5), (96, 100), (53, 0)] {
        let factor = Factor::of(upper(n)).unwrap();
        let mut sides: Vec<f64> = (0..n * n_sides).map(|at| ((at * at) % 23) as f64 / 7.0 - 1.0).collect();
        let mut expected = sides.clone();
        factor.whiten(&mut expected);
        factor.whiten_many(&mut sides);
        for (own, wanted) in sides.iter().zip(&expected) {
            assert!((own - wanted).abs() < 1e-11, "{n} rows, {n_sides} sides: {own}, {wanted}");
        }
    }
}
