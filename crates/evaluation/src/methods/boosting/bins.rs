//! Columns of numbers as positions between thresholds, so that every split is looked for among few.

use weightsmith_base_model::Rows;

/// Thresholds of one column; one bin more than these fits a byte.
const MAX_THRESHOLDS: usize = 255;

/// Rows with every number replaced by its bin.
pub(super) struct Bins {
    /// Of each column: ascending, between neighbouring values. A number is in the bin of the first threshold that is
    /// not below it.
    pub(super) thresholds: Vec<Vec<f64>>,
    /// One column after the other.
    bins: Vec<u8>,
    n_rows: usize,
}

impl Bins {
    /// All thresholds that part two values, or 255 of them so that the rows between are equally many.
    pub(super) fn of(rows: &Rows) -> Self {
        let mut thresholds = Vec::with_capacity(rows.n_columns);
        let mut bins = Vec::with_capacity(rows.values.len());
        for column in 0..rows.n_columns {
            let values: Vec<f64> = (0..rows.n_rows).map(|row| f64::from(rows.row(row)[column])).collect();
            let own = thresholds_of(&values);
            bins.extend(values.iter().map(|value| own.partition_point(|threshold| threshold < value) as u8));
            thresholds.push(own);
        }
        Self { thresholds, bins, n_rows: rows.n_rows }
    }

    /// The number of rows.
    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The bins of one column.
    pub(super) fn column(&self, column: usize) -> &[u8] {
        &self.bins[column * self.n_rows..(column + 1) * self.n_rows]
    }
}

fn thresholds_of(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middles = |pair: &[f64]| (pair[0] < pair[1]).then(|| 0.5 * (pair[0] + pair[1]));
    let all: Vec<f64> = sorted.windows(2).filter_map(middles).collect();
    if all.len() <= MAX_THRESHOLDS {
        return all;
    }
    let mut some: Vec<f64> = (1..=MAX_THRESHOLDS)
        .filter_map(|place| {
            let row = place * sorted.len() / (MAX_THRESHOLDS + 1);
            // The first change of value from here on.
            sorted[row - 1..].windows(2).find_map(middles)
        })
        .collect();
    some.dedup();
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_part_values() {
        let rows = Rows { n_rows: 5, n_columns: 1, values: vec![3.0, 1.0, 3.0, 2.0, 1.0] };
        let bins = Bins::of(&rows);
        assert_eq!(bins.thresholds, [[1.5, 2.5]]);
        assert_eq!(bins.column(0), [2, 0, 2, 1, 0]);
        let constant = Bins::of(&Rows { n_rows: 3, n_columns: 1, values: vec![7.0; 3] });
        assert!(constant.thresholds[0].is_empty() && constant.column(0) == [0; 3]);
    }

    #[test]
    fn of_many_values_the_thresholds_leave_equally_many_rows_between() {
        let values: Vec<f32> = (0..2560).map(|row| (row * 7 % 2560) as f32).collect();
        let bins = Bins::of(&Rows { n_rows: 2560, n_columns: 1, values });
        assert_eq!(bins.thresholds[0].len(), 255);
        let mut counts = [0; 256];
        bins.column(0).iter().for_each(|&bin| counts[usize::from(bin)] += 1);
        assert_eq!(counts, [10; 256]);
    }
}
