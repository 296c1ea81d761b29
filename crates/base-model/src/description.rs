//! A base model in words and figures, for people and as JSON.

use crate::architecture::Architecture;
use crate::encoding::Transform;
use crate::file::Precision;
use crate::model::{BaseModel, ExpectedPerformance, Provenance, SupportInfo};
use crate::target_unit::TargetUnit;
use crate::text::TextColumn;
use serde::Serialize;
use std::fmt;
use weightsmith_tasks::{ColumnType, Level, TaskType};

/// Words that are told of each score of a text.
const N_STRONGEST: usize = 8;

/// One input and the encoded columns it becomes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InputDescription {
    /// The column's name.
    pub name: String,
    /// The column's type.
    pub column_type: ColumnType,
    /// What each encoded column is, in words.
    pub columns: Vec<String>,
}

/// A column of text that inputs are made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TextDescription {
    /// The column's name.
    pub name: String,
    /// Words and pairs of words that have a weight.
    pub n_words: usize,
    /// Pieces of two to five characters that have a weight.
    pub n_pieces: usize,
    /// The labelled texts that the weights are from.
    pub n_texts: u32,
    /// What the strongest words are, for each score.
    pub scores: Vec<ScoreDescription>,
}

/// A score of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreDescription {
    /// The input that it is.
    pub name: String,
    /// Words and pairs of words that raise it most, the strongest first.
    pub raised_by: Vec<String>,
    /// Those that lower it most.
    pub lowered_by: Vec<String>,
}

impl TextDescription {
    fn of(text: &TextColumn) -> Self {
        let owned = |words: Vec<&str>| words.into_iter().map(String::from).collect();
        let score = |(at, name): (usize, &String)| {
            let [raised_by, lowered_by] = text.strongest(at, N_STRONGEST).map(owned);
            ScoreDescription { name: name.clone(), raised_by, lowered_by }
        };
        Self {
            name: text.column.clone(),
            n_words: text.words.ngrams.len(),
            n_pieces: text.pieces.ngrams.len(),
            n_texts: text.n_texts,
            scores: text.scores.iter().enumerate().map(score).collect(),
        }
    }
}

/// One tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorDescription {
    /// The name in the file.
    pub name: String,
    /// Outputs before inputs.
    pub shape: Vec<usize>,
    /// How the numbers are stored.
    pub precision: Precision,
    /// The least number.
    pub min: f32,
    /// The greatest number.
    pub max: f32,
}

/// What a base model is and holds. Prints as several lines of text and serialises for `--json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// What the rows are about, 0 for the world.
    pub level: u32,
    /// What is predicted.
    pub task_type: TaskType,
    /// The classes; none for a regression.
    pub class_names: Vec<String>,
    /// The network's shape.
    pub architecture: Architecture,
    /// The number of weights and biases.
    pub n_weights: usize,
    /// The inputs and how they are encoded.
    pub inputs: Vec<InputDescription>,
    /// The columns of text that inputs are made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<TextDescription>,
    /// What a regression's output counts; none where it is the value itself.
    pub target_unit: Option<TargetUnit>,
    /// The tensors, sorted by name.
    pub tensors: Vec<TensorDescription>,
    /// What made the weights.
    pub provenance: Provenance,
    /// What they were made from.
    pub support: SupportInfo,
    /// How good they will be, where that was estimated.
    pub expected: Option<ExpectedPerformance>,
    /// Rows that were held out, whose errors intervals are made of; 0 where there are none.
    pub n_held_out: usize,
}

impl<L: Level> BaseModel<L> {
    /// The model in words, over several lines; [`crate::inspect`] tells the same of a file.
    pub fn describe(&self) -> String {
        self.description().to_string()
    }

    /// What [`BaseModel::describe`] prints, as data.
    ///
    /// # Panics
    /// If the model is not valid.
    pub fn description(&self) -> Description {
        Description::new(self, L::DEPTH, |_| Precision::F32)
    }
}

impl Description {
    pub(crate) fn new<L: Level>(
        model: &BaseModel<L>,
        level: u32,
        precision: impl Fn(&str) -> Precision,
    ) -> Self {
        let mut inputs: Vec<InputDescription> = model
            .encoding
            .inputs()
            .iter()
            .map(|(name, column_type)| InputDescription {
                name: name.clone(),
                column_type: *column_type,
                columns: Vec::new(),
            })
            .collect();
        for column in model.encoding.columns() {
            inputs[column.source].columns.push(in_words(&column.transform));
        }
        let tensors = model.weights.named().into_iter().map(|(name, shape, values)| TensorDescription {
            precision: precision(&name),
            name,
            shape,
            min: values.iter().copied().fold(f32::INFINITY, f32::min),
            max: values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        });
        Self {
            level,
            task_type: model.task_type,
            class_names: model.class_names.clone(),
            architecture: model.architecture.clone(),
            n_weights: model.architecture.n_weights(),
            target_unit: model.target_unit,
            tensors: tensors.collect(),
            inputs,
            texts: model.encoding.texts().iter().map(TextDescription::of).collect(),
            provenance: model.provenance.clone(),
            support: model.support.clone(),
            expected: model.expected.clone(),
            n_held_out: model.held_out.as_ref().map_or(0, |errors| errors.n_rows),
        }
    }
}

