//! Cross-validation inside the support rows.

use super::InnerError;
use super::problem::row_losses;
use rand::seq::SliceRandom;
use weightsmith_base_model::BaseModel;
use weightsmith_tasks::{Level, Query, Seed, Support, Target};

const N_FOLDS: usize = 4;

/// The held-out rows of each fold: four folds, or as many as there are rows, of sizes that differ by at most
/// one and, for classes, with each class dealt out in turn.
///
/// # Errors
/// Fewer than two rows.
pub fn folds(target: &Target, seed: Seed) -> Result<Vec<Vec<usize>>, InnerError> {
    let n_rows = target.len();
    if n_rows < 2 {
        return Err(InnerError::TooFewRows { n_rows });
    }
    let mut order: Vec<usize> = (0..n_rows).collect();
    order.shuffle(&mut seed.stream("inner.folds"));
    if let Target::Classes { labels, .. } = target {
        order.sort_by_key(|&row| labels[row]);
    }
    let n_folds = N_FOLDS.min(n_rows);
    let mut folds = vec![Vec::new(); n_folds];
    order.into_iter().enumerate().for_each(|(place, row)| folds[place % n_folds].push(row));
    folds.iter_mut().for_each(|fold| fold.sort_unstable());
    Ok(folds)
}

/// The loss of each row under the model that did not see it, in the order of the folds; none where a training
/// diverged. `fit` gets the rows outside a fold as a support of their own.
///
/// # Errors
/// Those of `fit`, and rows that its model cannot read.
pub(super) fn held_out_losses<L: Level>(
    support: &Support<L>,
    folds: &[Vec<usize>],
    mut fit: impl FnMut(&Support<L>) -> Result<BaseModel<L>, InnerError>,
) -> Result<Option<Vec<f64>>, InnerError> {
    let mut losses = Vec::with_capacity(support.n_rows());
    for fold in folds {
        let (rest, held_out) = split_off(support, fold);
        let model = match fit(&rest) {
            Err(InnerError::Diverged { .. }) => return Ok(None),
            fitted => fitted?,
        };
        losses.extend(row_losses(&model, held_out.table(), held_out.target())?);
    }
    Ok(Some(losses))
}

/// The rows outside a fold, and those of the fold.
pub fn split_off<L: Level>(support: &Support<L>, fold: &[usize]) -> (Support<L>, Query<L>) {
    let rest: Vec<usize> = (0..support.n_rows()).filter(|row| fold.binary_search(row).is_err()).collect();
    (support.select(&rest), support.hold_out(fold))
}

pub(super) fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The standard error of the mean.
pub(super) fn standard_error(numbers: &[f64]) -> f64 {
    let n = numbers.len() as f64;
    let mean = mean(numbers);
    let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0).max(1.0);
    (variance / n).sqrt()
}

/// The best of several candidates: its position, its held-out losses, and the mean loss of each, infinite
/// where a training diverged. Ties go to the first.
///
/// # Errors
/// Those of `fit`; no candidate, fewer than two rows, only trainings that diverged.
pub(super) fn choose<L: Level, C>(
    support: &Support<L>,
    candidates: &[C],
    seed: Seed,
    mut fit: impl FnMut(&Support<L>, &C) -> Result<BaseModel<L>, InnerError>,
) -> Result<Choice, InnerError> {
    if candidates.is_empty() {
        return Err(InnerError::EmptyGrid);
    }
    let folds = folds(support.target(), seed)?;
    let mut choice: Option<(usize, Vec<f64>)> = None;
    let mut scores: Vec<f64> = Vec::with_capacity(candidates.len());
    for (position, candidate) in candidates.iter().enumerate() {
        let losses = held_out_losses(support, &folds, |rest| fit(rest, candidate))?;
        let score = losses.as_deref().map_or(f64::INFINITY, mean);
        let best = choice.as_ref().map_or(f64::INFINITY, |(best, _)| scores[*best]);
        scores.push(score);
        if let Some(losses) = losses
            && score < best
        {
            choice = Some((position, losses));
        }
    }
    let (position, losses) = choice.ok_or(InnerError::AllDiverged { n_recipes: candidates.len() })?;
    Ok(Choice { position, losses, scores, n_folds: folds.len() })
}

/// What cross-validation says.
pub(super) struct Choice {
    /// The position of the best candidate.
    pub(super) position: usize,
    /// Its loss on each held-out row.
    pub(super) losses: Vec<f64>,
    /// The mean loss of each candidate.
    pub(super) scores: Vec<f64>,
    /// How often each candidate was fitted.
    pub(super) n_folds: usize,
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_is_held_out_once_and_classes_are_dealt_out() {
        let labels: Vec<usize> = (0..22).map(|row| usize::from(row % 11 < 4)).collect();
        let target = Target::Classes { class_names: vec!["a".into(), "b".into()], labels: labels.clone() };
        for seed in 0..5 {
            let folds = folds(&target, Seed(seed)).unwrap();
            let all: HashSet<usize> = folds.iter().flatten().copied().collect();
            assert_eq!((folds.len(), all.len()), (4, 22));
            for fold in &folds {
                let n_second: usize = fold.iter().map(|&row| labels[row]).sum();
                assert!(fold.len() == 5 || fold.len() == 6);
                assert_eq!(n_second, 2);
            }
        }
        assert_eq!(folds(&Target::Values(vec![1.0, 2.0]), Seed(0)).unwrap().len(), 2);
        assert_eq!(folds(&Target::Values(vec![1.0]), Seed(0)), Err(InnerError::TooFewRows { n_rows: 1 }));
    }

    #[test]
    fn a_fold_is_fitted_without_its_rows() {
        // The value of the only column is the row's number: what `fit` sees shows which rows it was given.
        let support = testing::numbered_rows(12);
        let folds = folds(support.target(), Seed(3)).unwrap();
        let mut n_fits = 0;
        held_out_losses(&support, &folds, |rest| {
            let seen = testing::first_column(rest);
            assert_eq!(seen.len() + folds[n_fits].len(), 12);
            assert!(folds[n_fits].iter().all(|&row| !seen.contains(&(row as f64))));
            n_fits += 1;
            let model = super::super::fit_linear(rest, Seed(0))?;
            // The encoding's centre is the mean of the rows outside the fold (no value is 3 deviations away).
            let mean = seen.iter().sum::<f64>() / seen.len() as f64;
            match model.encoding.columns()[0].transform {
                weightsmith_base_model::Transform::Standard { centre, .. } => {
                    assert!((centre - mean).abs() < 1e-9, "{centre} for {mean}");
                }
                ref other => panic!("{other:?}"),
            }
            Ok(model)
        })
        .unwrap();
        assert_eq!(n_fits, 4);
    }
}
