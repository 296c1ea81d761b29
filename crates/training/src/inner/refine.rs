//! Refining: inner steps that start from generated weights, taken only where held-out rows say that they pay.

use super::cross_validation::{folds, mean, split_off, standard_error};
use super::problem::{expected_performance, row_losses};
use super::{InnerError, Moment, Optimiser, Recipe, Start, Training};
use burn::tensor::Device;
use std::fmt;
use weightsmith_base_model::BaseModel;
use weightsmith_tasks::{Base, Level, Seed, Support};

/// Strengths of the pull back to the generated weights.
const PULLS: [f32; 2] = [1.0, 30.0];
/// Numbers of steps to choose from.
const STEPS: [usize; 3] = [5, 20, 80];
const LEARNING_RATE: f32 = 1e-3;

/// What refining made of generated weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Refined<L: Level = Base> {
    /// The refined base model, or the generated one where no steps pay.
    pub model: BaseModel<L>,
    /// What held-out rows say; none where a fold's rows are not enough to generate weights from.
    pub held_out: Option<Gain>,
    /// The steps taken on all rows; none where they do not pay.
    pub recipe: Option<Recipe>,
}

/// What the best of some candidates gains on held-out rows; means over rows of the cross-entropy or squared error.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Gain {
    /// The loss of the generated weights.
    pub loss: f64,
    /// How far it falls.
    pub gain: f64,
    /// The standard error of that.
    pub standard_error: f64,
    /// Candidates that were tried.
    pub n_candidates: usize,
}

impl fmt::Display for Gain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: f64| 100.0 * part / self.loss.max(f64::MIN_POSITIVE);
        let (change, error) = (-percent(self.gain), percent(self.standard_error));
        write!(
            f,
            "held-out loss {change:+.1} % ± {error:.1} % by the best of {} candidates",
            self.n_candidates
        )
    }
}

impl Gain {
    fn pays(&self) -> bool {
        self.gain > self.standard_error
    }
}

