//! Generated weights, disturbed.

use super::controls::{NOISE, noisy};
use super::generated::Generated;
use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// Control: generated weights with noise on each.
pub(super) struct Noisy;

impl Method for Noisy {
    fn name(&self) -> &'static str {
        "noisy"
    }

    fn about(&self) -> String {
        format!("control: generated, with noise of {:.0} % on every weight", 100.0 * NOISE)
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
        let (model, _) = Generated::DECIDED.generate(support, settings)?;
        Ok(Made::network(noisy(model, settings.seed), String::new()))
    }
}
