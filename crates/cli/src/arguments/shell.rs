//! What hands a network, or this program, to others.

use clap::{Args, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// Write a network for other programs
///
/// An ONNX model does all that `predict` does, the encoding included: its inputs are the columns that the network reads,
/// [rows, 1] each, numbers as double (NaN is missing) and names as string (the empty one is missing). Its outputs are label
/// and probabilities for classes, prediction and std for numbers.
#[derive(Debug, Args)]
#[command(after_long_help = EXPORT_EXAMPLES)]
pub(crate) struct Export {
    /// The file that `generate` wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) weights: PathBuf,
    /// Where the ONNX model goes
    #[arg(long, value_name = "FILE")]
    pub(crate) onnx: PathBuf,
    /// Replace files that weightsmith did not write
    #[arg(long)]
    pub(crate) force: bool,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  weightsmith export --weights w.safetensors --onnx model.onnx";

/// What shells and `man` read.
#[derive(Debug, Subcommand)]
pub(crate) enum SelfDescription {
    /// Print completions for a shell
    #[command(after_long_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the manual: a page for the program and one for each of its commands
    Man {
        /// Where the pages go
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(weightsmith completions bash)
  weightsmith completions fish > ~/.config/fish/completions/weightsmith.fish";
