//! What the machine gives: the cost of work, threads of one core each, and files that are written whole or not at all.
//!
//! [`Stopwatch`] measures [`Cost`] by the clock and on the processor; [`on_one_thread`], [`in_parallel`] and [`as_done`]
//! run work so that what one piece costs does not depend on what else runs; [`write_output`] replaces a file in one
//! step, [`append_line`] and [`FolderLock`] are safe with several processes. Of the library crates only this one reads clocks.
//!
//! This crate knows nothing of tables, models or training.

mod atomic;
mod clock;
mod files;
mod locks;
mod workers;

pub use atomic::write_atomically;
pub use clock::{Cost, Stopwatch, measured_on_all_threads};
pub use files::{OutputError, check_output, create_folder, read_output, write_output};
pub use locks::{FolderLock, append_line};
pub use workers::{as_done, in_parallel, on_one_thread};

use std::error::Error;

/// An error and its causes in one line, each cause once.
pub fn in_one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text.replace(['\n', '\r'], " ")
}
