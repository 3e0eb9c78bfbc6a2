//! The targets: one for each parser of untrusted input.

use std::fs;
use std::path::{Path, PathBuf};

/// Seeds larger than this (in bytes) are left out: damage in them is seldom hit.
const SEED_BYTES_MAX: u64 = 128 * 1024;
/// Seeds taken from one folder.
const SEEDS_MAX: usize = 200;

/// One parser to be tried.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Reads the bytes; must come back.
    pub run: fn(&[u8]),
    /// What inputs are made from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Rounds in `cargo test`.
    pub rounds_in_tests: u64,
}

/// All targets, by name.
pub const TARGETS: &[Target] = &[];
