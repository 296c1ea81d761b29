//! The planner as a method of comparisons.

use crate::deciding::decide::{DecideSettings, N_FOLDS, decide};
use crate::executor::Executor;
use crate::predictor::ensemble::Candidate;
use crate::predictor::files::shipped_predictor;
use crate::space::decision::Decision;
use weightsmith_evaluation::{Made, Method, MethodError, MethodRef, MethodSettings, Role};
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// The planner: weights that are generated or trained, or another method, as it decides for the table.
pub const PLANNED: MethodRef = MethodRef(&Planned);

struct Planned;

impl Method for Planned {
    fn name(&self) -> &'static str {
        "planned"
    }

    fn about(&self) -> String {
        "generated, trained, or another method, as the planner predicts and a few trials on the table's rows confirm".into()
    }

    fn role(&self) -> Role {
        Role::Planned
    }

    fn uses_metamodel(&self) -> bool {
        true
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let predictor = shipped_predictor().map_err(|error| MethodError::Other(Box::new(error)))?;
        let decided = decide(support, &predictor, settings.pretrained, &DecideSettings::usual(settings.seed))
            .map_err(|error| MethodError::Other(Box::new(error)))?;
        let Candidate { decision, n_steps, .. } = decided.chosen;
        let executor =
            Executor { pretrained: settings.pretrained, seed: settings.seed, shape: None, selections: None };
        let (predictor, n_steps) = executor.execute(decision, n_steps, support, watch)?;
        let details = format!("{}, {} tried", decided.in_words(), decided.tried.len());
        let n_steps = matches!(decision, Decision::Train(_)).then_some(n_steps);
        Ok(Made { predictor, n_steps, n_trainings: 1 + N_FOLDS * decided.tried.len(), details })
    }
}
