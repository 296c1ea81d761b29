//! The ways to come by weights that are compared: an arm reads support rows and gives something that predicts.

mod fit;
mod start;

pub(crate) use fit::is_looked_at;
pub use fit::{ArmError, ArmSettings, Fit, Look, Predictor, Shape, Watch};
pub use start::StartWeights;

use crate::controls::NOISE;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use weightsmith_training::Optimiser;

/// One way to come by weights.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Arm {
    /// The metamodel in one forward pass, and its forest's second opinion.
    Generated,
    /// The metamodel in one forward pass, and nothing else.
    GeneratedAlone,
    /// [`Arm::Generated`], then proximal steps if these pay on held-out rows.
    Refined,
    /// What the planner decides: generated, or trained by the recipe that it holds to be the best of all.
    Planned,
    /// Fine-tuning of weights from a file.
    FineTuned,
    /// A network that an optimiser trains from random numbers with its default recipe.
    Trained(Optimiser),
    /// The same, its recipe chosen by cross-validation inside the support.
    Tuned(Optimiser),
    /// Logistic or ridge regression, its strength chosen by cross-validation inside the support.
    LinearTuned,
    /// Nearest neighbours, their number chosen by cross-validation inside the support.
    Neighbours,
    /// A random forest.
    Forest,
    /// The metamodel's closed-form head alone: what it makes before it has learned anything.
    Untrained,
    /// [`Arm::Generated`] with noise on every weight.
    Noisy,
    /// Weights generated from the same rows with shuffled labels.
    Shuffled,
}

/// What an arm is for in a comparison.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Weights that the metamodel wrote.
    Generated,
    /// Weights that came about as the planner decided.
    Planned,
    /// Weights that an optimiser found by gradients.
    Optimised,
    /// Weights found by trial and error.
    Tried,
    /// No network of this kind; for scale.
    Reference,
    /// What would be seen if the generated weights held nothing of the table.
    Control,
}

impl Arm {
    /// Every arm, in the order of reports; the last one needs a file.
    pub const ALL: [Self; 21] = [
        Self::Generated,
        Self::GeneratedAlone,
        Self::Refined,
        Self::Planned,
        Self::Tuned(Optimiser::Adam),
        Self::Tuned(Optimiser::AdamW),
        Self::Tuned(Optimiser::Sgd),
        Self::Tuned(Optimiser::Lbfgs),
        Self::Trained(Optimiser::Adam),
        Self::Trained(Optimiser::AdamW),
        Self::Trained(Optimiser::Sgd),
        Self::Trained(Optimiser::Lbfgs),
        Self::Trained(Optimiser::Evolution),
        Self::Trained(Optimiser::RandomSearch),
        Self::LinearTuned,
        Self::Neighbours,
        Self::Forest,
        Self::Untrained,
        Self::Noisy,
        Self::Shuffled,
        Self::FineTuned,
    ];

    /// Every arm that needs no file, in the order of reports.
    pub fn without_file() -> Vec<Self> {
        Self::ALL.into_iter().filter(|arm| *arm != Self::FineTuned).collect()
    }

    /// The name on the command line and in result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::GeneratedAlone => "generated-alone",
            Self::Refined => "refined",
            Self::Planned => "planned",
            Self::FineTuned => "fine-tuned",
            Self::Trained(optimiser) => optimiser.name(),
            Self::Tuned(Optimiser::Adam) => "adam-tuned",
            Self::Tuned(Optimiser::AdamW) => "adamw-tuned",
            Self::Tuned(Optimiser::Sgd) => "sgd-tuned",
            Self::Tuned(Optimiser::Lbfgs) => "lbfgs-tuned",
            Self::Tuned(Optimiser::RandomSearch) => "random-search-tuned",
            Self::Tuned(Optimiser::Evolution) => "evolution-tuned",
            Self::LinearTuned => "linear-tuned",
            Self::Neighbours => "neighbours",
            Self::Forest => "forest",
            Self::Untrained => "untrained",
            Self::Noisy => "noisy",
            Self::Shuffled => "shuffled",
        }
    }

    /// What it is, in one line.
    pub fn about(self) -> String {
        let trained = |optimiser: Optimiser| match optimiser {
            Optimiser::Adam => "trained by Adam",
            Optimiser::AdamW => "trained by AdamW",
            Optimiser::Sgd => "trained by gradient descent with momentum",
            Optimiser::Lbfgs => "trained by L-BFGS",
            Optimiser::Evolution => "found by an evolution strategy, without gradients",
            Optimiser::RandomSearch => "found by trying random numbers and keeping what gets more rows right",
        };
        match self {
            Self::Generated => "weights written by the metamodel, with a forest's second opinion".into(),
            Self::GeneratedAlone => "weights written by the metamodel alone, in one forward pass".into(),
            Self::Refined => {
                "generated, then proximal steps, where held-out rows say that they pay by more than a standard error".into()
            }
            Self::Planned => "generated, or trained by the recipe that the planner holds to be the best of all".into(),
            Self::FineTuned => "weights of a file, trained on by Adam".into(),
            Self::Trained(optimiser) => format!("a network {}, default recipe", trained(optimiser)),
            Self::Tuned(optimiser) => {
                format!("a network {}, recipe chosen by 4-fold cross-validation", trained(optimiser))
            }
            Self::LinearTuned => {
                "logistic or ridge regression, its strength chosen by 4-fold cross-validation".into()
            }
            Self::Neighbours => "nearest neighbours, their number chosen by 4-fold cross-validation".into(),
            Self::Forest => "a random forest of 200 trees".into(),
            Self::Untrained => {
                "control: the metamodel's closed-form head alone, without anything learned".into()
            }
            Self::Noisy => {
                format!("control: generated, with noise of {:.0} % on every weight", 100.0 * NOISE)
            }
            Self::Shuffled => "control: generated from the same rows with shuffled labels".into(),
        }
    }

    /// What it is for.
    pub fn role(self) -> Role {
        match self {
            Self::Generated | Self::GeneratedAlone | Self::Refined => Role::Generated,
            Self::Planned => Role::Planned,
            Self::Trained(Optimiser::RandomSearch | Optimiser::Evolution)
            | Self::Tuned(Optimiser::RandomSearch | Optimiser::Evolution) => Role::Tried,
            Self::Trained(_) | Self::Tuned(_) | Self::FineTuned => Role::Optimised,
            Self::LinearTuned | Self::Neighbours | Self::Forest => Role::Reference,
            Self::Untrained | Self::Noisy | Self::Shuffled => Role::Control,
        }
    }
}

impl Arm {
    /// Whether its weights depend on the metamodel.
    pub(crate) fn asks_metamodel(self) -> bool {
        matches!(
            self,
            Self::Generated
                | Self::GeneratedAlone
                | Self::Refined
                | Self::Planned
                | Self::Noisy
                | Self::Shuffled
        )
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Arm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// No arm has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown arm \"{found}\"; there are {}", Arm::ALL.map(Arm::name).join(", "))]
pub struct UnknownArm {
    found: String,
}

impl FromStr for Arm {
    type Err = UnknownArm;

    fn from_str(text: &str) -> Result<Self, UnknownArm> {
        let named = |arm: &Self| arm.name() == text || (*arm == Self::LinearTuned && text == "linear");
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownArm { found: text.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_are_read_by_their_names() {
        for arm in Arm::ALL {
            assert_eq!(arm.name().parse(), Ok(arm));
        }
        assert_eq!("linear".parse(), Ok(Arm::LinearTuned));
        assert!("boosting".parse::<Arm>().unwrap_err().to_string().contains("unknown arm \"boosting\""));
    }
}
