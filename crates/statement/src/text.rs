//! A statement as text for people: what is signed beside the JSON, and what `show` prints.
//!
//! What comes in was read by `read`, which lets no character through that steers a terminal.

use crate::audience::{View, label_text};
use crate::standing::{ClauseStanding, Voice};
use crate::statement::{Clause, Ground, Statement};
use std::fmt::Write as _;

/// Letters of a line.
const WIDTH: usize = 100;

/// The statement alone, without positions: `statement.txt` of a package.
pub fn render_statement(statement: &Statement) -> String {
    let mut out = String::new();
    head(statement, None, &mut out);
    for clause in &statement.clauses {
        out.push('\n');
        clause_text(statement, clause, &mut out);
    }
    tail(statement, &mut out);
    out
}

/// The statement with who stands behind what.
pub fn render_positions(view: &View<'_>) -> String {
    let View { statement, record, .. } = *view;
    let mut out = String::new();
    head(statement, Some(view), &mut out);
    view.foreword.iter().for_each(|line| wrap("", "", line, &mut out));
    for line in view.left_out_text() {
        wrap("", "  ", &format!("Left out: {line}"), &mut out);
    }
    for standing in &view.standings {
        out.push('\n');
        clause_text(statement, standing.clause, &mut out);
        wrap("   ", "   ", &clause_joint(statement, standing, record.is_some()), &mut out);
        for voice in &standing.voices {
            voice_text(statement, voice, &mut out);
        }
        for gone in &standing.withdrawn {
            wrap("   ", "     ", &gone.sentence(statement.party_name(&gone.party)), &mut out);
        }
        if !standing.silent.is_empty() {
            let names: Vec<&str> = standing.silent.iter().map(|party| statement.party_name(party)).collect();
            let silence = silence_text(standing, record.is_some());
            wrap("   ", "     ", &format!("{silence}: {}", names.join(", ")), &mut out);
        }
    }
    for conflict in record.iter().flat_map(|record| &record.conflicts) {
        out.push('\n');
        wrap(
            "",
            "  ",
            &format!("Conflict on {}: {}. {}", conflict.clauses.join(", "), conflict.title, conflict.settled),
            &mut out,
        );
        for reading in &conflict.readings {
            wrap("   - ", "     ", &format!("{} [{}]", reading.says, reading.source), &mut out);
        }
    }
    tail(statement, &mut out);
    out
}

/// What it means that a party is among the silent ones of a clause.
pub fn silence_text(standing: &ClauseStanding<'_>, recorded: bool) -> String {
    match (standing.withheld, recorded) {
        (0, true) => "Nothing seen of (not assent)".to_owned(),
        (0, false) => "Silent (not assent)".to_owned(),
        (1, _) => "Silent (not assent), or not shown here (1 is not)".to_owned(),
        (count, _) => format!("Silent (not assent), or not shown here ({count} are not)"),
    }
}

/// For whom a clause is joint, in a sentence.
pub fn clause_joint(statement: &Statement, standing: &ClauseStanding<'_>, recorded: bool) -> String {
    let names: Vec<&str> = standing.holders().into_iter().map(|party| statement.party_name(party)).collect();
    let said = match (names.as_slice(), recorded) {
        ([], false) => "Not joint: nobody concurs.".to_owned(),
        ([], true) => "Not joint: nobody states it.".to_owned(),
        ([one], false) => format!("Not joint: only {one} concurs."),
        ([one], true) => format!("Not joint: only {one} states it."),
        (many, false) => format!("Joint for those who signed it, and nobody else: {}.", many.join(", ")),
        (many, true) => format!("Stated by each of these in a text of its own: {}.", many.join(", ")),
    };
    match standing.withheld {
        0 => said,
        count => format!("Of what is shown here: {said} Not shown: {count}."),
    }
}

/// The label of what is shown, and which part makes it so where that is not the statement itself.
pub fn label_sentence(view: &View<'_>) -> String {
    let label = label_text(view.label.tlp, &view.label.recipients);
    match view.label.reason.starts_with("the statement is ") {
        true => label,
        false => format!("{label} ({})", view.label.reason),
    }
}

fn head(statement: &Statement, view: Option<&View<'_>>, out: &mut String) {
    if statement.synthetic {
        out.push_str("SYNTHETIC: rests on made evidence, and cannot be signed\n");
    }
    // Writing into a `String` cannot fail.
    let _ = match view {
        Some(view) => writeln!(out, "{}\n", label_sentence(view)),
        None if statement.recipients.is_empty() => {
            writeln!(out, "TLP:{}\n", statement.tlp.to_ascii_uppercase())
        }
        None => writeln!(out, "TLP:RED, only for {}\n", statement.recipients.join(", ")),
    };
    wrap("", "", &statement.title, out);
    if !statement.about.is_empty() {
        out.push('\n');
        wrap("", "", &statement.about, out);
    }
    let parties: Vec<String> =
        statement.parties.iter().map(|party| format!("{} ({})", party.name, party.id)).collect();
    out.push('\n');
    wrap("", "  ", &format!("Parties: {}", parties.join(", ")), out);
}

