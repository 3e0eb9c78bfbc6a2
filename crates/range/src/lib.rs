//! Synthetic evidence with the truth beside it.
//!
//! [`scenario`] gives the files of an Exchange server (or two), of another Windows or
//! Linux host, or of a tenant of a cloud, as a collector leaves them, and a [`Truth`]: the right answer
//! to every question of the casebooks that it is about. The same name and seed
//! give the same bytes. [`bulk`] writes logs of any size for measurements of
//! speed and memory; [`hostile`] makes inputs that are damaged or made to hurt.
//!
//! Everything is inert: script bodies are comments, names and addresses are
//! reserved ones (RFC 2606, 5737, 1918), and every file holds the mark
//! `assay-range synthetic`, so that nothing made here can pass for evidence.
//!
//! # What it cannot show
//! It shares the assumptions of those who read the logs. What rests on formats
//! that nobody has published (the OAB generator's log, the error of Unified
//! Messaging) is marked *unvalidated* where it is made; a scan that finds it
//! proves nothing about real servers.
//!
//! # Not here
//! Rules, casebooks, readers. The truth is kept by hand beside each planted
//! record and never derived by running a scan.

pub mod artifact;
pub mod bulk;
pub mod hostile;

mod chain;
mod chain_others;
mod dice;
mod evtx;
mod exchange;
mod host;
mod iis;
pub mod indicators;
mod linux_cases;
mod noise;
mod scenarios;
mod server;
mod tenant;
#[cfg(test)]
mod tests;
mod truth;
mod windows;
mod windows_cases;

use std::sync::LazyLock;

pub use truth::{Truth, TruthAnswer, TruthIntrusion, TruthWho};

/// A scenario: files, and what they should be found to say.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What happened, in plain words.
    pub about: String,
    /// `/`-relative paths as KAPE leaves them, sorted, and the bytes.
    pub files: Vec<(String, Vec<u8>)>,
    /// The right answers.
    pub truth: Truth,
}

/// Makes the scenario `name`; `None` when there is none of that name.
pub fn scenario(name: &str, seed: u64) -> Option<Scenario> {
    // The only error is an event larger than a chunk, and ours are not.
    let of_hosts = scenarios::make(name, seed)
        .or_else(|| windows_cases::make(name, seed))
        .or_else(|| linux_cases::make(name, seed));
    of_hosts.map_or_else(|| tenant::make(name, seed), Result::ok)
}

/// The names that [`scenario`] knows.
pub fn names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let of_hosts = scenarios::names().iter().copied().chain(windows_cases::names());
        of_hosts.chain(linux_cases::names()).chain(tenant::names()).collect()
    });
    &NAMES
}
