//! `weightsmith plan --data`

use crate::arguments::PlanDecide;
use crate::exit::Outcome;
use anyhow::Result;

pub(super) fn run(_arguments: &PlanDecide) -> Result<Outcome> {
    anyhow::bail!("TODO")
}
