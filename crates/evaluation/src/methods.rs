//! The methods that are compared: each reads support rows and gives something that predicts.
//!
//! A [`Method`] is a name, what it is for, and how it learns; there is one file for each. A [`Registry`] lists those
//! that a program knows; a crate above this one adds its own with [`Registry::with`].

mod average;
mod boosting;
mod controls;
mod fine_tuned;
mod fit;
mod forest;
mod from_random;
mod from_start;
mod gaussian_process;
mod generated;
mod generated_columns;
mod linear;
mod neighbours;
mod noisy;
mod references;
mod refined;
mod registry;
mod shuffled;
mod start;
mod trained;
mod tuned;
mod untrained;

pub use fit::{
    EvaluationPoint, Fit, Made, MethodError, MethodSettings, Predictor, Shape, Watch, is_evaluation_point,
};
pub use references::{Reference, ReferenceError};
pub use registry::{Registry, UnknownMethod};
pub use start::{StartWeights, read_start};

use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::Deref;
use weightsmith_tasks::Support;
use weightsmith_training::{Moment, Optimiser, StartAlgorithm};

/// One way to come by something that predicts.
pub trait Method: Send + Sync {
    /// The name on the command line and in result files.
    fn name(&self) -> &'static str;

    /// What it is, in one line.
    fn about(&self) -> String;

    /// What it is for in a comparison.
    fn role(&self) -> Role;

    /// Whether what it makes depends on the metamodel.
    fn uses_metamodel(&self) -> bool {
        false
    }

    /// Whether it starts from weights that the caller gives, see [`MethodSettings::from`].
    fn needs_weights(&self) -> bool {
        false
    }

    /// Whether the evaluation points of its training can be set beside those of trainings from scratch.
    fn has_curve(&self) -> bool {
        true
    }

    /// Learns from support rows, on the calling thread. `watch` is told of every step of a training.
    ///
    /// # Errors
    /// Rows that nothing can be learned from, a training that diverges.
    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError>;
}

/// What a method is for in a comparison.
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

