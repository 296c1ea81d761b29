//! A random forest, grown in milliseconds: the teacher that a generated network's last layer is moved towards.
//!
//! Source: Breiman 2001, "Random forests"; full-depth trees on bootstrap samples, √d columns tried at a split for
//! classes and d / 2 for numbers.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use weightsmith_base_model::Rows;
use weightsmith_metamodel::Labels;

/// One split or leaf.
#[derive(Copy, Clone)]
struct Node {
    /// The column that is looked at; [`LEAF`] for a leaf.
    column: u32,
    /// Rows below it go to `next`, others to `next + 1`.
    threshold: f32,
    /// The first child, or where a leaf's outputs begin.
    next: u32,
}

const LEAF: u32 = u32::MAX;

struct Tree {
    nodes: Vec<Node>,
    /// Outputs of all leaves: class shares, or a value.
    outputs: Vec<f32>,
}

impl Tree {
    /// The node that a row goes to from a split.
    fn next(&self, split: Node, row: &[f32]) -> Node {
        let below = row[split.column as usize] < split.threshold;
        self.nodes[split.next as usize + usize::from(!below)]
    }

    fn leaf<'a>(&'a self, row: &[f32], n_outputs: usize) -> &'a [f32] {
        let mut node = self.nodes[0];
        while node.column != LEAF {
            node = self.next(node, row);
        }
        &self.outputs[node.next as usize..][..n_outputs]
    }

    /// The splits that a row meets, from the root on.
    fn path(&self, row: &[f32]) -> impl Iterator<Item = Node> {
        let split = |node: Node| (node.column != LEAF).then_some(node);
        std::iter::successors(split(self.nodes[0]), move |node| split(self.next(*node, row)))
    }
}

/// Trees and what they say together.
pub(crate) struct Forest {
    trees: Vec<Tree>,
    n_outputs: usize,
    /// `[n_rows, n_outputs]`: for each row the mean over the trees that did not see it; the prior mean where all did.
    pub(crate) left_out: Vec<f32>,
}

impl Forest {
    /// Grows `n_trees` trees on rows and their labels.
    pub(crate) fn grow(rows: &Rows, labels: &Labels, n_trees: usize, rng: &mut ChaCha8Rng) -> Self {
        let n_outputs = labels.n_outputs();
        let (n, targets) = (rows.n_rows, labels.targets());
        let mut grower = Grower::new(rows, labels);
        let mut trees = Vec::with_capacity(n_trees);
        let mut left_out = vec![0.0f32; n * n_outputs];
        let mut n_told = vec![0u32; n];
        let mut drawn = vec![0u32; n];
        for _ in 0..n_trees {
            drawn.fill(0);
            (0..n).for_each(|_| drawn[rng.random_range(0..n)] += 1);
            let tree = grower.tree(&drawn, rng);
            for row in (0..n).filter(|&row| drawn[row] == 0) {
                let outputs = tree.leaf(rows.row(row), n_outputs);
                left_out[row * n_outputs..][..n_outputs].iter_mut().zip(outputs).for_each(|(a, b)| *a += b);
                n_told[row] += 1;
            }
            trees.push(tree);
        }
        for (row, &told) in n_told.iter().enumerate() {
            for output in 0..n_outputs {
                let sum = &mut left_out[row * n_outputs + output];
                *sum = match told {
                    0 => targets.iter().skip(output).step_by(n_outputs).sum::<f32>() / n as f32,
                    _ => *sum / told as f32,
                };
            }
        }
        Self { trees, n_outputs, left_out }
    }

    /// Column and threshold of two splits that a row meets in a tree, both picked at random; they may be the same. None
    /// where the tree is a single leaf.
    pub(crate) fn two_splits(&self, row: &[f32], rng: &mut ChaCha8Rng) -> Option<[(usize, f32); 2]> {
        let tree = &self.trees[rng.random_range(0..self.trees.len())];
        let path: Vec<(usize, f32)> =
            tree.path(row).map(|node| (node.column as usize, node.threshold)).collect();
        let mut pick = || path[rng.random_range(0..path.len())];
        (!path.is_empty()).then(|| [pick(), pick()])
    }

