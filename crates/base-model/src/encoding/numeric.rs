//! Numeric columns: robust centre and scale with a smooth clip, and the map to Gaussian ranks.

use super::Transform;

/// No more knots than this in one rank map.
const MAX_KNOTS: usize = 64;
/// A column whose spread is below this part of its largest magnitude is rounding noise: constant.
const RELATIVE_FLOOR: f64 = 1e-10;
const SMALLEST_SCALE: f64 = 1e-300;

/// `(value - centre) / scale`, smoothly clipped to ±4; 0 for a missing value.
pub(super) fn standard(value: f64, centre: f64, scale: f64) -> f64 {
    if value.is_nan() {
        return 0.0;
    }
    // The bound keeps an overflowing quotient from turning into ∞/∞ below.
    let z = ((value - centre) / scale).clamp(-1e9, 1e9);
    z / (1.0 + (z / 4.0) * (z / 4.0)).sqrt()
}

/// The score of a value by linear interpolation, constant beyond the ends; 0 for a missing value.
pub(super) fn gaussian_rank(value: f64, knots: &[[f64; 2]]) -> f64 {
    if value.is_nan() {
        return 0.0;
    }
    let above = knots.partition_point(|knot| knot[0] <= value);
    if above == 0 {
        return knots[0][1];
    }
    let [x, score] = knots[above - 1];
    match knots.get(above) {
        None => score,
        Some([next_x, next_score]) => {
            let part = (value - x) / (next_x - x);
            // Knots further apart than f64 reaches: the nearer one will do.
            if part.is_finite() { score + part * (next_score - score) } else { score }
        }
    }
}

/// Centre and scale of the values that are present, or none where these do not vary.
///
/// Mean and standard deviation (n in the denominator) of the values, winsorised once at the mean ± 3 standard
/// deviations.
pub(super) fn fit_standard(values: &[f64]) -> Option<Transform> {
    let present = || values.iter().copied().filter(|value| !value.is_nan());
    let (mut low, mut high, mut n) = (f64::INFINITY, f64::NEG_INFINITY, 0usize);
    for value in present() {
        (low, high, n) = (low.min(value), high.max(value), n + 1);
    }
    let magnitude = low.abs().max(high.abs());
    // Halves, because the spread itself may overflow.
    if n == 0 || high / 2.0 - low / 2.0 <= RELATIVE_FLOOR * (magnitude / 2.0) {
        return None;
    }
    let moments = |low: f64, high: f64| {
        let scaled = || present().map(|value| value.clamp(low, high) / magnitude);
        let mean = scaled().sum::<f64>() / n as f64;
        let variance = scaled().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n as f64;
        (mean, variance.sqrt())
    };
    let (mean, deviation) = moments(low, high);
    let bound = |sign: f64| (mean + sign * 3.0 * deviation) * magnitude;
    let (mean, deviation) = moments(bound(-1.0), bound(1.0));
    let scale = (deviation.max(RELATIVE_FLOOR) * magnitude).max(SMALLEST_SCALE);
    Some(Transform::Standard { centre: settle(mean * magnitude), scale: settle(scale) })
}

/// The map to Gaussian ranks: the standard-normal quantile of each distinct value's mid-rank, standardised
/// over the support. With more than 64 distinct values, the knots are 64 quantiles, the ends among them.
///
/// # Panics
/// If no value is present.
pub(super) fn fit_gaussian_rank(values: &[f64]) -> Transform {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    // Value, how many lie below, how many are equal.
    let mut distinct: Vec<(f64, usize, usize)> = Vec::new();
    for (below, &value) in sorted.iter().enumerate() {
        match distinct.last_mut() {
            Some((last, _, equal)) if *last == value => *equal += 1,
            _ => distinct.push((value, below, 1)),
        }
    }
    let chosen: Vec<(f64, usize, usize)> = if distinct.len() <= MAX_KNOTS {
        distinct.clone()
    } else {
        let mut positions: Vec<usize> = (0..MAX_KNOTS)
            .map(|knot| {
                let rank = (knot * (n - 1) + (MAX_KNOTS - 1) / 2) / (MAX_KNOTS - 1);
                distinct.partition_point(|&(_, below, _)| below <= rank) - 1
            })
            .collect();
        positions.dedup();
        positions.into_iter().map(|position| distinct[position]).collect()
    };
    let mut knots: Vec<[f64; 2]> = Vec::with_capacity(chosen.len());
    for (value, below, equal) in chosen {
        let value = settle(value);
        if knots.last().is_none_or(|last| last[0] < value) {
            knots.push([value, normal_quantile((below as f64 + 0.5 * equal as f64) / n as f64)]);
        }
    }
    let scores = || distinct.iter().map(|&(value, _, equal)| (gaussian_rank(value, &knots), equal as f64));
    let mean = scores().map(|(score, weight)| weight * score).sum::<f64>() / n as f64;
    let variance = scores().map(|(score, weight)| weight * (score - mean) * (score - mean)).sum::<f64>();
    let deviation = (variance / n as f64).sqrt();
    let deviation = if deviation > 1e-12 { deviation } else { 1.0 };
    for knot in &mut knots {
        knot[1] = settle((knot[1] - mean) / deviation);
    }
    Transform::GaussianRank { knots }
}