/// A method that lives as long as the program. Two are equal if their names are.
#[derive(Copy, Clone)]
pub struct MethodRef(pub &'static dyn Method);

/// The metamodel, with as many inner steps as pay, and a forest and a smooth function distilled into its network.
pub const GENERATED: MethodRef = MethodRef(&generated::Generated::DECIDED);
/// [`GENERATED`] from the columns that are not likely of no use.
pub const GENERATED_COLUMNS: MethodRef = MethodRef(&generated_columns::GeneratedColumns);
/// The metamodel in one forward pass, with a forest distilled into its network; no inner step.
pub const GENERATED_PLAIN: MethodRef = MethodRef(&generated::Generated::PLAIN);
/// The metamodel in one forward pass, and nothing else.
pub const GENERATED_ALONE: MethodRef = MethodRef(&generated::Generated::ALONE);
/// [`GENERATED`], then proximal steps if these pay on held-out rows.
pub const REFINED: MethodRef = MethodRef(&refined::Refined);
/// As many inner steps by variable projection as pay, from random hidden weights.
pub const STEPS_FROM_RANDOM: MethodRef = MethodRef(&from_random::StepsFromRandom);
/// As many gradient steps as pay from a start that MAML learned on synthetic tables.
pub const FROM_MAML: MethodRef = MethodRef(&from_start::FromStart(StartAlgorithm::Maml));
/// The same from one that Reptile learned.
pub const FROM_REPTILE: MethodRef = MethodRef(&from_start::FromStart(StartAlgorithm::Reptile));
/// The same from one that ANIL learned, whose steps change the last layer alone.
pub const FROM_ANIL: MethodRef = MethodRef(&from_start::FromStart(StartAlgorithm::Anil));
/// Logistic or ridge regression, its strength chosen by cross-validation inside the support.
pub const LINEAR_TUNED: MethodRef = MethodRef(&linear::LinearTuned);
/// Nearest neighbours, their number chosen by cross-validation inside the support.
pub const NEIGHBOURS: MethodRef = MethodRef(&neighbours::Neighbours);
/// A random forest.
pub const FOREST: MethodRef = MethodRef(&forest::Forest);
/// A Gaussian process with a length scale a column and a linear part, its hyperparameters by marginal likelihood.
pub const GP: MethodRef = MethodRef(&gaussian_process::Gp);
/// Gradient boosting of shallow trees, the number of rounds chosen by cross-validation inside the support.
pub const BOOSTING: MethodRef = MethodRef(&boosting::Boosting);
/// The mean of the predictions of [`LINEAR_TUNED`], [`GP`] and [`BOOSTING`].
pub const AVERAGE: MethodRef = MethodRef(&average::Average);
/// The metamodel's closed-form head alone: what it makes before it has learned anything.
pub const UNTRAINED: MethodRef = MethodRef(&untrained::Untrained);
/// [`GENERATED`] with noise on every weight.
pub const NOISY: MethodRef = MethodRef(&noisy::Noisy);
/// Weights generated from the same rows with shuffled labels.
pub const SHUFFLED: MethodRef = MethodRef(&shuffled::Shuffled);
/// Fine-tuning of weights from a file.
pub const FINE_TUNED: MethodRef = MethodRef(&fine_tuned::FineTuned);

/// A network that an optimiser trains from random numbers with its default recipe.
pub const fn trained(optimiser: Optimiser) -> MethodRef {
    use trained::Trained;
    match optimiser {
        Optimiser::Adam => MethodRef(&Trained(Optimiser::Adam)),
        Optimiser::AdamW => MethodRef(&Trained(Optimiser::AdamW)),
        Optimiser::Sgd => MethodRef(&Trained(Optimiser::Sgd)),
        Optimiser::Lbfgs => MethodRef(&Trained(Optimiser::Lbfgs)),
        Optimiser::Evolution => MethodRef(&Trained(Optimiser::Evolution)),
        Optimiser::RandomSearch => MethodRef(&Trained(Optimiser::RandomSearch)),
    }
}

/// The same, its recipe chosen by cross-validation inside the support.
pub const fn tuned(optimiser: Optimiser) -> MethodRef {
    use tuned::Tuned;
    match optimiser {
        Optimiser::Adam => MethodRef(&Tuned(Optimiser::Adam)),
        Optimiser::AdamW => MethodRef(&Tuned(Optimiser::AdamW)),
        Optimiser::Sgd => MethodRef(&Tuned(Optimiser::Sgd)),
        Optimiser::Lbfgs => MethodRef(&Tuned(Optimiser::Lbfgs)),
        Optimiser::Evolution => MethodRef(&Tuned(Optimiser::Evolution)),
        Optimiser::RandomSearch => MethodRef(&Tuned(Optimiser::RandomSearch)),
    }
}

impl Deref for MethodRef {
    type Target = dyn Method;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl PartialEq for MethodRef {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for MethodRef {}

impl fmt::Debug for MethodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for MethodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for MethodRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What gradient or trial finds weights, in words.
fn found_by(optimiser: Optimiser) -> &'static str {
    match optimiser {
        Optimiser::Adam => "trained by Adam",
        Optimiser::AdamW => "trained by AdamW",
        Optimiser::Sgd => "trained by gradient descent with momentum",
        Optimiser::Lbfgs => "trained by L-BFGS",
        Optimiser::Evolution => "found by an evolution strategy, without gradients",
        Optimiser::RandomSearch => "found by trying random numbers and keeping what gets more rows right",
    }
}

/// The role of networks that an optimiser finds.
fn role_of(optimiser: Optimiser) -> Role {
    match optimiser {
        Optimiser::RandomSearch | Optimiser::Evolution => Role::Tried,
        _ => Role::Optimised,
    }
}

#[cfg(test)]
mod tests;
