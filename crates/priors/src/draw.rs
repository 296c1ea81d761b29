//! Random numbers from one stream, in the shapes that the samplers need.

use crate::math;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

/// A borrowed random stream.
pub(crate) struct Draw<'a>(pub(crate) &'a mut ChaCha8Rng);

impl Draw<'_> {
    /// Uniform in (0, 1).
    #[inline]
    pub(crate) fn unit(&mut self) -> f32 {
        ((self.0.next_u32() >> 9) as f32 + 0.5) * (1.0 / 8_388_608.0)
    }

    /// Uniform between two bounds.
    pub(crate) fn uniform(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform on the logarithmic scale between two positive bounds.
    pub(crate) fn log_uniform(&mut self, low: f32, high: f32) -> f32 {
        math::exp(self.uniform(math::ln(low), math::ln(high)))
    }

    /// True with the given probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        f64::from(self.0.next_u32()) < probability * 4_294_967_296.0
    }

    /// A position below `n`, which is at least 1.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u64::from(self.0.next_u32()) * n as u64) >> 32) as usize
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// One of the given values.
    pub(crate) fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// A position, with probability in proportion to its weight.
    pub(crate) fn weighted(&mut self, weights: &[f32]) -> usize {
        let total: f32 = weights.iter().sum();
        let mut rest = self.unit() * total;
        for (position, weight) in weights.iter().enumerate() {
            rest -= weight;
            if rest < 0.0 {
                return position;
            }
        }
        weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0)
    }

    /// Minus one or one.
    pub(crate) fn sign(&mut self) -> f32 {
        if self.0.next_u32() & 1 == 0 { 1.0 } else { -1.0 }
    }

    /// Standard normal.
    pub(crate) fn normal(&mut self) -> f32 {
        let mut one = [0.0];
        self.fill_normal(&mut one);
        one[0]
    }

    /// `n` standard normal numbers.
    pub(crate) fn normals(&mut self, n: usize) -> Vec<f32> {
        let mut values = vec![0.0; n];
        self.fill_normal(&mut values);
        values
    }

    /// Fills with standard normal numbers (Box and Muller, so that the loop vectorises).
    pub(crate) fn fill_normal(&mut self, values: &mut [f32]) {
        const HALF: usize = 32;
        let (mut radius, mut angle) = ([0.0f32; HALF], [0.0f32; HALF]);
        for chunk in values.chunks_mut(2 * HALF) {
            let n_pairs = chunk.len().div_ceil(2);
            for pair in 0..n_pairs {
                radius[pair] = self.unit();
                angle[pair] = self.unit();
            }
            let mut first = [0.0f32; HALF];
            let mut second = [0.0f32; HALF];
            for pair in 0..n_pairs {
                let r = (-2.0 * math::ln(radius[pair])).sqrt();
                let turn = angle[pair] * std::f32::consts::TAU;
                first[pair] = r * math::sin(turn);
                second[pair] = r * math::sin(turn + std::f32::consts::FRAC_PI_2);
            }
            let (head, tail) = chunk.split_at_mut(n_pairs);
            head.copy_from_slice(&first[..n_pairs]);
            tail.copy_from_slice(&second[..tail.len()]);
        }
    }

    /// Puts the values in random order.
    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            let other = self.below(last + 1);
            values.swap(last, other);
        }
    }

    /// The numbers below `n` in random order.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::Seed;

    #[test]
    fn normals_have_the_right_moments() {
        let mut rng = Seed(1).stream("test");
        let values = Draw(&mut rng).normals(200_001);
        let (mean, deviation) = math::moments(&values);
        let fourth = values.iter().map(|value| value.powi(4)).sum::<f32>() / values.len() as f32;
        // Three standard errors at this size are 0.007, 0.005 and 0.07.
        assert!(mean.abs() < 0.007 && (deviation - 1.0).abs() < 0.005 && (fourth - 3.0).abs() < 0.08);
    }

    #[test]
    fn weights_of_zero_are_never_drawn() {
        let mut rng = Seed(2).stream("test");
        let mut draw = Draw(&mut rng);
        assert!((0..1000).all(|_| draw.weighted(&[0.0, 1.0, 0.0, 2.0, 0.0]) % 2 == 1));
    }
}
