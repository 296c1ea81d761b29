//! A shallow regression tree that is grown by the slopes and curvatures of a loss.

use super::bins::Bins;

/// Levels of splits.
const DEPTH: usize = 3;
/// The L2 penalty of a leaf's value.
const PENALTY: f64 = 1.0;
/// A split has to gain more than this, so that rounding does not split.
const LEAST_GAIN: f64 = 1e-9;

/// What the loss of each row says of its output.
pub(super) struct Slopes {
    /// First derivatives.
    pub(super) first: Vec<f64>,
    /// Second derivatives, above 0.
    pub(super) second: Vec<f64>,
}

/// A regression tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    /// What every row gets that comes here.
    Leaf(f64),
    /// Rows whose `column` is at most `threshold` go to the first tree, others to the second.
    Split { column: usize, threshold: f64, children: Box<[Tree; 2]> },
}

impl Tree {
    /// The value of a row.
    pub(super) fn value(&self, row: &[f32]) -> f64 {
        match self {
            Self::Leaf(value) => *value,
            Self::Split { column, threshold, children } => {
                children[usize::from(f64::from(row[*column]) > *threshold)].value(row)
            }
        }
    }
}

/// What a tree is grown from.
pub(super) struct Grower<'a> {
    pub(super) bins: &'a Bins,
    pub(super) slopes: &'a Slopes,
    /// The columns that are looked at.
    pub(super) columns: &'a [usize],
    /// The fewest rows of a leaf.
    pub(super) least_rows: usize,
}

/// Sums over some rows.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
struct Sums {
    first: f64,
    second: f64,
    n_rows: usize,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.first += other.first;
        self.second += other.second;
        self.n_rows += other.n_rows;
    }

    fn without(self, other: Self) -> Self {
        Self {
            first: self.first - other.first,
            second: self.second - other.second,
            n_rows: self.n_rows - other.n_rows,
        }
    }

    /// By how much the best value lowers the quadratic loss, twice.
    fn gain(self) -> f64 {
        self.first * self.first / (self.second + PENALTY)
    }

    fn value(self) -> f64 {
        -self.first / (self.second + PENALTY)
    }
}

impl Grower<'_> {
    /// The tree of the rows at `rows`, which are put into another order.
    ///
    /// Source: Chen and Guestrin 2016, XGBoost, equations 5 and 7.
    pub(super) fn grow(&self, rows: &mut [usize]) -> Tree {
        let mut sums = Sums::default();
        rows.iter().for_each(|&row| sums.add(self.of(row)));
        self.grow_node(rows, sums, DEPTH)
    }

    fn grow_node(&self, rows: &mut [usize], sums: Sums, depth: usize) -> Tree {
        if depth == 0 {
            return Tree::Leaf(sums.value());
        }
        let Some((column, bin, left)) = self.best_split(rows, sums) else { return Tree::Leaf(sums.value()) };
        let bins = self.bins.column(column);
        rows.sort_by_key(|&row| bins[row] > bin);
        let (left_rows, right_rows) = rows.split_at_mut(left.n_rows);
        let children = [
            self.grow_node(left_rows, left, depth - 1),
            self.grow_node(right_rows, sums.without(left), depth - 1),
        ];
        Tree::Split {
            column,
            threshold: self.bins.thresholds[column][usize::from(bin)],
            children: Box::new(children),
        }
    }

    /// The column, the last bin of the left side and the sums of the left side of the split that gains most; the first of
    /// equals.
    fn best_split(&self, rows: &[usize], sums: Sums) -> Option<(usize, u8, Sums)> {
        let mut best = (sums.gain() + LEAST_GAIN, None);
        let mut histogram = [Sums::default(); 256];
        for &column in self.columns {
            let histogram = &mut histogram[..=self.bins.thresholds[column].len()];
            histogram.fill(Sums::default());
            let bins = self.bins.column(column);
            rows.iter().for_each(|&row| histogram[usize::from(bins[row])].add(self.of(row)));
            let mut left = Sums::default();
            for (bin, here) in histogram[..histogram.len() - 1].iter().enumerate() {
                left.add(*here);
                let right = sums.without(left);
                if here.n_rows == 0 || left.n_rows < self.least_rows {
                    continue;
                }
                if right.n_rows < self.least_rows {
                    break;
                }
                let gain = left.gain() + right.gain();
                if gain > best.0 {
                    best = (gain, Some((column, bin as u8, left)));
                }
            }
        }
        best.1
    }

    fn of(&self, row: usize) -> Sums {
        Sums { first: self.slopes.first[row], second: self.slopes.second[row], n_rows: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_base_model::Rows;

    /// The best split of one column by trying every threshold and adding up anew.
    fn best_by_trial(values: &[f32], wanted: &[f64], least_rows: usize) -> f64 {
        let gain = |keep: &dyn Fn(f32) -> bool| {
            let side: Vec<f64> =
                values.iter().zip(wanted).filter(|(x, _)| keep(**x)).map(|(_, y)| *y).collect();
            let sum: f64 = side.iter().sum();
            (side.len() >= least_rows).then(|| sum * sum / (side.len() as f64 + PENALTY))
        };
        let mut best = (f64::NEG_INFINITY, f64::NAN);
        for &threshold in values {
            if let (Some(left), Some(right)) = (gain(&|x| x <= threshold), gain(&|x| x > threshold))
                && left + right > best.0
            {
                best = (left + right, f64::from(threshold));
            }
        }
        best.1
    }

    #[test]
    fn the_first_split_is_the_best_of_all() {
        for seed in 0..20u64 {
            let number = |place: u64| ((seed * 31 + place * 97) % 41) as f32 / 41.0;
            let values: Vec<f32> = (0..24).map(number).collect();
            let wanted: Vec<f64> =
                values.iter().map(|x| f64::from((x * 9.0).sin() + number(7) * x)).collect();
            let bins = Bins::of(&Rows { n_rows: 24, n_columns: 1, values: values.clone() });
            let slopes = Slopes { first: wanted.iter().map(|y| -y).collect(), second: vec![1.0; 24] };
            let grower = Grower { bins: &bins, slopes: &slopes, columns: &[0], least_rows: 3 };
            let Tree::Split { threshold, .. } = grower.grow(&mut (0..24).collect::<Vec<usize>>()) else {
                panic!("seed {seed}: no split")
            };
            // Ours lies in the middle between the value by trial and the next.
            let by_trial = best_by_trial(&values, &wanted, 3);
            let n_between = values.iter().filter(|x| {
                let x = f64::from(**x);
                x > by_trial && x <= threshold || x > threshold && x <= by_trial
            });
            assert_eq!(n_between.count(), 0, "seed {seed}: {threshold}, by trial {by_trial}");
        }
    }

    #[test]
    fn leaves_hold_the_penalised_mean_of_their_rows() {
        // Two groups of four; a leaf is its sum over its count and the penalty.
        let values = vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        let bins = Bins::of(&Rows { n_rows: 8, n_columns: 1, values });
        let slopes = Slopes { first: vec![-1.0, -1.0, -1.0, -1.0, 5.0, 5.0, 5.0, 5.0], second: vec![1.0; 8] };
        let grower = Grower { bins: &bins, slopes: &slopes, columns: &[0], least_rows: 4 };
        let tree = grower.grow(&mut (0..8).collect::<Vec<usize>>());
        assert_eq!((tree.value(&[0.2]), tree.value(&[0.7])), (0.8, -4.0));
        let grower = Grower { least_rows: 5, ..grower };
        assert_eq!(grower.grow(&mut (0..8).collect::<Vec<usize>>()), Tree::Leaf(-16.0 / 9.0));
    }
}
