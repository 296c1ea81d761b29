//! Shares and quantiles of the standard normal and of the distributions of squares.

/// The share of a standard normal below `x`, to 1e-3: the logistic approximation with a cubic term.
///
/// Source: Bowling et al. 2009, "A logistic approximation to the cumulative normal distribution".
pub(crate) fn normal_share(x: f64) -> f64 {
    1.0 / (1.0 + (-(0.07056 * x.powi(3) + 1.5976 * x)).exp())
}

/// The number below which a share of a standard normal lies: the inverse of [`normal_share`], by bisection.
pub(crate) fn normal_quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if normal_share(middle) < share { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The share of a standard normal above `x`, to a relative 2e-3 up to 6 standard deviations.
///
/// Source: Abramowitz and Stegun 1964, formula 7.1.26, of the complementary error function.
pub(crate) fn normal_tail(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let polynomial = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592]
        .iter()
        .fold(0.0, |sum, factor| (sum + factor) * t);
    let tail = 0.5 * polynomial * (-z * z).exp();
    if x < 0.0 { 1.0 - tail } else { tail }
}

/// The share of a sum of `n` squares of standard normals above `x`.
///
/// Source: Wilson and Hilferty 1931, "The distribution of chi-square": its cube root is nearly normal.
pub(crate) fn chi_square_tail(x: f64, n: usize) -> f64 {
    if n == 0 || x <= 0.0 {
        return 1.0;
    }
    if n == 1 {
        return (2.0 * normal_tail(x.sqrt())).min(1.0);
    }
    if n == 2 {
        return (-0.5 * x).exp();
    }
    let spread = 2.0 / (9.0 * n as f64);
    normal_tail(((x / n as f64).cbrt() - (1.0 - spread)) / spread.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_tables() {
        // SciPy 1.15: norm.sf and chi2.sf.
        for (x, expected) in [
            (-1.0, 0.841_344_746),
            (0.0, 0.5),
            (1.644_853_627, 0.05),
            (3.0, 1.349_898e-3),
            (5.0, 2.866_516e-7),
        ] {
            assert!((normal_tail(x) / expected - 1.0).abs() < 2e-3, "{x}: {}", normal_tail(x));
        }
        for (x, n, expected, tolerance) in [
            (3.841_458_8, 1, 0.05, 1e-3),
            (5.991_464_5, 2, 0.05, 1e-6),
            (18.307_04, 10, 0.05, 0.01),
            (11.344_87, 3, 0.01, 0.05),
        ] {
            assert!(
                (chi_square_tail(x, n) / expected - 1.0).abs() < tolerance,
                "{x} of {n}: {}",
                chi_square_tail(x, n)
            );
        }
    }
}
