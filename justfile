# The usual tasks. Each is one line of cargo, for whoever has no `just`; CONTRIBUTING.md says when to use which.

# Lists the tasks.
default:
    @just --list

# What a commit has to pass: format, lints, and the rules of the house.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --release -- -D warnings
    cargo test --workspace --release --test tidy

# All tests, or those whose names have a word: `just test ledger`.
test *words:
    cargo test --workspace --release {{ words }}

# Every check of the repository, as before a merge.
all:
    .ci/run

# All claims with their benches, or one group: `just bench 'the head is solved'`.
bench *group:
    cargo bench --workspace -- {{ group }}

# The documentation of all crates, as a page.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --release --open

# Licences, sources and advisories of dependencies, and dependencies that nothing uses.
deps:
    cargo deny check
    cargo machete

# Feeds one reader (csv, weights, checkpoint or config) bytes that anybody may have written, for some seconds.
fuzz reader seconds="60":
    cargo run --release --example fuzz_seeds
    RUSTC_BOOTSTRAP=1 cargo fuzz run --release --sanitizer none {{ reader }} -- -max_total_time={{ seconds }}

# The build for NVIDIA GPUs; no CUDA toolkit is needed for it.
cuda:
    CUDARC_CUDA_VERSION=13000 cargo build --release -p weightsmith-cli --features cuda
