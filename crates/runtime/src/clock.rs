//! How long something takes, by the clock and on the processor.

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::time::Instant;

/// The cost of one piece of work, in seconds.
#[derive(Copy, Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// By the clock on the wall.
    pub wall_s: f64,
    /// On the processor.
    pub cpu_s: f64,
}

/// A clock of work that can be held, and goes on from an earlier cost.
#[derive(Debug)]
pub struct Stopwatch {
    clock: ClockId,
    /// What was counted before it was started or held last.
    before: Cost,
    wall: Instant,
    cpu_s: f64,
}

impl Stopwatch {
    /// Of this thread. Work that is handed to other threads is in `wall_s` only; the arms are run in pools of one thread,
    /// where there is none.
    pub fn of_thread() -> Self {
        Self::new(ClockId::ThreadCPUTime, Cost::default())
    }

    /// Of all threads, while the process does nothing else.
    pub fn of_process(before: Cost) -> Self {
        Self::new(ClockId::ProcessCPUTime, before)
    }

    #[expect(clippy::disallowed_methods, reason = "the one stopwatch")]
    fn new(clock: ClockId, before: Cost) -> Self {
        Self { clock, before, wall: Instant::now(), cpu_s: seconds(clock) }
    }

    /// The cost so far.
    pub fn cost(&self) -> Cost {
        Cost {
            wall_s: self.before.wall_s + self.wall.elapsed().as_secs_f64(),
            cpu_s: self.before.cpu_s + seconds(self.clock) - self.cpu_s,
        }
    }

    /// Does work that is not counted.
    pub fn pausing<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = self.cost();
        let done = work();
        *self = Self::new(self.clock, before);
        done
    }
}

/// Does work on several threads, while the process does nothing else, and tells what it cost.
pub fn measured_on_all_threads<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let stopwatch = Stopwatch::of_process(Cost::default());
    let done = work();
    (done, stopwatch.cost())
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sleeping_costs_no_processor_time() {
        let watch = Stopwatch::of_thread();
        std::thread::sleep(Duration::from_millis(20));
        let cost = watch.cost();
        assert!(cost.wall_s >= 0.02 && cost.cpu_s < cost.wall_s, "{cost:?}");
    }

    #[test]
    fn paused_work_is_not_counted() {
        let mut watch = Stopwatch::of_thread();
        watch.pausing(|| std::thread::sleep(Duration::from_millis(50)));
        let cost = watch.cost();
        assert!(cost.wall_s < 0.05 && cost.wall_s >= 0.0, "{cost:?}");
    }
}
