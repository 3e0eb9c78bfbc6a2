//! Reads drafts, position forms and records (YAML or JSON), and what packages hold.

use crate::error::ReadError;
use crate::package::is_party;
use crate::position::{self, ClausePosition, Position, Word};
use crate::record::{self, Record};
use crate::statement::{self, Ground, Statement};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use stix::Tlp;

/// Bytes of one file.
pub(crate) const TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Clauses, parties, sources, notes, grounds of a clause, positions of a record: each.
const ENTRIES_MAX: usize = 2_000;

/// A fault: the text by which its line is found, and what was wanted and found.
type Fault = (String, String);

/// What a party fills in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilledForm {
    /// Whose.
    pub party: String,
    /// About all of it.
    #[serde(default)]
    pub remark: String,
    /// The label of all of it, where it is stricter than the statement's.
    #[serde(default)]
    pub tlp: Option<String>,
    /// Where a label is `red`: those who may have it.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// By clause.
    pub clauses: Vec<ClausePosition>,
}

/// Reads a statement from YAML or JSON.
///
/// # Errors
/// With file and line, and what was wanted and found: not YAML, an unknown or missing field, two things of one id, a
/// reference to nothing, a text that is too long.
pub fn parse_statement(file: &str, text: &str) -> Result<Statement, ReadError> {
    let statement: Statement = parse(file, text)?;
    check_statement(&statement).map_err(|fault| at(file, text, fault))?;
    Ok(statement)
}

/// Reads the form that a party filled in, against the statement that it is about.
///
/// # Errors
/// As [`parse_statement`]; and a clause that the statement does not have, or that is named twice.
pub fn parse_position(file: &str, text: &str, statement: &Statement) -> Result<FilledForm, ReadError> {
    let form: FilledForm = parse(file, text)?;
    check_characters(&(&form.remark, &form.recipients))
        .and_then(|()| check_clauses(&form.clauses, statement))
        .and_then(|()| check_labels(form.tlp.as_deref(), &form.recipients, &form.clauses))
        .map_err(|fault| at(file, text, fault))?;
    if !statement.parties.iter().any(|party| party.id == form.party) {
        let wanted = ids(statement.parties.iter().map(|party| party.id.as_str()));
        return Err(at(
            file,
            text,
            fault(&form.party, format!("party: wanted one of {wanted}, found {:?}", form.party)),
        ));
    }
    Ok(form)
}

/// Reads a record from YAML or JSON.
///
/// # Errors
/// As [`parse_statement`].
pub fn parse_record(file: &str, text: &str) -> Result<Record, ReadError> {
    let record: Record = parse(file, text)?;
    check_record(&record).map_err(|fault| at(file, text, fault))?;
    Ok(record)
}

/// Reads the statement of a package, which is JSON.
pub(crate) fn read_statement(bytes: &[u8]) -> Result<Statement, ReadError> {
    const FILE: &str = "statement.json";
    let statement: Statement = read_json(FILE, bytes)?;
    check_statement(&statement).map_err(|(_, what)| ReadError { file: FILE.to_owned(), line: None, what })?;
    Ok(statement)
}

/// Reads a position of a package.
pub(crate) fn read_position(file: &str, bytes: &[u8], statement: &Statement) -> Result<Position, ReadError> {
    let position: Position = read_json(file, bytes)?;
    let wrong = |what: String| ReadError { file: file.to_owned(), line: None, what };
    if position.schema != position::SCHEMA {
        return Err(wrong(format!("schema: wanted {:?}, found {:?}", position::SCHEMA, position.schema)));
    }
    check_characters(&position)
        .and_then(|()| check_clauses(&position.clauses, statement))
        .and_then(|()| check_labels(position.tlp.as_deref(), &position.recipients, &position.clauses))
        .map_err(|(_, what)| wrong(what))?;
    Ok(position)
}

fn read_json<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T, ReadError> {
    let wrong = |line, what| ReadError { file: file.to_owned(), line, what };
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(wrong(None, format!("wanted at most {TEXT_BYTES_MAX} bytes, found {}", bytes.len())));
    }
    serde_json::from_slice(bytes).map_err(|error| wrong(Some(error.line()), error.to_string()))
}

fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, ReadError> {
    let wrong = |line, what| ReadError { file: file.to_owned(), line, what };
    if text.len() > TEXT_BYTES_MAX {
        return Err(wrong(None, format!("wanted at most {TEXT_BYTES_MAX} bytes, found {}", text.len())));
    }
    // A reader's error repeats what it found, and this is nobody's to see.
    if text.contains("PRIVATE KEY-----") {
        return Err(wrong(Some(1), "wanted YAML or JSON, found a private key".to_owned()));
    }
    yaml_serde::from_str(text)
        .map_err(|error| wrong(error.location().map(|place| place.line()), short(&error.to_string())))
}

/// Whoever signs a text has read it: nothing in it may steer, reorder or hide letters, nor break a line.
fn check_characters<T: Serialize>(value: &T) -> Result<(), Fault> {
    fn walk(value: &serde_json::Value) -> Option<&str> {
        match value {
            serde_json::Value::String(text) => text.chars().any(model::is_dangerous).then_some(text),
            serde_json::Value::Array(items) => items.iter().find_map(walk),
            serde_json::Value::Object(fields) => fields.values().find_map(walk),
            _ => None,
        }
    }
    let value = serde_json::to_value(value).unwrap_or_default();
    let Some(text) = walk(&value) else { return Ok(()) };
    let needle = text.split(model::is_dangerous).max_by_key(|part| part.len()).unwrap_or_default().trim();
    let short: String = text.chars().take(80).collect();
    Err(fault(needle, format!("wanted text on one line without hidden characters, found {short:?}")))
}

/// An error, which may repeat a whole file, cut.
fn short(error: &str) -> String {
    const CHARS_MAX: usize = 300;
    match error.char_indices().nth(CHARS_MAX) {
        None => error.to_owned(),
        Some((end, _)) => format!("{}…", &error[..end]),
    }
}

fn fault(needle: &str, what: String) -> Fault {
    (needle.to_owned(), what)
}

/// Gives a fault its line: the last one that holds the text at fault as a word (as an id, where there is such a line),
/// since of two things of one id it is the second that is wrong.
fn at(file: &str, text: &str, (needle, what): Fault) -> ReadError {
    let holds = |line: &str| {
        let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        line.match_indices(&needle).any(|(start, found)| {
            let before = line[..start].chars().next_back();
            let after = line[start + found.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
    };
    let holding = || text.lines().enumerate().filter(|(_, line)| !needle.is_empty() && holds(line));
    let defining = format!("id: {needle}");
    let line = holding().filter(|(_, line)| line.contains(&defining)).last().or_else(|| holding().last());
    ReadError { file: file.to_owned(), line: line.map(|(index, _)| index + 1), what }
}

fn ids<'i>(ids: impl Iterator<Item = &'i str>) -> String {
    ids.collect::<Vec<_>>().join(", ")
}

/// Ids that are there, each once.
fn unique<'i>(what: &str, list: impl Iterator<Item = &'i str>) -> Result<BTreeSet<&'i str>, Fault> {
    let mut seen = BTreeSet::new();
    for id in list {
        if !seen.insert(id) {
            return Err(fault(id, format!("{what}: wanted each id once, found {id:?} twice")));
        }
        if seen.len() > ENTRIES_MAX {
            return Err(fault(id, format!("{what}: wanted at most {ENTRIES_MAX}, found more")));
        }
    }
    Ok(seen)
}

fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_date(text: &str) -> bool {
    let shape = |text: &str, form: &str| {
        text.len() == form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(b, f)| if f == b'0' { b.is_ascii_digit() } else { b == f })
    };
    shape(text, "0000-00-00") || shape(text, "0000-00")
}

fn known(what: &str, id: &str, known: &BTreeSet<&str>) -> Result<(), Fault> {
    if known.contains(id) {
        return Ok(());
    }
    Err(fault(id, format!("{what}: wanted one of {}, found {id:?}", ids(known.iter().copied().take(20)))))
}

