//! What reads foreign bytes, with the seeds of the fuzz targets and with mutants of them, the same in every run.
//!
//! `WEIGHTSMITH_MUTANTS=FROM..TO cargo test --release --test untrusted mutants_of` tries others; each number is a mutant, and
//! the further it is from 0 the more it may have been changed.

use std::time::{Duration, Instant};
use weightsmith_tasks::Seed;
use weightsmith_tests::untrusted::{READERS, mutate, seeds};

#[test]
fn seeds_are_read_without_a_panic() {
    for (name, read) in READERS {
        seeds(name).iter().for_each(|bytes| read(bytes));
    }
}

/// Tables that a coverage-guided search found to take different ways through the reader, a line each in hexadecimal.
const FOUND_TABLES: &str = include_str!("../corpora/csv.hex");

#[test]
fn tables_that_a_search_found_are_read_without_a_panic() {
    let (_, read) = READERS.into_iter().find(|(name, _)| *name == "csv").expect("a reader of tables");
    let mut n_read = 0;
    for line in FOUND_TABLES.lines() {
        let byte = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).expect("hexadecimal digits");
        let bytes: Vec<u8> = (0..line.len()).step_by(2).map(byte).collect();
        read(&bytes);
        n_read += 1;
    }
    assert_eq!(n_read, 80);
}

/// Mutants up to this number are changed once.
const CHANGED_ONCE: u64 = 10_000;
/// How often others are changed, at most.
const MOST_CHANGES: u64 = 8;
/// A reader that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(10);

/// Reads `n` mutants, or those that are asked for. A panic names the format and the mutant's number.
fn check(name: &str, n: u64) {
    let asked = std::env::var("WEIGHTSMITH_MUTANTS").unwrap_or_else(|_| format!("0..{n}"));
    let (from, to) = asked.split_once("..").expect("FROM..TO");
    let (from, to): (u64, u64) = (from.parse().expect("a number"), to.parse().expect("a number"));
    let (_, read) = READERS.into_iter().find(|(own, _)| *own == name).expect("a reader of this name");
    let seeds = seeds(name);
    for number in from..to {
        let mut rng = Seed(1).indexed_stream(name, &[number]);
        let bytes = &seeds[number as usize % seeds.len()];
        let other = &seeds[(number as usize + 1) % seeds.len()];
        let mut mutant = bytes.clone();
        let n_changes = if number < CHANGED_ONCE { 1 } else { 1 + number / 7 % MOST_CHANGES };
        (0..n_changes).for_each(|_| mutate(&mut mutant, other, &mut rng));
        #[expect(clippy::disallowed_methods, reason = "what hangs is found by its time")]
        let begun = Instant::now();
        let result = std::panic::catch_unwind(|| read(&mutant));
        assert!(begun.elapsed() < LONGEST, "{name}, mutant {number} takes {:?}", begun.elapsed());
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
fn mutants_of_starts() {
    check("start", 2000);
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
