//! Chunks made by hand: each token, each type of value, each kind of damage.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking and says what it skips")]

mod builder;
mod carve;
mod damage;
mod tokens;