fn clause_text(statement: &Statement, clause: &Clause, out: &mut String) {
    let level = clause.level.as_str();
    let names = clause.names.as_ref().map(|names| format!(", names {names}")).unwrap_or_default();
    wrap("", "   ", &format!("{} ({level}{names}): {}", clause.id, clause.text), out);
    if !clause.builds_on.is_empty() {
        wrap("   ", "     ", &format!("Presupposes {}.", clause.builds_on.join(", ")), out);
    }
    for ground in &clause.grounds {
        wrap("   - ground: ", "     ", &ground_text(statement, ground), out);
    }
}

/// A ground in a sentence.
pub fn ground_text(statement: &Statement, ground: &Ground) -> String {
    if let Some(finding) = &ground.finding {
        let shows = if finding.shows.is_empty() { String::new() } else { format!("{} ", finding.shows) };
        return format!(
            "{shows}findings {} of case {}, whose findings.jsonl has SHA-256 {}",
            finding.ids.join(", "),
            finding.case,
            finding.findings_sha256
        );
    }
    if let Some(attribution) = &ground.attribution {
        return format!(
            "{}: {} of case {}, whose attribution.json has SHA-256 {}",
            attribution.says, attribution.intrusion, attribution.case, attribution.attribution_sha256
        );
    }
    let Some(external) = &ground.external else { return String::new() };
    let word = match (&external.word, &external.scale) {
        (Some(word), Some(scale)) => format!(" “{word}” ({scale})."),
        (Some(word), None) => format!(" “{word}” (scale not stated)."),
        (None, _) => String::new(),
    };
    let source = statement.sources.iter().find(|source| source.id == external.source);
    let source = source.map_or(external.source.clone(), |source| format!("{}, {}", source.by, source.date));
    format!("{}, {}: {}{word} [{source}]", external.author, external.date, external.claim)
}

fn voice_text(statement: &Statement, voice: &Voice, out: &mut String) {
    let name = statement.party_name(&voice.party);
    let number = voice.number.map(|number| format!("position {number}, ")).unwrap_or_default();
    wrap("   ", "     ", &format!("{name} {} ({number}{})", voice.verb, voice.date), out);
    let mut line = |label: &str, text: &str| {
        if !text.is_empty() {
            wrap("       ", "         ", &format!("{label}{text}"), out);
        }
    };
    for (label, text) in voice.parts() {
        line(&format!("{label}: "), text);
    }
    line("sources: ", &voice.sources.join(", "));
    for earlier in &voice.earlier {
        line("", &format!("supersedes position {}: {}", earlier.number, earlier.said));
    }
}

fn tail(statement: &Statement, out: &mut String) {
    for note in &statement.notes {
        let about =
            if note.clauses.is_empty() { String::new() } else { format!(" on {}", note.clauses.join(", ")) };
        out.push('\n');
        wrap("", "  ", &format!("Note{about}: {}{}", note.text, in_brackets(&note.sources)), out);
    }
    if !statement.scales.is_empty() {
        out.push_str("\nScales, as their owners publish them; no word is moved from one to another:\n");
    }
    for scale in &statement.scales {
        let terms: Vec<String> = scale.terms.iter().map(term).collect();
        wrap(
            "   ",
            "     ",
            &format!("{} ({}, {}): {}", scale.id, scale.owner, scale.axis, terms.join("; ")),
            out,
        );
    }
    if !statement.sources.is_empty() {
        out.push_str("\nSources:\n");
    }
    for source in &statement.sources {
        let seen = if source.seen.is_empty() { String::new() } else { format!("; {}", source.seen) };
        let url = source.url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        wrap(
            "   ",
            "     ",
            &format!("[{}] {}, {} ({}{seen}){url}", source.id, source.by, source.date, source.kind),
            out,
        );
    }
}

fn term(term: &crate::statement::Term) -> String {
    match (term.from, term.to) {
        (Some(from), Some(to)) => format!("{} {from}–{to} %", term.word),
        _ => term.word.clone(),
    }
}

fn in_brackets(sources: &[String]) -> String {
    if sources.is_empty() { String::new() } else { format!(" [{}]", sources.join(", ")) }
}

/// Appends a paragraph, its first line behind `first`, the others behind `rest`.
fn wrap(first: &str, rest: &str, text: &str, out: &mut String) {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(line.trim_end());
            out.push('\n');
            line = rest.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}
