//! `case.json`.

use super::ReadError;
use super::value::{Count, ProblemPart, Slug, Text, inner, inner_all, slug, span};
use model::{
    AnswerWord, BookAnswer, Case, EvidenceId, EvidenceItem, FileBasis, FileFacts, FindingId, Host, HostBasis,
    HostName, IndicatorFile, Intrusion, IntrusionId, LookedFor, TechniqueCoverage, Timestamp, Verdict,
};
use serde::Deserialize;
use std::collections::HashMap;

const FILE: &str = "case.json";
const SCHEMA: &str = "assay-case/1";

#[derive(Deserialize)]
pub(super) struct CasePart {
    schema: String,
    synthetic: bool,
    rules: RulesPart,
    #[serde(default)]
    indicators: Vec<IndicatorsPart>,
    evidence: Vec<ItemPart>,
    unread: Vec<UnreadPart>,
    hosts: Vec<HostPart>,
    verdicts: Vec<VerdictPart>,
    #[serde(default)]
    plain: Vec<String>,
    #[serde(default)]
    casebooks: Vec<BookPart>,
    intrusions: Vec<IntrusionPart>,
    #[serde(default)]
    techniques: Vec<TechniquePart>,
}

#[derive(Deserialize)]
struct RulesPart {
    sha256: Text<[u8; 32]>,
    loaded: Count,
    #[serde(default)]
    files_scanned: Count,
}

#[derive(Deserialize)]
struct IndicatorsPart {
    file: String,
    sha256: Text<[u8; 32]>,
    format: Text<Slug>,
    loaded: Count,
    left_out: Vec<LeftOutPart>,
    not_loaded: Count,
}

#[derive(Deserialize)]
struct LeftOutPart {
    reason: String,
    count: Count,
}

#[derive(Deserialize)]
struct ItemPart {
    paths: Vec<String>,
    root: String,
    sha256: Text<[u8; 32]>,
    size: Count,
    format: Option<Text<Slug>>,
    hosts: Vec<HostName>,
    host_basis: Option<Text<HostBasis>>,
    #[serde(default)]
    facts: Option<FactsPart>,
}

#[derive(Deserialize)]
struct FactsPart {
    #[serde(default)]
    created: Option<Text<Timestamp>>,
    #[serde(default)]
    modified: Option<Text<Timestamp>>,
    #[serde(default)]
    changed: Option<Text<Timestamp>>,
    #[serde(default)]
    accessed: Option<Text<Timestamp>>,
    deleted: bool,
    basis: Option<Text<FileBasis>>,
}

#[derive(Deserialize)]
struct UnreadPart {
    path: String,
    problem: ProblemPart,
}

#[derive(Deserialize)]
struct HostPart {
    name: HostName,
    also: Vec<HostName>,
    host_basis: Text<HostBasis>,
}

#[derive(Deserialize)]
struct VerdictPart {
    host: Option<HostName>,
    headline: String,
    text: String,
}

#[derive(Deserialize)]
struct BookPart {
    id: String,
    title: Option<String>,
    #[serde(default)]
    general: bool,
    host: Option<HostName>,
    answer: Text<AnswerWord>,
    text: String,
}

#[derive(Deserialize)]
struct IntrusionPart {
    id: Text<IntrusionId>,
    hosts: Vec<HostName>,
    first: Option<Text<Timestamp>>,
    last: Option<Text<Timestamp>>,
    joined_by: Vec<String>,
    findings: Vec<Text<FindingId>>,
}

#[derive(Deserialize)]
struct TechniquePart {
    id: String,
    name: String,
    tactics: Vec<String>,
    findings: Count,
    seen_on: Vec<HostName>,
    rules_met: Count,
    rules_not_met: Count,
    met_on: Vec<HostName>,
}

/// The case as far as this file tells it.
pub(super) fn read(part: CasePart) -> Result<Case, ReadError> {
    if part.schema != SCHEMA {
        return Err(ReadError::dangling(FILE, None, &format!("schema {SCHEMA:?}"), &part.schema));
    }
    let count = |Count(count): Count| usize::try_from(count).unwrap_or(usize::MAX);
    let Text(rules_sha256) = part.rules.sha256;
    Ok(Case {
        synthetic: part.synthetic,
        looked_for: LookedFor {
            rules_sha256,
            rules_loaded: count(part.rules.loaded),
            files_scanned: count(part.rules.files_scanned),
            indicators: part.indicators.into_iter().map(indicators).collect(),
            ..LookedFor::default()
        },
        items: part.evidence.into_iter().map(item).collect::<Result<_, _>>()?,
        unread: part.unread.into_iter().map(|unread| (unread.path, unread.problem.into())).collect(),
        hosts: part.hosts.into_iter().map(host).collect(),
        verdicts: part.verdicts.into_iter().map(verdict).collect(),
        plain: part.plain,
        books: part.casebooks.into_iter().map(book).collect(),
        intrusions: part.intrusions.into_iter().enumerate().map(intrusion).collect::<Result<_, _>>()?,
        techniques: part.techniques.into_iter().map(technique).collect(),
        ..Case::default()
    })
}

