//! One seed a run, and independent named random streams drawn from it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The seed of a run. Each use of randomness draws a stream of its own by name, so that a new consumer
/// shifts no other.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The random stream called `name`. The same seed and name give the same numbers on every machine.
    pub fn stream(self, name: &str) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.digest(name, &[]))
    }

    /// The `index`-th random stream of the series called `name`, for work that is numbered (tasks, steps).
    pub fn indexed_stream(self, name: &str, index: &[u64]) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.digest(name, index))
    }

    fn digest(self, name: &str, index: &[u64]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.0.to_le_bytes());
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        for position in index {
            hasher.update(position.to_le_bytes());
        }
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn streams_are_reproducible_and_independent() {
        let draw = |seed: u64, name: &str| Seed(seed).stream(name).next_u64();
        assert_eq!(draw(7, "prior.trees"), draw(7, "prior.trees"));
        assert_ne!(draw(7, "prior.trees"), draw(7, "prior.linear"));
        assert_ne!(draw(7, "prior.trees"), draw(8, "prior.trees"));
        let indexed = |index: &[u64]| Seed(7).indexed_stream("step", index).next_u64();
        assert_ne!(indexed(&[1]), indexed(&[2]));
        assert_ne!(indexed(&[1]), indexed(&[1, 0]));
    }
}
