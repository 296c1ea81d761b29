//! Deciding for one table, and reporting the decision.

pub(crate) mod decide;
pub(crate) mod method;
pub(crate) mod posterior;
pub(crate) mod report;
