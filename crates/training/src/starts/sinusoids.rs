//! The sinusoid benchmark: sine waves of one input, each with an amplitude, a phase and, where asked for, a frequency of its own.
//!
//! Source: Finn, Abbeel and Levine 2017, Model-Agnostic Meta-Learning, section 5.1; with frequencies, Li et al. 2017, Meta-SGD,
//! section 4.1.

use super::mlp::Batch;
use super::unrolled::Episode;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Inputs lie between minus and plus this.
pub const LARGEST_INPUT: f64 = 5.0;

/// A family of sine waves: amplitudes from 0.1 to 5, phases from 0 to π, inputs from -5 to 5, all uniform, without noise.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinusoidFamily {
    /// Rows that are learned from, 1 to 10,000.
    pub n_support: usize,
    /// Rows that are scored, 1 to 10,000.
    pub n_query: usize,
    /// Frequencies between these; both 1 in the benchmark, 0.8 and 1.2 in the paper on Meta-SGD.
    #[serde(default = "one_frequency")]
    pub frequencies: (f64, f64),
    /// Whether amplitude and phase are told beside the input: the benchmark's oracle.
    #[serde(default)]
    pub is_told: bool,
}

fn one_frequency() -> (f64, f64) {
    (1.0, 1.0)
}

/// One sine wave, `amplitude · sin(frequency · x + phase)`.
#[derive(Copy, Clone, Debug, PartialEq, Serialize)]
pub struct Sinusoid {
    /// 0.1 to 5.
    pub amplitude: f64,
    /// 0 to π.
    pub phase: f64,
    /// 1 in the benchmark.
    pub frequency: f64,
}

impl Sinusoid {
    /// Its value at an input.
    pub fn at(&self, x: f64) -> f64 {
        self.amplitude * (self.frequency * x + self.phase).sin()
    }
}

impl SinusoidFamily {
    /// The benchmark's family with as many rows to learn from and to score.
    pub fn benchmark(n_support: usize, n_query: usize) -> Self {
        Self { n_support, n_query, frequencies: one_frequency(), is_told: false }
    }

    /// Inputs of a row: 1, or 3 where amplitude and phase are told.
    pub fn n_inputs(&self) -> usize {
        if self.is_told { 3 } else { 1 }
    }

    /// A wave.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Sinusoid {
        let amplitude = rng.random_range(0.1..5.0);
        let phase = rng.random_range(0.0..PI);
        let (low, high) = self.frequencies;
        let frequency = low + (high - low) * rng.random::<f64>();
        Sinusoid { amplitude, phase, frequency }
    }

    /// Rows of a wave.
    pub fn episode(&self, sinusoid: &Sinusoid, rng: &mut ChaCha8Rng) -> Episode<f32> {
        let mut draw = |n_rows| {
            let xs: Vec<f64> = (0..n_rows).map(|_| rng.random_range(-LARGEST_INPUT..LARGEST_INPUT)).collect();
            self.rows(sinusoid, &xs)
        };
        Episode { support: draw(self.n_support), query: draw(self.n_query) }
    }

    /// The rows of a wave at some inputs.
    pub fn rows(&self, sinusoid: &Sinusoid, xs: &[f64]) -> Batch<f32> {
        let row = |x: f64| {
            let told = [sinusoid.amplitude as f32, sinusoid.phase as f32];
            std::iter::once(x as f32).chain(told.into_iter().take(self.n_inputs() - 1))
        };
        Batch {
            inputs: xs.iter().flat_map(|&x| row(x)).collect(),
            targets: xs.iter().map(|&x| sinusoid.at(x) as f32).collect(),
        }
    }
}
