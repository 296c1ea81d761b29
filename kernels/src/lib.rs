//! Operations that the stock backend lacks or is slow at: batched Cholesky factor-and-solve, the solved logistic
//! head, attention and layer normalisation, and the choice of a device.
//!
//! Every operation is a free function on [`burn::tensor::Tensor`] that works with and without autodiff. On the CPU
//! it runs a fused version with a hand-written gradient; on any other device it runs the *reference*, composed of
//! plain tensor operations, which also is what the fused version is tested against, values and every gradient.
//!
//! Exceptions have no gradient and always run on the host: the [exact heads](exact_logistic_head) and the
//! [factors](Factor) of positive definite matrices, both in f64, and the search over a product of two lists,
//! [`lowest_pairs()`], whose reference is a loop, which it equals to the last bit.
//!
//! This crate does not know tasks, models or files.

mod attention;
mod cholesky;
mod cpu;
mod device;
mod exact_head;
mod fused;
mod layer_norm;
mod logistic_head;
mod lowest_pairs;
mod positive_definite;
#[cfg(test)]
mod testing;

pub use attention::{attention, attention_reference};
pub use cholesky::{
    back_substitute, cholesky_solve, cholesky_solve_reference, factorise, forward_substitute,
};
pub use cpu::dot;
pub use device::{DeviceError, open_device};
pub use exact_head::{
    HeadSystem, LogisticEffort, SolveInfo, exact_leverages, exact_logistic_head, exact_ridge_head,
};
pub use layer_norm::{layer_norm, layer_norm_reference};
pub use logistic_head::{logistic_head, logistic_head_reference};
pub use lowest_pairs::{Pair, Tower, lowest_pairs, lowest_pairs_reference};
pub use positive_definite::{Factor, Square, dot_f64};
