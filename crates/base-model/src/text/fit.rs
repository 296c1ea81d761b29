//! Fitting the weights of n-grams on labelled texts.

use super::{Counts, MAX_NGRAMS, Ngrams, TextColumn, counted, normalise, value};
use std::collections::BTreeMap;
use weightsmith_kernels::{Factor, Square, dot_f64};
use weightsmith_tasks::{Column, ColumnValues, Target};

/// The most texts that weights are fitted to; of more, so many that lie evenly among them.
const MAX_FITTED: usize = 1024;
/// The most texts that the strength of the ridge is picked on: it takes an inverse for each strength.
const MAX_TRIED: usize = 256;
/// Strengths of the ridge; a text's own n-grams have the sum of squares 1.
const STRENGTHS: [f64; 8] = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// A fitted column of text, and what it makes of the texts that it was fitted to.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedText {
    /// What makes scores of texts.
    pub text: TextColumn,
    /// Its columns for the labelled rows, to learn from: the scores of a row are from all other rows.
    pub columns: Vec<Column>,
}

/// N-grams of the texts that weights are fitted to.
struct Group {
    ngrams: Vec<String>,
    texts: Vec<u32>,
    /// For each text, places and values.
    values: Vec<Vec<(usize, f64)>>,
}

impl TextColumn {
    /// Fits the scores of a column of texts to labels: kernel ridge regression of each class's indicator (of the second
    /// class, where there are two; of the standardised value, for a number) on the similarity of two texts, the mean over
    /// both groups of n-grams of the sum of products of their values. The strength is the one whose leave-one-out errors are
    /// the least.
    ///
    /// The scores of a labelled row are its leave-one-out predictions, in closed form, less the mean label of the other rows:
    /// a network that learned from fitted scores would trust them too much, and the mean of the others would tell a row's own
    /// label. No row's own label is in its scores, so that rows held out later are nearly as new to them as new rows.
    ///
    /// None for a column of numbers, one with fewer than four texts, and one of white space alone.
    ///
    /// # Panics
    /// If there is not a label for each row.
    pub fn fit(name: &str, values: &ColumnValues, target: &Target) -> Option<FittedText> {
        let ColumnValues::Categorical { levels, codes } = values else { return None };
        assert_eq!(codes.len(), target.len(), "a label for each row");
        let with_text: Vec<usize> = (0..codes.len()).filter(|&row| codes[row].is_some()).collect();
        let n_fitted = with_text.len().min(MAX_FITTED);
        if n_fitted < 4 {
            return None;
        }
        let fitted: Vec<usize> = (0..n_fitted).map(|at| with_text[at * with_text.len() / n_fitted]).collect();
        let text_of = |row: usize| codes[row].map_or("", |code| levels[code as usize].as_str());
        let counts: Vec<[Counts; 2]> = fitted.iter().map(|&row| counted(text_of(row))).collect();
        let groups = [0, 1].map(|group| Group::of(&counts, group));
        if groups[1].ngrams.is_empty() {
            return None;
        }
        let similarity = similarities(&groups, n_fitted);
        let labels = labels(target, &fitted);
        let strength = strength(&similarity, &labels, n_fitted);
        let inverse = with_strength(&similarity, n_fitted, n_fitted, strength);
        let names = score_names(name, target);
        let text = TextColumn {
            column: name.to_string(),
            n_texts: n_fitted as u32,
            words: groups[0].weighted(&inverse, &labels),
            pieces: groups[1].weighted(&inverse, &labels),
            scores: names,
        };
        let mut columns = text.columns(values).ok()?;
        for (column, labels) in columns.iter_mut().zip(&labels) {
            let left_out = left_out(&inverse, labels);
            if let ColumnValues::Numeric(numbers) = &mut column.values {
                fitted.iter().zip(left_out).for_each(|(&row, score)| numbers[row] = score);
            }
        }
        Some(FittedText { text, columns })
    }
}

impl Group {
    fn of(counts: &[[Counts; 2]], group: usize) -> Self {
        let mut texts: BTreeMap<&str, u32> = BTreeMap::new();
        for ngram in counts.iter().flat_map(|counts| counts[group].keys()) {
            *texts.entry(ngram).or_default() += 1;
        }
        let mut kept: Vec<(&str, u32)> = texts.into_iter().collect();
        if kept.len() > MAX_NGRAMS {
            kept.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            kept.truncate(MAX_NGRAMS);
            kept.sort_unstable();
        }
        let n_texts = counts.len() as u32;
        let values = counts
            .iter()
            .map(|counts| {
                let mut values: Vec<(usize, f64)> = counts[group]
                    .iter()
                    .filter_map(|(ngram, &count)| {
                        let at = kept.binary_search_by(|(own, _)| (*own).cmp(ngram)).ok()?;
                        Some((at, value(count, kept[at].1, n_texts)))
                    })
                    .collect();
                normalise(&mut values);
                values
            })
            .collect();
        let (ngrams, texts) = kept.into_iter().map(|(ngram, texts)| (ngram.to_string(), texts)).unzip();
        Self { ngrams, texts, values }
    }

