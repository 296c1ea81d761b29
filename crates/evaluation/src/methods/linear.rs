//! Regularised linear models.

use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_tasks::Support;
use weightsmith_training::{Moment, fit_linear};

/// Logistic or ridge regression, its strength chosen by cross-validation inside the support.
pub(super) struct LinearTuned;

impl Method for LinearTuned {
    fn name(&self) -> &'static str {
        "linear-tuned"
    }

    fn about(&self) -> String {
        "logistic or ridge regression, its strength chosen by 4-fold cross-validation".into()
    }

    fn role(&self) -> Role {
        Role::Reference
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        _: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        Ok(Made::network(fit_linear(support, settings.seed)?, String::new()))
    }
}
