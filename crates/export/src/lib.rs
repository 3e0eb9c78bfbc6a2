//! A case for others: STIX 2.1, MISP, the ATT&CK Navigator, Timesketch, a table of indicators, and a summary that can be merged.
//!
//! [`Export::prepare`] asks once, before anything is written, how much the audience may see ([`stix::visibility`]); every exit
//! writes what came of that, and nothing beside it. [`facts`] holds what the case says as values of known kinds,
//! [`redact`] how they leave, [`key`] the secret that pseudonyms come from.
//!
//! The same case, key and options give the same bytes.
//!
//! # Not here
//! Files, the clock, randomness: the caller opens, and brings the key. How a case is made.

pub mod assessed;
pub mod facts;
pub mod fuzz;
pub mod key;
mod misp;
mod navigator;
mod own;
pub mod redact;
mod stix_bundle;
mod summary;
mod table;
mod value;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

pub use assessed::Attribution;
pub use key::Key;
pub use summary::{Merged, Summary, merge, summaries};

use facts::{Facts, Group};
use model::{Case, IntrusionId, Run, Timestamp};
use redact::{Detail, Redactor};
use std::collections::BTreeMap;
use std::io::{self, Write};
use stix::{Audience, Owner, Tlp, Visibility, visibility};

/// What the user chooses of an export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// For whom it is.
    pub audience: Audience,
    /// Whether people and web shells are named; only within the organisation, or to named persons.
    pub reveal: bool,
    /// Who stands behind it.
    pub organisation: Option<String>,
    /// Whether the work is finished: a report, no grouping.
    pub finished: bool,
}

/// Why nothing is written.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The audience may see nothing of it.
    #[error("nothing of the case may go to this audience: {0}")]
    Audience(String),
    /// Names would leave the organisation.
    #[error("--reveal names people and web shells, and {0} leaves the organisation: leave one of them out")]
    Reveal(&'static str),
    /// The case does not say when it was made, and no time is invented.
    #[error("the case holds no time: run.json does not say when it was made, and no finding has one")]
    NoTime,
    /// Its files.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What was left out, and why.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LeftOut {
    /// What (`findings of listed indicators`).
    pub what: &'static str,
    /// Why, in words.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// A case made ready for an audience.
pub struct Export<'c> {
    case: &'c Case,
    attribution: Option<&'c Attribution>,
    key: &'c Key,
    options: Options,
    facts: Facts,
    redactor: Redactor<'c>,
    /// `created` of the objects: the last time that the case tells of.
    created: Timestamp,
    /// When the case was made, where it says so.
    made: Timestamp,
    left_out: BTreeMap<(&'static str, String), u64>,
}

/// The marking of what a case says of the organisation's own: nobody marked it.
const OWN: Tlp = Tlp::AmberStrict;

impl<'c> Export<'c> {
    /// Decides what may be told, and makes it ready.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn prepare(
        case: &'c Case,
        run: &Run,
        attribution: Option<&'c Attribution>,
        key: &'c Key,
        options: Options,
    ) -> Result<Self, Refused> {
        let detail = match visibility(&OWN.into(), Owner::Us, &options.audience) {
            Visibility::Whole if options.reveal => Detail::Whole,
            Visibility::Whole => Detail::Masked,
            Visibility::Redacted if options.reveal => {
                return Err(Refused::Reveal(options.audience.tlp().as_str()));
            }
            Visibility::Redacted => Detail::Redacted,
            Visibility::Refused(refusal) => return Err(Refused::Audience(refusal.as_text())),
        };
        let mut facts = Facts::of(case)?;
        let mut redactor = Redactor::of(case, &facts, key, detail)?;
        let (created, made) = times(case, run)?;
        let mut left_out = BTreeMap::new();
        facts.groups.retain(|group| keep(group, &options.audience, detail, &mut left_out));
        let listed = facts.groups.iter().filter_map(|group| group.listed.as_ref());
        listed.filter_map(|listed| listed.value.parse().ok()).for_each(|address| redactor.allow(address));
        Ok(Self { case, attribution, key, options, facts, redactor, created, made, left_out })
    }

    /// What was left out, and why; sorted.
    pub fn left_out(&self) -> Vec<LeftOut> {
        let entry = |((what, reason), count): (&(&'static str, String), &u64)| LeftOut {
            what,
            reason: reason.clone(),
            count: *count,
        };
        self.left_out.iter().map(entry).collect()
    }

    /// The label of the whole.
    pub fn tlp(&self) -> Tlp {
        self.options.audience.tlp()
    }

    /// How much is told.
    pub fn detail(&self) -> Detail {
        self.redactor.detail()
    }

    /// The STIX 2.1 bundle.
    ///
    /// # Errors
    /// When what it is made of may together go to nobody.
    pub fn stix(&self) -> Result<stix::Bundle, Refused> {
        stix_bundle::bundle(self)
    }

    /// Writes the STIX 2.1 bundle.
    ///
    /// # Errors
    /// When what it is made of may together go to nobody, and those of `out`.
    pub fn write_stix(&self, out: &mut dyn Write) -> Result<(), Refused> {
        Ok(self.stix()?.write_with(out, &mut |map, out| report::json::write_compact(map, out))?)
    }

    /// Writes a MISP event.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_misp(&self, out: &mut dyn Write) -> io::Result<()> {
        misp::write(self, out)
    }

    /// Writes a layer of the ATT&CK Navigator, format 4.5.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_navigator(&self, out: &mut dyn Write) -> io::Result<()> {
        navigator::write(self, out)
    }

    /// Writes the findings that have a time as Timesketch imports them (CSV).
    ///
    /// # Errors
    /// Those of `out`, and of fields that cannot be read back.
    pub fn write_timesketch(&self, out: &mut dyn Write) -> io::Result<()> {
        table::write_timesketch(self, out)
    }

    /// Writes the indicators as CSV.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_indicators(&self, out: &mut dyn Write) -> io::Result<()> {
        table::write_indicators(self, out)
    }

    /// What tells this case from others in names: a keyed hash over its evidence.
    fn case_tag(&self) -> String {
        let mut bytes = stix::timestamp(self.created).into_bytes();
        self.case.items.iter().for_each(|item| bytes.extend(item.sha256));
        self.key.namespace().uuid(&bytes).to_string()[..8].to_owned()
    }
}

