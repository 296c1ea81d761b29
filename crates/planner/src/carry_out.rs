//! Doing what was decided.

use crate::{Beginning, Decision, FeatureError, TaskFeatures, task_features};
use weightsmith_base_model::BaseModel;
use weightsmith_evaluation::MethodError;
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model};
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::{Seed, Support};
use weightsmith_training::{
    InnerError, Moment, Recipe, Start, Training, folds, prediction_losses, split_off,
};

/// What decisions are carried out with.
#[derive(Copy, Clone)]
pub(crate) struct Workshop<'a> {
    /// The metamodel that generates.
    pub(crate) pretrained: &'a Pretrained,
    /// Of the trainings and of folds.
    pub(crate) seed: Seed,
}

impl Workshop<'_> {
    /// What short rows look like; weights are generated for it.
    pub(crate) fn features(&self, support: &Support) -> Result<TaskFeatures, FeatureError> {
        // The predictor has learned from what the plain forward pass expects of itself.
        let options =
            GenerateOptions { n_threads: 1, n_steps: Steps::Fixed(0), ..GenerateOptions::default() };
        let generated = generate_base_model(self.pretrained, support, options)?.0.expected;
        task_features(support, &generated.expect("generated weights say how good they expect to be"))
    }

    /// Generates, or trains for so many steps; the model and the steps that were taken. `watch` sees every step.
    pub(crate) fn carry_out(
        &self,
        decision: Decision,
        n_steps: usize,
        support: &Support,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<(BaseModel, usize), MethodError> {
        let generate = |options: GenerateOptions| {
            generate_base_model(self.pretrained, support, GenerateOptions { n_threads: 1, ..options })
        };
        let Decision::Train(plan) = decision else {
            return Ok((generate(GenerateOptions::default())?.0, 0));
        };
        let start_of =
            GenerateOptions { n_views: 1, n_trees: 0, n_steps: Steps::Fixed(0), ..GenerateOptions::default() };
        let generated = match plan.beginning() {
            Beginning::Random => None,
            Beginning::Generated => Some(generate(start_of)?.0),
        };
        let start = generated.as_ref().map_or(Start::Random, Start::From);
        // A step is an epoch at most.
        let recipe = &Recipe { n_epochs: n_steps, max_steps: Some(n_steps), ..plan.recipe() };
        let device = &self.pretrained.metamodel.device();
        let trained = Training { support, start, recipe, seed: self.seed, device }.run(watch)?;
        Ok((trained.model, trained.info.n_steps))
    }

    /// The mean loss of rows under a model that did not see them, by folds inside the short rows, after each of some numbers of
    /// steps, ascending; infinite where a training diverged, and where a fold's rows are not enough. A number of steps after the
    /// training has ended has its last loss.
    pub(crate) fn held_out(
        &self,
        decision: Decision,
        steps: &[usize],
        support: &Support,
        n_folds: usize,
    ) -> Result<Vec<f64>, MethodError> {
        let mut sums = vec![0.0; steps.len()];
        let mut n_rows = 0;
        for fold in folds(support.target(), self.seed)?.into_iter().take(n_folds) {
            let (rest, held) = split_off(support, &fold);
            let loss = |model: &BaseModel| -> f64 {
                let predicted = model.predict(held.table());
                let predicted = predicted.expect("the rows of a fold are those of the table");
                prediction_losses(&predicted, held.target()).iter().sum()
            };
            let mut seen: Vec<Option<f64>> = vec![None; steps.len()];
            let most = steps.last().copied().unwrap_or(0);
            let done = self.carry_out(decision, most, &rest, &mut |moment| {
                if let Ok(at) = steps.binary_search(&moment.n_steps) {
                    seen[at] = moment.model().ok().map(|model| loss(&model));
                }
            });
            let last = match done {
                Ok((model, _)) => loss(&model),
                Err(MethodError::Inner(InnerError::Diverged { .. }) | MethodError::Generate(_)) => {
                    f64::INFINITY
                }
                Err(error) => return Err(error),
            };
            sums.iter_mut().zip(seen).for_each(|(sum, seen)| *sum += seen.unwrap_or(last));
            n_rows += fold.len();
        }
        sums.iter_mut().for_each(|sum| *sum /= n_rows as f64);
        Ok(sums)
    }

    /// [`Workshop::held_out`] after one number of steps.
    pub(crate) fn held_out_loss(
        &self,
        decision: Decision,
        n_steps: usize,
        support: &Support,
        n_folds: usize,
    ) -> Result<f64, MethodError> {
        Ok(self.held_out(decision, &[n_steps], support, n_folds)?[0])
    }
}
