//! Generates a network from half of a built-in table, saves it, and predicts the other half.
//!
//! `cargo run --release --example generate`

#![expect(clippy::print_stdout, reason = "an example tells what it found")]

use weightsmith::{Dataset, Error, Network, Target, generate};

fn main() -> Result<(), Error> {
    let data = Dataset::sample("penguins")?;
    let (even, odd): (Vec<usize>, Vec<usize>) = (0..data.table().n_rows()).partition(|row| row % 2 == 0);

    let path = std::env::temp_dir().join("penguins.safetensors");
    generate(&data.select(&even))?.save(&path)?;

    let network = Network::load(&path)?;
    let others = data.select(&odd);
    let found = network.predict(others.table())?.labels().unwrap_or_default();
    let Target::Classes { class_names, labels } = others.target() else {
        unreachable!("penguins have a species")
    };
    let is_right = |(found, label): &(&usize, &usize)| network.class_names()[**found] == class_names[**label];
    let n_right = found.iter().zip(labels).filter(is_right).count();
    println!("{n_right} of {} penguins are of the predicted {}", odd.len(), data.target_name());
    if let Some(expected) = network.expected_performance() {
        println!(
            "expected {} {:.3}, between {:.3} and {:.3}",
            expected.metric.label(),
            expected.value,
            expected.low,
            expected.high
        );
    }
    Ok(())
}
