//! `answers.json`, `run.json`, `rules.json`, `sessions.json`.

use super::ReadError;
use super::case::Places;
use super::value::{Count, Text, inner, inner_all, span};
use model::{
    Answer, AnswerWord, Case, FindingId, HostName, IntrusionId, Level, Logon, Position, Process, RuleFacts,
    RuleNote, RuleUse, Run, SessionsLeftOut, Timestamp,
};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
pub(super) struct AnswerPart {
    casebook: String,
    host: Option<HostName>,
    intrusion: Option<Text<IntrusionId>>,
    question_id: String,
    answer: Text<AnswerWord>,
    first: Option<Text<Timestamp>>,
    last: Option<Text<Timestamp>>,
    grounds: Vec<Text<FindingId>>,
    coverage: Vec<String>,
    next: Vec<String>,
    text: String,
}

pub(super) fn answers(parts: Vec<AnswerPart>, places: &Places) -> Result<Vec<Answer>, ReadError> {
    let answer = |part: AnswerPart| {
        let Text(answer) = part.answer;
        Ok(Answer {
            casebook: part.casebook,
            host: part.host,
            intrusion: places.intrusion(part.intrusion, "answers.json", None)?,
            question_id: part.question_id,
            answer,
            span: span(part.first, part.last),
            grounds: inner_all(part.grounds),
            coverage: part.coverage,
            next: part.next,
            text: part.text,
        })
    };
    parts.into_iter().map(answer).collect()
}

#[derive(Deserialize)]
pub(super) struct RunPart {
    version: String,
    started: Option<Text<Timestamp>>,
    seconds: Option<f64>,
    rules_not_loaded: Vec<NotePart>,
    rules_not_met: Vec<NotePart>,
    #[serde(default)]
    indicators_not_loaded: Vec<NotePart>,
}

#[derive(Deserialize)]
struct NotePart {
    file: String,
    line: Option<u32>,
    rule: Option<String>,
    reason: String,
}

pub(super) fn run(part: RunPart) -> Run {
    let notes = |parts: Vec<NotePart>| {
        let note = |part: NotePart| RuleNote {
            file: part.file,
            line: part.line,
            rule: part.rule,
            reason: part.reason,
        };
        parts.into_iter().map(note).collect()
    };
    Run {
        version: part.version,
        started: inner(part.started),
        seconds: part.seconds.unwrap_or(f64::NAN),
        rules_not_loaded: notes(part.rules_not_loaded),
        indicators_not_loaded: notes(part.indicators_not_loaded),
        rules_not_met: notes(part.rules_not_met),
    }
}

#[derive(Deserialize)]
pub(super) struct RulesPart {
    rules: Vec<RulePart>,
    #[serde(default)]
    other_rules: Vec<FactsPart>,
}

#[derive(Deserialize)]
struct RulePart {
    #[serde(flatten)]
    facts: FactsPart,
    file: String,
    looks_at: String,
    met: Vec<Option<HostName>>,
    findings: Count,
    text: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct FactsPart {
    id: String,
    title: String,
    level: Text<Level>,
    tags: Vec<String>,
    techniques: Vec<String>,
}

/// What is known of rules.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) loaded: Vec<RuleUse>,
    pub(super) others: Vec<Arc<RuleFacts>>,
}

pub(super) fn rules(part: RulesPart) -> Rules {
    let loaded = part.rules.into_iter().map(|rule| RuleUse {
        facts: facts(rule.facts),
        file: rule.file,
        looks_at: rule.looks_at,
        met: rule.met,
        findings: rule.findings.0,
        text: rule.text,
    });
    Rules { loaded: loaded.collect(), others: part.other_rules.into_iter().map(facts).collect() }
}

fn facts(part: FactsPart) -> Arc<RuleFacts> {
    let Text(level) = part.level;
    Arc::new(RuleFacts {
        id: part.id,
        title: part.title,
        level,
        tags: part.tags,
        techniques: part.techniques,
    })
}

const SESSIONS: &str = "sessions.json";

#[derive(Deserialize)]
pub(super) struct SessionsPart {
    processes: Vec<ProcessPart>,
    processes_left_out: Count,
    logons: Vec<LogonPart>,
    logons_left_out: Count,
}

#[derive(Deserialize)]
struct ProcessPart {
    host: Option<HostName>,
    parent: Option<u32>,
    time: Option<Text<Timestamp>>,
    image: String,
    command_line: String,
    user: String,
    process_id: String,
    evidence: Option<String>,
    offset: Option<u64>,
    record: Option<u64>,
    line: Option<u64>,
    findings: Vec<Text<FindingId>>,
}

#[derive(Deserialize)]
struct LogonPart {
    host: Option<HostName>,
    source: String,
    source_host: Option<HostName>,
    user: String,
    kind: String,
    count: Count,
    first: Option<Text<Timestamp>>,
    last: Option<Text<Timestamp>>,
    suspicious: bool,
}

pub(super) fn add_sessions(case: &mut Case, part: SessionsPart, places: &Places) -> Result<(), ReadError> {
    let processes = part.processes.into_iter().enumerate();
    case.sessions.processes =
        processes.map(|(index, part)| process(index, part, places)).collect::<Result<_, _>>()?;
    case.sessions.logons = part.logons.into_iter().map(logon).collect();
    case.sessions.left_out =
        SessionsLeftOut { processes: part.processes_left_out.0, logons: part.logons_left_out.0 };
    Ok(())
}

/// A parent stands before its children: there is no circle.
fn process(index: usize, part: ProcessPart, places: &Places) -> Result<Process, ReadError> {
    if let Some(parent) = part.parent.filter(|parent| *parent as usize >= index) {
        let wanted = format!("parent of process {index}: an earlier one");
        return Err(ReadError::dangling(SESSIONS, None, &wanted, &parent.to_string()));
    }
    let place = match part.offset {
        Some(offset) => {
            let item = places.item(part.evidence.as_deref(), SESSIONS, None)?;
            Some((item, Position { offset, record: part.record, line: part.line }))
        }
        None => None,
    };
    Ok(Process {
        host: part.host,
        parent: part.parent,
        time: inner(part.time),
        image: part.image,
        command_line: part.command_line,
        user: part.user,
        process_id: part.process_id,
        place,
        findings: inner_all(part.findings),
    })
}

fn logon(part: LogonPart) -> Logon {
    Logon {
        host: part.host,
        source: part.source,
        source_host: part.source_host,
        user: part.user,
        kind: part.kind,
        count: part.count.0,
        span: span(part.first, part.last),
        suspicious: part.suspicious,
    }
}