fn check_statement(statement: &Statement) -> Result<(), Fault> {
    check_characters(statement)?;
    if statement.schema != statement::SCHEMA {
        let found = &statement.schema;
        return Err(fault(found, format!("schema: wanted {:?}, found {found:?}", statement::SCHEMA)));
    }
    check_label("tlp", &statement.tlp, &statement.recipients)?;
    if !statement.recipients.is_empty() && statement.tlp != Tlp::Red.word() {
        let found = &statement.tlp;
        return Err(fault("recipients", format!("recipients: wanted tlp red with them, found {found:?}")));
    }
    let parties = unique("parties", statement.parties.iter().map(|party| party.id.as_str()))?;
    if let Some(party) = parties.iter().find(|party| !is_party(party)) {
        return Err(fault(party, format!("party id: wanted 1 to 40 of a-z, 0-9 and -, found {party:?}")));
    }
    let clauses = unique("clauses", statement.clauses.iter().map(|clause| clause.id.as_str()))?;
    let sources = unique("sources", statement.sources.iter().map(|source| source.id.as_str()))?;
    unique("scales", statement.scales.iter().map(|scale| scale.id.as_str()))?;
    for term in statement.scales.iter().flat_map(|scale| &scale.terms) {
        let (from, to) = (term.from.unwrap_or(0), term.to.unwrap_or(100));
        if from > to || to > 100 {
            let what = format!("term {:?}: wanted from ≤ to ≤ 100 percent, found {from}, {to}", term.word);
            return Err(fault(&term.word, what));
        }
    }
    if clauses.is_empty() {
        return Err(fault("clauses", "clauses: wanted at least one, found none".to_owned()));
    }
    for id in clauses.iter().chain(&sources) {
        if !is_id(id) {
            return Err(fault(id, format!("id: wanted 1 to 64 of letters, digits, - _ ., found {id:?}")));
        }
    }
    for source in &statement.sources {
        if !is_date(&source.date) {
            return Err(fault(
                &source.date,
                format!("date: wanted YYYY-MM-DD or YYYY-MM, found {:?}", source.date),
            ));
        }
    }
    for clause in &statement.clauses {
        if clause.text.trim().is_empty() {
            return Err(fault(&clause.id, format!("clause {}: wanted a text, found none", clause.id)));
        }
        clause.builds_on.iter().try_for_each(|id| known("builds_on", id, &clauses))?;
        clause.grounds.iter().try_for_each(|ground| check_ground(&clause.id, ground))?;
    }
    for note in &statement.notes {
        note.clauses.iter().try_for_each(|id| known("clauses of a note", id, &clauses))?;
        note.sources.iter().try_for_each(|id| known("sources of a note", id, &sources))?;
    }
    Ok(())
}

fn check_ground(clause: &str, ground: &Ground) -> Result<(), Fault> {
    let count = [ground.finding.is_some(), ground.attribution.is_some(), ground.external.is_some()];
    let count = count.into_iter().filter(|is_there| *is_there).count();
    if count != 1 {
        let what = format!("ground of {clause}: wanted one of finding, attribution, external, found {count}");
        return Err(fault(clause, what));
    }
    let hash = |hash: &str| match is_sha256(hash) {
        true => Ok(()),
        false => {
            Err(fault(hash, format!("ground of {clause}: wanted a SHA-256 of 64 hex digits, found {hash:?}")))
        }
    };
    if let Some(finding) = &ground.finding {
        hash(&finding.findings_sha256)?;
        let is_finding = |id: &String| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
        if let Some(id) = finding.ids.iter().find(|id| !is_finding(id)) {
            return Err(fault(
                id,
                format!("ground of {clause}: wanted a finding's id of 16 hex digits, found {id:?}"),
            ));
        }
        if finding.ids.is_empty() {
            return Err(fault(clause, format!("ground of {clause}: wanted ids of findings, found none")));
        }
    }
    if let Some(attribution) = &ground.attribution {
        hash(&attribution.attribution_sha256)?;
    }
    if let Some(external) = &ground.external
        && !is_date(&external.date)
    {
        let found = &external.date;
        return Err(fault(found, format!("ground of {clause}: wanted a date YYYY-MM-DD, found {found:?}")));
    }
    Ok(())
}

