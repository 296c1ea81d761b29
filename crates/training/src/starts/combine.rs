//! From the gradients of several tasks to one: their mean, or their mean without what points against others.

use super::config::Combine;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// One gradient of several, in the order of the tasks.
///
/// # Panics
/// If there is none.
pub fn combine(gradients: &[Vec<f32>], how: Combine, rng: &mut ChaCha8Rng) -> Vec<f32> {
    match how {
        Combine::Mean => mean(gradients),
        Combine::Project => mean(&projected(gradients, rng)),
    }
}

fn mean(gradients: &[Vec<f32>]) -> Vec<f32> {
    let scale = 1.0 / gradients.len() as f32;
    let mut sum = vec![0.0; gradients[0].len()];
    for gradient in gradients {
        sum.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g * scale);
    }
    sum
}

/// Each gradient less its part along every other, as it was, that it points against, the others in random order.
fn projected(gradients: &[Vec<f32>], rng: &mut ChaCha8Rng) -> Vec<Vec<f32>> {
    let squares: Vec<f64> = gradients.iter().map(|gradient| dot(gradient, gradient)).collect();
    let project = |(own, gradient): (usize, &Vec<f32>)| {
        let mut others: Vec<usize> = (0..gradients.len()).filter(|&other| other != own).collect();
        others.shuffle(rng);
        let mut gradient = gradient.clone();
        for other in others {
            let along = dot(&gradient, &gradients[other]);
            if along < 0.0 && squares[other] > 0.0 {
                let share = (along / squares[other]) as f32;
                gradient.iter_mut().zip(&gradients[other]).for_each(|(g, other)| *g -= share * other);
            }
        }
        gradient
    };
    gradients.iter().enumerate().map(project).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// How gradients of tasks point against each other.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Conflict {
    /// The mean cosine of two.
    pub mean_cosine: f64,
    /// The standard deviation of the cosines.
    pub std_cosine: f64,
    /// The share of pairs whose cosine is below 0.
    pub n_negative: f64,
}

/// The cosines of all pairs of gradients; zeros where there are fewer than two.
pub fn conflict(gradients: &[Vec<f32>]) -> Conflict {
    let norms: Vec<f64> = gradients.iter().map(|gradient| dot(gradient, gradient).sqrt()).collect();
    let mut cosines = Vec::new();
    for (a, first) in gradients.iter().enumerate() {
        for (b, second) in gradients.iter().enumerate().take(a) {
            cosines.push(dot(first, second) / (norms[a] * norms[b]).max(1e-30));
        }
    }
    if cosines.is_empty() {
        return Conflict::default();
    }
    let n = cosines.len() as f64;
    let mean_cosine = cosines.iter().sum::<f64>() / n;
    let variance = cosines.iter().map(|cosine| (cosine - mean_cosine).powi(2)).sum::<f64>() / n;
    let n_negative = cosines.iter().filter(|cosine| **cosine < 0.0).count() as f64 / n;
    Conflict { mean_cosine, std_cosine: variance.sqrt(), n_negative }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_tasks::Seed;

    #[test]
    fn what_points_against_another_is_taken_away() {
        let of = |gradients: &[Vec<f32>]| combine(gradients, Combine::Project, &mut Seed(1).stream("test"));
        // Two that agree stay as they are.
        assert_eq!(of(&[vec![1.0, 0.0], vec![1.0, 1.0]]), [1.0, 0.5]);
        // (1, 0) less its part along (-1, 1) is (1/2, 1/2); (-1, 1) less its part along (1, 0) is (0, 1).
        assert_eq!(of(&[vec![1.0, 0.0], vec![-1.0, 1.0]]), [0.25, 0.75]);
    }

    #[test]
    fn cosines_of_pairs_are_counted() {
        let found = conflict(&[vec![1.0, 0.0], vec![0.0, 2.0], vec![-3.0, 0.0]]);
        assert!((found.mean_cosine + 1.0 / 3.0).abs() < 1e-12);
        assert!((found.n_negative - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(conflict(&[vec![1.0]]), Conflict::default());
    }
}
