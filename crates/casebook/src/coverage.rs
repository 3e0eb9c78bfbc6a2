//! Which hours a host's logs cover, and over which window it is asked about.

use crate::book::WindowRule;
use model::{Case, HostName, ItemCoverage, LogCoverage, LogKey, Span, Timestamp};
use std::collections::BTreeMap;

/// A set of hours (since 1970): runs `(first, last)`, both included, apart
/// from each other and ascending. Its size grows with the runs, not with the
/// hours: a log may well claim to reach from 1678 to 2261.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hours(Vec<(i64, i64)>);

impl Hours {
    /// From runs in any order, which may overlap; those that end before they
    /// begin are left out. Silences of up to `bridge` hours are closed.
    pub fn new(runs: impl IntoIterator<Item = (i64, i64)>, bridge: i64) -> Self {
        let mut sorted: Vec<(i64, i64)> = runs.into_iter().filter(|(first, last)| first <= last).collect();
        sorted.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::new();
        for (first, last) in sorted {
            match joined.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1).saturating_add(bridge) => {
                    *end = (*end).max(last)
                }
                _ => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    /// How many hours it holds.
    pub fn count(&self) -> i64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// How many days (UTC) it touches.
    pub fn days(&self) -> i64 {
        let mut count = 0;
        let mut counted = i64::MIN;
        for (first, last) in &self.0 {
            let (first, last) = (first.div_euclid(24).max(counted.saturating_add(1)), last.div_euclid(24));
            count += (last - first + 1).max(0);
            counted = last;
        }
        count
    }

    pub fn union(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(&other.0).copied(), 0)
    }

    pub fn intersection(&self, other: &Self) -> Self {
        let mut runs = Vec::new();
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some((a_first, a_last)), Some((b_first, b_last))) = (a.peek(), b.peek()) {
            runs.push((*a_first.max(b_first), *a_last.min(b_last)));
            if a_last < b_last {
                a.next();
            } else {
                b.next();
            }
        }
        // Hours that only touch must not grow together over a gap of one hour.
        Self(runs.into_iter().filter(|(first, last)| first <= last).collect())
    }

    /// The hours of this set that `other` does not hold.
    pub fn without(&self, other: &Self) -> Self {
        let mut ends = vec![i64::MIN];
        let mut complement = Vec::new();
        for (first, last) in &other.0 {
            let from = ends.pop().unwrap_or(i64::MIN);
            complement.push((from, first.saturating_sub(1)));
            ends.push(last.saturating_add(1));
        }
        complement.push((ends.pop().unwrap_or(i64::MIN), i64::MAX));
        let complement = complement.into_iter().filter(|(first, last)| first <= last).collect();
        self.intersection(&Self(complement))
    }

    pub fn runs(&self) -> &[(i64, i64)] {
        &self.0
    }
}

/// The time a host is asked about, in hours, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    pub first: i64,
    pub last: i64,
}

impl Window {
    pub fn hours(self) -> Hours {
        Hours::new([(self.first, self.last)], 0)
    }

    /// The last 24 hours before `time`, both ends included.
    pub fn last_day(time: Timestamp) -> Self {
        let last = time.hour_index();
        Self { first: last.saturating_sub(24), last }
    }
}

impl WindowRule {
    /// The window, and the time of a known breach: where the logs begin after
    /// it, they do not show how it began.
    pub fn stretch(&self, window: Window, breach: Span) -> Window {
        let from = self.from.map_or(i64::MIN, Timestamp::hour_index);
        let hours = [breach.first, breach.last].into_iter().flatten().map(Timestamp::hour_index);
        hours.filter(|hour| *hour >= from).fold(window, |window, hour| Window {
            first: window.first.min(hour),
            last: window.last.max(hour),
        })
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&days_text(self.first, self.last))
    }
}

/// `2021-02-11 … 2021-03-09`, or one day alone.
fn days_text(first: i64, last: i64) -> String {
    let (from, to) = (day(first), day(last));
    if from == to { from } else { format!("{from} … {to}") }
}

/// A run of hours in words: days where it is long, else hours.
pub fn run_text((first, last): (i64, i64)) -> String {
    if last - first >= 36 {
        return days_text(first, last);
    }
    let (begin, end) = (hour(first), hour(last.saturating_add(1)));
    let same_day = begin.get(..10) == end.get(..10);
    format!("{begin} … {}", if same_day { end.get(11..).unwrap_or_default() } else { &end })
}

fn day(hour: i64) -> String {
    short(hour).get(..10).unwrap_or_default().to_owned()
}

/// `2021-03-05 02:00Z`.
fn hour(hour: i64) -> String {
    format!("{}Z", short(hour).get(..16).unwrap_or_default())
}

fn short(hour: i64) -> String {
    let time = hour.checked_mul(3_600).and_then(Timestamp::from_seconds);
    time.map(Timestamp::to_short).unwrap_or_default()
}

/// What there is of one host.
pub struct HostLogs<'a> {
    logs: BTreeMap<&'a LogKey, &'a LogCoverage>,
    items: &'a [ItemCoverage],
    /// Builds by which its web files were compared, and whether a list has each.
    listed_builds: Option<&'a BTreeMap<String, bool>>,
    /// The time of its last record, over all its logs.
    pub last_record: Option<Timestamp>,
}

