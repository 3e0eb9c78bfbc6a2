//! What one log held: counted record by record, merged part by part.
//!
//! Everything here adds up in any order, so that the result does not depend
//! on how the evidence was split.

use model::{EvidenceId, Gap, GapKind, LogCoverage, LogFamily, Span, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Hours kept per log: eleven years. A log whose times are scattered further
/// (hostile, or a broken clock) keeps its first ones and claims no silence.
const HOURS_MAX: usize = 100_000;
/// Runs of record numbers kept per log and item.
const RUNS_MAX: usize = 20_000;
/// A log counts as one that writes every hour when it did so in this share
/// (percent) of the hours between its first and its last record, but for its
/// longest silence: a log that is silent for a week is still an hourly log …
const HOURLY_PERCENT_MIN: i64 = 60;
/// … and in at least so many.
const HOURLY_HOURS_MIN: usize = 12;
/// Gaps listed per log; a log that jumps more often is a selection, not a log.
const GAPS_MAX: usize = 1_000;

/// Consecutive record numbers, both ends included, with their times.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NumberRun {
    pub first: u64,
    pub last: u64,
    pub first_time: Option<Timestamp>,
    pub last_time: Option<Timestamp>,
    /// Earliest and latest time of all: clocks are set back.
    pub earliest: Option<Timestamp>,
    pub latest: Option<Timestamp>,
}

impl NumberRun {
    /// Adds a run that goes on where this one ends.
    fn go_on(&mut self, next: NumberRun) {
        self.last = next.last;
        self.last_time = next.last_time;
        self.earliest = self.earliest.into_iter().chain(next.earliest).min();
        self.latest = self.latest.max(next.latest);
    }
}

/// Joins runs of a log between which another log of the same file goes on: a file of forwarded
/// events numbers the records of all its logs in one row, and no number is missing in it.
pub fn bridge<'s>(logs: impl Iterator<Item = &'s mut LogStats>) {
    let mut logs: Vec<&mut LogStats> = logs.filter(|log| !log.runs.is_empty()).collect();
    if logs.len() < 2 {
        return;
    }
    let mut all: Vec<(u64, u64)> =
        logs.iter().flat_map(|log| &log.runs).map(|run| (run.first, run.last)).collect();
    all.sort_unstable();
    all.dedup_by(|next, before| {
        let goes_on = next.0 <= before.1.saturating_add(1);
        before.1 = if goes_on { before.1.max(next.1) } else { before.1 };
        goes_on
    });
    let is_whole = |from: u64, to: u64| {
        let behind = all.partition_point(|(first, _)| *first <= from);
        all[..behind].last().is_some_and(|(_, last)| *last >= to)
    };
    for log in &mut logs {
        log.runs.sort_unstable();
        log.runs.dedup_by(|next, before| {
            let is_bridged = before.last < next.first && is_whole(before.last, next.first);
            if is_bridged {
                before.go_on(*next);
            }
            is_bridged
        });
    }
}

/// Counts of one log of one host.
#[derive(Clone, Debug, Default)]
pub struct LogStats {
    /// What rules tell logs apart by first; `None` for parts of a log, and for what is counted without records.
    pub family: Option<LogFamily>,
    pub records: u64,
    pub span: Span,
    pub filled: BTreeMap<String, u64>,
    pub hours: BTreeSet<i64>,
    pub runs: Vec<NumberRun>,
    /// Times at which the log was cleared.
    pub cleared: BTreeSet<Timestamp>,
    /// The hour of the last record, which is among `hours`: most records follow in their hour.
    last_hour: Option<i64>,
}

impl LogStats {
    /// Of a log of this family, with nothing in it yet.
    pub fn of(family: LogFamily) -> Self {
        Self { family: Some(family), ..Self::default() }
    }

    /// Counts one record.
    pub fn add(&mut self, time: Option<Timestamp>, number: Option<u64>) {
        self.records += 1;
        self.span.add(time);
        if let Some(hour) = time.map(|time| time.hour_index())
            && self.last_hour != Some(hour)
            && self.hours.len() < HOURS_MAX
        {
            self.hours.insert(hour);
            self.last_hour = Some(hour);
        }
        if let Some(number) = number {
            self.add_run(NumberRun {
                first: number,
                last: number,
                first_time: time,
                last_time: time,
                earliest: time,
                latest: time,
            });
        }
    }

    fn add_run(&mut self, run: NumberRun) {
        let room = self.runs.len() < RUNS_MAX;
        match self.runs.last_mut() {
            Some(last) if last.last.checked_add(1) == Some(run.first) => {
                last.go_on(run);
            }
            _ if room => self.runs.push(run),
            _ => {}
        }
    }

