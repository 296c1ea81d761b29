//! Exhaustive and exact search over the product of two lists.

use multiversion::multiversion;
use rayon::prelude::*;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Left entries that are scored at once: six times sixteen sums leave AVX2 the registers that it needs beside them.
const ROWS: usize = 6;
/// Right entries that are scored at once, as many as one wide register holds.
const LANES: usize = 16;
/// Blocks of left entries that a worker takes at a time.
const STRIP: usize = 16;
/// Bytes of right entries that stay in the nearest cache while a strip passes over them.
const PANEL_BYTES: usize = 16 * 1024;

type Lanes = [f32; LANES];

/// One half of a product space: every entry has an offset and a vector.
#[derive(Clone, Debug)]
pub struct Tower {
    rank: usize,
    offsets: Vec<f32>,
    vectors: Vec<f32>,
}

impl Tower {
    /// A list of `offsets.len()` entries.
    ///
    /// # Shapes
    /// - `offsets`: `[n_entries]`
    /// - `vectors`: `[n_entries, rank]`, row-major
    ///
    /// # Panics
    /// If the lengths do not fit each other, a number is not finite, or there are more entries than a `u32` counts.
    pub fn new(rank: usize, offsets: Vec<f32>, vectors: Vec<f32>) -> Self {
        assert_eq!(vectors.len(), offsets.len() * rank, "every entry has a vector of {rank} numbers");
        assert!(u32::try_from(offsets.len()).is_ok(), "entries are counted by a u32");
        assert!(offsets.iter().chain(&vectors).all(|value| value.is_finite()), "every number is finite");
        Self { rank, offsets, vectors }
    }

    /// How many entries the list has.
    pub fn n_entries(&self) -> usize {
        self.offsets.len()
    }

    fn vector(&self, idx: usize) -> &[f32] {
        &self.vectors[idx * self.rank..(idx + 1) * self.rank]
    }

    /// Blocks of `W` entries side by side: a row of offsets, then `rank` rows of the vectors' numbers. Places without
    /// an entry have an infinite offset.
    fn packed<const W: usize>(&self) -> Vec<[f32; W]> {
        let n_entries = self.n_entries();
        let mut rows = vec![[0.0; W]; n_entries.div_ceil(W) * (self.rank + 1)]; // [n_blocks, 1 + rank, W]
        for (block_idx, block) in rows.chunks_exact_mut(self.rank + 1).enumerate() {
            block[0] = [f32::INFINITY; W];
            for (lane, idx) in (block_idx * W..n_entries).take(W).enumerate() {
                block[0][lane] = self.offsets[idx];
                for (row, value) in block[1..].iter_mut().zip(self.vector(idx)) {
                    row[lane] = *value;
                }
            }
        }
        rows
    }
}

/// A left and a right entry, by their places in the lists, with the score of the two.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Pair {
    /// The place in the left list.
    pub left: u32,
    /// The place in the right list.
    pub right: u32,
    /// The sum of both offsets and of the dot product of both vectors.
    pub score: f32,
}

/// The `n` pairs of lowest score, or all if there are fewer, ascending by score, left and right place.
///
/// A score is the left offset plus the right one, to which the products of the vectors' numbers are added in order by
/// fused multiply-add. It may overflow to an infinity. Scores are compared by [`f32::total_cmp`].
///
/// All pairs are scored, by all threads of the current Rayon pool, and the result is that of
/// [`lowest_pairs_reference`] to the last bit at any number of threads. Threads share out the left list, which therefore
/// should be the longer one.
///
/// # Panics
/// If the ranks differ.
pub fn lowest_pairs(left: &Tower, right: &Tower, n: usize) -> Vec<Pair> {
    assert_eq!(left.rank, right.rank, "both lists have vectors of one rank");
    let n = n.min(left.n_entries() * right.n_entries());
    if n == 0 {
        return Vec::new();
    }
    let space = Space {
        block: left.rank + 1,
        left: left.packed(),
        right: right.packed(),
        n_left: left.n_entries(),
        n_right: right.n_entries(),
    };
    let progress = Progress { next_strip: AtomicUsize::new(0), cut: AtomicU32::new(key(f32::INFINITY)) };
    let mut lowest: Vec<Candidate> = (0..rayon::current_num_threads())
        .into_par_iter()
        .with_max_len(1)
        .flat_map_iter(|_| Search::new(n, &space, &progress).run())
        .collect();
    if lowest.len() > n {
        lowest.select_nth_unstable(n - 1);
        lowest.truncate(n);
    }
    lowest.par_sort_unstable();
    lowest.into_iter().map(Candidate::pair).collect()
}

