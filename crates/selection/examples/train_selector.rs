//! Trains the selector of a configuration: `cargo run --release --workspace --example train_selector models/selector-1`
//! reads `selector.json` in the folder and writes `selector.safetensors` and `figures.json` beside it; with `--tune` after it,
//! thresholds alone are found anew.
#![expect(clippy::print_stderr, reason = "an example tells how far it is")]

use std::error::Error;
use std::path::Path;
use weightsmith_selection::{Selector, SelectorConfig, train_selector, tune};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("give the folder of a selector")?;
    let folder = Path::new(&folder);
    let config: SelectorConfig = serde_json::from_slice(&std::fs::read(folder.join("selector.json"))?)?;
    let n_threads = std::thread::available_parallelism()?.get();
    let told = &mut |epoch: usize, loss: f64| eprintln!("epoch {epoch}: loss {loss:.4}");
    // With --tune, thresholds alone are found anew.
    let (selector, figures) = if std::env::args().any(|argument| argument == "--tune") {
        let mut selector = Selector::from_bytes(&std::fs::read(folder.join("selector.safetensors"))?)?;
        let figures = tune(&mut selector, &config, n_threads);
        (selector, figures)
    } else {
        train_selector(&config, n_threads, told)?
    };
    eprintln!("{figures:#?}");
    std::fs::write(folder.join("selector.safetensors"), selector.to_bytes())?;
    std::fs::write(folder.join("figures.json"), serde_json::to_vec_pretty(&figures)?)?;
    Ok(())
}
