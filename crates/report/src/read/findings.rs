//! `findings.jsonl`: all but the fields, which stay where they are.

use super::ReadError;
use super::case::Places;
use super::store::{FINDINGS, FileStore, Lines};
use super::value::{Text, inner};
use model::{
    EvidenceId, Finding, FindingId, HostName, IntrusionId, Level, Position, RuleFacts, RuleUse, Spilled,
    Timestamp,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

#[derive(Deserialize)]
struct FindingPart {
    id: Text<FindingId>,
    rule_id: String,
    rule_title: String,
    level: Text<Level>,
    time: Option<Text<Timestamp>>,
    host: Option<String>,
    evidence: Option<String>,
    position: Option<PositionPart>,
    /// Of a correlation, which has no place of its own.
    #[serde(default)]
    grounds: Vec<Text<FindingId>>,
    intrusion: Option<Text<IntrusionId>>,
    techniques: Vec<String>,
    whole_record: Option<u64>,
    /// Must be there; read later.
    #[serde(rename = "fields")]
    _fields: IgnoredAny,
}

#[derive(Deserialize)]
struct PositionPart {
    offset: u64,
    record: Option<u64>,
    line: Option<u64>,
}

/// What findings refer to.
pub(super) struct Known<'a> {
    pub(super) places: &'a Places,
    pub(super) rules: &'a [RuleUse],
    pub(super) other_rules: &'a [Arc<RuleFacts>],
}

pub(super) fn read(
    mut lines: Lines,
    mut records: Lines,
    known: &Known<'_>,
) -> Result<(Vec<Finding>, FileStore), ReadError> {
    let records_at = records.places()?;
    let mut rules = Rules::of(known);
    let mut hosts = HashSet::new();
    let mut findings = Vec::new();
    while let Some((line, text, place)) = lines.next()? {
        let part: FindingPart = serde_json::from_slice(text)
            .map_err(|error| ReadError::of_json_in_line(FINDINGS, Some(line), &error))?;
        let record = part.whole_record.map(|number| record_at(&records_at, number, line)).transpose()?;
        let Text(id) = part.id;
        let Text(level) = part.level;
        let (evidence, position) = match part.position {
            // As the scan numbers them.
            None if part.evidence.is_none() => {
                (EvidenceId::NONE, Position { offset: u64::from_be_bytes(id.0), ..Position::default() })
            }
            None => {
                let wanted = "position: that of a record, or neither evidence nor position";
                return Err(ReadError::dangling(FINDINGS, Some(line), wanted, "null"));
            }
            Some(PositionPart { offset, record, line: text_line }) => {
                let item = known.places.item(part.evidence.as_deref(), FINDINGS, Some(line))?;
                (item, Position { offset, record, line: text_line })
            }
        };
        findings.push(Finding {
            id,
            rule: rules.facts(part.rule_id, part.rule_title, level, part.techniques),
            time: inner(part.time),
            host: part.host.map(|host| shared(&mut hosts, &host)),
            evidence,
            position,
            grounds: part.grounds.into_iter().map(|Text(id)| id).collect(),
            intrusion: known.places.intrusion(part.intrusion, FINDINGS, Some(line))?,
            fields: Vec::new(),
            spilled: Some(place),
            record,
        });
    }
    findings.shrink_to_fit();
    Ok((findings, FileStore::new(lines, records)))
}

fn record_at(records_at: &[Spilled], number: u64, line: u64) -> Result<Spilled, ReadError> {
    let index = number.checked_sub(1).and_then(|index| usize::try_from(index).ok());
    index.and_then(|index| records_at.get(index)).copied().ok_or_else(|| {
        let wanted = format!("whole_record: a line of records.jsonl, which has {}", records_at.len());
        ReadError::dangling(FINDINGS, Some(line), &wanted, &number.to_string())
    })
}

fn shared(names: &mut HashSet<HostName>, name: &str) -> HostName {
    match names.get(name) {
        Some(known) => Arc::clone(known),
        None => {
            let name: HostName = name.into();
            names.insert(Arc::clone(&name));
            name
        }
    }
}

type RuleKey = (String, String, Level, Vec<String>);

/// Rules by what a finding says of them; only `rules.json` says the rest.
struct Rules(HashMap<RuleKey, Arc<RuleFacts>>);

impl Rules {
    fn of(known: &Known<'_>) -> Self {
        let facts = known.rules.iter().map(|rule| &rule.facts).chain(known.other_rules);
        let mut rules = HashMap::new();
        for facts in facts {
            let key = (facts.id.clone(), facts.title.clone(), facts.level, facts.techniques.clone());
            rules.entry(key).or_insert_with(|| Arc::clone(facts));
        }
        Self(rules)
    }

    fn facts(&mut self, id: String, title: String, level: Level, techniques: Vec<String>) -> Arc<RuleFacts> {
        let key = (id, title, level, techniques);
        if let Some(known) = self.0.get(&key) {
            return Arc::clone(known);
        }
        let (id, title, level, techniques) = key.clone();
        let facts = Arc::new(RuleFacts { id, title, level, tags: Vec::new(), techniques });
        self.0.insert(key, Arc::clone(&facts));
        facts
    }
}
