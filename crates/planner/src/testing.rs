//! Predictors and tasks for tests.

use crate::collecting::CollectSettings;
use crate::features::{FEATURES, TaskFeatures};
use crate::predictor::linear::LinearPredictor;
use crate::predictor::surrogate_features::SurrogateInput;
use crate::space::decision::Decision;
use crate::space::{Plan, Space};
use burn::tensor::Device;
use rand::Rng;
use weightsmith_tasks::{Seed, TaskSplit};

/// Features of a task with two classes and 64 rows; `error` is how badly a linear model does.
pub(crate) fn features(error: f64) -> TaskFeatures {
    let named = FEATURES.iter().map(|feature| {
        let value = match feature.name {
            "log2_rows" => 6.0,
            "linear_error" | "generated_loss" => error,
            "base_loss" => 0.7,
            "log2_classes" => 1.0,
            "is_regression" => 0.0,
            _ => 0.5,
        };
        (feature.name.to_string(), value.into())
    });
    TaskFeatures::of_named(&named.collect()).expect("every feature has a number")
}

/// A predictor that was fitted to noise, so that no coefficient is zero.
pub(crate) fn linear() -> LinearPredictor {
    let random = &mut Seed(1).stream("planner.test.noise");
    let tasks: Vec<TaskFeatures> = (0..8).map(|at| features(f64::from(at) / 8.0)).collect();
    let plans: Vec<Plan> = (0..1500).map(|_| Space.draw(random)).collect();
    let targets: Vec<f64> = plans.iter().map(|_| random.random_range(-1.0..1.0)).collect();
    LinearPredictor::fit(&inputs(&plans, &tasks), &targets, 1e-3, &Device::default())
}

/// Trainings by these plans, on the tasks in turn.
pub(crate) fn inputs<'a>(plans: &[Plan], tasks: &'a [TaskFeatures]) -> Vec<SurrogateInput<'a>> {
    let input = |(plan, features): (&Plan, &'a TaskFeatures)| SurrogateInput {
        decision: Decision::Train(*plan),
        n_steps: plan.n_steps(),
        features,
    };
    plans.iter().zip(tasks.iter().cycle()).map(input).collect()
}

/// A collection of a few short trainings.
pub(crate) fn collect_settings(n_synthetic: usize, n_recipes: usize) -> CollectSettings {
    CollectSettings {
        n_synthetic,
        n_supports: vec![24],
        n_recipes,
        methods: false,
        max_steps: 8,
        target: "target".into(),
        split: TaskSplit::MetaTrain,
        seed: Seed(0),
        n_threads: 1,
    }
}
