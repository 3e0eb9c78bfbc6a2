//! `findings.jsonl`, `records.jsonl` and `answers.json`: lines of findings and records as `rows` writes them.

use super::text::{push_string, push_string_or_null, push_strings};
use super::{Ids, Time, write_pretty};
use crate::digest::lead_path;
use crate::words;
use model::{Answer, Case, Detail, Details, Finding, RuleFacts};
use std::fmt::Write as _;
use std::io::{self, Write};

/// What a line says of its finding's rule: the same for all findings of it.
pub(crate) struct RuleText {
    /// From `rule_id` to `level`.
    head: String,
    techniques: String,
}

impl RuleText {
    pub(crate) fn of(rule: &RuleFacts) -> Self {
        let mut head = String::from(",\"rule_id\":");
        push_string(&mut head, &rule.id);
        head.push_str(",\"rule_title\":");
        push_string(&mut head, &rule.title);
        head.push_str(",\"level\":");
        push_string(&mut head, rule.level.as_str());
        let mut techniques = String::new();
        push_strings(&mut techniques, rule.techniques.iter().map(String::as_str));
        Self { head, techniques }
    }
}

/// Appends the line of a finding; `whole_record` is the line of `records.jsonl` that holds its record, from 1.
pub(crate) fn push_finding(
    out: &mut String,
    case: &Case,
    (finding, rule): (&Finding, &RuleText),
    details: &Details,
    whole_record: Option<u64>,
) {
    out.push_str("{\"id\":\"");
    words::push_hex(&finding.id.0, out);
    out.push('"');
    out.push_str(&rule.head);
    out.push_str(",\"time\":");
    // Writing into a `String` cannot fail.
    let _ = match finding.time {
        Some(time) => write!(out, "\"{time}\""),
        None => write!(out, "null"),
    };
    out.push_str(",\"host\":");
    push_string_or_null(out, finding.host.as_deref());
    out.push_str(",\"evidence\":");
    push_string_or_null(out, lead_path(case, finding.evidence));
    out.push_str(",\"position\":");
    push_position(out, finding);
    if !finding.grounds.is_empty() {
        let grounds: Vec<String> = finding.grounds.iter().map(ToString::to_string).collect();
        out.push_str(",\"grounds\":");
        push_strings(out, grounds.iter().map(String::as_str));
    }
    out.push_str(",\"intrusion\":");
    push_string_or_null(out, finding.intrusion.map(words::intrusion_label).as_deref());
    out.push_str(",\"techniques\":");
    out.push_str(&rule.techniques);
    out.push_str(",\"matched\":");
    push_strings(out, details.matched());
    if let Some(line) = whole_record {
        let _ = write!(out, ",\"whole_record\":{line}");
    }
    out.push_str(",\"fields\":");
    push_fields(out, details);
    out.push_str("}\n");
}

fn push_position(out: &mut String, finding: &Finding) {
    if finding.is_correlation() {
        return out.push_str("null");
    }
    let position = finding.position;
    // Writing into a `String` cannot fail.
    let _ = write!(out, "{{\"offset\":{}", position.offset);
    for (name, number) in [("record", position.record), ("line", position.line)] {
        if let Some(number) = number {
            let _ = write!(out, ",\"{name}\":{number}");
        }
    }
    out.push('}');
}

/// Names and texts of a record, as an object. It can hold a name once only (JSON readers drop all but one of several):
/// texts of one name are a list.
fn push_fields(out: &mut String, details: &Details) {
    out.push('{');
    let mut fields = details.together().peekable();
    let mut is_first = true;
    while let Some(Detail { name, text, .. }) = fields.next() {
        if !std::mem::take(&mut is_first) {
            out.push(',');
        }
        push_string(out, name);
        out.push(':');
        let mut more = fields.next_if(|next| next.name == name);
        if more.is_none() {
            push_string(out, text);
            continue;
        }
        out.push('[');
        push_string(out, text);
        while let Some(next) = more {
            out.push(',');
            push_string(out, next.text);
            more = fields.next_if(|next| next.name == name);
        }
        out.push(']');
    }
    out.push('}');
}

/// Appends the line of the whole record that a finding stands in.
pub(crate) fn push_record(out: &mut String, case: &Case, finding: &Finding, record: &Details) {
    out.push_str("{\"evidence\":");
    push_string_or_null(out, lead_path(case, finding.evidence));
    // Writing into a `String` cannot fail.
    let _ = write!(out, ",\"offset\":{},\"fields\":", finding.position.offset);
    push_fields(out, record);
    out.push_str("}\n");
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
    grounds: Ids<'a>,
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
        grounds: Ids(&answer.grounds),
        coverage: &answer.coverage,
        next: &answer.next,
        text: &answer.text,
    }
}
