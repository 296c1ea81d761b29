//! How a method learns from support rows, and what it makes.

use super::{Method, Reference, ReferenceError, StartWeights};
use serde::Serialize;
use std::error::Error;
use weightsmith_base_model::{BaseModel, EncodingError, Predictions};
use weightsmith_generation::GenerateError;
use weightsmith_metamodel::Pretrained;
use weightsmith_runtime::{Cost, Stopwatch};
use weightsmith_tasks::{Seed, Support, Table};
use weightsmith_training::{InnerError, Recipe, Trained};

/// Why a method gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    /// The metamodel cannot.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The optimiser cannot.
    #[error(transparent)]
    Inner(#[from] InnerError),
    /// The library cannot.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A method of another crate cannot.
    #[error(transparent)]
    Other(Box<dyn Error + Send + Sync>),
    /// The network that is to be compared in weight space has no hidden layer.
    #[error("the generated network has no hidden layer: something simpler was better")]
    NoHiddenLayer,
    /// There is nothing to fine-tune.
    #[error("there are no weights to fine-tune; name a file of weights with --from")]
    NoWeights,
}

/// What the methods work with.
#[derive(Copy, Clone)]
pub struct MethodSettings<'a> {
    /// The metamodel of generated weights; its device is that of every method.
    pub pretrained: &'a Pretrained,
    /// Views of these.
    pub n_views: usize,
    /// Units of the hidden layer of trained networks, and whether the inputs also reach the outputs directly.
    pub shape: Shape,
    /// The weights that fine-tuning starts from.
    pub from: Option<&'a StartWeights>,
    /// The seed of the optimisers, of cross-validation and of the controls.
    pub seed: Seed,
}

/// The shape of networks that optimisers train.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Units of the hidden layer.
    pub n_units: usize,
    /// Whether the inputs also reach the outputs directly.
    pub skip: bool,
}

impl Shape {
    /// A recipe for networks of this shape.
    pub(super) fn of(self, recipe: Recipe) -> Recipe {
        Recipe { hidden: vec![self.n_units], skip: self.skip, ..recipe }
    }
}

impl Default for Shape {
    /// The outside scorer's network: 64 units and no direct path.
    fn default() -> Self {
        Self { n_units: 64, skip: false }
    }
}

/// Something that predicts.
pub enum Predictor {
    /// A network.
    Network(Box<BaseModel>),
    /// Something else, for scale.
    Reference(Reference),
}

impl Predictor {
    /// Predictions for the rows of a table.
    ///
    /// # Errors
    /// A missing column, a column of the other type.
    pub fn predict(&self, table: &Table) -> Result<Predictions, ReferenceError> {
        match self {
            Self::Network(model) => Ok(model.predict(table).map_err(|error: EncodingError| error)?),
            Self::Reference(model) => model.predict(table),
        }
    }

    /// The standard deviation of its errors that it predicts, if it does.
    pub fn residual_std(&self) -> Option<f32> {
        match self {
            Self::Network(model) => model.expected.as_ref()?.residual_std,
            Self::Reference(model) => model.residual_std(),
        }
    }

    /// The network, if it is one.
    pub fn network(&self) -> Option<&BaseModel> {
        match self {
            Self::Network(model) => Some(model),
            Self::Reference(_) => None,
        }
    }
}

/// What a method made and what it cost.
pub struct Fit {
    /// What it made.
    pub predictor: Predictor,
    /// From the support rows to the weights, without the evaluations in between.
    pub cost: Cost,
    /// Steps of the training that gave the weights; none where nothing was trained.
    pub n_steps: Option<usize>,
    /// Trainings that were done to choose a recipe and by it; 1 where none was chosen.
    pub n_trainings: usize,
    /// What was chosen and done, in words; may be empty.
    pub details: String,
}

/// The weights of a training at a step at which they are evaluated.
pub struct EvaluationPoint<'a> {
    /// Inner steps taken.
    pub n_steps: usize,
    /// The cost so far, that of choosing a recipe included.
    pub cost: Cost,
    /// The weights as they are now.
    pub model: &'a BaseModel,
}

/// Is told of the weights of a training, at steps that lie closer in the beginning.
pub type Watch<'a> = &'a mut dyn FnMut(EvaluationPoint<'_>);

/// Whether a training is evaluated after so many steps: 0, 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on.
pub fn is_evaluation_point(n_steps: usize) -> bool {
    n_steps.is_power_of_two() || n_steps.is_multiple_of(3) && (n_steps / 3).is_power_of_two() || n_steps == 0
}

/// What a method has made before its cost is known.
pub struct Made {
    /// What it made.
    pub predictor: Predictor,
    /// Steps of the training that gave the weights; none where nothing was trained.
    pub n_steps: Option<usize>,
    /// Trainings that were done to choose a recipe and by it; 1 where none was chosen.
    pub n_trainings: usize,
    /// What was chosen and done, in words; may be empty.
    pub details: String,
}

impl Made {
    /// A network that was not trained by steps.
    pub fn network(model: BaseModel, details: String) -> Self {
        Self { predictor: Predictor::Network(Box::new(model)), n_steps: None, n_trainings: 1, details }
    }

    /// A network that was.
    pub fn trained(trained: Trained, details: String) -> Self {
        Self {
            predictor: Predictor::Network(Box::new(trained.model)),
            n_steps: Some(trained.info.n_steps),
            n_trainings: 1,
            details,
        }
    }

    /// A model that is no network.
    pub(super) fn reference(model: Reference, details: String) -> Self {
        Self { predictor: Predictor::Reference(model), n_steps: None, n_trainings: 1, details }
    }
}

impl dyn Method {
    /// Learns from support rows, on one thread, and measures what it costs. `watch` gets the weights of a training at its
    /// evaluation points; evaluating them costs nothing.
    ///
    /// # Errors
    /// Rows that nothing can be learned from, a training that diverges.
    pub fn fit(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        mut watch: Option<Watch<'_>>,
    ) -> Result<Fit, MethodError> {
        let mut stopwatch = Stopwatch::of_thread();
        let made = self.make(support, settings, &mut |moment| {
            if let Some(watch) = &mut watch
                && is_evaluation_point(moment.n_steps)
            {
                let cost = stopwatch.cost();
                stopwatch.pausing(|| {
                    // Numbers that are no longer finite are told by the end of the training.
                    if let Ok(model) = moment.model() {
                        watch(EvaluationPoint { n_steps: moment.n_steps, cost, model: &model });
                    }
                });
            }
        })?;
        let cost = stopwatch.cost();
        let Made { predictor, n_steps, n_trainings, details } = made;
        Ok(Fit { predictor, cost, n_steps, n_trainings, details })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluation_points_lie_closer_in_the_beginning() {
        let points: Vec<usize> = (0..=100).filter(|&n| is_evaluation_point(n)).collect();
        assert_eq!(points, [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96]);
    }
}
