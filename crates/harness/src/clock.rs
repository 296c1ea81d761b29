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

/// Does the work and tells what it cost. Work that it hands to other threads is in `wall_s` only; the arms are
/// run in pools of one thread, where there is none.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    measured_by(ClockId::ThreadCPUTime, work)
}

/// [`measured`] for work on several threads, while the process does nothing else.
pub(crate) fn measured_on_all_threads<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    measured_by(ClockId::ProcessCPUTime, work)
}

fn measured_by<T>(clock: ClockId, work: impl FnOnce() -> T) -> (T, Cost) {
    let (wall, cpu) = (Instant::now(), seconds(clock));
    let done = work();
    (done, Cost { wall_s: wall.elapsed().as_secs_f64(), cpu_s: seconds(clock) - cpu })
}

/// A clock that adds up over pauses, for work that is done in pieces while the process does nothing else.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    before: Cost,
    wall: Instant,
    cpu: f64,
}

impl Stopwatch {
    /// Runs on from a cost.
    pub(crate) fn from(before: Cost) -> Self {
        Self { before, wall: Instant::now(), cpu: seconds(ClockId::ProcessCPUTime) }
    }

    /// The cost so far, over all threads.
    pub(crate) fn cost(&self) -> Cost {
        Cost {
            wall_s: self.before.wall_s + self.wall.elapsed().as_secs_f64(),
            cpu_s: self.before.cpu_s + seconds(ClockId::ProcessCPUTime) - self.cpu,
        }
    }

    /// Does work that is not counted.
    pub(crate) fn pausing<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = self.cost();
        let done = work();
        *self = Self::from(before);
        done
    }
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
        let ((), cost) = measured(|| std::thread::sleep(Duration::from_millis(20)));
        assert!(cost.wall_s >= 0.02 && cost.cpu_s < cost.wall_s, "{cost:?}");
    }
}
