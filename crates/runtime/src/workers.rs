//! One core for one piece of work, so that what it costs does not depend on what else runs.

use rayon::ThreadPoolBuilder;
use std::ops::ControlFlow;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};

/// Runs the work on a thread of its own that is a whole pool: parallel loops inside it stay on that thread.
///
/// # Panics
/// If the work does, or the system has no thread left.
pub fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
            let pool = pool.expect("a new thread belongs to no pool yet, and none is started");
            pool.install(work)
        });
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Does each job on one of `n_threads` workers, each of them [`on_one_thread`]; the results are in the order of the jobs.
/// `listen` hears how many are done.
///
/// # Panics
/// If the work does.
pub fn in_parallel<J: Send, T: Send>(
    jobs: Vec<J>,
    n_threads: usize,
    work: impl Fn(J) -> T + Sync,
    listen: &mut dyn FnMut(usize),
) -> Vec<T> {
    let mut done: Vec<(usize, T)> = Vec::with_capacity(jobs.len());
    let numbered = jobs.into_iter().enumerate().collect();
    as_done(numbered, n_threads, |(idx, job)| (idx, work(job)), &mut |result| {
        done.push(result);
        listen(done.len());
        ControlFlow::Continue(())
    });
    done.sort_by_key(|(idx, _)| *idx);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does each job as [`in_parallel`] does, and hands every result to `each` when it is there; `each` can end the work.
///
/// # Panics
/// If the work does.
pub fn as_done<J: Send, T: Send>(
    jobs: Vec<J>,
    n_threads: usize,
    work: impl Fn(J) -> T + Sync,
    each: &mut dyn FnMut(T) -> ControlFlow<()>,
) {
    let n_jobs = jobs.len();
    let waiting = Mutex::new(jobs.into_iter());
    let (sender, receiver) = channel();
    let take = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..n_threads.clamp(1, n_jobs.max(1)) {
            let (sender, take, work) = (sender.clone(), &take, &work);
            scope.spawn(move || {
                on_one_thread(move || {
                    // A closed channel means that the listener has heard enough.
                    while let Some(job) = take()
                        && sender.send(work(job)).is_ok()
                    {}
                });
            });
        }
        drop(sender);
        for result in receiver {
            if each(result).is_break() {
                break;
            }
        }
    });
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

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let mut heard = 0;
        let squares = in_parallel((0..50).collect(), 3, |x: u64| x * x, &mut |n| heard = n);
        assert_eq!(squares, (0..50).map(|x| x * x).collect::<Vec<u64>>());
        assert_eq!(heard, 50);
    }

    #[test]
    fn a_listener_that_has_heard_enough_ends_the_work() {
        let mut heard = 0;
        as_done((0..10_000).collect(), 2, |x: u64| x, &mut |_| {
            heard += 1;
            if heard == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(heard, 3);
    }
}
