//! The ways to come by weights that are compared: an arm reads support rows and gives a base model.

use crate::clock::{Cost, measured};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use weightsmith_base_model::BaseModel;
use weightsmith_metamodel::{
    GenerateError, GenerateOptions, Pretrained, generate_base_model, untrained_base_model,
};
use weightsmith_tasks::{Seed, Support};
use weightsmith_training::{InnerError, Recipe, default_grid, fit_linear, train_base_model, tune_base_model};

/// One way to come by weights.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arm {
    /// The metamodel in one forward pass, and its forest's second opinion.
    Generated,
    /// The metamodel in one forward pass, and nothing else.
    GeneratedAlone,
    /// The metamodel's closed-form head alone: what it makes before it has learned anything.
    Untrained,
    /// A network trained by Adam with its default recipe.
    Adam,
    /// A network trained by Adam, its recipe chosen by cross-validation inside the support.
    AdamTuned,
    /// Logistic or ridge regression, its strength chosen by cross-validation inside the support.
    LinearTuned,
}

impl Arm {
    /// Every arm, in the order of reports.
    pub const ALL: [Self; 6] = [
        Self::Generated,
        Self::GeneratedAlone,
        Self::Untrained,
        Self::AdamTuned,
        Self::Adam,
        Self::LinearTuned,
    ];

    /// The name on the command line and in result files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::GeneratedAlone => "generated-alone",
            Self::Untrained => "untrained",
            Self::Adam => "adam",
            Self::AdamTuned => "adam-tuned",
            Self::LinearTuned => "linear-tuned",
        }
    }

    /// What it is, in one line.
    pub fn about(self) -> &'static str {
        match self {
            Self::Generated => "weights written by the metamodel, with a forest's second opinion",
            Self::GeneratedAlone => "weights written by the metamodel alone, in one forward pass",
            Self::Untrained => "the metamodel's closed-form head alone, without anything learned",
            Self::Adam => "one hidden layer of 64 units, trained by Adam with defaults",
            Self::AdamTuned => {
                "the same network, its recipe chosen by 4-fold cross-validation (25 trainings)"
            }
            Self::LinearTuned => "logistic or ridge regression, its strength chosen by cross-validation",
        }
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
#[error(
    "unknown arm \"{found}\"; there are generated, generated-alone, untrained, adam-tuned, adam and linear-tuned"
)]
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

/// Why an arm gives no base model.
#[derive(Debug, thiserror::Error)]
pub enum ArmError {
    /// The metamodel cannot.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The optimiser cannot.
    #[error(transparent)]
    Inner(#[from] InnerError),
}

/// What the arms work with.
#[derive(Copy, Clone)]
pub struct ArmSettings<'a> {
    /// The metamodel of [`Arm::Generated`] and [`Arm::GeneratedAlone`]; its device is that of every arm.
    pub pretrained: &'a Pretrained,
    /// Views of these two.
    pub n_views: usize,
    /// The seed of the optimisers and of cross-validation.
    pub seed: Seed,
}

/// A base model and what it cost.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The base model.
    pub model: BaseModel,
    /// From the support rows to the weights.
    pub cost: Cost,
    /// What an optimiser chose and did, in words; empty for the other arms.
    pub details: String,
}

impl Arm {
    /// Makes a base model from support rows, on one thread.
    ///
    /// # Errors
    /// Rows that nothing can be learned from, a training that diverges.
    pub fn fit(self, support: &Support, settings: &ArmSettings<'_>) -> Result<Fit, ArmError> {
        let device = settings.pretrained.metamodel.device();
        let (made, cost) = measured(|| -> Result<(BaseModel, String), ArmError> {
            match self {
                Self::Generated | Self::GeneratedAlone => {
                    let usual = GenerateOptions::default();
                    let n_trees = if self == Self::Generated { usual.n_trees } else { 0 };
                    let options = GenerateOptions { n_views: settings.n_views, n_threads: 1, n_trees };
                    let (model, info) = generate_base_model(settings.pretrained, support, options)?;
                    Ok((model, format!("{} views, {} units", info.n_views, info.n_units)))
                }
                Self::Untrained => Ok((untrained_base_model(support, &device)?, String::new())),
                Self::Adam => {
                    let trained = train_base_model(support, &Recipe::default(), settings.seed, &device)?;
                    Ok((trained.model, format!("{} steps", trained.info.n_steps)))
                }
                Self::AdamTuned => {
                    let grid = default_grid(support.target().task_type());
                    let tuned = tune_base_model(support, &grid, settings.seed, &device)?;
                    let (chosen, n_steps) = (&tuned.chosen, tuned.trained.info.n_steps);
                    let details = format!(
                        "{} trainings; chosen: weight decay {}, {n_steps} steps",
                        tuned.n_trainings, chosen.weight_decay
                    );
                    Ok((tuned.trained.model, details))
                }
                Self::LinearTuned => Ok((fit_linear(support, settings.seed)?, String::new())),
            }
        });
        made.map(|(model, details)| Fit { model, cost, details })
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