impl<'a> HostLogs<'a> {
    /// Per host of the case: those with a log, with a finding, and those that
    /// the case names.
    pub fn of_case(case: &'a Case) -> BTreeMap<Option<HostName>, HostLogs<'a>> {
        let empty = || HostLogs {
            logs: BTreeMap::new(),
            items: &case.coverage.items,
            listed_builds: None,
            last_record: None,
        };
        let mut hosts: BTreeMap<Option<HostName>, HostLogs<'a>> = BTreeMap::new();
        for ((host, key), log) in &case.coverage.logs {
            let own = hosts.entry(host.clone()).or_insert_with(empty);
            own.logs.insert(key, log);
            own.last_record = own.last_record.max(log.span.last);
        }
        for host in case.hosts.iter().map(|host| Some(host.name.clone())) {
            hosts.entry(host).or_insert_with(empty);
        }
        for finding in &case.findings {
            if !hosts.contains_key(&finding.host) {
                hosts.insert(finding.host.clone(), empty());
            }
        }
        for (host, own) in &mut hosts {
            own.listed_builds = case.coverage.listed_builds.get(host);
        }
        hosts
    }

    /// Builds that no list of known-good files has, in words.
    pub fn unlisted_builds(&self) -> String {
        let builds = self.listed_builds.into_iter().flatten();
        let names: Vec<&str> =
            builds.filter(|(_, is_listed)| !**is_listed).map(|(build, _)| build.as_str()).collect();
        match names[..] {
            [] => "a build that is not known".to_owned(),
            _ => format!("build {}, which no list has", names.join(", ")),
        }
    }

    pub fn log(&self, key: &LogKey) -> Option<&'a LogCoverage> {
        self.logs.get(key).copied()
    }

    /// Whether any of `names` is there, even empty: a log, or `log:part`.
    pub fn has_any(&self, names: &[String]) -> bool {
        let is = |key: &LogKey, name: &str| match name.split_once(':') {
            Some((log, part)) => (key.log.as_str(), key.part.as_str()) == (log, part),
            None => key.log == name,
        };
        self.logs.keys().any(|key| names.iter().any(|name| is(key, name)))
    }

    /// Problems of the items that `log` was read from: records known to be
    /// lost, and whether an item was cut so that nobody knows how many.
    pub fn losses(&self, log: &LogCoverage) -> (u64, bool) {
        // Coverage of items stands in the order of the evidence.
        let items = log.items.iter().filter_map(|id| self.items.get(id.0 as usize));
        let problems: Vec<_> = items.flat_map(|item| &item.problems).collect();
        let known = problems.iter().filter_map(|problem| problem.records_lost).fold(0, u64::saturating_add);
        let cut =
            problems.iter().any(|problem| problem.kind == "truncated" && problem.records_lost.is_none());
        (known, cut)
    }

    /// The span of the host's web and Exchange logs, as the book names them;
    /// of all its logs where it has none of these. Nothing before the rule's
    /// first day counts, unless everything is.
    pub fn window(&self, rule: &WindowRule) -> Option<Window> {
        let front = self.span(|key| rule.logs.contains(&key.log));
        let (first, last) = front.or_else(|| self.span(|_| true))?;
        let from = rule.from.map_or(i64::MIN, Timestamp::hour_index);
        let first = if last >= from { first.max(from) } else { first };
        Some(Window { first, last })
    }

    fn span(&self, wanted: impl Fn(&LogKey) -> bool) -> Option<(i64, i64)> {
        let logs = self.logs.iter().filter(|(key, _)| wanted(key));
        let spans = logs.filter_map(|(_, log)| log.span.first.zip(log.span.last));
        spans
            .map(|(first, last)| (first.hour_index(), last.hour_index()))
            .reduce(|(first, last), (other_first, other_last)| (first.min(other_first), last.max(other_last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(runs: &[(i64, i64)]) -> Hours {
        Hours::new(runs.iter().copied(), 0)
    }

    #[test]
    fn sets_of_hours() {
        let some = hours(&[(0, 9), (20, 29)]);
        assert_eq!(some.count(), 20);
        assert_eq!(some.days(), 2);
        assert_eq!(some.union(&hours(&[(10, 19)])).runs(), [(0, 29)]);
        assert_eq!(some.intersection(&hours(&[(5, 24)])).runs(), [(5, 9), (20, 24)]);
        assert_eq!(hours(&[(0, 29)]).without(&some).runs(), [(10, 19)]);
        assert_eq!(some.without(&hours(&[])), some);
        assert_eq!(Hours::new([(0, 1), (4, 5)], 2).runs(), [(0, 5)]);
        assert_eq!(Hours::new([(0, 1), (5, 5)], 2).runs(), [(0, 1), (5, 5)]);
        assert_eq!(Hours::new([(i64::MIN, i64::MAX)], 5).without(&some).runs().len(), 3);
    }

    #[test]
    fn runs_in_words() {
        // 2021-03-06 00:00 is hour 448,608.
        assert_eq!(run_text((448_608, 448_608 + 71)), "2021-03-06 … 2021-03-08");
        assert_eq!(run_text((448_608, 448_610)), "2021-03-06 00:00Z … 03:00Z");
        assert_eq!(run_text((448_630, 448_632)), "2021-03-06 22:00Z … 2021-03-07 01:00Z");
    }
}
