//! Generated weights, then steps where they pay.

use super::generated::Generated;
use super::{Made, Method, MethodError, MethodSettings, Predictor, Role};
use weightsmith_tasks::Support;
use weightsmith_training::{Moment, refine};

/// Generated weights, then proximal steps if these pay on held-out rows.
pub(super) struct Refined;

impl Method for Refined {
    fn name(&self) -> &'static str {
        "refined"
    }

    fn about(&self) -> String {
        "generated, then proximal steps, where held-out rows say that they pay by more than a standard error"
            .into()
    }

    fn role(&self) -> Role {
        Role::Generated
    }

    fn uses_metamodel(&self) -> bool {
        true
    }

    // It begins where the others are to come.
    fn has_curve(&self) -> bool {
        false
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let generate = |rows: &Support| Generated::PLAIN.generate(rows, settings).map(|(model, _)| model);
        let device = &settings.pretrained.metamodel.device();
        let refined = refine(support, generate, settings.seed, device, watch)?;
        let verdict = match &refined.recipe {
            Some(recipe) => format!("{} steps accepted", recipe.n_epochs),
            None => "not accepted".to_string(),
        };
        let details = match &refined.held_out {
            None => "too few rows of a class to hold some out: not accepted".to_string(),
            Some(gain) => format!("{gain}: {verdict}"),
        };
        let n_steps = Some(refined.recipe.map_or(0, |recipe| recipe.n_epochs));
        Ok(Made { predictor: Predictor::Network(Box::new(refined.model)), n_steps, n_trainings: 1, details })
    }
}
