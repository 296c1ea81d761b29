//! What can be typed.

mod comparing;
mod networks;
mod plan;
mod runs;
mod select;
mod self_apply;
mod shared;
mod shell;
mod training;

pub(crate) use comparing::{Compare, Evaluate};
pub(crate) use networks::{Generate, Inspect, Predict, Score};
pub(crate) use plan::{Plan, PlanAssess, PlanCollect, PlanCommand, PlanDecide, PlanFit, PlanTrial};
pub(crate) use runs::{RunFilter, Runs, RunsExport, RunsList, RunsShow};
pub(crate) use select::Select;
pub(crate) use self_apply::SelfApply;
pub(crate) use shared::{
    ColumnArguments, LabelledArguments, MetamodelArguments, OutputArguments, SelectArgument,
    SplitSeedArguments,
};
pub(crate) use shell::{Export, SelfDescription};
pub(crate) use training::{Bench, SinusoidArguments, Train};

use clap::{Args, Parser, Subcommand};

/// Writes the weights of a small neural network from a few labelled rows, without training one.
///
/// A metamodel reads the rows of a small table and writes, in one forward pass, a network that predicts one of its
/// columns. The network is one .safetensors file that loads anywhere.
#[derive(Debug, Parser)]
#[command(name = "weightsmith", version, after_long_help = EXAMPLES, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

const EXAMPLES: &str = "\
Examples:
  weightsmith compare --data sample:penguins --support 64 --report report.html
  weightsmith generate --data train.csv --target y --out w.safetensors
  weightsmith predict --weights w.safetensors --data new.csv --out predictions.csv

Exit codes: 0 done, 1 a check failed or Ctrl-C, 2 misuse or bad input.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Generate(Generate),
    Predict(Predict),
    Compare(Compare),
    Evaluate(Evaluate),
    Train(Train),
    Bench(Bench),
    Score(Score),
    Inspect(Inspect),
    Select(Select),
    Export(Export),
    Plan(Plan),
    SelfApply(SelfApply),
    #[command(subcommand)]
    Runs(Runs),
    Sinusoid(SinusoidArguments),
    Samples(Samples),
    #[command(flatten)]
    Describe(SelfDescription),
}

/// List the built-in tables
#[derive(Debug, Args)]
pub(crate) struct Samples {}

/// Reads a number of minutes, 0 to 100,000.
fn minutes(text: &str) -> Result<f64, String> {
    number_in(text, 0.0, 100_000.0)
}

/// Reads a finite number in a range, both ends included.
fn number_in(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it is not a number".to_string())?;
    match (least..=most).contains(&number) {
        true => Ok(number),
        false => Err(format!("it must be between {least} and {most}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn minutes_are_finite_and_at_most_some_weeks() {
        assert_eq!([minutes("0"), minutes("0.5"), minutes("1e5")], [Ok(0.0), Ok(0.5), Ok(1e5)]);
        for bad in ["nan", "inf", "-inf", "1e18", "-1", "x", ""] {
            assert!(minutes(bad).is_err(), "{bad}");
        }
    }
}
