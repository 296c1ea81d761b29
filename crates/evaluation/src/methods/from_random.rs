//! Inner steps without generated weights.

use super::{Made, Method, MethodError, MethodSettings, Predictor, Role};
use weightsmith_tasks::Support;
use weightsmith_training::{Moment, steps_from_random};

/// As many steps of variable projection as pay, from random hidden weights.
pub(super) struct StepsFromRandom;

impl Method for StepsFromRandom {
    fn name(&self) -> &'static str {
        "steps-from-random"
    }

    fn about(&self) -> String {
        "the same inner steps as generated, from random hidden weights of the same width, how many by 4-fold cross-validation"
            .into()
    }

    fn role(&self) -> Role {
        Role::Optimised
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        _: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let found = steps_from_random(support, settings.seed)?;
        let details = format!("{} networks, {} steps", found.n_networks, found.n_steps);
        let predictor = Predictor::Network(Box::new(found.model));
        Ok(Made { predictor, n_steps: Some(found.n_steps), n_trainings: 1, details })
    }
}
