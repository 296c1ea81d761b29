//! What can be typed after `train` and `bench`.

use clap::Args;
use std::path::PathBuf;

/// Train a metamodel as a configuration file says
///
/// Ctrl-C ends the training after the current step with a checkpoint; --resume goes on from the last one, to the bit.
#[derive(Debug, Args)]
#[command(after_long_help = TRAIN_EXAMPLES)]
pub(crate) struct Train {
    /// The experiment, a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Go on from the last checkpoint
    #[arg(long)]
    pub(crate) resume: bool,
    /// Cores to use [default: all]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// cpu or cuda:0
    #[arg(long, default_value = "cpu")]
    pub(crate) device: String,
    /// Folders of real tables to score the metamodel on at every validation; never trained on
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    pub(crate) suite: Vec<PathBuf>,
    /// Where the finished training is recorded [default: runs.ledger in the training's folder]
    #[arg(long, value_name = "LEDGER")]
    pub(crate) ledger: Option<PathBuf>,
}

const TRAIN_EXAMPLES: &str = "\
Examples:
  weightsmith train --config models/classification-2/train.toml
  weightsmith train --config experiment.toml --resume --threads 2";

/// Train several metamodels and compare them on one page
///
/// The file names runs, each a training that changes some settings of a base configuration. They are run one after
/// another, each in a folder of its own, and compared by held-out loss, time and, with tables, by what their networks
/// score. Ctrl-C ends the bench after the current step with a checkpoint; --resume goes on, to the bit, and repeats
/// nothing that is finished.
#[derive(Debug, Args)]
#[command(after_long_help = BENCH_EXAMPLES)]
pub(crate) struct Bench {
    /// The runs, a TOML file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Go on with what the runs' folders hold
    #[arg(long)]
    pub(crate) resume: bool,
    /// Folders of real tables to score each finished metamodel on, instead of those in the file; never trained on
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    pub(crate) suite: Vec<PathBuf>,
    /// Where the page (.html) or the pictures alone (.svg) go [default: report.html in the file's folder of runs]
    #[arg(long, value_name = "REPORT")]
    pub(crate) report: Option<PathBuf>,
    /// Cores to use [default: all]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// cpu or cuda:0
    #[arg(long, default_value = "cpu")]
    pub(crate) device: String,
}

const BENCH_EXAMPLES: &str = "\
Examples:
  weightsmith bench benches/experiments/muon-and-width.toml
  weightsmith bench runs.toml --suite data/classification --threads 1 --resume

A file of runs; `folder` is relative to the current folder, `base` to the file:
  folder = \"runs/optimisers\"
  base = \"train.toml\"
  [set]                                  # for every run
  training.n_steps = 400
  [[run]]
  name = \"muon\"
  [[run]]
  name = \"adamw\"
  set.training.optimiser.rule = \"adamw\"
  [evaluation]                           # with these tables, or those of --suite
  suite = [\"data/classification\"]
  support = [32, 128]
  splits = 2";
