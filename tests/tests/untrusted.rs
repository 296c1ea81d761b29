//! What reads foreign bytes, with the seeds of the fuzz targets and with mutants of them, the same in every run.

use weightsmith_tasks::Seed;
use weightsmith_tests::untrusted::{READERS, mutate, seeds};

#[test]
fn seeds_are_read_without_a_panic() {
    for (name, read) in READERS {
        seeds(name).iter().for_each(|bytes| read(bytes));
    }
}

/// Reads `n` mutants. A panic names the format and the mutant's number.
fn check(name: &str, n: u64) {
    let (_, read) = READERS.into_iter().find(|(own, _)| *own == name).expect("a reader of this name");
    let seeds = seeds(name);
    for number in 0..n {
        let mut rng = Seed(1).indexed_stream(name, &[number]);
        let bytes = &seeds[number as usize % seeds.len()];
        let other = &seeds[(number as usize + 1) % seeds.len()];
        let mut mutant = bytes.clone();
        mutate(&mut mutant, other, &mut rng);
        let result = std::panic::catch_unwind(|| read(&mutant));
        assert!(result.is_ok(), "{name}, mutant {number}: {}", String::from_utf8_lossy(&mutant));
    }
}

#[test]
fn mutants_of_tables() {
    check("csv", 4000);
}

#[test]
fn mutants_of_parquet_and_arrow() {
    check("batches", 4000);
}

#[test]
fn mutants_of_base_models() {
    check("weights", 4000);
}

#[test]
fn mutants_of_metamodels() {
    check("checkpoint", 1000);
}

#[test]
fn mutants_of_configurations() {
    check("config", 4000);
}

/// A mutator that breaks everything, or nothing, would test little.
#[test]
fn some_mutants_are_still_files() {
    let seeds = seeds("weights");
    let read = |bytes: &[u8]| {
        weightsmith_base_model::BaseModel::<weightsmith_tasks::Base>::from_bytes(bytes).is_ok()
    };
    assert!(seeds.iter().all(|bytes| read(bytes)), "seeds are base models");
    let whole = &seeds[1];
    let mutant = |number: u64| {
        let mut mutant = whole.clone();
        mutate(&mut mutant, whole, &mut Seed(1).indexed_stream("weights", &[number]));
        mutant
    };
    let n_read = (0..1000).filter(|&number| read(&mutant(number))).count();
    assert!((20..900).contains(&n_read), "{n_read} of 1000 mutants are read");
}
