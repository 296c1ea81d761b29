//! Work away from the interpreter: its lock is released, Ctrl-C ends the waiting, and a panic becomes an exception.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::any::Any;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long Ctrl-C waits at most until it is heard.
const PATIENCE: Duration = Duration::from_millis(50);
/// Where the last panic was.
static PLACE: Mutex<String> = Mutex::new(String::new());

/// Keeps panics from printing: the library has a runtime of its own, and so this is only about threads of the engine.
pub(crate) fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
}

/// Does the work on a thread of its own and waits for it without the interpreter's lock.
///
/// # Errors
/// What a signal handler raises, `KeyboardInterrupt` for one; the work then goes on unheard, and its result is dropped. A
/// `RuntimeError` if the work panics.
pub(crate) fn interruptible<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (sender, mut receiver) = channel();
    let worker = thread::Builder::new().name("weightsmith".into()).spawn(move || {
        // Whoever was interrupted does not listen any more.
        let _ = sender.send(work());
    })?;
    loop {
        let (back, received) = py.detach(move || {
            let received = receiver.recv_timeout(PATIENCE);
            (receiver, received)
        });
        receiver = back;
        match received {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                let panic = worker.join().err();
                return Err(PyRuntimeError::new_err(report(panic.as_deref())));
            }
        }
    }
}

fn report(panic: Option<&(dyn Any + Send)>) -> String {
    let text = panic.and_then(|panic| {
        panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied())
    });
    let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = text.unwrap_or("no reason given").replace('\n', " ");
    format!("the engine failed at {place}: {text}; this is a mistake in weightsmith, please report it")
}
