use super::super::linear::ridge;
use super::super::{fit_linear, testing};
use super::*;
use weightsmith_base_model::Activation;
use weightsmith_tasks::Target;

fn train(support: &Support, recipe: &Recipe, seed: u64) -> Trained {
    train_base_model(support, recipe, Seed(seed), &testing::device()).unwrap()
}

#[test]
fn classes_that_lie_apart_are_told_apart() {
    // Unit Gaussians 4 apart: the best possible accuracy is 0.977 for two and 0.96 for three.
    for seed in 0..4 {
        for n_classes in [2, 3] {
            let trained = train(&testing::blobs(90, n_classes, seed), &Recipe::default(), seed);
            let accuracy = testing::accuracy(&trained.model, &testing::blobs(900, n_classes, 50 + seed));
            assert!(accuracy > 0.92, "seed {seed}, {n_classes} classes: {accuracy}");
            assert_eq!(trained.model.provenance.name, "adam");
        }
    }
}

#[test]
fn exclusive_or_needs_the_hidden_layer() {
    let recipe = Recipe { learning_rate: 1e-2, n_epochs: 300, ..Recipe::default() };
    for seed in 0..4 {
        let (support, fresh) = (testing::xor(160, seed), testing::xor(1000, 50 + seed));
        for (optimiser, learning_rate) in
            [(Optimiser::Adam, 1e-2), (Optimiser::AdamW, 1e-2), (Optimiser::Sgd, 1e-1)]
        {
            let recipe = Recipe { optimiser, learning_rate, ..recipe.clone() };
            let accuracy = testing::accuracy(&train(&support, &recipe, seed).model, &fresh);
            assert!(accuracy > 0.9, "seed {seed}, {optimiser:?}: {accuracy}");
        }
        let linear = testing::accuracy(&fit_linear(&support, Seed(seed)).unwrap(), &fresh);
        assert!(linear < 0.7, "seed {seed}: {linear}");
    }
}

#[test]
fn values_come_in_the_unit_of_the_target() {
    // Mean 5000, deviation 300, of which 30 is noise.
    let deep = Recipe { hidden: vec![16, 8], skip: true, activation: Activation::Tanh, ..Recipe::default() };
    for seed in 0..4 {
        let (support, fresh) =
            (testing::linear_values(128, 4, seed), testing::linear_values(500, 4, 50 + seed));
        for recipe in [Recipe::default(), deep.clone()] {
            let r2 = testing::r2(&train(&support, &recipe, seed).model, &fresh);
            assert!(r2 > 0.9, "seed {seed}, {:?}: {r2}", recipe.hidden);
        }
    }
}

#[test]
fn a_linear_recipe_with_decay_finds_the_ridge_solution() {
    // α/2 ‖w‖²/n beside the mean of half the squared error is ridge's λ = α: the closed form is the answer.
    let support = testing::linear_values(60, 3, 1);
    let recipe = Recipe {
        hidden: vec![],
        skip: true,
        learning_rate: 2e-2,
        weight_decay: 20.0,
        n_epochs: 3000,
        ..Recipe::default()
    };
    let problem = Problem::of(&support).unwrap();
    let Labels::Values { standardised, .. } = &problem.labels else { panic!("a regression") };
    let loss = |closed: &[f64]| {
        let (weights, bias) = closed.split_at(3);
        let error = |(x, wanted): (&[f32], &f32)| {
            let output: f64 = weights.iter().zip(x).map(|(weight, x)| weight * f64::from(*x)).sum();
            (output + bias[0] - f64::from(*wanted)).powi(2)
        };
        let squares: f64 = problem.rows.values.chunks_exact(3).zip(standardised).map(error).sum();
        (squares + 20.0 * weights.iter().map(|weight| weight * weight).sum::<f64>()) / (2.0 * 60.0)
    };
    let least = loss(&ridge(&problem.rows, standardised, 20.0));
    for seed in 0..4 {
        let info = train(&support, &recipe, seed).info;
        // The training stops where an epoch gains less than 1e-4; another strength is 0.01 away.
        let excess = f64::from(info.final_support_loss()) - least;
        assert!(info.converged && (-1e-6..1e-3).contains(&excess), "seed {seed}: {excess} above {least}");
    }
    assert!(loss(&ridge(&problem.rows, standardised, 10.0)) > least + 1e-3);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let support = testing::blobs(260, 3, 0);
    let recipe = Recipe { n_epochs: 5, batch_size: 100, ..Recipe::default() };
    let first = train(&support, &recipe, 7);
    assert_eq!(first.info.n_steps, 15);
    assert_eq!(first, train(&support, &recipe, 7));
    assert_ne!(first.model.weights, train(&support, &recipe, 8).model.weights);
}

#[test]
fn the_training_ends_when_the_loss_no_longer_falls() {
    // scikit-learn's count: the eleventh epoch in a row without an improvement by 1e-4 is the last.
    let mut stop = Stop::default();
    let falling = [1.0, 0.9, 0.8];
    assert!(falling.iter().all(|&loss| !stop.after(loss)));
    assert_eq!((0..20).position(|_| stop.after(0.8 - 0.5e-4)), Some(10));
    let support = testing::linear_values(40, 2, 0);
    let recipe = Recipe { weight_decay: 10.0, n_epochs: 5000, ..Recipe::default() };
    let info = train(&support, &recipe, 0).info;
    assert!(info.converged && info.n_steps < 5000, "{} steps", info.n_steps);
    assert_eq!(info.n_steps, info.epoch_losses.len());
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let support = testing::linear_values(10, 2, 0);
    let check = |recipe: Recipe, expected: &str| {
        let error = train_base_model(&support, &recipe, Seed(0), &testing::device()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(Recipe { hidden: vec![], ..Recipe::default() }, "skip path");
    check(Recipe { hidden: vec![0], ..Recipe::default() }, "width 0");
    check(Recipe { n_epochs: 0, ..Recipe::default() }, "n_epochs");
    check(Recipe { learning_rate: 1e30, ..Recipe::default() }, "diverged");
}

#[test]
fn a_target_that_does_not_vary_is_predicted_as_it_is() {
    let support =
        Support::new(testing::linear_values(20, 2, 0).table().clone(), Target::Values(vec![7.5; 20]))
            .unwrap();
    let model = train(&support, &Recipe::default(), 0).model;
    assert!(model.predict(support.table()).unwrap().values().unwrap().iter().all(|&value| value == 7.5));
}