fn indicators(part: IndicatorsPart) -> IndicatorFile {
    let Text(sha256) = part.sha256;
    IndicatorFile {
        file: part.file,
        sha256,
        format: slug(part.format),
        loaded: part.loaded.0,
        left_out: part.left_out.into_iter().map(|left_out| (left_out.reason, left_out.count.0)).collect(),
        not_loaded: part.not_loaded.0,
    }
}

fn item(part: ItemPart) -> Result<EvidenceItem, ReadError> {
    if part.paths.is_empty() {
        return Err(ReadError::new(FILE, None, "evidence: wanted a path for each item, found none"));
    }
    let Text(sha256) = part.sha256;
    Ok(EvidenceItem {
        paths: part.paths,
        root: part.root,
        sha256,
        size_bytes: part.size.0,
        format: part.format.map(slug),
        hosts: part.hosts,
        host_basis: inner(part.host_basis),
        facts: part.facts.map(facts).unwrap_or_default(),
    })
}

fn facts(part: FactsPart) -> FileFacts {
    FileFacts {
        created: inner(part.created),
        modified: inner(part.modified),
        changed: inner(part.changed),
        accessed: inner(part.accessed),
        basis: inner(part.basis),
        deleted: part.deleted,
    }
}

fn host(part: HostPart) -> Host {
    let Text(basis) = part.host_basis;
    Host { name: part.name, also: part.also, basis }
}

fn verdict(part: VerdictPart) -> Verdict {
    Verdict { host: part.host, headline: part.headline, text: part.text }
}

fn book(part: BookPart) -> BookAnswer {
    let Text(answer) = part.answer;
    BookAnswer {
        title: part.title.unwrap_or_else(|| part.id.clone()),
        casebook: part.id,
        general: part.general,
        host: part.host,
        answer,
        text: part.text,
    }
}

/// Intrusions are named by their place.
fn intrusion((place, part): (usize, IntrusionPart)) -> Result<Intrusion, ReadError> {
    let Text(id) = part.id;
    if id.0 as usize != place {
        let (wanted, found) =
            (crate::words::intrusion_label(IntrusionId(place as u32)), crate::words::intrusion_label(id));
        return Err(ReadError::dangling(FILE, None, &wanted, &found));
    }
    Ok(Intrusion {
        id,
        hosts: part.hosts,
        span: span(part.first, part.last),
        findings: inner_all(part.findings),
        joined_by: part.joined_by,
    })
}

fn technique(part: TechniquePart) -> TechniqueCoverage {
    TechniqueCoverage {
        id: part.id,
        name: part.name,
        tactics: part.tactics,
        findings: part.findings.0,
        seen_on: part.seen_on,
        rules_met: part.rules_met.0,
        rules_not_met: part.rules_not_met.0,
        met_on: part.met_on,
    }
}

/// What other files may refer to.
pub(super) struct Places {
    items: HashMap<String, EvidenceId>,
    intrusions: usize,
}

impl Places {
    pub(super) fn of(case: &Case) -> Self {
        let mut items = HashMap::new();
        for (index, item) in (0..).zip(&case.items) {
            if let Some(path) = item.paths.first() {
                items.entry(path.clone()).or_insert(EvidenceId(index));
            }
        }
        Self { items, intrusions: case.intrusions.len() }
    }

    /// The item whose first path is `path`.
    pub(super) fn item(
        &self,
        path: Option<&str>,
        file: &'static str,
        line: Option<u64>,
    ) -> Result<EvidenceId, ReadError> {
        let found = path.and_then(|path| self.items.get(path));
        let wanted = "evidence: the first path of an item of case.json";
        found.copied().ok_or_else(|| ReadError::dangling(file, line, wanted, path.unwrap_or("null")))
    }

    pub(super) fn intrusion(
        &self,
        label: Option<Text<IntrusionId>>,
        file: &'static str,
        line: Option<u64>,
    ) -> Result<Option<IntrusionId>, ReadError> {
        let id = inner(label);
        match id.filter(|id| id.0 as usize >= self.intrusions) {
            None => Ok(id),
            Some(unknown) => {
                let label = crate::words::intrusion_label(unknown);
                Err(ReadError::dangling(file, line, "an intrusion of case.json", &label))
            }
        }
    }
}
