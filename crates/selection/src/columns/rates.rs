//! From probabilities that chance says as much to the probability that a column is of no use.

/// The density of useful columns at a probability `p` is `POWER p^(POWER - 1)`.
const POWER: f64 = 0.2;
/// So many useful and useless columns are counted beside those of the table, so that few columns say little of the share.
const PRIOR: (f64, f64) = (3.0, 1.0);
/// Turns of expectation and maximisation; more change nothing in the third digit.
const N_TURNS: usize = 100;
/// Least probability that is believed.
const LEAST: f64 = 1e-12;

/// The probability that chance makes the smallest of several as small: one for the best of all that were looked at.
pub(super) fn smallest(chances: &[Option<f64>]) -> f64 {
    let least = chances.iter().flatten().copied().fold(1.0, f64::min);
    let n = chances.iter().flatten().count().max(1);
    1.0 - (1.0 - least).powi(n as i32)
}

/// Two probabilities as one.
///
/// Source: Fisher 1932, "Statistical methods for research workers", section 21.1.
pub(super) fn fisher(first: f64, second: f64) -> f64 {
    let sum = -2.0 * (first.max(LEAST).ln() + second.max(LEAST).ln());
    chi_square_tail_of_four(sum)
}

/// The exact tail for four squares.
fn chi_square_tail_of_four(x: f64) -> f64 {
    (-0.5 * x).exp() * (1.0 + 0.5 * x)
}

/// For each column the probability that it is of no use, and the share of such columns.
pub(super) fn irrelevant(chances: &[f64]) -> (Vec<f64>, f64) {
    let density = |chance: &f64| POWER * chance.clamp(LEAST, 1.0).powf(POWER - 1.0);
    let densities: Vec<f64> = chances.iter().map(density).collect();
    let rates = |share: f64| -> Vec<f64> {
        densities.iter().map(|useful| share / (share + (1.0 - share) * useful)).collect()
    };
    let (n_useful, n_useless) = PRIOR;
    let mut share = 0.5;
    for _ in 0..N_TURNS {
        let sum: f64 = rates(share).iter().sum();
        share = (sum + n_useless) / (chances.len() as f64 + n_useful + n_useless);
    }
    (rates(share), share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::chi_square_tail as approximate;

    #[test]
    fn figures_are_joined_as_their_distributions_say() {
        // SciPy 1.15: combine_pvalues([0.05, 0.2]).
        assert!((fisher(0.05, 0.2) - 0.056_051_7).abs() < 1e-6, "{}", fisher(0.05, 0.2));
        assert!((chi_square_tail_of_four(9.0) / approximate(9.0, 4) - 1.0).abs() < 0.02);
        // The least of three uniform numbers is below 0.1 in 27.1 % of cases.
        assert!((smallest(&[Some(0.1), None, Some(0.6), Some(0.9)]) - 0.271).abs() < 1e-9);
    }

    #[test]
    fn the_same_evidence_counts_more_among_useful_columns_than_among_useless_ones() {
        let among = |others: &dyn Fn(usize) -> f64| {
            let mut chances: Vec<f64> = (0..60).map(others).collect();
            chances.push(0.3);
            let (rates, share) = irrelevant(&chances);
            (rates[60], share)
        };
        let (useful, few) = among(&|_| 1e-4);
        let (useless, many) = among(&|at| (at as f64 + 0.5) / 60.0);
        assert!(few < 0.1 && many > 0.8, "{few} {many}");
        assert!(useful < 0.1 && useless > 0.8, "{useful} {useless}");
    }
}
