//! `coverage.json`: what was there to be read: per item, per log of a host, per question.

use super::{ProblemShape, Time, UnreadShape, unread_shapes, write_pretty};
use crate::digest::lead_path;
use crate::words;
use model::{Case, Gap, HostName, ItemCoverage, LogCoverage, LogKey, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

#[derive(Serialize)]
struct CoverageShape<'a> {
    schema: &'static str,
    items: Vec<ItemShape<'a>>,
    unread: Vec<UnreadShape<'a>>,
    logs: Vec<LogShape<'a>>,
    builds: Vec<BuildShape<'a>>,
    listed_builds: Vec<ListedBuildShape<'a>>,
    questions: Vec<QuestionShape<'a>>,
}

#[derive(Serialize)]
struct ItemShape<'a> {
    evidence: Option<&'a str>,
    format: Option<&'static str>,
    records: u64,
    /// Carved from free space; an earlier use of the log wrote them.
    carved: u64,
    /// Rules have looked at its content, whatever its format.
    looked_at: bool,
    first: Time,
    last: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    problems: Vec<ProblemShape<'a>>,
    gaps: Vec<GapShape>,
}

#[derive(Serialize)]
struct GapShape {
    from: Time,
    to: Time,
    kind: &'static str,
}

/// One log of one host; `part` is an EventID or the protocol of an HttpProxy log, or empty for the whole log.
#[derive(Serialize)]
struct LogShape<'a> {
    host: Option<&'a str>,
    log: &'a str,
    part: &'a str,
    records: u64,
    first: Time,
    last: Time,
    filled: &'a BTreeMap<String, u64>,
    gaps: Vec<GapShape>,
    /// Hours that hold a record: beginning of the first to end of the last, for each run without a break.
    hours: Vec<HoursShape>,
    evidence: Vec<&'a str>,
    /// How many rules over records look at it; absent for parts of a log.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<u64>,
}

#[derive(Serialize)]
struct HoursShape {
    from: Time,
    to: Time,
}

/// An Exchange build that a log of the host names.
#[derive(Serialize)]
struct BuildShape<'a> {
    host: Option<&'a str>,
    build: &'a str,
    first: Time,
    last: Time,
}

/// A build by which the files of web folders were compared.
#[derive(Serialize)]
struct ListedBuildShape<'a> {
    host: Option<&'a str>,
    build: &'a str,
    in_list: bool,
}

#[derive(Serialize)]
struct QuestionShape<'a> {
    casebook: &'a str,
    host: Option<&'a str>,
    intrusion: Option<String>,
    question_id: &'a str,
    answer: &'static str,
    coverage: &'a [String],
}

pub(crate) fn write_coverage_json(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let shape = CoverageShape {
        schema: "assay-coverage/1",
        items: case.coverage.items.iter().map(|item| item_shape(case, item)).collect(),
        unread: unread_shapes(&case.unread),
        logs: case.coverage.logs.iter().map(|((host, key), log)| log_shape(case, host, key, log)).collect(),
        builds: build_shapes(case),
        listed_builds: listed_build_shapes(case),
        questions: question_shapes(case),
    };
    write_pretty(&shape, out)
}

fn item_shape<'a>(case: &'a Case, item: &'a ItemCoverage) -> ItemShape<'a> {
    let format = case.items.get(item.evidence.0 as usize).and_then(|item| item.format);
    ItemShape {
        evidence: lead_path(case, item.evidence),
        format,
        records: item.records,
        carved: item.carved,
        looked_at: item.is_looked_at,
        first: Time(item.span.first),
        last: Time(item.span.last),
        note: note(format, item),
        problems: item.problems.iter().map(ProblemShape::from).collect(),
        gaps: gap_shapes(&item.gaps),
    }
}

/// Why an item has no records; an archive that was not opened has its problem to say so.
fn note(format: Option<&str>, item: &ItemCoverage) -> Option<&'static str> {
    let is_archive = item.problems.iter().any(|problem| {
        problem.kind == "unsupported-archive" || (problem.kind == "limit" && problem.offset == Some(0))
    });
    match format {
        Some(_) => None,
        None if is_archive => Some("not read: archive not opened"),
        None if item.is_looked_at => Some("no log that is known: rules have looked at its content"),
        None => Some("not read: format unknown"),
    }
}

fn gap_shapes(gaps: &[Gap]) -> Vec<GapShape> {
    gaps.iter()
        .map(|gap| GapShape { from: Time(gap.from), to: Time(gap.to), kind: gap.kind.as_str() })
        .collect()
}

fn log_shape<'a>(
    case: &'a Case,
    host: &'a Option<HostName>,
    key: &'a LogKey,
    log: &'a LogCoverage,
) -> LogShape<'a> {
    LogShape {
        host: host.as_deref(),
        log: &key.log,
        part: &key.part,
        records: log.records,
        first: Time(log.span.first),
        last: Time(log.span.last),
        filled: &log.filled,
        gaps: gap_shapes(&log.gaps),
        hours: log.hours.iter().map(hours_shape).collect(),
        evidence: log.items.iter().filter_map(|item| lead_path(case, *item)).collect(),
        rules: log.rules,
    }
}

fn hours_shape(&(first, last): &(i64, i64)) -> HoursShape {
    let beginning = |hour: i64| Time(hour.checked_mul(3_600).and_then(Timestamp::from_seconds));
    HoursShape { from: beginning(first), to: beginning(last.saturating_add(1)) }
}

fn build_shapes(case: &Case) -> Vec<BuildShape<'_>> {
    case.coverage
        .builds
        .iter()
        .flat_map(|(host, builds)| {
            builds.iter().map(|(build, span)| BuildShape {
                host: host.as_deref(),
                build,
                first: Time(span.first),
                last: Time(span.last),
            })
        })
        .collect()
}

fn listed_build_shapes(case: &Case) -> Vec<ListedBuildShape<'_>> {
    let hosts = case.coverage.listed_builds.iter();
    hosts
        .flat_map(|(host, builds)| {
            builds.iter().map(|(build, in_list)| ListedBuildShape {
                host: host.as_deref(),
                build,
                in_list: *in_list,
            })
        })
        .collect()
}

fn question_shapes(case: &Case) -> Vec<QuestionShape<'_>> {
    case.answers
        .iter()
        .map(|answer| QuestionShape {
            casebook: &answer.casebook,
            host: answer.host.as_deref(),
            intrusion: answer.intrusion.map(words::intrusion_label),
            question_id: &answer.question_id,
            answer: answer.answer.as_str(),
            coverage: &answer.coverage,
        })
        .collect()
}
