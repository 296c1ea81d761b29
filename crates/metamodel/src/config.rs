//! The shape of a metamodel.

use serde::{Deserialize, Serialize};
use weightsmith_tasks::TaskType;

/// Classes that have a label embedding of their own; further classes share them in turn.
pub(crate) const N_CLASS_EMBEDDINGS: usize = 10;

/// What a metamodel can be asked for. Outside of these limits `generate` refuses or, where stated, does less.
pub mod limits {
    /// Fewest support rows.
    pub const MIN_SUPPORT: usize = 4;
    /// Most classes.
    pub const MAX_CLASSES: usize = 100;
    /// Most encoded columns; the encoding keeps those with the strongest association.
    pub const MAX_COLUMNS: usize = 256;
    /// Most support rows that are encoded; the head is solved on all rows.
    pub const MAX_ENCODED_ROWS: usize = 512;
    /// Classes up to which metamodels are trained. Beyond, and beyond [`MAX_ENCODED_ROWS`], the strength of the head is checked
    /// by folds. Columns are no such matter: with 216 of them strengths as generated are better than strengths picked by folds.
    pub const USUAL_CLASSES: usize = 10;
}

/// Widths and depths of a metamodel; no numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetamodelConfig {
    /// Classification (a logistic head) or regression (a ridge head).
    pub task_type: TaskType,
    /// Width of every token.
    pub d_model: usize,
    /// Encoder layers.
    pub n_layers: usize,
    /// Attention heads.
    pub n_heads: usize,
    /// Register tokens, through which rows attend to each other.
    pub n_registers: usize,
    /// Hidden units of the base model.
    pub n_units: usize,
    /// Decoder blocks.
    pub n_decoder_blocks: usize,
    /// Rank of the map from units and features to hidden weights.
    pub rank: usize,
    /// Steps of the logistic head.
    pub head_steps: usize,
    /// Logarithm of how much more or less than others a row may weigh in the head, above 0 and at most 20: at 1, the weights
    /// of two rows differ by a factor of e² at most; at 6, a row can be as good as left out.
    #[serde(default = "narrow", skip_serializing_if = "is_narrow")]
    pub row_weight_range: f32,
}

fn narrow() -> f32 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_narrow(range: &f32) -> bool {
    *range == 1.0
}

impl MetamodelConfig {
    /// The shape that the shipped metamodels have.
    pub fn standard(task_type: TaskType) -> Self {
        Self {
            task_type,
            d_model: 64,
            n_layers: 4,
            n_heads: 4,
            n_registers: 16,
            n_units: 64,
            n_decoder_blocks: 2,
            rank: 32,
            head_steps: 12,
            row_weight_range: narrow(),
        }
    }

    /// A shape that trains in seconds, for tests.
    pub fn tiny(task_type: TaskType) -> Self {
        Self {
            d_model: 16,
            n_layers: 1,
            n_heads: 2,
            n_registers: 4,
            n_units: 8,
            n_decoder_blocks: 1,
            rank: 8,
            ..Self::standard(task_type)
        }
    }

    /// Whether the sizes make a network.
    ///
    /// # Errors
    /// The first size that does not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("d_model", self.d_model, 4096),
            ("n_layers", self.n_layers, 64),
            ("n_heads", self.n_heads, 64),
            ("n_registers", self.n_registers, 1024),
            ("n_units", self.n_units, 4096),
            ("n_decoder_blocks", self.n_decoder_blocks, 64),
            ("rank", self.rank, 4096),
            ("head_steps", self.head_steps, 100),
        ];
        for (name, value, highest) in sizes {
            if value == 0 || value > highest {
                return Err(ConfigError::OutOfRange { name, value, highest });
            }
        }
        if !(self.row_weight_range > 0.0 && self.row_weight_range <= 20.0) {
            return Err(ConfigError::RowWeightRange { found: self.row_weight_range });
        }
        if !self.d_model.is_multiple_of(self.n_heads) {
            return Err(ConfigError::Heads { d_model: self.d_model, n_heads: self.n_heads });
        }
        Ok(())
    }
}

/// A shape that no metamodel can have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A range of row weights that is none.
    #[error("row_weight_range is {found}; it must be above 0 and at most 20")]
    RowWeightRange {
        /// What was given.
        found: f32,
    },
    /// A size is 0 or too large.
    #[error("{name} is {value}; it must lie between 1 and {highest}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: usize,
        /// The largest value allowed.
        highest: usize,
    },
    /// Heads that do not divide the width.
    #[error("n_heads ({n_heads}) does not divide d_model ({d_model})")]
    Heads {
        /// Width of a token.
        d_model: usize,
        /// Heads asked for.
        n_heads: usize,
    },
}
