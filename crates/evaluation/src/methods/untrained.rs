//! The closed-form head alone.

use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_generation::untrained_base_model;
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// Control: the closed-form head alone, which is what the metamodel makes before it has learned anything.
pub(super) struct Untrained;

impl Method for Untrained {
    fn name(&self) -> &'static str {
        "untrained"
    }

    fn about(&self) -> String {
        "control: the metamodel's closed-form head alone, without anything learned".into()
    }

    fn role(&self) -> Role {
        Role::Control
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        _: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let device = &settings.pretrained.metamodel.device();
        Ok(Made::network(untrained_base_model(support, device)?, String::new()))
    }
}
