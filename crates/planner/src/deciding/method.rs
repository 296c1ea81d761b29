//! The planner as a method of comparisons.

use crate::deciding::decide::{DecideSettings, decide};
use crate::executor::Executor;
use crate::predictor::ensemble::Candidate;
use crate::predictor::files::shipped_predictor;
use crate::space::decision::Decision;
use weightsmith_evaluation::{Made, Method, MethodError, MethodRef, MethodSettings, Role};
use weightsmith_tasks::Support;
use weightsmith_training::Moment;

/// The planner: weights that are generated, or trained by the plan with the best predicted loss.
pub const PLANNED: MethodRef = MethodRef(&Planned);

struct Planned;

impl Method for Planned {
    fn name(&self) -> &'static str {
        "planned"
    }

    fn about(&self) -> String {
        "generated, or trained, as the planner predicts to be best for the table".into()
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
        let decide_settings = DecideSettings { n_tried: 0, seed: settings.seed };
        let decided = decide(support, &predictor, settings.pretrained, decide_settings)
            .map_err(|error| MethodError::Other(Box::new(error)))?;
        let Candidate { decision, n_steps, .. } = decided.chosen;
        let executor = Executor { pretrained: settings.pretrained, seed: settings.seed, shape: None };
        let (predictor, n_steps) = executor.execute(decision, n_steps, support, watch)?;
        let details = format!("{}, of {} trainings", decided.in_words(), decided.n_scored);
        let n_steps = matches!(decision, Decision::Train(_)).then_some(n_steps);
        Ok(Made { predictor, n_steps, n_trainings: 1, details })
    }
}
