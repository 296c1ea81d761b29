//! Trains a small metamodel for a minute and generates a network with it. A training of use takes an hour; `models/` has the
//! configurations of those that are shipped.
//!
//! `cargo run --release --example train_a_metamodel [SECONDS]`

#![expect(clippy::print_stdout, reason = "an example tells what it found")]

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use weightsmith::{Dataset, Generator};
use weightsmith_base_model::open_device;
use weightsmith_experiments::{Experiment, TrainEvent, train_metamodel};

const CONFIG: &str = r#"
[training]
seed = 0
n_steps = 2000
n_shards = 4
shard_tokens = 800
validate_every = 100
n_valid = 48
[training.metamodel]
task_type = "regression"
d_model = 32
n_layers = 2
n_heads = 2
n_registers = 8
n_units = 32
n_decoder_blocks = 2
rank = 16
head_steps = 12
[training.optimiser]
rule = "muon"
learning_rate = 0.008
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(60), |text| text.parse())?;
    let folder = std::env::temp_dir().join(format!("metamodel-of-a-minute-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let config = folder.join("train.toml");
    fs::write(&config, format!("folder = {:?}\n{CONFIG}", folder.join("run")))?;
    let experiment = Experiment::read(&config)?;

    #[expect(clippy::disallowed_methods, reason = "it ends after some seconds")]
    let begun = Instant::now();
    let trained = train_metamodel(&experiment, false, 1, &open_device("cpu")?, &mut |event| {
        if let TrainEvent::Validation(validation) = event {
            println!("step {}: held-out loss {:.4}", validation.step, validation.loss);
        }
        let is_over = begun.elapsed() > Duration::from_secs(seconds);
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let data = Dataset::sample("penguin-mass")?;
    let choice = trained.metamodel.to_string_lossy();
    let generated = Generator::default().metamodel(choice).generate(&data)?;
    println!("{:?}", generated.network.expected_performance());
    fs::remove_dir_all(&folder)?;
    Ok(())
}