/// [`lowest_pairs`] by a loop over all pairs and a sort.
pub fn lowest_pairs_reference(left: &Tower, right: &Tower, n: usize) -> Vec<Pair> {
    assert_eq!(left.rank, right.rank, "both lists have vectors of one rank");
    let mut pairs = Vec::with_capacity(left.n_entries() * right.n_entries());
    for (i, left_offset) in left.offsets.iter().enumerate() {
        for (j, right_offset) in right.offsets.iter().enumerate() {
            let mut score = left_offset + right_offset;
            for (x, y) in left.vector(i).iter().zip(right.vector(j)) {
                score = x.mul_add(*y, score);
            }
            pairs.push(Pair { left: i as u32, right: j as u32, score });
        }
    }
    pairs.sort_by(|a, b| a.score.total_cmp(&b.score).then((a.left, a.right).cmp(&(b.left, b.right))));
    pairs.truncate(n);
    pairs
}

/// A pair that sorts as results do.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    key: u32,
    left: u32,
    right: u32,
}

impl Candidate {
    fn pair(self) -> Pair {
        Pair { left: self.left, right: self.right, score: score(self.key) }
    }
}

/// The bits of a score, changed so that they order like [`f32::total_cmp`].
fn key(score: f32) -> u32 {
    let bits = score.to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// The score that has this key.
fn score(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

/// Both lists, packed.
struct Space {
    /// Rows of a block.
    block: usize,
    left: Vec<[f32; ROWS]>,
    right: Vec<Lanes>,
    n_left: usize,
    n_right: usize,
}

/// What the workers share.
struct Progress {
    next_strip: AtomicUsize,
    /// A key that `n` pairs are known not to exceed.
    cut: AtomicU32,
}

/// One worker: the lowest pairs of the strips that it took.
struct Search<'a> {
    n: usize,
    space: &'a Space,
    progress: &'a Progress,
    candidates: Vec<Candidate>,
    /// A key that `n` candidates do not exceed; above all keys while there are fewer.
    own_cut: u32,
    /// Pairs of higher scores are passed over.
    highest: f32,
}

impl<'a> Search<'a> {
    fn new(n: usize, space: &'a Space, progress: &'a Progress) -> Self {
        let (own_cut, highest) = (key(f32::INFINITY) + 1, f32::INFINITY);
        Self { n, space, progress, candidates: Vec::new(), own_cut, highest }
    }

    /// Takes strips until none is left; the `n` lowest pairs of them, unsorted.
    fn run(mut self) -> Vec<Candidate> {
        let strip = STRIP * self.space.block;
        loop {
            let idx = self.progress.next_strip.fetch_add(1, Ordering::Relaxed);
            let Some(rows) = self.space.left.chunks(strip).nth(idx) else { break };
            // Strips come in ascending order, so that a worker's candidates win ties against the pairs of its next
            // strip; those of other workers need not. Below minus infinity there is a NaN, which nothing reaches.
            let shared = self.progress.cut.load(Ordering::Relaxed);
            self.highest = score(shared.min(self.own_cut - 1));
            scan(&mut self, rows, idx * STRIP * ROWS);
        }
        self.prune();
        self.candidates
    }

    /// Keeps those of a tile's pairs that may be among the lowest. Inlined, it would take the registers of the scan.
    #[inline(never)]
    fn keep(&mut self, scores: &[Lanes; ROWS], first_left: usize, first_right: usize) {
        let highest = self.highest;
        for (left, scores) in (first_left..self.space.n_left).zip(scores) {
            for (right, &score) in (first_right..self.space.n_right).zip(scores) {
                if score <= highest {
                    let (left, right) = (left as u32, right as u32);
                    self.candidates.push(Candidate { key: key(score), left, right });
                }
            }
        }
        if self.candidates.len() / 2 > self.n.max(512) {
            self.prune();
        }
    }

    /// Drops all but the `n` lowest candidates and lowers the cuts.
    fn prune(&mut self) {
        if self.candidates.len() < self.n {
            return;
        }
        let (_, last, _) = self.candidates.select_nth_unstable(self.n - 1);
        self.own_cut = last.key;
        self.candidates.truncate(self.n);
        let shared = self.progress.cut.fetch_min(self.own_cut, Ordering::Relaxed);
        self.highest = self.highest.min(score(shared.min(self.own_cut)));
    }
}

/// Scores a strip of left entries with all right ones.
#[multiversion(targets("x86_64+avx512f+avx512vl+fma", "x86_64+avx2+fma"))]
fn scan(search: &mut Search<'_>, strip: &[[f32; ROWS]], first_left: usize) {
    let space = search.space;
    let panel = (PANEL_BYTES / (space.block * LANES * 4)).max(1);
    for (panel_idx, panel_rows) in space.right.chunks(panel * space.block).enumerate() {
        for (row_idx, rows) in strip.chunks_exact(space.block).enumerate() {
            for (lane_idx, lanes) in panel_rows.chunks_exact(space.block).enumerate() {
                let scores = tile(rows, lanes);
                if reaches(scores, search.highest) {
                    let first_right = (panel_idx * panel + lane_idx) * LANES;
                    // A reference to the scores themselves would hold them in memory during the sums.
                    let mut kept = [[0.0; LANES]; ROWS];
                    for (kept, scores) in kept.iter_mut().zip(&scores) {
                        *kept = *scores;
                    }
                    search.keep(&kept, first_left + row_idx * ROWS, first_right);
                }
            }
        }
    }
}

/// The scores of all pairs of two blocks.
#[inline(always)]
fn tile(rows: &[[f32; ROWS]], lanes: &[Lanes]) -> [Lanes; ROWS] {
    let mut scores = [[0.0; LANES]; ROWS];
    for (scores, x) in scores.iter_mut().zip(&rows[0]) {
        *scores = plus(*x, lanes[0]);
    }
    for (x, y) in rows[1..].iter().zip(&lanes[1..]) {
        for (scores, x) in scores.iter_mut().zip(x) {
            *scores = scaled_plus(*x, *y, *scores);
        }
    }
    scores
}

/// Whether any score of a tile is at most `highest`.
#[inline(always)]
fn reaches(scores: [Lanes; ROWS], highest: f32) -> bool {
    let mut lowest = scores[0];
    for row in &scores[1..] {
        let row = *row;
        for lane in 0..LANES {
            lowest[lane] = if row[lane] < lowest[lane] { row[lane] } else { lowest[lane] };
        }
    }
    let mut any = false;
    for score in lowest {
        any |= score <= highest;
    }
    any
}

/// `x + y`, lane by lane. Like all sums here it works on copies: through references it would stay scalar.
#[inline(always)]
fn plus(x: f32, mut y: Lanes) -> Lanes {
    for y in &mut y {
        *y += x;
    }
    y
}

/// `x y + sums`, lane by lane.
#[inline(always)]
fn scaled_plus(x: f32, y: Lanes, mut sums: Lanes) -> Lanes {
    for lane in 0..LANES {
        sums[lane] = x.mul_add(y[lane], sums[lane]);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Numbers;

    /// A list whose numbers are drawn by `draw`, given how many.
    fn tower(n_entries: usize, rank: usize, mut draw: impl FnMut(usize) -> Vec<f32>) -> Tower {
        Tower::new(rank, draw(n_entries), draw(n_entries * rank))
    }

    fn bits(pairs: Vec<Pair>) -> Vec<(u32, u32, u32)> {
        pairs.into_iter().map(|pair| (pair.score.to_bits(), pair.left, pair.right)).collect()
    }

    /// Exactly the reference's pairs and scores, for each `n` and at one and two threads.
    fn check(left: &Tower, right: &Tower, counts: &[usize]) {
        let all = bits(lowest_pairs_reference(left, right, usize::MAX));
        assert_eq!(all.len(), left.n_entries() * right.n_entries());
        for n_threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            for &n in counts {
                let ours = bits(pool.install(|| lowest_pairs(left, right, n)));
                let sizes = (left.n_entries(), right.n_entries(), left.rank);
                assert!(ours == all[..n.min(all.len())], "{sizes:?}, n = {n}, {n_threads} threads");
            }
        }
    }

    #[test]
    fn equals_the_reference_at_any_shape() {
        let mut numbers = Numbers::new(5);
        let shapes = [(1, 1), (0, 3), (3, 0), (6, 16), (5, 17), (7, 15), (40, 100), (293, 131)];
        for (n_left, n_right) in shapes {
            for rank in [0, 1, 5, 12] {
                let mut draw = |n| numbers.normal(&[n]).values;
                let (left, right) = (tower(n_left, rank, &mut draw), tower(n_right, rank, &mut draw));
                check(
                    &left,
                    &right,
                    &[0, 1, 3, 100, 2000, n_left * n_right, n_left * n_right + 1, usize::MAX],
                );
            }
        }
    }

    #[test]
    fn equals_the_reference_on_a_million_pairs() {
        let mut numbers = Numbers::new(6);
        let mut draw = |n| numbers.normal(&[n]).values;
        let (left, right) = (tower(1250, 12, &mut draw), tower(800, 12, &mut draw));
        check(&left, &right, &[1, 1000, 100_000]);
    }

    #[test]
    fn ties_are_resolved_like_the_reference_does() {
        let mut numbers = Numbers::new(7);
        for (rank, n_values) in [(0, 1), (0, 2), (1, 3), (5, 2), (12, 3)] {
            let mut draw = |n| (0..n).map(|_| numbers.below(n_values) as f32 - 1.0).collect();
            let (left, right) = (tower(400, rank, &mut draw), tower(210, rank, &mut draw));
            check(&left, &right, &[1, 10, 700, 5000, 40_000]);
        }
    }

    #[test]
    fn signed_zeros_and_overflows_are_ordered() {
        let mut numbers = Numbers::new(8);
        for values in [[0.0, -0.0, 1.0], [f32::MAX, -f32::MAX, 0.0], [f32::MAX, 1e-40, -1e-40]] {
            for rank in [0, 2] {
                let mut draw = |n| (0..n).map(|_| values[numbers.below(3)]).collect();
                let (left, right) = (tower(300, rank, &mut draw), tower(100, rank, &mut draw));
                check(&left, &right, &[1, 100, 6000, 20_000, 29_999]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "every number is finite")]
    fn numbers_must_be_finite() {
        Tower::new(1, vec![0.0], vec![f32::NAN]);
    }
}
