//! The messages of ONNX's own protobuf definitions, as `prost` writes them in Rust.

#![expect(unreachable_pub, clippy::enum_variant_names, reason = "written by a program, in ONNX's words")]

include!(concat!(env!("OUT_DIR"), "/onnx.rs"));
