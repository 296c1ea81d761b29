//! A learned start: the parameters that inner steps begin from, and how they are taken.

use super::mlp::{Batch, Mlp};
use super::ridge_head;
use super::unrolled::step;
use rand::Rng;
use serde::{Deserialize, Serialize};
use weightsmith_tasks::Seed;

/// How a start is learned.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartAlgorithm {
    /// By the exact gradient of the query loss through the inner steps. Source: Finn, Abbeel and Levine 2017.
    Maml,
    /// By the gradient of the query loss at the end of the inner steps. Source: the same, section 5.2.
    FirstOrderMaml,
    /// By moving towards where the inner steps end. Source: Nichol, Achiam and Schulman 2018, On First-Order Meta-Learning
    /// Algorithms.
    Reptile,
    /// MAML whose inner steps change the last layer alone. Source: Raghu et al. 2020, Rapid Learning or Feature Reuse?
    Anil,
    /// The last layer is solved in closed form instead of stepped. Source: Bertinetto et al. 2019 (R2D2).
    RidgeHead,
    /// MAML that learns a rate for each parameter. Source: Li et al. 2017, Meta-SGD.
    MetaSgd,
    /// MAML whose inner steps change a context vector beside the inputs alone. Source: Zintgraf et al. 2019 (CAVIA).
    Cavia,
    /// One network for the rows of all tasks, without inner steps in training: pre-training.
    Pretrained,
}

impl StartAlgorithm {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Maml,
        Self::FirstOrderMaml,
        Self::Reptile,
        Self::Anil,
        Self::RidgeHead,
        Self::MetaSgd,
        Self::Cavia,
        Self::Pretrained,
    ];

    /// The name in configurations and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Maml => "maml",
            Self::FirstOrderMaml => "first-order-maml",
            Self::Reptile => "reptile",
            Self::Anil => "anil",
            Self::RidgeHead => "ridge-head",
            Self::MetaSgd => "meta-sgd",
            Self::Cavia => "cavia",
            Self::Pretrained => "pretrained",
        }
    }
}

/// Parameters to begin from, and the inner steps that belong to them.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedStart {
    /// How it was learned.
    pub algorithm: StartAlgorithm,
    /// The network's shape.
    pub mlp: Mlp,
    /// The parameters.
    pub params: Vec<f32>,
    /// The rate of each parameter in an inner step, 0 for those that stay; for a solved head one number, the logarithm of its
    /// penalty.
    pub rates: Vec<f32>,
}

impl LearnedStart {
    /// A start that has learned nothing: weights and biases uniform in ±1 / √inputs of their layer, context 0.
    ///
    /// Source: LeCun et al. 1998, Efficient BackProp, section 4.6, for the scale; uniform and with biases as PyTorch draws its linear
    /// layers, so that the kinks of the first layer lie apart.
    ///
    /// # Panics
    /// If the network has no hidden layer.
    pub fn draw(algorithm: StartAlgorithm, mlp: &Mlp, rate: f32, seed: Seed) -> Self {
        assert!(!mlp.hidden.is_empty(), "a start has a hidden layer");
        let mut rng = seed.stream("starts.init");
        let mut params = vec![0.0; mlp.n_params()];
        for layer in mlp.layers() {
            let bound = 1.0 / (layer.n_inputs as f32).sqrt();
            let (weights, biases) = layer.both_mut(&mut params);
            for number in weights.iter_mut().chain(biases) {
                *number = rng.random_range(-bound..bound);
            }
        }
        Self { algorithm, mlp: mlp.clone(), params, rates: rates_of(algorithm, mlp, rate) }
    }

    /// The same start with inner steps of another rate, one for all parameters that they change, learned rates included; a solved
    /// head has none.
    pub fn with_rate(&self, rate: f32) -> Self {
        let rates = match self.algorithm {
            StartAlgorithm::RidgeHead => self.rates.clone(),
            algorithm => rates_of(algorithm, &self.mlp, rate),
        };
        Self { rates, ..self.clone() }
    }

    /// The parameters after inner steps on some rows. A head that is solved is solved by the first step, and others change
    /// nothing.
    pub fn adapt(&self, support: &Batch<f32>, n_steps: usize) -> Vec<f32> {
        let mut params = self.params.clone();
        if self.algorithm == StartAlgorithm::RidgeHead {
            if n_steps == 0 {
                return params;
            }
            return ridge_head::with_solved_head(&self.mlp, &params, self.rates[0], support);
        }
        for _ in 0..n_steps {
            let (_, gradient) = self.mlp.gradient(&params, support);
            step(&mut params, &self.rates, &gradient);
        }
        params
    }

    /// The parameters after each of some numbers of inner steps, which rise.
    ///
    /// # Panics
    /// If the numbers do not rise.
    pub fn adapt_along(&self, support: &Batch<f32>, n_steps: &[usize]) -> Vec<Vec<f32>> {
        let mut so_far = Self { params: self.params.clone(), ..self.clone() };
        let mut done = 0;
        let mut path = Vec::with_capacity(n_steps.len());
        for &n in n_steps {
            so_far.params = so_far.adapt(support, n.checked_sub(done).expect("numbers of steps rise"));
            done = n;
            path.push(so_far.params.clone());
        }
        path
    }
}

/// The rate of every parameter, or the logarithm of a penalty.
fn rates_of(algorithm: StartAlgorithm, mlp: &Mlp, rate: f32) -> Vec<f32> {
    let of = |range: std::ops::Range<usize>| {
        (0..mlp.n_params()).map(|idx| if range.contains(&idx) { rate } else { 0.0 }).collect()
    };
    match algorithm {
        StartAlgorithm::Anil => of(mlp.head()),
        StartAlgorithm::Cavia => of(mlp.context()),
        StartAlgorithm::RidgeHead => vec![0.0],
        _ => of(0..mlp.context().start),
    }
}
