//! Nearest rows: whether their labels agree, and what each row is worth to a classifier by nearest neighbours.

use crate::linear_algebra::Matrix;

/// Neighbours of the classifier whose rows are valued.
const N_SHAPLEY: usize = 5;

/// Every row's other rows, nearest first, with their squared distances.
pub(crate) struct Neighbours {
    /// `[n_rows][n_rows - 1]`.
    lists: Vec<Vec<(f64, u32)>>,
}

impl Neighbours {
    /// Sorts the squared distances between all rows, `[n, n]`. Cost: `O(n² log n)`.
    pub(crate) fn new(distances: &Matrix) -> Self {
        let list = |row: usize| {
            let others = distances.row(row).iter().enumerate().filter(|(other, _)| *other != row);
            let mut list: Vec<(f64, u32)> =
                others.map(|(other, distance)| (distance.max(0.0), other as u32)).collect();
            list.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            list
        };
        Self { lists: (0..distances.n_rows()).map(list).collect() }
    }

    /// A row's other rows, nearest first.
    pub(crate) fn of(&self, row: usize) -> impl Iterator<Item = (f64, usize)> + '_ {
        self.lists[row].iter().map(|&(distance, other)| (distance, other as usize))
    }

    /// The weighted share of the `k` nearest rows that bear the row's label; each counts by the given weight over its
    /// distance. None where no row counts.
    pub(crate) fn agreement(
        &self,
        row: usize,
        labels: &[usize],
        k: usize,
        weight: impl Fn(usize) -> f64,
    ) -> Option<f64> {
        let near = self.of(row).filter(|(_, other)| weight(*other) > 0.0).take(k);
        let (mut same, mut all) = (0.0, 0.0);
        let mut scale = None;
        for (distance, other) in near {
            let unit = *scale.get_or_insert_with(|| distance.sqrt().max(1e-6));
            let share = weight(other) / (distance.sqrt() + unit);
            all += share;
            if labels[other] == labels[row] {
                same += share;
            }
        }
        (all > 0.0).then(|| same / all)
    }

    /// Distances to the nearest row of the same and of another class, among rows that `counts` keeps; infinite where there
    /// is none.
    pub(crate) fn nearest(&self, row: usize, labels: &[usize], counts: impl Fn(usize) -> bool) -> (f64, f64) {
        let nearest = |same: bool| {
            let mut found = self.of(row).filter(|(_, other)| counts(*other));
            found
                .find(|(_, other)| (labels[*other] == labels[row]) == same)
                .map_or(f64::INFINITY, |(d, _)| d.sqrt())
        };
        (nearest(true), nearest(false))
    }

    /// The Shapley value of every row for a classifier by the 5 nearest neighbours, the mean over queries, which are rows of the
    /// same table, each told by the others. Exact, by a recursion from the farthest row to the nearest. Cost: `O(n n_query)`
    /// after sorting.
    ///
    /// Source: Jia et al. 2019, "Efficient task-specific data valuation for nearest neighbor algorithms", theorem 1.
    pub(crate) fn shapley(&self, labels: &[usize], queries: &[usize]) -> Vec<f64> {
        let mut values = vec![0.0; labels.len()];
        let k = N_SHAPLEY as f64;
        for &query in queries {
            let list = &self.lists[query];
            let is_same = |place: usize| f64::from(u8::from(labels[list[place].1 as usize] == labels[query]));
            let Some(last) = list.len().checked_sub(1) else { continue };
            let mut value = is_same(last) / (last + 1) as f64;
            if last + 1 < N_SHAPLEY {
                value = is_same(last) / k;
            }
            values[list[last].1 as usize] += value / queries.len() as f64;
            for place in (0..last).rev() {
                let rank = (place + 1) as f64;
                value += (is_same(place) - is_same(place + 1)) / k * k.min(rank) / rank;
                values[list[place].1 as usize] += value / queries.len() as f64;
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear_algebra::squared_distances;
    use crate::testing::random_matrix;

    /// The share of right votes of the query's nearest neighbours in a coalition, over `k`.
    fn utility(list: &[(f64, u32)], labels: &[usize], query: usize, is_in: impl Fn(usize) -> bool) -> f64 {
        let near =
            list.iter().map(|&(_, other)| other as usize).filter(|other| is_in(*other)).take(N_SHAPLEY);
        near.filter(|&other| labels[other] == labels[query]).count() as f64 / N_SHAPLEY as f64
    }

    #[test]
    fn shapley_values_are_those_of_all_coalitions() {
        let inputs = random_matrix(9, 3, 7);
        let labels = [0, 1, 1, 0, 0, 1, 0, 1, 1];
        let neighbours = Neighbours::new(&squared_distances(&inputs, &inputs));
        let values = neighbours.shapley(&labels, &[0]);
        // The definition: the mean, over coalitions weighted by their size, of what the row adds.
        let n = 8;
        for (row, value) in values.iter().enumerate().skip(1) {
            let mut naive = 0.0;
            for coalition in 0..1u32 << n {
                let is_in = |other: usize| other > 0 && coalition & (1 << (other - 1)) != 0;
                if is_in(row) {
                    continue;
                }
                let size = coalition.count_ones();
                let choose = (0..size).fold(1.0, |c, i| c * f64::from(n - 1 - i) / f64::from(i + 1));
                let list = &neighbours.lists[0];
                let gain = utility(list, &labels, 0, |other| other == row || is_in(other))
                    - utility(list, &labels, 0, is_in);
                naive += gain / (f64::from(n) * choose);
            }
            assert!((value - naive).abs() < 1e-12, "row {row}: {value} and {naive}");
        }
    }
}
