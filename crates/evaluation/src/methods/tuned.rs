//! Networks that an optimiser trains, its recipe chosen by cross-validation.

use super::{Made, Method, MethodError, MethodSettings, Role, found_by, role_of};
use weightsmith_tasks::Support;
use weightsmith_training::{Moment, Optimiser, Recipe, grid, tune_base_model};

/// A network that an optimiser trains from random numbers, its recipe chosen by cross-validation inside the support.
pub(super) struct Tuned(pub(super) Optimiser);

impl Method for Tuned {
    fn name(&self) -> &'static str {
        match self.0 {
            Optimiser::Adam => "adam-tuned",
            Optimiser::AdamW => "adamw-tuned",
            Optimiser::Sgd => "sgd-tuned",
            Optimiser::Lbfgs => "lbfgs-tuned",
            Optimiser::RandomSearch => "random-search-tuned",
            Optimiser::Evolution => "evolution-tuned",
        }
    }

    fn about(&self) -> String {
        format!("a network {}, recipe chosen by 4-fold cross-validation", found_by(self.0))
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
        let of_shape = |recipe| settings.shape.of(recipe);
        let recipes: Vec<Recipe> =
            grid(self.0, support.target().task_type()).into_iter().map(of_shape).collect();
        let tuned = tune_base_model(support, &recipes, settings.seed, device, watch)?;
        let chosen = &tuned.chosen;
        let details = format!(
            "{} trainings; chosen: weight decay {}, learning rate {}, at most {} epochs",
            tuned.n_trainings, chosen.weight_decay, chosen.learning_rate, chosen.n_epochs
        );
        Ok(Made { n_trainings: tuned.n_trainings, ..Made::trained(tuned.trained, details) })
    }
}
