//! `findings.jsonl` and `answers.json`: what `--format` also prints.

use super::{Time, write_line, write_pretty};
use crate::digest::lead_path;
use crate::words;
use model::{Answer, Case, Field, Finding};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

/// Records kept whole for each rule.
const RECORDS_PER_RULE_MAX: usize = 100;

#[derive(serde::Serialize)]
struct FindingShape<'a> {
    id: String,
    rule_id: &'a str,
    rule_title: &'a str,
    level: &'static str,
    time: Time,
    host: Option<&'a str>,
    evidence: Option<&'a str>,
    position: Option<PositionShape>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    grounds: Vec<String>,
    intrusion: Option<String>,
    techniques: &'a [String],
    matched: Vec<&'a str>,
    fields: Fields<'a>,
}

#[derive(serde::Serialize)]
struct PositionShape {
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

/// Names and texts of a record, as an object.
struct Fields<'a>(&'a [Field]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut texts_by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, text) in self.0 {
            texts_by_name.entry(name).or_default().push(text);
        }
        let mut map = serializer.serialize_map(None)?;
        for (name, _) in self.0 {
            // An object can hold a name once only; JSON readers drop all but one of several.
            match texts_by_name.remove(&**name).as_deref() {
                None => {}
                Some([text]) => map.serialize_entry(&**name, text)?,
                Some(texts) => map.serialize_entry(&**name, texts)?,
            }
        }
        map.end()
    }
}

/// Writes the findings as JSON lines, one at a time, in the order of the case.
///
/// # Errors
/// Those of `out`.
pub fn write_findings_jsonl(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    case.findings.iter().try_for_each(|finding| {
        let fields = case.fields(finding).map_err(io::Error::other)?;
        let matched = case.matched(finding).map_err(io::Error::other)?;
        write_line(&finding_shape(case, finding, &fields, &matched), out)
    })
}

#[derive(serde::Serialize)]
struct RecordShape<'a> {
    evidence: Option<&'a str>,
    offset: u64,
    fields: Fields<'a>,
}

/// Writes whole records, each once: those of the first findings of each rule.
pub(crate) fn write_records_jsonl(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let mut of_rule: BTreeMap<&str, usize> = BTreeMap::new();
    let mut written = BTreeSet::new();
    for finding in case.findings.iter().filter(|finding| finding.record.is_some()) {
        let count = of_rule.entry(&finding.rule.id).or_default();
        *count += 1;
        if *count > RECORDS_PER_RULE_MAX || !written.insert((finding.evidence, finding.position.offset)) {
            continue;
        }
        let fields = case.record(finding).map_err(io::Error::other)?.unwrap_or_default();
        let evidence = lead_path(case, finding.evidence);
        write_line(&RecordShape { evidence, offset: finding.position.offset, fields: Fields(&fields) }, out)?;
    }
    Ok(())
}

fn finding_shape<'a>(
    case: &'a Case,
    finding: &'a Finding,
    fields: &'a [Field],
    matched: &'a [Arc<str>],
) -> FindingShape<'a> {
    let position = finding.position;
    FindingShape {
        id: finding.id.to_string(),
        rule_id: &finding.rule.id,
        rule_title: &finding.rule.title,
        level: finding.rule.level.as_str(),
        time: Time(finding.time),
        host: finding.host.as_deref(),
        evidence: lead_path(case, finding.evidence),
        position: (!finding.is_correlation()).then_some(PositionShape {
            offset: position.offset,
            record: position.record,
            line: position.line,
        }),
        grounds: finding.grounds.iter().map(ToString::to_string).collect(),
        intrusion: finding.intrusion.map(words::intrusion_label),
        techniques: &finding.rule.techniques,
        matched: matched.iter().map(|name| &**name).collect(),
        fields: Fields(fields),
    }
}

#[derive(serde::Serialize)]
struct AnswerShape<'a> {
    casebook: &'a str,
    host: Option<&'a str>,
    intrusion: Option<String>,
    question_id: &'a str,
    answer: &'static str,
    first: Time,
    last: Time,
    grounds: Vec<String>,
    coverage: &'a [String],
    next: &'a [String],
    text: &'a str,
}

/// Writes the answers as one JSON list, in the order of the case.
///
/// # Errors
/// Those of `out`.
pub fn write_answers_json(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    write_pretty(&case.answers.iter().map(answer_shape).collect::<Vec<_>>(), out)
}

fn answer_shape(answer: &Answer) -> AnswerShape<'_> {
    AnswerShape {
        casebook: &answer.casebook,
        host: answer.host.as_deref(),
        intrusion: answer.intrusion.map(words::intrusion_label),
        question_id: &answer.question_id,
        answer: answer.answer.as_str(),
        first: Time(answer.span.first),
        last: Time(answer.span.last),
        grounds: answer.grounds.iter().map(ToString::to_string).collect(),
        coverage: &answer.coverage,
        next: &answer.next,
        text: &answer.text,
    }
}
