//! The weeks of a host as lanes: what was done, and which logs would have shown it.
//!
//! A lane is a line of marks over time. Marks that lie too near to each other to be told apart are one mark with a
//! count, so that a lane is bounded whatever the case holds.

use crate::words;
use model::{Answer, AnswerWord, Case, FindingId, Gap, GapKind, HostName, LogCoverage, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// Parts of the shown time that a lane tells apart.
const STEPS: i64 = 800;
/// Logs shown for one host; those with the most records.
const LOGS_MAX: usize = 24;
/// Room before the first and after the last act, in seconds at least.
const ROOM_SECONDS_MIN: i64 = 12 * 3_600;
const HOUR: i64 = 3_600;

/// What a mark stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum MarkKind {
    /// Findings that an answer rests on.
    Act(AnswerWord),
    /// Hours in which a log has records.
    Covered,
    /// A silence in a log.
    Gap(GapKind),
}

/// A stretch of time in a lane, in seconds since 1970, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) kind: MarkKind,
    /// How many findings, hours or gaps it stands for.
    pub(crate) count: u64,
}

/// One line of the picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lane {
    pub(crate) name: String,
    pub(crate) marks: Vec<Mark>,
}

/// The picture of one host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Lanes {
    /// All that is drawn.
    pub(crate) whole: (i64, i64),
    /// What is shown at first: the acts, with some room around them.
    pub(crate) shown: (i64, i64),
    pub(crate) acts: Vec<Lane>,
    pub(crate) logs: Vec<Lane>,
    /// Logs that have no lane.
    pub(crate) logs_left_out: usize,
}

/// When each finding was, for all pictures of a case.
pub(crate) struct Times(HashMap<FindingId, i64>);

impl Times {
    pub(crate) fn of(case: &Case) -> Self {
        let timed = case.findings.iter().filter_map(|finding| Some((finding.id, finding.time?.seconds())));
        Self(timed.collect())
    }
}

/// The lanes of `host`; `None` when nothing of it has a time.
pub(crate) fn lanes(case: &Case, times: &Times, host: Option<&str>, answers: &[&Answer]) -> Option<Lanes> {
    let acts = acts(times, answers);
    let mut logs: Vec<(&str, &LogCoverage)> = case
        .coverage
        .logs
        .iter()
        .filter(|((of, key), _)| of.as_ref().map(|of: &HostName| &**of) == host && key.part.is_empty())
        .map(|((_, key), log)| (key.log.as_str(), log))
        .filter(|(_, log)| log.span.first.is_some())
        .collect();
    logs.sort_by_key(|(name, log)| (std::cmp::Reverse(log.records), *name));
    let logs_left_out = logs.len().saturating_sub(LOGS_MAX);
    logs.truncate(LOGS_MAX);
    logs.sort_by_key(|(name, _)| *name);

    let act_span = bounds(acts.values().flatten().map(|time| (*time, *time)));
    let log_span = bounds(logs.iter().filter_map(|(_, log)| seconds(log.span.first, log.span.last)));
    let whole = bounds(act_span.into_iter().chain(log_span))?;
    let shown = act_span.map_or(whole, |span| with_room(span, whole));
    let step = ((whole.1 - whole.0) / STEPS).max(1);
    // The time that is shown at first must stay sharp in a log of years.
    let step = step.min(((shown.1 - shown.0) / STEPS).max(1) * 8);
    Some(Lanes {
        whole,
        shown,
        acts: answers.iter().filter_map(|answer| act_lane(answer, &acts, step)).collect(),
        logs: logs.into_iter().map(|(name, log)| log_lane(name, log, step)).collect(),
        logs_left_out,
    })
}

/// Times of the grounds of each answer that says that something happened. Builds have spans of their own and are
/// no acts, so an answer without grounds is none.
fn acts(times: &Times, answers: &[&Answer]) -> BTreeMap<String, Vec<i64>> {
    let happened =
        answers.iter().filter(|answer| matches!(answer.answer, AnswerWord::Yes | AnswerWord::Likely));
    let mut acts: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for answer in happened {
        let mut known: Vec<i64> = answer.grounds.iter().filter_map(|id| times.0.get(id).copied()).collect();
        known.sort_unstable();
        if !known.is_empty() {
            acts.insert(lane_key(answer), known);
        }
    }
    acts
}

fn lane_key(answer: &Answer) -> String {
    format!("{}/{}", answer.casebook, answer.question_id)
}

fn act_lane(answer: &Answer, acts: &BTreeMap<String, Vec<i64>>, step: i64) -> Option<Lane> {
    let times = acts.get(&lane_key(answer))?;
    let kind = MarkKind::Act(answer.answer);
    let marks = times.iter().map(|time| Mark { from: *time, to: *time, kind, count: 1 });
    Some(Lane { name: words::question_label(&answer.question_id), marks: joined(marks, step) })
}

