//! One core for one piece of work, so that what it costs does not depend on what else runs.

use rayon::ThreadPoolBuilder;

/// Runs the work on a thread of its own that is a whole pool: parallel loops inside it stay on that thread.
///
/// # Panics
/// If the work does, or the system has no thread left.
pub(crate) fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
            let pool = pool.expect("a new thread belongs to no pool yet, and none is started");
            pool.install(work)
        });
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn parallel_loops_stay_on_the_thread() {
        let threads: HashSet<_> = on_one_thread(|| {
            (0..1000).into_par_iter().map(|_| format!("{:?}", std::thread::current().id())).collect()
        });
        assert_eq!(threads.len(), 1);
    }
}
