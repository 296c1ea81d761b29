//! The small network: encoding, architecture, weights, predict and its safetensors file
