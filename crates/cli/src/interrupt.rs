//! Ctrl-C: it ends the process with exit code 1, and long work that can be continued only after its current step.

use crate::exit;
use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What Ctrl-C does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    /// Whether the work stops by itself once it was asked to.
    stops_by_itself: Arc<AtomicBool>,
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens for Ctrl-C. Files are written whole or not at all, so that the process may end at any moment.
    pub(crate) fn listen(json: bool) -> Result<Self> {
        let interrupt = Self::default();
        let heard = interrupt.clone();
        ctrlc::set_handler(move || {
            let is_first = !heard.asked.swap(true, Ordering::Relaxed);
            if !(is_first && heard.stops_by_itself.load(Ordering::Relaxed)) {
                exit::interrupted(json);
            }
        })
        .context("cannot listen for Ctrl-C")?;
        Ok(interrupt)
    }

    /// From now on the first Ctrl-C only makes the answer true, for work that asks after each step; a second one ends the
    /// process.
    pub(crate) fn after_this_step(&self) -> impl Fn() -> bool + use<> {
        self.stops_by_itself.store(true, Ordering::Relaxed);
        let asked = self.asked.clone();
        move || asked.load(Ordering::Relaxed)
    }
}
