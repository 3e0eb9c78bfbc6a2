//! The scan: rules run over records, and what was there to be read.
//!
//! [`scan`] reads the evidence once ([`evidence::read`] drives, this room's
//! visitor sees every record), matches the rules, counts the logs, finds the
//! hosts, and leaves a [`Case`] whose intrusions, answers and verdicts the
//! casebook fills.
//!
//! # Not here
//! What findings mean (casebook), how they look (report), who did it.

mod assemble;
mod carved;
mod content;
mod context;
mod correlate;
pub mod differential;
mod files;
mod gather;
mod hosts;
mod indicators;
mod keep;
mod known_good;
mod logs;
mod part;
mod rule_use;
mod sessions;
mod spill;
mod standing;
mod tally;
mod web_files;

pub use correlate::{Explained, InputCounts, explain as explain_correlation};
pub use known_good::KnownGood;
#[doc(hidden)]
pub use known_good::fuzz as fuzz_known_good;
pub use rule_use::CONTENT_OF_FILES;
pub use sessions::Sessions;

use model::{Case, Problem, Spill};
use std::io;
use std::sync::Arc;

/// What to scan, and with what.
pub struct Input<'a> {
    /// The opened evidence.
    pub sources: &'a [evidence::Source],
    /// What could not be opened: path and problem.
    pub unread: Vec<(String, Problem)>,
    /// Limits on what is read.
    pub limits: &'a evidence::Limits,
    /// The compiled rules.
    pub engine: &'a sigma::Engine,
    /// What of their matches belongs together in time.
    pub correlations: &'a [sigma::Correlation],
    /// Indicators to look for, where there are any.
    pub indicators: Option<&'a indicator::IndicatorSet>,
    /// Rules over the content of small files of unknown format.
    pub yara: &'a yara::RuleSet,
    /// Files that their maker delivered.
    pub known_good: &'a KnownGood,
    /// SHA-256 over the rules.
    pub rules_sha256: [u8; 32],
    /// Logs whose filled fields the casebooks want counted.
    pub watched: &'a [casebook::Watched],
    /// Host of records that neither name one nor stand in a collection of one.
    pub host: Option<&'a str>,
    /// Called, from any thread, with bytes and records just read.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// Reads all evidence; its sessions are filled in when the casebook has found the
/// intrusions. Gives the same case in any reading order and on any
/// number of threads (those of the caller's rayon pool).
///
/// # Errors
/// When the temporary file for the fields of findings cannot be written.
pub fn scan(input: Input<'_>) -> io::Result<(Case, Sessions)> {
    let gatherer = gather::Gatherer::new(&input);
    let mut unread = input.unread;
    unread.extend(evidence::read(input.sources, input.limits, &gatherer));
    let host = input.host.and_then(part::host_name);
    let (items, spill, starts) = gatherer.finish();
    let mut logons = sessions::Logons::default();
    let mut met = rule_use::Met::default();
    let mut case = assemble::case(items, host, input.known_good, &mut met, &mut logons);
    case.spill = Spill(Some(Arc::new(spill.into_store()?)));
    case.unread.extend(unread);
    case.unread.sort();
    case.unread.dedup();
    correlate::add(&mut case, input.engine.rules(), input.correlations).map_err(io::Error::other)?;
    rule_use::count_rules(input.engine, &mut case.coverage, &met);
    case.looked_for.rules = rule_use::all(input.engine, input.correlations, input.yara, met, &case.findings);
    case.looked_for.rules_sha256 = input.rules_sha256;
    case.looked_for.rules_loaded = input.engine.rules().len() + input.correlations.len() + input.yara.len();
    Ok((case, Sessions { starts, logons }))
}
