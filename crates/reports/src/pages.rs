//! Every page, by its subject.

mod assessment;
mod bench;
mod comparison;
mod evaluation;
mod importance;
mod plan;
mod score;
mod selection;
mod self_application;
mod sinusoid;
mod strategies;

pub use evaluation::EvaluationReport;
pub use score::ScoreReport;
pub use selection::SelectionReport;

use crate::charts::Ink;
use std::cmp::Ordering;

/// The colour of a table on which the lead loses less, the same, or more.
fn ink_of(order: Ordering) -> Ink {
    match order {
        Ordering::Less => Ink::Accent,
        Ordering::Equal => Ink::Text,
        Ordering::Greater => Ink::Second,
    }
}