fn check_word(clause: &str, word: Option<&Word>) -> Result<(), Fault> {
    let Some(word) = word else { return Ok(()) };
    if word.word.trim().is_empty() {
        return Err(fault(clause, format!("word about {clause}: wanted a word, found none")));
    }
    match word.interval {
        Some([from, to]) if from > to || to > 100 => {
            Err(fault(clause, format!("interval about {clause}: wanted from ≤ to ≤ 100, found {from}, {to}")))
        }
        _ => Ok(()),
    }
}

/// A label as files write it; RED says who may have it, and only RED does.
fn check_label(what: &str, label: &str, recipients: &[String]) -> Result<(), Fault> {
    if !Tlp::ALL.into_iter().any(|tlp| tlp.word() == label) {
        let wanted = Tlp::ALL.map(Tlp::word).join(", ");
        return Err(fault(label, format!("{what}: wanted one of {wanted}, found {label:?}")));
    }
    let named = recipients.iter().filter(|name| !name.trim().is_empty()).count();
    if label == Tlp::Red.word() && (named == 0 || named < recipients.len()) {
        return Err(fault(label, format!("{what} red: wanted recipients, each with a name, found none")));
    }
    Ok(())
}

fn check_labels(tlp: Option<&str>, recipients: &[String], clauses: &[ClausePosition]) -> Result<(), Fault> {
    let reasons = clauses.iter().filter_map(|own| own.reason_tlp.as_deref());
    let labels: Vec<(&str, &str)> =
        tlp.map(|tlp| ("tlp", tlp)).into_iter().chain(reasons.map(|tlp| ("reason_tlp", tlp))).collect();
    labels.iter().try_for_each(|(what, label)| check_label(what, label, recipients))?;
    if !recipients.is_empty() && !labels.iter().any(|(_, label)| *label == Tlp::Red.word()) {
        return Err(fault("recipients", "recipients: wanted a label red with them, found none".to_owned()));
    }
    Ok(())
}

fn check_clauses(positions: &[ClausePosition], statement: &Statement) -> Result<(), Fault> {
    check_characters(&positions)?;
    let clauses = statement.clauses.iter().map(|clause| clause.id.as_str()).collect();
    unique("clauses", positions.iter().map(|position| position.clause.as_str()))?;
    for position in positions {
        known("clause", &position.clause, &clauses)?;
        check_word(&position.clause, position.likelihood.as_ref())?;
        check_word(&position.clause, position.strength.as_ref())?;
        if position.stance == crate::Stance::ConcurInPart && position.reason.trim().is_empty() {
            let clause = &position.clause;
            return Err(fault(clause, format!("{clause}: wanted a reason that says which part, found none")));
        }
    }
    Ok(())
}

