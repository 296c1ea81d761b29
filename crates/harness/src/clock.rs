//! How long something takes, by the clock and on the processor.

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::time::Instant;

/// The cost of one piece of work, in seconds.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// By the clock on the wall.
    pub wall_s: f64,
    /// On the processor.
    pub cpu_s: f64,
}

/// A clock of one thread's work that can be held. Work that is handed to other threads is in `wall_s` only; the arms
/// are run in pools of one thread, where there is none.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu_s: f64,
    held: Cost,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        let cpu_s = seconds(ClockId::ThreadCPUTime);
        Self { wall: Instant::now(), cpu_s, held: Cost { wall_s: 0.0, cpu_s: 0.0 } }
    }

    /// The cost so far, without the work of [`Stopwatch::hold`].
    pub(crate) fn cost(&self) -> Cost {
        let wall_s = self.wall.elapsed().as_secs_f64() - self.held.wall_s;
        let cpu_s = seconds(ClockId::ThreadCPUTime) - self.cpu_s - self.held.cpu_s;
        Cost { wall_s, cpu_s }
    }

    /// Does work that is not to be counted.
    pub(crate) fn hold<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = self.cost();
        let done = work();
        let after = self.cost();
        self.held.wall_s += after.wall_s - before.wall_s;
        self.held.cpu_s += after.cpu_s - before.cpu_s;
        done
    }
}

/// Does work on several threads, while the process does nothing else, and tells what it cost.
pub(crate) fn measured_on_all_threads<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let (wall, cpu) = (Instant::now(), seconds(ClockId::ProcessCPUTime));
    let done = work();
    let cpu_s = seconds(ClockId::ProcessCPUTime) - cpu;
    (done, Cost { wall_s: wall.elapsed().as_secs_f64(), cpu_s })
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
        let watch = Stopwatch::start();
        std::thread::sleep(Duration::from_millis(20));
        let cost = watch.cost();
        assert!(cost.wall_s >= 0.02 && cost.cpu_s < cost.wall_s, "{cost:?}");
    }

    #[test]
    fn held_work_is_not_counted() {
        let mut watch = Stopwatch::start();
        watch.hold(|| std::thread::sleep(Duration::from_millis(50)));
        let cost = watch.cost();
        assert!(cost.wall_s < 0.05 && cost.wall_s >= 0.0, "{cost:?}");
    }
}