/// `created` of what is exported, and when the case was made.
///
/// The first is the last time that the case tells of, so that the same evidence scanned again gives the same objects
/// under the same ids: STIX leaves it to the creator which time is *created* (2.1, section 3.2). It is never later than the
/// scan: clocks of evidence may be wrong, and what looks like the future is of no use to anybody who updates by times.
fn times(case: &Case, run: &Run) -> Result<(Timestamp, Timestamp), Refused> {
    let findings = case.findings.iter().filter_map(|finding| finding.time).max();
    let logs = || case.coverage.logs.values().filter_map(|log| log.span.last).max();
    let told = findings.or_else(logs);
    let created = match (told, run.started) {
        (Some(told), Some(started)) => told.min(started),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => return Err(Refused::NoTime),
    };
    Ok((created, run.started.unwrap_or(created)))
}

/// Whether a group is told at all; else it is counted, with the reason.
fn keep(
    group: &Group,
    audience: &Audience,
    detail: Detail,
    left_out: &mut BTreeMap<(&'static str, String), u64>,
) -> bool {
    let mut leave_out = |what, reason: String, count| *left_out.entry((what, reason)).or_default() += count;
    if !group.is_telling() {
        leave_out("findings", "of level low or below, and part of no intrusion".to_owned(), group.findings);
        return false;
    }
    if let Some(listed) = &group.listed
        && let Visibility::Refused(refusal) = visibility(&listed.marking, Owner::Other, audience)
    {
        leave_out("findings of listed indicators", refusal.as_text(), group.findings);
        return false;
    }
    if detail == Detail::Redacted {
        let inner = |observable: &&facts::Observable| {
            matches!(observable, facts::Observable::Process { .. } | facts::Observable::Request { .. })
        };
        let hidden = group.observables.iter().filter(inner).count() as u64;
        if hidden > 0 {
            leave_out("command lines and requests", "free text of evidence stays at home".to_owned(), hidden);
        }
    }
    if group.not_kept > 0 {
        let reason = format!("beyond {} of one rule, host and intrusion", facts::OBSERVABLES_MAX);
        leave_out("observables", reason, group.not_kept);
    }
    true
}

/// The name of an intrusion in every file of the case.
fn intrusion_label(id: IntrusionId) -> String {
    format!("intrusion-{}", u64::from(id.0) + 1)
}
