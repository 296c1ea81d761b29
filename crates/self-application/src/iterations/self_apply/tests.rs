//! Which metamodel becomes the incumbent, what predictors are called, and settings that are refused.

use super::*;
use crate::iterations::testing::iteration;

/// Decides about an iteration whose losses are these, after an incumbent with losses around 0.3.
fn decided(losses: &[f32], cpu_s: f64) -> Iteration {
    let incumbent = Iteration { accepted: true, ..iteration(0, "incumbent", Some(0.3)) };
    let of_incumbent: Vec<f32> = (0..losses.len()).map(|at| 0.3 + 0.01 * (at % 7) as f32).collect();
    let candidate = iteration(1, "candidate", (!losses.is_empty()).then_some(0.2));
    let mut candidate = Iteration { cpu_s, ..candidate };
    decide(&mut candidate, losses, Some((&incumbent, &of_incumbent)));
    candidate
}

fn losses(less: f32, noise: f32) -> Vec<f32> {
    let sign = |at: usize| if at.is_multiple_of(2) { noise } else { -noise };
    (0..64).map(|at| 0.3 + 0.01 * (at % 7) as f32 - less + sign(at)).collect()
}

#[test]
fn the_incumbent_is_replaced_by_what_is_clearly_better_or_as_good_and_cheaper() {
    let better = decided(&losses(0.05, 0.01), 2.0);
    assert_eq!((better.verdict.as_str(), better.accepted), ("better", true));
    assert_eq!(better.parent.as_deref(), Some("incumbent"));
    let difference = better.difference.unwrap();
    assert!((difference.mean + 0.05).abs() < 1e-6 && difference.low <= difference.mean, "{difference:?}");
    assert!(difference.high < 0.0);
    // The same mean in noise that hides it.
    let hidden = decided(&losses(0.05, 1.0), 2.0);
    assert_eq!((hidden.verdict.as_str(), hidden.accepted), ("not better", false));
    let cheaper = decided(&losses(0.0, 0.0), 0.5);
    assert_eq!((cheaper.verdict.as_str(), cheaper.accepted), ("as good and cheaper", true));
    let same = decided(&losses(0.0, 0.0), 1.0);
    assert_eq!((same.verdict.as_str(), same.accepted), ("not better", false));
    let diverged = decided(&[], 0.5);
    assert_eq!((diverged.verdict.as_str(), diverged.accepted), ("diverged", false));
    assert_eq!((diverged.parent, diverged.difference), (None, None));
}

#[test]
fn the_first_is_accepted_and_the_incumbent_is_what_was_accepted_last() {
    let mut first = iteration(0, "a", Some(0.3));
    decide(&mut first, &[0.3; 8], None);
    assert_eq!((first.verdict.as_str(), first.accepted, &first.parent), ("first", true, &None));
    // A loop that begins with a diverged training has no incumbent yet.
    let mut diverged = iteration(0, "a", None);
    decide(&mut diverged, &[], None);
    assert!(!diverged.accepted && incumbent_of(&[diverged]).is_none());
    let accepted =
        |at: usize, uid: &str, accepted: bool| Iteration { accepted, ..iteration(at, uid, Some(0.3)) };
    let journal = [accepted(0, "a", true), accepted(1, "b", true), accepted(2, "c", false)];
    assert_eq!(incumbent_of(&journal).map(|incumbent| incumbent.uid.as_str()), Some("b"));
}

#[test]
fn settings_out_of_their_range_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loops");
    let good = SelfApplyFrame::default();
    good.validate().unwrap();
    let costs = |least_s: f64, most_s: f64| SelfApplyFrame { least_s, most_s, ..good };
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    for frame in [
        costs(inf, inf),
        costs(nan, nan),
        costs(1.0, inf),
        costs(nan, 20.0),
        costs(0.0, 20.0),
        costs(-2.0, -1.0),
        costs(10.0, 14.0),
        SelfApplyFrame { n_data_sets: 3, ..good },
        SelfApplyFrame { n_measured: 5000, ..good },
    ] {
        let settings = SelfApplySettings {
            folder: path.clone(),
            frame,
            n_iterations: 1,
            budget: None,
            seed: 0,
            search: RecipeSearch::Random,
            mode: SelfTaskMode::None,
            n_controls: 0,
            n_confirmed: 0,
        };
        let refused = self_apply(&settings, &Device::flex(), &mut |_| ControlFlow::Continue(()));
        assert!(matches!(refused, Err(SelfApplicationError::OutOfRange { .. })), "{frame:?}");
        assert!(!path.exists(), "{frame:?}");
    }
}

#[test]
fn loops_on_one_snapshot_have_predictors_of_their_own() {
    let own = (RecipeSearch::Planner, SelfTaskMode::Lifted, 0);
    let all = [
        predictor_uid(own, 8, "snapshot"),
        predictor_uid(own, 9, "snapshot"),
        predictor_uid(own, 8, "later"),
        predictor_uid((RecipeSearch::Random, SelfTaskMode::Lifted, 0), 8, "snapshot"),
        predictor_uid((RecipeSearch::Planner, SelfTaskMode::None, 0), 8, "snapshot"),
        predictor_uid((RecipeSearch::Planner, SelfTaskMode::Lifted, 1), 8, "snapshot"),
    ];
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 6);
    assert_eq!(predictor_uid(own, 8, "snapshot"), predictor_uid(own, 8, "snapshot"));
}
