//! What papers say of the sinusoid benchmark. Curves were read from descriptions of the figures, and the lines of the table are given from
//! memory: neither was taken from the papers' files.

use serde::Serialize;

/// A mean squared error from a paper.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// The paper and where in it.
    pub source: &'static str,
    /// The paper's method.
    pub method: &'static str,
    /// The start of ours that is trained in the same way.
    pub ours: &'static str,
    /// Rows that are learned from.
    pub n_shots: usize,
    /// Gradient steps.
    pub n_steps: usize,
    /// The error.
    pub error: f64,
    /// Half of its 95 % interval, where the paper has it; of what is read off a figure, how far that may be off.
    pub within: f64,
    /// Whether it is printed.
    pub reading: Reading,
}

/// How a figure was come by.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// Printed in the paper.
    Printed,
    /// Read off a curve.
    Figure,
}

const MAML: &str = "Finn, Abbeel and Levine 2017 (arXiv 1703.03400), figures 3 and 6";
const META_SGD: &str =
    "Li et al. 2017 (arXiv 1707.09835), table 1: frequencies 0.8 to 1.2, trained with 10 rows";

const fn figure(
    method: &'static str,
    ours: &'static str,
    at: (usize, usize),
    error: f64,
    within: f64,
) -> Published {
    let (n_shots, n_steps) = at;
    Published { source: MAML, method, ours, n_shots, n_steps, error, within, reading: Reading::Figure }
}

const fn printed(
    method: &'static str,
    ours: &'static str,
    n_shots: usize,
    error: f64,
    within: f64,
) -> Published {
    Published {
        source: META_SGD,
        method,
        ours,
        n_shots,
        n_steps: 1,
        error,
        within,
        reading: Reading::Printed,
    }
}

/// All of them.
pub static PUBLISHED: [Published; 13] = [
    figure("MAML", "maml", (10, 0), 3.0, 0.2),
    figure("MAML", "maml", (10, 1), 0.45, 0.15),
    figure("MAML", "maml", (10, 9), 0.2, 0.1),
    figure("MAML", "maml", (5, 1), 0.7, 0.15),
    figure("MAML", "maml", (5, 9), 0.35, 0.15),
    figure("pretrained, step 0.02", "pretrained", (10, 1), 2.3, 0.3),
    figure("pretrained, step 0.02", "pretrained", (10, 9), 1.8, 0.2),
    printed("MAML", "maml-frequencies", 5, 1.17, 0.16),
    printed("MAML", "maml-frequencies", 10, 0.77, 0.11),
    printed("MAML", "maml-frequencies", 20, 0.56, 0.08),
    printed("Meta-SGD", "meta-sgd-frequencies", 5, 0.88, 0.14),
    printed("Meta-SGD", "meta-sgd-frequencies", 10, 0.53, 0.09),
    printed("Meta-SGD", "meta-sgd-frequencies", 20, 0.35, 0.06),
];
