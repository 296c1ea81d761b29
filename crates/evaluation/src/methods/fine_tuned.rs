//! Weights of a file, trained on.

use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_tasks::Support;
use weightsmith_training::{Moment, Optimiser, Recipe, Training};

/// Fine-tuning of weights from a file.
pub(super) struct FineTuned;

impl Method for FineTuned {
    fn name(&self) -> &'static str {
        "fine-tuned"
    }

    fn about(&self) -> String {
        "weights of a file, trained on by Adam".into()
    }

    fn role(&self) -> Role {
        Role::Optimised
    }

    fn needs_weights(&self) -> bool {
        true
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let device = &settings.pretrained.metamodel.device();
        let start = settings.from.ok_or(MethodError::NoWeights)?.start();
        let recipe = &Recipe { learning_rate: 1e-3, ..Recipe::of(Optimiser::Adam) };
        let trained = Training { support, start, recipe, seed: settings.seed, device }.run(watch)?;
        Ok(Made::trained(trained, String::new()))
    }
}
