//! `case.json`: what was read, with which rules, and what it comes to.

use super::{Hex, Ids, Time, UnreadShape, unread_shapes, write_pretty};
use crate::digest::LevelCounts;
use crate::words;
use model::{
    BookAnswer, Case, EvidenceItem, FileBasis, FileFacts, Host, HostBasis, HostName, IndicatorFile,
    Intrusion, TechniqueCoverage, Verdict,
};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Serialize)]
struct CaseShape<'a> {
    schema: &'static str,
    synthetic: bool,
    rules: RulesShape<'a>,
    indicators: Vec<IndicatorsShape<'a>>,
    evidence: Vec<ItemShape<'a>>,
    unread: Vec<UnreadShape<'a>>,
    hosts: Vec<HostShape<'a>>,
    verdicts: Vec<VerdictShape<'a>>,
    plain: &'a [String],
    casebooks: Vec<BookShape<'a>>,
    intrusions: Vec<IntrusionShape<'a>>,
    techniques: Vec<TechniqueShape<'a>>,
    findings: FindingsShape,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct RulesShape<'a> {
    sha256: Hex<'a>,
    loaded: usize,
    /// Files whose content rules have looked at.
    files_scanned: usize,
}

/// A file of indicators.
#[derive(Serialize)]
struct IndicatorsShape<'a> {
    file: &'a str,
    sha256: Hex<'a>,
    format: &'static str,
    loaded: u64,
    left_out: Vec<LeftOutShape<'a>>,
    not_loaded: u64,
}

#[derive(Serialize)]
struct LeftOutShape<'a> {
    reason: &'a str,
    count: u64,
}

#[derive(Serialize)]
struct ItemShape<'a> {
    paths: &'a [String],
    root: &'a str,
    sha256: Hex<'a>,
    size: u64,
    format: Option<&'static str>,
    hosts: Vec<&'a str>,
    host_basis: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<FactsShape>,
}

/// What somebody vouches for; what nobody does is left out.
#[derive(Serialize)]
struct FactsShape {
    #[serde(skip_serializing_if = "Time::is_none")]
    created: Time,
    #[serde(skip_serializing_if = "Time::is_none")]
    modified: Time,
    #[serde(skip_serializing_if = "Time::is_none")]
    changed: Time,
    #[serde(skip_serializing_if = "Time::is_none")]
    accessed: Time,
    deleted: bool,
    basis: Option<&'static str>,
}

#[derive(Serialize)]
struct HostShape<'a> {
    name: &'a str,
    also: Vec<&'a str>,
    host_basis: &'static str,
}

#[derive(Serialize)]
struct VerdictShape<'a> {
    host: Option<&'a str>,
    headline: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct BookShape<'a> {
    id: &'a str,
    title: &'a str,
    general: bool,
    host: Option<&'a str>,
    answer: &'static str,
    text: &'a str,
}

#[derive(Serialize)]
struct IntrusionShape<'a> {
    id: String,
    hosts: Vec<&'a str>,
    first: Time,
    last: Time,
    joined_by: &'a [String],
    findings: Ids<'a>,
}

#[derive(Serialize)]
struct TechniqueShape<'a> {
    id: &'a str,
    name: &'a str,
    tactics: &'a [String],
    findings: u64,
    seen_on: Vec<&'a str>,
    rules_met: u64,
    rules_not_met: u64,
    met_on: Vec<&'a str>,
}

#[derive(Serialize)]
struct FindingsShape {
    total: u64,
    critical: u64,
    high: u64,
    medium: u64,
    low: u64,
    informational: u64,
    without_time: u64,
}

pub(crate) fn write_case_json(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let findings = findings_shape(case);
    let shape = CaseShape {
        schema: "assay-case/1",
        synthetic: case.synthetic,
        rules: RulesShape {
            sha256: Hex(&case.looked_for.rules_sha256),
            loaded: case.looked_for.rules_loaded,
            files_scanned: case.looked_for.files_scanned,
        },
        indicators: case.looked_for.indicators.iter().map(indicators_shape).collect(),
        evidence: case.items.iter().map(item_shape).collect(),
        unread: unread_shapes(&case.unread),
        hosts: case.hosts.iter().map(host_shape).collect(),
        verdicts: case.verdicts.iter().map(verdict_shape).collect(),
        plain: &case.plain,
        casebooks: case.books.iter().map(book_shape).collect(),
        intrusions: case.intrusions.iter().map(intrusion_shape).collect(),
        techniques: case.techniques.iter().map(technique_shape).collect(),
        notes: notes(case, findings.without_time),
        findings,
    };
    write_pretty(&shape, out)
}

