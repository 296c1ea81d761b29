//! Elementary functions from additions, multiplications and divisions alone: the same bits on every machine,
//! unlike the platform's own, and loops over them vectorise.

const ROUND: f32 = 12_582_912.0;

/// The nearest whole number, for |x| < 2²².
#[inline]
pub(crate) fn nearest(x: f32) -> f32 {
    (x + ROUND) - ROUND
}

/// eˣ, with x held to ±87.
#[inline]
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 87.0);
    let n = nearest(x * std::f32::consts::LOG2_E);
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    y * f32::from_bits((((n as i32) + 127) as u32) << 23)
}

/// The natural logarithm of a positive normal number.
#[inline]
pub(crate) fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let shifted = bits.wrapping_sub(0x3f35_04f3);
    let exponent = (shifted as i32) >> 23;
    let mantissa = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let p = ((0.222_222_22 * z + 0.285_714_3) * z + 0.4) * z + 0.666_666_7;
    exponent as f32 * std::f32::consts::LN_2 + s * (2.0 + z * p)
}

/// sin x, for |x| up to a few thousand.
#[inline]
pub(crate) fn sin(x: f32) -> f32 {
    let k = nearest(x * std::f32::consts::FRAC_1_PI);
    let r = x - k * 3.140_625 - k * 9.676_536e-4;
    let z = r * r;
    let p = ((2.6e-6 * z - 1.980_741e-4) * z + 8.333_025e-3) * z - 1.666_665_7e-1;
    let y = r + r * z * p;
    if (k as i32) & 1 == 0 { y } else { -y }
}

/// tanh x.
#[inline]
pub(crate) fn tanh(x: f32) -> f32 {
    let e = exp(2.0 * x.clamp(-9.0, 9.0));
    (e - 1.0) / (e + 1.0)
}

/// 1 / (1 + e⁻ˣ).
#[inline]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// |x|ᵖ with the sign of x.
#[inline]
pub(crate) fn signed_power(x: f32, p: f32) -> f32 {
    let magnitude = exp(p * ln(x.abs().max(1e-12)));
    if x < 0.0 { -magnitude } else { magnitude }
}

/// Mean and standard deviation.
pub(crate) fn moments(values: &[f32]) -> (f32, f32) {
    let n = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / n;
    (mean, variance.sqrt())
}

/// Shifts and scales to mean 0 and standard deviation 1; a constant becomes 0.
pub(crate) fn standardise(values: &mut [f32]) {
    let (mean, deviation) = moments(values);
    let scale = if deviation > 1e-6 * (1.0 + mean.abs()) { 1.0 / deviation } else { 0.0 };
    for value in values {
        *value = (*value - mean) * scale;
    }
}

/// `sum += factor * values`.
#[inline]
pub(crate) fn add_scaled(sum: &mut [f32], factor: f32, values: &[f32]) {
    for (total, value) in sum.iter_mut().zip(values) {
        *total += factor * value;
    }
}

/// The squared correlation of two standardised columns.
pub(crate) fn squared_correlation(a: &[f32], b: &[f32]) -> f32 {
    let product = a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>() / a.len().max(1) as f32;
    product * product
}

/// The values in ascending order.
pub(crate) fn sorted(values: &[f32]) -> Vec<f32> {
    let mut keys: Vec<i32> = values
        .iter()
        .map(|value| {
            let bits = (value + 0.0).to_bits() as i32;
            bits ^ (((bits >> 31) as u32) >> 1) as i32
        })
        .collect();
    keys.sort_unstable();
    keys.into_iter().map(|key| f32::from_bits((key ^ (((key >> 31) as u32) >> 1) as i32) as u32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elementary_functions_agree_with_the_platform() {
        for step in -4000..=4000 {
            let x = step as f32 * 0.005;
            let relative =
                |ours: f32, theirs: f64| ((f64::from(ours) - theirs) / theirs.abs().max(1e-3)).abs();
            let wide = f64::from(x);
            assert!(relative(exp(x), wide.exp()) < 1e-5, "exp {x}: {}", exp(x));
            assert!(relative(tanh(x), wide.tanh()) < 1e-3, "tanh {x}");
            assert!((f64::from(sin(x)) - wide.sin()).abs() < 1e-5, "sin {x}");
            if x > 0.0 {
                assert!((f64::from(ln(x)) - wide.ln()).abs() < 1e-5, "ln {x}: {}", ln(x));
            }
        }
    }

    #[test]
    fn sorting_orders_both_signs() {
        assert_eq!(sorted(&[0.5, -2.0, 0.0, -0.25, 3.0]), vec![-2.0, -0.25, 0.0, 0.5, 3.0]);
    }
}
