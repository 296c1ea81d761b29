//! The exact search: every plan there is, scored by the linear predictor for one task.

use crate::features::TaskFeatures;
use crate::predictor::linear::{LinearPredictor, N_RIGHT, TaskScores};
use crate::space::{
    ACTIVATION_AT, BATCH_AT, DECAY_AT, LAYERS_AT, N_FACTORS, OPTIMISER_AT, Plan, RATE_AT, SKIP_AT, START_AT,
    STEPS_AT, Space, UNITS_AT,
};
use weightsmith_kernels::{Tower, lowest_pairs};
use weightsmith_tasks::TaskType;

/// The factors of the left half of a plan.
const LEFT: [usize; 6] = [OPTIMISER_AT, RATE_AT, DECAY_AT, STEPS_AT, BATCH_AT, START_AT];

/// A plan and the linear predictor's score of it.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Scored {
    /// The plan, in its canonical form.
    pub plan: Plan,
    /// The predicted natural logarithm of the loss, as a share of the base loss.
    pub score: f32,
}

/// The result of an exhaustive search.
#[derive(Clone, Debug, PartialEq)]
pub struct Searched {
    /// The number of plans that were scored: all, those that are the same training once.
    pub n_scored: u64,
    /// The best of them, lowest score first.
    pub best: Vec<Scored>,
}

/// The plans that any left half makes with any right half.
struct Block {
    left: Vec<Plan>,
    right: Vec<Plan>,
}

/// Which plans are searched.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchLimits {
    /// Whether only trainings from random numbers are.
    pub only_random: bool,
    /// Whose network trainings from random numbers have; of any plan if there is none.
    pub network_of: Option<Plan>,
    /// The most steps.
    pub most_steps: Option<usize>,
}

impl SearchLimits {
    /// Whether a plan, or a half of one beside the first levels of the other half's factors, is searched.
    fn holds(&self, plan: Plan, task_type: TaskType) -> bool {
        let is_random = plan.levels()[START_AT] == 0;
        let network = |plan: Plan| {
            let levels = plan.canonical(task_type).levels();
            [LAYERS_AT, UNITS_AT, SKIP_AT, ACTIVATION_AT].map(|at| levels[at])
        };
        (is_random || !self.only_random)
            && (!is_random || self.network_of.is_none_or(|own| network(own) == network(plan)))
    }
}

/// Scores every plan within `limits` for a task and keeps the `n` best.
pub fn search(linear: &LinearPredictor, features: &TaskFeatures, n: usize, limits: SearchLimits) -> Searched {
    let scores = linear.of_task(features);
    let mut found = Searched { n_scored: 0, best: Vec::new() };
    for mut block in blocks(features) {
        let task_type = features.task_type();
        let is_short = |plan: &Plan| limits.most_steps.is_none_or(|most| plan.n_steps() <= most);
        block.left.retain(is_short);
        // The left half says where a training starts, the right one has the network; both have the start of their block.
        block.right.retain(|plan| limits.holds(*plan, task_type));
        if block.left.is_empty() || block.right.is_empty() {
            continue;
        }
        found.n_scored += block.left.len() as u64 * block.right.len() as u64;
        let left = tower(&block.left, scores.base, |plan| scores.of_left(plan));
        let right = tower(&block.right, 0.0, |plan| scores.of_right(plan));
        let pairs = lowest_pairs(&left, &right, n);
        found.best.extend(pairs.into_iter().map(|pair| Scored {
            plan: joined(block.left[pair.left as usize], block.right[pair.right as usize]),
            score: pair.score,
        }));
    }
    found.best.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.plan.cmp(&b.plan)));
    found.best.truncate(n);
    found
}

fn tower(plans: &[Plan], base: f32, parts: impl Fn(Plan) -> (f32, [f32; N_RIGHT])) -> Tower {
    let mut vectors = Vec::with_capacity(plans.len() * N_RIGHT);
    let offsets = plans.iter().map(|plan| {
        let (offset, vector) = parts(*plan);
        vectors.extend(vector);
        base + offset
    });
    let offsets = offsets.collect();
    Tower::new(N_RIGHT, offsets, vectors)
}

/// The left half of one plan with the right half of another.
fn joined(left: Plan, right: Plan) -> Plan {
    let mut levels = right.levels();
    LEFT.into_iter().for_each(|at| levels[at] = left.levels()[at]);
    Plan::new(levels).expect("both halves are of plans")
}

/// All plans, those that are the same training once: within a block the same factors of a half have an effect.
fn blocks(features: &TaskFeatures) -> Vec<Block> {
    let task_type = features.task_type();
    let n_rows = features.n_rows().round() as usize;
    let mut blocks = Vec::new();
    for start in 0..Space.factors()[START_AT].n_levels as u8 {
        for is_stepwise in [true, false] {
            let of_block = |plan: &Plan| {
                plan.levels()[START_AT] == start
                    && plan.is_stepwise() == is_stepwise
                    && plan.canonical(task_type) == *plan
                    && plan.has_own_batch(n_rows)
            };
            let left: Vec<Plan> = halves(&LEFT, [0; N_FACTORS]).into_iter().filter(of_block).collect();
            let mut fixed = left[0].levels();
            let right: Vec<usize> = (0..N_FACTORS).filter(|at| !LEFT.contains(at)).collect();
            // A number of rows that no batch is left out for says nothing about the right half.
            fixed[START_AT] = start;
            let right = halves(&right, fixed).into_iter().filter(of_block).collect();
            blocks.push(Block { left, right });
        }
    }
    blocks
}