/// Refines generated weights by proximal steps of Adam, if these pay.
///
/// In each of four folds weights are generated from the rest of the rows and refined by every candidate; a candidate is a
/// number of steps and a pull back to the generated weights. The best is accepted only if the loss of held-out rows falls
/// by more than its standard error, from the differences of rows; else the generated weights stay, as they do where a
/// fold's rows are not enough to generate from. `watch` sees the refining of the weights from all rows.
///
/// # Errors
/// Those of `generate` on all rows and of [`Training::run`], fewer than two rows.
pub fn refine<L: Level, E: From<InnerError>>(
    support: &Support<L>,
    generate: impl Fn(&Support<L>) -> Result<BaseModel<L>, E>,
    seed: Seed,
    device: &Device,
    watch: &mut dyn FnMut(&Moment<'_, L>),
) -> Result<Refined<L>, E> {
    let generated = generate(support)?;
    let Some(tried) = try_candidates(support, generate, seed, device)? else {
        return Ok(Refined { model: generated, held_out: None, recipe: None });
    };
    if !tried.gain.pays() {
        return Ok(Refined { model: generated, held_out: Some(tried.gain), recipe: None });
    }
    let start = Start::From(&generated);
    let recipe = tried.recipe;
    let mut model = Training { support, start, recipe: &recipe, seed, device }.run(watch)?.model;
    model.provenance = generated.provenance.clone();
    model.provenance.name += "-refined";
    model.expected = Some(expected_performance(support.target().task_type(), &tried.losses));
    Ok(Refined { model, held_out: Some(tried.gain), recipe: Some(recipe) })
}

/// The best candidate.
struct Tried {
    recipe: Recipe,
    gain: Gain,
    /// Of each held-out row.
    losses: Vec<f64>,
}

/// None if weights cannot be generated from the rows outside a fold.
fn try_candidates<L: Level, E>(
    support: &Support<L>,
    generate: impl Fn(&Support<L>) -> Result<BaseModel<L>, E>,
    seed: Seed,
    device: &Device,
) -> Result<Option<Tried>, InnerError> {
    let candidates: Vec<Recipe> =
        PULLS.iter().flat_map(|&pull| STEPS.map(|n_steps| recipe(pull, n_steps))).collect();
    // Losses of held-out rows as generated, and under each candidate.
    let mut before = Vec::new();
    let mut after = vec![Vec::new(); candidates.len()];
    for fold in folds(support.target(), seed)? {
        let (rest, held_out) = split_off(support, &fold);
        let losses = |model: &BaseModel<L>| row_losses(model, held_out.table(), held_out.target());
        let Ok(generated) = generate(&rest) else { return Ok(None) };
        before.extend(losses(&generated)?);
        for (pull, own) in PULLS.iter().zip(after.chunks_exact_mut(STEPS.len())) {
            // One training of the most steps passes by the others.
            let recipe = recipe(*pull, STEPS[STEPS.len() - 1]);
            let start = Start::From(&generated);
            let mut found: [Result<Vec<f64>, InnerError>; STEPS.len()] = STEPS.map(|_| Ok(Vec::new()));
            let training = Training { support: &rest, start, recipe: &recipe, seed, device };
            let trained = training.run(&mut |moment| {
                if let Some(place) = STEPS.iter().position(|n_steps| *n_steps == moment.n_steps) {
                    found[place] = moment.model().and_then(|model| losses(&model));
                }
            })?;
            for (own, found) in own.iter_mut().zip(found) {
                let found = found?;
                // A training that has converged stays where it is.
                own.extend(if found.is_empty() { losses(&trained.model)? } else { found });
            }
        }
    }
    let differences = |after: &Vec<f64>| before.iter().zip(after).map(|(b, a)| b - a).collect::<Vec<f64>>();
    let gains: Vec<Vec<f64>> = after.iter().map(differences).collect();
    let best = (0..candidates.len())
        .max_by(|&a, &b| mean(&gains[a]).total_cmp(&mean(&gains[b])))
        .expect("there are candidates");
    let gain = Gain {
        loss: mean(&before),
        gain: mean(&gains[best]),
        standard_error: standard_error(&gains[best]),
        n_candidates: candidates.len(),
    };
    Ok(Some(Tried { recipe: candidates[best].clone(), gain, losses: after.swap_remove(best) }))
}

fn recipe(proximal: f32, n_epochs: usize) -> Recipe {
    let usual = Recipe::of(Optimiser::Adam);
    Recipe {
        proximal,
        n_epochs,
        weight_decay: 0.0,
        learning_rate: LEARNING_RATE,
        batch_size: usize::MAX,
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Recipe, fit_linear, testing, train_base_model};
    use super::*;

    fn refined(support: &Support, n_epochs: usize) -> Refined {
        let device = testing::device();
        let generate = |rows: &Support| {
            let recipe = Recipe { n_epochs, ..Recipe::default() };
            train_base_model(rows, &recipe, Seed(1), &device).map(|trained| trained.model)
        };
        refine::<_, InnerError>(support, generate, Seed(0), &device, &mut |_| {}).unwrap()
    }

    #[test]
    fn steps_are_taken_where_they_pay_and_left_where_not() {
        for seed in 0..3 {
            // Three epochs are far too few: more steps must pay, and the held-out rows must say so.
            let support = testing::blobs(120, 2, seed);
            let poor = refined(&support, 3);
            let gain = poor.held_out.unwrap();
            assert!(poor.recipe.is_some() && gain.gain > gain.standard_error && gain.gain > 0.0, "{gain:?}");
            assert_eq!(poor.model.provenance.name, "adam-refined");
            let fresh = testing::blobs(600, 2, 50 + seed);
            let loss = |model: &BaseModel| mean(&row_losses(model, fresh.table(), fresh.target()).unwrap());
            let before = train_base_model(
                &support,
                &Recipe { n_epochs: 3, ..Recipe::default() },
                Seed(1),
                &testing::device(),
            );
            assert!(loss(&poor.model) < 0.9 * loss(&before.unwrap().model), "seed {seed}");
            // Of labels that mean nothing, a strongly penalised linear model knows all there is to know.
            let noise = testing::noise(120, 6, seed);
            let device = testing::device();
            let linear = |rows: &Support| fit_linear(rows, Seed(0));
            let kept = refine::<_, InnerError>(&noise, linear, Seed(0), &device, &mut |_| {}).unwrap();
            let gain = kept.held_out.unwrap();
            assert!(kept.recipe.is_none() && gain.gain <= gain.standard_error, "seed {seed}: {gain:?}");
            assert_eq!(kept.model, linear(&noise).unwrap());
        }
    }
}
