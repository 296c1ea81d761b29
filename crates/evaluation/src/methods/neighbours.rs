//! Nearest neighbours.

use super::Reference;
use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// Nearest neighbours, their number chosen by cross-validation inside the support.
pub(super) struct Neighbours;

impl Method for Neighbours {
    fn name(&self) -> &'static str {
        "neighbours"
    }

    fn about(&self) -> String {
        "nearest neighbours, their number chosen by 4-fold cross-validation".into()
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
        let (model, k) = Reference::neighbours(support, settings.seed)?;
        Ok(Made::reference(model, format!("{k} neighbours")))
    }
}