fn technique_shape(technique: &TechniqueCoverage) -> TechniqueShape<'_> {
    TechniqueShape {
        id: &technique.id,
        name: &technique.name,
        tactics: &technique.tactics,
        findings: technique.findings,
        seen_on: names(&technique.seen_on),
        rules_met: technique.rules_met,
        rules_not_met: technique.rules_not_met,
        met_on: names(&technique.met_on),
    }
}

fn names(hosts: &[HostName]) -> Vec<&str> {
    hosts.iter().map(|host| &**host).collect()
}

fn indicators_shape(file: &IndicatorFile) -> IndicatorsShape<'_> {
    let left_out = file.left_out.iter().map(|(reason, count)| LeftOutShape { reason, count: *count });
    IndicatorsShape {
        file: &file.file,
        sha256: Hex(&file.sha256),
        format: file.format,
        loaded: file.loaded,
        left_out: left_out.collect(),
        not_loaded: file.not_loaded,
    }
}

fn item_shape(item: &EvidenceItem) -> ItemShape<'_> {
    ItemShape {
        paths: &item.paths,
        root: &item.root,
        sha256: Hex(&item.sha256),
        size: item.size_bytes,
        format: item.format,
        hosts: names(&item.hosts),
        host_basis: item.host_basis.map(HostBasis::as_str),
        facts: facts_shape(&item.facts),
    }
}

fn facts_shape(facts: &FileFacts) -> Option<FactsShape> {
    (*facts != FileFacts::default()).then(|| FactsShape {
        created: Time(facts.created),
        modified: Time(facts.modified),
        changed: Time(facts.changed),
        accessed: Time(facts.accessed),
        deleted: facts.deleted,
        basis: facts.basis.map(FileBasis::as_str),
    })
}

fn host_shape(host: &Host) -> HostShape<'_> {
    HostShape { name: &host.name, also: names(&host.also), host_basis: host.basis.as_str() }
}

fn verdict_shape(verdict: &Verdict) -> VerdictShape<'_> {
    VerdictShape { host: verdict.host.as_deref(), headline: &verdict.headline, text: &verdict.text }
}

fn book_shape(book: &BookAnswer) -> BookShape<'_> {
    let host = book.host.as_deref();
    BookShape {
        id: &book.casebook,
        title: &book.title,
        general: book.general,
        host,
        answer: book.answer.as_str(),
        text: &book.text,
    }
}

fn intrusion_shape(intrusion: &Intrusion) -> IntrusionShape<'_> {
    IntrusionShape {
        id: words::intrusion_label(intrusion.id),
        hosts: names(&intrusion.hosts),
        first: Time(intrusion.span.first),
        last: Time(intrusion.span.last),
        joined_by: &intrusion.joined_by,
        findings: Ids(&intrusion.findings),
    }
}

fn findings_shape(case: &Case) -> FindingsShape {
    let LevelCounts([informational, low, medium, high, critical]) = LevelCounts::of(&case.findings);
    FindingsShape {
        total: case.findings.len() as u64,
        critical,
        high,
        medium,
        low,
        informational,
        without_time: case.findings.iter().filter(|finding| finding.time.is_none()).count() as u64,
    }
}

/// What a reader of the folder would otherwise stumble over.
fn notes(case: &Case, without_time: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if case.synthetic {
        notes.push("The evidence is synthetic: it was made, and tells of no real incident.".to_owned());
    }
    if without_time > 0 {
        notes.push(format!(
            "{} without a time: in findings.jsonl, not in timeline.csv, which needs one.",
            words::count(without_time, "finding")
        ));
    }
    let carved = case.coverage.items.iter().map(|item| item.carved).sum();
    if carved > 0 {
        notes.push(format!(
            "{} carved from the free space of event logs, which count in no log’s coverage; findings of them hold \
             the field Carved.",
            words::count(carved, "record")
        ));
    }
    notes
}
