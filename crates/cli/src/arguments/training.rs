//! What can be typed after `train`, `bench` and `sinusoid`.

use clap::Args;
use std::path::PathBuf;

/// Train a metamodel, or a start, as a configuration file says
///
/// A file with a [training] trains a metamodel; one with a [start] a meta-learned initialisation of a small network, by MAML,
/// Reptile or one of their kin.
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
  weightsmith train --config models/starts/maml.toml --threads 1
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

/// Measure learned starts on sine waves, beside published figures
///
/// A start is a set of weights that a few gradient steps turn into a network for a task. Those that are shipped were trained by MAML,
/// Reptile and their kin on sine waves; each is measured after 0 to 10 steps on 5, 10 and 20 rows of waves that it has not seen.
#[derive(Debug, Args)]
#[command(after_long_help = SINUSOID_EXAMPLES)]
pub(crate) struct SinusoidArguments {
    /// Starts to measure beside those that are shipped, files that `train` wrote
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) start: Vec<PathBuf>,
    /// Waves to measure on, 2 to 10000
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u16).range(2..=10_000))]
    pub(crate) tasks: u16,
    /// The seed of the waves
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u32,
    /// Where the page (.html) or the pictures alone (.svg) go
    #[arg(long, value_name = "REPORT")]
    pub(crate) report: Option<PathBuf>,
}

const SINUSOID_EXAMPLES: &str = "\
Examples:
  weightsmith sinusoid --report sinusoid.html
  weightsmith train --config models/starts/maml.toml && weightsmith sinusoid --start runs/starts/maml/start.safetensors";
