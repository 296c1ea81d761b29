//! Refining: inner steps that start from generated weights, taken only where held-out rows say that they pay.

use super::cross_validation::{folds, mean, split_off};
use super::problem::{expected_performance, row_losses};
use super::{InnerError, Moment, Optimiser, Recipe, Start, Training};
use burn::tensor::Device;
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
    /// How far held-out loss falls by the best of the candidates, a mean over rows.
    pub gain: f64,
    /// The standard error of this gain.
    pub standard_error: f64,
    /// The steps taken on all rows; none where they do not pay.
    pub recipe: Option<Recipe>,
    /// Trainings done, those of cross-validation included.
    pub n_trainings: usize,
}

/// Refines generated weights by proximal steps of Adam, if these pay.
///
/// In each of four folds weights are generated from the rest of the rows and refined by every candidate; a candidate is a
/// number of steps and a pull back to the generated weights. The best is accepted only if the loss of held-out rows falls
/// by more than its standard error, from the differences of rows; else the generated weights stay. `watch` sees the
/// refining of the weights from all rows.
///
/// # Errors
/// Those of `generate` and of [`Training::run`], fewer than two rows.
pub fn refine<L: Level, E: From<InnerError>>(
    support: &Support<L>,
    generate: impl Fn(&Support<L>) -> Result<BaseModel<L>, E>,
    seed: Seed,
    device: &Device,
    watch: &mut dyn FnMut(&Moment<'_, L>),
) -> Result<Refined<L>, E> {
    let folds = folds(support.target(), seed)?;
    let candidates: Vec<(f32, usize)> =
        PULLS.iter().flat_map(|&pull| STEPS.map(|n_steps| (pull, n_steps))).collect();
    // Losses of held-out rows as generated, and under each candidate.
    let mut before = Vec::new();
    let mut after = vec![Vec::new(); candidates.len()];
    for fold in &folds {
        let (rest, held_out) = split_off(support, fold);
        let losses = |model: &BaseModel<L>| row_losses(model, held_out.table(), held_out.target());
        let generated = generate(&rest)?;
        before.extend(losses(&generated)?);
        for (idx, &pull) in PULLS.iter().enumerate() {
            let recipe = recipe(pull, STEPS[STEPS.len() - 1]);
            let training =
                Training { support: &rest, start: Start::From(&generated), recipe: &recipe, seed, device };
            // A training that has converged stays where it is.
            let mut failed = None;
            let mut reached = [false; STEPS.len()];
            let mut keep = |moment_steps: usize, model: Result<BaseModel<L>, InnerError>| {
                let Some(step) = STEPS.iter().position(|&n_steps| n_steps == moment_steps) else { return };
                match model.and_then(|model| losses(&model)) {
                    Ok(losses) => {
                        after[idx * STEPS.len() + step].extend(losses);
                        reached[step] = true;
                    }
                    Err(error) => failed = Some(error),
                }
            };
            let trained = training.run(&mut |moment| {
                if STEPS.contains(&moment.n_steps) {
                    keep(moment.n_steps, moment.model());
                }
            })?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            for step in (0..STEPS.len()).filter(|&step| !reached[step]) {
                after[idx * STEPS.len() + step].extend(losses(&trained.model)?);
            }
        }
    }
    let gains: Vec<Vec<f64>> =
        after.iter().map(|after| before.iter().zip(after).map(|(b, a)| b - a).collect()).collect();
    let best = (0..candidates.len())
        .max_by(|&a, &b| mean(&gains[a]).total_cmp(&mean(&gains[b])))
        .expect("there are candidates");
    let (gain, standard_error) = (mean(&gains[best]), standard_error(&gains[best]));
    let generated = generate(support)?;
    let mut n_trainings = folds.len() * PULLS.len();
    if gain <= standard_error {
        return Ok(Refined { model: generated, gain, standard_error, recipe: None, n_trainings });
    }
    let (pull, n_steps) = candidates[best];
    let recipe = recipe(pull, n_steps);
    let start = Start::From(&generated);
    let mut model = Training { support, start, recipe: &recipe, seed, device }.run(watch)?.model;
    n_trainings += 1;
    model.provenance = generated.provenance.clone();
    model.provenance.name += "-refined";
    model.expected = Some(expected_performance(support.target().task_type(), &after[best]));
    Ok(Refined { model, gain, standard_error, recipe: Some(recipe), n_trainings })
}

fn recipe(proximal: f32, n_epochs: usize) -> Recipe {
    let usual = Recipe::of(Optimiser::Adam);
    Recipe { proximal, n_epochs, weight_decay: 0.0, learning_rate: LEARNING_RATE, batch_size: usize::MAX, ..usual }
}

/// The standard error of the mean.
fn standard_error(numbers: &[f64]) -> f64 {
    let n = numbers.len() as f64;
    let mean = mean(numbers);
    let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0).max(1.0);
    (variance / n).sqrt()
}