fn in_words(transform: &Transform) -> String {
    match transform {
        Transform::Standard { centre, scale } => format!("value, centre {centre}, scale {scale}"),
        Transform::GaussianRank { knots } => {
            let (first, last) = (knots.first().map_or(0.0, |k| k[0]), knots.last().map_or(0.0, |k| k[0]));
            format!("Gaussian rank, {} knots from {first} to {last}", knots.len())
        }
        Transform::Missing { centre } | Transform::MissingLevel { centre } => {
            format!("is missing, share {centre:.3}")
        }
        // Debug quoting keeps control characters of a hostile file off the terminal.
        Transform::Level { level, centre } => format!("is {level:?}, share {centre:.3}"),
        Transform::OtherLevel { centre, .. } => format!("is any other level, share {centre:.3}"),
        Transform::Constant => "constant 0".to_string(),
    }
}

/// Names side by side; a hostile file's control characters stay off the terminal.
fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    if names.is_empty() { "nothing".to_string() } else { names.join(", ") }
}

/// A figure of any size with four digits that count.
fn four_digits(value: f32) -> String {
    match value.abs() {
        size if size > 0.0 && !(1e-4..1e6).contains(&size) => format!("{value:.3e}"),
        size if size >= 1000.0 => format!("{value:.0}"),
        size => {
            let n_decimals = if size > 0.0 { (3.0 - size.log10().floor()) as usize } else { 4 };
            format!("{value:.n_decimals$}")
        }
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "task        {}, level {}", self.task_type, self.level)?;
        if !self.class_names.is_empty() {
            let names: Vec<String> = self.class_names.iter().map(|name| format!("{name:?}")).collect();
            writeln!(f, "classes     {}", names.join(", "))?;
        }
        let architecture = &self.architecture;
        let mut widths = vec![architecture.n_inputs.to_string()];
        widths.extend(architecture.hidden.iter().map(usize::to_string));
        widths.push(architecture.n_outputs.to_string());
        let activation = if architecture.hidden.is_empty() {
            "linear".to_string()
        } else {
            format!("{:?}", architecture.activation).to_lowercase()
        };
        let skip = if architecture.skip { ", skip path" } else { "" };
        writeln!(f, "network     {}, {activation}{skip}, {} weights", widths.join(" > "), self.n_weights)?;
        if let Some(TargetUnit { centre, scale }) = &self.target_unit {
            writeln!(f, "value       {centre} + {scale} x output")?;
        }
        writeln!(f, "made by     {:?} {:?}", self.provenance.name, self.provenance.checksum)?;
        writeln!(f, "made from   {} rows, {:?}", self.support.n_rows, self.support.checksum)?;
        if let Some(expected) = &self.expected {
            let ExpectedPerformance { metric, value, low, high, .. } = expected;
            let [value, low, high] = [*value, *low, *high].map(four_digits);
            writeln!(f, "expected    {} {value}, between {low} and {high}", metric.label())?;
            if let Some(std) = expected.residual_std {
                writeln!(f, "errors      standard deviation {std}, one for all rows")?;
            }
        }
        if self.n_held_out > 0 {
            writeln!(f, "intervals   from {} rows held out", self.n_held_out)?;
        }
        writeln!(f, "inputs")?;
        for input in &self.inputs {
            writeln!(f, "  {:?} ({:?})", input.name, input.column_type)?;
            for column in &input.columns {
                writeln!(f, "    {column}")?;
            }
        }
        for text in &self.texts {
            let TextDescription { name, n_words, n_pieces, n_texts, scores } = text;
            writeln!(
                f,
                "text        {name:?}: {n_words} words and pairs and {n_pieces} pieces, from {n_texts} texts"
            )?;
            for score in scores {
                writeln!(f, "  {:?}", score.name)?;
                writeln!(f, "    raised by {}", quoted(&score.raised_by))?;
                writeln!(f, "    lowered by {}", quoted(&score.lowered_by))?;
            }
        }
        writeln!(f, "tensors")?;
        for tensor in &self.tensors {
            let TensorDescription { name, shape, precision, min, max } = tensor;
            writeln!(f, "  {name:<18} {shape:?} {precision}, from {min} to {max}")?;
        }
        Ok(())
    }
}
