//! Ranks of models over tables, and how far apart mean ranks must be.

/// Quantiles of the studentised range at 0.95 for 2 to 30 models and infinite degrees of freedom, divided by the root of
/// 2 (scipy 1.17.1, `studentized_range.ppf(0.95, n_models, inf)`).
const Q_05: [f64; 29] = [
    1.959964, 2.343701, 2.569032, 2.727774, 2.849705, 2.94832, 3.030878, 3.10173, 3.163684, 3.218654,
    3.268004, 3.312739, 3.353618, 3.39123, 3.426041, 3.458425, 3.488685, 3.517073, 3.543799, 3.56904,
    3.592946, 3.615646, 3.637252, 3.657861, 3.677556, 3.696413, 3.714498, 3.731869, 3.748578,
];

/// Ranks from 1 for the least; equal values share the mean of theirs.
pub fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let less = values.iter().filter(|v| *v < value).count();
        let equal = values.iter().filter(|v| *v == value).count();
        less as f64 + (equal as f64 + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

/// Spearman's rank correlation; none where one side does not vary.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (mid_ranks(a), mid_ranks(b));
    let centre = (a.len() as f64 + 1.0) / 2.0;
    let product =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - centre) * (b - centre)).sum::<f64>();
    let size = (product(&a, &a) * product(&b, &b)).sqrt();
    (size > 0.0).then(|| product(&a, &b) / size)
}

/// The least difference of two mean ranks over tables that is not by chance at 5%, all pairs of models considered
/// (Nemenyi's test); none for one model, more than 30, or no table.
///
/// Source: Demšar (2006), Statistical Comparisons of Classifiers over Multiple Data Sets, section 3.2.2.
pub fn critical_difference(n_models: usize, n_tables: usize) -> Option<f64> {
    let q = Q_05.get(n_models.checked_sub(2)?)?;
    let k = n_models as f64;
    (n_tables > 0).then(|| q * (k * (k + 1.0) / (6.0 * n_tables as f64)).sqrt())
}

/// The largest runs of mean ranks, in ascending order, whose ends are at most `distance` apart: first and last index of
/// each run of two or more.
pub fn groups(mean_ranks: &[f64], distance: f64) -> Vec<(usize, usize)> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (first, rank) in mean_ranks.iter().enumerate() {
        let last = mean_ranks.partition_point(|other| *other <= rank + distance) - 1;
        let is_inside = groups.last().is_some_and(|(_, end)| *end >= last);
        if last > first && !is_inside {
            groups.push((first, last));
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlation_is_that_of_the_ranks() {
        // scipy 1.17.1, spearmanr([1, 2, 2, 4, 9], [3, 1, 4, 5, 6]): 0.8207826816681233.
        let found = spearman(&[1.0, 2.0, 2.0, 4.0, 9.0], &[3.0, 1.0, 4.0, 5.0, 6.0]).unwrap();
        assert!((found - 0.820_782_681_668_123_3).abs() < 1e-12, "{found}");
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn equal_values_share_a_rank() {
        assert_eq!(mid_ranks(&[0.3, 0.1, 0.3, 0.9]), [2.5, 1.0, 2.5, 4.0]);
    }

    #[test]
    fn critical_differences_are_those_of_scipy() {
        // scipy 1.17.1: studentized_range.ppf(0.95, k, inf) / sqrt(2) * sqrt(k * (k + 1) / (6 * n))
        for (n_models, n_tables, expected) in
            [(2, 10, 0.619795), (4, 14, 1.2535591), (9, 81, 1.3347722), (30, 111, 4.4296651)]
        {
            let found = critical_difference(n_models, n_tables).unwrap();
            assert!((found - expected).abs() < 1e-5, "{n_models} models, {n_tables} tables: {found}");
        }
        // Demšar (2006), section 3.2.4: four classifiers on 14 data sets.
        assert!((critical_difference(4, 14).unwrap() - 1.25).abs() < 0.005);
        for (n_models, n_tables) in [(0, 9), (1, 9), (31, 9), (5, 0)] {
            assert_eq!(critical_difference(n_models, n_tables), None);
        }
    }

    #[test]
    fn groups_are_the_largest_runs() {
        assert_eq!(groups(&[1.0, 1.5, 2.4, 4.0, 4.1], 1.0), [(0, 1), (1, 2), (3, 4)]);
        assert_eq!(groups(&[1.0, 1.5, 2.0], 1.0), [(0, 2)]);
        assert_eq!(groups(&[1.0, 3.0], 1.0), []);
        assert_eq!(groups(&[], 1.0), []);
    }
}
