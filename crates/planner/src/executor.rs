//! Executing a decision: generating weights or training them, on the support or on folds of it.

use crate::features::{FeatureError, TaskFeatures, task_features};
use crate::selecting::Selections;
use crate::space::decision::Decision;
use crate::space::methods::{How, plain};
use crate::space::shape::NetworkShape;
use crate::space::{Plan, Start};
use std::borrow::Cow;
use weightsmith_evaluation::{Made, MethodError, MethodSettings, Predictor, Shape};
use weightsmith_generation::{
    GenerateError, GenerateOptions, Maker, Steps, generate_base_model, likely_columns, untrained_base_model,
};
use weightsmith_metamodel::Pretrained;
use weightsmith_tasks::{Seed, Support};
use weightsmith_training as training;
use weightsmith_training::{InnerError, Moment, Recipe, Training, folds, prediction_losses, split_off};

/// Executes decisions with one metamodel and one seed.
#[derive(Copy, Clone)]
pub(crate) struct Executor<'a> {
    /// The metamodel that generates weights.
    pub(crate) pretrained: &'a Pretrained,
    /// The seed of trainings and folds.
    pub(crate) seed: Seed,
    /// The shape of networks that are trained from random numbers, whatever their plan says.
    pub(crate) shape: Option<&'a NetworkShape>,
    /// What is left out of rows, a fold's among them, before anything is learned from them; none for nothing.
    pub(crate) selections: Option<&'a Selections>,
}

