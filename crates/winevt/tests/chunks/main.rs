//! Chunks made by hand: each token, each type of value, each kind of damage.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

mod builder;
mod damage;
mod tokens;
