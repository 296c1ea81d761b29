//! Columns of running text: how a message becomes a few numbers that a network reads.
//!
//! A text becomes a *score* for each class (one where there are two classes or a number is predicted). A score is a weighted sum of the text's n-grams: words, pairs of words, and pieces of two to five characters. The
//! weights are those of ridge regression on the labelled texts ([`TextColumn::fit`]), so that every n-gram has a weight that
//! a person can read. Nothing is hashed: the n-grams of the labelled texts are in the file, others say nothing.
//!
//! # From a text to its scores
//!
//! 1. The text is put into lower case, and its first [`MAX_CHARACTERS`] characters are read.
//! 2. A *word* is a run of characters that are no separators. Separators are all ASCII characters but letters and digits,
//!    U+0080 to U+00BF, U+00D7, U+00F7, U+2000 to U+206F and U+3000 to U+303F.
//! 3. The first group of n-grams are the words, and pairs of words that follow each other with a space between them.
//! 4. The second are pieces of what stands between white space, signs included, which often tell who writes: all runs of two to
//!    five characters of it, with a space put before and behind it. White space is Unicode's `White_Space`.
//! 5. In each group, an n-gram that is known and occurs `count` times has the value `(1 + ln count) · (1 + ln((1 + n_texts) /
//!    (1 + texts)))`, where `texts` is the number of labelled texts that have it. The values of a group are divided by the
//!    root of the sum of their squares.
//! 6. A score is the sum of values times weights, over both groups.
//!
//! A missing text has missing scores.

mod fit;

use crate::encoding::EncodingError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weightsmith_tasks::{Column, ColumnValues};

pub use fit::FittedText;

/// The characters of a text that are read; more say little about a short message, and cost time.
pub const MAX_CHARACTERS: usize = 2000;
/// The most n-grams of one group that are kept.
pub const MAX_NGRAMS: usize = 1 << 16;
/// Lengths of the pieces of words, in characters.
const PIECES: std::ops::RangeInclusive<usize> = 2..=5;

/// How a column of running text becomes columns of numbers; see the module's documentation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextColumn {
    /// The name of the column of text.
    pub column: String,
    /// The names of the columns of scores.
    pub scores: Vec<String>,
    /// The labelled texts that the n-grams were counted in.
    pub n_texts: u32,
    /// Words and pairs of words.
    pub words: Ngrams,
    /// Pieces of what stands between white space.
    pub pieces: Ngrams,
}

/// N-grams of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ngrams {
    /// The n-grams, in ascending order of their bytes.
    pub ngrams: Vec<String>,
    /// How many labelled texts have each.
    pub texts: Vec<u32>,
    /// For each score, the weight of each n-gram.
    pub weights: Vec<Vec<f32>>,
}

impl TextColumn {
    /// The names of the columns that the text becomes.
    pub fn made(&self) -> impl Iterator<Item = &str> {
        self.scores.iter().map(String::as_str)
    }

    /// The columns that a column of texts becomes, one for each score.
    ///
    /// # Errors
    /// [`EncodingError::WrongType`] for a column of numbers.
    pub fn columns(&self, values: &ColumnValues) -> Result<Vec<Column>, EncodingError> {
        let ColumnValues::Categorical { levels, codes } = values else {
            return Err(EncodingError::WrongType {
                name: self.column.clone(),
                expected: weightsmith_tasks::ColumnType::Categorical,
                found: values.column_type(),
            });
        };
        let of_levels: Vec<Vec<f64>> = levels.iter().map(|text| self.numbers(text)).collect();
        Ok(self
            .made()
            .enumerate()
            .map(|(at, name)| {
                let number = |code: &Option<u32>| code.map_or(f64::NAN, |code| of_levels[code as usize][at]);
                let values = ColumnValues::Numeric(codes.iter().map(number).collect());
                Column { name: name.to_string(), values }
            })
            .collect())
    }

    /// The words and pairs of words with the greatest weights of a score, and those with the least, each at most `n_most`.
    ///
    /// # Panics
    /// If there is no such score.
    pub fn strongest(&self, score: usize, n_most: usize) -> [Vec<&str>; 2] {
        let weights = &self.words.weights[score];
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
        let named = |at: &usize| self.words.ngrams[*at].as_str();
        let above = order.iter().filter(|&&at| weights[at] > 0.0).take(n_most).map(named).collect();
        let below = order.iter().rev().filter(|&&at| weights[at] < 0.0).take(n_most).map(named).collect();
        [above, below]
    }

