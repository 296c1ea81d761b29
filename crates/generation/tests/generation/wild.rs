//! Tables of all kinds, each drawn from its number.

use crate::tables::{categorical, classes, numeric};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use weightsmith_tasks::{Column, Seed, Support, Table, Target};

/// Rows to score on.
const N_FRESH: usize = 400;

/// A support, fresh rows of the same rule, and in words what it is.
pub(crate) struct Wild {
    pub(crate) support: Support,
    pub(crate) fresh: Support,
    pub(crate) what: String,
}

/// How the target follows the columns.
#[derive(Copy, Clone, Debug)]
enum Rule {
    Noise,
    Linear,
    /// Without noise.
    Separable,
    /// By thresholds on two columns at once.
    Thresholds,
}

/// What is done to the columns or rows.
#[derive(Copy, Clone, Debug, PartialEq)]
enum Mutation {
    Nothing,
    /// A class of a row in 300, or a number with a row in 300 far off.
    Rare,
    RepeatedRows,
    RepeatedColumns,
    ConstantColumns,
    /// Columns of sizes from 1e-30 to 1e30, with offsets.
    WideRange,
    /// One cell in 50 a million times its size.
    Outliers,
    Missing,
}

fn one_of<T: Copy>(rng: &mut ChaCha8Rng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

/// A whole number from `low` to `high`, small ones as often as large ones.
fn spread(rng: &mut ChaCha8Rng, low: usize, high: usize) -> usize {
    let exponent = rng.random_range((low as f64).ln()..=(high as f64).ln());
    (exponent.exp().round() as usize).clamp(low, high)
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// The table of a number.
pub(crate) fn wild(number: u64) -> Wild {
    let mut rng = Seed(number).stream("tests.wild");
    // One in 24 is long or wide.
    let (most_rows, most_columns) = match number % 24 {
        7 => (4096, 12),
        15 => (900, 40),
        23 => (60, 300),
        _ => (300, 25),
    };
    let least_rows = if most_rows > 500 { most_rows / 2 } else { 4 };
    let n_support = spread(&mut rng, least_rows, most_rows);
    let n_columns = spread(&mut rng, if most_columns == 300 { 60 } else { 1 }, most_columns);
    let most_classes = if rng.random_bool(0.1) { 50 } else { 6 };
    let n_classes = if rng.random_bool(0.35) { 0 } else { spread(&mut rng, 2, most_classes) };
    let rule =
        one_of(&mut rng, &[Rule::Noise, Rule::Linear, Rule::Linear, Rule::Separable, Rule::Thresholds]);
    let mutation = one_of(
        &mut rng,
        &[
            Mutation::Nothing,
            Mutation::Nothing,
            Mutation::Rare,
            Mutation::RepeatedRows,
            Mutation::RepeatedColumns,
            Mutation::ConstantColumns,
            Mutation::WideRange,
            Mutation::Outliers,
            Mutation::Missing,
        ],
    );
    let n_rows = n_support + N_FRESH;
    let mut drawn = Drawn::new(&mut rng, n_rows, n_columns);
    let score = drawn.score(&mut rng, rule);
    let mut target = target(&mut rng, &score, n_classes, rule);
    drawn.mutate(&mut rng, mutation);
    if mutation == Mutation::Rare {
        match &mut target {
            Target::Classes { class_names, labels } => {
                let rare = class_names.len() - 1;
                labels
                    .iter_mut()
                    .enumerate()
                    .filter(|(row, _)| row % 300 == 3)
                    .for_each(|(_, label)| *label = rare);
            }
            Target::Values(values) => values.iter_mut().step_by(300).for_each(|value| *value *= 20.0),
        }
    }
    let table = Table::new(n_rows, drawn.columns(&mut rng, mutation)).unwrap();
    let all: Support = Support::new(table, target).unwrap();
    let repeats = if mutation == Mutation::RepeatedRows { 3 } else { 1 };
    // Repeated rows are repeated in the support alone.
    let support: Vec<usize> = (0..n_support).map(|row| row / repeats * repeats).collect();
    let fresh: Vec<usize> = (n_support..n_rows).collect();
    let what = format!("{n_support} x {n_columns}, {n_classes} classes, {rule:?}, {mutation:?}");
    Wild { support: all.select(&support), fresh: all.select(&fresh), what }
}

/// Columns before they are a table.
struct Drawn {
    n_rows: usize,
    numbers: Vec<Vec<f64>>,
    /// Columns of names, and their effects.
    names: Vec<(Vec<u32>, Vec<f64>)>,
}

impl Drawn {
    fn new(rng: &mut ChaCha8Rng, n_rows: usize, n_columns: usize) -> Self {
        let (mut numbers, mut names) = (vec![], vec![]);
        let mixed = rng.random_bool(0.4);
        for _ in 0..n_columns {
            if mixed && rng.random_bool(0.4) {
                let n_levels = rng.random_range(2..8);
                let codes = (0..n_rows).map(|_| rng.random_range(0..n_levels)).collect();
                names.push((codes, (0..n_levels).map(|_| normal(rng)).collect()));
            } else {
                numbers.push((0..n_rows).map(|_| normal(rng)).collect());
            }
        }
        Self { n_rows, numbers, names }
    }

    /// What the target follows, with mean 0 and variance about 1.
    fn score(&self, rng: &mut ChaCha8Rng, rule: Rule) -> Vec<f64> {
        let mut score = vec![0.0; self.n_rows];
        let n_used = (self.numbers.len() + self.names.len()).min(8);
        let unit = 1.0 / (n_used as f64).sqrt();
        let pick = |rng: &mut ChaCha8Rng, n: usize| rng.random_range(0..n);
        match rule {
            Rule::Noise => score.iter_mut().for_each(|score| *score = normal(rng)),
            Rule::Thresholds if !self.numbers.is_empty() => {
                let (a, b) = (pick(rng, self.numbers.len()), pick(rng, self.numbers.len()));
                let noise = |rng: &mut ChaCha8Rng| 0.2 * normal(rng);
                for (row, score) in score.iter_mut().enumerate() {
                    let above = (self.numbers[a][row] > 0.2) != (self.numbers[b][row] > -0.3);
                    *score = if above { 1.0 } else { -1.0 } + noise(rng);
                }
            }
            _ => {
                for _ in 0..n_used {
                    let which = pick(rng, self.numbers.len() + self.names.len());
                    let slope = unit * normal(rng);
                    for (row, score) in score.iter_mut().enumerate() {
                        *score += match self.numbers.get(which) {
                            Some(column) => slope * column[row],
                            None => {
                                let (codes, effects) = &self.names[which - self.numbers.len()];
                                slope * effects[codes[row] as usize]
                            }
                        };
                    }
                }
                if !matches!(rule, Rule::Separable) {
                    score.iter_mut().for_each(|score| *score += 0.6 * normal(rng));
                }
            }
        }
        score
    }

    fn mutate(&mut self, rng: &mut ChaCha8Rng, mutation: Mutation) {
        match mutation {
            Mutation::RepeatedColumns => {
                let n = self.numbers.len();
                for column in 1..n {
                    if rng.random_bool(0.7) {
                        self.numbers[column] = self.numbers[column / 2].clone();
                    }
                }
            }
            Mutation::ConstantColumns => {
                for column in &mut self.numbers {
                    if rng.random_bool(0.5) {
                        column.fill(rng.random_range(-5.0..5.0));
                    }
                }
            }
            Mutation::WideRange => {
                for column in &mut self.numbers {
                    let size = 10f64.powf(rng.random_range(-30.0..30.0));
                    let offset = if rng.random_bool(0.5) { 1e4 } else { 0.0 };
                    column.iter_mut().for_each(|value| *value = (*value + offset) * size);
                }
            }
            Mutation::Outliers => {
                let cells = self.numbers.iter_mut().flatten();
                cells.for_each(|value| *value *= if rng.random_bool(0.02) { 1e6 } else { 1.0 });
            }
            Mutation::Missing => {
                let cells = self.numbers.iter_mut().flatten();
                cells.for_each(|value| *value = if rng.random_bool(0.2) { f64::NAN } else { *value });
            }
            Mutation::Nothing | Mutation::Rare | Mutation::RepeatedRows => {}
        }
    }

    fn columns(self, rng: &mut ChaCha8Rng, mutation: Mutation) -> Vec<Column> {
        let numbers =
            self.numbers.iter().enumerate().map(|(at, values)| numeric(&format!("number_{at}"), values));
        let names = self.names.iter().enumerate().map(|(at, (codes, _))| {
            let constant = mutation == Mutation::ConstantColumns && rng.random_bool(0.5);
            let codes: Vec<u32> = if constant { vec![0; codes.len()] } else { codes.clone() };
            categorical(&format!("name_{at}"), &codes)
        });
        numbers.chain(names).collect()
    }
}

/// Classes by cuts of the score at random ranks, or the score in some unit. Noise is noise for classes too.
fn target(rng: &mut ChaCha8Rng, score: &[f64], n_classes: usize, rule: Rule) -> Target {
    if n_classes == 0 {
        let unit = 10f64.powf(rng.random_range(-6.0..6.0));
        let offset = rng.random_range(-20.0..20.0);
        return Target::Values(score.iter().map(|score| (score + offset) * unit).collect());
    }
    if matches!(rule, Rule::Noise) {
        return classes(n_classes, &score.iter().map(|_| rng.random_range(0..n_classes)).collect::<Vec<_>>());
    }
    let mut sorted = score.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut cuts: Vec<f64> =
        (1..n_classes).map(|_| sorted[rng.random_range(score.len() / 10..score.len() * 9 / 10)]).collect();
    cuts.sort_unstable_by(f64::total_cmp);
    let labels: Vec<usize> =
        score.iter().map(|score| cuts.iter().filter(|cut| score > *cut).count()).collect();
    classes(n_classes, &labels)
}
