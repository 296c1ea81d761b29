//! From scores to classes.

use crate::config::LabelShares;
use crate::draw::Draw;
use crate::math;
use crate::observe::cut_at_shares;

/// Labels and how much of them the scores tell.
pub(crate) struct Labelled {
    pub(crate) labels: Vec<usize>,
    /// The share of the labels' entropy that the noiseless scores explain; 0 if nothing.
    pub(crate) strength: f32,
}

/// How the rows are shared out among the classes: for two, a majority of 0.5 to 0.95, for more, from equal to
/// very unequal.
pub(crate) fn draw_class_shares(n_classes: usize, draw: &mut Draw<'_>) -> Vec<f32> {
    if n_classes == 2 {
        let majority = 0.5 + 0.47 * math::exp(1.1 * math::ln(draw.unit()));
        return if draw.chance(0.5) {
            vec![majority, 1.0 - majority]
        } else {
            vec![1.0 - majority, majority]
        };
    }
    let spread = draw.uniform(0.0, 1.3);
    let mut shares: Vec<f32> = (0..n_classes).map(|_| math::exp(spread * draw.normal())).collect();
    let total: f32 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share = (*share / total).max(0.02));
    shares
}

/// One label a row, drawn from the softmax of one score a class.
pub(crate) fn softmax_labels(scores: &[Vec<f32>], shares: &LabelShares, draw: &mut Draw<'_>) -> Labelled {
    let (n_classes, n_rows) = (scores.len(), scores[0].len());
    let class_shares = draw_class_shares(n_classes, draw);
    let total: f32 = class_shares.iter().sum();
    let sharpness = draw.log_uniform(shares.sharpness[0] as f32, shares.sharpness[1] as f32);
    let mut likelihoods: Vec<Vec<f32>> = scores
        .iter()
        .map(|score| score.iter().map(|value| math::exp(sharpness * value.clamp(-5.0, 5.0))).collect())
        .collect();
    // A few rounds of scaling bring the classes near their shares; the biases are what the scaling finds.
    let mut sums = vec![0.0f32; n_rows];
    for round in 0..5 {
        sums.fill(1e-30);
        for class in &likelihoods {
            math::add_scaled(&mut sums, 1.0, class);
        }
        for (class, share) in likelihoods.iter_mut().zip(&class_shares) {
            class.iter_mut().zip(&sums).for_each(|(value, sum)| *value /= sum);
            if round < 4 {
                let found = class.iter().sum::<f32>() / n_rows as f32;
                let factor = (share / total / found.max(1e-6)).clamp(1e-4, 1e4);
                class.iter_mut().for_each(|value| *value *= factor);
            }
        }
    }
    let labels = (0..n_rows)
        .map(|row| {
            let mut rest = draw.unit();
            for (class, likelihood) in likelihoods.iter().enumerate() {
                rest -= likelihood[row];
                if rest < 0.0 {
                    return class;
                }
            }
            n_classes - 1
        })
        .collect();
    let surprise = |p: f32| if p > 1e-9 { -p * math::ln(p) } else { 0.0 };
    let left = likelihoods.iter().flatten().map(|&p| surprise(p)).sum::<f32>() / n_rows as f32;
    let whole: f32 =
        likelihoods.iter().map(|class| surprise(class.iter().sum::<f32>() / n_rows as f32)).sum::<f32>();
    Labelled { labels, strength: if whole > 1e-6 { 1.0 - left / whole } else { 0.0 } }
}

/// One label a row, from one score with noise, cut at random quantiles into classes or into shuffled bins.
pub(crate) fn cut_labels(
    score: &[f32],
    n_classes: usize,
    shares: &LabelShares,
    draw: &mut Draw<'_>,
) -> Labelled {
    let noise = draw.log_uniform(0.03, 1.1);
    let mut values = draw.normals(score.len());
    values.iter_mut().zip(score).for_each(|(value, score)| *value = score + noise * *value);
    let class_of: Vec<usize> = if draw.chance(shares.shuffled_bins) {
        let n_bins = draw.between(n_classes, 2 * n_classes + 1).max(3);
        let mut assigned: Vec<usize> =
            (0..n_bins).map(|bin| if bin < n_classes { bin } else { draw.below(n_classes) }).collect();
        draw.shuffle(&mut assigned);
        let spread = draw.uniform(0.0, 0.8);
        let weights: Vec<f32> = (0..n_bins).map(|_| math::exp(spread * draw.normal())).collect();
        cut_at_shares(&mut values, &weights);
        assigned
    } else {
        cut_at_shares(&mut values, &draw_class_shares(n_classes, draw));
        (0..n_classes).collect()
    };
    let labels = values.iter().map(|&bin| class_of[bin as usize]).collect();
    Labelled { labels, strength: 1.0 / (1.0 + noise * noise) }
}

/// Flips some labels, in the tables where that happens.
pub(crate) fn flip(labels: &mut [usize], n_classes: usize, shares: &LabelShares, draw: &mut Draw<'_>) {
    if draw.chance(shares.flipped_tables) {
        let share = shares.max_flipped * f64::from(draw.unit());
        for label in labels {
            if draw.chance(share) {
                *label = draw.below(n_classes);
            }
        }
    }
}
