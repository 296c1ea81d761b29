//! Operations that the stock backend lacks or is slow at: batched Cholesky factor-and-solve, the solved logistic
//! head, attention and layer normalisation, and the choice of a device.
//!
//! Every operation is a free function on [`burn::tensor::Tensor`] that works with and without autodiff. On the CPU
//! it runs a fused version with a hand-written gradient; on any other device it runs the *reference*, composed of
//! plain tensor operations, which also is what the fused version is tested against, values and every gradient.
//!
//! Exceptions are the [exact heads](exact_logistic_head), which work in f64 on the host and have no gradient, and the search over a product of two lists, [`lowest_pairs()`], which takes plain numbers, has no gradient and
//! always runs on the CPU. Its reference is a loop, which it equals to the last bit.
//!
//! This crate does not know tasks, models or files.

mod attention;
mod cholesky;
mod cpu;
mod device;
mod exact_head;
mod fused;
mod inverse;
mod layer_norm;
mod logistic_head;
mod lowest_pairs;
#[cfg(test)]
mod testing;
mod wide;

pub use attention::{attention, attention_reference};
pub use cholesky::{
    back_substitute, cholesky_solve, cholesky_solve_reference, factorise, forward_substitute,
};
pub use cpu::dot;
pub use device::{DeviceError, open_device};
pub use exact_head::{HeadSystem, SolveInfo, exact_leverages, exact_logistic_head, exact_ridge_head};
pub use inverse::inverse_cholesky_factor;
pub use layer_norm::{layer_norm, layer_norm_reference};
pub use logistic_head::{logistic_head, logistic_head_reference};
pub use lowest_pairs::{Pair, Tower, lowest_pairs, lowest_pairs_reference};
