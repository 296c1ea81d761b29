//! Weights generated from labels that mean nothing.

use super::controls::shuffled;
use super::generated::Generated;
use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// Control: weights generated from the same rows with shuffled labels.
pub(super) struct Shuffled;

impl Method for Shuffled {
    fn name(&self) -> &'static str {
        "shuffled"
    }

    fn about(&self) -> String {
        "control: generated from the same rows with shuffled labels".into()
    }

    fn role(&self) -> Role {
        Role::Control
    }

    fn uses_metamodel(&self) -> bool {
        true
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        _: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let (model, _) = Generated::DECIDED.generate(&shuffled(support, settings.seed), settings)?;
        Ok(Made::network(model, String::new()))
    }
}