    /// Class shares or values of other rows, `[n_rows, n_outputs]`.
    pub(crate) fn predict(&self, rows: &Rows) -> Vec<f32> {
        let share = 1.0 / self.trees.len() as f32;
        let mut outputs = vec![0.0; rows.n_rows * self.n_outputs];
        for tree in &self.trees {
            for (row, sums) in outputs.chunks_exact_mut(self.n_outputs).enumerate() {
                let leaf = tree.leaf(rows.row(row), self.n_outputs);
                sums.iter_mut().zip(leaf).for_each(|(sum, value)| *sum += share * value);
            }
        }
        outputs
    }
}

/// One column as whole numbers: comparing and sorting them is quick.
struct Codes {
    /// For each row the position of its value among the column's values.
    codes: Vec<u32>,
    /// The column's values, each once, rising.
    values: Vec<f32>,
}

impl Codes {
    fn new(rows: &Rows, column: usize) -> Self {
        let value = |row: usize| rows.values[row * rows.n_columns + column];
        let mut values: Vec<f32> = (0..rows.n_rows).map(value).collect();
        values.sort_unstable_by(f32::total_cmp);
        values.dedup();
        let code = |row| values.partition_point(|other| *other < value(row)) as u32;
        Self { codes: (0..rows.n_rows).map(code).collect(), values }
    }

    /// Between the values of two codes, and above the lower one.
    fn between(&self, low: u32, high: u32) -> f32 {
        let (low, high) = (self.values[low as usize], self.values[high as usize]);
        let middle = 0.5 * (low + high);
        if middle > low { middle } else { high }
    }
}

/// What is known of the rows on either side of a split.
struct Tally<'a> {
    labels: &'a Labels,
    /// Sums of the outputs below and above the split: counts of the classes, or one sum of values.
    sums: [Vec<f32>; 2],
    /// Sums of their squares over the outputs.
    squares: [f32; 2],
    weights: [f32; 2],
}

impl<'a> Tally<'a> {
    fn new(labels: &'a Labels) -> Self {
        let sums = vec![0.0; labels.n_outputs()];
        Self { labels, sums: [sums.clone(), sums], squares: [0.0; 2], weights: [0.0; 2] }
    }

    fn clear(&mut self) {
        self.sums.iter_mut().for_each(|sums| sums.fill(0.0));
        (self.squares, self.weights) = ([0.0; 2], [0.0; 2]);
    }

    /// Counts a row in, or out with a negative weight.
    #[inline(always)]
    fn add(&mut self, side: usize, row: usize, weight: f32) {
        let (output, change) = match self.labels {
            Labels::Classes { labels, .. } => (labels[row], weight),
            Labels::Values(values) => (0, weight * values[row]),
        };
        let sum = &mut self.sums[side][output];
        self.squares[side] += change * (2.0 * *sum + change);
        *sum += change;
        self.weights[side] += weight;
    }

    /// The larger, the purer both sides: minus the Gini impurity or the squared error, up to a constant.
    #[inline(always)]
    fn quality(&self) -> f32 {
        self.squares[0] / self.weights[0] + self.squares[1] / self.weights[1]
    }
}

/// The best split of a node so far.
#[derive(Copy, Clone)]
struct Split {
    quality: f32,
    column: usize,
    /// Codes below it go one way, others the other.
    code: u32,
    threshold: f32,
}

struct Grower<'a> {
    columns: Vec<Codes>,
    n_tried: usize,
    labels: &'a Labels,
    /// One number a row whose variance tells how mixed rows are: the value, or 0 and 1 for two classes.
    scores: Option<Vec<f32>>,
    tally: Tally<'a>,
    /// Columns in the order in which they are tried.
    order: Vec<usize>,
    /// Code (upper half) and row (lower half) of a node's rows in one column.
    sorted: Vec<u64>,
}