    /// The n-grams with a weight for each score: half of the sum over texts of value times coefficient.
    fn weighted(&self, inverse: &Square, labels: &[Vec<f64>]) -> Ngrams {
        let n = self.values.len();
        let weights = labels.iter().map(|labels| {
            let mean = labels.iter().sum::<f64>() / n as f64;
            let centred: Vec<f64> = labels.iter().map(|label| label - mean).collect();
            let mut weights = vec![0.0; self.ngrams.len()];
            for (row, values) in self.values.iter().enumerate() {
                let coefficient = dot_f64(inverse.row(row), &centred);
                values.iter().for_each(|(at, value)| weights[*at] += 0.5 * coefficient * value);
            }
            weights.into_iter().map(|weight| weight as f32).collect()
        });
        Ngrams { ngrams: self.ngrams.clone(), texts: self.texts.clone(), weights: weights.collect() }
    }
}

/// The similarity of each two texts, row-major.
fn similarities(groups: &[Group; 2], n: usize) -> Vec<f64> {
    let mut similarity = vec![0.0; n * n];
    for group in groups {
        let mut holders: Vec<Vec<(usize, f64)>> = vec![Vec::new(); group.ngrams.len()];
        for (row, values) in group.values.iter().enumerate() {
            values.iter().for_each(|(at, value)| holders[*at].push((row, *value)));
        }
        for holders in holders {
            for (row, value) in &holders {
                let entries = &mut similarity[row * n..(row + 1) * n];
                holders.iter().for_each(|(other, factor)| entries[*other] += 0.5 * value * factor);
            }
        }
    }
    similarity
}

/// A list of labels for each score.
fn labels(target: &Target, rows: &[usize]) -> Vec<Vec<f64>> {
    match target {
        Target::Classes { class_names, labels } => {
            // Of two classes one tells the other.
            let first = usize::from(class_names.len() == 2);
            let indicator =
                |class: usize| rows.iter().map(move |&row| f64::from(u8::from(labels[row] == class)));
            (first..class_names.len()).map(|class| indicator(class).collect()).collect()
        }
        Target::Values(values) => {
            let n = rows.len() as f64;
            let magnitude = rows.iter().fold(f64::MIN_POSITIVE, |most, &row| most.max(values[row].abs()));
            let scaled: Vec<f64> = rows.iter().map(|&row| values[row] / magnitude).collect();
            let mean = scaled.iter().sum::<f64>() / n;
            let spread = (scaled.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
            let spread = if spread > 0.0 { spread } else { 1.0 };
            vec![scaled.into_iter().map(|value| (value - mean) / spread).collect()]
        }
    }
}

fn score_names(name: &str, target: &Target) -> Vec<String> {
    match target {
        Target::Classes { class_names, .. } if class_names.len() > 2 => {
            class_names.iter().map(|class| format!("{name} (text, {class})")).collect()
        }
        _ => vec![format!("{name} (text)")],
    }
}

/// The strength with the least leave-one-out errors over all scores.
fn strength(similarity: &[f64], labels: &[Vec<f64>], n: usize) -> f64 {
    let n_tried = n.min(MAX_TRIED);
    let mut best = (f64::INFINITY, STRENGTHS[0]);
    for strength in STRENGTHS {
        let inverse = with_strength(similarity, n, n_tried, strength);
        let error = |labels: &Vec<f64>| {
            let labels = &labels[..n_tried];
            let total: f64 = labels.iter().sum();
            let missed = labels.iter().zip(left_out(&inverse, labels));
            missed
                .map(|(label, score)| (label - (total - label) / (n_tried - 1) as f64 - score).powi(2))
                .sum::<f64>()
        };
        let errors: f64 = labels.iter().map(error).sum();
        if errors < best.0 {
            best = (errors, strength);
        }
    }
    best.1
}

/// The inverse of the similarities of the first texts with a ridge on their diagonal.
fn with_strength(similarity: &[f64], n: usize, n_first: usize, strength: f64) -> Square {
    let mut matrix = Square::zeros(n_first);
    for row in 0..n_first {
        let own = matrix.row_mut(row);
        own.copy_from_slice(&similarity[row * n..row * n + n_first]);
        own[row] += strength;
    }
    Factor::of(matrix).expect("similarities with a ridge are positive definite").inverse()
}

/// The score of each text, fitted to the labels of the others less their mean.
///
/// For any numbers `v`, the fit to all but row i of `v` says `v_i - (A v)_i / A_ii` for row i, where `A` is the inverse of
/// similarities and ridge: the fit to labels less a mean of m is that of the labels less m times that of ones.
fn left_out(inverse: &Square, labels: &[f64]) -> Vec<f64> {
    let n = labels.len();
    let total: f64 = labels.iter().sum();
    (0..n)
        .map(|row| {
            let entries = inverse.row(row);
            let of = |own: f64, sum: f64| own - sum / entries[row];
            let mean = (total - labels[row]) / (n - 1) as f64;
            of(labels[row], dot_f64(entries, labels)) - mean * of(1.0, entries.iter().sum())
        })
        .collect()
}

#[cfg(test)]
mod tests;
