//! `findings.jsonl` and `answers.json`: what `--format` also prints.

use super::{Time, write_line, write_pretty};
use crate::digest::lead_path;
use crate::words;
use model::{Answer, Case, Field, Finding, Spilled};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

#[derive(serde::Serialize)]
struct FindingShape<'a> {
    id: String,
    rule_id: &'a str,
    rule_title: &'a str,
    level: &'static str,
    time: Time,
    host: Option<&'a str>,
    evidence: Option<&'a str>,
    position: PositionShape,
    intrusion: Option<String>,
    techniques: &'a [String],
    matched: Vec<&'a str>,
    /// The line of `records.jsonl`, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole_record: Option<u64>,
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
    let mut lines = RecordLines::default();
    case.findings.iter().try_for_each(|finding| {
        let details = case.details(finding).map_err(io::Error::other)?;
        let mut matched: Vec<Arc<str>> = Vec::new();
        for ((name, _), _) in details.iter().filter(|(_, matched)| *matched) {
            if !matched.contains(name) {
                matched.push(name.clone());
            }
        }
        let fields: Vec<Field> = details.into_iter().map(|(field, _)| field).collect();
        let (whole_record, _) = lines.of(finding).unzip();
        write_line(&finding_shape(case, finding, &fields, &matched, whole_record), out)
    })
}

/// Numbers whole records in the order of the findings that have them.
#[derive(Default)]
struct RecordLines(BTreeMap<Spilled, u64>);

impl RecordLines {
    /// The line of the finding's record, and whether it is met for the first time.
    fn of(&mut self, finding: &Finding) -> Option<(u64, bool)> {
        let next = self.0.len() as u64 + 1;
        let line = *self.0.entry(finding.record?).or_insert(next);
        Some((line, line == next))
    }
}

#[derive(serde::Serialize)]
struct RecordShape<'a> {
    evidence: Option<&'a str>,
    offset: u64,
    fields: Fields<'a>,
}

/// Writes whole records, each once: those of the first findings of each rule.
pub(crate) fn write_records_jsonl(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = RecordLines::default();
    for finding in &case.findings {
        if let Some((_, true)) = lines.of(finding) {
            let fields = case.record(finding).map_err(io::Error::other)?.unwrap_or_default();
            let evidence = lead_path(case, finding.evidence);
            let offset = finding.position.offset;
            write_line(&RecordShape { evidence, offset, fields: Fields(&fields) }, out)?;
        }
    }
    Ok(())
}

fn finding_shape<'a>(
    case: &'a Case,
    finding: &'a Finding,
    fields: &'a [Field],
    matched: &'a [Arc<str>],
    whole_record: Option<u64>,
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
        position: PositionShape { offset: position.offset, record: position.record, line: position.line },
        intrusion: finding.intrusion.map(words::intrusion_label),
        techniques: &finding.rule.techniques,
        matched: matched.iter().map(|name| &**name).collect(),
        whole_record,
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