impl<'a> Grower<'a> {
    fn new(rows: &Rows, labels: &'a Labels) -> Self {
        let n_columns = rows.n_columns;
        let n_tried = match labels {
            Labels::Classes { .. } => (n_columns as f64).sqrt() as usize,
            Labels::Values(_) => n_columns.div_ceil(2),
        };
        Self {
            columns: (0..n_columns).map(|column| Codes::new(rows, column)).collect(),
            n_tried: n_tried.max(1),
            labels,
            scores: match labels {
                Labels::Values(values) => Some(values.clone()),
                Labels::Classes { labels, n_classes: 2 } => Some(labels.iter().map(|&l| l as f32).collect()),
                Labels::Classes { .. } => None,
            },
            tally: Tally::new(labels),
            order: (0..n_columns).collect(),
            sorted: Vec::with_capacity(rows.n_rows),
        }
    }

    /// One tree on the rows that were drawn, each as often as it was.
    fn tree(&mut self, drawn: &[u32], rng: &mut ChaCha8Rng) -> Tree {
        let mut rows: Vec<u32> = (0..drawn.len() as u32).filter(|&row| drawn[row as usize] > 0).collect();
        let root = Node { column: LEAF, threshold: 0.0, next: 0 };
        let mut tree = Tree { nodes: vec![root], outputs: Vec::new() };
        let mut open = vec![(0usize, 0usize, rows.len())];
        while let Some((node, from, to)) = open.pop() {
            match self.split(&rows[from..to], drawn, rng) {
                Some(split) => {
                    let part = &mut rows[from..to];
                    let mut middle = 0;
                    for at in 0..part.len() {
                        if self.columns[split.column].codes[part[at] as usize] < split.code {
                            part.swap(at, middle);
                            middle += 1;
                        }
                    }
                    let next = tree.nodes.len();
                    let (column, threshold) = (split.column as u32, split.threshold);
                    tree.nodes[node] = Node { column, threshold, next: next as u32 };
                    tree.nodes.extend([root, root]);
                    open.push((next, from, from + middle));
                    open.push((next + 1, from + middle, to));
                }
                None => {
                    let next = tree.outputs.len() as u32;
                    tree.nodes[node] = Node { column: LEAF, threshold: 0.0, next };
                    self.tally.clear();
                    rows[from..to]
                        .iter()
                        .for_each(|&row| self.tally.add(0, row as usize, drawn[row as usize] as f32));
                    let weight = self.tally.weights[0];
                    tree.outputs.extend(self.tally.sums[0].iter().map(|sum| sum / weight));
                }
            }
        }
        tree
    }

    /// The best split of some of the columns, or none if the rows are of one kind.
    fn split(&mut self, rows: &[u32], drawn: &[u32], rng: &mut ChaCha8Rng) -> Option<Split> {
        let pure = match self.labels {
            Labels::Classes { labels, .. } => {
                rows.iter().all(|&row| labels[row as usize] == labels[rows[0] as usize])
            }
            Labels::Values(values) => {
                rows.iter().all(|&row| values[row as usize] == values[rows[0] as usize])
            }
        };
        if pure {
            return None;
        }
        let mut best: Option<Split> = None;
        for tried in 0..self.order.len() {
            if tried >= self.n_tried && best.is_some() {
                break;
            }
            let pick = rng.random_range(tried..self.order.len());
            self.order.swap(tried, pick);
            let column = self.order[tried];
            if let Some(split) = self.split_column(column, rows, drawn)
                && best.is_none_or(|best| split.quality > best.quality)
            {
                best = Some(split);
            }
        }
        best
    }