/// The number at 15 significant digits, or the next one to it, that serde_json gives back unchanged without its
/// slower exact parsing, so that saving and loading an encoding are equal.
pub(crate) fn settle(number: f64) -> f64 {
    let number = number.clamp(-1.7e308, 1.7e308);
    let survives = |candidate: &f64| {
        let text = serde_json::json!(candidate).to_string();
        serde_json::from_str(&text).is_ok_and(|read: f64| read == *candidate)
    };
    let rounded: Option<f64> = format!("{number:.14e}").parse().ok();
    // Between 1e-7 and 1e22 the rounded number survives; elsewhere about every second one does.
    let neighbours = (0..100).map(|steps| f64::from_bits(number.to_bits() + steps));
    rounded.into_iter().chain(neighbours).find(survives).unwrap_or(number)
}

/// The standard-normal quantile of a probability inside (0, 1), to a relative 1.2e-9.
///
/// Source: P. J. Acklam, "An algorithm for computing the inverse normal cumulative distribution function",
/// 2003.
fn normal_quantile(probability: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 5] =
        [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1.0];
    let horner = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * p.ln()).sqrt();
        horner(&C, q) / horner(&D, q)
    };
    if probability < 0.02425 {
        tail(probability)
    } else if probability > 1.0 - 0.02425 {
        -tail(1.0 - probability)
    } else {
        let q = probability - 0.5;
        q * horner(&A, q * q) / horner(&B, q * q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_match_published_values() {
        // From tables of the standard normal distribution, to the digits given there.
        for (probability, expected) in
            [(0.5, 0.0), (0.975, 1.959964), (0.9, 1.281552), (0.01, -2.326348), (0.001, -3.090232)]
        {
            let found = normal_quantile(probability);
            assert!((found - expected).abs() < 1e-6, "{probability}: {found}");
        }
    }

    #[test]
    fn settled_numbers_survive_json() {
        for exponent in -300..300 {
            let number = (1.0 + f64::from(exponent).sin() / 3.0) * 10f64.powi(exponent);
            let settled = settle(number);
            assert!((settled - number).abs() <= 1e-14 * number.abs(), "{number:e} became {settled:e}");
            let read: f64 = serde_json::from_str(&serde_json::to_string(&settled).unwrap()).unwrap();
            assert_eq!(read, settled);
        }
        assert!(settle(f64::MAX).is_finite());
    }

    #[test]
    fn huge_and_tiny_values_stay_finite() {
        for values in [
            [-1e308, 1e308, 0.0, 3.0],
            [f64::MIN_POSITIVE, 2.0 * f64::MIN_POSITIVE, 0.0, 0.0],
            [1e12, 1e12 + 1000.0, 1e12 - 500.0, 1e12],
        ] {
            let Some(Transform::Standard { centre, scale }) = fit_standard(&values) else {
                panic!("{values:?} vary");
            };
            let Transform::GaussianRank { knots } = fit_gaussian_rank(&values) else { unreachable!() };
            for value in values.into_iter().chain([f64::MAX, f64::MIN, 0.0]) {
                assert!(standard(value, centre, scale).abs() <= 4.0);
                assert!(gaussian_rank(value, &knots).abs() <= 3.0);
            }
        }
        assert_eq!(fit_standard(&[0.1 + 0.2, 0.3, 0.3]), None);
        assert_eq!(fit_standard(&[f64::NAN, f64::NAN]), None);
    }
}
