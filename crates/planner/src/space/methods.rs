//! Methods that a decision can name beside trainings by a plan: other ways to generate, steps from random weights, and opponents
//! that are no networks.

use crate::space::decision::Decision;
use std::fmt;
use weightsmith_evaluation::methods::{
    AVERAGE, BOOSTING, FOREST, GENERATED_COLUMNS, GP, LINEAR_TUNED, MethodRef, STEPS_FROM_RANDOM,
};
use weightsmith_generation::{GenerateOptions, Steps};
use weightsmith_tasks::Seed;

/// Views and trees of a generation: those that `generate` takes by default.
pub(crate) const N_VIEWS: usize = 8;
pub(crate) const N_TREES: usize = 100;

/// A method that a decision can name. Its position among [`KnownMethod::all`] may change, its name does not.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KnownMethod(u8);

/// What a method does.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum How {
    /// Generates weights with so many views, trees and steps.
    Generate {
        /// Views that are joined.
        n_views: usize,
        /// Trees of the forest that is distilled.
        n_trees: usize,
        /// Inner steps.
        n_steps: Steps,
    },
    /// A method of comparisons.
    Compared(MethodRef),
}

/// Name, words and doing of every method.
const ALL: [(&str, &str, How); 12] = [
    (
        "generated",
        "generate the weights, with as many inner steps as pay",
        How::Generate { n_views: N_VIEWS, n_trees: N_TREES, n_steps: Steps::Decided },
    ),
    ("average", "the mean of a linear model, a Gaussian process and boosting", How::Compared(AVERAGE)),
    ("gp", "a Gaussian process", How::Compared(GP)),
    ("boosting", "gradient boosting of trees", How::Compared(BOOSTING)),
    ("linear-tuned", "a linear model", How::Compared(LINEAR_TUNED)),
    ("forest", "a random forest", How::Compared(FOREST)),
    (
        "steps-from-random",
        "inner steps from random hidden weights, as many as pay",
        How::Compared(STEPS_FROM_RANDOM),
    ),
    (
        "generated-alone",
        "generate the weights without a forest, train nothing",
        How::Generate { n_views: N_VIEWS, n_trees: 0, n_steps: Steps::Fixed(0) },
    ),
    (
        "generated-view",
        "generate the weights of one view without a forest, train nothing",
        How::Generate { n_views: 1, n_trees: 0, n_steps: Steps::Fixed(0) },
    ),
    (
        "generated-3",
        "generate the weights, with 3 inner steps",
        How::Generate { n_views: N_VIEWS, n_trees: N_TREES, n_steps: Steps::Fixed(3) },
    ),
    (
        "generated-20",
        "generate the weights, with 20 inner steps",
        How::Generate { n_views: N_VIEWS, n_trees: N_TREES, n_steps: Steps::Fixed(20) },
    ),
    (
        "generated-columns",
        "generate the weights from chosen columns, with as many inner steps as pay",
        How::Compared(GENERATED_COLUMNS),
    ),
];

impl KnownMethod {
    /// Every method, in a fixed order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..ALL.len() as u8).map(Self)
    }

    /// The number of methods.
    pub const COUNT: usize = ALL.len();

    /// The method with this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::all().find(|method| method.name() == name)
    }

    /// Its place among [`KnownMethod::all`].
    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    /// Its name, as run records have it.
    pub fn name(self) -> &'static str {
        ALL[self.place()].0
    }

    /// What it is, in a few words.
    pub fn about(self) -> &'static str {
        ALL[self.place()].1
    }

    pub(crate) fn how(self) -> How {
        ALL[self.place()].2
    }

    /// Whether a metamodel generates weights in it.
    pub fn generates(self) -> bool {
        matches!(self.how(), How::Generate { .. }) || self.chooses_columns()
    }

    /// Whether it leaves columns out.
    pub(crate) fn chooses_columns(self) -> bool {
        self.how() == How::Compared(GENERATED_COLUMNS)
    }

    /// Whether it holds rows out by itself and falls back to plain generating where nothing else pays.
    pub(crate) fn decides_by_itself(self) -> bool {
        matches!(self.how(), How::Generate { n_steps: Steps::Decided, .. })
    }

    /// The decision that it stands in for where there is no time for that one: the same with less work.
    pub(crate) fn saves(self) -> Option<Decision> {
        match self.name() {
            "generated-3" | "generated-20" => Self::find("generated").map(Decision::Method),
            "generated-alone" | "generated-view" => Some(Decision::Generate),
            _ => None,
        }
    }

    /// Whether it makes a network, whose weights can be written.
    pub fn is_network(self) -> bool {
        self.generates() || ["steps-from-random", "linear-tuned"].contains(&self.name())
    }
}

impl fmt::Display for KnownMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The plain forward pass, to which every other decision is compared.
pub(crate) fn plain(n_threads: usize) -> GenerateOptions {
    GenerateOptions { n_views: N_VIEWS, n_trees: N_TREES, n_steps: Steps::Fixed(0), n_threads, seed: Seed(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found_by_names_that_occur_once() {
        assert_eq!(KnownMethod::all().count(), KnownMethod::COUNT);
        for method in KnownMethod::all() {
            assert_eq!(KnownMethod::find(method.name()), Some(method));
            if let How::Compared(compared) = method.how() {
                assert_eq!(compared.name(), method.name(), "the same name as in comparisons");
            }
        }
        let saving = KnownMethod::all().filter_map(KnownMethod::saves);
        assert_eq!(saving.filter(|decision| *decision == Decision::Generate).count(), 2);
        let networks: Vec<&str> =
            KnownMethod::all().filter(|method| !method.is_network()).map(KnownMethod::name).collect();
        assert_eq!(networks, ["average", "gp", "boosting", "forest"]);
    }
}