    /// Adds what another part of the same log held.
    pub fn merge(&mut self, other: LogStats) {
        self.records += other.records;
        self.family = self.family.or(other.family);
        self.span.join(other.span);
        for (field, count) in other.filled {
            *self.filled.entry(field).or_default() += count;
        }
        self.cleared.extend(other.cleared);
        let room = HOURS_MAX.saturating_sub(self.hours.len());
        self.hours.extend(other.hours.into_iter().take(room));
        other.runs.into_iter().for_each(|run| self.add_run(run));
    }

    /// Whether a record of this number and time is one of the log's. A run of
    /// numbers holds each of them once, so one that also fits its times is the
    /// same record; a log that was begun anew uses its numbers again at other
    /// times. A log of too many runs is not known well enough to deny it.
    pub fn holds(&self, number: Option<u64>, time: Option<Timestamp>) -> bool {
        let Some(number) = number else { return self.records > 0 };
        let fits = |run: &NumberRun| {
            let in_time =
                time.is_none_or(|_| run.earliest.is_none() || (run.earliest..=run.latest).contains(&time));
            (run.first..=run.last).contains(&number) && in_time
        };
        self.runs.len() >= RUNS_MAX || self.runs.iter().any(fits)
    }

    /// All silences in it, by time; `window` is where the log should begin.
    pub fn gaps(&self, window: Option<Timestamp>) -> Vec<Gap> {
        let mut gaps = self.number_jumps();
        gaps.extend(self.silent_hours());
        gaps.extend(self.cleared.iter().map(|time| Gap {
            from: self.last_before(*time),
            to: Some(*time),
            kind: GapKind::Cleared,
        }));
        gaps.extend(self.rollover(window));
        gaps.sort_by_key(|gap| (gap.from.or(gap.to), gap.to, gap.kind));
        gaps.truncate(GAPS_MAX);
        gaps
    }

    fn number_jumps(&self) -> Vec<Gap> {
        let mut runs = self.runs.clone();
        // A log that has wrapped stands in its file with its newest chunks first.
        runs.sort_unstable();
        let mut gaps = Vec::new();
        let mut reached: Option<NumberRun> = None;
        for run in runs {
            if let Some(before) = reached
                && before.last.checked_add(1).is_some_and(|next| run.first > next)
            {
                gaps.push(Gap { from: before.last_time, to: run.first_time, kind: GapKind::RecordJump });
            }
            reached = match reached {
                Some(before) if before.last > run.last => Some(before),
                _ => Some(run),
            };
        }
        gaps
    }

    fn silent_hours(&self) -> Vec<Gap> {
        let (Some(first), Some(last)) = (self.hours.first(), self.hours.last()) else {
            return Vec::new();
        };
        let present = self.hours.len();
        let pairs = || self.hours.iter().zip(self.hours.iter().skip(1));
        let longest = pairs().map(|(one, next)| next - one - 1).max().unwrap_or(0);
        let between = last - first + 1 - longest;
        let hourly = (HOURLY_HOURS_MIN..HOURS_MAX).contains(&present)
            && present as i64 * 100 >= between * HOURLY_PERCENT_MIN;
        if !hourly {
            return Vec::new();
        }
        pairs()
            .filter(|(one, next)| **next > **one + 1)
            .map(|(one, next)| Gap {
                from: Timestamp::from_seconds((one + 1) * 3_600),
                to: Timestamp::from_seconds(next * 3_600),
                kind: GapKind::SilentHours,
            })
            .collect()
    }

    /// The log begins after the window does. Of an event log this counts only
    /// when its oldest record is not its first one: else it began then. A text
    /// log may have had nothing to write for some hours, but not for a day.
    fn rollover(&self, window: Option<Timestamp>) -> Option<Gap> {
        let (first, window) = (self.span.first?, window?);
        let oldest_number = self.runs.iter().map(|run| run.first).min();
        let hours_late = if oldest_number.is_some() { 1 } else { 24 };
        let lost = first.hour_index() - window.hour_index() > hours_late;
        (lost && oldest_number != Some(1)).then_some(Gap {
            from: Some(window),
            to: Some(first),
            kind: GapKind::Rollover,
        })
    }

    fn last_before(&self, time: Timestamp) -> Option<Timestamp> {
        let times = self.runs.iter().flat_map(|run| [run.first_time, run.last_time]);
        times.flatten().filter(|other| *other < time).max()
    }

