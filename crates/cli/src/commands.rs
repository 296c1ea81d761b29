//! One module a subcommand.

mod bench;
mod compare;
mod describe;
mod evaluate;
mod export;
mod generate;
mod inspect;
mod plan;
mod predict;
mod runs;
mod samples;
mod score;
mod select;
mod selected;
mod self_apply;
mod sinusoid;
mod train;

use crate::arguments::Command;
use crate::exit::Outcome;
use crate::session::Session;
use anyhow::Result;

/// Does what the arguments ask.
pub(crate) fn run(command: &Command, session: &Session) -> Result<Outcome> {
    match command {
        Command::Generate(arguments) => generate::run(arguments, session),
        Command::Predict(arguments) => predict::run(arguments, session),
        Command::Compare(arguments) => compare::run(arguments, session),
        Command::Evaluate(arguments) => evaluate::run(arguments, session),
        Command::Train(arguments) => train::run(arguments, session),
        Command::Bench(arguments) => bench::run(arguments, session),
        Command::Plan(arguments) => plan::run(arguments, session),
        Command::SelfApply(arguments) => self_apply::run(arguments, session),
        Command::Describe(arguments) => describe::run(arguments, session),
        Command::Export(arguments) => export::run(arguments, session),
        Command::Inspect(arguments) => inspect::run(arguments, session),
        Command::Runs(arguments) => runs::run(arguments, session),
        Command::Select(arguments) => select::run(arguments, session),
        Command::Score(arguments) => score::run(arguments, session),
        Command::Sinusoid(arguments) => sinusoid::run(arguments, session),
        Command::Samples(arguments) => samples::run(arguments, session),
    }
}
