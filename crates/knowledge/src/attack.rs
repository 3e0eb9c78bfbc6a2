//! ATT&CK as facts: who uses what, and which dated report says so.

use crate::{Date, Day};
use std::collections::BTreeMap;

/// Index of a report in [`Attack::reports`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReportId(pub u32);

/// A published report, as ATT&CK cites it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Report {
    /// ATT&CK's name for it.
    pub name: String,
    /// Its address; empty when none is given.
    pub url: String,
    /// When it was published, by the citation's own word.
    pub date: Option<Date>,
}

/// One relation: the source uses `target`, says each of `reports`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Use {
    /// A technique (`T…`) or a software (`S…`).
    pub target: String,
    /// The cited reports, sorted.
    pub reports: Vec<ReportId>,
}

/// Another name of an actor, a software or a campaign.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OtherName {
    /// The name.
    pub name: String,
    /// Reports that ATT&CK cites for it.
    pub reports: Vec<ReportId>,
}

/// A group, a campaign or a software: what ATT&CK says that it uses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// ATT&CK's name.
    pub name: String,
    /// Its other names.
    pub other_names: Vec<OtherName>,
    /// What it uses, sorted by target.
    pub uses: Vec<Use>,
    /// Campaign: the groups that ATT&CK attributes it to, and the reports that say so.
    pub attributed_to: Vec<(String, Vec<ReportId>)>,
    /// Software: groups that its description says used it, and the reports cited in that sentence.
    pub described_with: Vec<(String, Vec<ReportId>)>,
    /// Software: whether it is malware (else a tool that others use, too).
    pub is_malware: bool,
}

/// ATT&CK for enterprises, live objects only.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attack {
    /// The version, as whoever made the table gives it.
    pub version: String,
    /// Cited reports, sorted by name and address.
    pub reports: Vec<Report>,
    /// Groups by id (`G0125`).
    pub groups: BTreeMap<String, Entry>,
    /// Campaigns by id (`C0024`).
    pub campaigns: BTreeMap<String, Entry>,
    /// Software by id (`S0154`).
    pub software: BTreeMap<String, Entry>,
    /// Names of techniques by id (`T1505.003`).
    pub techniques: BTreeMap<String, String>,
    /// Ids that were replaced, and by what.
    pub replaced: BTreeMap<String, String>,
}

impl Attack {
    /// The report behind `id`.
    pub fn report(&self, id: ReportId) -> Option<&Report> {
        self.reports.get(id.0 as usize)
    }

    /// The day from which a report counts as known; `None` when it has no date.
    pub fn day(&self, id: ReportId) -> Option<Day> {
        self.report(id)?.date.map(Date::day)
    }

    /// The earliest day that any of `reports` has.
    pub fn first_day(&self, reports: &[ReportId]) -> Option<Day> {
        reports.iter().filter_map(|report| self.day(*report)).min()
    }

    /// The name of a group, campaign, software or technique.
    pub fn name(&self, id: &str) -> Option<&str> {
        let entries = match id.as_bytes().first()? {
            b'G' => &self.groups,
            b'C' => &self.campaigns,
            b'S' => &self.software,
            _ => return self.techniques.get(id).map(String::as_str),
        };
        entries.get(id).map(|entry| entry.name.as_str())
    }

    /// The day on which `group` became known: the first dated report on anything it uses.
    pub fn group_known_from(&self, group: &str) -> Option<Day> {
        self.groups.get(group)?.uses.iter().filter_map(|used| self.first_day(&used.reports)).min()
    }

    /// The id in use for `id`, which may have been replaced.
    pub fn current_id<'a>(&'a self, id: &'a str) -> &'a str {
        self.replaced.get(id).map_or(id, String::as_str)
    }
}
