//! A random forest.

use super::Reference;
use super::{Made, Method, MethodError, MethodSettings, Role};
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// A random forest.
pub(super) struct Forest;

impl Method for Forest {
    fn name(&self) -> &'static str {
        "forest"
    }

    fn about(&self) -> String {
        "a random forest of 200 trees".into()
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
        Ok(Made::reference(Reference::forest(support, settings.seed)?, String::new()))
    }
}
