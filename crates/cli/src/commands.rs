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
mod self_apply;
mod train;

use crate::arguments::{Arguments, Command};
use crate::exit::Outcome;
use anyhow::Result;

/// Does what the arguments ask.
pub(crate) fn run(arguments: Arguments) -> Result<Outcome> {
    match arguments.command {
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::SelfApply(arguments) => self_apply::run(&arguments),
        Command::Describe(arguments) => describe::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Runs(arguments) => runs::run(&arguments),
        Command::Score(arguments) => score::run(&arguments),
        Command::Samples(arguments) => samples::run(&arguments),
    }
}