    /// The log's coverage, read from `items`.
    pub fn coverage(&self, items: Vec<EvidenceId>, window: Option<Timestamp>) -> LogCoverage {
        LogCoverage {
            records: self.records,
            span: self.span,
            filled: self.filled.clone(),
            gaps: self.gaps(window),
            hours: runs_of(&self.hours),
            items,
            rules: None,
        }
    }
}

fn runs_of(hours: &BTreeSet<i64>) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for hour in hours {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *hour => *last = *hour,
            _ => runs.push((*hour, *hour)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Option<Timestamp> {
        Timestamp::from_seconds(1_614_556_800 + hour * 3_600)
    }

    fn kinds(stats: &LogStats, window: Option<Timestamp>) -> Vec<&'static str> {
        stats.gaps(window).iter().map(|gap| gap.kind.as_str()).collect()
    }

    #[test]
    fn a_wrapped_log_has_no_jump() {
        let mut stats = LogStats::default();
        (50..60).chain(40..50).for_each(|number| stats.add(at(number), Some(number as u64)));
        assert!(kinds(&stats, None).iter().all(|kind| *kind != "record-jump"));
        stats.add(at(70), Some(63));
        assert_eq!(kinds(&stats, None), ["record-jump", "silent-hours"]);
    }

    #[test]
    fn silence_counts_only_in_hourly_logs() {
        let mut hourly = LogStats::default();
        (0..30).filter(|hour| !(10..13).contains(hour)).for_each(|hour| hourly.add(at(hour), None));
        assert_eq!(kinds(&hourly, None), ["silent-hours"]);
        let gap = hourly.gaps(None)[0];
        assert_eq!((gap.from, gap.to), (at(10), at(13)));

        let mut long = LogStats::default();
        (0..24).chain(72..96).for_each(|hour| long.add(at(hour), None));
        assert_eq!(kinds(&long, None), ["silent-hours"], "longer than all else");
        let mut office = LogStats::default();
        (0..10)
            .flat_map(|day| (8..18).map(move |hour| day * 24 + hour))
            .for_each(|h| office.add(at(h), None));
        assert!(kinds(&office, None).is_empty(), "silent at night");

        let mut sparse = LogStats::default();
        (0..30).for_each(|day| sparse.add(at(day * 24), None));
        assert!(kinds(&sparse, None).is_empty());
    }

    #[test]
    fn a_log_that_begins_late_rolled_over() {
        let mut young = LogStats::default();
        young.add(at(48), Some(1));
        assert!(kinds(&young, at(0)).is_empty(), "its first record is its first ever");
        let mut rolled = LogStats::default();
        rolled.add(at(48), Some(9_000));
        assert_eq!(kinds(&rolled, at(0)), ["rollover"]);
    }

    #[test]
    fn logs_of_one_file_share_its_numbers() {
        let (mut one, mut other) = (LogStats::default(), LogStats::default());
        for number in (1..40).filter(|number| !(20..25).contains(number)) {
            let log = if number % 3 == 0 { &mut one } else { &mut other };
            log.add(at(0), Some(number));
        }
        bridge([&mut one, &mut other].into_iter());
        for log in [one, other] {
            assert_eq!(kinds(&log, None), ["record-jump"], "19 to 25");
        }
    }

    #[test]
    fn numbers_that_jump_all_the_time_jump() {
        let mut selection = LogStats::default();
        (0..RUNS_MAX as u64 + 10).for_each(|number| selection.add(at(0), Some(3 * number)));
        assert_eq!(selection.gaps(None).len(), GAPS_MAX);
    }

    #[test]
    fn a_log_knows_its_own_records() {
        let mut log = LogStats::default();
        (10..20).for_each(|number| log.add(at(number), Some(number as u64)));
        assert!(log.holds(Some(12), at(12)));
        assert!(log.holds(Some(12), None));
        assert!(!log.holds(Some(12), at(2)), "an earlier log of the same numbers");
        assert!(!log.holds(Some(9), at(9)));
        assert!(!LogStats::default().holds(None, None));
    }

    #[test]
    fn merging_in_parts_is_the_same_as_counting_at_once() {
        let mut whole = LogStats::default();
        let mut parts = LogStats::default();
        for chunk in [0..5u64, 5..9, 20..25] {
            let mut part = LogStats::default();
            for number in chunk {
                whole.add(at(number as i64), Some(number));
                part.add(at(number as i64), Some(number));
            }
            parts.merge(part);
        }
        assert_eq!(whole.runs, parts.runs);
        assert_eq!(whole.gaps(None), parts.gaps(None));
    }
}
