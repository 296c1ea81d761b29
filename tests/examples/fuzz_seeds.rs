//! Writes the seeds of the fuzz targets to `fuzz/corpus/`, where cargo-fuzz looks for them.

use std::fs;
use weightsmith_tests::untrusted::{READERS, seeds};

fn main() -> std::io::Result<()> {
    for (name, _) in READERS {
        let folder = weightsmith_tests::root().join("fuzz/corpus").join(name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in seeds(name).iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
