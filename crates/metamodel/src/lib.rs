//! The hypernetwork: support rows in, base-model weights out