    /// The best threshold of one column.
    fn split_column(&mut self, column: usize, rows: &[u32], drawn: &[u32]) -> Option<Split> {
        let Self { columns, sorted, tally, scores, .. } = self;
        let codes = &columns[column];
        sorted.clear();
        sorted.extend(rows.iter().map(|&row| u64::from(codes.codes[row as usize]) << 32 | u64::from(row)));
        sorted.sort_unstable();
        let parts = |key: u64| ((key >> 32) as u32, key as u32 as usize);
        let (first, last) = (parts(sorted[0]).0, parts(sorted[sorted.len() - 1]).0);
        if first == last {
            return None;
        }
        let mut best: Option<(f32, u32, u32)> = None;
        let mut consider = |quality: f32, code: u32, next: u32| {
            if best.is_none_or(|(best, ..)| quality > best) {
                best = Some((quality, code, next));
            }
        };
        if let Some(scores) = scores {
            let of = |key: u64| {
                let row = parts(key).1;
                (drawn[row] as f32, drawn[row] as f32 * scores[row])
            };
            let (all, sum_all) = sorted.iter().fold((0.0, 0.0), |(n, sum), &key| {
                let (weight, score) = of(key);
                (n + weight, sum + score)
            });
            let (mut below, mut sum) = (0.0f32, 0.0f32);
            for pair in sorted.windows(2) {
                let (weight, score) = of(pair[0]);
                (below, sum) = (below + weight, sum + score);
                let (code, next) = (parts(pair[0]).0, parts(pair[1]).0);
                if code < next {
                    let rest = sum_all - sum;
                    consider(sum * sum / below + rest * rest / (all - below), code, next);
                }
            }
        } else {
            tally.clear();
            for &key in &*sorted {
                let row = parts(key).1;
                tally.add(1, row, drawn[row] as f32);
            }
            for pair in sorted.windows(2) {
                let ((code, row), (next, _)) = (parts(pair[0]), parts(pair[1]));
                let weight = drawn[row] as f32;
                tally.add(0, row, weight);
                tally.add(1, row, -weight);
                if code < next {
                    consider(tally.quality(), code, next);
                }
            }
        }
        let (quality, low, high) = best?;
        Some(Split { quality, column, code: high, threshold: codes.between(low, high) })
    }
}

#[cfg(test)]
mod oracle;

#[cfg(test)]
mod tests {
    use super::*;
    use weightsmith_metamodel::Labels;
    use weightsmith_tasks::Seed;

    fn rows(n: usize, value: impl Fn(usize, usize) -> f32) -> Rows {
        let values = (0..n).flat_map(|row| [value(row, 0), value(row, 1)]).collect();
        Rows { n_rows: n, n_columns: 2, values }
    }

    /// Numbers that look random and are spread over -1..1.
    fn scattered(row: usize, column: usize) -> f32 {
        ((row * 7919 + column * 104_729 + row * row * 31) % 1009) as f32 / 504.5 - 1.0
    }

    #[test]
    fn it_learns_what_no_single_column_tells() {
        let rows = rows(400, scattered);
        let labels = (0..400).map(|row| usize::from(scattered(row, 0) * scattered(row, 1) > 0.0)).collect();
        let labels = Labels::Classes { labels, n_classes: 2 };
        let forest = Forest::grow(&rows, &labels, 50, &mut Seed(1).stream("test"));
        let Labels::Classes { labels, .. } = &labels else { unreachable!() };
        let hits = |shares: &[f32]| {
            (0..400).filter(|&row| (shares[2 * row + 1] > 0.5) == (labels[row] == 1)).count()
        };
        assert!(hits(&forest.left_out) > 360, "{} of 400 left-out rows", hits(&forest.left_out));
        assert!(hits(&forest.predict(&rows)) > 396);
        assert!(forest.predict(&rows).chunks(2).all(|pair| (pair[0] + pair[1] - 1.0).abs() < 1e-4));
    }

    #[test]
    fn values_are_averaged_in_the_leaves() {
        let rows = rows(200, scattered);
        let values: Vec<f32> = (0..200).map(|row| if scattered(row, 1) > 0.2 { 2.0 } else { -1.0 }).collect();
        let forest = Forest::grow(&rows, &Labels::Values(values.clone()), 20, &mut Seed(1).stream("test"));
        let errors = forest.left_out.iter().zip(&values).filter(|(a, b)| (*a - *b).abs() > 0.5).count();
        assert!(errors < 6, "{errors} of 200");
    }
}
