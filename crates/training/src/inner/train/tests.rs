use super::super::linear::ridge;
use super::super::problem::{Labels, Problem};
use super::super::{Weighting, fit_linear, testing};
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
fn a_training_of_so_many_steps_is_the_beginning_of_a_longer_one() {
    let support = testing::blobs(40, 3, 0);
    for optimiser in [Optimiser::Adam, Optimiser::Sgd, Optimiser::Lbfgs] {
        let recipe = Recipe { batch_size: 16, n_epochs: 9, ..Recipe::of(optimiser) };
        // Three batches an epoch: the seventh step is the first of an epoch.
        let short = train(&support, &Recipe { max_steps: Some(7), ..recipe.clone() }, 3);
        assert_eq!(short.info.n_steps, 7);
        let mut after_seven = None;
        let device = &testing::device();
        let long =
            Training { support: &support, start: Start::Random, recipe: &recipe, seed: Seed(3), device };
        long.run(&mut |moment| {
            if moment.n_steps == 7 {
                after_seven = Some(moment.model().unwrap().weights);
            }
        })
        .unwrap();
        assert_eq!(Some(short.model.weights), after_seven);
    }
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

#[test]
fn every_rule_finds_the_ridge_solution_of_a_linear_network() {
    let support = testing::linear_values(60, 3, 1);
    let problem = Problem::of(&support).unwrap();
    let Labels::Values { standardised, .. } = &problem.labels else { panic!("values") };
    let wanted = ridge(&problem.rows, standardised, 2.0);
    let linear = |optimiser| Recipe {
        hidden: vec![],
        skip: true,
        weight_decay: 2.0,
        n_epochs: 2000,
        ..Recipe::of(optimiser)
    };
    // L-BFGS ends at the minimum; an evolution strategy walks around it by the length of its steps.
    for (recipe, tolerance) in [
        (linear(Optimiser::Lbfgs), 1e-3),
        (Recipe { learning_rate: 2e-3, ..linear(Optimiser::Evolution) }, 3e-2),
    ] {
        for seed in 0..3 {
            let trained = train(&support, &recipe, seed);
            let skip = trained.model.weights.skip.as_ref().unwrap();
            for (found, wanted) in skip.values.iter().zip(&wanted) {
                let found = f64::from(*found);
                assert!((found - wanted).abs() < tolerance, "{:?}: {found} for {wanted}", recipe.optimiser);
            }
            let bias = f64::from(trained.model.weights.output_bias[0]);
            assert!((bias - wanted[3]).abs() < tolerance, "{:?}: {bias}", recipe.optimiser);
        }
    }
}

#[test]
fn random_search_keeps_what_gets_more_rows_right() {
    for seed in 0..3 {
        let support = testing::blobs(60, 2, seed);
        let mut best = 0.0;
        let recipe = Recipe { n_epochs: 40, ..Recipe::of(Optimiser::RandomSearch) };
        let training = Training {
            support: &support,
            start: Start::Random,
            recipe: &recipe,
            seed: Seed(seed),
            device: &testing::device(),
        };
        let trained = training.run(&mut |moment| {
            let right = testing::accuracy(&moment.model().unwrap(), &support);
            assert!(right >= best, "{right} after {best}");
            best = right;
        });
        let trained = trained.unwrap();
        assert_eq!(trained.info.n_steps, 40 * super::super::N_TRIES);
        // One of 1,280 random networks tells clouds 4 apart; a coin gets 0.5.
        assert!(best > 0.9, "seed {seed}: {best}");
    }
}

#[test]
fn a_training_goes_on_from_the_weights_that_it_is_given() {
    let device = testing::device();
    for (support, recipe) in [
        (testing::blobs(60, 3, 0), Recipe::default()),
        (testing::blobs(60, 2, 1), Recipe { skip: true, ..Recipe::default() }),
        (testing::linear_values(60, 3, 2), Recipe { hidden: vec![9, 5], skip: true, ..Recipe::default() }),
    ] {
        let first = train(&support, &recipe, 3).model;
        let before = first.predict(support.table()).unwrap();
        let near = |model: &BaseModel| {
            let after = model.predict(support.table()).unwrap();
            let numbers = |of: &weightsmith_base_model::Predictions| match of.predicted() {
                weightsmith_base_model::Predicted::Probabilities { values, .. } => {
                    values.iter().map(|value| f64::from(*value)).collect()
                }
                weightsmith_base_model::Predicted::Values(values) => values.clone(),
            };
            let pairs = numbers(&before).into_iter().zip(numbers(&after));
            pairs.map(|(a, b)| (a - b).abs() / (1.0 + a.abs())).fold(0.0, f64::max)
        };
        let mut start = None;
        let pulled =
            Recipe { proximal: 1e6, n_epochs: 30, weight_decay: 0.0, learning_rate: 1e-5, ..recipe.clone() };
        let from = |recipe: &Recipe, start: &mut Option<f64>| {
            let training = Training {
                support: &support,
                start: Start::From(&first),
                recipe,
                seed: Seed(0),
                device: &device,
            };
            training
                .run(&mut |moment| {
                    if moment.n_steps == 0 {
                        *start = Some(near(&moment.model().unwrap()));
                    }
                })
                .unwrap()
        };
        let held = from(&pulled, &mut start);
        assert!(start.unwrap() < 1e-5, "the start is the network itself: {start:?}");
        assert!(near(&held.model) < 5e-3, "a strong pull holds it: {}", near(&held.model));
        // Free to go, 200 more epochs change it.
        assert!(near(&from(&recipe, &mut start).model) > 1e-3);
        // The same architecture and encoding, other numbers.
        let like = Training {
            support: &support,
            start: Start::Like(&first),
            recipe: &recipe,
            seed: Seed(9),
            device: &device,
        };
        let other = like.run(&mut |_| {}).unwrap().model;
        assert_eq!(
            (other.architecture, other.encoding),
            (first.architecture.clone(), first.encoding.clone())
        );
    }
}

#[test]
fn weights_for_another_target_are_refused() {
    let classes = testing::blobs(40, 2, 0);
    let values = testing::linear_values(40, 2, 0);
    let recipe = Recipe { n_epochs: 3, ..Recipe::default() };
    let model = train(&classes, &recipe, 0).model;
    let device = testing::device();
    let error = |support: &Support, model: &BaseModel| {
        let training =
            Training { support, start: Start::From(model), recipe: &recipe, seed: Seed(0), device: &device };
        training.run(&mut |_| {}).unwrap_err().to_string()
    };
    assert!(error(&values, &model).contains("are of a classification, the rows of a regression"));
    let mut others = model.clone();
    others.class_names = vec!["left".into(), "right".into()];
    assert!(error(&classes, &others).contains("know none of the rows' classes; they know left, right"));
}

#[test]
fn labels_are_smoothed_and_classes_weighed_as_they_should_be() {
    // A constant column: only the biases learn. Nine rows of the first class, three of the second.
    let support = |n_second: usize| {
        let column = weightsmith_tasks::Column {
            name: "x".into(),
            values: weightsmith_tasks::ColumnValues::Numeric((0..12).map(|row| f64::from(row % 2)).collect()),
        };
        let labels = (0..12).map(|row| usize::from(row < n_second)).collect();
        let target = Target::Classes { class_names: vec!["a".into(), "b".into()], labels };
        Support::new(weightsmith_tasks::Table::new(12, vec![column]).unwrap(), target).unwrap()
    };
    let second = |recipe: &Recipe| {
        let trained = train(&support(3), recipe, 0);
        let predictions = trained.model.predict(support(3).table()).unwrap();
        let mean: f32 = predictions.probabilities().unwrap().map(|row| row[1]).sum();
        mean / 12.0
    };
    // A strong decay leaves the biases alone, which are free.
    let plain = Recipe {
        hidden: vec![],
        skip: true,
        weight_decay: 1e3,
        n_epochs: 500,
        ..Recipe::of(Optimiser::Lbfgs)
    };
    let check = |recipe: Recipe, expected: f32| {
        let found = second(&recipe);
        assert!((found - expected).abs() < 2e-3, "{found} for {expected}: {recipe:?}");
    };
    check(plain.clone(), 0.25);
    check(Recipe { weighting: Weighting::Classes, ..plain.clone() }, 0.5);
    // The smoothed labels' mean: 0.25 (1 - 0.2) + 0.1.
    check(Recipe { label_smoothing: 0.2, ..plain.clone() }, 0.3);
}

#[test]
fn dropout_holds_a_network_back_and_is_gone_when_it_predicts() {
    for seed in 0..3 {
        let (support, fresh) = (testing::xor(160, seed), testing::xor(1000, 50 + seed));
        let plain = Recipe { learning_rate: 1e-2, n_epochs: 300, ..Recipe::default() };
        let dropped = Recipe { dropout: 0.5, ..plain.clone() };
        let (plain, dropped) = (train(&support, &plain, seed), train(&support, &dropped, seed));
        assert!(dropped.info.final_support_loss() > plain.info.final_support_loss(), "seed {seed}");
        let accuracy = testing::accuracy(&dropped.model, &fresh);
        assert!(accuracy > 0.85, "seed {seed}: {accuracy}");
    }
}

#[test]
fn an_offset_of_the_target_costs_a_training_nothing() {
    let plain = testing::linear_values(80, 3, 4);
    let moved = |offset: f64| {
        let Target::Values(values) = plain.target() else { panic!("numbers") };
        let values = values.iter().map(|value| value + offset).collect();
        Support::new(plain.table().clone(), Target::Values(values)).unwrap()
    };
    let first = train(&plain, &Recipe::default(), 3).model;
    let wanted = testing::r2(&first, &plain);
    for offset in [1e4, -1e8, 1e11] {
        let support = moved(offset);
        let found = testing::r2(&train(&support, &Recipe::default(), 3).model, &support);
        assert!((found - wanted).abs() < 1e-3, "{offset:e}: {found}, not {wanted}");
        // From weights that count in another unit: the same values are said at the start.
        let mut start = None;
        let recipe = Recipe { n_epochs: 1, ..Recipe::default() };
        let training = Training {
            support: &support,
            start: Start::From(&first),
            recipe: &recipe,
            seed: Seed(0),
            device: &testing::device(),
        };
        training
            .run(&mut |moment| {
                start.get_or_insert_with(|| moment.model().unwrap().predict(support.table()).unwrap());
            })
            .unwrap();
        let before = first.predict(support.table()).unwrap();
        for (a, b) in before.values().unwrap().iter().zip(start.unwrap().values().unwrap()) {
            // The start says small numbers as sums of large ones: f32 outputs that are as large as the offset.
            let tolerance = 1e-5 + 1e-6 * offset.abs();
            assert!((a - b).abs() < tolerance, "{offset:e}: {b}, not {a}");
        }
    }
}