fn log_lane(name: &str, log: &LogCoverage, step: i64) -> Lane {
    let runs = log.hours.iter().map(|(first, last)| Mark {
        from: first * HOUR,
        to: (last + 1) * HOUR - 1,
        kind: MarkKind::Covered,
        count: u64::try_from(last - first + 1).unwrap_or(0),
    });
    let mut marks = joined(runs, step);
    for kind in [GapKind::SilentHours, GapKind::RecordJump, GapKind::Cleared, GapKind::Rollover] {
        let of_kind = |gap: &&Gap| gap.kind == kind;
        let mut gaps: Vec<Mark> = log.gaps.iter().filter(of_kind).filter_map(gap_mark).collect();
        gaps.sort_by_key(|mark| (mark.from, mark.to));
        marks.extend(joined(gaps.into_iter(), step));
    }
    Lane { name: name.to_owned(), marks }
}

/// A clearing and a jump are told at the record after them; before it nothing is known.
fn gap_mark(gap: &Gap) -> Option<Mark> {
    let (from, to) = match gap.kind {
        GapKind::Cleared | GapKind::RecordJump => seconds(gap.to.or(gap.from), gap.to.or(gap.from))?,
        GapKind::SilentHours | GapKind::Rollover => seconds(gap.from, gap.to)?,
    };
    Some(Mark { from, to, kind: MarkKind::Gap(gap.kind), count: 1 })
}

/// Joins marks, which come in the order of their beginnings, that lie less than `step` apart.
fn joined(marks: impl Iterator<Item = Mark>, step: i64) -> Vec<Mark> {
    let mut out: Vec<Mark> = Vec::new();
    for mark in marks {
        match out.last_mut() {
            Some(last) if mark.from - last.to < step => {
                last.to = last.to.max(mark.to);
                last.count += mark.count;
            }
            _ => out.push(mark),
        }
    }
    out
}

fn seconds(first: Option<Timestamp>, last: Option<Timestamp>) -> Option<(i64, i64)> {
    Some((first.or(last)?.seconds(), last.or(first)?.seconds()))
}

fn bounds(spans: impl Iterator<Item = (i64, i64)>) -> Option<(i64, i64)> {
    // A case that is read back may say that a log ends before it begins.
    let spans = spans.map(|(one, other)| (one.min(other), one.max(other)));
    spans.reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)))
}

fn with_room(span: (i64, i64), whole: (i64, i64)) -> (i64, i64) {
    let room = ((span.1 - span.0) / 10).max(ROOM_SECONDS_MIN);
    ((span.0 - room).max(whole.0), (span.1 + room).min(whole.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Span, Timestamp};

    fn mark(from: i64, to: i64, count: u64) -> Mark {
        Mark { from, to, kind: MarkKind::Covered, count }
    }

    #[test]
    fn near_marks_are_one() {
        let marks = [mark(0, 0, 1), mark(5, 7, 2), mark(20, 20, 1)];
        assert_eq!(joined(marks.into_iter(), 10), [mark(0, 7, 3), mark(20, 20, 1)]);
        assert_eq!(joined(marks.into_iter(), 1), marks);
    }

    #[test]
    fn what_is_shown_is_the_acts_with_room_within_what_there_is() {
        let day = 24 * HOUR;
        assert_eq!(
            with_room((10 * day, 11 * day), (0, 100 * day)),
            (10 * day - HOUR * 12, 11 * day + HOUR * 12)
        );
        assert_eq!(with_room((10 * day, 50 * day), (9 * day, 50 * day)), (9 * day, 50 * day));
    }

    #[test]
    fn gaps_lie_over_the_hours_of_a_log() {
        let time = |hour: i64| Timestamp::from_seconds(hour * HOUR);
        let gap = |kind, from: i64, to: i64| Gap { from: time(from), to: time(to), kind };
        let log = LogCoverage {
            records: 9,
            span: Span { first: time(10), last: time(60) },
            hours: vec![(10, 12), (50, 60)],
            gaps: vec![
                gap(GapKind::SilentHours, 13, 50),
                gap(GapKind::Cleared, 12, 50),
                gap(GapKind::Rollover, 1, 10),
            ],
            ..LogCoverage::default()
        };
        let lane = log_lane("security", &log, HOUR);
        let told: Vec<_> =
            lane.marks.iter().map(|mark| (mark.kind, mark.from / HOUR, mark.to / HOUR)).collect();
        assert_eq!(
            told,
            [
                (MarkKind::Covered, 10, 12),
                (MarkKind::Covered, 50, 60),
                (MarkKind::Gap(GapKind::SilentHours), 13, 50),
                (MarkKind::Gap(GapKind::Cleared), 50, 50),
                (MarkKind::Gap(GapKind::Rollover), 1, 10),
            ]
        );
    }
}
