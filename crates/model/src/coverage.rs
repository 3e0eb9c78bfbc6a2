//! What was there to be read, over which time, and what was not readable.

use crate::{EvidenceId, HostName, Timestamp};
use std::collections::BTreeMap;

/// Something that could not be read as wanted. It never ends a scan.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// A stable slug: `truncated`, `bad-checksum`, `bad-record`, `limit`, …
    pub kind: &'static str,
    /// Byte offset in the unpacked item, where there is one.
    pub offset: Option<u64>,
    /// What was wanted there.
    pub wanted: String,
    /// What was there.
    pub found: String,
    /// How many records were lost by it; `None` when that cannot be known.
    pub records_lost: Option<u64>,
}

impl Problem {
    /// A problem at `offset`.
    pub fn new(kind: &'static str, offset: u64, wanted: impl Into<String>, found: impl Into<String>) -> Self {
        Self { kind, offset: Some(offset), wanted: wanted.into(), found: found.into(), records_lost: None }
    }

    /// Says how many records it cost.
    #[must_use]
    pub fn losing(mut self, records: u64) -> Self {
        self.records_lost = Some(records);
        self
    }
}

/// The kinds of silence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GapKind {
    /// Hours without a record in a log that writes every hour.
    SilentHours,
    /// Record numbers that are not there.
    RecordJump,
    /// The log was cleared (events 1102, 104).
    Cleared,
    /// The oldest record is later than the window asked for: older ones were
    /// overwritten or deleted by age.
    Rollover,
}

impl GapKind {
    /// The slug in `coverage.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            GapKind::SilentHours => "silent-hours",
            GapKind::RecordJump => "record-jump",
            GapKind::Cleared => "cleared",
            GapKind::Rollover => "rollover",
        }
    }
}

/// A time in which a log says nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Gap {
    /// Last record before it, or the beginning of the window.
    pub from: Option<Timestamp>,
    /// First record after it.
    pub to: Option<Timestamp>,
    /// Why we call it a gap.
    pub kind: GapKind,
}

/// First and last time of something, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// The earliest.
    pub first: Option<Timestamp>,
    /// The latest.
    pub last: Option<Timestamp>,
}

impl Span {
    /// Widens the span to hold `time`.
    pub fn add(&mut self, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
    }

    /// Widens the span to hold `other`.
    pub fn join(&mut self, other: Span) {
        self.add(other.first);
        self.add(other.last);
    }
}

/// Coverage of one evidence item.
#[derive(Clone, PartialEq, Debug)]
pub struct ItemCoverage {
    /// The item.
    pub evidence: EvidenceId,
    /// Records read.
    pub records: u64,
    /// Records besides that were carved from free space; they count nowhere else.
    pub carved: u64,
    /// Whether rules have looked at its content as that of a file.
    pub is_looked_at: bool,
    /// Times of the records read.
    pub span: Span,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Silences in it.
    pub gaps: Vec<Gap>,
}

/// Names a log within a host: for Windows events the channel
/// (`Security`), for text logs the slug (`httpproxy`, `iis`), each with an
/// optional part: the EventID, or the protocol of an HttpProxy log (`ecp`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LogKey {
    /// Channel or slug, in lower case.
    pub log: String,
    /// EventID or protocol, in lower case; empty for the log as a whole.
    pub part: String,
}

/// Coverage of one log (or one part of it) of one host.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LogCoverage {
    /// Records read.
    pub records: u64,
    /// Their times.
    pub span: Span,
    /// How many records had the field filled, for each field seen filled.
    /// Kept for the parts that casebooks ask for.
    pub filled: BTreeMap<String, u64>,
    /// Silences in it.
    pub gaps: Vec<Gap>,
    /// Hours (since 1970) in which it has at least one record, as runs
    /// `(first, last)`, both included, ascending.
    pub hours: Vec<(i64, i64)>,
    /// Items it was read from, ascending.
    pub items: Vec<EvidenceId>,
    /// How many rules over records look at it: those whose log source takes in
    /// some of it. Kept for whole logs; `None` where that was not asked.
    pub rules: Option<u64>,
}

impl Coverage {
    /// Logs that no rule over records looks at: name and records on all hosts, by name.
    pub fn logs_without_rule(&self) -> BTreeMap<&str, u64> {
        let mut found = BTreeMap::new();
        for ((_, key), log) in self.logs.iter().filter(|(_, log)| log.rules == Some(0)) {
            *found.entry(key.log.as_str()).or_default() += log.records;
        }
        found
    }
}

/// Coverage of a case.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Coverage {
    /// Per item, in the order of the case's evidence.
    pub items: Vec<ItemCoverage>,
    /// Per host (`None`: the host is not known) and log.
    pub logs: BTreeMap<(Option<HostName>, LogKey), LogCoverage>,
    /// Exchange build numbers seen, per host: build (`15.1.2106.2`) and when.
    pub builds: BTreeMap<Option<HostName>, BTreeMap<String, Span>>,
    /// Builds by which the files of a host's web folders were compared with
    /// lists of known-good files, and whether any list has them.
    pub listed_builds: BTreeMap<Option<HostName>, BTreeMap<String, bool>>,
}
