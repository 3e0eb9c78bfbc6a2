//! Records carved from free space: counted beside the log that let go of them,
//! never in it, and each once.
//!
//! A carved record says what happened, so rules look at it. It says nothing of
//! what the log covers: spans, hours, record numbers and clearings are those
//! of live records only, or one record of last year would stretch a log over a
//! year that it does not hold.

use crate::logs::LogStats;
use crate::part::{RawFinding, host_name};
use model::{HostName, LogKey, Problem, Record, Role, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Carved records of one item; the rest is only counted.
const CARVED_MAX: usize = 1 << 20;

type LogName = (Option<HostName>, LogKey);

/// Carved records of one item, as they are met.
#[derive(Default)]
pub struct Carved {
    logs: Vec<LogName>,
    /// By offset: parts are merged in order.
    marks: Vec<Mark>,
    findings: Vec<RawFinding>,
    /// Records beyond the limit.
    more: u64,
}

/// What tells one carved record from others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Mark {
    /// Index of its log.
    log: usize,
    number: Option<u64>,
    time: Option<Timestamp>,
    offset: u64,
}

/// What is left when those are gone that the log still holds.
#[derive(Default)]
pub struct Settled {
    pub records: u64,
    /// Records that were not looked at, because there were too many.
    pub more: u64,
    pub findings: Vec<RawFinding>,
    /// Hosts that the findings' records name.
    pub hosts: BTreeSet<HostName>,
}

impl Settled {
    /// What was not looked at, as a problem of the item.
    pub fn problem(&self) -> Option<Problem> {
        let wanted = format!("at most {CARVED_MAX} carved records of one item");
        let found = format!("{} more", self.more);
        let records_lost = Some(self.more);
        (self.more > 0).then_some(Problem { kind: "limit", offset: None, wanted, found, records_lost })
    }
}

impl Carved {
    /// Notes a record; its host, or `None` when it is one too many.
    pub fn add(&mut self, record: &Record<'_>) -> Option<Option<HostName>> {
        if self.marks.len() >= CARVED_MAX {
            self.more += 1;
            return None;
        }
        let host = host_name(&record.role(Role::Host).to_text());
        let log = format!("{}{}", record.shape.log, record.role(Role::Channel).to_text()).to_lowercase();
        let log = self.log((host.clone(), LogKey { log, part: String::new() }));
        let position = record.position;
        let mark = Mark { log, number: position.record, time: record.time, offset: position.offset };
        self.marks.push(mark);
        Some(host)
    }

    /// Notes what rules found in the record added last.
    pub fn found(&mut self, findings: impl IntoIterator<Item = RawFinding>) {
        self.findings.extend(findings);
    }

    fn log(&mut self, name: LogName) -> usize {
        // Few, and most records follow their own kind.
        self.logs.iter().rposition(|known| *known == name).unwrap_or_else(|| {
            self.logs.push(name);
            self.logs.len() - 1
        })
    }

    /// Adds what the next part of the item gave.
    pub fn merge(&mut self, next: Carved) {
        let logs: Vec<usize> = next.logs.into_iter().map(|name| self.log(name)).collect();
        let room = CARVED_MAX - self.marks.len();
        self.more += next.more + next.marks.len().saturating_sub(room) as u64;
        let cut = next.marks.get(room).map_or(u64::MAX, |mark| mark.offset);
        self.marks.extend(next.marks.iter().take(room).map(|mark| Mark { log: logs[mark.log], ..*mark }));
        self.findings.extend(next.findings.into_iter().filter(|finding| finding.position.offset < cut));
    }

    /// Drops what is live in one of the item's `logs`, and what was carved
    /// twice.
    pub fn settle(self, logs: &BTreeMap<LogName, LogStats>) -> Settled {
        let Self { logs: names, marks, mut findings, more } = self;
        let mut seen = HashSet::new();
        let mut offsets: Vec<u64> = Vec::new();
        for mark in marks {
            let is_live = logs.get(&names[mark.log]).is_some_and(|log| log.holds(mark.number, mark.time));
            if !is_live && seen.insert((mark.log, mark.number, mark.time)) {
                offsets.push(mark.offset);
            }
        }
        findings.retain(|finding| offsets.binary_search(&finding.position.offset).is_ok());
        let hosts = findings.iter().filter_map(|finding| finding.host.clone()).collect();
        Settled { records: offsets.len() as u64, more, findings, hosts }
    }
}