/// Every combination of levels of these factors, with the others fixed.
fn halves(factors: &[usize], others: [u8; N_FACTORS]) -> Vec<Plan> {
    let mut all = vec![others];
    for &at in factors {
        let n_levels = Space.factors()[at].n_levels as u8;
        all = all
            .into_iter()
            .flat_map(|levels| {
                (0..n_levels).map(move |level| {
                    let mut levels = levels;
                    levels[at] = level;
                    levels
                })
            })
            .collect();
    }
    all.into_iter().map(|levels| Plan::new(levels).expect("every level is there")).collect()
}

impl TaskScores {
    /// The score of one plan, as the search adds it up.
    #[cfg(test)]
    pub(crate) fn of(&self, plan: Plan) -> f32 {
        let ((a, u), (b, v)) = (self.of_left(plan), self.of_right(plan));
        u.iter().zip(v).fold(self.base + a + b, |sum, (u, v)| u.mul_add(v, sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictor::surrogate_features::SurrogateInput;
    use crate::space::decision::Decision;
    use crate::testing;
    use std::collections::HashSet;
    use weightsmith_tasks::Seed;

    #[test]
    fn nothing_is_better_than_what_the_search_found() {
        let (linear, features) = (testing::linear(), testing::features(0.3));
        let found = search(&linear, &features, 3000, SearchLimits::default());
        assert!(found.n_scored > 1_000_000_000, "{}", found.n_scored);
        assert_eq!(found.best.len(), 3000);
        assert!(found.best.windows(2).all(|pair| pair[0].score <= pair[1].score));
        let plans: HashSet<Plan> = found.best.iter().map(|scored| scored.plan).collect();
        assert_eq!(plans.len(), 3000, "no training is found twice");
        for scored in found.best.iter().step_by(100) {
            let (decision, n_steps) = (Decision::Train(scored.plan), scored.plan.n_steps());
            assert_eq!(scored.plan.canonical(TaskType::Classification), scored.plan);
            let whole = linear.predict(&SurrogateInput { decision, n_steps, features: &features });
            assert!((whole - f64::from(scored.score)).abs() < 1e-3, "{whole} {}", scored.score);
        }
        // Plans drawn at random, and all that differ from the best in one or two factors.
        let scores = linear.of_task(&features);
        let cut = found.best[2999].score;
        let random = &mut Seed(5).stream("planner.test.search");
        let mut others: Vec<Plan> = (0..200_000).map(|_| Space.draw(random)).collect();
        let best = found.best[0].plan.levels();
        for (a, of_a) in Space.factors().iter().enumerate() {
            for (b, of_b) in Space.factors().iter().enumerate() {
                for (level_a, level_b) in
                    (0..of_a.n_levels).flat_map(|x| (0..of_b.n_levels).map(move |y| (x, y)))
                {
                    let mut levels = best;
                    levels[a] = level_a as u8;
                    levels[b] = level_b as u8;
                    others.extend(Plan::new(levels));
                }
            }
        }
        let mut n_better = 0;
        for plan in others.into_iter().map(|plan| plan.canonical(TaskType::Classification)) {
            if plan.has_own_batch(64) && scores.of(plan) < cut {
                assert!(
                    plans.contains(&plan),
                    "{plan} is better than the last that was found, and is not there"
                );
                n_better += 1;
            }
        }
        assert!(n_better > 10, "only {n_better} neighbours of the best were good enough to prove anything");
    }

    #[test]
    fn limits_leave_out_what_they_say_and_nothing_else() {
        let (linear, features) = (testing::linear(), testing::features(0.3));
        let own = Plan::usual_adam();
        let limits = SearchLimits { only_random: true, network_of: Some(own), most_steps: Some(64) };
        let found = search(&linear, &features, 2000, limits);
        let recipe = own.recipe();
        for scored in &found.best {
            let other = scored.plan.recipe();
            assert_eq!(
                (scored.plan.levels()[START_AT], other.hidden, other.skip),
                (0, recipe.hidden.clone(), recipe.skip)
            );
            assert!(other.activation == recipe.activation && scored.plan.n_steps() <= 64);
        }
        // The best of them is the best of all such plans.
        let best = search(&linear, &features, 1, limits).best[0].score;
        assert!((found.best[0].score - best).abs() < 1e-6 && found.best.len() == 2000);
        let unlimited = search(&linear, &features, 1, SearchLimits::default());
        assert!(unlimited.best[0].score <= best && unlimited.n_scored > 100 * found.n_scored);
    }

    #[test]
    fn blocks_hold_every_training_once() {
        let features = testing::features(0.3);
        let blocks = blocks(&features);
        let random = &mut Seed(6).stream("planner.test.blocks");
        let sides: Vec<(HashSet<Plan>, HashSet<Plan>)> = blocks
            .iter()
            .map(|block| (block.left.iter().copied().collect(), block.right.iter().copied().collect()))
            .collect();
        for _ in 0..2000 {
            let plan = Space.draw(random).canonical(TaskType::Classification);
            if !plan.has_own_batch(64) {
                continue;
            }
            let holds = blocks.iter().zip(&sides).filter(|(block, (left, right))| {
                let side = |is_left: bool, like: Plan| {
                    let mut levels = like.levels();
                    let of_side = (0..N_FACTORS).filter(|at| LEFT.contains(at) == is_left);
                    of_side.for_each(|at| levels[at] = plan.levels()[at]);
                    Plan::new(levels).unwrap()
                };
                left.contains(&side(true, block.left[0])) && right.contains(&side(false, block.right[0]))
            });
            assert_eq!(holds.count(), 1, "{plan}");
        }
    }
}
