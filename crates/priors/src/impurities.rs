//! What is wrong with the support, so that a metamodel learns to doubt rows: wrong targets, copied rows.

use crate::config::ImpurityShares;
use crate::draw::Draw;
use weightsmith_tasks::{ColumnValues, Table, Target};

/// The support's rows, in some tables with copies of a few in the place of others. Every class still occurs.
pub(crate) fn repeat(
    support: &[usize],
    target: &Target,
    shares: &ImpurityShares,
    draw: &mut Draw<'_>,
) -> Vec<usize> {
    let mut rows = support.to_vec();
    if shares.repeated_tables == 0.0 || !draw.chance(shares.repeated_tables) {
        return rows;
    }
    let share = 0.5 * f64::from(draw.unit());
    let n_sources = draw.between(1, rows.len());
    let mut counts = class_counts(&target.select(&rows));
    for place in 0..rows.len() {
        if draw.chance(share) {
            let source = rows[draw.below(n_sources)];
            if may_leave(&mut counts, target, rows[place], source) {
                rows[place] = source;
            }
        }
    }
    rows
}

fn class_counts(target: &Target) -> Vec<usize> {
    match target {
        Target::Classes { class_names, labels } => {
            let mut counts = vec![0; class_names.len()];
            labels.iter().for_each(|&label| counts[label] += 1);
            counts
        }
        Target::Values(_) => vec![],
    }
}

/// Whether a row's class occurs again, so that another may take its place; counts the exchange.
fn may_leave(counts: &mut [usize], target: &Target, old: usize, new: usize) -> bool {
    if let Target::Classes { labels, .. } = target {
        if counts[labels[old]] < 2 {
            return false;
        }
        counts[labels[old]] -= 1;
        counts[labels[new]] += 1;
    }
    true
}

/// Makes some targets wrong, in the tables where that happens. Every class still occurs.
pub(crate) fn spoil(target: &mut Target, rows: &Table, shares: &ImpurityShares, draw: &mut Draw<'_>) {
    if shares.tables == 0.0 || !draw.chance(shares.tables) {
        return;
    }
    let share = shares.most * f64::from(draw.unit());
    let systematic = draw.chance(shares.systematic);
    let mut counts = class_counts(target);
    match target {
        Target::Classes { class_names, labels } => {
            let n_classes = class_names.len();
            let rule = systematic.then(|| Rule::draw(rows, n_classes, draw));
            for (row, label) in labels.iter_mut().enumerate() {
                let (applies, wrong) = match &rule {
                    None => (true, draw.below(n_classes)),
                    Some(rule) => (rule.applies(row, *label), rule.to),
                };
                // A rule that holds for few rows is as good as certain there.
                let chance = if rule.is_some() { (2.0 * share).min(1.0) } else { share };
                if applies && draw.chance(chance) && counts[*label] > 1 {
                    counts[*label] -= 1;
                    counts[wrong] += 1;
                    *label = wrong;
                }
            }
        }
        Target::Values(values) => {
            let given = values.clone();
            let n = given.len() as f64;
            let mean = given.iter().sum::<f64>() / n;
            let deviation = (given.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
            let rule = systematic.then(|| Rule::draw(rows, 1, draw));
            let offset = deviation * f64::from(draw.uniform(0.5, 4.0) * draw.sign());
            for (row, value) in values.iter_mut().enumerate() {
                match &rule {
                    None if draw.chance(share) => *value = given[draw.below(given.len())],
                    Some(rule) if rule.applies(row, 0) && draw.chance((2.0 * share).min(1.0)) => {
                        *value += offset
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A rule by which targets are wrong: of one class, or of the rows on one side of a column.
struct Rule {
    from: Option<usize>,
    to: usize,
    group: Option<Vec<bool>>,
}

impl Rule {
    fn draw(rows: &Table, n_classes: usize, draw: &mut Draw<'_>) -> Self {
        let by_class = n_classes > 1 && draw.chance(0.5);
        let (from, to) = (draw.below(n_classes), draw.below(n_classes));
        let column = &rows.columns()[draw.below(rows.columns().len())];
        Self {
            from: by_class.then_some(from),
            to: if by_class && from == to { (to + 1) % n_classes } else { to },
            group: (!by_class).then(|| one_side(&column.values, draw)),
        }
    }

    fn applies(&self, row: usize, label: usize) -> bool {
        self.from.is_none_or(|from| from == label) && self.group.as_ref().is_none_or(|group| group[row])
    }
}

/// The rows above a random number of the column, or of one level.
fn one_side(values: &ColumnValues, draw: &mut Draw<'_>) -> Vec<bool> {
    match values {
        ColumnValues::Numeric(numbers) => {
            let cut = numbers[draw.below(numbers.len())];
            numbers.iter().map(|&number| number >= cut).collect()
        }
        ColumnValues::Categorical { codes, .. } => {
            let level = codes[draw.below(codes.len())];
            codes.iter().map(|&code| code == level).collect()
        }
    }
}
