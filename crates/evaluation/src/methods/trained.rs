//! Networks that an optimiser trains with its default recipe.

use super::{Made, Method, MethodError, MethodSettings, Role, found_by, role_of};
use weightsmith_tasks::Support;
use weightsmith_training::{Moment, Optimiser, Recipe, Start, Training};

/// A network that an optimiser trains from random numbers with its default recipe.
pub(super) struct Trained(pub(super) Optimiser);

impl Method for Trained {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn about(&self) -> String {
        format!("a network {}, default recipe", found_by(self.0))
    }

    fn role(&self) -> Role {
        role_of(self.0)
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let device = &settings.pretrained.metamodel.device();
        let recipe = &settings.shape.of(Recipe::of(self.0));
        let seed = settings.seed;
        let trained = Training { support, start: Start::Random, recipe, seed, device }.run(watch)?;
        Ok(Made::trained(trained, String::new()))
    }
}