fn check_record(record: &Record) -> Result<(), Fault> {
    check_characters(record)?;
    if record.schema != record::SCHEMA {
        let found = &record.schema;
        return Err(fault(found, format!("schema: wanted {:?}, found {found:?}", record::SCHEMA)));
    }
    let statement = &record.statement;
    check_statement(statement)?;
    let parties = statement.parties.iter().map(|party| party.id.as_str()).collect();
    let clauses = statement.clauses.iter().map(|clause| clause.id.as_str()).collect();
    let sources = statement.sources.iter().map(|source| source.id.as_str()).collect();
    if record.positions.len() > ENTRIES_MAX {
        let found = record.positions.len();
        return Err(fault("positions", format!("positions: wanted at most {ENTRIES_MAX}, found {found}")));
    }
    for position in &record.positions {
        known("party", &position.party, &parties)?;
        known("clause", &position.clause, &clauses)?;
        position.sources.iter().try_for_each(|id| known("source", id, &sources))?;
        check_word(&position.clause, position.word.as_ref())?;
        if !is_date(&position.date) {
            return Err(fault(&position.date, format!("date: wanted YYYY-MM-DD, found {:?}", position.date)));
        }
        if !record::WORD_SEEN.contains(&position.word_seen.as_str()) {
            let (wanted, found) = (record::WORD_SEEN.join(", "), &position.word_seen);
            return Err(fault(found, format!("word_seen: wanted one of {wanted}, found {found:?}")));
        }
    }
    for conflict in &record.conflicts {
        conflict.clauses.iter().try_for_each(|id| known("clauses of a conflict", id, &clauses))?;
        conflict
            .readings
            .iter()
            .try_for_each(|reading| known("source of a reading", &reading.source, &sources))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[track_caller]
    fn check(change: (&str, &str), expect: &str) {
        let text = sample::DRAFT.replacen(change.0, change.1, 1);
        assert_ne!(text, sample::DRAFT, "nothing was changed");
        assert_eq!(parse_statement("draft.yml", &text).unwrap_err().to_string(), expect);
    }

    #[test]
    fn faults_name_file_and_line_and_what_was_wanted_and_found() {
        parse_statement("draft.yml", sample::DRAFT).unwrap();
        check(
            ("tlp: clear", "tlp: white"),
            "draft.yml:3: tlp: wanted one of clear, green, amber, amber+strict, red, found \"white\"",
        );
        check(
            ("id: us,", "id: US,"),
            "draft.yml:5: party id: wanted 1 to 40 of a-z, 0-9 and -, found \"US\"",
        );
        check(("id: C2", "id: C1"), "draft.yml:16: clauses: wanted each id once, found \"C1\" twice");
        check(
            ("date: 2021-03-02", "date: yesterday"),
            "draft.yml:15: ground of C1: wanted a date YYYY-MM-DD, found \"yesterday\"",
        );
        check(
            ("builds_on: [C1]", "builds_on: [C9]"),
            "draft.yml:19: builds_on: wanted one of C1, C2, C3, found \"C9\"",
        );
    }

    #[test]
    fn an_unknown_field_or_level_is_told_with_its_line() {
        let told = |change: (&str, &str)| {
            let text = sample::DRAFT.replacen(change.0, change.1, 1);
            parse_statement("draft.yml", &text).unwrap_err().to_string()
        };
        let unknown = told(("names: HAFNIUM", "nemes: HAFNIUM"));
        assert!(
            unknown.starts_with("draft.yml:18: ") && unknown.contains("unknown field `nemes`"),
            "{unknown}"
        );
        let level = told(("level: cluster", "level: nation"));
        assert!(level.starts_with("draft.yml:17: ") && level.contains("unknown variant `nation`"), "{level}");
    }

    #[test]
    fn an_error_does_not_repeat_a_key_nor_a_whole_file() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n";
        let told = parse_statement("draft.yml", key).unwrap_err().to_string();
        assert_eq!(told, "draft.yml:1: wanted YAML or JSON, found a private key");
        let told = parse_statement("draft.yml", &"a ".repeat(10_000)).unwrap_err().to_string();
        assert!(told.chars().count() < 400, "{told}");
    }

    #[test]
    fn a_form_that_nobody_filled_in_is_refused() {
        let statement = parse_statement("draft.yml", sample::DRAFT).unwrap();
        let form = crate::position_form(&statement, "us");
        let told = parse_position("us.yml", &form, &statement).unwrap_err().to_string();
        assert!(told.starts_with("us.yml:12: ") && told.contains("found \"CHOOSE\""), "{told}");
        let filled = form.replace("CHOOSE", "concur");
        assert_eq!(parse_position("us.yml", &filled, &statement).unwrap().clauses.len(), 3);
        let part = form.replace("CHOOSE", "concur-in-part");
        let told = parse_position("us.yml", &part, &statement).unwrap_err().to_string();
        assert!(told.ends_with("C1: wanted a reason that says which part, found none"), "{told}");
    }
}
