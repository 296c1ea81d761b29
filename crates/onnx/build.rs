//! Writes the types of ONNX's own protobuf definitions.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let definitions = "proto/onnx-ml.proto";
    println!("cargo:rerun-if-changed={definitions}");
    // Compiled in Rust: nobody needs the program protoc.
    let compiled = protox::compile([definitions], ["proto"])?;
    // Comments of another language would be taken for examples in Rust.
    prost_build::Config::new().disable_comments(["."]).compile_fds(compiled)?;
    Ok(())
}