impl Executor<'_> {
    /// The rows and columns of a support that are learned from.
    fn selected<'s>(&self, support: &'s Support) -> Result<Cow<'s, Support>, GenerateError> {
        Ok(match self.selections {
            None => Cow::Borrowed(support),
            Some(selections) => Cow::Owned(selections.of(support, self.pretrained, self.seed)?.support),
        })
    }

    /// Whether a column is likely of no use, so that leaving some out is worth a try; not where that was done already.
    pub(crate) fn has_doubtful_columns(&self, support: &Support) -> bool {
        let likely = || likely_columns(Maker::Metamodel(self.pretrained), support, self.seed);
        let n_columns = support.table().columns().len();
        self.selections.is_none() && likely().is_ok_and(|kept| kept.len() < n_columns)
    }

    /// The features of a support; weights are generated on the way, since their expected loss is one of them.
    pub(crate) fn features(&self, support: &Support) -> Result<TaskFeatures, FeatureError> {
        let support = &*self.selected(support)?;
        // The predictor has learned from what the plain forward pass expects of itself.
        let generated = generate_base_model(self.pretrained, support, plain(1))?.0.expected;
        task_features(support, &generated.expect("generated weights say how good they expect to be"))
    }

    /// The features without generating anything: the loss that the closed-form head alone expects stands in for that of generated
    /// weights.
    pub(crate) fn features_without_generating(
        &self,
        support: &Support,
    ) -> Result<TaskFeatures, FeatureError> {
        let linear = untrained_base_model(support, &self.pretrained.metamodel.device())?.expected;
        task_features(support, &linear.expect("the closed-form head says how good it expects to be"))
    }

    /// Generates, trains for so many steps, or does what a method does. Returns what predicts and the number of steps that were
    /// taken; `watch` is called after every step of a training.
    pub(crate) fn execute(
        &self,
        decision: Decision,
        n_steps: usize,
        support: &Support,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<(Predictor, usize), MethodError> {
        let support = &*self.selected(support)?;
        let generate = |options: GenerateOptions| -> Result<Predictor, MethodError> {
            Ok(Predictor::Network(Box::new(generate_base_model(self.pretrained, support, options)?.0)))
        };
        match decision {
            Decision::Generate => Ok((generate(plain(1))?, 0)),
            Decision::Train(plan) => self.train(plan, n_steps, support, watch),
            Decision::Method(method) => match method.how() {
                How::Generate { n_views, n_trees, n_steps } => Ok((
                    generate(GenerateOptions { n_views, n_trees, n_steps, n_threads: 1, seed: Seed(0) })?,
                    0,
                )),
                How::Compared(method) => {
                    let settings = MethodSettings {
                        pretrained: self.pretrained,
                        n_views: plain(1).n_views,
                        shape: Shape::default(),
                        from: None,
                        seed: self.seed,
                    };
                    let Made { predictor, n_steps, .. } = method.make(support, &settings, watch)?;
                    Ok((predictor, n_steps.unwrap_or(0)))
                }
            },
        }
    }

    fn train(
        &self,
        plan: Plan,
        n_steps: usize,
        support: &Support,
        watch: &mut dyn FnMut(&Moment<'_>),
    ) -> Result<(Predictor, usize), MethodError> {
        let one_view =
            GenerateOptions { n_views: 1, n_trees: 0, n_steps: Steps::Fixed(0), n_threads: 1, seed: Seed(0) };
        let generated = match plan.start() {
            Start::Random => None,
            Start::Generated => Some(generate_base_model(self.pretrained, support, one_view)?.0),
        };
        let start = generated.as_ref().map_or(training::Start::Random, training::Start::From);
        // A step is an epoch at most.
        let mut recipe = Recipe { n_epochs: n_steps, max_steps: Some(n_steps), ..plan.recipe() };
        if let (Some(shape), None) = (self.shape, &generated) {
            recipe.hidden.clone_from(&shape.hidden);
            recipe.activation = shape.activation;
            recipe.skip = shape.skip;
        }
        let device = &self.pretrained.metamodel.device();
        let trained = Training { support, start, recipe: &recipe, seed: self.seed, device }.run(watch)?;
        Ok((Predictor::Network(Box::new(trained.model)), trained.info.n_steps))
    }

    /// The cross-validated loss after each of `steps`, which ascend: the mean over the support rows of `n_folds` of its folds,
    /// each under a model that was made from the other folds. Infinite where a training diverged or the other folds are too
    /// few rows to generate from or to learn from. A number of steps after the end of a training has its last loss.
    pub(crate) fn held_out(
        &self,
        decision: Decision,
        steps: &[usize],
        support: &Support,
        n_folds: usize,
    ) -> Result<Vec<f64>, MethodError> {
        let mean = |folds: &Vec<Vec<f64>>| {
            let n_rows: usize = folds.iter().map(Vec::len).sum();
            folds.iter().map(|rows| rows.iter().sum::<f64>()).fold(0.0, |sum, of_fold| sum + of_fold)
                / n_rows as f64
        };
        Ok(self.held_out_rows(decision, steps, support, n_folds)?.iter().map(mean).collect())
    }

    /// The losses of single rows whose mean is [`Executor::held_out`], `[n_steps][n_folds][n_rows]`.
    pub(crate) fn held_out_rows(
        &self,
        decision: Decision,
        steps: &[usize],
        support: &Support,
        n_folds: usize,
    ) -> Result<Vec<Vec<Vec<f64>>>, MethodError> {
        let mut all: Vec<Vec<Vec<f64>>> = vec![Vec::new(); steps.len()];
        for fold in folds(support.target(), self.seed)?.into_iter().take(n_folds) {
            let (rest, held) = split_off(support, &fold);
            let losses = |predictor: &Predictor| -> Vec<f64> {
                let predicted = predictor.predict(held.table());
                let predicted = predicted.expect("the rows of a fold are those of the table");
                prediction_losses(&predicted, held.target())
            };
            let mut seen: Vec<Option<Vec<f64>>> = vec![None; steps.len()];
            let most = steps.last().copied().unwrap_or(0);
            let done = self.execute(decision, most, &rest, &mut |moment| {
                if let Ok(at) = steps.binary_search(&moment.n_steps) {
                    seen[at] = moment.model().ok().map(|model| losses(&Predictor::Network(Box::new(model))));
                }
            });
            let last = match done {
                Ok((model, _)) => losses(&model),
                Err(
                    MethodError::Inner(InnerError::Diverged { .. })
                    | MethodError::Generate(_)
                    | MethodError::Reference(_),
                ) => {
                    vec![f64::INFINITY; fold.len()]
                }
                Err(error) => return Err(error),
            };
            all.iter_mut()
                .zip(seen)
                .for_each(|(folds, seen)| folds.push(seen.unwrap_or_else(|| last.clone())));
        }
        Ok(all)
    }

    /// [`Executor::held_out`] after one number of steps.
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
