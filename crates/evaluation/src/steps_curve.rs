//! What inner steps by variable projection bring on one table: from a generated hidden layer and from a random one.

use crate::methods::{MethodError, MethodSettings};
use crate::problem::{Counts, Problem};
use crate::statistics::Spread;
use serde::Serialize;
use weightsmith_base_model::BaseModel;
use weightsmith_generation::{GenerateOptions, Steps, generate_base_model};
use weightsmith_runtime::Stopwatch;
use weightsmith_training::{project, random_start};

/// Numbers of steps: those that a generation tries, and none.
const NUMBERS: [usize; 9] = [0, 1, 2, 3, 5, 8, 12, 20, 30];

/// The losses after a number of steps; means over splits.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct StepsPoint {
    /// Steps taken.
    pub n_steps: usize,
    /// Log-loss or root mean squared error on the support rows.
    pub support_loss: f64,
    /// The same on the query rows.
    pub query_loss: f64,
    /// Processor seconds from the support rows to these weights.
    pub cpu_s: f64,
}

/// Losses against numbers of steps, of one view without a forest and of a random hidden layer as wide; the head is solved after every
/// number of steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepsCurves {
    /// From the hidden layer of one generated view.
    pub generated: Vec<StepsPoint>,
    /// From a random hidden layer.
    pub random: Vec<StepsPoint>,
    /// Steps that the method `generated` decided for, where it is compared too.
    pub decided: Option<Spread>,
    /// Splits on which both could begin.
    pub n_splits: usize,
}

/// The points of one split, from the generated start and from the random one.
pub(crate) type SplitSteps = [Vec<StepsPoint>; 2];

/// Takes the steps of one split on the calling thread; none where a generated view has no hidden layer, since something simpler was
/// better.
pub(crate) fn of_split(
    problem: &Problem,
    settings: &MethodSettings<'_>,
) -> Result<Option<SplitSteps>, MethodError> {
    let one_view = GenerateOptions {
        n_views: 1,
        n_threads: 1,
        n_trees: 0,
        n_steps: Steps::Fixed(0),
        seed: settings.seed,
    };
    let support = problem.support();
    let stopwatch = Stopwatch::of_thread();
    let generated = generate_base_model(settings.pretrained, support, one_view)?.0;
    let generating_s = stopwatch.cost().cpu_s;
    if generated.weights.hidden.is_empty() {
        return Ok(None);
    }
    let random = random_start(support, settings.seed)?;
    Ok(Some([from(problem, &generated, generating_s)?, from(problem, &random, 0.0)?]))
}

fn from(problem: &Problem, start: &BaseModel, before_s: f64) -> Result<Vec<StepsPoint>, MethodError> {
    let point = |&n_steps: &usize| -> Result<StepsPoint, MethodError> {
        let stopwatch = Stopwatch::of_thread();
        let model = project(problem.support(), start, &[n_steps])?.remove(0);
        let cpu_s = before_s + stopwatch.cost().cpu_s;
        let Counts { support, query } =
            problem.count_network(&model).map_err(weightsmith_training::InnerError::from)?;
        Ok(StepsPoint { n_steps, support_loss: support.loss, query_loss: query.loss, cpu_s })
    };
    NUMBERS.iter().map(point).collect()
}

impl StepsCurves {
    /// The means over splits; none where no split has both curves. `decided` are the steps that were decided on each split.
    pub(crate) fn of(splits: &[&SplitSteps], decided: &[f64]) -> Option<Self> {
        let n = splits.len();
        let mean = |start: usize| -> Vec<StepsPoint> {
            let of_number = |(at, &n_steps): (usize, &usize)| {
                let over = |figure: fn(&StepsPoint) -> f64| {
                    splits.iter().map(|split| figure(&split[start][at])).sum::<f64>() / n as f64
                };
                StepsPoint {
                    n_steps,
                    support_loss: over(|point| point.support_loss),
                    query_loss: over(|point| point.query_loss),
                    cpu_s: over(|point| point.cpu_s),
                }
            };
            NUMBERS.iter().enumerate().map(of_number).collect()
        };
        (n > 0).then(|| Self {
            generated: mean(0),
            random: mean(1),
            decided: Spread::of(decided),
            n_splits: n,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_means_over_splits() {
        let curve = |loss: f64| -> Vec<StepsPoint> {
            let point = |&n_steps: &usize| StepsPoint {
                n_steps,
                support_loss: loss,
                query_loss: loss + n_steps as f64,
                cpu_s: 2.0 * loss,
            };
            NUMBERS.iter().map(point).collect()
        };
        let (a, b) = ([curve(1.0), curve(5.0)], [curve(2.0), curve(5.0)]);
        let found = StepsCurves::of(&[&a, &b], &[3.0, 5.0]).unwrap();
        assert_eq!((found.n_splits, found.decided.unwrap().median), (2, 4.0));
        assert!((found.generated[3].query_loss - 4.5).abs() < 1e-12);
        assert!((found.generated[3].cpu_s - 3.0).abs() < 1e-12);
        assert_eq!(found.random, curve(5.0));
        assert_eq!(StepsCurves::of(&[], &[]), None);
    }
}
