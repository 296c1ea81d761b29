//! Gradient steps from a learned start.

use super::{Made, Method, MethodError, MethodSettings, Predictor, Role};
use weightsmith_generation::table_start;
use weightsmith_tasks::Support;
use weightsmith_training::{Moment, StartAlgorithm, decided_steps_from_start};

/// As many gradient steps as pay from a shipped start, one that is learned on synthetic tables by an algorithm.
pub(super) struct FromStart(pub(super) StartAlgorithm);

impl Method for FromStart {
    fn name(&self) -> &'static str {
        match self.0 {
            StartAlgorithm::Maml => "from-maml",
            StartAlgorithm::Reptile => "from-reptile",
            StartAlgorithm::Anil => "from-anil",
            other => unreachable!("no start of {} is a method", other.name()),
        }
    }

    fn about(&self) -> String {
        let (steps, algorithm) = match self.0 {
            StartAlgorithm::Anil => ("gradient steps of the last layer", "ANIL"),
            StartAlgorithm::Maml => ("gradient steps", "MAML"),
            _ => ("gradient steps", "Reptile"),
        };
        format!(
            "{steps} from a start learned on synthetic tables by {algorithm}, how many by 4-fold cross-validation"
        )
    }

    fn role(&self) -> Role {
        Role::Optimised
    }

    fn make(
        &self,
        support: &Support,
        settings: &MethodSettings<'_>,
        _: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<Made, MethodError> {
        let start = table_start(self.0, support.target().task_type()).read().start;
        let (model, n_steps) = decided_steps_from_start(support, &start, settings.seed)?;
        let predictor = Predictor::Network(Box::new(model));
        Ok(Made { predictor, n_steps: Some(n_steps), n_trainings: 1, details: format!("{n_steps} steps") })
    }
}
