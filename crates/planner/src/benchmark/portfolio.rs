//! Decisions that a ledger recommends for every table alike: the best single one, and a few that complement one another.

use crate::runs::RecordedRuns;
use crate::space::Plan;
use crate::space::decision::Decision;
use std::collections::BTreeMap;
use weightsmith_tasks::TaskType;

/// The least share of the tasks on which a decision with a number of steps must have been recorded to count.
const RECORDED: f64 = 0.6;
/// The greatest ratio between the numbers of support rows of a task that counts and of the table.
const ROWS_WITHIN: f64 = 2.0;

/// Decisions that were recorded on most tasks, with their losses.
pub(crate) struct RecordedDecisions {
    /// Decisions and numbers of steps.
    pub(crate) decisions: Vec<(Decision, usize)>,
    /// `[n_decisions][n_tasks]`: losses as shares of the base loss.
    losses: Vec<Vec<f64>>,
}

impl RecordedDecisions {
    /// The decisions on tasks of one type with about so many support rows.
    pub(crate) fn of(runs: &RecordedRuns, task_type: TaskType, n_support: usize) -> Self {
        let is_near = |n: u64| {
            let ratio = n as f64 / n_support as f64;
            (1.0 / ROWS_WITHIN..=ROWS_WITHIN).contains(&ratio)
        };
        let like: Vec<usize> = (0..runs.len())
            .filter(|&at| {
                let run = &runs.runs[at];
                run.features.task_type() == task_type && is_near(run.record.outcome.n_short)
            })
            .collect();
        let tasks = runs.by_task(&like);
        let mut by_decision: BTreeMap<(Option<Plan>, usize), BTreeMap<usize, f64>> = BTreeMap::new();
        for (task, of_task) in tasks.values().enumerate() {
            for point in of_task.iter().flat_map(|&run| runs.evaluation_points(run)) {
                let plan = match runs.runs[point.run].decision {
                    Decision::Generate | Decision::Method(_) => None,
                    Decision::Train(plan) => Some(plan),
                };
                by_decision.entry((plan, point.n_steps)).or_default().insert(task, point.target.exp());
            }
        }
        let (mut decisions, mut losses) = (Vec::new(), Vec::new());
        for ((plan, n_steps), found) in by_decision {
            if (found.len() as f64) < RECORDED * tasks.len() as f64 {
                continue;
            }
            decisions.push((plan.map_or(Decision::Generate, Decision::Train), n_steps));
            // A training that ended earlier has no evaluation point there: the mean over the other tasks is taken.
            let mean = found.values().sum::<f64>() / found.len() as f64;
            losses.push((0..tasks.len()).map(|task| found.get(&task).copied().unwrap_or(mean)).collect());
        }
        Self { decisions, losses }
    }

    /// The decision with the least mean loss among those that `fits` lets through.
    pub(crate) fn best(&self, fits: impl Fn(Decision) -> bool) -> Option<(Decision, usize)> {
        let mean = |at: &usize| self.losses[*at].iter().sum::<f64>();
        let all = (0..self.decisions.len()).filter(|&at| fits(self.decisions[at].0));
        all.min_by(|a, b| mean(a).total_cmp(&mean(b))).map(|at| self.decisions[at])
    }

    /// Decisions that are chosen one after another, each the one that lowers the mean over tasks of the least loss most.
    pub(crate) fn portfolio(&self, n: usize) -> Vec<(Decision, usize)> {
        let n_tasks = self.losses.first().map_or(0, Vec::len);
        let mut least = vec![f64::INFINITY; n_tasks];
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < n.min(self.decisions.len()) {
            let with =
                |at: &usize| -> f64 { least.iter().zip(&self.losses[*at]).map(|(a, b)| a.min(*b)).sum() };
            let rest = (0..self.decisions.len()).filter(|at| !chosen.contains(at));
            let Some(next) = rest.min_by(|a, b| with(a).total_cmp(&with(b))) else { break };
            least.iter_mut().zip(&self.losses[next]).for_each(|(least, loss)| *least = least.min(*loss));
            chosen.push(next);
        }
        chosen.into_iter().map(|at| self.decisions[at]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Space;
    use weightsmith_tasks::Seed;

    #[test]
    fn a_portfolio_complements_its_first_decision() {
        let random = &mut Seed(2).stream("planning.test");
        let mut plan = || Decision::Train(Space.draw(random));
        let decisions = vec![(Decision::Generate, 0), (plan(), 4), (plan(), 8)];
        // The second is best on the whole, the third where the second is not.
        let losses = vec![vec![0.5, 0.5, 0.5, 0.5], vec![0.2, 0.2, 0.2, 0.9], vec![0.9, 0.9, 0.9, 0.1]];
        let recorded = RecordedDecisions { decisions: decisions.clone(), losses };
        assert_eq!(recorded.best(|_| true), Some(decisions[1]));
        assert_eq!(recorded.best(|decision| decision == Decision::Generate), Some(decisions[0]));
        assert_eq!(recorded.portfolio(2), [decisions[1], decisions[2]]);
        assert_eq!(recorded.portfolio(9).len(), 3);
    }
}
