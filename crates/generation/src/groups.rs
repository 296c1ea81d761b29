//! Work in groups that threads share.

/// Results of `work` for every group, in order; thread `t` does every group `t`, `t + n_threads`, ….
pub(crate) fn in_groups<T: Send>(
    n_groups: usize,
    n_threads: usize,
    work: &(impl Fn(usize) -> T + Sync),
) -> Vec<T> {
    let n_threads = n_threads.clamp(1, n_groups);
    if n_threads == 1 {
        return (0..n_groups).map(work).collect();
    }
    let mut results: Vec<Option<T>> = (0..n_groups).map(|_| None).collect();
    let mut shares: Vec<Vec<(usize, &mut Option<T>)>> = (0..n_threads).map(|_| vec![]).collect();
    for (group, slot) in results.iter_mut().enumerate() {
        shares[group % n_threads].push((group, slot));
    }
    std::thread::scope(|scope| {
        for share in shares {
            scope.spawn(move || {
                // A pool of this thread alone keeps the tensor library from starting threads of its own.
                let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
                let pool = pool.expect("a new thread belongs to no pool yet");
                pool.install(|| share.into_iter().for_each(|(group, slot)| *slot = Some(work(group))));
            });
        }
    });
    results.into_iter().map(|result| result.expect("every group was worked on")).collect()
}
