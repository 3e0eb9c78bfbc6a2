//! `coverage.json`.

use super::ReadError;
use super::case::Places;
use super::value::{Count, ProblemPart, Text, inner, span};
use model::{
    Case, Coverage, EvidenceId, Gap, GapKind, HostName, ItemCoverage, LogCoverage, LogKey, Problem, Timestamp,
};
use serde::Deserialize;
use std::collections::BTreeMap;

const FILE: &str = "coverage.json";
const SCHEMA: &str = "assay-coverage/1";

#[derive(Deserialize)]
pub(super) struct CoveragePart {
    schema: String,
    items: Vec<ItemPart>,
    logs: Vec<LogPart>,
    #[serde(default)]
    builds: Vec<BuildPart>,
    #[serde(default)]
    listed_builds: Vec<ListedBuildPart>,
}

#[derive(Deserialize)]
struct ListedBuildPart {
    host: Option<HostName>,
    build: String,
    in_list: bool,
}

#[derive(Deserialize)]
struct ItemPart {
    evidence: Option<String>,
    records: Count,
    #[serde(default)]
    carved: Count,
    #[serde(default)]
    looked_at: bool,
    first: Option<Text<Timestamp>>,
    last: Option<Text<Timestamp>>,
    problems: Vec<ProblemPart>,
    gaps: Vec<GapPart>,
}

#[derive(Deserialize)]
struct GapPart {
    from: Option<Text<Timestamp>>,
    to: Option<Text<Timestamp>>,
    kind: Text<GapKind>,
}

#[derive(Deserialize)]
struct LogPart {
    host: Option<HostName>,
    log: String,
    part: String,
    records: Count,
    first: Option<Text<Timestamp>>,
    last: Option<Text<Timestamp>>,
    #[serde(default)]
    filled: BTreeMap<String, Count>,
    gaps: Vec<GapPart>,
    hours: Vec<HoursPart>,
    evidence: Vec<String>,
    #[serde(default)]
    rules: Option<Count>,
}

#[derive(Deserialize)]
struct HoursPart {
    from: Text<Timestamp>,
    to: Text<Timestamp>,
}

#[derive(Deserialize)]
struct BuildPart {
    host: Option<HostName>,
    build: String,
    first: Option<Text<Timestamp>>,
    last: Option<Text<Timestamp>>,
}

pub(super) fn read(part: CoveragePart, case: &Case, places: &Places) -> Result<Coverage, ReadError> {
    if part.schema != SCHEMA {
        return Err(ReadError::dangling(FILE, None, &format!("schema {SCHEMA:?}"), &part.schema));
    }
    if part.items.len() != case.items.len() {
        let reason = format!(
            "items: wanted {}, as many as in case.json, found {}",
            case.items.len(),
            part.items.len()
        );
        return Err(ReadError::new(FILE, None, &reason));
    }
    let items = part.items.into_iter().enumerate().map(|(index, part)| item(index, part, case));
    let logs = part.logs.into_iter().map(|part| log(part, places));
    let mut builds: BTreeMap<Option<HostName>, BTreeMap<String, model::Span>> = BTreeMap::new();
    for part in part.builds {
        builds.entry(part.host).or_default().insert(part.build, span(part.first, part.last));
    }
    let mut listed_builds: BTreeMap<Option<HostName>, BTreeMap<String, bool>> = BTreeMap::new();
    for part in part.listed_builds {
        listed_builds.entry(part.host).or_default().insert(part.build, part.in_list);
    }
    let (items, logs) = (items.collect::<Result<_, _>>()?, logs.collect::<Result<_, _>>()?);
    Ok(Coverage { items, logs, builds, listed_builds })
}

/// Items stand in the order of the case's evidence.
fn item(index: usize, part: ItemPart, case: &Case) -> Result<ItemCoverage, ReadError> {
    let expected = case.items.get(index).and_then(|item| item.paths.first());
    if part.evidence.as_ref() != expected {
        let wanted = format!("items: {:?}, as in case.json", expected.map_or("null", String::as_str));
        return Err(ReadError::dangling(FILE, None, &wanted, part.evidence.as_deref().unwrap_or("null")));
    }
    Ok(ItemCoverage {
        evidence: EvidenceId(index as u32),
        records: part.records.0,
        carved: part.carved.0,
        is_looked_at: part.looked_at,
        span: span(part.first, part.last),
        problems: part.problems.into_iter().map(Problem::from).collect(),
        gaps: part.gaps.into_iter().map(gap).collect(),
    })
}

fn gap(part: GapPart) -> Gap {
    let Text(kind) = part.kind;
    Gap { from: inner(part.from), to: inner(part.to), kind }
}

type Log = ((Option<HostName>, LogKey), LogCoverage);

fn log(part: LogPart, places: &Places) -> Result<Log, ReadError> {
    let items = part.evidence.iter().map(|path| places.item(Some(path), FILE, None));
    let coverage = LogCoverage {
        records: part.records.0,
        span: span(part.first, part.last),
        filled: part.filled.into_iter().map(|(name, count)| (name, count.0)).collect(),
        gaps: part.gaps.into_iter().map(gap).collect(),
        hours: part.hours.into_iter().map(hours).collect::<Result<_, _>>()?,
        items: items.collect::<Result<_, _>>()?,
        rules: part.rules.map(|count| count.0),
    };
    Ok(((part.host, LogKey { log: part.log, part: part.part }), coverage))
}

/// The first hour and the last; the file has the end of the last.
fn hours(part: HoursPart) -> Result<(i64, i64), ReadError> {
    let (Text(from), Text(to)) = (part.from, part.to);
    let (first, end) = (from.hour_index(), to.hour_index());
    if first >= end {
        let reason = format!("hours: wanted a time after {from}, found {to}");
        return Err(ReadError::new(FILE, None, &reason));
    }
    Ok((first, end - 1))
}
