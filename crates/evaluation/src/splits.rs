//! Which rows are support and which are query: the outside scorer's splits, to the row.

/// Query rows of a split, at most.
pub const MAX_QUERY_ROWS: usize = 1000;

/// The rows of one split of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The support rows, to learn from.
    pub support: Vec<usize>,
    /// The query rows, to be scored on.
    pub query: Vec<usize>,
}

impl Split {
    /// Split `index` of a table: its rows in the order of `numpy.random.RandomState(1000 + index).permutation`,
    /// the first `n_support` of them (at most 70%) as support, the next 1000 at most as query.
    pub fn new(n_rows: usize, n_support: usize, index: u32) -> Self {
        let mut support = RandomState::new(1000 + index).permutation(n_rows);
        let mut query = support.split_off(n_support.min(max_support(n_rows)));
        query.truncate(MAX_QUERY_ROWS);
        Self { support, query }
    }
}

/// The most rows of a table that a split takes as support: 70%, rounded down.
pub fn max_support(n_rows: usize) -> usize {
    // In f64 as the outside scorer computes it: 0.7 is a little less than seven tenths.
    (0.7 * n_rows as f64) as usize
}

const N_STATE: usize = 624;
const SHIFT: usize = 397;

/// NumPy's legacy generator: MT19937, seeded by one number.
///
/// Source: Matsumoto and Nishimura (1998), Mersenne Twister; NumPy, `RandomState` and `random_interval`.
struct RandomState {
    state: [u32; N_STATE],
    position: usize,
}

impl RandomState {
    fn new(seed: u32) -> Self {
        let mut state = [seed; N_STATE];
        for i in 1..N_STATE {
            let last = state[i - 1];
            state[i] = 1_812_433_253u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(i as u32);
        }
        Self { state, position: N_STATE }
    }

    fn next_u32(&mut self) -> u32 {
        if self.position == N_STATE {
            self.twist();
        }
        let mut y = self.state[self.position];
        self.position += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for i in 0..N_STATE {
            let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % N_STATE] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % N_STATE] ^ (y >> 1) ^ odd;
        }
        self.position = 0;
    }

    /// Uniform from 0 to `most`, by rejection under a mask.
    fn up_to(&mut self, most: u32) -> u32 {
        let mask = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        loop {
            let value = self.next_u32() & mask;
            if value <= most {
                return value;
            }
        }
    }

    fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for i in (1..n).rev() {
            let most = u32::try_from(i).expect("a table has fewer than 2^32 rows");
            order.swap(i, self.up_to(most) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn permutations_are_those_of_numpy() {
        // numpy 2.4.6: numpy.random.RandomState(seed).permutation(n)
        let check = |seed: u32, n: usize, first: &[usize], sum: usize| {
            let order = RandomState::new(seed).permutation(n);
            assert_eq!(&order[..first.len()], first, "seed {seed}, n {n}");
            // Weighted by position, so that the whole order is told apart.
            assert_eq!(order.iter().enumerate().map(|(i, row)| i * row % 1009).sum::<usize>(), sum);
        };
        check(1000, 10, &[2, 6, 5, 1, 4, 9, 0, 8, 7, 3], 219);
        check(1001, 150, &[123, 138, 116, 86, 103, 57, 117, 3, 128, 51], 74102);
        check(1002, 1000, &[350, 300, 278, 462, 547, 149, 20, 843, 987, 615], 513953);
        check(1000, 70001, &[7973, 29950, 12708, 3385, 53472, 32961, 35256, 69798, 61912, 38039], 35157547);
        check(0, 1, &[0], 0);
        check(4294967295, 33, &[24, 15, 19, 3, 21, 2, 28, 30, 1, 6], 8417);
    }

    #[test]
    fn a_split_shares_no_row_and_keeps_to_its_sizes() {
        for (n_rows, n_support, expected) in [
            (150, 32, (32, 118)),
            (150, 128, (105, 45)),
            (5000, 128, (128, 1000)),
            (10, 256, (7, 3)),
            (1, 4, (0, 1)),
        ] {
            let split = Split::new(n_rows, n_support, 0);
            assert_eq!((split.support.len(), split.query.len()), expected, "{n_rows} rows");
            let all: HashSet<usize> = split.support.iter().chain(&split.query).copied().collect();
            assert_eq!(all.len(), split.support.len() + split.query.len());
            assert!(all.iter().all(|&row| row < n_rows));
        }
        assert_ne!(Split::new(150, 32, 0), Split::new(150, 32, 1));
    }
}