    /// The scores of a text.
    fn numbers(&self, text: &str) -> Vec<f64> {
        let mut numbers = vec![0.0; self.scores.len()];
        let found = counted(text);
        for (group, counts) in [&self.words, &self.pieces].into_iter().zip(&found) {
            let values = group.values(counts, self.n_texts);
            for (number, weights) in numbers.iter_mut().zip(&group.weights) {
                *number += values.iter().map(|(at, value)| value * f64::from(weights[*at])).sum::<f64>();
            }
        }
        numbers
    }

    /// What is wrong with it, if anything; whoever wrote it.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.scores.is_empty() {
            return Some("a text has no score");
        }
        let mut names: Vec<&str> = self.made().chain([self.column.as_str()]).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Some("a text and what it becomes have one name twice");
        }
        [&self.words, &self.pieces]
            .into_iter()
            .find_map(|group| group.problem(self.scores.len(), self.n_texts))
    }
}

impl Ngrams {
    /// Places and values of those n-grams that are known, in the order of their places.
    fn values(&self, counts: &Counts, n_texts: u32) -> Vec<(usize, f64)> {
        let mut values: Vec<(usize, f64)> = counts
            .iter()
            .filter_map(|(ngram, &count)| {
                let at = self.ngrams.binary_search_by(|own| own.as_str().cmp(ngram)).ok()?;
                Some((at, value(count, self.texts[at], n_texts)))
            })
            .collect();
        normalise(&mut values);
        values
    }

    fn problem(&self, n_scores: usize, n_texts: u32) -> Option<&'static str> {
        let n = self.ngrams.len();
        if n > MAX_NGRAMS {
            return Some("a text has too many n-grams");
        }
        let fits = self.texts.len() == n
            && self.weights.len() == n_scores
            && self.weights.iter().all(|weights| weights.len() == n);
        if !fits {
            return Some("a text has not one count and one weight for each n-gram and score");
        }
        if self.ngrams.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Some("the n-grams of a text must ascend");
        }
        if self.texts.iter().any(|&texts| texts == 0 || texts > n_texts) {
            return Some("an n-gram must be in at least one text and at most in all");
        }
        let finite = self.weights.iter().flatten().all(|weight| weight.is_finite());
        (!finite).then_some("the weights of n-grams must be finite")
    }
}

/// How often each n-gram of a group occurs in a text.
type Counts = BTreeMap<String, u32>;

/// The n-grams of a text, words first, then pieces.
fn counted(text: &str) -> [Counts; 2] {
    let lower: String = text.to_lowercase().chars().take(MAX_CHARACTERS).collect();
    let words: Vec<&str> = lower.split(is_separator).filter(|word| !word.is_empty()).collect();
    let [mut of_words, mut of_pieces] = [Counts::new(), Counts::new()];
    for word in &words {
        *of_words.entry((*word).to_string()).or_default() += 1;
    }
    for word in lower.split_whitespace() {
        let padded: Vec<char> = [' '].into_iter().chain(word.chars()).chain([' ']).collect();
        for length in PIECES {
            for piece in padded.windows(length) {
                *of_pieces.entry(piece.iter().collect()).or_default() += 1;
            }
        }
    }
    for pair in words.windows(2) {
        *of_words.entry(pair.join(" ")).or_default() += 1;
    }
    [of_words, of_pieces]
}

/// Whether a character stands between words.
fn is_separator(character: char) -> bool {
    match character {
        '\0'..='\u{7f}' => !character.is_ascii_alphanumeric(),
        '\u{80}'..='\u{bf}' | '\u{d7}' | '\u{f7}' | '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' => true,
        _ => false,
    }
}

/// The value of an n-gram before values are normalised.
fn value(count: u32, texts: u32, n_texts: u32) -> f64 {
    let rarity = (1.0 + f64::from(n_texts)) / (1.0 + f64::from(texts));
    (1.0 + f64::from(count).ln()) * (1.0 + rarity.ln())
}

fn normalise(values: &mut [(usize, f64)]) {
    let length = values.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
    if length > 0.0 {
        values.iter_mut().for_each(|(_, value)| *value /= length);
    }
}
